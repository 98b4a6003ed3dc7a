//! Snapshots in the background: a start needs the tail only, and the directory does not grow for ever.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use betex::prelude::*;
use betex_journal::JournalReader;

use crate::shop::{MARKET, config, market, order, placed};

/// A snapshot for each segment, and nothing stays that is not needed.
pub(crate) fn eager() -> Config {
    Config { snapshot_every_segments: 1, retention_bytes: 0, retention_age: Duration::ZERO, ..config() }
}

fn builder(config: Config, path: &Path) -> EngineBuilder {
    EngineBuilder::with_markets(config, [market(1)], path).unwrap()
}

/// The journal's files with this ending, in order.
pub(crate) fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let inside = folders.filter(|path| path.is_dir()).flat_map(|path| std::fs::read_dir(path).unwrap());
    let mut files: Vec<_> = inside.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_str().unwrap().ends_with(ending));
    files.sort();
    files
}

/// Orders that are taken in and leave again, and now and then one that stays.
pub(crate) fn trade(engine: &Engine, orders: u32) {
    for n in 0..orders {
        let (side, account) = if n % 2 == 0 { (Side::Yes, 1) } else { (Side::No, 2) };
        let command = order(side, 250, 1 + i64::from(n % 400 == 0), account);
        while engine.submit(command.clone()).is_err() {
            std::thread::yield_now();
        }
    }
    placed(engine, order(Side::Yes, 300, 1, 3));
}

#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let asked = Instant::now();
    while !is_so() {
        assert!(asked.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_start_needs_the_tail_only_and_the_directory_stays_small() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = builder(eager(), path).build().unwrap();
    assert_eq!(engine.recovery().snapshot, None);
    for count in 1..=4 {
        let before = files(path, ".snapshot");
        while files(path, ".snapshot") == before {
            trade(&engine, 2_000);
        }
        wait_until("two are kept", || files(path, ".snapshot").len() == count.min(2));
    }
    wait_until("segments go", || files(path, ".segment").len() <= 4);
    assert!(!files(path, ".segment")[0].ends_with("00000001.segment"));
    trade(&engine, 100);
    engine.stop();
    let (digest, sequence) = (engine.read().digest(), engine.read().sequence());
    drop(engine);

    let engine = builder(eager(), path).build().unwrap();
    let report = engine.recovery();
    let snapshot = report.snapshot.as_ref().unwrap();
    assert_eq!((engine.read().digest(), report.last_sequence), (digest, sequence));
    assert_eq!(snapshot.sequence + report.events, sequence);
    assert!(snapshot.sequence > 0 && report.passed_over.is_empty(), "{report}");
    // Orders that were in the book before the snapshot are met, and what is removed is said to be.
    assert!(engine.read().market(MARKET).unwrap().resting_orders() > 0);
    placed(&engine, order(Side::No, 250, 1, 9));
    let mut reader = engine.journal_reader().unwrap();
    assert!(reader.seek(1).unwrap_err().to_string().contains("what was before has been removed"));
    assert!(reader.next_transaction(&mut Vec::new()).unwrap().is_some());
}

/// Blocks until it may go on.
struct Slow {
    may_go_on: Arc<AtomicBool>,
    seen: Arc<AtomicU64>,
}

impl EventHandler for Slow {
    fn on_event(&mut self, event: &EngineEvent) {
        while !self.may_go_on.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let before = self.seen.swap(event.record.sequence, Ordering::SeqCst);
        assert_eq!(before + 1, event.record.sequence);
    }
}

#[test]
fn what_a_handler_has_not_seen_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (may_go_on, seen) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let slow = Slow { may_go_on: Arc::clone(&may_go_on), seen: Arc::clone(&seen) };
    let options = HandlerOptions { name: "slow".into(), queue_events: 1_024 };
    let engine = builder(eager(), path)
        .register_handler(slow, HandlerRecovery::AfterSeq(0), Some(options))
        .build()
        .unwrap();
    for _ in 0..3 {
        let before = files(path, ".snapshot");
        while files(path, ".snapshot") == before {
            trade(&engine, 2_000);
        }
    }
    // Longer than a look takes.
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(files(path, ".segment")[0].ends_with("00000001.segment"));
    may_go_on.store(true, Ordering::SeqCst);
    wait_until("it has caught up", || seen.load(Ordering::SeqCst) == engine.durable_sequence());
    wait_until("segments go", || !files(path, ".segment")[0].ends_with("00000001.segment"));
    trade(&engine, 10);
    engine.stop();
    assert_eq!(seen.load(Ordering::SeqCst), engine.durable_sequence());
}

/// A sealed segment that cannot be read: no snapshot can be made of it, and the exchange goes on.
#[test]
fn a_snapshot_that_fails_is_not_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = builder(Config { snapshot_every_segments: 2, ..eager() }, path).build().unwrap();
    // Its segments are damaged behind its back, as far as a snapshot would read them.
    let first = files(path, ".segment")[0].clone();
    trade(&engine, 1_000);
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[20_000] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    while files(path, ".segment").len() < 5 {
        trade(&engine, 2_000);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(files(path, ".snapshot").len(), 0);
    assert_eq!(files(path, ".snapshot.new").len(), 0);
    assert_eq!(engine.health(), Health::Serving);
    placed(&engine, order(Side::No, 250, 1, 9));
    let asked = Instant::now();
    engine.stop();
    assert!(asked.elapsed() < Duration::from_secs(20), "it stops at once");
    assert!(JournalReader::open_dir(path).is_ok());
}

#[test]
fn without_snapshots_all_of_it_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = builder(Config { snapshot_every_segments: 0, ..eager() }, path).build().unwrap();
    while files(path, ".segment").len() < 4 {
        trade(&engine, 2_000);
    }
    engine.stop();
    assert_eq!(files(path, ".snapshot").len(), 0);
    let sequence = engine.read().sequence();
    drop(engine);
    let engine = builder(eager(), path).build().unwrap();
    assert_eq!((engine.recovery().events, engine.recovery().snapshot.clone()), (sequence, None));
}

#[test]
fn bounds_are_said() {
    for (config, field) in [
        (Config { snapshot_every_segments: 1_025, ..config() }, "snapshot_every_segments"),
        (Config { retention_age: Duration::from_secs(3_651 * 86_400), ..config() }, "retention_age"),
    ] {
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}
