//! How far the handlers that recover have come, and what of the journal they still need.
//!
//! A handler's *claim* keeps the journal from being pruned behind its position. It lasts while the handler
//! follows and does not hang, and for [`Config::handler_claim`](crate::config::Config::handler_claim) after it
//! was last seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use betex_journal::{JournalReader, ReadError, Storage};
use parking_lot::Mutex;

use super::hold::Hold;
use super::positions_file::{self as file, HANDLERS_MAX, Kept};
use super::roster::HandlerRecovery;
use crate::error::{EngineError, PositionProblem};

/// How often positions are written at most.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// The positions of all handlers that recover.
#[derive(Debug)]
pub(crate) struct HandlerPositions {
    storage: Arc<dyn Storage>,
    /// The file's name in the storage.
    file: String,
    claim_ns: u64,
    table: Mutex<Table>,
    /// One writes at a time, and the others go on meanwhile.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Table {
    entries: BTreeMap<String, Entry>,
    /// Something is not in the file yet.
    dirty: bool,
    /// When the file was last written, or tried to be.
    written: Option<Instant>,
    /// Why the file could not be written the last time.
    problem: Option<String>,
}

#[derive(Debug)]
struct Entry {
    kept: Kept,
    /// What a crash would leave of it: what the claim is counted from.
    saved: Kept,
    /// Its claim was lost, and that was said.
    lost: bool,
    /// What it holds as one that follows.
    hold: Option<Arc<Hold>>,
}

impl Entry {
    fn new(kept: Kept) -> Self {
        Self { kept, saved: kept, lost: false, hold: None }
    }
}

