//! A snapshot cut at every byte and with every bit flipped: it is passed over, or refused where nothing else
//! reaches the tail; never is there another state.

use betex_journal::JournalError;

use crate::desk::{EVERY, open, recovered, segments, snapshot_files, try_open};
use crate::memory_storage::MemoryStorage;
use crate::notes::relist;
use crate::tape::segment;

/// A journal of which only the tail is left, two snapshots before it, and the digest of the whole.
fn pruned() -> (MemoryStorage, [String; 2], [u8; 32]) {
    let storage = MemoryStorage::default();
    let mut desk = open(storage.clone());
    desk.trade();
    desk.snapshots(2);
    assert_eq!(desk.prune(), 1);
    desk.trade();
    let digest = desk.state.digest();
    let files = snapshot_files(&storage).try_into().unwrap();
    (storage, files, digest)
}

/// The same disk with no more than the newer snapshot needs, so that it can be copied thousands of times.
fn lean(storage: &MemoryStorage) -> MemoryStorage {
    let disk = storage.kill();
    for number in segments(&disk) {
        let mut bytes = disk.read(&segment(number));
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1 + 4_096));
        if (1..1 << 19).contains(&bytes.len()) {
            disk.replace(&segment(number), bytes);
        } else {
            disk.delete(&segment(number));
        }
    }
    relist(&disk);
    disk.kill()
}

/// Puts the damaged newer snapshot there without the older one: it must not be used. Where it is used because only
/// padding was changed, the state is the same.
fn check(storage: &MemoryStorage, [older, newer]: &[String; 2], digest: [u8; 32], damaged: &[u8]) -> bool {
    let disk = storage.kill();
    disk.replace(newer, damaged.to_vec());
    disk.delete(older);
    let before = disk.image();
    let alone = try_open(disk.clone(), EVERY);
    match alone {
        Ok(desk) => {
            assert_eq!(desk.state.digest(), digest);
            true
        }
        Err(error @ JournalError::Corrupt { .. }) => {
            assert!(error.to_string().contains("no snapshot can stand for what it held"), "{error}");
            assert_eq!(disk.image(), before, "changed although refused");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn cut_at_every_byte() {
    let (storage, files, digest) = pruned();
    let (whole, lean) = (storage.read(&files[1]), lean(&storage));
    for cut in 0..whole.len() {
        assert!(!check(&lean, &files, digest, &whole[..cut]), "used although cut at {cut}");
        if cut % 64 == 0 {
            // Zeros where something was, and more than there was; and the older one is there.
            let mut bytes = whole[..cut].to_vec();
            bytes.resize(whole.len(), 0);
            assert!(!check(&storage, &files, digest, &bytes));
            let disk = storage.kill();
            disk.replace(&files[1], bytes);
            let desk = try_open(disk, EVERY).unwrap();
            assert_eq!((desk.state.digest(), desk.report.passed_over.len()), (digest, 1));
            assert!(files[0].ends_with(&desk.report.snapshot.unwrap().name));
        }
    }
    for more in [1, 64, 1_000] {
        let mut bytes = whole.clone();
        bytes.resize(whole.len() + more, 0);
        assert!(!check(&storage, &files, digest, &bytes));
    }
    println!("proof: cut points of a snapshot: {}", whole.len());
}

#[test]
fn every_bit_flipped() {
    let (storage, files, digest) = pruned();
    let (whole, lean) = (storage.read(&files[1]), lean(&storage));
    let [mut refused, mut harmless] = [0; 2];
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if check(&lean, &files, digest, &bytes) {
            harmless += 1;
        } else {
            refused += 1;
        }
    }
    println!(
        "proof: flipped bits of a snapshot: {} ({refused} refused, {harmless} in padding)",
        8 * whole.len()
    );
    assert!(harmless < 8 * 64, "only the padding of a frame means nothing");
    assert_eq!(recovered(&storage.kill()), digest);
}

/// A snapshot of another journal, or under another name, is none of this one.
#[test]
fn a_snapshot_belongs_to_its_journal_and_its_place() {
    let (storage, files, digest) = pruned();
    let older = storage.read(&files[0]);
    assert!(!check(&storage, &files, digest, &older));
    let disk = storage.kill();
    let mut bytes = disk.read(&files[1]);
    bytes[8] ^= 1;
    assert!(!check(&storage, &files, digest, &bytes));
    // A file that is none is left alone.
    disk.replace(&files[1].replace("0000000", "garbage"), older);
    assert_eq!(recovered(&disk), digest);
}

/// Whole by their checksums, and pieces of another state all the same: that is what the digest is for.
#[test]
fn a_state_that_was_changed_is_found_by_its_digest() {
    let (storage, files, digest) = pruned();
    let whole = storage.read(&files[1]);
    let body = usize::try_from(u32::from_le_bytes(whole[56..60].try_into().unwrap())).unwrap();
    assert_eq!((64 + body).next_multiple_of(64), whole.len(), "it has one frame");
    let (mut by_digest, mut refused) = (0, 0);
    // Its end says where it stands in the journal, and has no part in the state.
    for byte in 64..64 + body - 96 {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        bytes[60..64].fill(0);
        let crc = crc32c::crc32c(&bytes[..64 + body]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        assert!(!check(&storage, &files, digest, &bytes), "byte {byte}");
        let disk = storage.kill();
        disk.replace(&files[1], bytes);
        let desk = try_open(disk, EVERY).unwrap();
        assert_eq!(desk.state.digest(), digest);
        refused += 1;
        by_digest += usize::from(desk.report.passed_over[0].contains("its digest is that of another state"));
    }
    println!(
        "proof: pieces changed under a right checksum: {refused}, {by_digest} found by the digest alone"
    );
    assert!(by_digest > 100, "{by_digest}");
}

/// A snapshot of many frames: one of them left out, told twice or in another's place is noticed.
#[test]
fn frames_stay_in_their_order() {
    let storage = MemoryStorage::default();
    let mut desk = open(storage.clone());
    desk.trade();
    for _ in 0..12_000 {
        desk.rest();
    }
    desk.snapshot();
    assert_eq!(desk.prune(), 0);
    let digest = desk.state.digest();
    drop(desk);
    let file = snapshot_files(&storage).pop().unwrap();
    let whole = storage.read(&file);
    let (mut frames, mut rest) = (Vec::new(), &whole[..]);
    while !rest.is_empty() {
        let body = usize::try_from(u32::from_le_bytes(rest[56..60].try_into().unwrap())).unwrap();
        let (frame, behind) = rest.split_at((64 + body).next_multiple_of(64));
        frames.push(frame);
        rest = behind;
    }
    assert!(frames.len() >= 3, "{}", frames.len());
    assert!(frames.iter().all(|frame| frame.len() <= (256 << 10) + 64), "written in bounded memory");
    assert_eq!(open(storage.kill()).report.snapshot.unwrap().name, file.split_once('/').unwrap().1);
    let used = |frames: &[&[u8]]| {
        let disk = storage.kill();
        disk.replace(&file, frames.concat());
        let desk = open(disk);
        assert_eq!(desk.state.digest(), digest);
        desk.report.passed_over.is_empty()
    };
    assert!(used(&frames));
    for place in 0..frames.len() {
        let mut less = frames.clone();
        less.remove(place);
        assert!(!used(&less), "{place} left out");
        let mut more = frames.clone();
        more.insert(place, frames[place]);
        assert!(!used(&more), "{place} twice");
        assert!(!used(&frames[..place]));
        if place > 0 {
            let mut swapped = frames.clone();
            swapped.swap(place - 1, place);
            assert!(!used(&swapped), "{place} swapped");
        }
    }
}
