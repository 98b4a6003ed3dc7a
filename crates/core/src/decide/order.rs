//! An order comes in: checked, matched, and what is left rests or is cancelled. An order on a quarter line
//! is two, decided as one.

use arrayvec::ArrayVec;

use super::check::{Terms, check, check_members, is_market, reached};
use super::sweep::{End, Sweep, sweep};
use super::taker::{Taker, Work};
use super::{Receipt, make_room};
use crate::command::NewOrder;
use crate::event::{CancelReason, Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex};
use crate::market::{Market, Place};
use crate::reject::{OrderReport, Rejection};
use crate::state::State;
use crate::types::{AccountId, OrderId, OrderStatus, Quantity, SelfTradePrevention, TimeInForce};

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
    let terms = check(state, market, order, now_ns)?;
    let id = OrderId(state.last_order_id + 1);
    let mut work = Work::default();
    match terms.far {
        None => {
            let quantity = order.quantity.0;
            let whole = enter(state, market, order, &terms, id, Half::Whole, quantity, false, &mut work, out);
            conclude(state, market, order, id, std::slice::from_ref(&whole), &work, out)
        }
        Some(far) => {
            let halves = enter_halves(state, market, order, &terms, far, id, &mut work, out);
            conclude(state, market, order, id, &halves, &work, out)
        }
    }
}

/// What becomes of an order whose parts have met whom they could.
#[inline(always)]
fn conclude(
    state: &State,
    market: &Market,
    order: &NewOrder,
    id: OrderId,
    parts: &[Part],
    work: &Work,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    let ended = Ended::of(parts);
    let left = ended.remaining;
    let split = parts[0].half != Half::Whole;
    let (remaining, end, reason) = match fate(state, market, order, parts, &ended, work)? {
        Fate::Filled => (0, OrderStatus::Filled, None),
        Fate::Rests => {
            if split {
                // The event before the nearer half tells how much of the whole rests.
                rest(out, parts[0].event - 1, left, 0);
            }
            for part in parts.iter().filter(|part| part.remaining > 0) {
                rest(out, part.event, part.remaining, market.spec.ladder.fraction(part.left));
            }
            (left, OrderStatus::Filled, None)
        }
        Fate::Cancelled(reason) => {
            for part in parts.iter().filter(|part| part.remaining > 0) {
                make_room(out);
                out.push(part.cancelled(market, order, id, reason));
            }
            (0, OrderStatus::Cancelled, Some(reason))
        }
    };
    let (filled, remaining) = (Quantity(order.quantity.0 - left), Quantity(remaining));
    let status = OrderStatus::of(filled, remaining, end);
    let report = OrderReport { order_id: id, status, quantity: order.quantity, filled, remaining, split };
    Ok(Receipt::Order { report, reason })
}

/// What of an order goes to one book.
struct Part {
    half: Half,
    quantity: i64,
    /// Where it would rest.
    place: Place,
    /// Where its `OrderAccepted` is among the events.
    event: usize,
    /// Exactly what was not filled. What is not whole is dust, or rests with the rest.
    left: i64,
    /// What of that is whole pennies, or shares.
    remaining: i64,
    end: End,
}

#[expect(clippy::too_many_arguments, reason = "an order, where it goes, and what it may do there")]
#[inline(always)]
fn enter(
    state: &State,
    market: &Market,
    order: &NewOrder,
    terms: &Terms,
    order_id: OrderId,
    half: Half,
    quantity: i64,
    has_ended: bool,
    work: &mut Work,
    out: &mut Vec<Event>,
) -> Part {
    let event = out.len();
    let outcome = terms.outcome;
    make_room(out);
    out.push(Event::OrderAccepted(accepted(order, terms, order_id, half, quantity)));
    let taker = Taker {
        id: order_id,
        account: order.account_id,
        place: market.place(outcome, order.side, terms.tick),
        quantity,
        post_only: order.post_only,
        self_trade: order.self_trade,
    };
    let Sweep { left, end } = if has_ended {
        Sweep { left: quantity, end: End::Through }
    } else {
        sweep(state, market, &taker, work, out)
    };
    Part { half, quantity, place: taker.place, event, left, remaining: market.spec.ladder.whole(left), end }
}

/// An order on a quarter line: its halves meet whom they can one after the other. What ends the nearer
/// ends the order, and then the further meets nobody.
#[expect(clippy::too_many_arguments, reason = "as above")]
#[cold]
fn enter_halves(
    state: &State,
    market: &Market,
    order: &NewOrder,
    terms: &Terms,
    far: OutcomeIndex,
    id: OrderId,
    work: &mut Work,
    out: &mut Vec<Event>,
) -> ArrayVec<Part, 2> {
    let whole = accepted(order, terms, id, Half::Whole, order.quantity.0);
    out.push(Event::OrderSplit { order: whole, far });
    let further = market.spec.further_half(order.quantity.0);
    let mut place = |half: Half, outcome, quantity, has_ended, out: &mut Vec<Event>| {
        let terms = Terms { outcome, far: None, ..*terms };
        let id = OrderId(id.0 + half as u64);
        enter(state, market, order, &terms, id, half, quantity, has_ended, work, out)
    };
    let near = place(Half::Near, terms.outcome, order.quantity.0 - further, false, out);
    let has_matched = near.left < near.quantity;
    let is_stopped = matches!(near.end, End::Limit | End::OwnOrder);
    let has_ended = is_stopped || order.post_only && has_matched;
    let mut halves = ArrayVec::new();
    halves.push(near);
    if further > 0 {
        halves.push(place(Half::Far, far, further, has_ended, out));
    }
    halves
}

