//! Starting: the lock, a fresh start, and what is in the way, each with a sentence that says what to do.

use std::io::ErrorKind;

use betex_journal::{FileStorage, JournalError, Log, SEGMENT_BYTES_MIN};

use crate::memory_storage::{Call, MemoryStorage};
use crate::tape::{
    NOON_NS, ORDERS_PER_SEGMENT, exact_day, open, options, orders, read_all, segment, try_open,
};

#[test]
fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(FileStorage::new(directory.path()));
    let error = try_open(FileStorage::new(directory.path())).map(drop).unwrap_err();
    assert!(matches!(error, JournalError::Locked(_)));
    assert!(error.to_string().contains("in use by another process"), "{error}");
    let (log, preparer) = (first.log, first.preparer);
    drop(log);
    // The preparer writes, too.
    assert!(matches!(try_open(FileStorage::new(directory.path())), Err(JournalError::Locked(_))));
    drop(preparer);
    open(FileStorage::new(directory.path()));
}

#[test]
fn a_journal_on_a_real_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = open(FileStorage::new(directory.path().join("a/new/one")));
    assert!(opened.report.fresh);
    let text = std::fs::read_to_string(directory.path().join("a/new/one/journal.log")).unwrap();
    assert!(text.contains("journal = 00be7e0000000001\nbegan = 2026-10-03T12:30:00Z\n"), "{text}");
    opened.write(&orders(9_000));
    let epoch = opened.log.epoch();
    drop(opened);
    let opened = open(FileStorage::new(directory.path().join("a/new/one")));
    assert_eq!(opened.replayed, orders(9_000));
    assert_eq!((epoch, opened.log.epoch()), (1, 2));
    let report = &opened.report;
    assert!(!report.fresh && report.torn_tail.is_none() && report.other_journals.is_empty());
    assert_eq!((report.frames, report.transactions, report.events), (9_000, 9_000, 9_000));
    assert_eq!((report.segments, report.last_sequence, report.last_time_ns), (2, 9_000, NOON_NS));
    let sentence = report.to_string();
    assert!(sentence.starts_with("Recovered 9000 events in 9000 transactions"), "{sentence}");
}

#[test]
fn without_journal_log_a_fresh_one_begins_and_the_old_one_stays() {
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&exact_day());
    storage.delete("journal.log");
    let before = storage.image();
    let other = betex_journal::JournalOptions { new_journal_number: 2, ..options() };
    let (log, _, report) = betex_journal::open(std::sync::Arc::new(storage.clone()), &other, &mut |_, _| {
        panic!("nothing to replay")
    })
    .unwrap();
    assert_eq!((log.journal(), log.durable_sequence(), report.fresh), (2, 0, true));
    assert!(
        report.to_string().contains("ATTENTION") && report.to_string().contains("memory/00be7e0000000001")
    );
    let after = storage.image();
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "the old journal was touched");
    drop(log);
    // It can be brought back.
    let text = String::from_utf8(after["journal.log"].clone()).unwrap();
    storage.replace("journal.log", text.replace("0000000000000002", "00be7e0000000001").into_bytes());
    assert_eq!(read_all(storage).unwrap(), exact_day());
}

#[test]
fn an_interrupted_start_is_no_other_journal() {
    let storage = MemoryStorage::default();
    drop(open(storage.clone()));
    storage.delete("journal.log");
    let other = betex_journal::JournalOptions { new_journal_number: 2, ..options() };
    let (_, _, report) = betex_journal::open(std::sync::Arc::new(storage), &other, &mut |_, _| ()).unwrap();
    assert!(report.other_journals.is_empty() && !report.to_string().contains("ATTENTION"));
}

#[test]
fn what_is_in_the_way_is_said() {
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&exact_day());
    let text = String::from_utf8(storage.read("journal.log")).unwrap();
    let cases: [(&str, String); 4] = [
        (
            "it names the folder 0000000000000007, which is not there; there are: 00be7e0000000001",
            text.replace("00be7e0000000001", "0000000000000007"),
        ),
        ("it has the line \"garbage\"", "garbage".to_owned()),
        ("it does not say its format", String::new()),
        (
            "its format is 2: this version of BetEx knows format 1 only",
            text.replace("format = 1", "format = 2"),
        ),
    ];
    for (problem, text) in cases {
        let disk = storage.kill();
        disk.replace("journal.log", text.into_bytes());
        let before = disk.image();
        let error = try_open(disk.clone()).map(drop).unwrap_err().to_string();
        assert!(error.contains("memory/journal.log") && error.contains(problem), "{problem}: {error}");
        assert!(error.contains("or remove it to start a fresh, empty exchange"), "{error}");
        assert_eq!(disk.image(), before);
    }
}

