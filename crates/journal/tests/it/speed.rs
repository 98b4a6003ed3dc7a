//! Figures, printed and not judged: `cargo test --release -p betex-journal -- --ignored --nocapture speed`.

use std::time::Instant;

use betex_journal::{FileStorage, JournalOptions, JournalReader, Log, SEGMENT_BYTES_DEFAULT};

use crate::tape::{options, read_on};
use crate::writing::flow;

#[test]
#[ignore = "prints figures; for a release build"]
fn speed_of_writing_and_of_recovery() {
    let directory = tempfile::tempdir().unwrap();
    let storage = std::sync::Arc::new(FileStorage::new(directory.path()));
    let options = JournalOptions { segment_bytes: SEGMENT_BYTES_DEFAULT, ..options() };
    let transactions = flow(1_000);
    let events: usize = transactions.iter().map(|(_, events)| events.len()).sum();
    let (mut log, mut preparer, _) = betex_journal::open(storage.clone(), &options, &mut |_, _| ()).unwrap();
    let (mut preparing, start) = (std::time::Duration::ZERO, Instant::now());
    for batch in transactions.chunks(512) {
        let prepare = Instant::now();
        preparer.step().unwrap();
        preparing += prepare.elapsed();
        for (stamp, events) in batch {
            log.append(stamp, events).unwrap();
        }
        log.commit().unwrap();
    }
    let writing = start.elapsed() - preparing;
    println!(
        "wrote {} commands, {events} events in {writing:.0?}: {:.0} commands/s, {} frames, {:.1} bytes per command; \
         segments prepared in {preparing:.0?}",
        transactions.len(),
        transactions.len() as f64 / writing.as_secs_f64(),
        log.frames(),
        log.bytes() as f64 / transactions.len() as f64,
    );
    drop((log, preparer));
    for _ in 0..3 {
        let mut count = 0;
        let start = Instant::now();
        let opened =
            betex_journal::open(storage.clone(), &options, &mut |_, events| count += events.len()).unwrap();
        let took = start.elapsed();
        println!(
            "recovered {count} events in {took:.0?}: {:.1} M events/s",
            count as f64 / took.as_secs_f64() / 1e6
        );
        drop(opened);
        let mut reader = JournalReader::open(storage.clone()).unwrap();
        let (mut read, mut events) = (0, Vec::new());
        let start = Instant::now();
        while reader.next_transaction(&mut events).unwrap().is_some() {
            read += events.len();
        }
        let took = start.elapsed();
        println!(
            "read {read} events in {took:.0?}: {:.1} M events/s",
            read as f64 / took.as_secs_f64() / 1e6
        );
    }
    let start = Instant::now();
    let mut reader = JournalReader::open(storage).unwrap();
    reader.seek(events as u64).unwrap();
    assert_eq!(read_on(&mut reader).unwrap().len(), 1);
    println!("sought the last event in {:.1?}", start.elapsed());
}
