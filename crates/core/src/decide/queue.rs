//! The queue of resting orders that a taker meets, while what it takes is not yet taken.

use crate::book::{BookSide, Order, OrderSlot, Queued};
use crate::ladder::Tick;
use crate::state::State;

/// One side of an outcome as a queue: best price first, then by arrival.
#[derive(Clone, Copy)]
pub(super) struct Queue<'a> {
    state: &'a State,
    side: &'a BookSide,
}

/// A place in a queue: an order and its price.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    slot: OrderSlot,
    pub(super) tick: Tick,
}

impl<'a> Queue<'a> {
    #[inline]
    pub(super) const fn new(state: &'a State, side: &'a BookSide) -> Self {
        Self { state, side }
    }

    /// Where a taker begins.
    #[inline]
    pub(super) fn first(&self) -> Option<Spot> {
        self.side.best().and_then(|tick| self.first_at(tick))
    }

    /// Where it goes on from here.
    #[inline(always)]
    pub(super) fn after(&self, Spot { slot, tick }: Spot) -> Option<Spot> {
        match self.state.store.orders.queued(slot).next() {
            Some(slot) => Some(Spot { slot, tick }),
            None => self.side.worse_than(tick).and_then(|tick| self.first_at(tick)),
        }
    }

    /// The order at a place.
    #[inline(always)]
    pub(super) fn order(&self, spot: Spot) -> &'a Order {
        &self.state.store.orders[spot.slot]
    }

    /// What a search for makers reads of it.
    #[inline(always)]
    pub(super) fn queued(&self, spot: Spot) -> &'a Queued {
        self.state.store.orders.queued(spot.slot)
    }

    /// Where a taker begins that does not stop before this tick.
    pub(super) fn first_from(&self, tick: Tick) -> Option<Spot> {
        let first = self.first()?;
        let is_before = if self.side.worse_is_up() { first.tick < tick } else { first.tick > tick };
        if !is_before {
            return Some(first);
        }
        self.first_at(tick).or_else(|| self.side.worse_than(tick).and_then(|tick| self.first_at(tick)))
    }

    fn first_at(&self, tick: Tick) -> Option<Spot> {
        let slot = self.side.level(&self.state.store.pages, tick)?.first()?;
        Some(Spot { slot, tick })
    }
}
