//! The orders behind the ladders: which ones a taker meets, which ones a cancellation hits.
//!
//! This is a queue per level and nothing more. It knows what the exchange must answer: a taker meets
//! the oldest orders of its level, one after the other, and a cancellation is of the newest.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result, ensure};
use betex_core::types::{Price, Quantity, Side};

use super::changes::{Changes, Decrease, Increase};
use super::ladders::RunnerIndex;

/// A derived order, counted from 0 over a market's replay; takers have numbers too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderNumber(pub usize);

/// What is asked of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new order that rests.
    Place(Order),
    /// An order that is filled at once.
    Take {
        /// The taker, limited at its maker's price.
        taker: Order,
        /// Whom it must meet, in this order, and for how much.
        makers: Vec<(OrderNumber, Quantity)>,
    },
    /// A cancellation of a resting order, or of part of it.
    Cancel {
        /// Which one.
        order: OrderNumber,
        /// What remains.
        keep: Quantity,
    },
}

/// An order as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub number: OrderNumber,
    /// Its runner.
    pub runner: RunnerIndex,
    /// Its own side.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// What is asked for one runner in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerActions {
    /// By the side that rests: waves, one after the other, the actions of one in any order. The two
    /// sides do not touch each other.
    pub decreases: [Vec<Vec<Action>>; 2],
    /// In any order, once all decreases are done.
    pub increases: Vec<Action>,
}

/// The resting orders of a market.
#[derive(Debug, Default)]
pub struct Orders {
    levels: BTreeMap<(RunnerIndex, Side, Price), VecDeque<(OrderNumber, Quantity)>>,
    next: usize,
}

impl Orders {
    /// How many rest at a price.
    pub fn at(&self, runner: RunnerIndex, side: Side, price: Price) -> usize {
        self.levels.get(&(runner, side, price)).map_or(0, VecDeque::len)
    }

    /// How many orders there have been.
    pub const fn count(&self) -> usize {
        self.next
    }

    /// Turns changes of a runner's ladders into orders, and takes them as done.
    ///
    /// # Errors
    /// If more is to go than rests; that would be a mistake in here.
    pub fn act(&mut self, runner: RunnerIndex, changes: &Changes) -> Result<RunnerActions> {
        let mut actions = RunnerActions::default();
        for side in [Side::Yes, Side::No] {
            let waves = &mut actions.decreases[side.index()];
            for decrease in &changes.decreases[side.index()] {
                self.decrease(runner, side, decrease, waves)?;
            }
        }
        for side in [Side::Yes, Side::No] {
            let increases = changes.increases[side.index()].iter();
            actions.increases.extend(increases.map(|increase| self.place(runner, side, increase)));
        }
        Ok(actions)
    }

    fn decrease(
        &mut self,
        runner: RunnerIndex,
        side: Side,
        decrease: &Decrease,
        waves: &mut Vec<Vec<Action>>,
    ) -> Result<()> {
        let &Decrease { price, taken, cancelled } = decrease;
        if taken.0 > 0 {
            let number = self.number();
            let taker = Order { number, runner, side: side.opposite(), price, quantity: taken };
            let makers = self.take(runner, side, price, taken)?;
            // A taker may meet whatever stands before its level, so it waits for what came before,
            // and what comes after waits for it.
            waves.push(vec![Action::Take { taker, makers }]);
            waves.push(Vec::new());
        }
        if cancelled.0 == 0 {
            return Ok(());
        }
        let cancels = self.cancel(runner, side, price, cancelled)?;
        if waves.is_empty() {
            waves.push(Vec::new());
        }
        if let Some(last) = waves.last_mut() {
            last.extend(cancels);
        }
        Ok(())
    }

    fn place(&mut self, runner: RunnerIndex, side: Side, increase: &Increase) -> Action {
        let &Increase { price, placed: quantity } = increase;
        let number = self.number();
        self.levels.entry((runner, side, price)).or_default().push_back((number, quantity));
        Action::Place(Order { number, runner, side, price, quantity })
    }

