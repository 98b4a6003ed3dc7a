//! The whole of matching through the engine and its journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use betex::engine::Clock;
use betex::prelude::*;
use betex::snapshot::MarketSnapshot;

use crate::shop::{config, placed};

const MARKET: MarketId = MarketId(1);

/// An engine with one open market.
fn open_with(directory: &std::path::Path, market: NewMarket) -> Engine {
    let engine = EngineBuilder::new(config(), directory).unwrap().build().unwrap();
    let market = NewMarket { state: BookMarketState::Open, ..market };
    engine
        .call(Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(market))))
        .unwrap()
        .result
        .unwrap();
    engine
}

fn reopen(directory: &std::path::Path) -> Engine {
    EngineBuilder::new(config(), directory).unwrap().build().unwrap()
}

fn submit(order: NewOrder) -> Command {
    Command::new(MARKET, CommandKind::SubmitOrder(order))
}

fn back(runner: u64, odds: u32, stake: i64) -> NewOrder {
    NewOrder::limit(RunnerId(runner), Side::Yes, Price(odds), Quantity(stake))
}

#[test]
fn the_largest_transaction_goes_through_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open_with(directory.path(), NewMarket::new("final", ["Home", "Away"]));
    for _ in 0..4_200 {
        engine.submit_on(CommandLane::Normal, submit(back(2, 20_000, 100))).unwrap();
        // The lane is bounded, and so is the disk's pace.
        while engine.durable_sequence() + 8_000 < engine.read().sequence() {
            std::thread::yield_now();
        }
    }
    let order = back(1, 20_000, 1_000_000).lasting(TimeInForce::Ioc);
    let answer = engine.call(submit(order)).unwrap();
    let Ok(Receipt::Order { report, reason }) = answer.result else { panic!("{:?}", answer.result) };
    assert_eq!((report.filled, reason), (Quantity(409_600), Some(betex::book::CancelReason::Unfilled)));
    assert_eq!(answer.events.len(), 2 * 4_096 + 2, "accepted, the legs of 4,096 sets, cancelled");
    engine.stop();
    let digest = engine.read().digest();
    drop(engine);
    assert_eq!(reopen(directory.path()).read().digest(), digest);
}

#[test]
fn a_mass_cancel_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open_with(directory.path(), NewMarket::new("final", ["Home", "Away"]));
    for n in 0..3_000_u64 {
        let order = back(1, 20_000, 100).by(AccountId(n % 2 + 1));
        while engine.submit_on(CommandLane::Normal, submit(order)).is_err() {
            std::thread::yield_now();
        }
    }
    placed(&engine, submit(back(1, 30_000, 100).by(AccountId(1))));
    let all_of_one = MassCancel { account_id: AccountId(1), ..MassCancel::default() };
    let answer = engine.call(Command::new(MARKET, CommandKind::CancelOrders(all_of_one))).unwrap();
    let Ok(Receipt::OrdersCancelled { orders, done, .. }) = answer.result else { panic!("{answer:?}") };
    assert_eq!((orders, done), (512, false));
    // Stopped in the middle, or not: the commands that were taken are done, jobs are not waited for.
    engine.stop();
    drop(engine);

    let engine = reopen(directory.path());
    let newcomer = placed(&engine, submit(back(1, 20_000, 100).by(AccountId(1))));
    let deadline = Instant::now() + Duration::from_secs(30);
    while engine.read().jobs().next().is_some() {
        assert!(Instant::now() < deadline, "the job does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    let state = engine.read();
    let market = state.market(MARKET).unwrap();
    assert_eq!(market.resting_orders(), 1_501, "the other account's, and the one that came later");
    assert!(state.order(newcomer.order_id).is_some());
}

/// A clock that stands still until it is told.
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    fn now_ns(&mut self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn a_long_job_keeps_its_pace() {
    let (directory, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU64::new(1_000_000_000)));
    let paced = Config { job_orders_per_s: 512, ..config() };
    let builder = EngineBuilder::new(paced, directory.path()).unwrap();
    let engine = builder.with_clock(Told(Arc::clone(&now))).build().unwrap();
    let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new("final", ["Home", "Away"]) };
    engine.call(Command::new(MarketId::NONE, CommandKind::CreateMarket(Box::new(market)))).unwrap();
    for _ in 0..2_000 {
        while engine.submit_on(CommandLane::Normal, submit(back(1, 20_000, 100))).is_err() {
            std::thread::yield_now();
        }
    }
    placed(&engine, submit(back(1, 20_000, 100)));
    engine.call(Command::new(MARKET, CommandKind::CloseMarket { reason: None })).unwrap().result.unwrap();
    let resting = || engine.read().market(MARKET).unwrap().resting_orders();
    let deadline = Instant::now() + Duration::from_secs(30);
    for left in [1_489, 977, 465, 0] {
        while resting() > left {
            assert!(Instant::now() < deadline, "no step was taken");
            std::thread::sleep(Duration::from_millis(1));
        }
        // However long it waits, there is no further step before its time.
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(resting(), left);
        now.fetch_add(1_000_000_000, Ordering::SeqCst);
    }
}

