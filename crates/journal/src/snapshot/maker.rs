//! Makes snapshots from sealed segments: loads the newest one, applies what was written since, writes the
//! next. It reads the files that the writer has left behind, so the engine never waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use betex_core::state::State;

use super::write::Writing;
use super::{Loaded, Mark, Retention, newest};
use crate::error::{Damage, DiskError, Fault, ReadError};
use crate::record::{BodyDecoder, EncodeError, SnapshotEnd};
use crate::segment;
use crate::storage::{Lock, Storage};
use crate::supply::SegmentSupply;
use crate::walk::{Expect, Walk};

/// When snapshots are made, and what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// A snapshot is due when so many segments were sealed behind the last one; 0: never, and then
    /// nothing is removed.
    pub every_segments: u32,
    /// What of the sealed segments stays although no snapshot needs it.
    pub retention: Retention,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { every_segments: 4, retention: Retention::default() }
    }
}

/// Why a snapshot was not made, or something not removed. The journal is as it was, and it can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The journal could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A state that the core never has.
    #[error("the state cannot be written: {0}")]
    Encode(EncodeError),
}

/// A snapshot that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMade {
    /// The number of the last event in it.
    pub sequence: u64,
    /// Events that were applied to the snapshot before.
    pub events: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Snapshots that were there and could not be used, and why.
    pub passed_over: Vec<String>,
}

/// Makes snapshots and removes what they stand for, driven by a thread of whoever opened the journal.
#[derive(Debug)]
pub struct SnapshotMaker {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) folder: String,
    journal: u64,
    pub(super) supply: Arc<SegmentSupply>,
    pub(super) options: SnapshotOptions,
    /// The first segment that no snapshot covers.
    uncovered: u64,
    pub(super) kept: Option<Kept>,
    /// It writes, too: nobody else may while it lives.
    _lock: Arc<Lock>,
}

/// The snapshots that stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) newest: u64,
    /// The one before, which was found right when the newest was made from it.
    pub(super) older: Option<Mark>,
}

