//! Taking out what rests.

use super::{Receipt, make_room};
use crate::book::Order;
use crate::command::OrderRef;
use crate::event::{CancelReason, Event, Half, OrderCancelled};
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
    let Found { mut report, halves, account: owner } =
        find(state, market, id)?.ok_or(Rejection::OrderNotFound(id))?;
    if account.is_some() && owner != account {
        return Err(Rejection::NotTheOwner { order_id: id, account });
    }
    let increment = market.spec.increment;
    if keep < Quantity::ZERO || keep.0 % increment.0 != 0 {
        let (min, max) = (Quantity::ZERO, Quantity::MAX);
        return Err(Rejection::InvalidQuantity { quantity: keep, min, max, increment });
    }
    let cancelled = Quantity((report.remaining.0 - keep.0).max(0));
    if cancelled > Quantity::ZERO {
        for (half, keep) in halves.into_iter().flatten().zip(shares(halves, keep.0, increment.0)) {
            let quantity = Quantity(half.remaining - keep);
            if quantity > Quantity::ZERO {
                make_room(out);
                out.push(take_out(market, half, quantity, CancelReason::Requested));
            }
        }
        report.leave(cancelled, OrderStatus::Cancelled);
    }
    Ok(Receipt::Cancelled { report, cancelled })
}

/// What a client calls one order.
struct Found<'a> {
    report: OrderReport,
    /// What rests of it, at least one: the order, or the halves of one on a quarter line.
    halves: [Option<&'a Order>; 2],
    account: AccountId,
}

fn find<'a>(state: &'a State, market: &Market, id: OrderId) -> Result<Option<Found<'a>>, Rejection> {
    let resting = |id| {
        let (_, order) = state.store.find(id)?;
        (state.markets.get(order.market).id == market.id).then_some(order)
    };
    if let Some(order) = resting(id) {
        if order.half != Half::Whole {
            return Err(Rejection::HalfOfOrder { half: id, whole: order.half.whole_of(id) });
        }
        let mut report = OrderReport::new(id, Quantity(order.quantity), false);
        report.leave(Quantity(order.quantity - order.filled - order.remaining), OrderStatus::Cancelled);
        report.fill(Quantity(order.filled));
        return Ok(Some(Found { report, halves: [Some(order), None], account: order.account }));
    }
    let Some(report) = state.splits.get(&id) else { return Ok(None) };
    let halves = [Half::Near, Half::Far].map(|half| resting(OrderId(id.0 + half as u64)));
    let found = |order: &Order| Found { report: *report, halves, account: order.account };
    Ok(halves.into_iter().flatten().next().map(found))
}

/// What each of the orders that rest may keep of `keep`, in the order they come: of two halves each one
/// half, the odd increment on the nearer; what one does not hold of its share goes to the other.
fn shares(halves: [Option<&Order>; 2], keep: i64, increment: i64) -> [i64; 2] {
    match halves {
        [Some(near), Some(far)] => {
            let further = keep / increment / 2 * increment;
            let near_keeps = near.remaining.min((keep - further).max(keep - far.remaining));
            [near_keeps, far.remaining.min(keep - near_keeps)]
        }
        _ => [keep, 0],
    }
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
    let (outcome, side, price) = market.told(order.place());
    Event::OrderCancelled(OrderCancelled {
        order_id: order.id,
        account: order.account,
        outcome,
        side,
        price,
        reason,
        cancelled,
        quantity: Quantity(order.quantity),
        filled: Quantity(order.filled),
        remaining: Quantity(order.remaining - cancelled.0),
    })
}
