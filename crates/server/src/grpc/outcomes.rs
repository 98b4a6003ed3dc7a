//! AddOutcomes and RemoveOutcome.

use std::net::IpAddr;
use std::sync::Arc;

use betex_core::command::{CommandKind, NewRunner, REDUCTION_MAX};
use betex_core::decide::Receipt;
use betex_core::types::{MarketId, RunnerId};
use betex_proto::v1::{AddOutcomesRequest, AddOutcomesResponse, RemoveOutcomeRequest, RemoveOutcomeResponse};
use tonic::Status;

use crate::exchange::{Exchange, unexpected};
use crate::wire::fault::{Called, invalid, market_not_found, refused};
use crate::wire::form;
use crate::wire::market::check_outcomes;
use crate::wire::outcome::{check_added, not_listed};

pub(super) async fn add(
    exchange: &Arc<Exchange>,
    from: IpAddr,
    request: AddOutcomesRequest,
) -> Result<AddOutcomesResponse, Status> {
    form::name("market_id", &request.market_id)?;
    check_outcomes(&request.outcomes, 1)?;
    // The next ones are numbered when these are there, not when the client has lost its patience.
    let taken = exchange.new_markets.take(from)?;
    let seen_through = add_numbered(Arc::clone(exchange), request);
    let added = exchange.see_through(seen_through).await?;
    taken.keep();
    Ok(added)
}

async fn add_numbered(
    exchange: Arc<Exchange>,
    request: AddOutcomesRequest,
) -> Result<AddOutcomesResponse, Status> {
    let key = request.market_id.as_str();
    let _numbering = exchange.numbering.lock().await;
    let (market, runners) = number(&exchange, key, &request.outcomes)?;
    let response = exchange.ask(market, CommandKind::AddRunners { runners }).await?;
    match response.result {
        Ok(Receipt::RunnersAdded) => {
            Ok(AddOutcomesResponse { sequence: response.sequence, market_id: request.market_id })
        }
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => Err(refused(&rejection, Called { market: key, ..Called::default() })),
    }
}

/// The new outcomes, numbered on from those there are.
fn number(exchange: &Exchange, key: &str, names: &[String]) -> Result<(MarketId, Vec<NewRunner>), Status> {
    let state = exchange.engine.read();
    let market = state.market_named(key).ok_or_else(|| market_not_found(key))?;
    check_added(&market, names)?;
    let last = market.spec().runners.iter().map(|runner| runner.id.0).max().unwrap_or(0);
    let numbered = (last.saturating_add(1)..).map(RunnerId).zip(names);
    let runners = numbered.map(|(id, name)| NewRunner { id, name: name.clone() }).collect();
    Ok((market.id(), runners))
}

pub(super) async fn remove(
    exchange: &Exchange,
    request: RemoveOutcomeRequest,
) -> Result<RemoveOutcomeResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let name = form::name("outcome_id", &request.outcome_id)?;
    let reason = form::reason(&request.reason)?;
    let factor = request.reduction_factor;
    let reduction = u16::try_from(factor).ok().filter(|reduction| *reduction <= REDUCTION_MAX);
    let reduction = reduction.ok_or_else(|| {
        let problem = format!("{factor} is not valid; 0 to {REDUCTION_MAX}, which is 100 %");
        invalid("reduction_factor", problem)
    })?;
    let (market, runner_id) = outcome(exchange, key, name)?;
    let response = exchange.ask(market, CommandKind::RemoveRunner { runner_id, reduction, reason }).await?;
    match response.result {
        Ok(Receipt::RunnerRemoved) => Ok(RemoveOutcomeResponse {
            sequence: response.sequence,
            market_id: request.market_id,
            outcome_id: request.outcome_id,
        }),
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => {
            Err(refused(&rejection, Called { market: key, outcome: name, ..Called::default() }))
        }
    }
}

/// The outcome of a market that clients call so.
pub(super) fn outcome(exchange: &Exchange, key: &str, name: &str) -> Result<(MarketId, RunnerId), Status> {
    let state = exchange.engine.read();
    let market = state.market_named(key).ok_or_else(|| market_not_found(key))?;
    let outcome = market.outcome_named(name).ok_or_else(|| not_listed(&market, name))?;
    Ok((market.id(), market.spec().runners[outcome.index()].id))
}
