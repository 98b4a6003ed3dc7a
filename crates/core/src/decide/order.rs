//! An order comes in: checked, matched, and what is left rests or is cancelled. An order on a quarter line
//! is two, decided as one.

use arrayvec::ArrayVec;

use super::Receipt;
use super::sweep::{Stop, Sweep, sweep};
use super::taker::{Taker, Work};
use crate::command::{NewOrder, OrderPrice};
use crate::event::{CancelReason, Event, Half, OrderAccepted, OrderCancelled, OrderSplit, OutcomeIndex};
use crate::ladder::Ladder;
use crate::market::Market;
use crate::reject::{OrderReport, Rejection};
use crate::state::State;
use crate::types::{
    BookMarketState, OrderId, OrderStatus, Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce,
};

/// One book that an order goes to: the whole of it, or a half.
struct Part {
    taker: Taker,
    accepted: OrderAccepted,
    /// Where its `OrderAccepted` is among the events.
    event: usize,
    swept: Sweep,
}

/// What an order asks for, checked.
struct Checked {
    accepted: OrderAccepted,
    /// On a quarter line: the other half's outcome.
    far: Option<OutcomeIndex>,
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
    let Checked { accepted, far } = check(state, market, order, now_ns)?;
    let mut work = Work::default();
    let mut parts: ArrayVec<Part, 2> = ArrayVec::new();
    let mut place = |accepted: OrderAccepted, out: &mut Vec<Event>| {
        let event = out.len();
        out.push(Event::OrderAccepted(accepted));
        let taker = taker_of(market, &accepted);
        let swept = sweep(state, market, &taker, &mut work, out);
        parts.push(Part { taker, accepted, event, swept });
    };
    if let Some(far) = far {
        out.push(Event::OrderSplit(OrderSplit { order: accepted, far }));
        let increment = market.spec.increment.0;
        // The odd increment goes to the line nearer to zero; of a single one nothing is left for the other.
        let further = accepted.quantity.0 / increment / 2 * increment;
        place(half(&accepted, Half::Near, accepted.outcome, accepted.quantity.0 - further), out);
        if further > 0 {
            place(half(&accepted, Half::Far, far, further), out);
        }
    } else {
        place(accepted, out);
    }

    let left = parts.iter().map(|part| part.swept.left).sum();
    let filled = Quantity(accepted.quantity.0 - left);
    let fate = fate(state, market, order, &parts, filled)?;
    let mut report = OrderReport::new(accepted.order_id, accepted.quantity, far.is_some());
    report.fill(filled);
    let reason = match fate {
        Fate::Filled => None,
        Fate::Rests => {
            // Its first event tells how much of the whole rests.
            rest(out, 0, Quantity(left));
            for part in &parts {
                rest(out, part.event, Quantity(part.swept.left));
            }
            None
        }
        Fate::Cancelled(reason) => {
            out.extend(parts.iter().filter(|part| part.swept.left > 0).map(|part| part.cancelled(reason)));
            report.leave(Quantity(left), OrderStatus::Cancelled);
            Some(reason)
        }
    };
    Ok(Receipt::Order { report, reason })
}

fn half(whole: &OrderAccepted, half: Half, outcome: OutcomeIndex, quantity: i64) -> OrderAccepted {
    let order_id = OrderId(whole.order_id.0 + half as u64);
    let quantity = Quantity(quantity);
    OrderAccepted { order_id, client_order_id: None, outcome, quantity, half, ..*whole }
}

fn taker_of(market: &Market, accepted: &OrderAccepted) -> Taker {
    let tick = market.spec.ladder.tick(accepted.price).expect("the price was checked");
    Taker {
        id: accepted.order_id,
        account: accepted.account,
        place: market.place(accepted.outcome, accepted.side, tick),
        quantity: accepted.quantity.0,
        post_only: accepted.post_only,
        self_trade: accepted.self_trade,
    }
}

fn rest(out: &mut [Event], event: usize, quantity: Quantity) {
    match &mut out[event] {
        Event::OrderAccepted(accepted) | Event::OrderSplit(OrderSplit { order: accepted, .. }) => {
            accepted.resting = quantity;
        }
        other => unreachable!("{other:?} brings no order"),
    }
}

impl Part {
    /// The event that cancels what was not filled.
    fn cancelled(&self, reason: CancelReason) -> Event {
        let OrderAccepted { order_id, account, outcome, side, price, quantity, .. } = self.accepted;
        let cancelled = Quantity(self.swept.left);
        Event::OrderCancelled(OrderCancelled {
            order_id,
            account,
            outcome,
            side,
            price,
            reason,
            cancelled,
            quantity,
            filled: Quantity(quantity.0 - cancelled.0),
            remaining: Quantity::ZERO,
        })
    }
}

