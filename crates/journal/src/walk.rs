//! The walk along the chain of frames, from segment to segment: the same for recovery and for readers.
//! It reads, and changes nothing.

use std::io;
use std::sync::Arc;

use crate::error::{Damage, DiskError, Fault};
use crate::frame::{self, ChainHash, FrameHeader, KIND_EVENTS, VERSION};
use crate::record::{RecordError, RecordProblem};
use crate::segment;
use crate::storage::Storage;
use crate::window::Window;

#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) folder: String,
    pub(crate) journal: u64,
    /// The segment that the walk is in.
    pub(crate) number: u64,
    /// Where in it the next frame must begin.
    pub(crate) offset: u64,
    pub(crate) expect: Expect,
    pub(crate) window: Window,
    /// Over the segment behind, once that is there.
    behind: Option<Window>,
    /// Where the frame that was found last begins, and its length.
    found: (u64, usize),
}

/// What the next frame must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expect {
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    /// `None` where a walk begins in the middle: its first frame is taken at its word.
    pub(crate) hash: Option<ChainHash>,
    /// At least.
    pub(crate) epoch: u32,
}

impl Expect {
    /// The first frame of a journal.
    pub(crate) fn first(journal: u64) -> Self {
        Self { frame: 1, sequence: 1, hash: Some(frame::first_hash(journal)), epoch: 0 }
    }

    /// What follows a frame, given its bytes.
    pub(crate) fn after(header: &FrameHeader, bytes: &[u8]) -> Self {
        Self {
            frame: header.frame_no.get().saturating_add(1),
            sequence: header.first_seq.get().saturating_add(header.count.get().into()),
            hash: Some(frame::chain_hash(bytes)),
            epoch: header.epoch.get(),
        }
    }
}

impl Walk {
    pub(crate) fn begin(
        storage: Arc<dyn Storage>,
        folder: String,
        journal: u64,
        number: u64,
        expect: Expect,
    ) -> Result<Self, DiskError> {
        let window = Window::open(&*storage, &folder, number)?;
        Ok(Self { storage, folder, journal, number, offset: 0, expect, window, behind: None, found: (0, 0) })
    }

    /// Goes on to the next frame; `None` if there is none, or none that is whole yet.
    pub(crate) fn next(&mut self) -> Result<Option<FrameHeader>, Fault> {
        let (storage, journal, expected) = (&*self.storage, self.journal, self.expect.frame);
        let is_next = |header: &FrameHeader| header.frame_no.get() == expected;
        let mut header = self.window.frame(storage, journal, self.offset)?.filter(is_next);
        if header.is_none() {
            // The writer goes on to the next segment when a frame does not fit in the rest of this one.
            if self.behind.is_none() {
                self.behind = open_if_there(storage, &self.folder, self.number + 1)?;
            }
            if let Some(mut behind) = self.behind.take() {
                header = behind.frame(storage, journal, 0)?.filter(is_next);
                if header.is_some() {
                    (self.window, self.number, self.offset) = (behind, self.number + 1, 0);
                } else {
                    self.behind = Some(behind);
                }
            }
        }
        let Some(header) = header else { return Ok(None) };
        self.admit(&header)?;
        self.found = (self.offset, header.frame_len());
        self.expect = Expect::after(&header, self.frame());
        self.offset += header.padded_len() as u64;
        Ok(Some(header))
    }

    /// The body of the frame that [`Walk::next`] found; nothing may have been read since.
    pub(crate) fn body(&self) -> &[u8] {
        self.frame().get(frame::HEADER_BYTES..).unwrap_or_default()
    }

    fn frame(&self) -> &[u8] {
        self.window.held(self.found.0, self.found.1).unwrap_or_default()
    }

    /// Reads again what is looked at next: a writer may have gone on.
    pub(crate) fn forget(&mut self) {
        self.window.forget();
        if let Some(behind) = &mut self.behind {
            behind.forget();
        }
    }

    /// Whether a whole frame with the expected number is the one that belongs here.
    fn admit(&self, header: &FrameHeader) -> Result<(), Fault> {
        if header.version != VERSION || header.kind != KIND_EVENTS || header.flags.get() != 0 {
            let (version, kind, flags) = (header.version, header.kind, header.flags.get());
            return Err(Fault::Newer(self.damage(format!(
                "a frame of version {version}, kind {kind}, flags {flags}: written by a newer version of BetEx"
            ))));
        }
        let Expect { sequence, hash, epoch, .. } = self.expect;
        let what = if hash.is_some_and(|hash| hash != header.prev_hash) {
            "it does not chain to the frame before it".to_owned()
        } else if header.first_seq.get() != sequence {
            format!("its first event has sequence number {}, where {sequence} follows", header.first_seq)
        } else if header.epoch.get() < epoch {
            format!("its epoch is {}, after {epoch}", header.epoch)
        } else if header.count.get() == 0 {
            "it has no events".to_owned()
        } else {
            return Ok(());
        };
        Err(Fault::Corrupt(self.damage(what)))
    }

    /// A record that cannot be read, in the frame that [`Walk::next`] found.
    pub(crate) fn in_frame(&self, error: RecordError) -> Fault {
        let damage = self.frame_damage(error.to_string());
        match error.problem {
            RecordProblem::Unknown { .. } => Fault::Newer(damage),
            RecordProblem::Malformed(_) => Fault::Corrupt(damage),
        }
    }

