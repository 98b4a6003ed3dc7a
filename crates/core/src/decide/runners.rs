//! Outcomes are added and removed.

use super::job::take_out_all;
use super::market::{CLOSED, check_bytes, check_count, check_runners};
use super::{Receipt, check_text};
use crate::command::{NewMarket, NewRunner, REASON_BYTES_MAX, REDUCTION_MAX};
use crate::event::{CancelReason, Event, OrderFilter, OutcomeIndex};
use crate::market::{Market, runners_bytes};
use crate::reject::Rejection;
use crate::state::State;
use crate::types::{BookMarketState, MarketModel, RunnerId};

pub(super) fn add(
    state: &State,
    market: &Market,
    added: &[NewRunner],
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    if market.own_state == BookMarketState::Closed {
        return Err(CLOSED);
    }
    if is_whole(market) {
        return Err(Rejection::NotPossible(
            "outcomes: a YES/NO market is complete; only independent outcomes or a group of three or more can \
             be added to",
        ));
    }
    if added.is_empty() {
        return Err(Rejection::InvalidField { field: "outcomes", problem: "at least one is to be added" });
    }
    let before = market.spec.runners.len();
    check_count(before, before + added.len())?;
    let runners = [&market.spec.runners, added].concat();
    check_runners(&runners)?;
    let spec = NewMarket { runners, ..market.spec.clone() };
    let grown = market.topology.grown(&spec).map_err(Rejection::InvalidLine)?;
    let mut joining = (0..).map(OutcomeIndex).take(spec.runners.len()).skip(before);
    if joining.any(|outcome| grown.group(outcome).is_some_and(|group| group.set_traded)) {
        return Err(Rejection::NotPossible(
            "outcomes: a complete set of the group has traded, so nothing can be added to it any more",
        ));
    }
    check_bytes(state, runners_bytes(added))?;
    out.push(Event::RunnersAdded(added.into()));
    Ok(Receipt::RunnersAdded)
}

pub(super) fn remove(
    state: &State,
    market: &Market,
    runner_id: RunnerId,
    reduction: u16,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    if market.own_state == BookMarketState::Closed {
        return Err(CLOSED);
    }
    let outcome = market.listed(runner_id).ok_or(Rejection::InvalidOutcome(runner_id))?;
    if market.runners[outcome.index()].removed.is_some() {
        return Err(Rejection::NotPossible("outcome_id: the outcome was removed before"));
    }
    if is_whole(market) {
        return Err(Rejection::NotPossible("outcome_id: a YES/NO market is complete; close it instead"));
    }
    if market.runners.iter().filter(|runner| runner.removed.is_none()).count() == 1 {
        return Err(Rejection::NotPossible(
            "outcome_id: it is the last that is left; close the market instead",
        ));
    }
    if reduction > REDUCTION_MAX {
        let problem = "valid are 0 to 10 000, in 1/10 000";
        return Err(Rejection::InvalidField { field: "reduction", problem });
    }
    out.push(Event::RunnerRemoved { outcome, reduction, reason: reason.map(Into::into) });
    let filter = OrderFilter { outcome: Some(outcome), ..OrderFilter::all(CancelReason::RunnerRemoved) };
    take_out_all(state, market, filter, out)?;
    Ok(Receipt::RunnerRemoved)
}

/// Whether its outcomes are YES and NO, or YES alone.
fn is_whole(market: &Market) -> bool {
    let spec = &market.spec;
    spec.model() == MarketModel::BinaryYes && !spec.independent && spec.runners.len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::MarketId;

    #[test]
    fn a_group_that_has_traded_a_set_takes_no_more_outcomes() {
        for (outcomes, added, traded, refused) in [
            (["Home", "Draw", "Away"], "Ghost", None, false),
            (["Home", "Draw", "Away"], "Ghost", Some(1), true),
            (["Home_-0.5", "Away_+0.5", "Over_2.5"], "Under_2.5", Some(0), false),
            (["Home_-0.5", "Away_+0.5", "Over_2.5"], "Under_2.5", Some(2), true),
        ] {
            let mut market = Market::new(MarketId(1), NewMarket::new("", outcomes));
            if let Some(outcome) = traded {
                market.topology.group_mut(OutcomeIndex(outcome)).expect("a group").set_traded = true;
            }
            let added = [NewRunner { id: RunnerId(9), name: added.into() }];
            let answer = add(&State::new(), &market, &added, &mut Vec::new());
            assert_eq!(matches!(answer, Err(Rejection::NotPossible(_))), refused, "{answer:?}");
            assert_eq!(answer.is_ok(), !refused, "{answer:?}");
        }
    }
}
