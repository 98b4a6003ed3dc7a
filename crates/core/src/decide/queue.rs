//! The queue of resting orders that a taker meets, while what it takes is not yet taken.

use crate::book::{BookSide, Order};
use crate::ladder::Tick;
use crate::state::State;

/// A place in the queue of one side of an outcome: best price first, then by arrival.
#[derive(Clone, Copy)]
pub(super) struct Queue<'a> {
    state: &'a State,
    side: &'a BookSide,
    front: Option<&'a Order>,
}

impl<'a> Queue<'a> {
    #[inline]
    pub(super) fn new(state: &'a State, side: &'a BookSide) -> Self {
        let mut queue = Self { state, side, front: None };
        queue.front = side.best().and_then(|tick| queue.first_at(tick));
        queue
    }

    /// The order that is met next.
    #[inline]
    pub(super) const fn front(&self) -> Option<&'a Order> {
        self.front
    }

    /// Goes on to the order behind the front one.
    #[inline(always)]
    pub(super) fn pass(&mut self) {
        let Some(order) = self.front else { return };
        self.front = match order.next() {
            Some(slot) => Some(&self.state.store.orders[slot]),
            None => self.side.worse_than(order.tick).and_then(|tick| self.first_at(tick)),
        };
    }

    fn first_at(&self, tick: Tick) -> Option<&'a Order> {
        let first = self.side.level(&self.state.store.pages, tick)?.first()?;
        Some(&self.state.store.orders[first])
    }
}