#[test]
fn every_kind_of_command_is_the_same_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let market = NewMarket {
        kind: MarketKind::InPlayCapable,
        ..NewMarket::new("lines", ["Home_0.0", "Home_-0.5", "Away_0.0", "Away_+0.5"])
    };
    let engine = open_with(directory.path(), market);
    let quarter = NewOrder { far_runner_id: RunnerId(2), ..back(1, 19_000, 1_100) };
    let quarter = placed(&engine, submit(quarter.by(AccountId(7)).named("q".try_into().unwrap())));
    assert!(quarter.split);
    let fok = TimeInForce::Fok { min_fill: Quantity(200) };
    placed(&engine, submit(back(3, 20_000, 300).by(AccountId(8)).lasting(fok)));
    let ask = |kind| engine.call(Command::new(MARKET, kind)).unwrap().result.unwrap();
    ask(CommandKind::AddRunners {
        runners: vec![
            NewRunner { id: RunnerId(5), name: "Home_-1.0".to_owned() },
            NewRunner { id: RunnerId(6), name: "Away_+1.0".to_owned() },
        ],
    });
    ask(CommandKind::RemoveRunner { runner_id: RunnerId(6), reduction: 250, reason: Some("typo".into()) });
    ask(CommandKind::HoldMarket { hold: Hold::Halted, reason: None });
    ask(CommandKind::LiftHold { hold: Hold::Halted, reason: Some("over".into()) });
    ask(CommandKind::VoidTrades { trades: VoidedTrades::One(TradeId(5)), reason: None });
    ask(CommandKind::VoidTrades { trades: VoidedTrades::Window { from_ns: 1, until_ns: 9 }, reason: None });
    ask(CommandKind::SetPhase { phase: MarketPhase::Live, reason: Some("kick-off".into()) });
    let digest = engine.read().digest();
    engine.stop();
    drop(engine);

    let engine = reopen(directory.path());
    let state = engine.read();
    assert_eq!(state.digest(), digest);
    let report = state.market(MARKET).unwrap().client_order(AccountId(7), "q").unwrap();
    assert_eq!((report.order_id, report.status), (quarter.order_id, OrderStatus::Lapsed));
    assert!(report.split && report.filled > Quantity::ZERO);
}

#[test]
fn an_embedders_binary_market() {
    let directory = tempfile::tempdir().unwrap();
    let market = MarketConfig::Binary {
        market_id: MARKET,
        name: "Rain tomorrow".to_owned(),
        runners: vec![RunnerId(1), RunnerId(2)],
        max_price_ticks: 100,
        independent: false,
        market_kind: MarketKind::PreEventOnly,
        market_state: BookMarketState::Open,
        market_phase: MarketPhase::Pre,
    };
    let engine = EngineBuilder::with_markets(config(), [market], directory.path()).unwrap().build().unwrap();
    placed(&engine, submit(NewOrder::limit(RunnerId(1), Side::Yes, Price(60), Quantity(10))));
    let no = placed(&engine, submit(NewOrder::limit(RunnerId(2), Side::Yes, Price(45), Quantity(4))));
    assert_eq!(no.filled, Quantity(4));
    let Some(MarketSnapshot::Binary(snapshot)) = engine.market_snapshot(MARKET, 5) else { panic!("binary") };
    assert_eq!(
        snapshot.book.runners[1].last_price,
        Some(Price(40)),
        "the maker's price, seen from the other side"
    );
}
