//! Market snapshots: everything in one is of one sequence number.

use betex_core::command::{CommandKind, NewMarket, NewOrder};
use betex_core::decide::Receipt;
use betex_core::event::OutcomeIndex;
use betex_core::ladder::Ladder;
use betex_core::snapshot::{MarketBookSnapshot, MarketSnapshot, RunnerSnapshot, SnapshotPriceSelection};
use betex_core::types::{BookMarketState, Hold, MarketPhase, Price, Quantity, Side};

use crate::exchange::{Exchange, MARKET};
use crate::script::check_market;

fn snapshot(exchange: &Exchange, depth: usize) -> MarketSnapshot {
    exchange.state.market(MARKET).expect("the market is there").snapshot(depth)
}

fn selection(price: u32, quantity: i64, orders: u32) -> SnapshotPriceSelection {
    SnapshotPriceSelection { price: Price(price), quantity: Quantity(quantity), orders }
}

/// The lists of a snapshot are the levels of the book, and the virtual ones are apart.
fn check_prices(exchange: &Exchange, runner: &RunnerSnapshot, depth: usize) {
    let market = exchange.state.market(MARKET).expect("the market is there");
    let outcome = runner.runner.outcome;
    let real = |side| market.levels(outcome, side).take(depth).map(Into::into).collect::<Vec<_>>();
    assert_eq!(runner.prices.available_to_back, real(Side::No));
    assert_eq!(runner.prices.available_to_lay, real(Side::Yes));
    let by_sets = |side| {
        let levels = market.virtual_levels(outcome, side, depth);
        levels.into_iter().map(Into::into).collect::<Vec<_>>()
    };
    assert_eq!(runner.prices.virtual_to_back, by_sets(Side::No));
    assert_eq!(runner.prices.virtual_to_lay, by_sets(Side::Yes));
    assert_eq!((runner.last_price, runner.traded), (market.last_price(outcome), market.traded(outcome)));
}

#[test]
fn a_market_at_odds() {
    let exchange = check_market(
        "market odds Home Draw Away
         a back Draw 4.00 10     => #1 RESTING rests 10.00
         a back Draw 4.10 10     => #2 RESTING rests 10.00
         b back Away 4.00 20     => #3 RESTING rests 20.00
         b lay Home 1.90 5       => #4 RESTING rests 5.00
         c back Home 1.90 2 ioc  => #5 FILLED set 2.00@2.00 pays 4.00 (1.00@4.00#1 1.00@4.00#3)
         hold halted weather     => SUSPENDED",
    );
    let MarketSnapshot::Exchange(market) = snapshot(&exchange, 1) else { panic!("at odds") };
    assert_eq!(market.ladder, Ladder::Classic);
    let MarketBookSnapshot { sequence, market_sequence, time_ns, status, holds, phase, reason, .. } =
        &market.book;
    assert_eq!((*sequence, *time_ns), (exchange.state.sequence(), exchange.state.time_ns()));
    assert_eq!(*market_sequence, exchange.log.last().map_or(0, |(stamp, _)| stamp.market_sequence));
    assert_eq!(
        (*status, *phase, holds.as_slice()),
        (BookMarketState::Suspended, MarketPhase::Pre, &[Hold::Halted][..])
    );
    assert_eq!(reason.as_deref(), Some("weather"));
    assert_eq!(market.book.traded, 40_000, "all legs of the set");
    let home = &market.book.runners[0];
    assert_eq!(home.last_price, Some(Price(20_000)));
    assert_eq!(home.prices.available_to_back, [selection(19_000, 50_000, 1)]);
    assert_eq!(
        home.prices.virtual_to_back,
        [selection(20_000, 180_000, 1)],
        "one of the two, with a depth of 1"
    );
    for runner in &market.book.runners {
        check_prices(&exchange, runner, 1);
    }
}

#[test]
fn a_yes_no_market() {
    let exchange = check_market(
        "market ticks:100 YES NO
         a buy YES 60 10         => #1 RESTING rests 10
         b buy NO 35 10          => #2 RESTING rests 10
         c sell NO 35 4          => #3 FILLED 4@35#2",
    );
    let MarketSnapshot::Binary(market) = snapshot(&exchange, 10) else { panic!("binary") };
    assert_eq!((market.max_price_ticks, market.pair, market.book.traded), (100, true, 4));
    let [yes, no] = market.book.runners.as_slice() else { panic!("two") };
    assert_eq!((yes.last_price, no.last_price), (Some(Price(65)), Some(Price(35))));
    assert_eq!(yes.prices.available_to_back, [selection(65, 6, 1)]);
    assert_eq!(no.prices.available_to_lay, [selection(35, 6, 1)]);
    assert_eq!(yes.prices.available_to_lay, [selection(60, 10, 1)]);
    assert_eq!(no.prices.available_to_back, [selection(40, 10, 1)]);
    for runner in [yes, no] {
        check_prices(&exchange, runner, 10);
    }
}

#[test]
fn removed_runners_stay_in_the_list() {
    let exchange = check_market(
        "market ticks:100 Ann Ben Cat
         a buy Ann 40 10         => #1 RESTING rests 10
         b buy Ben 35 8          => #2 RESTING rests 8
         withdraw Cat 1250       => WITHDRAWN",
    );
    let snapshot = snapshot(&exchange, 5);
    let runners = &snapshot.book().runners;
    assert_eq!(
        runners.iter().map(|runner| runner.runner.removed).collect::<Vec<_>>(),
        [None, None, Some(1_250)]
    );
    // Two remain, and what backs the one is an offer to the other.
    assert_eq!(runners[0].prices.virtual_to_back, [selection(65, 8, 1)]);
    assert_eq!(runners[2].prices.virtual_to_back, []);
}

/// What a virtual level says is what a taker of its size gets: all that is shown, at these prices or better.
#[test]
fn virtual_levels_are_what_sets_give() {
    let script = "market odds Home Draw Away
         a back Draw 3.90 10     => #1 RESTING rests 10.00
         b back Draw 4.50 7.13   => #2 RESTING rests 7.13
         b back Away 4.00 20     => #3 RESTING rests 20.00
         c back Away 5.00 3.01   => #4 RESTING rests 3.01";
    let mut exchange = check_market(script);
    let market = exchange.state.market(MARKET).expect("the market is there");
    let levels = market.virtual_levels(OutcomeIndex(0), Side::No, 10);
    let worst = levels.last().expect("there are some").price;
    let total: i64 = levels.iter().map(|level| level.quantity.0).sum();
    assert!(levels.is_sorted_by(|a, b| a.price > b.price), "{levels:?}");
    assert!(levels.iter().all(|level| Ladder::Classic.tick(level.price).is_some()));
    let order = NewOrder::limit(1.into(), Side::Yes, worst, Quantity(total));
    let (receipt, _) = exchange.run(MARKET, &CommandKind::SubmitOrder(order)).expect("taken");
    let Receipt::Order { report, .. } = receipt else { panic!("{receipt:?}") };
    assert_eq!(report.filled, Quantity(total));
}

#[test]
fn a_market_without_sets_has_no_virtual_levels() {
    let mut exchange = Exchange::default();
    let state = BookMarketState::Open;
    exchange.create(NewMarket { state, independent: true, ..NewMarket::new("", ["Home", "Away"]) });
    exchange.submit(NewOrder::limit(1.into(), Side::Yes, Price(20_000), Quantity(100))).expect("rests");
    let market = exchange.state.market(MARKET).expect("the market is there");
    assert_eq!(market.virtual_levels(OutcomeIndex(1), Side::No, 10), []);
}
