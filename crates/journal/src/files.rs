//! The files of a journal as they lie there, for tools: segments, and frames wherever they are, sound or not.
//! Reads, and changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use betex_core::state::State;

use crate::error::ReadError;
use crate::extent::Evidence;
use crate::frame::{self, FrameHeader, HEADER_BYTES};
use crate::frames::FrameReader;
use crate::naming::Naming;
use crate::reader::again;
use crate::segment;
use crate::snapshot::{self, Loaded, SnapshotFile};
use crate::storage::{FileStorage, Storage};
use crate::walk::open_if_there;
use crate::window::Window;

/// The current journal of a directory, and what its folder holds.
#[derive(Clone, Debug)]
pub struct JournalFiles {
    storage: Arc<dyn Storage>,
    naming: Naming,
    folder: PathBuf,
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its number, from 1.
    pub number: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The first frame in it, going by what looks like its header.
    pub first: Option<Frame>,
}

/// What the header of a frame says, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The number of the segment.
    pub segment: u64,
    /// Where in it, in bytes.
    pub offset: u64,
    /// Of the format.
    pub version: u8,
    /// 1: events.
    pub kind: u8,
    /// 0 so far.
    pub flags: u16,
    /// How often the journal had been opened for writing.
    pub epoch: u32,
    /// Its number, from 1.
    pub number: u64,
    /// The sequence number of its first event.
    pub first_sequence: u64,
    /// How many events it has.
    pub events: u32,
    /// The hash of the frame before.
    pub prev_hash: [u8; 16],
    /// Bytes of its body.
    pub body_bytes: u32,
    /// Over header and body.
    pub crc32c: u32,
}

/// A frame with its bytes, as far as they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// What its header says.
    pub frame: Frame,
    /// Header and body, without padding; fewer where the segment ends before.
    pub bytes: Vec<u8>,
    /// Whether its checksum is right.
    pub is_whole: bool,
}

/// A snapshot that is right.
#[derive(Debug)]
pub struct Snapshot {
    /// The state that it holds.
    pub state: State,
    /// The number of the last frame that is in it, 0 before the first.
    pub frame: u64,
    /// What the frame behind it must have as its `prev_hash`.
    pub hash: [u8; 16],
    /// The segment that this frame begins.
    pub segment: u64,
}

impl RawFrame {
    /// Its body, as far as it is there.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }

    /// What the frame behind it must have as its `prev_hash`.
    pub fn hash(&self) -> [u8; 16] {
        frame::chain_hash(&self.bytes)
    }
}

impl Frame {
    pub(crate) fn of(header: &FrameHeader, segment: u64, offset: u64) -> Self {
        Self {
            segment,
            offset,
            version: header.version,
            kind: header.kind,
            flags: header.flags.get(),
            epoch: header.epoch.get(),
            number: header.frame_no.get(),
            first_sequence: header.first_seq.get(),
            events: header.count.get(),
            prev_hash: header.prev_hash,
            body_bytes: header.body_len.get(),
            crc32c: header.crc32c.get(),
        }
    }

    /// What it takes in its segment, header and padding included, in bytes.
    pub fn bytes(&self) -> u64 {
        (HEADER_BYTES as u64 + u64::from(self.body_bytes)).next_multiple_of(HEADER_BYTES as u64)
    }

    /// The sequence number of its last event; that before the first, if it has none.
    pub fn last_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(self.events.into()).saturating_sub(1)
    }
}

impl JournalFiles {
    /// Those of the current journal.
    pub fn open(storage: Arc<dyn Storage>) -> Result<Self, ReadError> {
        let naming = Naming::current(&*storage)?;
        let folder = storage.root().join(segment::folder_name(naming.journal));
        Ok(Self { storage, naming, folder })
    }

    /// Those of the current journal in this directory.
    pub fn open_dir(directory: impl Into<PathBuf>) -> Result<Self, ReadError> {
        Self::open(Arc::new(FileStorage::new(directory)))
    }

    /// The journal's number.
    pub const fn journal(&self) -> u64 {
        self.naming.journal
    }

