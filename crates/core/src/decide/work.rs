//! What is done without anybody asking: bounded steps between commands, each a transaction. A crash in
//! the middle of a long job resumes where it was, since what is left to do is part of the state.

use super::cancel::take_out;
use crate::event::{CancelReason, Event, OutcomeIndex};
use crate::limits::ORDERS_PER_STEP_MAX;
use crate::state::{State, Work};
use crate::types::{MarketId, Quantity, Side};

/// Says what one step of due work does; the events go to `out`, which is cleared first. Answers with
/// the market that they are of.
///
/// # Panics
/// If `work` is not what [`State::next_work`] names.
pub fn decide_work(state: &State, work: Work, out: &mut Vec<Event>) -> MarketId {
    out.clear();
    match work {
        Work::ExpireOrder => {
            let (_, slot) = state.store.expiries.first().expect("an order is due to expire");
            let order = &state.store.orders[slot];
            let market = state.markets.get(order.market);
            out.push(take_out(market, order, Quantity(order.remaining), CancelReason::Expired));
            market.id
        }
        Work::EmptyMarket => {
            let slot = *state.closing.front().expect("a market is emptying");
            let market = state.markets.get(slot);
            let view = state.market(market.id).expect("the market is there");
            let outcomes = (0..).map(OutcomeIndex).take(market.runners.len());
            let orders = outcomes
                .flat_map(|outcome| [Side::Yes, Side::No].map(|side| (outcome, side)))
                .flat_map(|(outcome, side)| view.slots(outcome, side))
                .take(ORDERS_PER_STEP_MAX as usize);
            out.extend(orders.map(|(_, order)| {
                take_out(market, order, Quantity(order.remaining), CancelReason::MarketClosed)
            }));
            market.id
        }
        Work::RemoveMarket => {
            let (_, id) = *state.closed.front().expect("a market is closed");
            out.push(Event::MarketRemoved);
            id
        }
    }
}
