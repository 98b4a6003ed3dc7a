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

    /// How many orders the first levels that are such hold, counted until there are more than `most`, and where
    /// it goes on after them. Only levels are read, since there may be very many orders.
    pub(super) fn after_levels(&self, most: u32, is_such: impl Fn(Tick) -> bool) -> (u32, Option<Spot>) {
        let (mut orders, mut at) = (0_u32, self.side.best());
        while let Some(tick) = at.filter(|tick| orders <= most && is_such(*tick)) {
            let level = self.side.level(&self.state.store.pages, tick);
            orders = orders.saturating_add(level.map_or(0, |level| level.count));
            at = self.side.worse_than(tick);
        }
        (orders, at.and_then(|tick| self.first_at(tick)))
    }

    fn first_at(&self, tick: Tick) -> Option<Spot> {
        let slot = self.side.level(&self.state.store.pages, tick)?.first()?;
        Some(Spot { slot, tick })
    }
}
