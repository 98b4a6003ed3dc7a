//! Mutated frames, records and directories. Whatever the bytes: no panic, no more memory than they allow, and
//! what is accepted is what would have been written.

mod snapshots;

use std::sync::Arc;

use betex_fuzz::{Corpus, Dice, run};
use betex_journal::record::{BodyDecoder, BodyEncoder, raw_records};
use betex_journal::{FRAME_BYTES_MAX, HEADER_BYTES, JournalFiles, NextFrame, ReadError, Tail};

use crate::fixtures::fixture;
use crate::memory_storage::MemoryStorage;
use crate::tape::{JOURNAL, Transaction, exact_day, first_day, open, orders, read_all, segment, try_open};

/// Event lists and strings of what is decoded, at their most while a list of them grows, for each byte.
const MEMORY_PER_BYTE: u64 = 64;

/// The records of some transactions, of which the first has this sequence number.
fn encode(transactions: &[Transaction]) -> Vec<u8> {
    let (mut encoder, mut body) = (BodyEncoder::new(), Vec::new());
    for (stamp, events) in transactions {
        encoder.append(&mut body, usize::MAX, stamp, events).unwrap();
    }
    body
}

/// All transactions of a body, if all of it can be decoded.
fn decode(body: &[u8]) -> Option<Vec<Transaction>> {
    let (mut decoder, mut events, mut decoded) = (BodyDecoder::new(1), Vec::new(), Vec::new());
    loop {
        match decoder.next_transaction(body, &mut events) {
            Ok(Some(stamp)) => decoded.push((stamp, std::mem::take(&mut events))),
            Ok(None) => return Some(decoded),
            Err(_) => return None,
        }
    }
}

/// Bodies: every fixture behind a context, every transaction of the short day, and all of them.
fn bodies() -> Corpus {
    let names = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".hex")?.to_owned())).collect();
    names.sort();
    let records: Vec<Vec<u8>> =
        names.iter().filter(|name| !name.starts_with("journal.")).map(|name| fixture(name)).collect();
    assert!(records.len() > 40, "{}", records.len());
    let context = fixture("context.v1");
    let day = exact_day();
    let single = day.iter().map(|transaction| encode(std::slice::from_ref(transaction)));
    let behind = records.iter().map(|record| [context.clone(), record.clone()].concat());
    Corpus::new(behind.chain(single).chain([encode(&day)])).with_words(records)
}

#[test]
fn records() {
    let corpus = bodies();
    run("records", 20_000, |dice| {
        let body = corpus.input(dice);
        let mut decoded = None;
        let memory = allocation_counter::measure(|| decoded = decode(&body)).bytes_max;
        assert!(memory <= 4_096 + MEMORY_PER_BYTE * body.len() as u64, "{memory} bytes for {}", body.len());
        let raw: Vec<_> = raw_records(&body).collect();
        let Some(decoded) = decoded else { return false };
        assert!(raw.iter().all(Result::is_ok), "what is decoded has heads");
        let lens = raw.iter().flatten().map(|record| record.bytes.len());
        assert_eq!(lens.sum::<usize>(), body.len());
        assert!(encode(&decoded) == body, "{decoded:?} is written otherwise");
        true
    });
}

/// A disk with the short day, a frame for each transaction, of which some lie in a second segment; or all of it
/// in one frame; or the first version's journal.
fn disks() -> Vec<Vec<Vec<u8>>> {
    let day = exact_day();
    let written = |transactions: &[&[Transaction]]| {
        let storage = MemoryStorage::default();
        let mut opened = open(storage.clone());
        let mut ends = Vec::new();
        for frame in transactions {
            use betex_journal::Log as _;
            frame.iter().for_each(|(stamp, events)| opened.log.append(stamp, events).unwrap());
            opened.log.commit().unwrap();
            ends.push(usize::try_from(opened.log.bytes()).unwrap());
        }
        (storage.read(&segment(1)), ends)
    };
    let (bytes, ends) = written(&day.chunks(1).collect::<Vec<_>>());
    let (first, last) = (ends[ends.len() / 2], *ends.last().unwrap());
    let with_zeros = |bytes: &[u8]| [bytes, &[0; 512]].concat();
    let (whole, _) = written(&[&day]);
    let whole_len = whole.len() - whole.iter().rev().take_while(|byte| **byte == 0).count();
    vec![
        vec![with_zeros(&bytes[..last])],
        vec![with_zeros(&bytes[..first]), with_zeros(&bytes[first..last])],
        vec![with_zeros(&whole[..whole_len.next_multiple_of(HEADER_BYTES)]), vec![0; 256]],
        vec![fixture("journal.v1")],
    ]
}

