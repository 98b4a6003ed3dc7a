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

    fn compare(&self) {
        self.twin.compare(&self.exchange);
        self.twin.compare_virtual_levels(&self.exchange);
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
    both.compare();
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
    both.compare();

    let mut both = Both::new(Ladder::Binary { max_price_ticks: 100 }, 3);
    for n in 0..2_060 {
        both.submit(n % 2 + 1, 2, Side::No, 60, 1);
        both.submit(n % 2 + 1, 3, Side::No, 10, 1);
    }
    assert_eq!(both.submit(3, 1, Side::No, 20, 50_000), 4_096);
    both.compare();
}

/// With 200 other outcomes there are 655 looks for sets.
#[test]
fn core_and_twin_look_as_often() {
    for (pennies, legs) in [(654, 200), (655, 0)] {
        let mut both = Both::new(Ladder::Classic, 201);
        // Beside these a penny at 1.01 is too good, and passed over.
        for outcome in 3..202 {
            both.submit(1, outcome, Side::Yes, 10_000_000, 1_000_000);
        }
        for _ in 0..pennies {
            both.submit(1, 2, Side::Yes, 10_100, 100);
        }
        both.submit(1, 2, Side::Yes, 20_000, 1_000_000);
        let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(10_100), Quantity(30_100)).by(AccountId(2));
        let fok = order.lasting(TimeInForce::Fok { min_fill: Quantity(0) });
        assert_eq!(both.take(fok), legs, "{pennies} pennies");
        assert_eq!(both.take(order), legs, "{pennies} pennies");
        both.compare();
    }
    let mut both = Both::new(Ladder::Binary { max_price_ticks: 10_000 }, 201);
    for outcome in 3..202 {
        both.submit(1, outcome, Side::Yes, 1, 100);
    }
    for _ in 0..654 {
        both.submit(1, 2, Side::Yes, 9_900, 1);
    }
    for (shares, legs) in [(10, 200), (10, 200), (200, 200)] {
        both.submit(1, 2, Side::Yes, 5_000, shares);
        assert_eq!(both.submit(2, 1, Side::Yes, 5_000, 10), legs);
    }
    both.submit(1, 2, Side::Yes, 9_900, 1);
    assert_eq!(both.submit(2, 1, Side::Yes, 5_000, 10), 0);
    both.compare();
}

/// Makers that are passed over are looked at again when the direct price changes, and only then.
#[test]
fn core_and_twin_look_again_at_the_same_time() {
    for (second, sets) in [(28_600, 0), (28_400, 1)] {
        let mut both = Both::new(Ladder::Finest, 3);
        both.submit(1, 2, Side::Yes, 25_800, 100);
        both.submit(1, 3, Side::Yes, 37_500, 100_000);
        both.submit(3, 1, Side::No, 28_600, 900);
        both.submit(4, 1, Side::No, second, 50_000);
        assert_eq!(both.submit(5, 1, Side::Yes, 28_000, 1_000), 2 + sets);
        both.compare();
    }
}

/// A set that would pass the bound on fills ends sets; direct orders go on to theirs.
#[test]
fn core_and_twin_go_on_directly_after_sets() {
    for worse in 0..3 {
        let mut both = Both::new(Ladder::Classic, 3);
        for _ in 0..2_048 {
            both.submit(1, 2, Side::Yes, 30_000, 1_000);
            both.submit(1, 3, Side::Yes, 30_000, 1_000);
        }
        both.submit(1, 1, Side::No, 40_000, 1_000);
        for _ in 0..worse {
            both.submit(1, 1, Side::No, 29_000, 1_000);
        }
        let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(28_000), Quantity(3_000_000));
        let order = order.by(AccountId(2));
        assert_eq!(both.take(order.lasting(TimeInForce::Fok { min_fill: Quantity(0) })), 0);
        assert_eq!(both.take(order), 4_095 + worse.min(1));
        both.compare();
    }
}

/// At long odds a payout is many stakes of the taker, which may be left a little where another payout uses it
/// up.
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
    both.compare();
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
    both.compare();
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
    both.compare();
}
