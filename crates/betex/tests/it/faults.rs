//! Disks that fail.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use betex::engine::journal::{FileStorage, Storage};
use betex::prelude::*;
use betex_journal::{Access, Lock, StorageFile};

use crate::ear::{listen, said};
use crate::shop::{MARKET, cancel, config, market, open, order, placed};

/// A real directory whose disk fails on demand.
#[derive(Debug)]
struct Faulty {
    inner: FileStorage,
    faults: Arc<Faults>,
}

#[derive(Debug)]
pub(crate) struct Faults {
    /// No new file finds room.
    pub(crate) full: AtomicBool,
    /// Syncs of files that still succeed.
    syncs_left: AtomicU64,
}

impl Faults {
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self { full: AtomicBool::new(false), syncs_left: AtomicU64::new(u64::MAX) })
    }
}

#[derive(Debug)]
struct FaultyFile(Box<dyn StorageFile>, Arc<Faults>);

impl Storage for Faulty {
    fn root(&self) -> &Path {
        self.inner.root()
    }
    fn create_dir(&self, folder: &str) -> io::Result<()> {
        self.inner.create_dir(folder)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        if access == Access::Create && self.faults.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Box::new(FaultyFile(self.inner.open(name, access)?, Arc::clone(&self.faults))))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        self.inner.sync_dir(folder)
    }
    fn lock(&self, name: &str) -> io::Result<Lock> {
        self.inner.lock(name)
    }
}

impl StorageFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        let spent = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        match self.1.syncs_left.try_update(Ordering::SeqCst, Ordering::SeqCst, spent) {
            Ok(_) => self.0.sync(),
            Err(_) => Err(io::Error::other("the disk is gone")),
        }
    }
}

pub(crate) fn engine_on(path: &Path, faults: &Arc<Faults>) -> Engine {
    let storage = Faulty { inner: FileStorage::new(path), faults: Arc::clone(faults) };
    let engine = EngineBuilder::on_storage(config(), Arc::new(storage)).unwrap().build().unwrap();
    if engine.read().market(MARKET).is_none() {
        engine.call(market(1).into_command()).unwrap().result.unwrap();
    }
    engine
}

#[test]
fn a_full_disk_refuses_orders_and_lets_cancels_through_until_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    listen();
    let engine = engine_on(directory.path(), &faults);
    engine.call(market(2).into_command()).unwrap().result.unwrap();
    let resting = placed(&engine, order(Side::No, 250, 100, 1));
    faults.full.store(true, Ordering::SeqCst);
    // The segment that lay ready is taken into use, and the next one finds no room.
    let taken = Arc::new(AtomicU64::new(0));
    let refused = loop {
        let taken = Arc::clone(&taken);
        let count = move |answer: &Response<'_>| {
            // Of those that were let in, some may have found no room.
            taken.fetch_add(u64::from(answer.result.is_ok()), Ordering::SeqCst);
        };
        match engine.submit_with(order(Side::Yes, 1000, 1, 2), count) {
            Ok(()) => {}
            Err(EngineError::QueueFull { .. }) => std::thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EngineError::JournalFull), "{refused}");
    assert!(matches!(engine.health(), Health::Degraded(words) if words.contains("free some space")));
    let runners = vec![NewRunner { id: RunnerId(3), name: "Draw".to_owned() }];
    for grows in [
        market(3).into_command(),
        Command::new(MARKET, CommandKind::AddRunners { runners }),
        Command::new(MarketId::NONE, CommandKind::RegisterAccount { name: "bob".into() }),
    ] {
        let refused = engine.call(grows.clone());
        assert!(matches!(refused, Err(EngineError::JournalFull)), "{grows:?}: {refused:?}");
    }
    let whose = MassCancel { account_id: AccountId(7), runner_id: RunnerId::NONE, from_ns: 0, until_ns: 0 };
    for goes_on in [
        cancel(resting.order_id),
        Command::new(MarketId(2), CommandKind::SuspendMarket { reason: None }),
        Command::new(MARKET, CommandKind::CancelOrders(whose)),
        Command::new(MarketId(2), CommandKind::OpenMarket { reason: None }),
    ] {
        let answer = engine.call(goes_on.clone()).unwrap();
        assert!(answer.result.is_ok(), "{goes_on:?}: {answer:?}");
    }
    // For long enough that the disk is asked for room again.
    std::thread::sleep(Duration::from_millis(1_200));
    faults.full.store(false, Ordering::SeqCst);
    while engine.health() != Health::Serving {
        std::thread::sleep(Duration::from_millis(10));
    }
    placed(&engine, order(Side::Yes, 1000, 1, 2));
    engine.stop();
    let here = directory.path().to_str().unwrap();
    assert_eq!(
        (said(&["cannot be prepared", here]), said(&["has room again", here])),
        (1, 1),
        "said once, and when it was over"
    );
    drop(engine);
    assert_eq!(
        open(&directory).read().market(MARKET).unwrap().resting_orders() as u64,
        taken.load(Ordering::SeqCst) + 1
    );
}

/// The environment variable that makes this test's process the one that is to die.
const DIES_IN: &str = "BETEX_TEST_DIES_IN";

#[test]
fn a_failed_sync_ends_the_process_and_nothing_after_it_is_acknowledged() {
    if let Ok(directory) = std::env::var(DIES_IN) {
        return die_of_a_failed_sync(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "faults::a_failed_sync_ends_the_process_and_nothing_after_it_is_acknowledged";
    let child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DIES_IN, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr).into_owned();
    assert_eq!(child.status.signal(), Some(6), "aborted: {said}");
    assert!(
        said.contains("nothing is acknowledged that is not on disk") && said.contains("the disk is gone"),
        "{said}"
    );
    let acknowledged =
        std::fs::read_to_string(directory.path().join("acknowledged")).unwrap().lines().count();
    assert!(acknowledged >= 10, "{acknowledged} orders were acknowledged before");
    let engine = open(&directory);
    let there = engine.read().market(MARKET).unwrap().resting_orders() as usize;
    // What the failed sync was to cover may have reached the disk or not; it was not acknowledged.
    assert!((acknowledged..=acknowledged + 1).contains(&there), "{acknowledged} acknowledged, {there} there");
}

#[expect(clippy::print_stderr, reason = "its last words")]
fn die_of_a_failed_sync(directory: &Path) {
    use std::io::Write;
    let faults = Faults::none();
    let config = Config { last_words: Arc::new(|words| eprintln!("{words}")), ..config() };
    let storage = Faulty { inner: FileStorage::new(directory), faults: Arc::clone(&faults) };
    let engine = EngineBuilder::on_storage(config, Arc::new(storage)).unwrap().build().unwrap();
    engine.call(market(1).into_command()).unwrap().result.unwrap();
    // The next segment is there, so that only frames are synced from now on.
    let folder =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let list = folder.unwrap().join("segments.list");
    while !std::fs::read_to_string(&list).is_ok_and(|list| list.contains("segments = 1 2 ")) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut acknowledged = std::fs::File::create(directory.join("acknowledged")).unwrap();
    faults.syncs_left.store(20, Ordering::SeqCst);
    for _ in 0..1_000 {
        placed(&engine, order(Side::No, 250, 1, 1));
        writeln!(acknowledged, "one more").unwrap();
    }
}
