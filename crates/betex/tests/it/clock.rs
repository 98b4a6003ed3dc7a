//! The engine's time on a machine whose clocks a script sets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use betex::engine::{ClockReport, TimeSource};
use betex::error::{EngineError, Rejection};
use betex::prelude::*;
use betex_core::state::State;
use betex_journal::JournalReader;

use crate::shop::{HOME, MARKET, config, market, order, placed};
use crate::snapshots::{eager, files, trade, wait_until};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const FOUR_YEARS: i64 = 4 * 365 * 24 * HOUR;
/// What the time really is when a script begins.
const BEGINNING: i64 = 1_800_000_000 * SECOND;

/// The clocks of a machine, which go as they are told.
#[derive(Clone, Default)]
struct Machine {
    running_ns: Arc<AtomicU64>,
    wrong_ns: Arc<AtomicI64>,
}

impl Machine {
    fn wrong_by(ns: i64) -> Self {
        let machine = Self::default();
        machine.set_wrong(ns);
        machine
    }

    fn pass(&self, ns: i64) {
        self.running_ns.fetch_add(ns.unsigned_abs(), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock, to so much from the truth.
    fn set_wrong(&self, ns: i64) {
        self.wrong_ns.store(ns, Ordering::SeqCst);
    }

    fn true_ns(&self) -> i64 {
        BEGINNING + i64::try_from(self.running_ns.load(Ordering::SeqCst)).unwrap()
    }

    /// An order that is good until so long from now.
    fn good_for(&self, ns: i64) -> Command {
        let expiry_ms = u64::try_from((self.true_ns() + ns) / 1_000_000).unwrap();
        let order = NewOrder::limit(HOME, Side::Yes, Price(30_000), Quantity(100)).by(AccountId(1));
        Command::new(MARKET, CommandKind::SubmitOrder(order.lasting(TimeInForce::Gtd { expiry_ms })))
    }
}

impl TimeSource for Machine {
    fn running_ns(&self) -> u64 {
        self.running_ns.load(Ordering::SeqCst)
    }

    fn wall_ns(&self) -> u64 {
        u64::try_from(self.true_ns() + self.wrong_ns.load(Ordering::SeqCst)).unwrap()
    }
}

fn start(machine: &Machine, config: Config, path: &Path) -> Engine {
    let builder = EngineBuilder::with_markets(config, [market(1)], path).unwrap();
    builder.with_time_source(machine.clone()).build().unwrap()
}

fn set_time_back() -> Config {
    Config { set_time_back: true, ..config() }
}

fn is_refused(engine: &Engine, command: Command) -> bool {
    matches!(engine.call(command).unwrap().result, Err(Rejection::InvalidExpiry { .. }))
}

/// Waits until the engine has seen so many steps of the wall clock.
fn steps(engine: &Engine, count: u64) -> ClockReport {
    wait_until("the step is seen", || engine.clock().steps == count);
    engine.clock()
}

#[test]
fn a_clock_that_is_set_forward_for_a_moment_ends_no_order_and_refuses_none() {
    let (directory, machine) = (tempfile::tempdir().unwrap(), Machine::default());
    let engine = start(&machine, config(), directory.path());
    let resting = placed(&engine, machine.good_for(600 * SECOND));
    machine.set_wrong(HOUR);
    let report = steps(&engine, 1);
    assert_eq!((report.ahead_ns, report.is_apart), (-HOUR, true));
    assert!(report.warning().unwrap().contains("1 h behind"), "{report:?}");
    machine.pass(SECOND / 2);
    let next = placed(&engine, machine.good_for(60 * SECOND));
    assert!(engine.read().order(resting.order_id).is_some());
    machine.set_wrong(0);
    assert!(!steps(&engine, 2).is_apart);
    machine.pass(SECOND);
    placed(&engine, machine.good_for(60 * SECOND));
    for order in [resting, next] {
        assert!(engine.read().order(order.order_id).is_some());
    }
}

#[test]
fn a_clock_that_is_set_back_keeps_no_order_beyond_its_time() {
    let (directory, machine) = (tempfile::tempdir().unwrap(), Machine::default());
    let engine = start(&machine, config(), directory.path());
    let resting = placed(&engine, machine.good_for(10 * SECOND));
    machine.set_wrong(-HOUR);
    let report = steps(&engine, 1);
    assert_eq!((report.ahead_ns, report.last_step.unwrap().set_by_ns), (HOUR, -HOUR));
    machine.pass(9 * SECOND);
    let maker = placed(&engine, order(Side::Yes, 310, 1, 2));
    assert!(engine.read().order(resting.order_id).is_some());
    // At most a hundredth later than it should, and it meets nobody any more.
    machine.pass(SECOND + SECOND / 5);
    let taker = placed(&engine, order(Side::No, 300, 2, 3));
    assert!(engine.read().order(resting.order_id).is_none());
    assert_eq!(taker.filled, Quantity::ZERO, "only an order at 3.10 is left: {maker:?}");
    assert!(is_refused(&engine, machine.good_for(-60 * SECOND)));
}

#[test]
fn an_order_expires_without_a_command_though_the_clock_was_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let machine = Machine::default();
    let engine = start(&machine, config(), directory.path());
    let resting = placed(&engine, machine.good_for(10 * SECOND));
    machine.set_wrong(-HOUR);
    steps(&engine, 1);
    machine.pass(11 * SECOND);
    wait_until("it expires", || engine.read().order(resting.order_id).is_none());
}

/// A journal that was written with a clock four years ahead, with a closed market.
fn four_years_ahead(path: &Path) -> (OrderId, OrderId) {
    let machine = Machine::wrong_by(FOUR_YEARS);
    let limits = Limits { closed_market_ttl_ms: 60_000, ..Limits::default() };
    let builder = EngineBuilder::with_markets(Config { limits, ..config() }, [market(1), market(2)], path);
    let engine = builder.unwrap().with_time_source(machine.clone()).build().unwrap();
    let resting = placed(&engine, order(Side::Yes, 320, 1, 2));
    let lasting = placed(&engine, machine.good_for(FOUR_YEARS + 600 * SECOND));
    let close = Command::new(MarketId(2), CommandKind::CloseMarket { reason: None });
    engine.call(close).unwrap().result.unwrap();
    engine.stop();
    (resting.order_id, lasting.order_id)
}

/// The digest of all events since the beginning.
fn replayed(path: &Path) -> [u8; 32] {
    let mut reader = JournalReader::open_dir(path).unwrap();
    let (mut state, mut events) = (State::new(), Vec::new());
    while let Some(stamp) = reader.next_transaction(&mut events).unwrap() {
        state.apply(&stamp, &events);
        events.clear();
    }
    state.digest()
}

#[test]
fn a_journal_that_is_ahead_of_the_clock_is_told_and_time_can_be_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (resting, lasting) = four_years_ahead(path);
    let machine = Machine::default();
    let limits = Limits { closed_market_ttl_ms: 60_000, ..Limits::default() };
    {
        let engine = start(&machine, Config { limits, ..config() }, path);
        let report = engine.clock();
        assert_eq!(i64::try_from(report.journal_ahead_ns).unwrap(), FOUR_YEARS);
        let warning = report.warning().unwrap();
        assert!(warning.contains("4 years ahead") && warning.contains("--set-time-back"), "{warning}");
        assert!(is_refused(&engine, machine.good_for(60 * SECOND)));
        // It runs and does not wait for the clock.
        let before = engine.now_ns();
        machine.pass(SECOND);
        assert!(engine.now_ns() - before > 900_000_000);
    }
    {
        let engine = start(&machine, Config { limits, ..set_time_back() }, path);
        let report = engine.clock();
        assert_eq!((report.journal_ahead_ns, report.is_apart, report.warning()), (0, false, None));
        let sane = placed(&engine, machine.good_for(60 * SECOND));
        for order in [resting, lasting, sane.order_id] {
            assert!(engine.read().order(order).is_some(), "the book is as it was");
        }
        assert!(engine.read().market(MarketId(2)).is_some());
        machine.pass(61 * SECOND);
        wait_until("an order expires at its time", || engine.read().order(sane.order_id).is_none());
        wait_until("a closed market goes a minute later", || engine.read().market(MarketId(2)).is_none());
        assert!(engine.read().order(lasting).is_some());
    }
    let engine = start(&machine, Config { limits, ..config() }, path);
    assert_eq!(engine.clock().journal_ahead_ns, 0);
    placed(&engine, machine.good_for(60 * SECOND));
    engine.stop();
    assert_eq!(engine.read().digest(), replayed(path));
}

