//! Markets come, change their state, and go.

use std::collections::BTreeSet;

use super::{Receipt, check_text};
use crate::command::{NAME_BYTES_MAX, NewMarket, REASON_BYTES_MAX, RUNNERS_MAX};
use crate::event::Event;
use crate::ladder::{Ladder, PRICE_TICKS_MAX};
use crate::market::Market;
use crate::reject::Rejection;
use crate::state::State;
use crate::topology::Topology;
use crate::types::{BookMarketState, MarketId, Money, Quantity, RunnerId};

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
    let id = if asked.is_some() { asked } else { MarketId(state.last_market_id + 1) };
    out.push(Event::MarketCreated(Box::new(spec.clone())));
    Ok(Receipt::MarketCreated(id))
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
    if !(fewest..=RUNNERS_MAX).contains(&spec.runners.len()) {
        return Err(invalid("outcomes", "a market has 2 to 256 outcomes, a binary one 1 to 256"));
    }
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for runner in &spec.runners {
        check_text("outcomes", &runner.name, 0, NAME_BYTES_MAX)?;
        if runner.id == RunnerId::NONE || !ids.insert(runner.id) {
            return Err(invalid("outcomes", "the id of each outcome is not 0 and not another's"));
        }
        if !runner.name.is_empty() && !names.insert(runner.name.as_str()) {
            return Err(invalid("outcomes", "no two outcomes have the same name"));
        }
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

/// Created or Suspended may open; Open may be suspended; all but Closed may close.
pub(super) fn change(
    market: &Market,
    to: BookMarketState,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    use BookMarketState::{Closed, Created, Open, Suspended};
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    let from = market.state();
    let allowed = matches!(
        (from, to),
        (Created | Suspended, Open) | (Open, Suspended) | (Created | Open | Suspended, Closed)
    );
    if !allowed {
        return Err(Rejection::InvalidTransition { from, to });
    }
    out.push(Event::MarketStatusChanged { to, reason: reason.map(Into::into) });
    Ok(Receipt::MarketStatus(to))
}

pub(super) fn remove(market: &Market, out: &mut Vec<Event>) -> Result<Receipt, Rejection> {
    if market.state() != BookMarketState::Closed || market.resting > 0 {
        return Err(Rejection::NotRemovable { state: market.state(), resting: market.resting });
    }
    out.push(Event::MarketRemoved);
    Ok(Receipt::MarketRemoved)
}
