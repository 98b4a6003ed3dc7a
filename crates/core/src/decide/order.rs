//! An order comes in: checked, matched, and what is left rests or is cancelled.

use super::Receipt;
use super::sweep::{Sweep, sweep};
use crate::command::{NewOrder, OrderPrice};
use crate::event::{CancelReason, Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex};
use crate::ladder::{Ladder, Tick};
use crate::market::Market;
use crate::reject::{OrderReport, Rejection};
use crate::state::State;
use crate::types::{AccountId, BookMarketState, OrderId, OrderStatus, Price, Quantity, Side, TimeInForce};

/// An order that has passed its checks.
pub(super) struct Taker {
    pub(super) id: OrderId,
    pub(super) account: AccountId,
    pub(super) outcome: OutcomeIndex,
    pub(super) side: Side,
    /// The worst tick that it takes.
    pub(super) limit: Tick,
    pub(super) quantity: i64,
}

pub(super) fn submit(
    state: &State,
    market: &Market,
    order: &NewOrder,
    now_ns: u64,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    // A duplicate is told so whatever has become of the market: it is how a client learns, after a lost
    // answer, that its order was taken.
    if let Some(id) = &order.client_order_id
        && let Some(entry) = market.clients.find(order.account_id, id.as_str())
    {
        return Err(Rejection::DuplicateClientId(entry.report));
    }
    let taker = check(state, market, order, now_ns)?;
    let price = market.spec.ladder.price(taker.limit);
    out.push(Event::OrderAccepted(OrderAccepted {
        order_id: taker.id,
        account: taker.account,
        client_order_id: order.client_order_id,
        outcome: taker.outcome,
        side: taker.side,
        price,
        market_order: matches!(order.price, OrderPrice::Market { .. }),
        time_in_force: order.time_in_force,
        persistence: order.persistence,
        quantity: order.quantity,
        resting: Quantity::ZERO,
        post_only: order.post_only,
        self_trade: order.self_trade,
        half: Half::Whole,
    }));
    let swept = sweep(state, market, &taker, out);
    let filled = Quantity(taker.quantity - swept.left);
    let fate = fate(state, market, order, &taker, &swept)?;
    let (status, remaining, reason) = match fate {
        Fate::Filled => (OrderStatus::Filled, Quantity::ZERO, None),
        Fate::Rests => {
            let resting = Quantity(swept.left);
            if let Some(Event::OrderAccepted(accepted)) = out.first_mut() {
                accepted.resting = resting;
            }
            (OrderStatus::of(filled, resting, OrderStatus::Filled), resting, None)
        }
        Fate::Cancelled(reason) => {
            out.push(Event::OrderCancelled(OrderCancelled {
                order_id: taker.id,
                account: taker.account,
                outcome: taker.outcome,
                side: taker.side,
                price,
                reason,
                cancelled: Quantity(swept.left),
                quantity: order.quantity,
                filled,
                remaining: Quantity::ZERO,
            }));
            (OrderStatus::Cancelled, Quantity::ZERO, Some(reason))
        }
    };
    let report = OrderReport { order_id: taker.id, status, quantity: order.quantity, filled, remaining, split: false };
    Ok(Receipt::Order { report, reason })
}

fn check(state: &State, market: &Market, order: &NewOrder, now_ns: u64) -> Result<Taker, Rejection> {
    if market.state() != BookMarketState::Open {
        return Err(Rejection::MarketNotOpen(market.state()));
    }
    let outcome = market.outcome_of(order.runner_id).ok_or(Rejection::InvalidOutcome(order.runner_id))?;
    let limit = limit_of(market.spec.ladder, order.side, order.price)?;
    let (quantity, min, increment) = (order.quantity, market.spec.min_quantity, market.spec.increment);
    if !(min..=Quantity::MAX).contains(&quantity) || quantity.0 % increment.0 != 0 {
        return Err(Rejection::InvalidQuantity { quantity, min, max: Quantity::MAX, increment });
    }
    if let TimeInForce::Gtd { expiry_ms } = order.time_in_force {
        let now_ms = now_ns / 1_000_000;
        if expiry_ms <= now_ms {
            return Err(Rejection::InvalidExpiry { expiry_ms, now_ms });
        }
    }
    let limits = &state.limits;
    if order.client_order_id.is_some()
        && market.clients.entries.len() as u64 >= u64::from(limits.client_ids_per_market)
    {
        let limit = u64::from(limits.client_ids_per_market);
        return Err(Rejection::LimitReached { what: "client order ids in one market", limit });
    }
    let id = OrderId(state.last_order_id + 1);
    let (account, side) = (order.account_id, order.side);
    Ok(Taker { id, account, outcome, side, limit, quantity: quantity.0 })
}

fn limit_of(ladder: Ladder, side: Side, price: OrderPrice) -> Result<Tick, Rejection> {
    let price = match (price, side) {
        (OrderPrice::Limit(price) | OrderPrice::Market { worst: Some(price) }, _) => price,
        (OrderPrice::Market { worst: None }, side) => ladder.worst(side),
    };
    ladder.tick(price).ok_or_else(|| invalid_price(ladder, price))
}

#[cold]
fn invalid_price(ladder: Ladder, price: Price) -> Rejection {
    let (below, above) = ladder.neighbours(price);
    Rejection::InvalidPrice { ladder, price, below, above }
}

/// What becomes of an order after its sweep.
enum Fate {
    Filled,
    Rests,
    Cancelled(CancelReason),
}

fn fate(
    state: &State,
    market: &Market,
    order: &NewOrder,
    taker: &Taker,
    swept: &Sweep,
) -> Result<Fate, Rejection> {
    if swept.left == 0 {
        return Ok(Fate::Filled);
    }
    if swept.limit_met {
        return Ok(Fate::Cancelled(CancelReason::OrderLimit));
    }
    if order.time_in_force == TimeInForce::Ioc || matches!(order.price, OrderPrice::Market { .. }) {
        return Ok(Fate::Cancelled(CancelReason::Unfilled));
    }
    // An order of its own account is still there, within its limit: resting would leave a crossed book.
    if swept.own_orders > 0 {
        let nothing_filled = swept.left == taker.quantity;
        return if nothing_filled {
            Err(Rejection::SelfTrade)
        } else {
            Ok(Fate::Cancelled(CancelReason::SelfTrade))
        };
    }
    let limit = u64::from(state.limits.resting_orders);
    if state.store.orders.len() as u64 >= limit {
        return Err(Rejection::LimitReached { what: "resting orders", limit });
    }
    let book = market.runners[taker.outcome.index()].side(taker.side);
    let total = book.level(&state.store.pages, taker.limit).map_or(0, |level| level.total);
    if total.checked_add(swept.left).is_none() {
        return Err(Rejection::LimitReached {
            what: "quanta resting at one price",
            limit: i64::MAX.unsigned_abs(),
        });
    }
    Ok(Fate::Rests)
}
