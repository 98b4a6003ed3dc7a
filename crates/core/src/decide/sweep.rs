//! The matching sweep: who a taker meets, in which order, and for how much.

use super::queue::{Front, Queue};
use super::sets::{Lanes, PassedOver, Sets};
use super::taker::{Taker, Work};
use crate::event::Event;
use crate::market::Market;
use crate::state::State;
use crate::types::SelfTradePrevention;

/// How a sweep ended.
pub(super) struct Sweep {
    /// What was not filled.
    pub(super) left: i64,
    /// Whether resting orders of the taker's own account are still there, within its limit.
    pub(super) crosses_own: bool,
    /// Why it ended before it was through, if it did.
    pub(super) stopped: Option<Stop>,
}

/// What ends a sweep early.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bound on the work of one command.
    Limit,
    /// An order of its own account that it may not pass.
    OwnOrder,
}

/// Meets complete sets and resting orders, whichever has the better price, until the taker is filled or
/// nothing is within its limit. The trades go to `out`.
pub(super) fn sweep(
    state: &State,
    market: &Market,
    taker: &Taker,
    work: &mut Work,
    out: &mut Vec<Event>,
) -> Sweep {
    // Whoever no set could serve does not pay for looking.
    if Sets::could_serve(market, taker) {
        with_sets(state, market, taker, work, out)
    } else {
        meet(state, market, taker, work, None, out)
    }
}

/// Apart, since the memory for sets is large and most takers need none.
#[inline(never)]
fn with_sets(state: &State, market: &Market, taker: &Taker, work: &mut Work, out: &mut Vec<Event>) -> Sweep {
    let (mut lanes, mut passed_over) = (Lanes::new(), PassedOver::new());
    let mut sets = Sets::new(state, market, taker, &mut lanes, &mut passed_over, work);
    meet(state, market, taker, work, Some(&mut sets), out)
}

#[inline]
fn meet<'a>(
    state: &'a State,
    market: &'a Market,
    taker: &Taker,
    work: &mut Work,
    mut sets: Option<&mut Sets<'a, '_>>,
    out: &mut Vec<Event>,
) -> Sweep {
    let book = market.runners[taker.place.outcome.index()].side(taker.side().opposite());
    let mut queue = Queue::new(state, book);
    let mut swept = Sweep { left: taker.quantity, crosses_own: false, stopped: None };
    while swept.left > 0 && !(taker.post_only && swept.left < taker.quantity) {
        let direct = match next(&mut queue, taker, work, &mut swept) {
            Ok(direct) => direct,
            Err(stop) => return Sweep { stopped: Some(stop), ..swept },
        };
        let tick = direct.map(|front| front.order.tick);
        let set = sets.as_deref_mut().and_then(|sets| sets.find(tick, swept.left, work));
        if (set.is_some() || direct.is_some()) && work.is_used_up() {
            return Sweep { stopped: Some(Stop::Limit), ..swept };
        }
        if let (Some(set), Some(sets)) = (set, sets.as_deref_mut()) {
            if !sets.has_own_leg() {
                swept.left -= set.quantity;
                sets.take(&set, work, out);
            } else if taker.self_trade == SelfTradePrevention::CancelResting {
                sets.cancel_own(work, out);
            } else {
                return Sweep { stopped: Some(Stop::OwnOrder), ..swept };
            }
            continue;
        }
        let Some(Front { order, left }) = direct else { break };
        if !taker.owns(order) {
            let quantity = swept.left.min(left);
            swept.left -= quantity;
            work.fills += 1;
            out.push(taker.direct(market, order, quantity, left - quantity));
            queue.take(quantity);
            if let Some(sets) = sets.as_deref_mut() {
                sets.reconsider();
            }
        } else if taker.self_trade == SelfTradePrevention::CancelResting {
            work.own_orders += 1;
            out.push(Taker::cancel_own(market, order));
            queue.pass();
        } else {
            return Sweep { stopped: Some(Stop::OwnOrder), ..swept };
        }
    }
    swept
}

/// The direct order that is next, within the taker's limit. Where own orders are skipped, it is the first
/// that is somebody else's.
#[inline]
fn next<'a>(
    queue: &mut Queue<'a>,
    taker: &Taker,
    work: &mut Work,
    swept: &mut Sweep,
) -> Result<Option<Front<'a>>, Stop> {
    loop {
        let front = queue.front().filter(|front| taker.takes(front.order.tick));
        if !front.is_some_and(|front| taker.skips(front.order)) {
            return Ok(front);
        }
        if work.is_used_up() {
            return Err(Stop::Limit);
        }
        work.own_orders += 1;
        swept.crosses_own = true;
        queue.pass();
    }
}