fn check(state: &State, market: &Market, order: &NewOrder, now_ns: u64) -> Result<Checked, Rejection> {
    if market.state() != BookMarketState::Open {
        return Err(Rejection::MarketNotOpen(market.state()));
    }
    let outcome = tradable(market, order.runner_id)?;
    let far = match order.far_runner_id {
        RunnerId::NONE => None,
        id => Some(tradable(market, id)?),
    };
    if let Some(far) = far
        && !market.are_halves(outcome, far)
    {
        return Err(invalid(
            "far_runner_id",
            "not the neighbour, half a line further from zero, of runner_id",
        ));
    }
    let price = limit_of(market.spec.ladder, order.side, order.price)?;
    let (quantity, min, increment) = (order.quantity, market.spec.min_quantity, market.spec.increment);
    if !(min..=Quantity::MAX).contains(&quantity) || quantity.0 % increment.0 != 0 {
        return Err(Rejection::InvalidQuantity { quantity, min, max: Quantity::MAX, increment });
    }
    check_lifetime(order, now_ns)?;
    let limits = &state.limits;
    if order.client_order_id.is_some()
        && market.clients.entries.len() as u64 >= u64::from(limits.client_ids_per_market)
    {
        let limit = u64::from(limits.client_ids_per_market);
        return Err(Rejection::LimitReached { what: "client order ids in one market", limit });
    }
    let accepted = OrderAccepted {
        order_id: OrderId(state.last_order_id + 1),
        account: order.account_id,
        client_order_id: order.client_order_id,
        outcome,
        side: order.side,
        price,
        market_order: is_market(order),
        time_in_force: order.time_in_force,
        persistence: order.persistence,
        quantity,
        resting: Quantity::ZERO,
        post_only: order.post_only,
        self_trade: order.self_trade,
        half: Half::Whole,
    };
    Ok(Checked { accepted, far })
}

fn tradable(market: &Market, id: RunnerId) -> Result<OutcomeIndex, Rejection> {
    market.outcome_of(id).ok_or(Rejection::InvalidOutcome(id))
}

const fn is_market(order: &NewOrder) -> bool {
    matches!(order.price, OrderPrice::Market { .. })
}

const fn invalid(field: &'static str, problem: &'static str) -> Rejection {
    Rejection::InvalidField { field, problem }
}

fn check_lifetime(order: &NewOrder, now_ns: u64) -> Result<(), Rejection> {
    match order.time_in_force {
        TimeInForce::Gtd { expiry_ms } if expiry_ms <= now_ns / 1_000_000 => {
            return Err(Rejection::InvalidExpiry { expiry_ms, now_ms: now_ns / 1_000_000 });
        }
        TimeInForce::Fok { min_fill } if min_fill < Quantity::ZERO || min_fill > order.quantity => {
            return Err(invalid("min_fill", "at most the order's quantity; 0 for all of it"));
        }
        _ => (),
    }
    let may_rest = matches!(order.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd { .. });
    if order.post_only && (is_market(order) || !may_rest) {
        return Err(invalid("post_only", "only for an order that may rest: LIMIT, and GTC or GTD"));
    }
    Ok(())
}

fn limit_of(ladder: Ladder, side: Side, price: OrderPrice) -> Result<Price, Rejection> {
    let price = match price {
        OrderPrice::Limit(price) | OrderPrice::Market { worst: Some(price) } => price,
        OrderPrice::Market { worst: None } => ladder.worst(side),
    };
    if ladder.tick(price).is_none() { Err(invalid_price(ladder, price)) } else { Ok(price) }
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
    parts: &[Part],
    filled: Quantity,
) -> Result<Fate, Rejection> {
    let stopped = |stop| parts.iter().any(|part| part.swept.stopped == Some(stop));
    let (limit_met, met_own) = (stopped(Stop::Limit), stopped(Stop::OwnOrder));
    if met_own && order.self_trade == SelfTradePrevention::Reject {
        return Err(Rejection::SelfTrade);
    }
    if order.post_only && filled > Quantity::ZERO {
        return Err(Rejection::WouldMatch);
    }
    if filled == order.quantity {
        return Ok(Fate::Filled);
    }
    if let TimeInForce::Fok { min_fill } = order.time_in_force {
        let min_fill = if min_fill == Quantity::ZERO { order.quantity } else { min_fill };
        if filled < min_fill {
            let too_much = Rejection::OrderLimit;
            let too_little = Rejection::WouldNotFill { fillable: filled, min_fill };
            return Err(if limit_met { too_much } else { too_little });
        }
    }
    if limit_met {
        return Ok(Fate::Cancelled(CancelReason::OrderLimit));
    }
    if met_own {
        return Ok(Fate::Cancelled(CancelReason::SelfTrade));
    }
    if is_market(order) || matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok { .. }) {
        return Ok(Fate::Cancelled(CancelReason::Unfilled));
    }
    // An order of its own account is still there, within its limit: resting would leave a crossed book.
    if parts.iter().any(|part| part.swept.crosses_own && part.swept.left > 0) {
        let nothing_filled = filled == Quantity::ZERO;
        return if nothing_filled {
            Err(Rejection::SelfTrade)
        } else {
            Ok(Fate::Cancelled(CancelReason::SelfTrade))
        };
    }
    check_room(state, market, parts)?;
    Ok(Fate::Rests)
}

/// Whether there is room for what would rest.
fn check_room(state: &State, market: &Market, parts: &[Part]) -> Result<(), Rejection> {
    let limit = u64::from(state.limits.resting_orders);
    let resting = parts.iter().filter(|part| part.swept.left > 0);
    if state.store.orders.len() as u64 + resting.clone().count() as u64 > limit {
        return Err(Rejection::LimitReached { what: "resting orders", limit });
    }
    for Part { taker, swept, .. } in resting {
        let book = market.runners[taker.place.outcome.index()].side(taker.side());
        let total = book.level(&state.store.pages, taker.place.tick).map_or(0, |level| level.total);
        if total.checked_add(swept.left).is_none() {
            let limit = i64::MAX.unsigned_abs();
            return Err(Rejection::LimitReached { what: "quanta resting at one price", limit });
        }
    }
    Ok(())
}
