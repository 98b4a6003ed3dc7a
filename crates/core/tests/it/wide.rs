//! Sets over many outcomes, every one of which is traded: whose money it is, at which prices, and that a
//! replay comes to the same.

use std::collections::BTreeSet;

use betex_core::command::{NewOrder, OrderPrice};
use betex_core::event::{Event, OutcomeIndex};
use betex_core::ladder::Ladder;
use betex_core::types::{AccountId, Price, Quantity, RunnerId, Side, TimeInForce};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::exchange::{Exchange, MARKET, queues};
use crate::flow::market::group;
use crate::invariants::check_events;

/// How likely the outcomes are, against each other, again and again.
const WEIGHTS: [u32; 4] = [1, 2, 3, 4];

/// A wide market, and what happens in it.
struct Wide {
    ladder: Ladder,
    outcomes: u32,
    exchange: Exchange,
    chance: TestRng,
}

/// The ladder of a binary market in which every outcome is worth a whole number of ticks.
fn ticks(outcomes: u32) -> Ladder {
    // Of weights that make two and a half an outcome, as much as fits into the finest ladder.
    let all = outcomes / 2 * 5;
    Ladder::Binary { max_price_ticks: u16::try_from(10_000 / all * all).expect("no more than 10,000") }
}

/// Makers on both sides of every outcome, and on every outcome a backer and a layer who take what there is
/// and go on with sets.
fn flow(ladder: Ladder, outcomes: u32, seed: u8) -> Wide {
    let mut exchange = Exchange::default();
    exchange.create(group(ladder, outcomes as usize).spec("wide"));
    let chance = TestRng::from_seed(RngAlgorithm::XorShift, &[seed; 16]);
    let mut wide = Wide { ladder, outcomes, exchange, chance };
    for outcome in 0..outcomes {
        let sides = [Side::Yes, Side::No];
        for side in if outcome % 2 == 0 { sides } else { [Side::No, Side::Yes] } {
            wide.restock();
            wide.take(outcome, side);
        }
    }
    wide
}

impl Wide {
    fn below(&mut self, end: u32) -> u32 {
        self.chance.next_u32() % end
    }

    const fn all(&self) -> u32 {
        self.outcomes / 2 * 5
    }

    const fn is_binary(&self) -> bool {
        matches!(self.ladder, Ladder::Binary { .. })
    }

    /// What an outcome is worth, in ticks, or in odds of whole ticks.
    fn fair(&self, outcome: u32) -> u32 {
        let weight = WEIGHTS[outcome as usize % WEIGHTS.len()];
        match self.ladder {
            Ladder::Binary { max_price_ticks } => u32::from(max_price_ticks) / self.all() * weight,
            Ladder::Classic | Ladder::Finest => self.all() * 100 / weight * 100,
        }
    }

    /// At least three orders on each side of every outcome. What is left of orders does not count where it is so
    /// little that the quantum that rounding takes for each maker is more than a 1,024th.
    fn restock(&mut self) {
        for outcome in 0..self.outcomes {
            for side in [Side::Yes, Side::No] {
                let index = OutcomeIndex(u16::try_from(outcome).expect("few"));
                let market = self.exchange.state.market(MARKET).expect("the market is there");
                let few = if self.is_binary() { 1 } else { i64::from(self.outcomes) * 1_024 };
                let orders = market.orders(index, side).filter(|order| order.remaining.0 >= few);
                for _ in orders.take(3).count()..3 {
                    self.make(outcome, side);
                }
            }
        }
    }

    /// Somebody offers nearly what an outcome is worth: all that they ask beyond it, on all outcomes, is less
    /// than the least likely of them is worth, or there would be no sets of LAYs.
    fn make(&mut self, outcome: u32, side: Side) {
        let fair = self.fair(outcome);
        let (price, quantity) = if self.is_binary() {
            let price = match side {
                Side::Yes => fair - 1 - u32::from(self.below(8) == 0),
                Side::No => fair + u32::from(self.below(40) == 0),
            };
            (price, i64::from(self.below(200)) + 1)
        } else {
            let weight = WEIGHTS[outcome as usize % WEIGHTS.len()];
            let more = (self.below(60 / weight) + 1) * 100;
            // Once in a while pennies, which sets pass over.
            let pence = if self.below(60) == 0 { self.below(50) + 1 } else { self.below(20_000) + 1_000 };
            (if side == Side::Yes { fair + more } else { fair - more }, i64::from(pence) * 100)
        };
        self.submit(outcome, side, OrderPrice::Limit(Price(price)), quantity, TimeInForce::Gtc);
    }

