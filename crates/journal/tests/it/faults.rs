//! Every write and every sync fails in turn, the power goes at every moment: what was acknowledged is
//! there, and after an error nothing is acknowledged.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use betex_journal::{JournalOptions, Log, LogError, PrepareOutcome};

use crate::memory_storage::{Call, Crash, MemoryStorage};
use crate::tape::{
    JOURNAL, ORDERS_PER_SEGMENT, Opened, Transaction, open, options, orders, segment, short_day, try_open,
    try_open_with,
};

/// Writes until the first error; what was acknowledged by then.
fn write_until_error(opened: &mut Opened, transactions: &[Transaction]) -> (usize, Option<LogError>) {
    for (acknowledged, (stamp, events)) in transactions.iter().enumerate() {
        let result = opened.log.append(stamp, events).and_then(|()| opened.log.commit());
        if let Err(error) = result {
            return (acknowledged, Some(error));
        }
    }
    (transactions.len(), None)
}

#[test]
fn every_write_and_every_sync_fails_in_turn() {
    let day = short_day();
    let mut failed = 0;
    for call in [Call::Write, Call::Sync] {
        for after in 0.. {
            let storage = MemoryStorage::default();
            let mut opened = open(storage.clone());
            storage.fail(call, after, ErrorKind::Other, true);
            let (acknowledged, error) = write_until_error(&mut opened, &day);
            let Some(error) = error else { break };
            assert!(matches!(error, LogError::Disk(_)), "{error}");
            failed += 1;
            let durable = day[..acknowledged].iter().map(|(_, events)| events.len() as u64).sum::<u64>();
            assert_eq!(opened.log.durable_sequence(), durable);
            // The disk is well again, but nothing is tried again.
            let calls = (storage.calls(Call::Write), storage.calls(Call::Sync));
            for (stamp, events) in &day[acknowledged..] {
                assert!(matches!(opened.log.append(stamp, events), Err(LogError::Poisoned)));
                assert!(matches!(opened.log.commit(), Err(LogError::Poisoned)));
            }
            assert_eq!(opened.log.durable_sequence(), durable);
            assert_eq!((storage.calls(Call::Write), storage.calls(Call::Sync)), calls);
            // The next process finds what was acknowledged, and at most the frame that failed.
            for disk in [storage.kill(), storage.crash(Crash::Lost)] {
                let replayed = open(disk).replayed;
                assert!((acknowledged..=acknowledged + 1).contains(&replayed.len()));
                assert_eq!(replayed, day[..replayed.len()]);
            }
        }
    }
    println!("proof: failed calls: {failed}");
    assert_eq!(failed, 2 * day.len());
}

#[test]
fn unsynced_writes_are_lost_or_torn_at_every_commit() {
    let day = short_day();
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut coin = || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 63 == 0
    };
    let mut crashes = 0;
    for commits in 0..day.len() {
        let storage = MemoryStorage::default();
        let mut opened = open(storage.clone());
        assert_eq!(write_until_error(&mut opened, &day[..commits]).0, commits);
        // All was synced: nothing may be lost.
        assert_eq!(open(storage.crash(Crash::Lost)).replayed, day[..commits]);
        // The next one is written, and the power goes while it is synced.
        storage.fail(Call::Sync, 0, ErrorKind::Other, true);
        assert_eq!(write_until_error(&mut opened, &day[commits..]).0, 0);
        assert_eq!(open(storage.crash(Crash::Lost)).replayed, day[..commits]);
        for _ in 0..8 {
            let disk = storage.crash(Crash::Torn(&mut coin));
            let replayed = open(disk.clone()).replayed;
            assert!((commits..=commits + 1).contains(&replayed.len()));
            assert_eq!(replayed, day[..replayed.len()]);
            // What recovery has shown survives the next crash, too.
            assert_eq!(open(disk.crash(Crash::Lost)).replayed, replayed);
            crashes += 1;
        }
    }
    println!("proof: crashes with torn writes: {crashes}");
}

/// A killed process leaves what it wrote in the page cache; after recovery it is on the disk.
#[test]
fn recovery_does_not_believe_the_page_cache() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&short_day()[..4]);
    storage.fail(Call::Sync, 0, ErrorKind::Other, true);
    assert_eq!(write_until_error(&mut opened, &short_day()[4..]).0, 0);
    let disk = storage.kill();
    assert_eq!(open(disk.clone()).replayed, short_day()[..5]);
    assert_eq!(open(disk.crash(Crash::Lost)).replayed, short_day()[..5]);
}

