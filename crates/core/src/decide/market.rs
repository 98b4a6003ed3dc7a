//! Markets come, change their state, and go.

use std::collections::BTreeSet;

use super::job::turn_in_play;
use super::{Receipt, check_text};
use crate::command::{NAME_BYTES_MAX, NewMarket, NewRunner, REASON_BYTES_MAX, RUNNERS_MAX};
use crate::event::Event;
use crate::ladder::{Ladder, PRICE_TICKS_MAX};
use crate::market::Market;
use crate::reject::Rejection;
use crate::state::State;
use crate::topology::Topology;
use crate::types::{BookMarketState, Hold, MarketId, MarketKind, MarketPhase, Money, Quantity, RunnerId};

/// The highest id that an embedder may choose: there is always a next one.
const MARKET_ID_MAX: u64 = u64::MAX >> 1;

pub(super) fn create(
    state: &State,
    asked: MarketId,
    spec: &NewMarket,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    check(spec)?;
    if asked.0 > MARKET_ID_MAX {
        return Err(invalid("market_id", "valid are 1 to 2^63 - 1, or 0 for the next"));
    }
    // Its events would go on counting where those of the removed one ended.
    if asked.is_some() && asked.0 <= state.last_removed_id {
        return Err(invalid(
            "market_id",
            "valid is a number above that of every removed market, or 0 for the next",
        ));
    }
    if state.markets.slot(asked).is_some() {
        return Err(Rejection::MarketExists("number"));
    }
    if !spec.key.is_empty() && state.markets.slot_named(&spec.key).is_some() {
        return Err(Rejection::MarketExists("name"));
    }
    if state.markets.len() as u64 >= u64::from(state.limits.markets) {
        return Err(Rejection::LimitReached { what: "markets", limit: u64::from(state.limits.markets) });
    }
    check_bytes(state, spec.bytes())?;
    let id = if asked.is_some() { asked } else { MarketId(state.last_market_id + 1) };
    out.push(Event::MarketCreated(Box::new(spec.clone())));
    Ok(Receipt::MarketCreated(id))
}

/// Whether markets may take so many bytes more.
pub(super) fn check_bytes(state: &State, bytes: u64) -> Result<(), Rejection> {
    let limit = state.limits.market_bytes;
    if state.markets.bytes.saturating_add(bytes) > limit {
        return Err(Rejection::LimitReached { what: "bytes of markets, outcomes and their names", limit });
    }
    Ok(())
}

fn invalid(field: &'static str, problem: &'static str) -> Rejection {
    Rejection::InvalidMarket { field, problem }
}

fn check(spec: &NewMarket) -> Result<(), Rejection> {
    check_text("market_id", &spec.key, 0, NAME_BYTES_MAX)?;
    check_text("name", &spec.name, 0, NAME_BYTES_MAX)?;
    let (fewest, smallest, ticks) = match spec.ladder {
        Ladder::Classic | Ladder::Finest => (2, Money::PENNY.0, PRICE_TICKS_MAX),
        Ladder::Binary { max_price_ticks } => (1, 1, max_price_ticks),
    };
    if !(2..=PRICE_TICKS_MAX).contains(&ticks) {
        return Err(invalid("max_price_ticks", "valid are 2 to 10 000 ticks to a currency unit"));
    }
    check_count(fewest, spec.runners.len())?;
    check_runners(&spec.runners)?;
    if spec.kind == MarketKind::PreEventOnly && spec.phase != MarketPhase::Pre {
        return Err(invalid("market_phase", "a market that is PRE_EVENT_ONLY begins in PRE and stays there"));
    }
    if spec.state == BookMarketState::Closed {
        return Err(invalid("state", "a market begins as CREATED, OPEN or SUSPENDED"));
    }
    Topology::of(spec).map_err(Rejection::InvalidLine)?;
    if spec.increment.0 < 1 || spec.increment > Quantity::MAX || spec.increment.0 % smallest != 0 {
        let problem =
            "a positive multiple of a penny (of a share in a binary market), at most the largest order";
        return Err(invalid("increment", problem));
    }
    if spec.min_quantity.0 < 1
        || spec.min_quantity > Quantity::MAX
        || spec.min_quantity.0 % spec.increment.0 != 0
    {
        return Err(invalid(
            "min_quantity",
            "a positive multiple of the increment, at most the largest order",
        ));
    }
    Ok(())
}

/// That a market may have this many outcomes.
pub(super) fn check_count(fewest: usize, count: usize) -> Result<(), Rejection> {
    if (fewest..=RUNNERS_MAX).contains(&count) {
        return Ok(());
    }
    let problem = "a market has 2 to 256 outcomes, a binary one 1 to 256, removed ones included";
    Err(invalid("outcomes", problem))
}

/// That outcomes may be in one market.
pub(super) fn check_runners(runners: &[NewRunner]) -> Result<(), Rejection> {
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for runner in runners {
        check_text("outcomes", &runner.name, 0, NAME_BYTES_MAX)?;
        if runner.id == RunnerId::NONE || !ids.insert(runner.id) {
            return Err(invalid("outcomes", "the id of each outcome is not 0 and not another's"));
        }
        if !runner.name.is_empty() && !names.insert(runner.name.as_str()) {
            return Err(invalid("outcomes", "no two outcomes have the same name"));
        }
    }
    Ok(())
}

/// What is refused in a closed market, but for orders and cancels.
pub(super) const CLOSED: Rejection = Rejection::NotPossible("the market is CLOSED, and that is final");

/// Created or Suspended may open; Open may be suspended; all but Closed may close. Holds aside, except that
/// nobody opens a market that somebody else holds.
pub(super) fn change(
    state: &State,
    market: &Market,
    to: BookMarketState,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    use BookMarketState::{Closed, Created, Open, Suspended};
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    let from = market.own_state;
    if let Some(hold) = [Hold::Halted, Hold::Deactivated].into_iter().find(|hold| market.is_held(*hold))
        && to == Open
        && from != Closed
    {
        return Err(Rejection::Held { hold, to });
    }
    let allowed = matches!(
        (from, to),
        (Created | Suspended, Open) | (Open, Suspended) | (Created | Open | Suspended, Closed)
    );
    if !allowed {
        return Err(Rejection::InvalidTransition { from, to });
    }
    out.push(Event::MarketStatusChanged { to, reason: reason.map(Into::into) });
    if to == Suspended && market.phase == MarketPhase::PreAwaitLive {
        turn_in_play(state, market, to, reason, out)?;
    }
    Ok(Receipt::MarketStatus(Market::state_with(to, market.holds)))
}

pub(super) fn remove(state: &State, market: &Market, out: &mut Vec<Event>) -> Result<Receipt, Rejection> {
    if market.state() != BookMarketState::Closed || market.resting > 0 {
        return Err(Rejection::NotRemovable { state: market.state(), resting: market.resting });
    }
    let slot = state.markets.slot(market.id).expect("the market is there");
    if state.jobs.of(slot).next().is_some() {
        return Err(Rejection::NotPossible(
            "a job of this market is about to end; the market can go after that",
        ));
    }
    out.push(Event::MarketRemoved);
    Ok(Receipt::MarketRemoved)
}
