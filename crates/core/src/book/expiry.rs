//! Which order expires next: a binary heap of the orders that have an expiry. Every order knows its
//! place, so one that is filled or cancelled leaves at once and the heap never holds the dead.

use super::orders::{Order, OrderSlot, Orders};
use crate::types::OrderId;

/// By time, then by age.
type Key = (u64, OrderId);

#[derive(Clone, Debug, Default)]
pub(crate) struct Expiries {
    heap: Vec<(Key, OrderSlot)>,
}

impl Expiries {
    /// The order that expires first, and when, in milliseconds since the Unix epoch.
    pub(crate) fn first(&self) -> Option<(u64, OrderSlot)> {
        self.heap.first().map(|((expiry_ms, _), slot)| (*expiry_ms, *slot))
    }

    /// When an order of the heap expires.
    pub(super) fn time_of(&self, order: &Order) -> u64 {
        self.heap[order.links.expiry_place as usize].0.0
    }

    pub(super) fn insert(&mut self, orders: &mut Orders, expiry_ms: u64, id: OrderId, slot: OrderSlot) {
        self.heap.push(((expiry_ms, id), slot));
        self.rise(orders, self.heap.len() - 1);
    }

    pub(super) fn remove(&mut self, orders: &mut Orders, slot: OrderSlot) {
        let place = orders[slot].links.expiry_place as usize;
        assert!(self.heap[place].1 == slot, "the heap of expiries lost order {}", orders[slot].id);
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            let place = self.rise(orders, place);
            self.sink(orders, place);
        }
    }

    fn rise(&mut self, orders: &mut Orders, mut place: usize) -> usize {
        while place > 0 && self.heap[place].0 < self.heap[(place - 1) / 2].0 {
            self.heap.swap(place, (place - 1) / 2);
            self.note(orders, place);
            place = (place - 1) / 2;
        }
        self.note(orders, place);
        place
    }

    fn sink(&mut self, orders: &mut Orders, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let mut least = place;
            for child in [left, right] {
                if child < self.heap.len() && self.heap[child].0 < self.heap[least].0 {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.heap.swap(place, least);
            self.note(orders, place);
            self.note(orders, least);
            place = least;
        }
    }

    fn note(&self, orders: &mut Orders, place: usize) {
        orders[self.heap[place].1].links.expiry_place =
            u32::try_from(place).expect("orders are counted in u32");
    }
}
