//! A client order id is answered after a restart exactly as it would have been before it.

use std::path::Path;

use betex::prelude::*;

use crate::shop::{HOME, MARKET, cancel, config, copy, market};

const ALICE: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);
/// The market of quarter lines.
const LINES: MarketId = MarketId(2);
/// Ids that a market remembers here.
const BOUND: u32 = 10;

fn build(directory: &Path) -> Engine {
    let limits = Limits { client_ids_per_market: BOUND, ..Limits::default() };
    let config = Config { limits, ..config() };
    EngineBuilder::with_markets(config, [market(1)], directory).unwrap().build().unwrap()
}

fn named(id: &str, side: Side, quantity: i64) -> Command {
    let order = NewOrder::limit(HOME, side, Price(25_000), Quantity(quantity)).by(ALICE);
    Command::new(MARKET, CommandKind::SubmitOrder(order.named(id.try_into().unwrap())))
}

fn ask(engine: &Engine, command: Command) -> Result<Receipt, Rejection> {
    engine.call(command).unwrap().result
}

fn accepted(engine: &Engine, command: Command) -> OrderReport {
    match ask(engine, command) {
        Ok(Receipt::Order { report, .. }) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fate_of_an_order_is_answered_after_a_restart_as_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let engine = build(directory.path());
    let lines = ["Home_-0.5", "Away_+0.5", "Home_-1.0", "Away_+1.0"];
    let lines = NewMarket { state: BookMarketState::Open, ..NewMarket::new("lines", lines) };
    ask(&engine, Command::new(LINES, CommandKind::CreateMarket(Box::new(lines)))).unwrap();

    accepted(&engine, named("resting", Side::No, 500));
    accepted(&engine, named("partly filled", Side::No, 500));
    // Bob takes what came first, and some of what came next.
    let take = NewOrder::limit(HOME, Side::Yes, Price(25_000), Quantity(700)).by(BOB);
    accepted(&engine, Command::new(MARKET, CommandKind::SubmitOrder(take)));
    accepted(&engine, named("now resting", Side::No, 300));
    let cancelled = accepted(&engine, named("cancelled", Side::No, 400));
    ask(&engine, cancel(cancelled.order_id)).unwrap();
    let reduced = accepted(&engine, named("reduced", Side::No, 400));
    let (order, keep) = (OrderRef::Id(reduced.order_id), Quantity(100));
    ask(&engine, Command::new(MARKET, CommandKind::CancelOrder { order, account_id: ALICE, keep })).unwrap();
    let expiry_ms = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 40;
    let brief = NewOrder::limit(HOME, Side::No, Price(24_000), Quantity(100))
        .by(ALICE)
        .named("expired".try_into().unwrap());
    let brief = brief.lasting(TimeInForce::Gtd { expiry_ms });
    let brief = accepted(&engine, Command::new(MARKET, CommandKind::SubmitOrder(brief)));
    while engine.read().order(brief.order_id).is_some() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let never = NewOrder::limit(HOME, Side::No, Price(24_000), Quantity(100))
        .by(ALICE)
        .named("never rested".try_into().unwrap());
    let never = never.lasting(TimeInForce::Ioc);
    accepted(&engine, Command::new(MARKET, CommandKind::SubmitOrder(never)));
    let split = NewOrder {
        far_runner_id: RunnerId(3),
        ..NewOrder::limit(RunnerId(1), Side::Yes, Price(19_000), Quantity(1_100))
            .by(ALICE)
            .named("split".try_into().unwrap())
    };
    let split = Command::new(LINES, CommandKind::SubmitOrder(split));
    assert!(accepted(&engine, split.clone()).split);
    let half = NewOrder::limit(RunnerId(3), Side::No, Price(19_000), Quantity(200)).by(BOB);
    accepted(&engine, Command::new(LINES, CommandKind::SubmitOrder(half)));
    // Up to the bound.
    accepted(&engine, named("another", Side::No, 100));
    accepted(&engine, named("the ninth", Side::No, 100));
    accepted(&engine, named("the tenth", Side::No, 100));

    let again = |engine: &Engine| {
        let ids = [
            "resting",
            "partly filled",
            "now resting",
            "cancelled",
            "reduced",
            "expired",
            "never rested",
            "another",
            "the ninth",
            "the tenth",
        ];
        let orders = ids.map(|id| named(id, Side::No, 500)).into_iter().chain([split.clone()]);
        let answers: Vec<OrderReport> = orders
            .map(|order| match ask(engine, order) {
                Err(Rejection::DuplicateClientId(report)) => report,
                other => panic!("{other:?}"),
            })
            .collect();
        (answers, ask(engine, named("one too many", Side::No, 100)))
    };
    let before = again(&engine);
    let fates: Vec<_> =
        before.0.iter().map(|report| (report.status, report.filled.0, report.remaining.0)).collect();
    assert_eq!(fates, FATES);
    let full = before.1.as_ref().unwrap_err().to_string();
    assert!(full.contains("10"), "{full}");

    // A crash: what is on disk is copied under the running engine.
    let crashed = tempfile::tempdir().unwrap();
    copy(directory.path(), crashed.path());
    drop(engine);
    for directory in [crashed.path(), directory.path()] {
        for _ in 0..2 {
            assert_eq!(again(&build(directory)), before, "{}", directory.display());
        }
    }
}

/// What became of each, what of it was filled, and what rests.
const FATES: [(OrderStatus, i64, i64); 11] = [
    (OrderStatus::Filled, 500, 0),
    (OrderStatus::PartiallyFilled, 200, 300),
    (OrderStatus::Resting, 0, 300),
    (OrderStatus::Cancelled, 0, 0),
    (OrderStatus::Resting, 0, 100),
    (OrderStatus::Expired, 0, 0),
    (OrderStatus::Cancelled, 0, 0),
    (OrderStatus::Resting, 0, 100),
    (OrderStatus::Resting, 0, 100),
    (OrderStatus::Resting, 0, 100),
    (OrderStatus::PartiallyFilled, 200, 900),
];
