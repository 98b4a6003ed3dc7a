//! The log: transactions gather in a frame, a commit writes and syncs it.

use std::fmt;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};
use zerocopy::IntoBytes;

use crate::begin;
use crate::error::{DiskError, LogError};
use crate::extent;
use crate::frame::{
    self, BODY_BYTES_MAX, BODY_GATHER_BYTES, ChainHash, FRAME_BYTES_MAX, FrameHeader, HEADER_BYTES,
};
use crate::record::{BodyEncoder, EncodeError};
use crate::report::RecoveryReport;
use crate::segment::{self, OpenSegment};
use crate::storage::{Access, Lock, Storage};
use crate::supply::SegmentSupply;
use crate::walk::Expect;

/// Where the engine's transactions go before anybody hears of them.
pub trait Log: Send {
    /// Adds one whole transaction to the open frame. Where that would be too long with it, the frame is
    /// committed first.
    fn append(&mut self, stamp: &Stamp, events: &[Event]) -> Result<(), LogError>;
    /// Makes all that was appended durable: one write, one sync. Does nothing if there is nothing.
    fn commit(&mut self) -> Result<(), LogError>;
    /// The sequence number of the last event that is durable, 0 if there is none.
    fn durable_sequence(&self) -> u64;
    /// Frames committed since the log was opened.
    fn frames(&self) -> u64;
    /// Bytes of these, headers and padding included.
    fn bytes(&self) -> u64;
    /// To be called once the first frame is durable, and before anything in it is acknowledged: says that it is there,
    /// so that a start notices a journal which has lost it.
    fn settle(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    /// Nothing more will come: leaves a mark which says that everything is on the disk, so that the next start
    /// notices if something is not. Nothing can be appended any more.
    fn close(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// What is acknowledged survives a power cut.
    #[default]
    Always,
    /// For backtests: nothing is synced, and a crash of the machine loses what was acknowledged.
    None,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::None => "none",
        })
    }
}

/// Where in its journal a writer goes on.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) journal: u64,
    pub(crate) epoch: u32,
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    pub(crate) hash: ChainHash,
    /// In the segment.
    pub(crate) offset: u64,
}

impl Position {
    /// Behind the frames that were walked.
    pub(crate) fn after(journal: u64, expect: Expect, offset: u64) -> Self {
        let Expect { frame, sequence, hash, epoch } = expect;
        // One opening per second would take 136 years to get there.
        let epoch = epoch.saturating_add(1);
        Self { journal, epoch, frame, sequence, hash: hash.unwrap_or_default(), offset }
    }
}

/// Where a journal is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) storage: Arc<dyn Storage>,
    /// The journal's, in the storage.
    pub(crate) folder: String,
    pub(crate) _lock: Arc<Lock>,
}

/// The log of one process in segments on a disk.
///
/// After the first error of the disk it is poisoned: every later call fails, nothing is tried again.
#[derive(Debug)]
pub struct JournalWriter {
    /// Where the next frame goes, and what it is.
    position: Position,
    segment: OpenSegment,
    durability: Durability,
    place: Place,
    supply: Arc<SegmentSupply>,
    /// The segment that was in use when the journal was opened.
    first_segment: u64,
    /// The open frame: room for its header, then its body.
    buffer: Vec<u8>,
    body: BodyEncoder,
    /// What must be appended next.
    next_sequence: u64,
    frames: u64,
    bytes: u64,
    is_poisoned: bool,
}

impl JournalWriter {
    pub(crate) fn new(
        place: Place,
        position: Position,
        segment: OpenSegment,
        durability: Durability,
        supply: Arc<SegmentSupply>,
    ) -> Self {
        // All that a frame will ever need, so that nothing is allocated later.
        let mut buffer = Vec::with_capacity(frame::padded(FRAME_BYTES_MAX));
        buffer.resize(HEADER_BYTES, 0);
        Self {
            next_sequence: position.sequence,
            position,
            first_segment: segment.number,
            segment,
            durability,
            place,
            supply,
            buffer,
            body: BodyEncoder::new(),
            frames: 0,
            bytes: 0,
            is_poisoned: false,
        }
    }

    /// The journal's number.
    pub fn journal(&self) -> u64 {
        self.position.journal
    }

    /// How often the journal has been opened for writing, this time included.
    pub fn epoch(&self) -> u32 {
        self.position.epoch
    }

    /// The segments to come: whether they could be prepared, and how to end a wait for one.
    pub fn supply(&self) -> &Arc<SegmentSupply> {
        &self.supply
    }

    /// Events appended and not yet committed.
    pub fn open_events(&self) -> u32 {
        self.body.events()
    }

    /// Bytes of these, as they are encoded.
    pub fn open_bytes(&self) -> usize {
        self.buffer.len() - HEADER_BYTES
    }

    fn encode(&mut self, body_max: usize, stamp: &Stamp, events: &[Event]) -> Result<(), EncodeError> {
        self.body.append(&mut self.buffer, HEADER_BYTES + body_max, stamp, events)
    }