#[inline(always)]
fn accepted(order: &NewOrder, terms: &Terms, order_id: OrderId, half: Half, quantity: i64) -> OrderAccepted {
    OrderAccepted {
        order_id,
        account: order.account_id,
        client_order_id: if half == Half::Whole { order.client_order_id } else { None },
        outcome: terms.outcome,
        side: order.side,
        price: terms.price,
        market_order: is_market(order),
        time_in_force: order.time_in_force.into(),
        persistence: order.persistence,
        quantity: Quantity(quantity),
        resting: Quantity::ZERO,
        fraction: 0,
        post_only: order.post_only,
        self_trade: order.self_trade,
        half,
    }
}

fn rest(out: &mut [Event], event: usize, quantity: i64, fraction: u8) {
    match &mut out[event] {
        Event::OrderAccepted(accepted) | Event::OrderSplit { order: accepted, .. } => {
            (accepted.resting, accepted.fraction) = (Quantity(quantity), fraction);
        }
        other => unreachable!("{other:?} brings no order"),
    }
}

impl Part {
    /// The event that cancels what was not filled of this part of an order with this id.
    fn cancelled(&self, market: &Market, order: &NewOrder, id: OrderId, reason: CancelReason) -> Event {
        let (outcome, side, price) = market.told(self.place);
        let (quantity, cancelled) = (self.quantity, self.remaining);
        Event::OrderCancelled(OrderCancelled {
            order_id: OrderId(id.0 + self.half as u64),
            account: order.account_id,
            outcome,
            side,
            price,
            reason,
            cancelled: Quantity(cancelled),
            quantity: Quantity(quantity),
            filled: Quantity(quantity - cancelled),
            remaining: Quantity::ZERO,
        })
    }
}

/// What becomes of an order after its sweep.
enum Fate {
    Filled,
    Rests,
    Cancelled(CancelReason),
}

/// How the sweeps of all parts ended.
#[derive(Default)]
struct Ended {
    /// What was not filled, in whole pennies or shares.
    remaining: i64,
    crosses_own: bool,
    limit_met: bool,
    met_own: bool,
}

impl Ended {
    #[inline(always)]
    fn of(parts: &[Part]) -> Self {
        let mut ended = Self::default();
        for &Part { remaining, end, .. } in parts {
            ended.remaining += remaining;
            ended.crosses_own |= end == End::CrossesOwn && remaining > 0;
            ended.limit_met |= end == End::Limit;
            ended.met_own |= end == End::OwnOrder;
        }
        ended
    }
}

#[inline(always)]
fn fate(
    state: &State,
    market: &Market,
    order: &NewOrder,
    parts: &[Part],
    ended: &Ended,
    work: &Work,
) -> Result<Fate, Rejection> {
    let filled = Quantity(order.quantity.0 - ended.remaining);
    if ended.met_own && order.self_trade == SelfTradePrevention::Reject {
        return Err(Rejection::SelfTrade);
    }
    if order.post_only && filled > Quantity::ZERO {
        return Err(Rejection::WouldMatch);
    }
    if ended.remaining == 0 {
        return Ok(Fate::Filled);
    }
    if let TimeInForce::Fok { min_fill } = order.time_in_force {
        let min_fill = if min_fill == Quantity::ZERO { order.quantity } else { min_fill };
        if filled < min_fill {
            let too_little = Rejection::WouldNotFill { fillable: filled, min_fill };
            let limit_met = ended.limit_met || work.sets_ended;
            return Err(if limit_met { Rejection::OrderLimit } else { too_little });
        }
    }
    if ended.limit_met {
        return Ok(Fate::Cancelled(CancelReason::OrderLimit));
    }
    if ended.met_own {
        return Ok(Fate::Cancelled(CancelReason::SelfTrade));
    }
    if is_market(order) || matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok { .. }) {
        return Ok(Fate::Cancelled(CancelReason::Unfilled));
    }
    // An order of its own account is still there, within its limit: resting would leave a crossed book.
    if ended.crosses_own {
        let nothing_filled = filled == Quantity::ZERO;
        return if nothing_filled {
            Err(Rejection::SelfTrade)
        } else {
            Ok(Fate::Cancelled(CancelReason::SelfTrade))
        };
    }
    check_room(state, market, order.account_id, parts)?;
    Ok(Fate::Rests)
}

/// Whether there is room for what would rest.
#[inline(always)]
fn check_room(state: &State, market: &Market, account: AccountId, parts: &[Part]) -> Result<(), Rejection> {
    let (limit, mut resting) = (u64::from(state.limits.resting_orders), state.store.orders.len() as u64);
    let per_account = u64::from(state.limits.resting_orders_per_account);
    // Nobody has more than there are.
    let mut own = if resting < per_account { 0 } else { u64::from(state.members.get(account).resting) };
    check_members(state, market, account)?;
    for Part { place, remaining, .. } in parts.iter().filter(|part| part.remaining > 0) {
        (resting, own) = (resting + 1, own + 1);
        if own > per_account {
            return Err(reached("resting orders of one user", per_account));
        }
        if resting > limit {
            return Err(reached("resting orders", limit));
        }
        let book = market.runners[place.outcome.index()].side(place.side);
        let total = book.level(&state.store.pages, place.tick).map_or(0, |level| level.total);
        if total.checked_add(*remaining).is_none() {
            let limit = i64::MAX.unsigned_abs();
            return Err(Rejection::LimitReached { what: "quanta resting at one price", limit });
        }
    }
    Ok(())
}
