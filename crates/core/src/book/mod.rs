//! The one price-level book. What differs between markets is data: the ladder that names the ticks, and
//! which resting orders a taker can reach.
//!
//! Orders, pages of levels and the queue of expiries live in one [`Store`] for all markets, so that an
//! idle market costs next to nothing and a busy one reuses what others have freed.

mod expiry;
mod levels;
mod orders;

pub(crate) use levels::BookSide;
pub(crate) use orders::{Links, NO_CLIENT_ID, Order, OrderSlot, Queued};

use std::num::NonZeroU64;

use expiry::Expiries;
use levels::Pages;
use orders::Orders;

use crate::ladder::Ladder;
use crate::types::OrderId;

/// The memory that all books share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) orders: Orders,
    pub(crate) pages: Pages,
    pub(crate) expiries: Expiries,
}

impl Store {
    /// Puts an order at the end of its level's queue. It expires at this time, in milliseconds since the Unix
    /// epoch, if at all.
    pub(crate) fn rest(
        &mut self,
        side: &mut BookSide,
        ladder: Ladder,
        order: Order,
        expiry_ms: Option<NonZeroU64>,
    ) {
        let order_id = order.id;
        let slot = self.orders.insert(order);
        side.push_back(ladder, &mut self.pages, &mut self.orders, slot);
        if let Some(expiry_ms) = expiry_ms {
            self.expiries.insert(&mut self.orders, expiry_ms.get(), order_id, slot);
        }
    }

    /// Leaves so much of a resting order, of which `quantity` less shows than before. Its place in the queue
    /// stays; it leaves the book if none of it `remains`.
    pub(crate) fn leave(
        &mut self,
        side: &mut BookSide,
        slot: OrderSlot,
        left: i64,
        quantity: i64,
        remains: bool,
    ) {
        let order = &self.orders[slot];
        assert!((0..order.left).contains(&left), "{left} left of order {}", order.id);
        side.reduce(&mut self.pages, order.tick, quantity);
        if remains {
            self.orders.set_left(slot, left);
        } else {
            if order.expires() {
                self.expiries.remove(&mut self.orders, slot);
            }
            side.unlink(&mut self.pages, &mut self.orders, slot);
            self.orders.remove(slot);
        }
    }

    /// When an order expires, in milliseconds since the Unix epoch, if it does.
    pub(crate) fn expiry_ms(&self, order: &Order) -> Option<NonZeroU64> {
        order.expires().then(|| self.expiries.time_of(order)).and_then(NonZeroU64::new)
    }

    /// The resting order with this id.
    pub(crate) fn find(&self, id: OrderId) -> Option<(OrderSlot, &Order)> {
        let slot = self.orders.slot(id)?;
        Some((slot, &self.orders[slot]))
    }
}
