//! What is done without anybody asking: bounded steps between commands, each a transaction. A crash in
//! the middle of a long job resumes where it was, since what is left to do is part of the state.

use super::cancel::take_out;
use super::job;
use crate::event::{CancelReason, Event};
use crate::state::{State, Work};
use crate::types::MarketId;

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
            out.push(take_out(market, order, CancelReason::Expired));
            market.id
        }
        Work::AdvanceJob => job::advance(state, out),
        Work::RemoveMarket => {
            let (_, id) = *state.closed.front().expect("a market is closed");
            out.push(Event::MarketRemoved);
            id
        }
    }
}
