//! Segments prepared ahead: between the writer, which takes them, and the preparer, which makes them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::DiskError;
use crate::extent::Extent;
use crate::segment::{self, OpenSegment};
use crate::snapshot::{SnapshotMaker, SnapshotOptions};
use crate::storage::{Lock, Storage};

/// How many segments lie ready ahead of the writer.
const READY: usize = 1;
/// A wait is looked at again after this time, whatever happened.
const WAIT: Duration = Duration::from_millis(100);
/// Before each piece of the next segment the preparer rests for so long, so that its writes are spread between
/// the syncs of frames;
const REST: Duration = Duration::from_millis(10);
/// but not while the next segment grows less than this many times as fast as the one in use fills.
const AHEAD: u64 = 2;
/// Used so much, a segment lets the next one grow without a pause.
const HURRY: u64 = u64::MAX / AHEAD;
/// The preparer hears of the writer whenever it has written this much more.
const NOTICE_BYTES: u64 = 64 << 10;

/// What the writer and the preparer share; also how others see whether the next segment is there.
#[derive(Debug)]
pub struct SegmentSupply {
    shelf: Mutex<Shelf>,
    changed: Condvar,
    /// For the preparer alone: the segment in use has filled a bit more.
    filled: Condvar,
    degraded: AtomicBool,
    stopped: AtomicBool,
    /// How much of the segment in use is written.
    used: AtomicU64,
    /// How long the segment in use is, and those that are ready are together.
    len: AtomicU64,
    ready_bytes: AtomicU64,
    /// The last event that is on the disk, as far as that is known.
    durable: AtomicU64,
    /// The first segment that has not been removed.
    first: AtomicU64,
    /// What `segments.list` says.
    extent: Mutex<Extent>,
}

#[derive(Debug)]
struct Shelf {
    ready: VecDeque<OpenSegment>,
    /// The number of the segment to prepare next.
    next: u64,
    /// Why the last preparation failed.
    problem: Option<String>,
}

impl SegmentSupply {
    /// `next` is the number of the first segment that is neither in use nor ready, `used` how much of the one
    /// in use is written.
    pub(crate) fn new(ready: VecDeque<OpenSegment>, next: u64, used: u64) -> Self {
        Self {
            used: AtomicU64::new(used),
            len: AtomicU64::new(0),
            ready_bytes: AtomicU64::new(ready.iter().map(|segment| segment.len).sum()),
            shelf: Mutex::new(Shelf { ready, next, problem: None }),
            changed: Condvar::new(),
            filled: Condvar::new(),
            degraded: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            durable: AtomicU64::new(0),
            first: AtomicU64::new(1),
            extent: Mutex::default(),
        }
    }

    /// With what `segments.list` says, the first segment that there is, and the length of the one in use.
    pub(crate) fn with_extent(mut self, first: u64, extent: Extent, len: u64) -> Self {
        self.len = AtomicU64::new(len);
        self.first = AtomicU64::new(first);
        self.extent = Mutex::new(extent);
        self
    }

    /// Everything up to this event is on the disk.
    pub(crate) fn note_durable(&self, sequence: u64) {
        self.durable.store(sequence, Ordering::Relaxed);
    }

    /// Segments before this one are being removed.
    pub(crate) fn note_first(&self, number: u64) {
        self.first.store(number, Ordering::Release);
    }

