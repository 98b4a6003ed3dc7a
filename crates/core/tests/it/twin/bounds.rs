//! The bounds on the work of one command, where the price-time order of thousands counts, too.

use betex_core::command::{CommandKind, NewOrder};
use betex_core::event::Event;
use betex_core::ladder::Ladder;
use betex_core::types::{AccountId, Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce};

use super::Twin;
use crate::exchange::{Exchange, MARKET};
use crate::flow::market::group;

/// An open market and its twin.
struct Both {
    exchange: Exchange,
    twin: Twin,
}

impl Both {
    fn new(ladder: Ladder, outcomes: usize) -> Self {
        let plan = group(ladder, outcomes);
        let mut exchange = Exchange::default();
        exchange.create(plan.spec("bounds"));
        Self { exchange, twin: Twin::new(0, &plan) }
    }

    /// Answers with how many maker legs it met.
    fn submit(&mut self, account: u64, outcome: u64, side: Side, price: u32, quantity: i64) -> usize {
        let order = NewOrder::limit(RunnerId(outcome), side, Price(price), Quantity(quantity));
        self.take(order.by(AccountId(account)))
    }

    fn take(&mut self, order: NewOrder) -> usize {
        let kind = CommandKind::SubmitOrder(order);
        let core = self.exchange.run(MARKET, &kind);
        let events = core.as_ref().map(|(_, events)| events.clone()).unwrap_or_default();
        self.twin.follow(&self.exchange, &kind, core);
        events.iter().filter(|event| matches!(event, Event::TradeMatched(_))).count()
    }
}

#[test]
fn core_and_twin_stop_at_the_same_bound() {
    let mut both = Both::new(Ladder::Classic, 2);
    for n in 0..4_200_u32 {
        both.submit(u64::from(n) % 2 + 1, 1, Side::No, 20_000 - n % 7 * 100, 100);
    }
    for (account, quantity) in [(3, 500_000), (1, 6_000), (2, 100), (3, 100)] {
        both.submit(account, 1, Side::Yes, 19_400, quantity);
    }
    for _ in 0..4_200 {
        both.submit(1, 1, Side::No, 20_000, 100);
    }
    both.submit(2, 1, Side::No, 19_900, 100);
    for account in [1, 2, 1] {
        both.submit(account, 1, Side::Yes, 19_400, 400_000);
    }
    both.twin.compare(&both.exchange);
}

#[test]
fn core_and_twin_stop_at_the_same_bound_of_sets() {
    let mut both = Both::new(Ladder::Classic, 3);
    for n in 0..2_060 {
        both.submit(n % 2 + 1, 2, Side::Yes, 30_000, 10_000);
        both.submit(n % 2 + 1, 3, Side::Yes, 30_000, 10_000);
    }
    // Two legs each, and the makers of the last sets stay.
    assert_eq!(both.submit(3, 1, Side::Yes, 29_800, 50_000_000), 4_096);
    assert_eq!(both.submit(3, 1, Side::Yes, 29_800, 50_000_000), 24);
    both.twin.compare(&both.exchange);

    let mut both = Both::new(Ladder::Binary { max_price_ticks: 100 }, 3);
    for n in 0..2_060 {
        both.submit(n % 2 + 1, 2, Side::No, 60, 1);
        both.submit(n % 2 + 1, 3, Side::No, 10, 1);
    }
    assert_eq!(both.submit(3, 1, Side::No, 20, 50_000), 4_096);
    both.twin.compare(&both.exchange);
}

#[test]
fn core_and_twin_pass_over_as_many() {
    for (pennies, legs) in [(4_000, 1), (4_200, 0)] {
        let mut both = Both::new(Ladder::Classic, 2);
        for _ in 0..pennies {
            both.submit(1, 2, Side::Yes, 19_900, 100);
        }
        both.submit(1, 2, Side::Yes, 19_900, 10_000_000);
        assert_eq!(both.submit(2, 1, Side::Yes, 19_000, 100_000), legs, "{pennies} pennies");
        both.twin.compare(&both.exchange);
    }
}

#[test]
fn core_and_twin_look_at_as_many_payouts() {
    for (small, legs) in [(200, 11), (300, 0)] {
        let mut both = Both::new(Ladder::Classic, 12);
        for (outcome, odds) in (3..13).zip((120_000..).step_by(5_000)) {
            both.submit(1, outcome, Side::Yes, odds, 100_000_000);
        }
        // What the makers' rounding costs is more than a small payout can carry.
        for _ in 0..small {
            both.submit(1, 2, Side::Yes, 110_000, 4_000);
        }
        both.submit(1, 2, Side::Yes, 115_000, 100_000_000);
        assert_eq!(both.submit(2, 1, Side::Yes, 10_100, 100_000_000) > 0, legs > 0, "{small} small ones");
        both.twin.compare(&both.exchange);
    }
}

/// At long odds payouts are looked at in steps, so that the first acceptable one may leave something of the
/// taker where another uses it up whole.
#[test]
fn core_and_twin_use_a_taker_up_with_the_same_payout() {
    let mut both = Both::new(Ladder::Finest, 12);
    for (outcome, odds) in (2..13).zip((110_500..).step_by(1_100)) {
        both.submit(1, outcome, Side::Yes, odds, 100_000_000_000);
    }
    for pennies in 200..700 {
        let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(10_100), Quantity(pennies * 100));
        assert!(both.take(order.by(AccountId(2)).lasting(TimeInForce::Ioc)) > 0);
    }
    both.twin.compare(&both.exchange);
}

#[test]
fn core_and_twin_have_as_many_own_orders_give_way() {
    let mut both = Both::new(Ladder::Classic, 3);
    for _ in 0..4_200 {
        both.submit(2, 2, Side::Yes, 30_000, 10_000);
    }
    both.submit(1, 2, Side::Yes, 30_000, 10_000_000);
    both.submit(1, 3, Side::Yes, 30_000, 10_000_000);
    let taker = NewOrder::limit(RunnerId(1), Side::Yes, Price(29_800), Quantity(10_000)).by(AccountId(2));
    let taker = NewOrder { self_trade: SelfTradePrevention::CancelResting, ..taker };
    assert_eq!(both.take(taker), 0);
    assert_eq!(both.take(taker), 2);
    both.twin.compare(&both.exchange);
}

#[test]
fn core_and_twin_pass_as_many_own_orders_by() {
    let mut both = Both::new(Ladder::Classic, 3);
    for _ in 0..4_200 {
        both.submit(2, 2, Side::Yes, 30_000, 10_000);
    }
    both.submit(1, 2, Side::Yes, 30_000, 10_000_000);
    both.submit(1, 3, Side::Yes, 30_000, 10_000_000);
    assert_eq!(both.submit(2, 1, Side::Yes, 29_800, 10_000), 0);
    both.twin.compare(&both.exchange);
}
