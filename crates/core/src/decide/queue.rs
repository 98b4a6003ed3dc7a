//! The queue of resting orders that a taker meets, while what it takes is not yet taken.

use crate::book::{BookSide, Order};
use crate::ladder::Tick;
use crate::state::State;

/// One side of an outcome as a queue: best price first, then by arrival.
#[derive(Clone, Copy)]
pub(super) struct Queue<'a> {
    state: &'a State,
    side: &'a BookSide,
}

impl<'a> Queue<'a> {
    #[inline]
    pub(super) const fn new(state: &'a State, side: &'a BookSide) -> Self {
        Self { state, side }
    }

    /// The order that a taker meets first.
    #[inline]
    pub(super) fn first(&self) -> Option<&'a Order> {
        self.side.best().and_then(|tick| self.first_at(tick))
    }

    /// The order that a taker meets after this one.
    #[inline(always)]
    pub(super) fn after(&self, order: &Order) -> Option<&'a Order> {
        match order.next() {
            Some(slot) => Some(&self.state.store.orders[slot]),
            None => self.side.worse_than(order.tick).and_then(|tick| self.first_at(tick)),
        }
    }

    /// How many orders the first levels that are such hold, counted until there are more than `most`, and the
    /// order after them. Only levels are read, since there may be very many orders.
    pub(super) fn after_levels(&self, most: u32, is_such: impl Fn(Tick) -> bool) -> (u32, Option<&'a Order>) {
        let (mut orders, mut at) = (0_u32, self.side.best());
        while let Some(tick) = at.filter(|tick| orders <= most && is_such(*tick)) {
            let level = self.side.level(&self.state.store.pages, tick);
            orders = orders.saturating_add(level.map_or(0, |level| level.count));
            at = self.side.worse_than(tick);
        }
        (orders, at.and_then(|tick| self.first_at(tick)))
    }

    fn first_at(&self, tick: Tick) -> Option<&'a Order> {
        let first = self.side.level(&self.state.store.pages, tick)?.first()?;
        Some(&self.state.store.orders[first])
    }
}
