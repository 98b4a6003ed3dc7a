//! Snapshots: made of what is sealed, believed only if all of it is right, and what they stand for can go.

use std::sync::Arc;

use betex_journal::{JournalError, JournalReader, Log, ReadError, Retention, SnapshotOptions};

use crate::desk::{Desk, EVERY, NOTHING_KEPT, open, recovered, segments, snapshot_files, try_open};
use crate::memory_storage::{Crash, MemoryStorage};
use crate::notes::relist;
use crate::tape::{NOON_NS, options, read_all, read_on, segment};

/// A disk with three sealed segments and a snapshot behind each of the first two or so, and its digest.
fn with_snapshots(count: usize) -> (MemoryStorage, Desk) {
    let storage = MemoryStorage::default();
    let mut desk = open(storage.clone());
    desk.trade();
    desk.snapshots(count);
    desk.fill();
    (storage, desk)
}

#[test]
fn a_snapshot_and_what_lies_behind_it() {
    let (storage, mut desk) = with_snapshots(1);
    let made = snapshot_files(&storage);
    assert_eq!(made.len(), 1);
    desk.cancel();
    let (digest, sequence, epoch) = (desk.state.digest(), desk.state.sequence(), desk.log.epoch());
    drop(desk);
    let mut desk = open(storage.kill());
    assert_eq!((desk.state.digest(), desk.log.durable_sequence()), (digest, sequence));
    let report = &desk.report;
    let snapshot = report.snapshot.clone().unwrap();
    assert!(made[0].ends_with(&snapshot.name) && report.passed_over.is_empty());
    assert_eq!((snapshot.sequence + report.events, report.last_sequence), (sequence, sequence));
    assert_eq!((report.last_time_ns, report.segments), (desk.state.time_ns(), 2));
    let text = report.to_string();
    let begins = format!(
        "Recovered the state at sequence number {} from the snapshot {}, and behind it ",
        snapshot.sequence, snapshot.name
    );
    assert!(text.starts_with(&begins), "{text}");
    // It goes on as if there had been no restart, and who wants everything gets it.
    assert_eq!(desk.log.epoch(), epoch + 1);
    desk.trade();
    let digest = desk.state.digest();
    let mut whole = betex_core::state::State::new();
    let storage = storage.kill();
    let all = read_all(storage.clone()).unwrap();
    all.iter().for_each(|(stamp, events)| whole.apply(stamp, events));
    assert_ne!(whole.digest(), digest);
    drop(desk);
    let mut desk = open(storage.clone());
    desk.trade();
    drop(desk);
    let mut replayed = betex_core::state::State::new();
    let mut replay = |stamp: &_, events: &[_]| replayed.apply(stamp, events);
    drop(betex_journal::open(Arc::new(storage), &options(), &mut replay).unwrap());
    assert_eq!(replayed.digest(), digest);
}

/// A snapshot right at the end: nothing lies behind it, or nothing that is whole.
#[test]
fn a_snapshot_with_nothing_behind_it() {
    let (storage, mut desk) = with_snapshots(2);
    desk.snapshot();
    drop(desk);
    let disk = storage.kill();
    let newest = open(disk.clone()).report.snapshot.unwrap();
    let last =
        *segments(&disk).iter().rev().find(|n| disk.read(&segment(**n)).iter().any(|b| *b != 0)).unwrap();
    for torn in [0_u8, 7] {
        let disk = disk.kill();
        let mut bytes = vec![0; 1 << 20];
        bytes[100] = torn;
        disk.replace(&segment(last), bytes);
        // As if the power had gone before anything in it was on the disk.
        relist(&disk);
        let mut desk = try_open(disk.clone(), EVERY).unwrap();
        assert_eq!((desk.state.sequence(), desk.report.events), (newest.sequence, 0));
        assert_eq!(desk.report.last_sequence, newest.sequence);
        assert_eq!(desk.report.last_time_ns, desk.state.time_ns());
        assert_eq!(desk.report.torn_tail.is_some(), torn != 0);
        desk.trade();
        let digest = desk.state.digest();
        drop(desk);
        assert_eq!(recovered(&disk), digest);
    }
}