impl SnapshotMaker {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        folder: String,
        supply: Arc<SegmentSupply>,
        uncovered: u64,
        options: SnapshotOptions,
        lock: Arc<Lock>,
    ) -> Self {
        let journal = segment::journal_of(&folder).unwrap_or_default();
        Self { storage, folder, journal, supply, options, uncovered, kept: None, _lock: lock }
    }

    /// Whether a snapshot is due.
    pub fn is_needed(&self) -> bool {
        let every = u64::from(self.options.every_segments);
        every > 0 && self.supply.in_use().saturating_sub(self.uncovered) >= every
    }

    /// Sleeps until a snapshot is due, the segments' supply is stopped or the time is over; whether one is due.
    pub fn wait(&self, at_most: Duration) -> bool {
        if !self.is_needed() {
            self.supply.wait_for_change(at_most);
        }
        self.is_needed()
    }

    /// What it shares with the writer: it tells when the journal is closed.
    pub fn supply(&self) -> &Arc<SegmentSupply> {
        &self.supply
    }

    /// Makes a snapshot, if one is due, in bounded memory besides the state itself. `is_stopped` is asked at
    /// each frame: true gives it up.
    ///
    /// # Errors
    /// Nothing was changed, and a later step tries again.
    pub fn step(&mut self, is_stopped: &dyn Fn() -> bool) -> Result<Option<SnapshotMade>, SnapshotError> {
        if !self.is_needed() {
            return Ok(None);
        }
        let root = self.storage.root().join(&self.folder);
        let sealed = self.supply.in_use() - 1;
        let (base, passed_over) = self.load().map_err(|fault| fault.reading(&root))?;
        let older = base.as_ref().map(Loaded::mark);
        let applied = self.apply(base, sealed, is_stopped).map_err(|fault| fault.reading(&root))?;
        let Some(Applied { state, expect, segment, events }) = applied else { return Ok(None) };
        if older.is_some_and(|older| older.sequence == state.sequence()) {
            // Nothing is behind it: it is the newest one, though its name may not yet be on the disk.
            let (storage, folder) = (&*self.storage, self.folder.as_str());
            storage.sync_dir(folder).map_err(|error| DiskError::new("sync", storage, folder, error))?;
            self.uncovered = segment;
            return Ok(None);
        }
        let end = SnapshotEnd {
            pieces: 0,
            digest: [0; 32],
            sequence: state.sequence(),
            frame: expect.frame - 1,
            hash: expect.hash.unwrap_or_default(),
            epoch: expect.epoch,
            segment,
        };
        let (storage, folder) = (&*self.storage, self.folder.as_str());
        let writing = Writing { storage, folder, journal: self.journal, is_stopped };
        let Some(bytes) = writing.write(&state, end)? else { return Ok(None) };
        self.uncovered = segment;
        self.kept = Some(Kept { newest: end.sequence, older });
        Ok(Some(SnapshotMade { sequence: end.sequence, events, bytes, passed_over }))
    }

    fn load(&self) -> Result<(Option<Loaded>, Vec<String>), Fault> {
        let segments = segment::numbers(&*self.storage, &self.folder)?;
        let (base, passed_over) = newest(&*self.storage, &self.folder, self.journal, &segments)?;
        if base.is_none() && segments.first() != Some(&1) {
            return Err(Fault::Corrupt(missing_beginning(&passed_over)));
        }
        Ok((base, passed_over))
    }

    /// Applies what lies behind a snapshot up to the end of this segment; `None` if it was stopped, or the
    /// end is not yet proved by a frame in the next one.
    fn apply(
        &self,
        base: Option<Loaded>,
        sealed: u64,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Applied>, Fault> {
        let (mut state, expect, first) = match base {
            Some(base) => {
                let expect = base.expect();
                (base.state, expect, base.end.segment)
            }
            None => (State::new(), Expect::first(self.journal), 1),
        };
        let from = state.sequence();
        let (storage, folder) = (Arc::clone(&self.storage), self.folder.clone());
        let mut walk = Walk::begin(storage, folder, self.journal, first, expect)?;
        let mut events = Vec::new();
        loop {
            let expect = walk.expect;
            if is_stopped() {
                return Ok(None);
            }
            let header = match walk.next()? {
                Some(header) => header,
                None => {
                    // Either the writer has taken the next segment and not written yet, or something is wrong.
                    let Some(damage) = walk.look_behind()?.damage else { return Ok(None) };
                    // Or it has written while this looked: if the frame is not there now it never will be.
                    walk.forget();
                    walk.next()?.ok_or(Fault::Corrupt(damage))?
                }
            };
            if walk.number > sealed {
                let events = state.sequence() - from;
                return Ok(Some(Applied { state, expect, segment: walk.number, events }));
            }
            let mut body = BodyDecoder::new(header.first_seq.get());
            while let Some(stamp) =
                body.next_transaction(walk.body(), &mut events).map_err(|error| walk.in_frame(error))?
            {
                state.apply(&stamp, &events);
            }
            walk.check_count(body.next_sequence())?;
        }
    }
}

/// A state at the end of a sealed segment.
struct Applied {
    state: State,
    expect: Expect,
    /// The segment behind.
    segment: u64,
    events: u64,
}

/// The journal does not begin with its first segment, and no snapshot stands for that.
pub(crate) fn missing_beginning(passed_over: &[String]) -> Damage {
    let mut what = format!("{} is missing", segment::file_name(1));
    for (place, problem) in passed_over.iter().enumerate() {
        what += if place == 0 { ", and no snapshot can stand for what it held: " } else { "; " };
        what += problem;
    }
    Damage { segment: 1, offset: 0, frame: 1, what }
}

impl SnapshotMaker {
    /// The folder of the journal, for messages.
    pub fn folder(&self) -> PathBuf {
        self.storage.root().join(&self.folder)
    }
}