    /// Whether `segments.list` says that the first event was on the disk.
    pub(crate) fn has_reached(&self) -> bool {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner).reached > 0
    }

    /// Lists a segment that was made, durably, before it is used; and up to where everything is on the disk.
    pub(crate) fn list(
        &self,
        storage: &dyn Storage,
        folder: &str,
        segment: Option<&OpenSegment>,
    ) -> Result<(), DiskError> {
        let mut extent = self.extent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = extent.clone();
        let first = self.first.load(Ordering::Acquire);
        listed.lengths.retain(|number, _| *number >= first);
        listed.lengths.extend(segment.map(|segment| (segment.number, segment.len)));
        listed.reached = listed.reached.max(self.durable.load(Ordering::Relaxed));
        listed.write(storage, folder)?;
        *extent = listed;
        Ok(())
    }

    /// Whether the next segment could not be prepared. What adds to the journal should then be refused,
    /// so that the rest of the last segment is kept for what must go on, such as cancels.
    pub fn is_degraded(&self) -> bool {
        self.degraded.load(Ordering::Relaxed)
    }

    /// Why, for people.
    pub fn problem(&self) -> Option<String> {
        self.shelf().problem.clone()
    }

    /// Whether a segment lies ready, so that the writer would not wait for one.
    pub fn is_ready(&self) -> bool {
        !self.shelf().ready.is_empty()
    }

    /// Bytes that can be written though no other segment is ever prepared, whatever frames they are in: a frame that
    /// does not fit in the rest of a segment goes to the next.
    pub fn room(&self) -> u64 {
        match self.ready_bytes.load(Ordering::Acquire) {
            0 => self.len.load(Ordering::Relaxed).saturating_sub(self.used.load(Ordering::Relaxed)),
            ready => ready,
        }
    }

    /// Ends every wait, for good: the writer's with [`LogError::Stopped`](crate::LogError::Stopped).
    pub fn stop(&self) {
        // Set under the lock, so that nobody can look, miss it, and then sleep through the notice.
        let shelf = self.shelf();
        self.stopped.store(true, Ordering::Relaxed);
        drop(shelf);
        self.changed.notify_all();
        self.filled.notify_all();
    }

    /// Whether [`SegmentSupply::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The segment that is written now: those with lower numbers are sealed.
    pub(crate) fn in_use(&self) -> u64 {
        let shelf = self.shelf();
        shelf.next - 1 - shelf.ready.len() as u64
    }

    /// Sleeps until a segment was taken or made, the supply is stopped or the time is over.
    pub fn wait_for_change(&self, at_most: Duration) {
        let shelf = self.shelf();
        if !self.is_stopped() {
            drop(self.wait(shelf, at_most));
        }
    }

    /// The next segment; waits for it. `None` once stopped.
    pub(crate) fn take(&self) -> Option<OpenSegment> {
        let mut shelf = self.shelf();
        loop {
            if let Some(segment) = shelf.ready.pop_front() {
                self.len.store(segment.len, Ordering::Relaxed);
                self.used.store(0, Ordering::Relaxed);
                self.ready_bytes.fetch_sub(segment.len, Ordering::Release);
                drop(shelf);
                self.changed.notify_all();
                return Some(segment);
            }
            if self.is_stopped() {
                return None;
            }
            // The segment in use may be smaller than the next, and used up before enough of that is prepared.
            self.used.store(HURRY, Ordering::Relaxed);
            self.filled.notify_all();
            shelf = self.wait(shelf, WAIT);
        }
    }

    /// So much of the segment in use is written now.
    pub(crate) fn note_used(&self, used: u64) {
        let before = self.used.swap(used, Ordering::Relaxed);
        if before / NOTICE_BYTES != used / NOTICE_BYTES {
            // Whoever is about to sleep may miss it, and looks again soon.
            self.filled.notify_all();
        }
    }

    /// Rests before the next segment, of which there is so much, gets more; whether it is still wanted. Where the
    /// last one failed, everybody waits for it.
    fn rest(&self, done: u64) -> bool {
        let shelf = self.shelf();
        drop(self.filled.wait_timeout_while(shelf, REST, |_| self.has_time(done)));
        !self.is_stopped()
    }

    /// Whether nobody waits for more of it.
    fn has_time(&self, done: u64) -> bool {
        done > AHEAD * self.used.load(Ordering::Relaxed) && !self.is_degraded() && !self.is_stopped()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Nothing panics while it holds the lock.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, shelf: MutexGuard<'a, Shelf>, at_most: Duration) -> MutexGuard<'a, Shelf> {
        self.changed.wait_timeout(shelf, at_most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What a step of the preparer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrepareOutcome {
    /// The segment of this number lies ready.
    Prepared(u64),
    /// Enough lay ready, or nobody wants more.
    NotNeeded,
}

/// Prepares segments ahead of the writer, driven by a thread of whoever opened the journal.
#[derive(Debug)]
pub struct SegmentPreparer {
    storage: Arc<dyn Storage>,
    folder: String,
    segment_bytes: u64,
    supply: Arc<SegmentSupply>,
    /// The first segment that the snapshot does not cover which the journal was opened with.
    uncovered: u64,
    /// It writes, too: nobody else may while it lives.
    lock: Arc<Lock>,
}

impl SegmentPreparer {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        folder: String,
        segment_bytes: u64,
        supply: Arc<SegmentSupply>,
        uncovered: u64,
        lock: Arc<Lock>,
    ) -> Self {
        Self { storage, folder, segment_bytes, supply, uncovered, lock }
    }

    /// Who makes snapshots of the same journal: one at most.
    pub fn snapshot_maker(&self, options: SnapshotOptions) -> SnapshotMaker {
        let (storage, supply) = (Arc::clone(&self.storage), Arc::clone(&self.supply));
        let lock = Arc::clone(&self.lock);
        SnapshotMaker::new(storage, self.folder.clone(), supply, self.uncovered, options, lock)
    }

    /// The folder of the journal, for messages.
    pub fn folder(&self) -> std::path::PathBuf {
        self.storage.root().join(&self.folder)
    }

    /// What it shares with the writer.
    pub fn supply(&self) -> &Arc<SegmentSupply> {
        &self.supply
    }

    /// Whether [`SegmentPreparer::step`] would do something.
    pub fn is_needed(&self) -> bool {
        self.supply.shelf().ready.len() < READY
    }

    /// Sleeps until a segment is needed, the supply is stopped or the time is over; whether one is needed.
    pub fn wait(&self, at_most: Duration) -> bool {
        let shelf = self.supply.shelf();
        if shelf.ready.len() < READY || self.supply.is_stopped() {
            return shelf.ready.len() < READY;
        }
        self.supply.wait(shelf, at_most).ready.len() < READY
    }

    /// Prepares one segment, if one is needed: writes and syncs [`JournalOptions::segment_bytes`] of zeros.
    /// If that fails the supply is degraded until a later step succeeds; trying again does no harm.
    ///
    /// [`JournalOptions::segment_bytes`]: crate::JournalOptions::segment_bytes
    pub fn step(&mut self) -> Result<PrepareOutcome, DiskError> {
        self.prepare(|_| true)
    }

    /// The same with a rest before each piece, so that the writer is hardly held up, as long as it does not need
    /// the segment soon. Given up when the supply is stopped.
    pub fn step_with_rests(&mut self) -> Result<PrepareOutcome, DiskError> {
        let supply = Arc::clone(&self.supply);
        self.prepare(|done| supply.rest(done))
    }

    fn list(&self, segment: Option<OpenSegment>) -> Result<Option<OpenSegment>, DiskError> {
        let Some(segment) = segment else { return Ok(None) };
        match self.supply.list(&*self.storage, &self.folder, Some(&segment)) {
            Ok(()) => Ok(Some(segment)),
            Err(error) => {
                // Gives the space of a full disk back; one that stays does no harm.
                let _ = self.storage.remove(&segment::path(&self.folder, segment.number));
                Err(error)
            }
        }
    }

    fn prepare(&self, go_on: impl Fn(u64) -> bool) -> Result<PrepareOutcome, DiskError> {
        if !self.is_needed() {
            return Ok(PrepareOutcome::NotNeeded);
        }
        // Only the preparer raises it, so it is still that when the segment is put on the shelf.
        let number = self.supply.shelf().next;
        let created = segment::create_while(&*self.storage, &self.folder, number, self.segment_bytes, go_on);
        let created = created.and_then(|segment| self.list(segment));
        let mut shelf = self.supply.shelf();
        self.supply.degraded.store(created.is_err(), Ordering::Relaxed);
        shelf.problem = created.as_ref().err().map(ToString::to_string);
        let Some(segment) = created? else { return Ok(PrepareOutcome::NotNeeded) };
        self.supply.ready_bytes.fetch_add(segment.len, Ordering::Release);
        shelf.ready.push_back(segment);
        shelf.next += 1;
        drop(shelf);
        self.supply.changed.notify_all();
        Ok(PrepareOutcome::Prepared(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_over_when_somebody_waits() {
        let supply = |used| SegmentSupply::new(VecDeque::new(), 2, used);
        assert!(supply(0).has_time(1) && supply(100).has_time(201));
        assert!(!supply(100).has_time(200), "the writer may be there soon");
        assert!(!supply(0).has_time(0), "nothing is there");
        let (failed, stopped, hurried) = (supply(0), supply(0), supply(0));
        failed.degraded.store(true, Ordering::Relaxed);
        assert!(!failed.has_time(1), "orders are refused until it is there");
        stopped.stop();
        assert!(!stopped.has_time(1));
        hurried.note_used(HURRY);
        assert!(!hurried.has_time(u64::MAX - AHEAD), "the writer waits");
    }
}
