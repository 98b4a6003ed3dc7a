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
    if keep >= report.remaining {
        // It holds no more than that.
        return Ok(Receipt::Cancelled { report, cancelled: Quantity::ZERO });
    }
    check_kept(market, keep)?;
    for (order, keep) in halves.into_iter().flatten().zip(shares(market, halves, keep.0)) {
        if keep < market.spec.ladder.whole(order.left) {
            check_smallest(market, Quantity(keep))?;
            make_room(out);
            out.push(reduce(market, order, keep, CancelReason::Requested));
        }
    }
    let cancelled = Quantity(report.remaining.0 - keep.0);
    report.leave(cancelled, OrderStatus::Cancelled);
    Ok(Receipt::Cancelled { report, cancelled })
}

/// Whether an order may be reduced to this.
fn check_kept(market: &Market, keep: Quantity) -> Result<(), Rejection> {
    if keep.0 % market.spec.increment.0 == 0 {
        check_smallest(market, keep)
    } else {
        Err(invalid(market, keep))
    }
}

/// Whether what is kept of an order, or of a half, is not too small. Nothing is not too small.
fn check_smallest(market: &Market, keep: Quantity) -> Result<(), Rejection> {
    let valid = keep == Quantity::ZERO || keep >= market.spec.min_quantity;
    if valid { Ok(()) } else { Err(invalid(market, keep)) }
}

const fn invalid(market: &Market, keep: Quantity) -> Rejection {
    let (min, increment) = (market.spec.min_quantity, market.spec.increment);
    Rejection::InvalidKeep { keep, min, increment }
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
        let remaining = market.spec.ladder.whole(order.left);
        report.leave(Quantity(order.quantity - order.filled - remaining), OrderStatus::Cancelled);
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
fn shares(market: &Market, halves: [Option<&Order>; 2], keep: i64) -> [i64; 2] {
    match halves {
        [Some(near), Some(far)] => {
            let [near, far] = [near, far].map(|order| market.spec.ladder.whole(order.left));
            let near_keeps = near.min((keep - market.spec.further_half(keep)).max(keep - far));
            [near_keeps, keep - near_keeps]
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

/// The event that takes a resting order out.
pub(super) fn take_out(market: &Market, order: &Order, reason: CancelReason) -> Event {
    reduce(market, order, 0, reason)
}

/// The event that leaves so much of a resting order, in whole pennies or shares: less than it has. A fraction
/// of a penny goes with what is cancelled.
fn reduce(market: &Market, order: &Order, keep: i64, reason: CancelReason) -> Event {
    let (outcome, side, price) = market.told(order.place());
    Event::OrderCancelled(OrderCancelled {
        order_id: order.id,
        account: order.account,
        outcome,
        side,
        price,
        reason,
        cancelled: Quantity(market.spec.ladder.whole(order.left) - keep),
        quantity: Quantity(order.quantity),
        filled: Quantity(order.filled),
        remaining: Quantity(keep),
    })
}