impl HandlerPositions {
    /// Those of the journal in this folder of the storage.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        folder: &str,
        claim: Duration,
    ) -> Result<Self, EngineError> {
        let file = format!("{folder}/{}", file::NAME);
        let entry = |(name, kept)| (name, Entry::new(kept));
        let entries = file::read(&*storage, &file)?.into_iter().map(entry).collect();
        let claim_ns = u64::try_from(claim.as_nanos()).unwrap_or(u64::MAX);
        let table = Table { entries, dirty: false, written: None, problem: None };
        Ok(Self { storage, file, claim_ns, table: Mutex::new(table), writing: Mutex::new(()) })
    }

    /// Makes a handler one of those that are waited for; behind which event it begins, `None` for one that
    /// only wants what happens from now on. `last` is the journal's last event.
    pub(crate) fn register(
        &self,
        name: &str,
        recovery: HandlerRecovery,
        last: u64,
        now_ns: u64,
    ) -> Result<Option<u64>, EngineError> {
        let known = self.table.lock().entries.get(name).map(|entry| entry.kept.confirmed);
        let after = match recovery {
            HandlerRecovery::LiveOnly => return Ok(None),
            HandlerRecovery::AfterSeq(sequence) => sequence,
            HandlerRecovery::Kept { new_after } => known.unwrap_or(new_after),
        };
        let wrong = |problem| Err(EngineError::Handler { name: name.to_owned(), after, problem });
        if after > last {
            return wrong(PositionProblem::Beyond { last });
        }
        match JournalReader::open(Arc::clone(&self.storage))?.seek(after + 1) {
            Err(ReadError::Pruned { first }) => return wrong(PositionProblem::Pruned { first }),
            sought => sought?,
        }
        let mut table = self.table.lock();
        if known.is_none() && table.entries.len() >= HANDLERS_MAX {
            self.forget_one(&mut table, now_ns)?;
        }
        let kept = Kept { confirmed: after, seen_ns: now_ns };
        table.entries.insert(name.to_owned(), Entry::new(kept));
        table.dirty = true;
        Ok(Some(after))
    }

    /// Alarms for positions of handlers that stay away which the journal does not reach: it has lost its end, or it is
    /// an older one that was restored.
    pub(crate) fn tell_beyond(&self, last: u64) {
        for (handler, entry) in &self.table.lock().entries {
            let confirmed = entry.kept.confirmed;
            if confirmed > last {
                tracing::error!(
                    handler,
                    confirmed,
                    last,
                    "a handler that is not here has seen events which the journal does not hold: an older journal was \
                     restored, or the end of this one is missing"
                );
            }
        }
    }

    /// The handler follows from now on, until its hold says that it has ended.
    pub(crate) fn follows(&self, hold: &Arc<Hold>) {
        if let Some(entry) = self.table.lock().entries.get_mut(hold.name()) {
            entry.hold = Some(Arc::clone(hold));
        }
    }

    /// Makes room for a new name: whoever has lost its claim, and was seen last the longest ago, goes.
    fn forget_one(&self, table: &mut Table, now_ns: u64) -> Result<(), EngineError> {
        let lost = |(_, entry): &(&String, &Entry)| self.is_overdue(entry, now_ns);
        let oldest = table.entries.iter().filter(lost).min_by_key(|(_, entry)| entry.kept.seen_ns);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else {
            let problem = "at most 256 that recover, those included that were here and may come back";
            return Err(EngineError::Invalid { field: "handlers", problem });
        };
        table.entries.remove(&name);
        Ok(())
    }

    fn is_overdue(&self, entry: &Entry, now_ns: u64) -> bool {
        now_ns.saturating_sub(entry.kept.seen_ns) > self.claim_ns
    }

    /// A handler follows, and has confirmed everything up to this event.
    pub(crate) fn confirm(&self, name: &str, sequence: u64, now_ns: u64) {
        let mut table = self.table.lock();
        let Some(entry) = table.entries.get_mut(name) else { return };
        entry.kept = Kept { confirmed: sequence, seen_ns: now_ns };
        entry.lost = false;
        // That it is still here is worth a write only now and then.
        let since = now_ns.saturating_sub(entry.saved.seen_ns);
        if sequence != entry.saved.confirmed || since >= self.claim_ns / 4 {
            table.dirty = true;
        }
    }

    /// How often a handler that has nothing to do has to say that it is still here.
    pub(crate) fn still_here_every(&self) -> Duration {
        Duration::from_nanos(self.claim_ns / 4)
    }

    /// Writes the file if something changed, and it was not written just now. What is still to be written
    /// then can be in so long.
    pub(crate) fn save_if_due(&self) -> Option<Duration> {
        let due = {
            let table = self.table.lock();
            let since = table.written.map_or(SAVE_EVERY, |written| written.elapsed());
            table.dirty.then(|| SAVE_EVERY.saturating_sub(since))
        };
        if due == Some(Duration::ZERO) {
            self.save();
            return self.problem().map(|_| SAVE_EVERY);
        }
        due
    }

    /// Writes the file. If that fails, it is said once, and tried again with the next change.
    pub(crate) fn save(&self) {
        let _writing = self.writing.lock();
        let handlers: BTreeMap<String, Kept> = {
            let mut table = self.table.lock();
            if !table.dirty {
                return;
            }
            (table.dirty, table.written) = (false, Some(Instant::now()));
            table.entries.iter().map(|(name, entry)| (name.clone(), entry.kept)).collect()
        };
        let written = file::write(&*self.storage, &self.file, &handlers);
        let mut table = self.table.lock();
        match written {
            Ok(()) => {
                for (name, kept) in handlers {
                    if let Some(entry) = table.entries.get_mut(&name) {
                        entry.saved = kept;
                    }
                }
                if table.problem.take().is_some() {
                    tracing::info!("the positions of handlers are kept again");
                }
            }
            Err(error) => {
                table.dirty = true;
                let problem = error.to_string();
                if table.problem.is_none() {
                    tracing::error!(problem, "the positions of handlers cannot be kept");
                }
                table.problem = Some(problem);
            }
        }
    }

    /// Why positions are not kept at the moment, if they are not.
    pub(crate) fn problem(&self) -> Option<String> {
        self.table.lock().problem.clone()
    }

    /// The first event that a handler with a claim still needs: nothing from there on may be pruned.
    /// `None`: nobody needs what has happened. Takes away the claims of those that were not seen for too
    /// long, with an alarm.
    pub(crate) fn floor(&self, now_ns: u64) -> Option<u64> {
        let mut guard = self.table.lock();
        let table = &mut *guard;
        for (name, entry) in &mut table.entries {
            if entry.kept.seen_ns > now_ns {
                // Time was set back since. The claim is counted from now on, or it would last until then.
                entry.kept.seen_ns = now_ns;
                table.dirty = true;
            }
            if let Some(hold) = entry.hold.as_ref().filter(|hold| !hold.is_gone()) {
                // It is here; whether it hangs was looked at there, with an alarm.
                entry.lost = hold.is_stuck();
                if !entry.lost {
                    entry.kept.seen_ns = entry.kept.seen_ns.max(now_ns);
                }
            } else if !entry.lost && self.is_overdue(entry, now_ns) {
                entry.lost = true;
                ::metrics::counter!(crate::metrics::HANDLER_CLAIMS_LOST).increment(1);
                tracing::error!(
                    handler = name,
                    position = entry.kept.confirmed,
                    "a handler has not come back for too long: what it has not seen may be removed from the journal"
                );
            }
        }
        let claims = table.entries.values().filter(|entry| !entry.lost);
        claims.map(|entry| entry.saved.confirmed.min(entry.kept.confirmed) + 1).min()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use betex_core::types::AccountId;
    use betex_journal::{FileStorage, JournalOptions, Log as _, open};

    use super::*;
    use crate::book::{Event, Stamp};

    const CLAIM: Duration = Duration::from_nanos(100);

    /// A journal of ten events, and the positions beside it.
    fn positions(directory: &tempfile::TempDir) -> HandlerPositions {
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(directory.path()));
        let options =
            JournalOptions { segment_bytes: 1 << 20, new_journal_number: 7, ..JournalOptions::default() };
        let (mut log, _preparer, report) = open(Arc::clone(&storage), &options, &mut |_, _| ()).unwrap();
        for sequence in report.last_sequence + 1..=10 {
            let event = Event::AccountRegistered { account: AccountId(sequence), name: "who".into() };
            log.append(&Stamp { sequence, ..Stamp::default() }, &[event]).unwrap();
        }
        log.commit().unwrap();
        HandlerPositions::open(storage, &format!("{:016x}", report.journal), CLAIM).unwrap()
    }

    const KEPT: HandlerRecovery = HandlerRecovery::Kept { new_after: 2 };

    #[test]
    fn the_floor_is_the_lowest_position_that_a_crash_would_leave() {
        let directory = tempfile::tempdir().unwrap();
        let positions = positions(&directory);
        assert_eq!(positions.floor(0), None);
        assert_eq!(positions.register("live", HandlerRecovery::LiveOnly, 10, 0).unwrap(), None);
        assert_eq!(positions.floor(0), None);
        assert_eq!(positions.register("kept", KEPT, 10, 0).unwrap(), Some(2));
        assert_eq!(positions.register("own", HandlerRecovery::AfterSeq(5), 10, 0).unwrap(), Some(5));
        assert_eq!(positions.floor(0), Some(3));
        positions.confirm("kept", 9, 0);
        assert_eq!(positions.floor(0), Some(3), "what is confirmed is not on disk yet");
        positions.save();
        assert_eq!(positions.floor(0), Some(6));
    }

    #[test]
    fn a_position_is_there_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = positions(&directory);
        first.register("kept", KEPT, 10, 0).unwrap();
        first.confirm("kept", 9, 0);
        first.save();
        let again = positions(&directory);
        assert_eq!(again.floor(0), Some(10), "it claims before it has come back");
        assert_eq!(again.register("kept", KEPT, 10, 0).unwrap(), Some(9));
        assert_eq!(again.register("new", KEPT, 10, 0).unwrap(), Some(2));
    }

    #[test]
    fn who_is_not_seen_for_too_long_loses_its_claim_and_may_still_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let positions = positions(&directory);
        positions.register("gone", KEPT, 10, 0).unwrap();
        positions.register("here", HandlerRecovery::AfterSeq(7), 10, 0).unwrap();
        positions.confirm("here", 8, 90);
        positions.save();
        assert_eq!(positions.floor(100), Some(3));
        assert_eq!(positions.floor(101), Some(9));
        assert_eq!(positions.floor(191), None);
        assert_eq!(positions.register("gone", KEPT, 10, 200).unwrap(), Some(2), "the journal still has it");
        assert_eq!(positions.floor(200), Some(3));
    }

    #[test]
    fn a_claim_from_before_time_was_set_back_is_counted_from_then_on() {
        let directory = tempfile::tempdir().unwrap();
        let positions = positions(&directory);
        positions.register("gone", KEPT, 10, 1_000_000).unwrap();
        assert_eq!(positions.floor(50), Some(3));
        assert_eq!(positions.floor(150), Some(3));
        assert_eq!(positions.floor(151), None);
    }

    #[test]
    fn what_has_been_removed_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let positions = positions(&directory);
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(directory.path()));
        let options = JournalOptions { segment_bytes: 1 << 20, ..JournalOptions::default() };
        let (mut log, mut preparer, _) = open(storage, &options, &mut |_, _| ()).unwrap();
        for sequence in 11..=10_000 {
            let event =
                Event::AccountRegistered { account: AccountId(sequence), name: "x".repeat(100).into() };
            log.append(&Stamp { sequence, ..Stamp::default() }, &[event]).unwrap();
            if sequence % 1_000 == 0 {
                log.commit().unwrap();
                preparer.step().unwrap();
            }
        }
        positions.register("all", HandlerRecovery::AfterSeq(10_000), 10_000, 0).unwrap();
        std::fs::remove_file(directory.path().join("0000000000000007/00000001.segment")).unwrap();
        let refused = positions.register("first", HandlerRecovery::AfterSeq(0), 10_000, 0).unwrap_err();
        let EngineError::Handler { problem: PositionProblem::Pruned { first }, .. } = refused else {
            panic!("{refused}")
        };
        assert!((11..10_000).contains(&first), "{first}");
        let words = refused.to_string();
        assert!(
            words.starts_with("handler \"first\" cannot go on behind event 0: the journal begins with"),
            "{words}"
        );
        positions.register("next", HandlerRecovery::AfterSeq(first - 1), 10_000, 0).unwrap();
    }

    #[test]
    fn there_is_room_for_so_many_and_who_lost_its_claim_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let positions = positions(&directory);
        for n in 0..HANDLERS_MAX {
            positions.register(&format!("h{n}"), KEPT, 10, n as u64).unwrap();
        }
        let refused = positions.register("one more", KEPT, 10, 50).unwrap_err();
        assert!(refused.to_string().contains("at most 256"), "{refused}");
        positions.register("h1", KEPT, 10, 50).unwrap();
        positions.register("one more", KEPT, 10, 103).unwrap();
        let table = positions.table.lock();
        assert!(!table.entries.contains_key("h0") && table.entries.contains_key("h1"));
        assert_eq!(table.entries.len(), HANDLERS_MAX);
    }
}