#[test]
fn two_are_kept_and_what_is_before_the_older_goes() {
    let (storage, mut desk) = with_snapshots(1);
    assert_eq!(desk.prune(), 0, "one is not enough to remove anything");
    let mut files = snapshot_files(&storage);
    for _ in 0..3 {
        desk.snapshot();
        let removed = desk.prune();
        let now = snapshot_files(&storage);
        assert_eq!(now.len(), 2, "{now:?}");
        assert_eq!(now[0], *files.last().unwrap(), "the newest is the older one now");
        files = now;
        assert_eq!(removed, 1);
        assert_eq!(desk.prune(), 0);
        desk.fill();
    }
    let left = segments(&storage);
    assert_eq!(left[0], 4);
    let digest = desk.state.digest();
    // Either of the two will do.
    assert_eq!(recovered(&storage.kill()), digest);
    let disk = storage.crash(Crash::Lost);
    disk.delete(&files[1]);
    assert_eq!(recovered(&disk), digest);
    // Without them what was removed is missing, and that is said.
    disk.delete(&files[0]);
    let before = disk.image();
    let error = try_open(disk.clone(), EVERY).map(drop).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("00000001.segment is missing"), "{error}");
    assert_eq!(disk.image(), before);
    let error = betex_journal::open(Arc::new(storage.kill()), &options(), &mut |_, _| ()).map(drop);
    assert!(error.unwrap_err().to_string().contains("00000001.segment is missing"));
    // Who reads from the beginning is told.
    let mut reader = JournalReader::open(Arc::new(storage.kill())).unwrap();
    let Err(ReadError::Pruned { first }) = reader.seek(1) else { panic!("it has been removed") };
    assert_eq!(read_on(&mut reader).unwrap()[0].0.sequence, first);
    // The second start counts on from the snapshot that it found.
    drop(desk);
    let mut desk = open(storage.kill());
    assert!(!desk.report.segments > 1 && desk.maker.is_needed());
    desk.snapshot();
}

/// Both are damaged and what they stand for is gone: it refuses, names both, and leaves every byte.
#[test]
fn without_a_snapshot_that_reaches_the_tail_it_refuses() {
    let (storage, mut desk) = with_snapshots(2);
    assert_eq!(desk.prune(), 1);
    drop(desk);
    let disk = storage.kill();
    let files = snapshot_files(&disk);
    for name in &files {
        let mut bytes = disk.read(name);
        bytes[100] ^= 1;
        disk.replace(name, bytes);
    }
    let before = disk.image();
    let error = try_open(disk.clone(), EVERY).map(drop).unwrap_err().to_string();
    assert!(error.contains("no snapshot can stand for what it held: "), "{error}");
    for name in files {
        let (_, name) = name.split_once('/').unwrap();
        assert!(error.contains(&format!("{name}: at offset 0 there is no whole frame")), "{error}");
    }
    assert_eq!(disk.image(), before);
    // The segment behind the newer one is missing: the older one says so, too.
    let disk = storage.kill();
    let gone = segments(&disk)[1];
    disk.delete(&segment(gone));
    let error = try_open(disk, EVERY).map(drop).unwrap_err().to_string();
    assert!(error.contains(&format!("{gone:08}.segment is missing")), "{error}");
}

/// A newer one that is passed over is replaced by the next, and only what was read back lets segments go.
#[test]
fn a_damaged_snapshot_is_passed_over_and_replaced() {
    let (storage, desk) = with_snapshots(2);
    let digest = desk.state.digest();
    drop(desk);
    let disk = storage.kill();
    let files = snapshot_files(&disk);
    let mut bytes = disk.read(&files[1]);
    bytes[70] ^= 4;
    disk.replace(&files[1], bytes);
    let mut desk = open(disk.clone());
    assert_eq!(desk.state.digest(), digest);
    assert_eq!(desk.report.passed_over.len(), 1);
    assert!(desk.report.to_string().contains(" ATTENTION: "), "{}", desk.report);
    let made = desk.snapshot();
    assert_eq!(made.passed_over, desk.report.passed_over);
    desk.prune();
    let now = snapshot_files(&disk);
    assert_eq!((now.len(), &now[0]), (2, &files[0]));
    assert_eq!(segments(&disk)[0], 2, "only what lies before the one that was read back");
    drop(desk);
    assert_eq!(recovered(&disk), digest);
}