    /// Whether the body of the frame that [`Walk::next`] found has the events that its header counts,
    /// given the sequence number behind its last one.
    pub(crate) fn check_count(&self, next_sequence: u64) -> Result<(), Fault> {
        if next_sequence == self.expect.sequence {
            return Ok(());
        }
        Err(Fault::Corrupt(self.frame_damage("its header does not count the events of its body".to_owned())))
    }

    fn frame_damage(&self, what: String) -> Damage {
        let frame = self.expect.frame.saturating_sub(1);
        Damage { segment: self.number, offset: self.found.0, frame, what }
    }

    /// Something wrong where the next frame must be.
    pub(crate) fn damage(&self, what: String) -> Damage {
        Damage { segment: self.number, offset: self.offset, frame: self.expect.frame, what }
    }

    /// Where there is no next frame: whether something lies behind that must follow it, and what else is
    /// in the rest of this segment and in those behind.
    pub(crate) fn look_behind(&mut self) -> Result<Behind, Fault> {
        let (storage, journal, expected) = (&*self.storage, self.journal, self.expect.frame);
        let rest = scan(storage, &mut self.window, journal, self.offset, expected)?;
        let dirty_end = rest.dirty_end.unwrap_or(self.offset);
        let mut whole = rest.whole.map(|(offset, frame)| (self.number, offset, frame));
        let mut following = Vec::new();
        let numbers = segment::numbers(storage, &self.folder)?;
        if let Some(&first) = numbers.first()
            && first > self.number
        {
            // This segment, still open here, is no more: the next ones may have gone with it.
            let header = Window::open(storage, &self.folder, first)?.frame(storage, journal, 0)?;
            if let Some(header) = header.filter(|header| header.frame_no.get() > expected) {
                return Err(Fault::Pruned(header.first_seq.get()));
            }
        }
        for (number, should_be) in numbers.into_iter().filter(|&n| n > self.number).zip(self.number + 1..) {
            if number != should_be {
                let what = format!("{} is missing", segment::file_name(should_be));
                return Err(Fault::Corrupt(Damage { segment: should_be, offset: 0, frame: expected, what }));
            }
            let mut window = Window::open(storage, &self.folder, number)?;
            let scan = scan(storage, &mut window, journal, 0, expected)?;
            whole = whole.or(scan.whole.map(|(offset, frame)| (number, offset, frame)));
            following.push(Following { number, len: scan.len, is_clean: scan.dirty_end.is_none() });
        }
        let damage = whole.map(|(segment, offset, frame)| {
            self.damage(if (segment, offset) == (self.number, self.offset) {
                format!("frame {frame} is here instead")
            } else {
                let name = segment::file_name(segment);
                format!(
                    "it is missing or not whole, but frame {frame} is whole, in {name} at offset {offset}"
                )
            })
        });
        Ok(Behind { damage, dirty_end, following })
    }
}

/// What lies behind the last frame.
#[derive(Debug)]
pub(crate) struct Behind {
    /// Something that must follow a frame which is not there.
    pub(crate) damage: Option<Damage>,
    /// The end of the last bytes in this segment that are not zero; its last frame's end if all are.
    pub(crate) dirty_end: u64,
    /// The segments behind.
    pub(crate) following: Vec<Following>,
}

/// A segment in which no frame belongs to the chain yet.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) number: u64,
    pub(crate) len: u64,
    /// All zeros.
    pub(crate) is_clean: bool,
}

pub(crate) fn open_if_there(
    storage: &dyn Storage,
    folder: &str,
    number: u64,
) -> Result<Option<Window>, DiskError> {
    match Window::open(storage, folder, number) {
        Ok(window) => Ok(Some(window)),
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct Scan {
    /// The first whole frame of this journal with the expected number or a higher one.
    whole: Option<(u64, u64)>,
    dirty_end: Option<u64>,
    len: u64,
}

/// Looks at every place where a frame could begin, from `offset` to the end of a segment. Frames with
/// lower numbers are what a segment held before it was used again.
fn scan(
    storage: &dyn Storage,
    window: &mut Window,
    journal: u64,
    from: u64,
    expected: u64,
) -> Result<Scan, DiskError> {
    const PIECE: usize = 256 << 10;
    let mut scan = Scan { whole: None, dirty_end: None, len: window.len(storage)? };
    let mut candidates = Vec::new();
    let mut offset = from;
    while offset < scan.len {
        let piece = window.bytes(storage, offset, PIECE)?;
        if piece.is_empty() {
            break;
        }
        for (at, block) in (offset..).step_by(frame::HEADER_BYTES).zip(piece.chunks(frame::HEADER_BYTES)) {
            if block.iter().fold(0, |any, byte| any | byte) != 0 {
                scan.dirty_end = Some(at + block.len() as u64);
                if FrameHeader::of(block, journal).is_some() {
                    candidates.push(at);
                }
            }
        }
        offset += piece.len() as u64;
        for at in candidates.drain(..) {
            if scan.whole.is_none() {
                let frame = window.frame(storage, journal, at)?.map(|header| header.frame_no.get());
                scan.whole = frame.filter(|&frame| frame >= expected).map(|frame| (at, frame));
            }
        }
    }
    Ok(scan)
}