    /// Writes the open frame behind the last one.
    fn write(&mut self) -> Result<(), LogError> {
        let len = self.buffer.len();
        let padded = frame::padded(len);
        if self.position.offset + padded as u64 > self.segment.len {
            self.segment = self.supply.take().ok_or(LogError::Stopped)?;
            if self.durability == Durability::Always {
                // What is in the segment in use is not listed, so that a start judges its torn end by the mark alone.
                self.supply.note_durable(self.durable_sequence());
            }
            self.position.offset = 0;
        }
        let mut header = FrameHeader {
            magic: frame::MAGIC,
            version: frame::VERSION,
            kind: frame::KIND_EVENTS,
            flags: 0.into(),
            journal: self.position.journal.into(),
            epoch: self.position.epoch.into(),
            count: self.body.events().into(),
            frame_no: self.position.frame.into(),
            first_seq: self.position.sequence.into(),
            prev_hash: self.position.hash,
            // At most BODY_BYTES_MAX.
            body_len: u32::try_from(len - HEADER_BYTES).unwrap_or(u32::MAX).into(),
            crc32c: 0.into(),
        };
        header.seal(&self.buffer[HEADER_BYTES..]);
        self.buffer[..HEADER_BYTES].copy_from_slice(header.as_bytes());
        self.buffer.resize(padded, 0);

        let file = &*self.segment.file;
        let written = file.write_at(&self.buffer, self.position.offset).map_err(|error| ("write", error));
        let synced = written.and_then(|()| match self.durability {
            Durability::Always => file.sync().map_err(|error| ("sync", error)),
            Durability::None => Ok(()),
        });
        if let Err((doing, source)) = synced {
            self.is_poisoned = true;
            return Err(LogError::Disk(self.failed(doing, source)));
        }
        self.position.frame += 1;
        self.position.sequence = self.next_sequence;
        self.position.hash = frame::chain_hash(&self.buffer[..len]);
        self.position.offset += padded as u64;
        self.supply.note_used(self.position.offset);
        self.frames += 1;
        self.bytes += padded as u64;
        self.buffer.truncate(HEADER_BYTES);
        self.body = BodyEncoder::new();
        Ok(())
    }
}

impl Log for JournalWriter {
    fn append(&mut self, stamp: &Stamp, events: &[Event]) -> Result<(), LogError> {
        if self.is_poisoned {
            return Err(LogError::Poisoned);
        }
        if stamp.sequence != self.next_sequence {
            return Err(LogError::OutOfSequence { expected: self.next_sequence, given: stamp.sequence });
        }
        let is_first = self.body.events() == 0;
        let mut encoded =
            self.encode(if is_first { BODY_BYTES_MAX } else { BODY_GATHER_BYTES }, stamp, events);
        if encoded == Err(EncodeError::Full) && !is_first {
            self.write()?;
            encoded = self.encode(BODY_BYTES_MAX, stamp, events);
        }
        match encoded {
            Ok(()) => {
                self.next_sequence += events.len() as u64;
                Ok(())
            }
            Err(EncodeError::Full) => Err(LogError::TooLarge { events: events.len() }),
            Err(error) => Err(LogError::Invalid(error)),
        }
    }

    fn commit(&mut self) -> Result<(), LogError> {
        if self.is_poisoned {
            return Err(LogError::Poisoned);
        }
        if self.body.events() == 0 {
            return Ok(());
        }
        self.write()
    }

    fn durable_sequence(&self) -> u64 {
        self.position.sequence - 1
    }

    fn frames(&self) -> u64 {
        self.frames
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn settle(&mut self) -> Result<(), LogError> {
        if self.supply.has_reached() || self.durable_sequence() == 0 {
            return Ok(());
        }
        if self.durability == Durability::None {
            self.segment.file.sync().map_err(|error| self.failed("sync", error))?;
        }
        self.supply.note_durable(self.durable_sequence());
        let Place { storage, folder, .. } = &self.place;
        self.supply.list(&**storage, folder, None)?;
        storage.end_start(true);
        Ok(())
    }

    fn close(&mut self) -> Result<(), LogError> {
        self.commit()?;
        if self.durable_sequence() > 0 {
            self.mark()?;
        }
        self.is_poisoned = true;
        Ok(())
    }
}

impl JournalWriter {
    /// Takes back what was done to open the journal: one that was begun goes, and one that was stopped cleanly is
    /// marked so again. For a start that fails later; nothing may have been appended.
    pub fn withdraw(mut self, report: &RecoveryReport) {
        let Place { storage, folder, .. } = &self.place;
        if self.frames > 0 {
            return;
        }
        if report.fresh {
            begin::discard(&**storage, folder);
            storage.end_start(false);
        } else if report.stopped.is_some() {
            // Without the mark the next start only knows less.
            let _ = self.close();
        }
    }

    fn mark(&self) -> Result<(), DiskError> {
        let Place { storage, folder, .. } = &self.place;
        if self.durability == Durability::None {
            for number in self.first_segment..=self.segment.number {
                let name = segment::path(folder, number);
                let synced = storage.open(&name, Access::Write).and_then(|file| file.sync());
                synced.map_err(|error| DiskError::new("sync", &**storage, &name, error))?;
            }
        }
        extent::mark_stopped(&**storage, folder, self.durable_sequence())
    }

    fn failed(&self, doing: &'static str, error: std::io::Error) -> DiskError {
        let name = segment::path(&self.place.folder, self.segment.number);
        DiskError::new(doing, &*self.place.storage, &name, error)
    }
}
