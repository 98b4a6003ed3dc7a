//! A short log, cut at every byte and with every bit flipped: what comes back is a prefix of what was
//! written, or nothing and a sentence.

use betex_journal::{JournalError, Log, ReadError};

use crate::memory_storage::MemoryStorage;
use crate::notes::{list, relist};
use crate::tape::{
    ORDER_FRAME, ORDERS_PER_SEGMENT, Transaction, exact_day, open, orders, read_all, segment, try_open,
};

/// The short day, a frame for each transaction; its only segment without most of the zeros behind. And
/// where its frames end.
fn short_log() -> (MemoryStorage, Vec<Transaction>, Vec<usize>) {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let mut ends = Vec::new();
    for transaction in exact_day() {
        opened.write(&[transaction]);
        ends.push(usize::try_from(opened.log.bytes()).unwrap());
    }
    drop(opened);
    storage.delete(&segment(2));
    let mut bytes = storage.read(&segment(1));
    bytes.truncate(ends.last().unwrap() + 4_096);
    storage.replace(&segment(1), bytes);
    relist(&storage);
    (storage, exact_day(), ends)
}

/// Recovers, writes on, and recovers again; how many transactions there were, and whether a tail was torn.
fn recovers_a_prefix(storage: &MemoryStorage, written: &[Transaction]) -> (usize, bool) {
    let mut opened = open(storage.clone());
    let count = opened.replayed.len();
    assert_eq!(opened.replayed, written[..count]);
    assert_eq!(opened.report.last_sequence, opened.log.durable_sequence());
    let torn = opened.report.torn_tail.is_some();
    if let Some((stamp, events)) = written.get(count) {
        // The short segment may have no room left.
        let len = storage.read(&segment(opened.report.segments)).len();
        if len < usize::try_from(opened.report.bytes).unwrap() + 1_024 {
            opened.preparer.step().unwrap();
        }
        opened.log.append(stamp, events).unwrap();
        opened.log.commit().unwrap();
    }
    drop(opened);
    let again = open(storage.clone());
    assert_eq!(again.replayed, written[..written.len().min(count + 1)]);
    assert_eq!(again.report.torn_tail, None);
    (count, torn)
}

#[test]
fn cut_at_every_byte() {
    let (storage, written, ends) = short_log();
    let whole = storage.read(&segment(1));
    let mut torn = 0;
    for cut in 0..=*ends.last().unwrap() {
        let disk = storage.kill();
        // A crash leaves the segment in its full length.
        let mut left = whole[..cut].to_vec();
        disk.replace(&segment(1), left.clone());
        let before = disk.image();
        let error = try_open(disk.clone()).map(drop).unwrap_err().to_string();
        let words =
            format!("in 00000001.segment: the file has {cut} bytes, and was made with {}", whole.len());
        assert!(error.contains(&words), "{error}");
        assert_eq!(disk.image(), before);
        left.resize(whole.len(), 0);
        disk.replace(&segment(1), left.clone());
        let read = read_all(disk.clone()).unwrap().len();
        let (recovered, is_torn) = recovers_a_prefix(&disk, &written);
        assert_eq!(read, recovered);
        torn += usize::from(is_torn);
        // Zeros that were cut off are no loss among zeros.
        let frames = ends.iter().filter(|&&end| left[..end] == whole[..end]).count();
        assert_eq!(recovered, frames, "cut at {cut}");
    }
    println!("proof: cut points: {} ({torn} torn tails)", ends.last().unwrap() + 1);
}

#[test]
fn every_bit_flipped() {
    let (storage, written, ends) = short_log();
    let whole = storage.read(&segment(1));
    let last_begins = ends[ends.len() - 2];
    let [mut refused, mut torn, mut harmless] = [0; 3];
    for bit in 0..8 * ends.last().unwrap() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let disk = storage.kill();
        disk.replace(&segment(1), bytes);
        let before = disk.image();
        let read = read_all(disk.clone());
        match try_open(disk.clone()) {
            Err(error @ JournalError::Corrupt { .. }) => {
                assert_eq!(disk.image(), before, "bit {bit}: changed although refused");
                assert!(error.to_string().contains("00000001.segment at offset"), "{error}");
                assert!(
                    matches!(read, Err(ReadError::Corrupt { .. })),
                    "bit {bit}: recovery refuses, a reader does not"
                );
                refused += 1;
            }
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(opened) if opened.replayed == written => {
                // Only the padding means nothing.
                assert_eq!(read.unwrap(), written);
                harmless += 1;
            }
            Ok(opened) => {
                assert!(bit / 8 >= last_begins, "bit {bit}: acknowledged events are gone");
                assert_eq!(opened.replayed, written[..written.len() - 1]);
                assert_eq!(read.unwrap(), opened.replayed);
                assert!(opened.report.torn_tail.is_some());
                torn += 1;
            }
        }
    }
    let all = 8 * ends.last().unwrap();
    println!("proof: flipped bits: {all} ({refused} refused, {torn} a torn tail, {harmless} in padding)");
    assert_eq!(refused + torn + harmless, all);
}

