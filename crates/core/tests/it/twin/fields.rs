//! Fields of two to sixty-four runners at odds, quoted so closely that most takers meet sets: stakes of one
//! penny to 10^12, reductions, and every way to deal with own orders. Order by order the twin does the same.

use betex_core::command::{CommandKind, NewOrder, OrderPrice, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::ladder::Ladder;
use betex_core::types::{AccountId, OrderId, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::Twin;
use crate::exchange::{Exchange, MARKET};
use crate::flow::market::{Plan, group};

/// A market, its twin, and what happens in it.
struct Field {
    plan: Plan,
    exchange: Exchange,
    twin: Twin,
    chance: TestRng,
    taken: Vec<OrderId>,
    /// The most pennies that an order has.
    most: u64,
    sets: usize,
    /// Legs that are not whole pennies.
    fractions: usize,
}

impl Field {
    fn new(ladder: Ladder, outcomes: usize, most: u64, seed: u8) -> Self {
        let mut chance = TestRng::from_seed(RngAlgorithm::XorShift, &[seed; 16]);
        let (increment, minimum) = ([1, 1, 5][pick(&mut chance, 3)], [1, 1, 100][pick(&mut chance, 3)]);
        let weights = (0..12).map(|_| 1 + chance.next_u32() % [1, 3, 20][usize::from(seed) % 3]).collect();
        let plan = group(ladder, outcomes).with(weights, increment, minimum);
        let mut exchange = Exchange::default();
        exchange.create(plan.spec("field"));
        let twin = Twin::new(0, &plan);
        Self { plan, exchange, twin, chance, taken: Vec::new(), most, sets: 0, fractions: 0 }
    }

    fn below(&mut self, end: usize) -> usize {
        pick(&mut self.chance, end)
    }

    /// A valid one, of any length up to the longest.
    fn stake(&mut self) -> i64 {
        let longest = usize::try_from(self.most.ilog10()).expect("short") + 1;
        let length = u32::try_from(self.below(longest)).expect("short");
        let pennies = self.chance.next_u64() % (9 * 10_u64.pow(length)) + 10_u64.pow(length);
        let pennies = i64::try_from(pennies.min(self.most)).expect("at most 10^12");
        let increments = (pennies * 100 / self.plan.increment()).max(1);
        (increments * self.plan.increment()).max(self.plan.minimum())
    }

    /// An order at most so many ticks from what an outcome is worth.
    fn order(&mut self, outcome: usize, side: Side, offset: i32) -> NewOrder {
        let (price, quantity) = (self.plan.near(outcome, offset), Quantity(self.stake()));
        let account = AccountId(self.below(5) as u64);
        NewOrder::limit(RunnerId(outcome as u64 + 1), side, price, quantity).by(account)
    }

    fn run(&mut self, kind: &CommandKind) {
        let core = self.exchange.run(MARKET, kind);
        if let Ok((Receipt::Order { .. }, events)) = &core {
            for event in events {
                match event {
                    Event::SetMatched(_) => self.sets += 1,
                    Event::TradeMatched(leg) => self.fractions += usize::from(leg.stake.0 % 100 != 0),
                    _ => (),
                }
            }
        }
        self.taken.extend(self.twin.follow(&self.exchange, kind, core));
    }

    /// An order on one side of every outcome, at what it is worth or a tick from it.
    fn quote(&mut self) {
        let side = [Side::Yes, Side::No][self.below(2)];
        for outcome in 0..self.plan.outcomes {
            let offset = i32::try_from(self.below(3)).expect("few") - 1;
            let order = self.order(outcome, side, offset);
            self.run(&CommandKind::SubmitOrder(order));
        }
    }

    fn take(&mut self) {
        let side = [Side::Yes, Side::No][self.below(2)];
        let outcome = self.below(self.plan.outcomes);
        let offset = i32::try_from(self.below(40)).expect("few") - 4;
        let order = self.order(outcome, side, if side == Side::Yes { -offset } else { offset });
        let price = match (order.price, self.below(8)) {
            (OrderPrice::Limit(price), 0) => OrderPrice::Market { worst: Some(price) },
            (_, 1..4) => OrderPrice::Market { worst: None },
            (price, _) => price,
        };
        let time_in_force = match self.below(8) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok { min_fill: Quantity(0) },
            2 => TimeInForce::Fok { min_fill: Quantity(order.quantity.0 / 200 * 100) },
            _ => TimeInForce::Gtc,
        };
        use SelfTradePrevention::{CancelResting, CancelTaker, Reject, Skip};
        let self_trade = [Skip, Skip, Reject, CancelResting, CancelTaker][self.below(5)];
        let order = NewOrder { price, time_in_force, self_trade, ..order };
        self.run(&CommandKind::SubmitOrder(order));
    }

    /// Reduces an order to about what it holds, or to less, or to what may not be kept.
    fn reduce(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let place = self.below(self.taken.len());
        let id = self.taken[place];
        let remaining = self.exchange.state.order(id).map_or(0, |order| order.remaining.0);
        let keep = match self.below(6) {
            0 => 0,
            1 => remaining,
            2 => remaining - remaining % self.plan.increment(),
            3 => remaining / 200 * 100,
            4 => remaining / 2 / self.plan.increment() * self.plan.increment(),
            _ => remaining + 50 - self.chance.next_u32() as i64 % 300,
        };
        let (order, account_id) = (OrderRef::Id(id), AccountId::NONE);
        self.run(&CommandKind::CancelOrder { order, account_id, keep: Quantity(keep) });
    }

    fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.below(12) {
                0..3 => self.quote(),
                3 => self.reduce(),
                _ => self.take(),
            }
            self.twin.compare(&self.exchange);
        }
        self.twin.compare_virtual_levels(&self.exchange);
    }
}

fn pick(chance: &mut TestRng, end: usize) -> usize {
    chance.next_u32() as usize % end
}

/// Plays fields of so many runners; answers with how many sets and fractions there were.
fn fields(outcomes: &[usize], steps: usize, times: u8) -> (usize, usize) {
    let (mut sets, mut fractions) = (0, 0);
    for seed in 0..times {
        for &outcomes in outcomes {
            for ladder in [Ladder::Classic, Ladder::Finest] {
                let most = [30, 10_000, 1_000_000_000_000][usize::from(seed) / 3 % 3];
                let mut field = Field::new(ladder, outcomes, most, seed + 1);
                field.play(steps);
                sets += field.sets;
                fractions += field.fractions;
            }
        }
    }
    (sets, fractions)
}

#[test]
fn core_and_twin_say_the_same_of_small_fields() {
    let (sets, fractions) = fields(&[2, 3, 4, 5, 8], 150, 9);
    assert!(sets > 3_000 && fractions > 5_000, "{sets} {fractions}");
}

#[test]
fn core_and_twin_say_the_same_of_wide_fields() {
    let (sets, fractions) = fields(&[13, 20, 37, 64], 50, 36);
    assert!(sets > 500 && fractions > 5_000, "{sets} {fractions}");
}