    /// When it began: UTC, to the second, for people.
    pub fn began(&self) -> &str {
        &self.naming.began
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its frames in order, each of them checked, from the first there is.
    pub fn frames(&self) -> Result<FrameReader, ReadError> {
        FrameReader::new(Arc::clone(&self.storage), self.naming.journal)
    }

    /// Its segments, rising; those that are prepared, too.
    pub fn segments(&self) -> Result<Vec<SegmentFile>, ReadError> {
        let mut files = Vec::new();
        for number in segment::numbers(&*self.storage, &self.name())? {
            // One that was removed since its folder was listed is none.
            if let Some(mut window) = self.window(number)? {
                let header = self.header(&mut window, 0)?;
                let first = header.map(|header| Frame::of(&header, number, 0));
                files.push(SegmentFile { number, bytes: window.len(&*self.storage)?, first });
            }
        }
        Ok(files)
    }

    /// What says how much of it there must be; to be asked before its frames are read, if a server writes meanwhile.
    ///
    /// # Errors
    /// A segment is missing, or not in its full length.
    pub fn evidence(&self) -> Result<Evidence, ReadError> {
        let (storage, name) = (&*self.storage, self.name());
        let evidence = || {
            let evidence = Evidence::read(storage, &name)?;
            evidence.check_segments(storage, &name, &segment::numbers(storage, &name)?)?;
            Ok(evidence)
        };
        again(evidence).map_err(|fault| fault.reading(&self.folder))
    }

    /// Its snapshots, oldest first, whether or not they are right.
    pub fn snapshots(&self) -> Result<Vec<SnapshotFile>, ReadError> {
        let mut files = snapshot::files(&*self.storage, &self.name())?;
        files.reverse();
        Ok(files)
    }

    /// A snapshot, if all of it is right: its frames, its records, and the digest of the state that they make.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn snapshot(&self, file: &SnapshotFile) -> Result<Snapshot, String> {
        let Loaded { state, end, .. } =
            snapshot::load(&*self.storage, &self.name(), self.naming.journal, file)?;
        Ok(Snapshot { state, frame: end.frame, hash: end.hash, segment: end.segment })
    }

    /// What lies at this place, if it looks like a frame of this journal, be it whole or not.
    pub fn frame_at(&self, segment: u64, offset: u64) -> Result<Option<RawFrame>, ReadError> {
        match self.window(segment)? {
            Some(mut window) => self.raw(&mut window, segment, offset),
            None => Ok(None),
        }
    }

    /// The frame of this number; one that is not whole only where there is none that is.
    pub fn frame(&self, number: u64) -> Result<Option<RawFrame>, ReadError> {
        let segments = self.segments()?;
        let begins_before =
            |segment: &&SegmentFile| segment.first.is_some_and(|first| first.number <= number);
        let likely = segments.iter().rev().find(begins_before).map(|segment| segment.number);
        let others = segments.iter().map(|segment| segment.number).filter(|other| Some(*other) != likely);
        let mut broken = None;
        for segment in likely.into_iter().chain(others) {
            match self.find_in(segment, number)? {
                Some(found) if found.is_whole => return Ok(Some(found)),
                found => broken = broken.or(found),
            }
        }
        Ok(broken)
    }

    /// Whether a frame has the hash of the frame before it; `None` if that one is not there.
    pub fn chains(&self, raw: &RawFrame) -> Result<Option<bool>, ReadError> {
        let Some(before) = raw.frame.number.checked_sub(1) else { return Ok(None) };
        let expected = match before {
            0 => Some(frame::first_hash(self.naming.journal)),
            before => self.frame(before)?.map(|before| before.hash()),
        };
        Ok(expected.map(|expected| expected == raw.frame.prev_hash))
    }

    fn find_in(&self, segment: u64, number: u64) -> Result<Option<RawFrame>, ReadError> {
        let Some(mut window) = self.window(segment)? else { return Ok(None) };
        let (len, mut offset, mut broken) = (window.len(&*self.storage)?, 0, None);
        while offset < len {
            let header = self.header(&mut window, offset)?;
            if header.is_some_and(|header| header.frame_no.get() == number) {
                match self.raw(&mut window, segment, offset)? {
                    Some(found) if found.is_whole => return Ok(Some(found)),
                    found => broken = broken.or(found),
                }
            }
            // Where a header is not to be believed, the next frame may begin at any multiple of its length.
            let whole = window.frame(&*self.storage, self.naming.journal, offset)?;
            offset += whole.map_or(HEADER_BYTES, |header| header.padded_len()) as u64;
        }
        Ok(broken)
    }

    fn raw(&self, window: &mut Window, segment: u64, offset: u64) -> Result<Option<RawFrame>, ReadError> {
        let Some(header) = self.header(window, offset)? else { return Ok(None) };
        let bytes = window.bytes(&*self.storage, offset, header.frame_len())?.to_vec();
        let is_whole = bytes.len() == header.frame_len() && header.is_whole(&bytes[HEADER_BYTES..]);
        Ok(Some(RawFrame { frame: Frame::of(&header, segment, offset), bytes, is_whole }))
    }

    fn header(&self, window: &mut Window, offset: u64) -> Result<Option<FrameHeader>, ReadError> {
        let bytes = window.bytes(&*self.storage, offset, HEADER_BYTES)?;
        Ok(FrameHeader::of(bytes, self.naming.journal))
    }

    fn window(&self, number: u64) -> Result<Option<Window>, ReadError> {
        Ok(open_if_there(&*self.storage, &self.name(), number)?)
    }

    fn name(&self) -> String {
        segment::folder_name(self.naming.journal)
    }
}