#[test]
fn corruption_in_the_middle_is_refused_and_every_byte_left() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    // Three segments.
    opened.write(&orders(20_000));
    drop(opened);
    assert!(storage.files().contains(&segment(3)));
    type Damage = fn(&MemoryStorage);
    let damaged: [(&str, Damage); 9] = [
        ("in 00000002.segment at offset 576, frame 5465", |disk| edit(disk, 2, |bytes| bytes[600] ^= 1)),
        ("00000002.segment is missing", |disk| disk.delete(&segment(2))),
        ("00000001.segment is missing", |disk| disk.delete(&segment(1))),
        ("00000002.segment is missing", |disk| {
            disk.delete(&list());
            disk.delete(&segment(2));
        }),
        ("in 00000001.segment at offset 524160, frame 2731: it is missing or not whole", |disk| {
            edit(disk, 1, |bytes| bytes[1 << 19..].fill(0));
        }),
        ("frame 5462 is whole, in 00000002.segment at offset 0", |disk| {
            // The last frame of a sealed segment: its successor is the first of the next.
            edit(disk, 1, |bytes| {
                let end = bytes.len() / ORDER_FRAME * ORDER_FRAME;
                bytes[end - ORDER_FRAME..].fill(0);
            });
        }),
        ("in 00000001.segment: the file has 1048384 bytes, and was made with 1048576", |disk| {
            edit(disk, 1, |bytes| bytes.truncate(bytes.len() - 192));
        }),
        ("in 00000002.segment: the file has 1048640 bytes, and was made with 1048576", |disk| {
            edit(disk, 2, |bytes| bytes.resize(bytes.len() + 64, 0));
        }),
        ("in 00000001.segment at offset 192, frame 2: it is missing or not whole, but frame 3", |disk| {
            edit(disk, 1, |bytes| bytes.copy_within(..ORDER_FRAME, ORDER_FRAME));
        }),
    ];
    for (what, damage) in damaged {
        let disk = storage.kill();
        damage(&disk);
        let before = disk.image();
        let error = try_open(disk.clone()).map(drop).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
        assert_eq!(disk.image(), before, "{what}");
    }
}

fn edit(disk: &MemoryStorage, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.read(&segment(number));
    change(&mut bytes);
    disk.replace(&segment(number), bytes);
}

/// Two journals with the same number and length: their frames are whole, but chain to their own only.
#[test]
fn a_frame_of_another_history_is_refused() {
    let (ours, theirs) = (MemoryStorage::default(), MemoryStorage::default());
    let transactions = orders(3);
    open(ours.clone()).write(&transactions);
    let mut others = transactions;
    others[0].0.time_ns += 1;
    open(theirs.clone()).write(&others);
    let mut bytes = ours.read(&segment(1));
    let second = ORDER_FRAME..2 * ORDER_FRAME;
    bytes[second.clone()].copy_from_slice(&theirs.read(&segment(1))[second]);
    ours.replace(&segment(1), bytes);
    for error in
        [try_open(ours.clone()).map(drop).unwrap_err().to_string(), read_all(ours).unwrap_err().to_string()]
    {
        assert!(error.contains("offset 192, frame 2: it does not chain to the frame before it"), "{error}");
    }
}

/// A segment that is used again is full of older frames: they are neither read nor taken for damage.
#[test]
fn older_frames_behind_the_end_are_not_seen() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&orders(9_000));
    drop(opened);
    // As if the second and the third segment had been recycled from the first.
    let old = storage.read(&segment(1));
    let mut bytes = storage.read(&segment(2));
    let end = (9_000 - ORDERS_PER_SEGMENT) * ORDER_FRAME;
    assert!(bytes[end..].iter().all(|&byte| byte == 0));
    bytes[end..].copy_from_slice(&old[end..]);
    storage.replace(&segment(2), bytes);
    storage.replace(&segment(3), old);
    assert_eq!(read_all(storage.clone()).unwrap().len(), 9_000);
    assert_eq!(recovers_a_prefix(&storage, &orders(9_001)).0, 9_000);
}
