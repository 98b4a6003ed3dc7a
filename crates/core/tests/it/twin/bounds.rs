//! The bounds on the work of one command, where the price-time order of thousands counts, too.

use betex_core::command::{CommandKind, NewOrder};
use betex_core::ladder::Ladder;
use betex_core::types::{AccountId, Price, Quantity, RunnerId, Side};

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

    fn submit(&mut self, account: u64, outcome: u64, side: Side, price: u32, quantity: i64) {
        let order = NewOrder::limit(RunnerId(outcome), side, Price(price), Quantity(quantity));
        let kind = CommandKind::SubmitOrder(order.by(AccountId(account)));
        let core = self.exchange.run(MARKET, &kind);
        self.twin.follow(&self.exchange, &kind, core);
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
