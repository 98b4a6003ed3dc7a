//! Taking out many orders: the first step in the transaction of the command that asks for it, the others,
//! if that was not all, as a job of their own.

use super::cancel::take_out;
use super::make_room;
use crate::event::{CancelReason, Event, Job, OrderFilter};
use crate::jobs::Turn;
use crate::limits::{
    MASS_CANCELS_MAX, MASS_CANCELS_PER_MARKET_MAX, ORDERS_PER_STEP_MAX, ORDERS_SEEN_PER_STEP_MAX,
};
use crate::market::Market;
use crate::reject::Rejection;
use crate::state::State;
use crate::types::{BookMarketState, Hold, MarketId, OrderId, TransitionPolicy};
use crate::walk::Walk;

/// What one step took out, and where the next begins.
pub(super) struct Step {
    pub(super) orders: u32,
    pub(super) quantity: i128,
    /// The first order that was not looked at, or did not fit into this step; [`OrderId::NONE`]: that was all.
    pub(super) next: OrderId,
}

/// Takes out every order that there is and that fits, or as many as one step may; a job goes on with the
/// rest.
pub(super) fn take_out_all(
    state: &State,
    market: &Market,
    filter: OrderFilter,
    out: &mut Vec<Event>,
) -> Result<Step, Rejection> {
    let first = Walk::new(market, filter.outcome).first(&state.store);
    let next = first.map_or(OrderId::NONE, |slot| state.store.orders[slot].id);
    let job = Job { filter, last_order_id: OrderId(state.last_order_id), next };
    let step = take_step(state, market, &job, out);
    if step.next.is_some() {
        check_jobs(state, market, filter.reason)?;
        out.push(Event::JobStarted(Job { next: step.next, ..job }));
    }
    Ok(step)
}

/// Whether one more job may wait for its steps. Mass cancels are anybody's, so they are bounded; what an
/// operator or the engine needs done is not kept waiting by them.
fn check_jobs(state: &State, market: &Market, reason: CancelReason) -> Result<(), Rejection> {
    if reason != CancelReason::MassCancelled {
        return Ok(());
    }
    let (mut all, mut here) = (0, 0);
    for (_, id, _) in state.jobs().filter(|(_, _, job)| job.filter.reason == reason) {
        all += 1;
        here += usize::from(id == market.id);
    }
    let bounds = [
        (here, MASS_CANCELS_PER_MARKET_MAX, "mass cancels under way in one market"),
        (all, MASS_CANCELS_MAX, "mass cancels under way"),
    ];
    match bounds.into_iter().find(|(there, limit, _)| there >= limit) {
        Some((_, limit, what)) => Err(Rejection::LimitReached { what, limit: limit as u64 }),
        None => Ok(()),
    }
}

/// Takes out what does not stay when the market turns in-play. What a job has to take out keeps the market
/// suspended until it is done. `own_state` is the market's own after this command.
pub(super) fn turn_in_play(
    state: &State,
    market: &Market,
    own_state: BookMarketState,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<(), Rejection> {
    let lapsing = match market.spec.transition {
        TransitionPolicy::KeepAll => return Ok(()),
        TransitionPolicy::CancelAll => false,
        TransitionPolicy::RespectPersistence => true,
    };
    let filter = OrderFilter { lapsing, ..OrderFilter::all(CancelReason::Lapsed) };
    let step = take_out_all(state, market, filter, out)?;
    let hold = Hold::TurningInPlay;
    if step.next.is_some() && !market.is_held(hold) {
        let to = Market::state_with(own_state, market.holds_with(hold, true));
        out.push(Event::HoldChanged { hold, on: true, to, reason: reason.map(Into::into) });
    }
    Ok(())
}

/// One step of the job whose turn it is.
pub(super) fn advance(state: &State, out: &mut Vec<Event>) -> MarketId {
    match state.jobs.front().expect("there is a job") {
        Turn::Closing(slot) => {
            let market = state.markets.get(slot);
            let first = Walk::new(market, None).first(&state.store).expect("a closing market holds orders");
            let (last_order_id, next) = (OrderId(u64::MAX), state.store.orders[first].id);
            let filter = OrderFilter::all(CancelReason::MarketClosed);
            take_step(state, market, &Job { filter, last_order_id, next }, out);
            market.id
        }
        Turn::Filtered(number) => {
            let running = state.jobs.get(number);
            let market = state.markets.get(running.market);
            // What rests in a closed market is taken out because of that.
            let next = match market.own_state {
                BookMarketState::Closed => OrderId::NONE,
                _ => take_step(state, market, &running.job, out).next,
            };
            out.push(Event::JobAdvanced { job: number, next });
            let hold = Hold::TurningInPlay;
            let mut others = state.jobs.of(running.market).filter(|(other, _)| *other != number);
            if running.job.is_transition()
                && !next.is_some()
                && market.is_held(hold)
                && !others.any(|(_, job)| job.is_transition())
            {
                let to = Market::state_with(market.own_state, market.holds_with(hold, false));
                out.push(Event::HoldChanged { hold, on: false, to, reason: None });
            }
            market.id
        }
    }
}

/// Goes on from the order that the job is at.
fn take_step(state: &State, market: &Market, job: &Job, out: &mut Vec<Event>) -> Step {
    let walk = Walk::new(market, job.filter.outcome);
    let begin = || state.store.find(job.next).expect("a job goes on with a resting order").0;
    let mut at = job.next.is_some().then(begin);
    let (mut orders, mut quantity, mut seen) = (0, 0, 0);
    while let Some(slot) = at.filter(|_| seen < ORDERS_SEEN_PER_STEP_MAX) {
        let order = &state.store.orders[slot];
        if job.takes(order) {
            if orders == ORDERS_PER_STEP_MAX {
                break;
            }
            make_room(out);
            out.push(take_out(market, order, job.filter.reason));
            orders += 1;
            quantity += i128::from(market.spec.ladder.whole(order.left));
        }
        seen += 1;
        at = walk.after(&state.store, slot);
    }
    Step { orders, quantity, next: at.map_or(OrderId::NONE, |slot| state.store.orders[slot].id) }
}
