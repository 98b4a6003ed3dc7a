//! What is asked about many orders or trades at once.

use super::job::take_out_all;
use super::{Receipt, check_text};
use crate::command::{MassCancel, REASON_BYTES_MAX, VoidedTrades};
use crate::event::{CancelReason, Event, OrderFilter};
use crate::market::Market;
use crate::reject::Rejection;
use crate::state::State;
use crate::types::BookMarketState;

/// Cancels every order that fits and that there is now.
pub(super) fn cancel(
    state: &State,
    market: &Market,
    asked: &MassCancel,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    if market.own_state == BookMarketState::Closed {
        return Err(Rejection::MarketClosed);
    }
    let &MassCancel { account_id: account, runner_id, from_ns, until_ns } = asked;
    // One that was removed will do: what rests on it may still be on its way out.
    let named = runner_id.is_some().then(|| market.listed(runner_id));
    let outcome = match named {
        None => None,
        Some(found) => Some(found.ok_or(Rejection::InvalidOutcome(runner_id))?),
    };
    if until_ns != 0 && from_ns >= until_ns {
        let problem = "valid is a time after from_ns, or 0 for whenever";
        return Err(Rejection::InvalidField { field: "until_ns", problem });
    }
    let reason = CancelReason::MassCancelled;
    let filter = OrderFilter { account, outcome, from_ns, until_ns, ..OrderFilter::all(reason) };
    out.push(Event::OrdersCancelled(filter));
    let step = take_out_all(state, market, filter, out)?;
    if step.orders == 0 && !step.next.is_some() {
        // Nothing fits, so nothing has happened.
        out.clear();
    }
    Ok(Receipt::OrdersCancelled { orders: step.orders, quantity: step.quantity, done: !step.next.is_some() })
}

/// Says that trades are void. Which ones a window holds is for whoever keeps positions to know.
pub(super) fn void(
    state: &State,
    trades: VoidedTrades,
    reason: Option<&str>,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    check_text("reason", reason.unwrap_or_default(), 0, REASON_BYTES_MAX)?;
    let wrong = match trades {
        VoidedTrades::One(trade) => (!(1..=state.sequence).contains(&trade.0))
            .then_some(("trade_id", "valid is the id of a trade: a sequence number that there has been")),
        VoidedTrades::Window { from_ns, until_ns } => {
            (from_ns >= until_ns).then_some(("until_ns", "valid is a time after from_ns"))
        }
    };
    if let Some((field, problem)) = wrong {
        return Err(Rejection::InvalidField { field, problem });
    }
    out.push(Event::TradesVoided { trades, reason: reason.map(Into::into) });
    Ok(Receipt::TradesVoided)
}
