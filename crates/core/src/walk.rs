//! The way of a job through the orders of a market: outcomes in their order, BACK before LAY, best price
//! first, then by arrival. It is told by the order it is at, so it needs no memory of its own.

use std::ops::Range;

use crate::book::{BookSide, OrderSlot, Store};
use crate::event::OutcomeIndex;
use crate::market::Market;
use crate::types::Side;

/// The books of a market, or of one outcome.
pub(crate) struct Walk<'a> {
    market: &'a Market,
    /// The sides of outcomes that it goes through, two to an outcome.
    sides: Range<usize>,
}

impl<'a> Walk<'a> {
    /// A walk through what rests on this outcome, or on all.
    pub(crate) fn new(market: &'a Market, outcome: Option<OutcomeIndex>) -> Self {
        // The two outcomes of a pair are one ladder: what rests on either is found by looking at both.
        let sides = match outcome.filter(|_| !market.topology.pair) {
            Some(outcome) => 2 * outcome.index()..2 * outcome.index() + 2,
            None => 0..2 * market.runners.len(),
        };
        Self { market, sides }
    }

    /// The order it begins with.
    pub(crate) fn first(&self, store: &Store) -> Option<OrderSlot> {
        self.first_of(store, self.sides.clone())
    }

    /// The order behind one that rests.
    pub(crate) fn after(&self, store: &Store, slot: OrderSlot) -> Option<OrderSlot> {
        let order = &store.orders[slot];
        let place = 2 * order.outcome.index() + order.side.index();
        let worse = || {
            let side = self.side(place);
            side.level(&store.pages, side.worse_than(order.tick)?)?.first()
        };
        order.next().or_else(worse).or_else(|| self.first_of(store, place + 1..self.sides.end))
    }

    fn first_of(&self, store: &Store, mut sides: Range<usize>) -> Option<OrderSlot> {
        sides.find_map(|place| {
            let side = self.side(place);
            side.level(&store.pages, side.best()?)?.first()
        })
    }

    fn side(&self, place: usize) -> &'a BookSide {
        self.market.runners[place / 2].side(if place.is_multiple_of(2) { Side::Yes } else { Side::No })
    }
}
