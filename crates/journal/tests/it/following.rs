//! Readers: from any place, behind a live writer, within a limit.

use std::sync::Arc;

use betex_core::event::Event;
use betex_journal::{FileStorage, JournalReader, Log, ReadError};

use crate::memory_storage::MemoryStorage;
use crate::tape::{
    ORDER_FRAME, ORDERS_PER_SEGMENT, Tape, accepted, cancelled, exact_day, open, orders, read_all, read_on,
    segment,
};

#[test]
fn a_reader_follows_a_live_writer_across_segments() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = open(FileStorage::new(directory.path()));
    let all = orders(20_000);
    let path = directory.path().to_owned();
    let reader = std::thread::spawn(move || {
        let mut reader = JournalReader::open_dir(path).unwrap();
        let (mut seen, mut looks) = (Vec::new(), 0);
        while seen.len() < 20_000 {
            seen.extend(read_on(&mut reader).unwrap());
            looks += 1;
            std::thread::yield_now();
        }
        (seen, looks)
    });
    for (stamp, events) in &all {
        opened.preparer.step().unwrap();
        opened.log.append(stamp, events).unwrap();
        if stamp.sequence % 3 == 0 {
            opened.log.commit().unwrap();
        }
    }
    opened.log.commit().unwrap();
    let (seen, looks) = reader.join().unwrap();
    assert!(seen == all && looks > 1);
}

#[test]
fn a_reader_starts_at_any_sequence() {
    let storage = MemoryStorage::default();
    let mut tape = Tape::new();
    for id in 1..=9_000 {
        let order = Event::OrderAccepted(accepted(id));
        tape.push(
            1 + id % 2,
            if id % 3 == 0 { vec![order, Event::OrderCancelled(cancelled(id))] } else { vec![order] },
        );
    }
    let all = tape.transactions;
    let mut opened = open(storage.clone());
    for (i, (stamp, events)) in all.iter().enumerate() {
        opened.preparer.step().unwrap();
        opened.log.append(stamp, events).unwrap();
        // Frames of one, two and three transactions.
        if i % 6 == 0 || i % 6 == 1 || i % 6 == 3 {
            opened.log.commit().unwrap();
        }
    }
    opened.log.commit().unwrap();
    assert!(storage.files().contains(&segment(2)));
    let mut reader = JournalReader::open(Arc::new(storage)).unwrap();
    let last = opened.log.durable_sequence();
    let mut events = Vec::new();
    for sequence in (0..=last + 3).rev().filter(|s| s % 97 == 0 || *s < 20 || *s > last - 20) {
        reader.seek(sequence).unwrap();
        let expected = all.iter().find(|(stamp, events)| stamp.sequence + events.len() as u64 > sequence);
        let found = reader.next_transaction(&mut events).unwrap();
        assert_eq!(found, expected.map(|(stamp, _)| *stamp), "sought {sequence}");
        assert_eq!(events, expected.map(|(_, events)| events.clone()).unwrap_or_default());
        reader.seek(sequence).unwrap();
        let first = reader.events().next().transpose().unwrap();
        assert_eq!(first.map(|event| event.sequence), (sequence <= last).then_some(sequence.max(1)));
    }
    // Beyond the end: only what was sought is shown once it is there.
    reader.seek(last + 2).unwrap();
    let mut more = Tape::new();
    more.push(1, vec![Event::OrderAccepted(accepted(1)); 3]);
    let (mut stamp, events) = more.transactions.remove(0);
    (stamp.sequence, stamp.market_sequence) = (last + 1, 7_000);
    opened.log.append(&stamp, &events).unwrap();
    opened.log.commit().unwrap();
    let seen: Vec<_> = reader.events().map(Result::unwrap).collect();
    assert_eq!(seen.iter().map(|event| event.sequence).collect::<Vec<_>>(), [last + 2, last + 3]);
    assert_eq!(seen.iter().map(|event| event.market_sequence).collect::<Vec<_>>(), [7_001, 7_002]);
    assert_eq!(seen.iter().map(|event| event.ends_transaction).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn nothing_is_shown_beyond_the_limit() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let day = exact_day();
    for (stamp, events) in &day {
        opened.log.append(stamp, events).unwrap();
    }
    opened.log.commit().unwrap();
    let last = opened.log.durable_sequence();
    let mut reader = JournalReader::open(Arc::new(storage)).unwrap();
    let mut seen = Vec::new();
    for limit in 0..=last {
        reader.set_limit(limit);
        seen.extend(read_on(&mut reader).unwrap());
        let whole =
            day.iter().filter(|(stamp, events)| stamp.sequence + events.len() as u64 <= limit + 1).count();
        assert_eq!(seen, day[..whole], "limit {limit}");
    }
}

/// What the gate has let through must be readable; if it is not, that is not the end.
#[test]
fn a_gap_within_the_limit_is_damage() {
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&orders(10));
    let mut bytes = storage.read(&segment(1));
    bytes[9 * ORDER_FRAME + 100] ^= 1;
    storage.replace(&segment(1), bytes);
    let mut reader = JournalReader::open(Arc::new(storage)).unwrap();
    reader.set_limit(9);
    assert_eq!(read_on(&mut reader).unwrap().len(), 9);
    reader.set_limit(10);
    let error = read_on(&mut reader).unwrap_err().to_string();
    assert!(error.contains("offset 1728, frame 10: it was written, and is not whole"), "{error}");
}

#[test]
fn a_reader_changes_nothing_and_needs_no_lock() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&exact_day());
    let before = storage.image();
    assert_eq!(read_all(storage.clone()).unwrap(), exact_day());
    assert_eq!(storage.image(), before);
}

#[test]
fn a_reader_says_what_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("nowhere")] {
        let error = JournalReader::open_dir(path).map(drop).unwrap_err();
        assert!(matches!(error, ReadError::NoJournal(_)), "{error}");
    }
    // As pruning will leave it: the first segments are gone.
    let storage = MemoryStorage::default();
    open(storage.clone()).write(&orders(9_000));
    storage.delete(&segment(1));
    let mut reader = JournalReader::open(Arc::new(storage)).unwrap();
    assert_eq!(read_on(&mut reader).unwrap(), orders(9_000)[ORDERS_PER_SEGMENT..]);
    let last = ORDERS_PER_SEGMENT as u64;
    assert!(matches!(reader.seek(last), Err(ReadError::Pruned { first }) if first == last + 1));
    reader.seek(last + 1).unwrap();
    assert_eq!(read_on(&mut reader).unwrap().len(), 9_000 - ORDERS_PER_SEGMENT);
}
