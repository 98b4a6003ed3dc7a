//! An engine in a directory of its own, and commands in a few words.

use std::path::Path;
use std::sync::{Condvar, Mutex};

use betex::prelude::*;
use tempfile::TempDir;

pub(crate) const HOME: RunnerId = RunnerId(1);
pub(crate) const MARKET: MarketId = MarketId(1);

pub(crate) fn market(id: u64) -> MarketConfig {
    MarketConfig::TwoRunner {
        market_id: MarketId(id),
        name: format!("market {id}"),
        runner_a: RunnerId(1),
        runner_b: RunnerId(2),
        market_kind: MarketKind::InPlayCapable,
        market_state: BookMarketState::Open,
        market_phase: MarketPhase::Pre,
    }
}

/// Small segments, so that tests do not write 64 MiB each.
pub(crate) fn config() -> Config {
    Config { segment_bytes: 1 << 20, ring_slots: 1_024, ..Config::default() }
}

pub(crate) fn builder(path: &Path) -> EngineBuilder {
    EngineBuilder::with_markets(config(), [market(1)], path).unwrap()
}

pub(crate) fn open(directory: &TempDir) -> Engine {
    builder(directory.path()).build().unwrap()
}

pub(crate) fn order(side: Side, odds: u32, pennies: i64, account: u64) -> Command {
    let order =
        NewOrder::limit(HOME, side, Price(odds * 100), Quantity(pennies * 100)).by(AccountId(account));
    Command::new(MARKET, CommandKind::SubmitOrder(order))
}

pub(crate) fn cancel(id: OrderId) -> Command {
    let (order, account_id, keep) = (OrderRef::Id(id), AccountId::NONE, Quantity::ZERO);
    Command::new(MARKET, CommandKind::CancelOrder { order, account_id, keep })
}

/// The report of an order that was accepted.
pub(crate) fn placed(engine: &Engine, command: Command) -> OrderReport {
    match engine.call(command).unwrap().result {
        Ok(Receipt::Order { report, .. }) => report,
        other => panic!("{other:?}"),
    }
}

/// Holds the dispatcher until it is let go.
#[derive(Default)]
pub(crate) struct Latch(Mutex<bool>, Condvar);

impl Latch {
    pub(crate) fn hold(&self) {
        let mut free = self.0.lock().unwrap();
        while !*free {
            free = self.1.wait(free).unwrap();
        }
    }

    pub(crate) fn release(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// Copies a directory as a crash would leave it, more or less: journals are made to open as a prefix.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if std::fs::copy(entry.path(), &to).is_err() {
            assert!(!entry.path().exists(), "only what was renamed meanwhile may be missing");
        }
    }
}
