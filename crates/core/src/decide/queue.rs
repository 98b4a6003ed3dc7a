//! The queue of resting orders that a taker meets, while what it takes is not yet taken.

use crate::book::{BookSide, Order};
use crate::ladder::Tick;
use crate::state::State;

/// A place in the queue of one side of an outcome: best price first, then by arrival.
#[derive(Clone, Copy)]
pub(super) struct Queue<'a> {
    state: &'a State,
    side: &'a BookSide,
    front: Option<Front<'a>>,
}

/// The order that is met next.
#[derive(Clone, Copy)]
pub(super) struct Front<'a> {
    pub(super) order: &'a Order,
    /// What this command has left of it.
    pub(super) left: i64,
}

impl<'a> Queue<'a> {
    pub(super) fn new(state: &'a State, side: &'a BookSide) -> Self {
        let mut queue = Self { state, side, front: None };
        queue.front = side.best().and_then(|tick| queue.first_at(tick));
        queue
    }

    pub(super) const fn front(&self) -> Option<Front<'a>> {
        self.front
    }

    /// Takes so much of the front order, which makes way for the next once nothing is left.
    pub(super) fn take(&mut self, quantity: i64) {
        if let Some(front) = &mut self.front {
            front.left -= quantity;
            if front.left == 0 {
                self.pass();
            }
        }
    }

    /// Goes on to the order behind the front one.
    pub(super) fn pass(&mut self) {
        let Some(Front { order, .. }) = self.front else { return };
        self.front = match order.next() {
            Some(slot) => Some(Front::new(&self.state.store.orders[slot])),
            None => self.side.worse_than(order.tick).and_then(|tick| self.first_at(tick)),
        };
    }

    fn first_at(&self, tick: Tick) -> Option<Front<'a>> {
        let first = self.side.level(&self.state.store.pages, tick)?.first()?;
        Some(Front::new(&self.state.store.orders[first]))
    }
}

impl<'a> Front<'a> {
    const fn new(order: &'a Order) -> Self {
        Self { order, left: order.remaining }
    }
}