#[test]
fn time_that_was_set_back_is_in_snapshots_and_what_is_old_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    {
        let engine =
            start(&Machine::wrong_by(FOUR_YEARS), Config { snapshot_every_segments: 0, ..config() }, path);
        while files(path, ".segment").len() < 6 {
            trade(&engine, 2_000);
        }
    }
    let machine = Machine::default();
    let kept = Config { retention_age: Duration::from_secs(3_600), ..eager() };
    let engine = start(&machine, Config { set_time_back: true, ..kept.clone() }, path);
    // Segments of before, of then and of later, all of them full.
    let until_next_snapshot = |engine: &Engine| {
        let before = files(path, ".snapshot");
        while files(path, ".snapshot") == before {
            trade(engine, 2_000);
        }
    };
    for _ in 0..4 {
        until_next_snapshot(&engine);
        machine.pass(60 * SECOND);
    }
    engine.stop();
    let digest = engine.read().digest();
    assert_eq!(digest, replayed(path));
    drop(engine);
    let engine = start(&machine, kept, path);
    assert!(engine.recovery().snapshot.is_some());
    assert_eq!(engine.read().digest(), digest);
    assert!(files(path, "00000001.segment").len() == 1, "an hour has not passed");
    machine.pass(2 * HOUR);
    until_next_snapshot(&engine);
    wait_until("what is old goes", || files(path, "00000001.segment").is_empty());
}

#[test]
fn time_is_set_back_only_if_it_is_ahead_and_never_to_a_clock_that_was_not_set() {
    let directory = tempfile::tempdir().unwrap();
    let (path, machine) = (directory.path(), Machine::default());
    drop(start(&machine, config(), path));
    machine.pass(SECOND);
    let engine = start(&machine, set_time_back(), path);
    let before = engine.read().sequence();
    placed(&engine, order(Side::Yes, 320, 1, 2));
    assert_eq!(engine.read().sequence(), before + 1);
    drop(engine);
    let builder = EngineBuilder::new(set_time_back(), path).unwrap();
    let refused = builder.with_time_source(Machine::wrong_by(-BEGINNING)).build();
    let Err(EngineError::Invalid { field, problem }) = refused else { panic!("it starts") };
    assert!(field == "set_time_back" && problem.contains("year 2000"), "{problem}");
}