/// A disk with these segments.
fn disk(segments: &[Vec<u8>]) -> MemoryStorage {
    let storage = MemoryStorage::default();
    storage.replace("journal.log", naming());
    for (number, bytes) in (1..).zip(segments) {
        storage.replace(&segment(number), bytes.clone());
    }
    storage
}

fn naming() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/journal.v1.log")).unwrap()
}

/// Makes the checksum of everything that looks like a frame right, and if asked the chain, too: otherwise no
/// change would get past the first look.
fn seal(segments: &mut [Vec<u8>], chain: bool) {
    let mut prev_hash: Option<[u8; 16]> = None;
    for bytes in segments {
        for at in (0..bytes.len()).step_by(HEADER_BYTES) {
            let Some(len) = frame_len(&bytes[at..]) else { continue };
            let frame = &mut bytes[at..at + len];
            if let Some(hash) = prev_hash.filter(|_| chain) {
                frame[40..56].copy_from_slice(&hash);
            }
            frame[60..64].fill(0);
            let crc32c = crc32c::crc32c(frame);
            frame[60..64].copy_from_slice(&crc32c.to_le_bytes());
            let hash = blake3::Hasher::new().update(b"betex journal: frame\0").update(frame).finalize();
            prev_hash = hash.as_bytes().first_chunk::<16>().copied();
        }
    }
}

/// The length of what looks like a frame, header and body, if it is all there.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..HEADER_BYTES)?;
    if header[..4] != *b"BEX\xFF" || header[8..16] != JOURNAL.to_le_bytes() {
        return None;
    }
    let body = u32::from_le_bytes(header[56..60].try_into().ok()?);
    let len = HEADER_BYTES.checked_add(usize::try_from(body).ok()?)?;
    (len <= FRAME_BYTES_MAX && len <= bytes.len()).then_some(len)
}

/// One of the disks, changed; and whether it was sealed afterwards.
fn changed(disks: &[Vec<Vec<u8>>], corpus: &Corpus, dice: &mut Dice) -> (Vec<Vec<u8>>, bool) {
    let mut segments = dice.of(disks).clone();
    let place = dice.below(segments.len());
    corpus.change(dice, &mut segments[place]);
    let sealed = dice.one_in(2);
    if sealed {
        seal(&mut segments, dice.one_in(2));
    }
    (segments, sealed)
}

/// Changes of segments, and what is put into them.
fn segments(disks: &[Vec<Vec<u8>>]) -> Corpus {
    let bodies = exact_day().into_iter().map(|transaction| encode(&[transaction]));
    Corpus::new(disks.iter().flatten().cloned()).with_words(bodies)
}

/// All transactions, frame by frame, and where they end; each frame's body must be what its transactions are
/// written as.
fn walk(storage: &MemoryStorage) -> Result<(Vec<Transaction>, u64, Tail), ReadError> {
    let files = JournalFiles::open(Arc::new(storage.clone()))?;
    let (mut reader, mut all, mut last) = (files.frames()?, Vec::new(), 0);
    loop {
        match reader.next_frame()? {
            NextFrame::Frame(frame) => last = frame.number,
            NextFrame::End(tail) => return Ok((all, last, tail)),
        }
        let before = all.len();
        reader.transactions(&mut |stamp, events| all.push((*stamp, events.to_vec())))?;
        assert!(encode(&all[before..]) == reader.body(), "a frame that is written otherwise");
    }
}

/// The highest number of a whole frame behind this place, looked for in the plainest way.
fn highest_behind(segments: &[Vec<u8>], tail: &Tail) -> Option<u64> {
    let (segment, offset) = (usize::try_from(tail.segment).ok()?, usize::try_from(tail.offset).ok()?);
    let rest = segments.iter().skip(segment - 1).enumerate();
    let places = rest.flat_map(|(place, bytes)| {
        let from = if place == 0 { offset } else { 0 };
        (from..bytes.len()).step_by(HEADER_BYTES).map(move |at| &bytes[at..])
    });
    let numbers = places.filter_map(|bytes| {
        let mut frame = bytes[..frame_len(bytes)?].to_vec();
        let written = u32::from_le_bytes(frame[60..64].try_into().ok()?);
        frame[60..64].fill(0);
        let number = u64::from_le_bytes(frame[24..32].try_into().ok()?);
        (crc32c::crc32c(&frame) == written).then_some(number)
    });
    numbers.max()
}