/// Whatever fails while a journal is begun, recovered or mended: an error, and a second try succeeds.
#[test]
fn every_call_of_opening_fails_in_turn() {
    let torn = MemoryStorage::default();
    open(torn.clone()).write(&short_day());
    let mut bytes = torn.read(&segment(1));
    bytes[20_000..20_010].fill(1);
    bytes[200_000] = 1;
    torn.replace(&segment(1), bytes);
    let unfinished = segment(2) + ".new";
    torn.replace(&unfinished, vec![0; 100]);
    torn.replace(&segment(2), vec![1; 1 << 20]);
    let mut failed = 0;
    for (disk, written) in [(MemoryStorage::default(), vec![]), (torn, short_day())] {
        for call in [Call::Write, Call::Sync, Call::Name, Call::Lock] {
            for after in 0.. {
                let disk = disk.kill();
                disk.fail(call, after, ErrorKind::StorageFull, true);
                let Err(error) = try_open(disk.clone()) else { break };
                failed += 1;
                assert!(error.to_string().contains("free some space"), "{error}");
                disk.heal();
                // A journal that was not begun gets another number at the next try.
                let options = JournalOptions { new_journal_number: JOURNAL + 1, ..options() };
                for next in [disk.kill(), disk.crash(Crash::Lost), disk.clone()] {
                    let opened = try_open_with(next, &options).unwrap();
                    assert_eq!(opened.replayed, written);
                    assert!(opened.report.other_journals.is_empty());
                }
            }
        }
    }
    println!("proof: failed calls while opening: {failed}");
    assert!(failed > 15);
}

/// What there is of the segment that is being prepared: whole, it has its own name.
fn prepared(storage: &MemoryStorage) -> usize {
    let unfinished = storage.files().into_iter().find(|name| name.ends_with("00000002.segment.new"));
    unfinished.map_or(0, |name| storage.read(&name).len())
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let asked = Instant::now();
    while !is_so() {
        assert!(asked.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A large segment takes its time while nobody needs it, and is there at once when somebody does.
#[test]
fn a_segment_is_prepared_with_rests_until_the_writer_needs_it() {
    let storage = MemoryStorage::default();
    drop(open(storage.clone()));
    // Larger than the one in use, so that what is used of that is not enough to go by.
    let larger = JournalOptions { segment_bytes: 64 << 20, ..options() };
    let Opened { mut log, mut preparer, .. } = try_open_with(storage.clone(), &larger).unwrap();
    let supply = Arc::clone(log.supply());
    let preparing = std::thread::spawn(move || preparer.step_with_rests());
    wait_until("nothing is prepared", || prepared(&storage) > 0);
    assert!(!supply.is_ready(), "256 pieces, and a rest before each");
    for (stamp, events) in orders(ORDERS_PER_SEGMENT as u64 + 1) {
        log.append(&stamp, &events).unwrap();
        log.commit().unwrap();
    }
    assert_eq!(preparing.join().unwrap().unwrap(), PrepareOutcome::Prepared(2));
}

#[test]
fn a_segment_that_nobody_wants_any_more_is_given_up() {
    let storage = MemoryStorage::default();
    let Opened { log, mut preparer, .. } = open(storage.clone());
    let supply = Arc::clone(log.supply());
    supply.stop();
    assert_eq!(preparer.step_with_rests().unwrap(), PrepareOutcome::NotNeeded);
    assert!(!supply.is_degraded() && supply.problem().is_none());
    assert!(storage.files().iter().all(|name| !name.contains("00000002")), "{:?}", storage.files());
}

#[test]
fn a_full_disk_degrades_and_heals() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let supply = std::sync::Arc::clone(opened.log.supply());
    storage.fail(Call::Write, 0, ErrorKind::StorageFull, false);
    let error = opened.preparer.step().unwrap_err().to_string();
    assert!(error.contains("00000002.segment") && error.contains("free some space"), "{error}");
    assert!(supply.is_degraded() && !supply.is_ready() && opened.preparer.is_needed());
    assert_eq!(supply.problem(), Some(error));
    // The half of it that was written is gone, its space with it.
    assert!(storage.files().iter().all(|name| !name.ends_with(".new")), "{:?}", storage.files());
    storage.heal();
    // What is left of the segment in use can be written meanwhile; then the writer waits, and goes on
    // when there is a segment again.
    let mut log = opened.log;
    let writer = std::thread::spawn(move || {
        for (stamp, events) in orders(9_000) {
            log.append(&stamp, &events).unwrap();
            log.commit().unwrap();
        }
        log.durable_sequence()
    });
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!writer.is_finished() && supply.is_degraded());
    opened.preparer.step().unwrap();
    assert!(!supply.is_degraded() && supply.problem().is_none());
    assert_eq!(writer.join().unwrap(), 9_000);
    assert_eq!(open(storage.crash(Crash::Lost)).replayed.len(), 9_000);
}

#[test]
fn a_wait_for_a_segment_can_be_ended() {
    let storage = MemoryStorage::default();
    let opened = open(storage.clone());
    let supply = std::sync::Arc::clone(opened.log.supply());
    let mut log = opened.log;
    let writer = std::thread::spawn(move || {
        for (stamp, events) in orders(9_000) {
            let result = log.append(&stamp, &events).and_then(|()| log.commit());
            if let Err(error) = result {
                return (log.durable_sequence(), error);
            }
        }
        panic!("there was no second segment")
    });
    std::thread::sleep(std::time::Duration::from_millis(50));
    supply.stop();
    let (durable, error) = writer.join().unwrap();
    assert!(matches!(error, LogError::Stopped));
    assert_eq!(durable, ORDERS_PER_SEGMENT as u64);
    assert_eq!(open(storage.kill()).replayed.len(), ORDERS_PER_SEGMENT);
}