#[test]
fn what_the_disk_says_is_said() {
    for (call, kind, what) in [
        (
            Call::Name,
            ErrorKind::PermissionDenied,
            "cannot use the directory memory: permission denied; let the user",
        ),
        (Call::Name, ErrorKind::ReadOnlyFilesystem, "name a directory on a disk that can be written"),
        (Call::Lock, ErrorKind::PermissionDenied, "cannot lock memory/LOCK: permission denied; let the user"),
        (
            Call::Write,
            ErrorKind::StorageFull,
            "free some space on this disk, or name a directory on another one",
        ),
    ] {
        let storage = MemoryStorage::default();
        storage.fail(call, 0, kind, false);
        let error = try_open(storage).map(drop).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path().to_owned(), file.path().join("below")] {
        let error = try_open(FileStorage::new(path)).map(drop).unwrap_err().to_string();
        assert!(error.contains("name a directory, or a new one, for the journal"), "{error}");
    }
    let small = betex_journal::JournalOptions { segment_bytes: SEGMENT_BYTES_MIN - 1, ..options() };
    let error = betex_journal::open(std::sync::Arc::new(MemoryStorage::default()), &small, &mut |_, _| ());
    assert!(matches!(error, Err(JournalError::SegmentBytes { .. })));
}

#[test]
fn what_a_newer_version_wrote_is_refused() {
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&exact_day());
    // In the frame's header: version, kind, flags. In the body: the first record's version and kind.
    for (at, what) in
        [(4, "version 3"), (5, "kind 3"), (6, "flags 2"), (66, "version 3 of Context"), (64, "kind 3")]
    {
        let disk = storage.kill();
        let mut bytes = disk.read(&segment(1));
        bytes[at] = if at == 6 { 2 } else { 3 };
        reseal(&mut bytes);
        disk.replace(&segment(1), bytes);
        let before = disk.image();
        let error = try_open(disk.clone()).map(drop).unwrap_err();
        assert!(matches!(error, JournalError::Newer { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(what) && error.contains("written by a newer version of BetEx"), "{error}");
        assert_eq!(disk.image(), before);
        assert!(read_all(disk).unwrap_err().to_string().contains("written by a newer version of BetEx"));
    }
}

/// Makes the first frame of a segment whole again.
fn reseal(segment: &mut [u8]) {
    let body_len = usize::try_from(u32::from_le_bytes(segment[56..60].try_into().unwrap())).unwrap();
    segment[60..64].fill(0);
    let crc = crc32c::crc32c(&segment[..64 + body_len]);
    segment[60..64].copy_from_slice(&crc.to_le_bytes());
}

/// Header and body say different things, though the checksum is right.
#[test]
fn a_header_that_does_not_fit_its_body_is_damage() {
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&exact_day());
    for (at, value, what) in [
        (20, 2, "its header does not count the events of its body"),
        (20, 0, "it has no events"),
        (32, 9, "its first event has sequence number 9, where 1 follows"),
    ] {
        let disk = storage.kill();
        let mut bytes = disk.read(&segment(1));
        bytes[at] = value;
        reseal(&mut bytes);
        disk.replace(&segment(1), bytes);
        for error in [
            try_open(disk.clone()).map(drop).unwrap_err().to_string(),
            read_all(disk).unwrap_err().to_string(),
        ] {
            assert!(
                error.contains("in 00000001.segment at offset 0, frame 1: ") && error.contains(what),
                "{error}"
            );
        }
    }
}

#[test]
fn half_prepared_and_unused_segments_are_fine() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&orders(10));
    drop(opened);
    storage.replace(&(segment(3) + ".new"), vec![0; 1_000]);
    assert!(storage.files().contains(&segment(2)));
    let mut opened = open(storage.clone());
    assert!(opened.log.supply().is_ready(), "a prepared segment is used again");
    assert!(!storage.files().contains(&(segment(3) + ".new")));
    opened.write(&orders(9_000)[10..]);
    drop(opened);
    assert_eq!(open(storage).replayed, orders(9_000));
}

/// The first frame of a segment was torn, and it was prepared by a process that is gone.
#[test]
fn a_torn_frame_at_the_beginning_of_a_segment() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&orders(ORDERS_PER_SEGMENT as u64));
    opened.preparer.step().unwrap();
    drop(opened);
    let mut bytes = storage.read(&segment(2));
    bytes[70] = 1;
    storage.replace(&segment(2), bytes);
    let mut opened = open(storage.clone());
    assert_eq!(opened.report.torn_tail.map(|torn| (torn.segment, torn.offset)), Some((2, 0)));
    assert!(
        opened.report.to_string().contains("in 00000002.segment at offset 0 were no whole write, and were cut off: they may or may not have been"),
        "{}",
        opened.report
    );
    opened.write(&orders(8_200)[ORDERS_PER_SEGMENT..]);
    drop(opened);
    assert_eq!(open(storage).replayed, orders(8_200));
}
