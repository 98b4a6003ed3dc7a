//! VoidTrades.

use betex_core::command::{CommandKind, VoidedTrades};
use betex_core::decide::Receipt;
use betex_core::types::TradeId;
use betex_proto::v1::{VoidTradesRequest, VoidTradesResponse};
use tonic::Status;

use crate::exchange::{Exchange, unexpected};
use crate::wire::fault::{Called, invalid, market_not_found, refused};
use crate::wire::form;

/// Trades in one request: each is a command of its own.
const TRADES_MAX: usize = 1_000;

pub(super) async fn void(
    exchange: &Exchange,
    request: VoidTradesRequest,
) -> Result<VoidTradesResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let reason = form::reason(&request.reason)?;
    let all = which(&request)?;
    let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
    let last = exchange.engine.read().sequence();
    if let Some(id) = request.trade_ids.iter().find(|id| **id > last) {
        return Err(invalid("trade_ids", format!("{id} is no trade yet; the last event is {last}")));
    }
    let mut sequence = 0;
    for trades in all {
        let command = CommandKind::VoidTrades { trades, reason: reason.clone() };
        let response = exchange.ask(market, command).await?;
        match response.result {
            Ok(Receipt::TradesVoided) => sequence = response.sequence,
            Ok(receipt) => return Err(unexpected(&receipt)),
            Err(rejection) => {
                return Err(refused(&rejection, Called { market: key, ..Called::default() }));
            }
        }
    }
    Ok(VoidTradesResponse { sequence, market_id: request.market_id })
}

/// The trades of a request: by id, or those of a window.
fn which(request: &VoidTradesRequest) -> Result<Vec<VoidedTrades>, Status> {
    let VoidTradesRequest { trade_ids, from_ns, until_ns, .. } = request;
    let (from_ns, until_ns) = (*from_ns, *until_ns);
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
        (0, true) => Ok(vec![VoidedTrades::Window { from_ns, until_ns }]),
        (count, false) if count > TRADES_MAX => {
            Err(invalid("trade_ids", format!("{count} of them; at most {TRADES_MAX}")))
        }
        (_, false) if trade_ids.contains(&0) => Err(invalid("trade_ids", "0 is not a trade")),
        (_, false) => Ok(trade_ids.iter().map(|id| VoidedTrades::One(TradeId(*id))).collect()),
    }
}