#[test]
fn what_is_to_stay_stays() {
    let (storage, desk) = with_snapshots(4);
    drop(desk);
    let prune = |retention, now_ns, floor| {
        let disk = storage.kill();
        let mut desk = try_open(disk.clone(), SnapshotOptions { every_segments: 1, retention }).unwrap();
        desk.snapshot();
        let pruned = desk.maker.prune(now_ns, floor).unwrap();
        assert_eq!(pruned.bytes, pruned.segments << 20);
        drop(desk);
        assert_eq!(recovered(&disk), recovered(&storage.kill()));
        (pruned.segments, disk)
    };
    let whole = segments(&storage);
    let (all, _) = prune(NOTHING_KEPT, u64::MAX, u64::MAX);
    assert_eq!(all, 4, "of {whole:?}");
    // Five are sealed: of each of them 1 MiB.
    for (bytes, removed) in [(1 << 20, 4), ((1 << 20) + 1, 3), (3 << 20, 2), (5 << 20, 0), (u64::MAX, 0)] {
        assert_eq!(prune(Retention { bytes, age_ns: 0 }, u64::MAX, u64::MAX).0, removed, "{bytes}");
    }
    let mut reader = JournalReader::open(Arc::new(storage.kill())).unwrap();
    let (mut ends, transactions) = (Vec::new(), read_on(&mut reader).unwrap());
    for number in 2..=3 {
        let bytes = storage.read(&segment(number));
        let first = u64::from_le_bytes(bytes[32..40].try_into().unwrap());
        let (stamp, _) = transactions.iter().find(|(stamp, _)| stamp.sequence == first).unwrap();
        ends.push((first, stamp.time_ns));
    }
    // By the time of what was written last in it, and by who still has to read.
    for (place, (first, time_ns)) in (1..).zip(ends) {
        let retention = Retention { bytes: 0, age_ns: 1_000 };
        assert_eq!(prune(retention, time_ns + 1_000, u64::MAX).0, place);
        assert_eq!(prune(retention, time_ns + 999, u64::MAX).0, place - 1);
        let (removed, disk) = prune(NOTHING_KEPT, u64::MAX, first);
        assert_eq!(removed, place);
        let mut reader = JournalReader::open(Arc::new(disk)).unwrap();
        reader.seek(first).unwrap();
        assert_eq!(prune(NOTHING_KEPT, u64::MAX, first - 1).0, place - 1);
    }
    assert_eq!(prune(NOTHING_KEPT, NOON_NS - 1, u64::MAX).0, 4, "nothing is kept for its age");
}

/// A reader whose next segments go while it reads is told so, and not of damage.
#[test]
fn a_reader_that_is_too_slow_is_told() {
    let (storage, mut desk) = with_snapshots(4);
    let mut reader = JournalReader::open(Arc::new(storage.clone())).unwrap();
    let mut events = Vec::new();
    assert!(reader.next_transaction(&mut events).unwrap().is_some());
    assert!(desk.prune() > 1);
    let error = loop {
        match reader.next_transaction(&mut events) {
            Ok(Some(_)) => (),
            Ok(None) => panic!("there is more"),
            Err(error) => break error,
        }
    };
    let ReadError::Pruned { first } = error else { panic!("{error}") };
    reader.seek(first).unwrap();
    let (stamp, _) = read_on(&mut reader).unwrap().pop().unwrap();
    assert!(stamp.sequence > first && stamp.sequence <= desk.state.sequence());
}

/// What is damaged in a sealed segment is neither left out nor taken for its end.
#[test]
fn nothing_is_made_of_a_damaged_segment() {
    let (storage, desk) = with_snapshots(1);
    drop(desk);
    let disk = storage.kill();
    let mut desk = open(disk.clone());
    let mut bytes = disk.read(&segment(2));
    bytes[700_000] ^= 1;
    disk.replace(&segment(2), bytes);
    let before = snapshot_files(&disk);
    let error = desk.maker.step(&|| false).unwrap_err().to_string();
    assert!(error.contains("is damaged in 00000002.segment"), "{error}");
    assert_eq!(desk.prune(), 0);
    assert_eq!(snapshot_files(&disk), before);
}

#[test]
fn it_can_be_given_up_at_any_frame() {
    let (storage, mut desk) = with_snapshots(1);
    let before = storage.files();
    let mut given_up = 0;
    for after in 0.. {
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > after
        };
        if desk.maker.step(&stop).unwrap().is_some() {
            break;
        }
        assert_eq!(storage.files(), before);
        assert!(desk.maker.is_needed());
        given_up += 1;
    }
    assert!(given_up > 30, "{given_up}");
    assert_eq!(recovered(&storage.crash(Crash::Lost)), desk.state.digest());
}

/// Nothing is due, and never will be.
#[test]
fn none_are_made_where_none_are_wanted() {
    let storage = MemoryStorage::default();
    let mut desk = try_open(storage.clone(), SnapshotOptions { every_segments: 0, ..EVERY }).unwrap();
    for _ in 0..9_000 {
        desk.trade();
    }
    assert!(segments(&storage).len() > 2 && !desk.maker.is_needed());
    assert_eq!(desk.maker.step(&|| false).unwrap(), None);
    assert_eq!((desk.prune(), snapshot_files(&storage).len()), (0, 0));
}

/// The writer goes on to the next segment between two looks of the maker: nothing is damaged.
#[test]
fn what_is_written_while_the_maker_looks_is_no_damage() {
    let storage = MemoryStorage::default();
    let mut desk = open(storage.clone());
    desk.trade();
    desk.fill();
    storage.write_late(&segment(2));
    desk.snapshot();
    assert_eq!(snapshot_files(&storage).len(), 1);
}