    /// The oldest orders there, for this much in all.
    fn take(
        &mut self,
        runner: RunnerIndex,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Result<Vec<(OrderNumber, Quantity)>> {
        let (mut left, mut makers) = (quantity.0, Vec::new());
        self.shrink(runner, side, price, |orders| {
            while left > 0 {
                let (number, remaining) = orders.front_mut().context("more is taken than rests")?;
                let filled = left.min(remaining.0);
                makers.push((*number, Quantity(filled)));
                (left, remaining.0) = (left - filled, remaining.0 - filled);
                if remaining.0 == 0 {
                    orders.pop_front();
                }
            }
            Ok(())
        })?;
        Ok(makers)
    }

    /// The newest orders there, for this much in all.
    fn cancel(
        &mut self,
        runner: RunnerIndex,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Result<Vec<Action>> {
        let (mut left, mut cancels) = (quantity.0, Vec::new());
        self.shrink(runner, side, price, |orders| {
            while left > 0 {
                let (order, remaining) = orders.back_mut().context("more is cancelled than rests")?;
                let keep = Quantity((remaining.0 - left).max(0));
                cancels.push(Action::Cancel { order: *order, keep });
                left -= remaining.0 - keep.0;
                *remaining = keep;
                if keep.0 == 0 {
                    orders.pop_back();
                }
            }
            Ok(())
        })?;
        Ok(cancels)
    }

    fn shrink(
        &mut self,
        runner: RunnerIndex,
        side: Side,
        price: Price,
        how: impl FnOnce(&mut VecDeque<(OrderNumber, Quantity)>) -> Result<()>,
    ) -> Result<()> {
        let level = self.levels.get_mut(&(runner, side, price));
        let level = level.with_context(|| format!("nothing rests at {}", price.odds()))?;
        how(level)?;
        ensure!(level.iter().all(|(_, remaining)| remaining.0 > 0), "an empty order at {}", price.odds());
        if level.is_empty() {
            self.levels.remove(&(runner, side, price));
        }
        Ok(())
    }

    const fn number(&mut self) -> OrderNumber {
        self.next += 1;
        OrderNumber(self.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price(30_000);
    const LAY: usize = Side::No.index();

    fn placing(orders: &mut Orders, quantities: &[i64]) {
        for quantity in quantities {
            let mut changes = Changes::default();
            changes.increases[LAY].push(Increase { price: PRICE, placed: Quantity(*quantity) });
            let actions = orders.act(0, &changes).unwrap();
            assert!(
                matches!(&actions.increases[..], [Action::Place(order)] if order.quantity.0 == *quantity)
            );
        }
    }

    #[test]
    fn takers_meet_the_oldest_and_cancellations_hit_the_newest() {
        let mut orders = Orders::default();
        placing(&mut orders, &[500, 300, 200, 100]);
        let mut changes = Changes::default();
        changes.decreases[LAY].push(Decrease {
            price: PRICE,
            taken: Quantity(600),
            cancelled: Quantity(250),
        });
        let actions = orders.act(0, &changes).unwrap();
        let [takes, cancels] = &actions.decreases[LAY][..] else { panic!("{actions:?}") };
        let [Action::Take { taker, makers }] = &takes[..] else { panic!("{takes:?}") };
        assert_eq!((taker.side, taker.quantity), (Side::Yes, Quantity(600)));
        assert_eq!(makers[..], [(OrderNumber(0), Quantity(500)), (OrderNumber(1), Quantity(100))]);
        let expected =
            [(3, 0), (2, 50)].map(|(n, k)| Action::Cancel { order: OrderNumber(n), keep: Quantity(k) });
        assert_eq!(cancels[..], expected);
        assert_eq!((orders.at(0, Side::No, PRICE), orders.at(0, Side::Yes, PRICE)), (2, 0));
    }

    #[test]
    fn a_level_can_be_taken_whole() {
        let mut orders = Orders::default();
        placing(&mut orders, &[500, 300]);
        let mut changes = Changes::default();
        changes.decreases[LAY].push(Decrease { price: PRICE, taken: Quantity(800), cancelled: Quantity(0) });
        let actions = orders.act(0, &changes).unwrap();
        assert!(matches!(&actions.decreases[LAY][0][..], [Action::Take { makers, .. }] if makers.len() == 2));
        assert_eq!(orders.at(0, Side::No, PRICE), 0);
    }

    #[test]
    fn more_than_rests_is_an_error() {
        let mut orders = Orders::default();
        placing(&mut orders, &[500]);
        for (taken, cancelled) in [(600, 0), (0, 600), (500, 100)] {
            let mut changes = Changes::default();
            let decrease = Decrease { price: PRICE, taken: Quantity(taken), cancelled: Quantity(cancelled) };
            changes.decreases[LAY].push(decrease);
            assert!(orders.act(0, &changes).is_err());
        }
    }
}
