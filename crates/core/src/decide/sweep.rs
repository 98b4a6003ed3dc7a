//! The matching sweep: who a taker meets, in which order, and for how much.

use super::make_room;
use super::queue::{Queue, Spot};
use super::sets::{Lanes, Sets};
use super::taker::{Taker, Work};
use crate::book::Order;
use crate::event::Event;
use crate::limits::OWN_ORDERS_SKIPPED_MAX;
use crate::market::Market;
use crate::state::State;
use crate::types::SelfTradePrevention;

/// How a sweep ended.
pub(super) struct Sweep {
    /// What was not filled: less than a unit of it is dust, and the taker is filled.
    pub(super) left: i64,
    pub(super) end: End,
}

/// What ended a sweep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was through: filled, or nothing more within its limit.
    Through,
    /// It was through, but resting orders of the taker's own account are still there, within its limit.
    CrossesOwn,
    /// The bound on the work of one command.
    Limit,
    /// An order of its own account that it may not pass.
    OwnOrder,
}

/// Meets complete sets and resting orders, whichever has the better price, until the taker is filled or
/// nothing is within its limit. The trades go to `out`.
#[inline(always)]
pub(super) fn sweep(
    state: &State,
    market: &Market,
    taker: &Taker,
    work: &mut Work,
    out: &mut Vec<Event>,
) -> Sweep {
    // A taker that no set could serve does not pay for looking.
    if !work.sets_ended && Sets::could_serve(market, taker.place) {
        with_sets(state, market, taker, work, out)
    } else {
        meet::<false>(state, market, taker, work, None, out)
    }
}

/// Apart, since the memory for sets is large and most takers need none.
#[inline(never)]
fn with_sets(state: &State, market: &Market, taker: &Taker, work: &mut Work, out: &mut Vec<Event>) -> Sweep {
    let mut lanes = Lanes::new();
    let mut sets = Sets::new(state, market, taker, &mut lanes, work);
    meet::<true>(state, market, taker, work, Some(&mut sets), out)
}

/// The sweep itself, compiled once with and once without sets: most takers are in no reach of one, and
/// their way is to be short.
#[inline(always)]
fn meet<'a, const SETS: bool>(
    state: &'a State,
    market: &'a Market,
    taker: &Taker,
    work: &mut Work,
    mut sets: Option<&mut Sets<'a, '_>>,
    out: &mut Vec<Event>,
) -> Sweep {
    let ladder = market.spec.ladder;
    let queue = Queue::new(state, market.runners[taker.place.outcome.index()].side(taker.side().opposite()));
    let mut front = queue.first();
    // Takers that no set can serve are counted alike, so that a refusal says the same for both.
    let others = if SETS { 0 } else { Sets::others_of(market, taker.place.outcome) };
    let mut swept = Sweep { left: taker.quantity, end: End::Through };
    while swept.left >= ladder.unit() && !(taker.post_only && swept.left < taker.quantity) {
        let direct = match next(&queue, &mut front, taker, work, &mut swept) {
            Ok(direct) => direct,
            Err(end) => return Sweep { end, ..swept },
        };
        if !SETS {
            work.may_look(others);
        } else if let Some(sets) = sets.as_deref_mut()
            && let Some(set) = sets.find(direct.map(|(spot, _)| spot.tick), swept.left, work)
        {
            if !sets.fit(work) {
                // A set is met whole or not at all.
                work.sets_ended = true;
            } else if work.own_orders >= OWN_ORDERS_SKIPPED_MAX {
                return Sweep { end: End::Limit, ..swept };
            } else if sets.own_makers() == 0 {
                sets.take(&set, swept.left, work, out);
                swept.left -= set.stake;
                continue;
            } else if taker.self_trade != SelfTradePrevention::CancelResting {
                return Sweep { end: End::OwnOrder, ..swept };
            } else if sets.cancel_own(work, out) {
                continue;
            } else {
                return Sweep { end: End::Limit, ..swept };
            }
        }
        let Some((spot, order)) = direct else {
            // What else might be met is after more own orders than may be passed over.
            if SETS && sets.as_deref().is_some_and(|sets| sets.blocked_by_own) {
                return Sweep { end: End::Limit, ..swept };
            }
            break;
        };
        if work.is_used_up() {
            return Sweep { end: End::Limit, ..swept };
        }
        if !taker.owns(order) {
            let quantity = ladder.whole(swept.left.min(order.left));
            swept.left -= quantity;
            work.fills += 1;
            make_room(out);
            out.push(taker.direct(market, order, quantity));
        } else if taker.self_trade == SelfTradePrevention::CancelResting {
            work.own_orders += 1;
            Taker::cancel_own(market, order, out);
        } else {
            return Sweep { end: End::OwnOrder, ..swept };
        }
        // It is used up, or else the taker is.
        front = queue.after(spot);
    }
    swept
}

/// The direct order that is next, within the taker's limit. Where own orders are skipped, it is the first
/// that is of another account.
#[inline(always)]
fn next<'a>(
    queue: &Queue<'a>,
    front: &mut Option<Spot>,
    taker: &Taker,
    work: &mut Work,
    swept: &mut Sweep,
) -> Result<Option<(Spot, &'a Order)>, End> {
    loop {
        let Some(spot) = front.filter(|spot| taker.place.takes(spot.tick)) else {
            return Ok(None);
        };
        let order = queue.order(spot);
        if !taker.skips(order) {
            return Ok(Some((spot, order)));
        }
        if work.is_used_up() {
            return Err(End::Limit);
        }
        work.own_orders += 1;
        swept.end = End::CrossesOwn;
        *front = queue.after(spot);
    }
}
