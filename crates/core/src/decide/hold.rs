//! Holds are set and lifted; the market turns towards its event and in-play.

use super::job::turn_in_play;
use super::{Receipt, check_text};
use crate::command::REASON_BYTES_MAX;
use crate::event::Event;
use crate::market::Market;
use crate::reject::Rejection;
use crate::state::State;
use crate::types::{BookMarketState, Hold, MarketKind, MarketPhase};

/// Sets a hold, or lifts it.
pub(super) fn change_hold(
    market: &Market,
    hold: Hold,
    on: bool,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    if hold == Hold::TurningInPlay {
        let problem = "valid are HALTED and DEACTIVATED; the engine itself sets and lifts TURNING_IN_PLAY";
        return Err(Rejection::InvalidField { field: "hold", problem });
    }
    let to = Market::state_with(market.own_state, market.holds_with(hold, on));
    if market.own_state == BookMarketState::Closed {
        let to = if on { BookMarketState::Suspended } else { BookMarketState::Open };
        return Err(Rejection::InvalidTransition { from: BookMarketState::Closed, to });
    }
    if market.is_held(hold) == on {
        return Err(Rejection::HoldUnchanged { hold, on });
    }
    out.push(Event::HoldChanged { hold, on, to, reason: reason.map(Into::into) });
    Ok(Receipt::MarketStatus(to))
}

/// `Pre <-> PreAwaitLive -> Live`, and straight from `Pre` to `Live`.
pub(super) fn change_phase(
    state: &State,
    market: &Market,
    to: MarketPhase,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    use MarketPhase::{Live, Pre};
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    if market.own_state == BookMarketState::Closed {
        return Err(super::market::CLOSED);
    }
    let from = market.phase;
    if from == to || from == Live {
        return Err(Rejection::InvalidPhase { from, to });
    }
    if to != Pre && market.spec.kind != MarketKind::InPlayCapable {
        return Err(Rejection::NotPossible("phase: the market is PRE_EVENT_ONLY, so it stays in PRE"));
    }
    out.push(Event::PhaseChanged { to, reason: reason.map(Into::into) });
    if to == Live {
        turn_in_play(state, market, market.own_state, reason, out)?;
    }
    Ok(Receipt::MarketPhase(to))
}
