//! Taking out what rests.

use super::Receipt;
use crate::book::Order;
use crate::command::OrderRef;
use crate::event::{CancelReason, Event, OrderCancelled};
use crate::market::Market;
use crate::reject::{OrderReport, Rejection};
use crate::state::State;
use crate::types::{AccountId, BookMarketState, OrderId, OrderStatus, Quantity};

pub(super) fn cancel(
    state: &State,
    market: &Market,
    order: OrderRef,
    account: AccountId,
    keep: Quantity,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    if market.state() == BookMarketState::Closed {
        return Err(Rejection::MarketClosed);
    }
    let id = named(market, order, account)?;
    let found = state.store.find(id).filter(|(_, order)| state.markets.get(order.market).id == market.id);
    let (_, order) = found.ok_or(Rejection::OrderNotFound(id))?;
    if account.is_some() && order.account != account {
        return Err(Rejection::NotTheOwner { order_id: id, account });
    }
    let increment = market.spec.increment;
    if keep < Quantity::ZERO || keep.0 % increment.0 != 0 {
        let (min, max) = (Quantity::ZERO, Quantity::MAX);
        return Err(Rejection::InvalidQuantity { quantity: keep, min, max, increment });
    }
    let remaining = Quantity(order.remaining.min(keep.0));
    let cancelled = Quantity(order.remaining - remaining.0);
    if cancelled > Quantity::ZERO {
        out.push(take_out(market, order, cancelled, CancelReason::Requested));
    }
    let (quantity, filled) = (Quantity(order.quantity), Quantity(order.filled));
    let status = OrderStatus::of(filled, remaining, OrderStatus::Cancelled);
    Ok(Receipt::Cancelled {
        report: OrderReport { order_id: id, status, quantity, filled, remaining, split: false },
        cancelled,
    })
}

fn named(market: &Market, order: OrderRef, account: AccountId) -> Result<OrderId, Rejection> {
    match order {
        OrderRef::Id(id) => Ok(id),
        OrderRef::Client(id) => {
            let entry = market.clients.find(account, id.as_str()).ok_or(Rejection::ClientIdNotFound)?;
            Ok(entry.report.order_id)
        }
    }
}

/// The event that takes this much out of a resting order.
pub(super) fn take_out(market: &Market, order: &Order, cancelled: Quantity, reason: CancelReason) -> Event {
    Event::OrderCancelled(OrderCancelled {
        order_id: order.id,
        account: order.account,
        outcome: order.outcome,
        side: order.side,
        price: market.spec.ladder.price(order.tick),
        reason,
        cancelled,
        quantity: Quantity(order.quantity),
        filled: Quantity(order.filled),
        remaining: Quantity(order.remaining - cancelled.0),
    })
}
