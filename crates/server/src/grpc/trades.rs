//! VoidTrades.

use std::collections::BTreeSet;
use std::sync::Arc;

use betex_core::command::{CommandKind, VoidedTrades};
use betex_core::decide::Receipt;
use betex_core::types::{MarketId, TradeId};
use betex_proto::v1::{VoidTradesRequest, VoidTradesResponse};
use tonic::{Code, Status};

use crate::exchange::{Exchange, unexpected};
use crate::stream::history::HistoryFault;
use crate::stream::trades::{Checked, TradeCheck};
use crate::stream::turns::Caller;
use crate::wire::fault::{Called, fault, further, invalid, market_not_found, quoted, refused};
use crate::wire::form;
use crate::wire::time::{Unit, time};

/// Trades in one request: each is a command of its own.
const TRADES_MAX: usize = 1_000;

pub(super) async fn void(
    exchange: &Arc<Exchange>,
    caller: Caller,
    request: VoidTradesRequest,
) -> Result<VoidTradesResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let reason = form::reason(&request.reason)?;
    let all = which(exchange, &request)?;
    let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
    check_trades(exchange, caller, market, &request).await?;
    exchange.see_through(void_all(Arc::clone(exchange), market, request.market_id, reason, all)).await
}

async fn void_all(
    exchange: Arc<Exchange>,
    market: MarketId,
    key: String,
    reason: Option<Box<str>>,
    all: Vec<VoidedTrades>,
) -> Result<VoidTradesResponse, Status> {
    let (count, mut sequence) = (all.len(), 0);
    for (done, trades) in all.into_iter().enumerate() {
        let command = CommandKind::VoidTrades { trades, reason: reason.clone() };
        let answer = exchange.ask(market, command).await;
        let answer = answer.and_then(|response| match response.result {
            Ok(Receipt::TradesVoided) => Ok(response.sequence),
            Ok(receipt) => Err(unexpected(&receipt)),
            Err(rejection) => Err(refused(&rejection, Called { market: &key, ..Called::default() })),
        });
        sequence = answer.map_err(|status| so_far(&status, done, count))?;
    }
    Ok(VoidTradesResponse { sequence, market_id: key })
}

/// What is void although there was an error.
fn so_far(status: &Status, done: usize, count: usize) -> Status {
    match (done, count) {
        (_, 1) => status.clone(),
        (0, _) => further(status, format!("none of the {count} trades is void")),
        _ => further(status, format!("the first {done} of the {count} trades are void, the others are not")),
    }
}

/// The trades of a request: by id, or those of a window.
fn which(exchange: &Exchange, request: &VoidTradesRequest) -> Result<Vec<VoidedTrades>, Status> {
    let VoidTradesRequest { trade_ids, from_ns, until_ns, .. } = request;
    let from_ns = time("from_ns", *from_ns, Unit::Nanoseconds)?;
    let until_ns = time("until_ns", *until_ns, Unit::Nanoseconds)?;
    let has_window = (from_ns, until_ns) != (0, 0);
    match (trade_ids.len(), has_window) {
        (0, false) => {
            let problem = "are missing; give the trade_id of fills and match events, or from_ns and until_ns";
            Err(invalid("trade_ids", problem))
        }
        (1.., true) => Err(invalid("trade_ids", "are not valid together with from_ns and until_ns")),
        (0, true) if from_ns >= until_ns => {
            Err(invalid("until_ns", format!("{until_ns} is not valid; more than from_ns, {from_ns}")))
        }
        (0, true) => {
            // Which trades are in the window must not depend on what is still to come.
            let now = now_ns(exchange);
            if until_ns > now {
                let problem = format!(
                    "{until_ns} is in the future; at most now, {now}, in nanoseconds since the Unix epoch"
                );
                return Err(invalid("until_ns", problem));
            }
            Ok(vec![VoidedTrades::Window { from_ns, until_ns }])
        }
        (count, false) if count > TRADES_MAX => {
            Err(invalid("trade_ids", format!("{count} of them; at most {TRADES_MAX}")))
        }
        (_, false) if trade_ids.contains(&0) => Err(invalid("trade_ids", "0 is not a trade")),
        (_, false) => Ok(trade_ids.iter().map(|id| VoidedTrades::One(TradeId(*id))).collect()),
    }
}

/// No event to come is earlier.
fn now_ns(exchange: &Exchange) -> u64 {
    exchange.engine.now_ns().max(exchange.engine.read().time_ns())
}

/// That the ids are of trades of this market.
async fn check_trades(
    exchange: &Exchange,
    caller: Caller,
    market: MarketId,
    request: &VoidTradesRequest,
) -> Result<(), Status> {
    let ids: BTreeSet<u64> = request.trade_ids.iter().copied().collect();
    let mut check = TradeCheck::new(Arc::clone(&exchange.engine), market, ids);
    let checked = loop {
        let turn = move || {
            let checked = check.turn();
            (check, checked)
        };
        match exchange.read_journal(caller, turn).await {
            Ok((unfinished, Ok(Checked::NotYet))) => check = unfinished,
            Ok((_, checked)) => break checked,
            Err(problem) => break Err(HistoryFault::Unreadable(problem)),
        }
    };
    match checked {
        Ok(Checked::All | Checked::NotYet) => Ok(()),
        Ok(Checked::NoTrade(id)) => {
            let what = format!(
                "trade_ids: {id} is no trade of market {}, and none is declared void; valid is the trade_id of its fills and \
                 match events",
                quoted(&request.market_id)
            );
            Err(fault(Code::NotFound, "TRADE_NOT_FOUND", what))
        }
        Err(HistoryFault::Pruned { first }) => {
            let what = format!(
                "trade_ids: the journal begins with event {first}, and an id from before that cannot be looked up; give \
                 from_ns and until_ns"
            );
            Err(fault(Code::OutOfRange, "SEQUENCE_PRUNED", what))
        }
        Err(problem) => {
            tracing::error!("the journal could not be read for trades: {problem}");
            Err(fault(Code::Internal, "INTERNAL", format!("the journal cannot be read: {problem}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_how_many_are_void() {
        let said = |done, count| so_far(&Status::internal("INTERNAL: why"), done, count).message().to_owned();
        assert_eq!(said(0, 1), "INTERNAL: why");
        assert_eq!(said(0, 3), "INTERNAL: why; none of the 3 trades is void");
        assert_eq!(said(2, 3), "INTERNAL: why; the first 2 of the 3 trades are void, the others are not");
    }
}
