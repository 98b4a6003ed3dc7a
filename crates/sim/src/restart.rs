//! How engines begin again: what the next one finds must be what the world was told.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use betex::engine::rig::{self, Recovered, Rig};
use betex_journal::{JournalError, JournalEvent, JournalOptions, JournalReader, ReadError};

use crate::disk::Disk;
use crate::failure::{Check, Checked, Failure, ensure};
use crate::limits::limits;
use crate::sabotage::{Sabotage, SimLog, cut_last_frame, swap_orders};
use crate::truth::Truth;
use crate::world::{Running, World};

/// Starts that may fail in a row because the disk does.
const ATTEMPTS: u32 = 4;
/// The observer never misses anything.
const OBSERVED: usize = 1 << 30;

impl World {
    /// Nothing has been shown that a power cut would take back at this moment.
    pub(crate) fn look_at_gate(&mut self) -> Checked {
        self.report.gate_looks += 1;
        let shown = self.running().rig.read().sequence();
        let disk = self.disk.fork();
        disk.cut_power(None);
        let (end, _) = read_and_open(&disk, &self.truth)
            .map_err(|error| Failure::new(Check::Gate, format!("what a power cut leaves: {error}")))??;
        ensure(shown <= end, Check::Gate, || {
            format!("event {shown} was shown, and a power cut would leave {end}")
        })
    }

    /// One bit of what the disk has turns over: that is seen, or at the very end taken for a torn write.
    fn look_at_damage(&mut self) -> Checked {
        let disk = self.disk.fork();
        let Some((name, at)) = disk.rot(&mut self.dice) else { return Ok(()) };
        self.report.bits_turned += 1;
        let damage = |failure: Failure| {
            Failure::new(Check::Damage, format!("a bit in {name}, byte {at}, turned over: {failure}"))
        };
        let read = unless_refused(read(&disk, &self.truth)).map_err(damage)?;
        let opened = unless_refused(open(&disk, &self.truth)).map_err(damage)?;
        if name.ends_with(".snapshot") {
            // Another one, or the journal, stands in for it.
            let shown = self.truth.sequence();
            let words = || format!("a bit in {name}, byte {at}, turned over: {shown} events are not opened");
            ensure(opened.as_ref().is_some_and(|opened| opened.at >= shown), Check::Damage, words)?;
        }
        match (read, opened) {
            (Some(_), Some(opened)) => self.report.passed_over += opened.passed_over,
            _ => self.report.bits_refused += 1,
        }
        Ok(())
    }

    /// Starts the engine on what the disk has left; holds what it finds against what was told.
    pub(crate) fn restart(&mut self) -> Checked {
        self.report.lives += 1;
        if self.sabotage == Some(Sabotage::TruncatedFrame) {
            cut_last_frame(&self.disk);
        }
        if self.dice.chance(200) {
            self.look_at_damage()?;
        }
        if self.dice.chance(100) {
            self.config.limits = limits(&mut self.dice);
        }
        let recovered = self.recover()?;
        let Recovered { state, log, preparer, maker, report } = recovered;
        self.report.torn_tails += u64::from(report.torn_tail.is_some());
        self.report.from_snapshots += u64::from(report.snapshot.is_some());
        self.report.passed_over += report.passed_over.len() as u64;
        let state = match self.sabotage {
            Some(Sabotage::SwappedOrders) => swap_orders(&self.truth, state),
            _ => state,
        };
        self.truth.compare(&state)?;
        let (preparer, failed) = (Arc::new(Mutex::new(preparer)), Arc::<AtomicBool>::default());
        let supply = Arc::clone(log.supply());
        let log = SimLog::new(log, Arc::clone(&preparer), Arc::clone(&failed), self.sabotage);
        let (storage, clock) = (Arc::new(self.disk.clone()), self.clock.clone());
        let rig = Rig::new(&self.config, storage, state, Box::new(log), supply, clock);
        let late = self.sabotage == Some(Sabotage::SkippedByHandler);
        let first = first_of(&self.disk)?;
        for listener in &mut self.listeners {
            self.report.came_too_late += u64::from(listener.come_too_late(first));
        }
        self.listeners.iter_mut().try_for_each(|listener| listener.begin(&rig, late))?;
        let observer = rig.follow(None, OBSERVED);
        self.running = Some(Running { rig, preparer, maker, observer, failed });
        self.compare()
    }