#[test]
fn frames() {
    let disks = disks();
    let (corpus, written) = (segments(&disks), exact_day());
    run("frames", 3_000, |dice| {
        let (segments, sealed) = changed(&disks, &corpus, dice);
        let storage = disk(&segments);
        let len: usize = segments.iter().map(Vec::len).sum();
        let mut found = None;
        let memory = allocation_counter::measure(|| found = Some(walk(&storage))).bytes_max;
        // A window over each of two segments, and a third to look behind; each reads as far as a header says.
        let allowed = 6 * FRAME_BYTES_MAX as u64 + MEMORY_PER_BYTE * len as u64;
        assert!(memory <= allowed, "{memory} bytes for {len}");
        let (found, read) = (found.unwrap(), read_all(storage.clone()));
        assert_eq!(found.is_ok(), read.is_ok(), "{found:?} and {read:?}");
        let files = JournalFiles::open(Arc::new(storage)).unwrap();
        let place = (1 + dice.throw() % 3, 64 * (dice.throw() % 64));
        for raw in [files.frame(dice.throw() % 64).unwrap(), files.frame_at(place.0, place.1).unwrap()] {
            raw.map(|raw| files.chains(&raw).unwrap());
        }
        let Ok((found, last, tail)) = found else { return false };
        assert!(found == read.unwrap(), "two ways to read that differ");
        let behind = highest_behind(&segments, &tail);
        assert!(
            behind.is_none_or(|behind| behind <= last),
            "{behind:?} is whole behind {last}, the last one"
        );
        assert!(sealed || found == written[..found.len()], "something else than what was written");
        !found.is_empty()
    });
}

/// Names that files in a data directory have.
const NAMES: [&str; 8] = [
    "journal.log",
    "LOCK",
    "00be7e0000000001/00000001.segment",
    "00be7e0000000001/00000002.segment",
    "00be7e0000000001/00000003.segment",
    "00be7e0000000001/00000004.segment.new",
    "00be7e0000000001/00000099999999999999999999.segment",
    "0000000000000007/00000001.segment",
];

#[test]
fn directories() {
    let disks = disks();
    let (corpus, written) = (segments(&disks), exact_day());
    let texts = Corpus::new([naming()]).with_words([
        "00be7e0000000001",
        "0000000000000007",
        "journal = ",
        "format = 1\n",
        "began = ",
        "#",
        "\n",
    ]);
    run("directories", 1_500, |dice| {
        let (segments, mut foreign) =
            if dice.one_in(2) { (dice.of(&disks).clone(), false) } else { changed(&disks, &corpus, dice) };
        let storage = disk(&segments);
        if dice.one_in(3) {
            let mut text = naming();
            texts.change(dice, &mut text);
            storage.replace("journal.log", text);
        }
        if dice.one_in(3) {
            let (name, bytes) = (*dice.of(&NAMES[2..]), dice.of(&disks)[0].clone());
            storage.replace(name, if dice.one_in(2) { vec![0; bytes.len()] } else { bytes });
            foreign = true;
        }
        if dice.one_in(6) {
            let there = storage.files();
            storage.delete(&there[dice.below(there.len())]);
        }
        let (before, read) = (storage.image(), read_all(storage.kill()));
        let first = match try_open(storage.clone()) {
            Ok(first) => first,
            Err(error) => {
                assert!(storage.image() == before, "changed, and refused: {error}");
                return false;
            }
        };
        let report = first.report.clone();
        assert!(
            foreign || first.replayed == written[..first.replayed.len()],
            "not what was written: {report}"
        );
        if report.fresh {
            assert!(first.replayed.is_empty() && matches!(read, Err(ReadError::NoJournal(_))), "{report}");
        } else {
            assert!(read.is_ok_and(|read| read == first.replayed), "a reader sees something else");
        }
        let replayed = first.replayed.clone();
        drop(first);
        let again = open(storage);
        assert!(again.replayed == replayed && again.report.torn_tail.is_none(), "the second start differs");
        !report.fresh
    });
}

/// The checksums and the chain that the targets put right are those of the journal.
#[test]
fn sealing_changes_nothing_of_what_was_written() {
    for segments in disks() {
        let mut sealed = segments.clone();
        seal(&mut sealed, true);
        assert!(sealed == segments);
        assert!(!walk(&disk(&segments)).unwrap().0.is_empty());
    }
    let day = first_day().transactions;
    assert_eq!(walk(&disk(&[fixture("journal.v1")])).unwrap().0, day);
    assert_eq!(decode(&encode(&orders(9))).unwrap().len(), 9);
}
