//! What a transaction did for an order that came in with it.

use betex_core::event::{CancelReason, Event, OrderAccepted};
use betex_core::types::{OrderId, OrderStatus, Quantity};

/// What has become of a transaction's own order at its end.
pub(crate) struct Taken {
    pub(crate) status: OrderStatus,
    /// Rounded up to whole pennies. It is the whole quantity of an order that is FILLED, also where that left a
    /// fraction of a penny.
    pub(crate) filled: Quantity,
    pub(crate) reason: Option<CancelReason>,
}

impl Taken {
    /// Of a whole order, or of the half of one on a quarter line.
    pub(crate) fn of<'a>(order: &OrderAccepted, events: impl Iterator<Item = &'a Event>) -> Self {
        Self::by(order, events, |id| id == order.order_id)
    }

    /// Of an order on a quarter line: what has become of its halves.
    pub(crate) fn of_split<'a>(order: &OrderAccepted, events: impl Iterator<Item = &'a Event>) -> Self {
        let whole = order.order_id.0;
        Self::by(order, events, |id| [whole + 1, whole + 2].contains(&id.0))
    }

    fn by<'a>(
        order: &OrderAccepted,
        events: impl Iterator<Item = &'a Event>,
        is_it: impl Fn(OrderId) -> bool,
    ) -> Self {
        let (mut filled, mut reason) = (0, None);
        for event in events {
            match event {
                Event::TradeMatched(trade) if !trade.is_synthetic() && is_it(trade.taker_order_id) => {
                    filled += trade.quantity.0;
                }
                Event::SetMatched(set) if is_it(set.taker_order_id) => filled += set.quantity.0,
                Event::OrderCancelled(rest) if is_it(rest.order_id) => reason = Some(rest.reason),
                _ => (),
            }
        }
        let filled = Quantity(filled);
        let end = if reason.is_some() { OrderStatus::Cancelled } else { OrderStatus::Filled };
        Self { status: OrderStatus::of(filled, order.resting, end), filled, reason }
    }
}
