//! Mutated snapshots: their records, the pieces in them, and whole files.

use std::sync::Arc;

use betex_core::image::{Builder, Piece};
use betex_core::state::State;
use betex_fuzz::{Corpus, Dice, run};
use betex_journal::record::{SnapshotRecord, decode_snapshot, encode_snapshot, raw_records};
use betex_journal::{HEADER_BYTES, JournalFiles};

use super::{MEMORY_PER_BYTE, frame_len, seal};
use crate::desk;
use crate::fixtures::fixture;
use crate::memory_storage::MemoryStorage;

/// A disk with a snapshot of a desk that has traded, and the name of its file.
fn disk() -> (MemoryStorage, String) {
    let storage = MemoryStorage::default();
    let mut desk = desk::open(storage.clone());
    desk.trade();
    desk.rest();
    desk.snapshots(1);
    drop(desk);
    let [file] = desk::snapshot_files(&storage).try_into().unwrap();
    (storage, file)
}

/// The bodies of the frames in a file, one behind the other.
fn bodies(mut file: &[u8]) -> Vec<u8> {
    let mut bodies = Vec::new();
    while let Some(len) = frame_len(file) {
        bodies.extend(&file[HEADER_BYTES..len]);
        file = file.get(len.next_multiple_of(HEADER_BYTES)..).unwrap_or_default();
    }
    bodies
}

/// The records of snapshots, each of its own and in a row.
fn records() -> Corpus {
    let names = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| name.starts_with("snapshot_") && name.ends_with(".hex")).collect();
    names.sort();
    let single: Vec<Vec<u8>> = names.iter().map(|name| fixture(name.trim_end_matches(".hex"))).collect();
    assert!(single.len() > 8, "{names:?}");
    let (storage, file) = disk();
    let rows = [bodies(&fixture("snapshot.v1")), bodies(&storage.read(&file))];
    assert!(rows.iter().all(|row| row.len() > 200));
    Corpus::new(rows.into_iter().chain(single.clone())).with_words(single)
}

/// Leaves records out, repeats them and moves them: changes of bytes seldom do.
fn shuffle(dice: &mut Dice, body: &[u8]) -> Vec<u8> {
    let mut records: Vec<&[u8]> = raw_records(body).flatten().map(|record| record.bytes).collect();
    for _ in 0..=dice.below(3) {
        let (from, to) = (dice.below(records.len()), dice.below(records.len()));
        match dice.below(3) {
            _ if records.is_empty() => {}
            0 => drop(records.remove(from)),
            1 => records.insert(to, records[from]),
            _ => records.swap(from, to),
        }
    }
    records.concat()
}

fn decode(bytes: &[u8]) -> Option<Vec<SnapshotRecord>> {
    let (mut at, mut records) = (0, Vec::new());
    while at < bytes.len() {
        let (record, len) = decode_snapshot(&bytes[at..]).ok()?;
        records.push(record);
        at += len;
    }
    Some(records)
}

fn encode(records: &[SnapshotRecord]) -> Vec<u8> {
    let mut bytes = Vec::new();
    records.iter().for_each(|record| encode_snapshot(&mut bytes, usize::MAX, record).unwrap());
    bytes
}

fn image(state: &State) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let told: Result<(), ()> = state.image(|piece| {
        pieces.push(piece);
        Ok(())
    });
    told.unwrap();
    pieces
}

fn build(pieces: &[Piece]) -> Option<State> {
    let mut builder = Builder::new();
    pieces.iter().try_for_each(|piece| builder.take(piece.clone())).ok()?;
    builder.finish().ok()
}

#[test]
fn pieces() {
    let corpus = records();
    run("pieces", 8_000, |dice| {
        let mut input = corpus.input(dice);
        if dice.number() > 64 && dice.one_in(3) {
            input = shuffle(dice, &input);
        }
        let mut records = None;
        let memory = allocation_counter::measure(|| records = decode(&input)).bytes_max;
        assert!(memory <= 8_192 + MEMORY_PER_BYTE * input.len() as u64, "{memory} bytes for {}", input.len());
        let Some(records) = records else { return false };
        assert!(encode(&records) == input, "{records:?} are written otherwise");
        let pieces = records.into_iter().filter_map(|record| match record {
            SnapshotRecord::Piece(piece) => Some(piece),
            SnapshotRecord::End(_) => None,
        });
        let pieces: Vec<Piece> = pieces.collect();
        let Some(state) = build(&pieces) else { return false };
        // What fits is a state, which has an image and a digest; and the image makes the same state.
        let again = build(&image(&state)).expect("an image fits");
        assert_eq!(again.digest(), state.digest());
        true
    });
}

#[test]
fn files() {
    let (storage, file) = disk();
    let whole = storage.read(&file);
    let files = JournalFiles::open(Arc::new(storage.clone())).unwrap();
    let [named] = files.snapshots().unwrap().try_into().unwrap();
    let digest = files.snapshot(&named).unwrap().state.digest();
    let corpus =
        Corpus::new([whole.clone(), whole, fixture("snapshot.v1")]).with_words([fixture("snapshot_end.v1")]);
    run("snapshots", 2_000, |dice| {
        let mut bytes = corpus.input(dice);
        if dice.one_in(2) {
            let mut sealed = [bytes];
            seal(&mut sealed, dice.one_in(2));
            [bytes] = sealed;
        }
        // Of a disk a snapshot needs nothing but its file.
        let alone = MemoryStorage::default();
        alone.replace("journal.log", storage.read("journal.log"));
        alone.replace(&file, bytes.clone());
        let files = JournalFiles::open(Arc::new(alone)).unwrap();
        let mut loaded = None;
        let memory = allocation_counter::measure(|| loaded = Some(files.snapshot(&named))).bytes_max;
        // A window that reads ahead, and the state, of which an empty book of a market is the most.
        let allowed = (8 << 20) + 1_024 * bytes.len() as u64;
        assert!(memory <= allowed, "{memory} bytes for {}", bytes.len());
        let Ok(snapshot) = loaded.unwrap() else {
            // With the whole journal behind it nothing is lost.
            if dice.one_in(100) {
                let disk = storage.kill();
                disk.replace(&file, bytes);
                assert!(desk::try_open(disk, desk::EVERY).is_ok());
            }
            return false;
        };
        assert_eq!(snapshot.state.digest(), digest, "another state");
        let pieces: Vec<SnapshotRecord> =
            image(&snapshot.state).into_iter().map(SnapshotRecord::Piece).collect();
        assert!(bodies(&bytes).starts_with(&encode(&pieces)), "a snapshot that is written otherwise");
        true
    });
}