    /// Recovers, though the disk may fail and the power may go meanwhile.
    fn recover(&mut self) -> Result<Recovered, Failure> {
        for attempt in 1.. {
            let words = |error: String| Failure::new(Check::Opens, error);
            // What there is, first read without building anything on it.
            let (end, beyond) = read_and_open(&self.disk.fork(), &self.truth).map_err(words)??;
            let shown = self.truth.sequence();
            ensure(shown <= end, Check::Acknowledged, || {
                format!("event {shown} was shown, and the journal ends with {end}")
            })?;
            if attempt > ATTEMPTS {
                self.disk.heal();
            } else if self.dice.chance(100) {
                self.arm();
            }
            let was_armed = self.disk.is_armed();
            let number = self.dice.next() | 1;
            match rig::recover(&self.config, Arc::new(self.disk.clone()), number, self.clock.now()) {
                Ok(recovered) => {
                    self.truth.add(beyond)?;
                    return Ok(recovered);
                }
                Err(JournalError::Disk(_)) if was_armed && !self.disk.is_armed() || self.disk.is_full() => {
                    self.report.failed_starts += 1;
                    if self.dice.chance(500) {
                        self.disk.cut_power(Some(&mut self.dice));
                    } else {
                        self.disk.kill();
                    }
                }
                Err(error) => return Err(words(error.to_string())),
            }
        }
        unreachable!("the last attempt is on a disk that is well")
    }
}

/// What a disk has of the journal, or a refusal; `Ok(Err(_))` where it is not as it was shown.
type Found<T> = Result<Checked<T>, String>;

/// `None` for a refusal.
fn unless_refused<T>(found: Found<T>) -> Checked<Option<T>> {
    found.map_or(Ok(None), |found| found.map(Some))
}

/// Reads what a disk has of the journal: where it ends, and what of it nobody had seen.
fn read(disk: &Disk, truth: &Truth) -> Found<(u64, Vec<JournalEvent>)> {
    match JournalReader::open(Arc::new(disk.clone())) {
        Ok(mut reader) => follow(&mut reader, truth).map_err(|error| error.to_string()),
        Err(ReadError::NoJournal(_)) => Ok(Ok((0, Vec::new()))),
        Err(error) => Err(error.to_string()),
    }
}

/// A journal that was opened.
struct Opens {
    /// The number of the last event.
    at: u64,
    /// Snapshots that could not be used.
    passed_over: u64,
}

/// Opens what a disk has of the journal, and holds its state against what was shown.
fn open(disk: &Disk, truth: &Truth) -> Found<Opens> {
    let options =
        JournalOptions { segment_bytes: 1 << 20, new_journal_number: 1, ..JournalOptions::default() };
    let opened = betex_journal::open_state(Arc::new(disk.clone()), &options);
    let (state, (_, _, report)) = opened.map_err(|error| error.to_string())?;
    let (at, shown, passed_over) = (state.sequence(), truth.sequence(), report.passed_over.len() as u64);
    let same = at > shown || state.digest() == truth.digest_at(at);
    let words = || format!("opened at event {at}, {shown} were shown: another state");
    Ok(ensure(same, Check::Replay, words).map(|()| Opens { at, passed_over }))
}

/// Reads first, so that a journal that is not as it was shown is told of before anything is built on it; then
/// opens. Where it ends, and what of it nobody had seen.
fn read_and_open(disk: &Disk, truth: &Truth) -> Found<(u64, Vec<JournalEvent>)> {
    let (end, beyond) = match read(disk, truth)? {
        Ok(read) => read,
        failure => return Ok(failure),
    };
    let words = |at| format!("read to event {end}, and opened at {at}");
    let opened = open(disk, truth)?;
    Ok(opened
        .and_then(|Opens { at, .. }| ensure(at == end, Check::Replay, || words(at)))
        .map(|()| (end, beyond)))
}

/// The first event that the journal still has.
fn first_of(disk: &Disk) -> Result<u64, Failure> {
    let sought = JournalReader::open(Arc::new(disk.clone())).and_then(|mut reader| reader.seek(1));
    match sought {
        Ok(()) => Ok(1),
        Err(ReadError::Pruned { first }) => Ok(first),
        Err(error) => Err(Failure::new(Check::Opens, error.to_string())),
    }
}

/// Holds all that a reader finds against what was shown, also what it finds before it refuses to go on.
fn follow(reader: &mut JournalReader, truth: &Truth) -> Result<Checked<(u64, Vec<JournalEvent>)>, ReadError> {
    let first = match reader.seek(1) {
        Err(ReadError::Pruned { first }) => first,
        sought => sought.map(|()| 1)?,
    };
    let (mut follow, mut events) = (truth.follow(first - 1), Vec::new());
    let ended = loop {
        match reader.next_transaction(&mut events) {
            Ok(Some(stamp)) => follow.take(&stamp, &events),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match follow.end() {
        Ok(end) => ended.map(|()| Ok(end)),
        failure => Ok(failure),
    }
}