    /// Somebody takes what there is, with and without a limit, and may pass own orders over.
    fn take(&mut self, outcome: u32, side: Side) {
        let fair = self.fair(outcome);
        let limit = match (self.ladder, side) {
            (Ladder::Binary { max_price_ticks }, Side::Yes) => u32::from(max_price_ticks) - 1,
            (Ladder::Binary { .. }, Side::No) => 1,
            (_, Side::Yes) => fair / 300 * 2 * 100,
            (_, Side::No) => fair / 200 * 3 * 100,
        };
        let price = match self.below(3) {
            0 => OrderPrice::Market { worst: None },
            _ => OrderPrice::Limit(Price(limit)),
        };
        // More than rests on the outcome itself, so that something is left for sets.
        let index = OutcomeIndex(u16::try_from(outcome).expect("few"));
        let market = self.exchange.state.market(MARKET).expect("the market is there");
        let rests: i64 = market.levels(index, side.opposite()).map(|level| level.quantity.0).sum();
        let more = i64::from(self.below(2_000)) + 300;
        let quantity = rests + if self.is_binary() { more / 20 } else { more * 100 };
        self.submit(outcome, side, price, quantity, TimeInForce::Ioc);
    }

    fn submit(&mut self, outcome: u32, side: Side, price: OrderPrice, quantity: i64, lasting: TimeInForce) {
        let order = NewOrder::limit(RunnerId(u64::from(outcome) + 1), side, Price(0), Quantity(quantity));
        // Once in a while a taker has an order among the makers; never so many that they are in its way.
        let account = match lasting {
            TimeInForce::Ioc => self.below(2),
            _ if self.below(30) == 0 => 1,
            _ => self.below(3) + 2,
        };
        let account = AccountId(account.into());
        let order = NewOrder { price, ..order }.by(account).lasting(lasting);
        self.exchange.submit(order).expect("it is taken");
    }
}

/// Plays a flow and holds it against the rules: money, prices, order, and what replay makes of it.
fn check(ladder: Ladder, outcomes: u32, seed: u8) {
    let Wide { exchange, .. } = flow(ladder, outcomes, seed);
    let ledger = check_events(&exchange);
    // What never happened would prove nothing.
    let mut takers = BTreeSet::new();
    for event in exchange.log.iter().flat_map(|(_, events)| events) {
        if let Event::SetMatched(set) = event {
            assert_eq!(u32::from(set.makers), outcomes - 1);
            takers.insert((set.side == Side::Yes, set.outcome));
        }
    }
    for back in [true, false] {
        let there = takers.iter().filter(|(side, _)| *side == back).count();
        assert!(there > 0, "no set of this side: {back}");
    }
    // Nearly every taker meets one, small as stakes are. Of 256 outcomes 514 looks are the bound of a command, and
    // what is left of orders, too little for a set, may be more than that.
    assert!((ledger.bounded > 0) == (outcomes > 64), "{} were bounded", ledger.bounded);
    let least = if outcomes <= 64 { outcomes * 9 / 5 } else { outcomes / 2 };
    assert!(takers.len() >= least as usize, "{} outcomes and sides", takers.len());
    if !matches!(ladder, Ladder::Binary { .. }) {
        let seen = [ledger.sets_after_passing_over, ledger.fractions, ledger.dust];
        assert!(seen.iter().all(|times| *times > 100), "{seen:?}");
    }
    assert_eq!(ledger.traded.len(), outcomes as usize, "every outcome was traded");
    assert!(ledger.trades > u64::from(outcomes), "{} direct trades", ledger.trades);
    let replayed = exchange.replay(exchange.log.len());
    assert_eq!(replayed.digest(), exchange.state.digest());
    assert_eq!(queues(&replayed), queues(&exchange.state));
}

#[test]
fn sets_over_32_outcomes_are_conserved() {
    for seed in 1..5 {
        check(Ladder::Finest, 32, seed);
        check(ticks(32), 32, seed);
    }
}

#[test]
fn sets_over_64_outcomes_are_conserved() {
    check(Ladder::Finest, 64, 1);
    check(ticks(64), 64, 1);
}

#[test]
fn sets_over_256_outcomes_are_conserved() {
    check(Ladder::Finest, 256, 1);
    check(ticks(256), 256, 1);
}
