//! CreateMarket, the steps of a market's life, and its phase.

use std::net::IpAddr;

use betex_core::command::CommandKind;
use betex_core::decide::Receipt;
use betex_core::types::{BookMarketState, MarketId};
use betex_proto::v1::{
    CreateMarketRequest, CreateMarketResponse, MarketLifecycleRequest, MarketLifecycleResponse,
    SetMarketPhaseRequest, SetMarketPhaseResponse,
};
use tonic::Status;

use crate::exchange::{Exchange, unexpected};
use crate::wire::fault::{Called, market_not_found, refused};
use crate::wire::market::phase_name;
use crate::wire::{form, market};

pub(super) async fn create(
    exchange: &Exchange,
    from: IpAddr,
    request: CreateMarketRequest,
) -> Result<CreateMarketResponse, Status> {
    let market_id = request.market_id.clone();
    let market = market::parse(request, exchange.min_quantity)?;
    let taken = exchange.new_markets.take(from)?;
    let response = exchange.ask(MarketId::NONE, CommandKind::CreateMarket(Box::new(market))).await?;
    match response.result {
        Ok(Receipt::MarketCreated(_)) => {
            taken.keep();
            let status = BookMarketState::Created.name().to_owned();
            Ok(CreateMarketResponse { market_id, status, sequence: response.sequence })
        }
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => Err(refused(&rejection, Called { market: &market_id, ..Called::default() })),
    }
}

pub(super) async fn change(
    exchange: &Exchange,
    request: MarketLifecycleRequest,
    command: impl FnOnce(Option<Box<str>>) -> CommandKind,
) -> Result<MarketLifecycleResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let reason = form::reason(&request.reason)?;
    let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
    let response = exchange.ask(market, command(reason)).await?;
    match response.result {
        Ok(Receipt::MarketStatus(state)) => Ok(MarketLifecycleResponse {
            status: state.name().to_owned(),
            sequence: response.sequence,
            market_id: request.market_id,
        }),
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => Err(refused(&rejection, Called { market: key, ..Called::default() })),
    }
}

pub(super) async fn set_phase(
    exchange: &Exchange,
    request: SetMarketPhaseRequest,
) -> Result<SetMarketPhaseResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let phase = market::phase(&request.phase)?;
    let reason = form::reason(&request.reason)?;
    let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
    let response = exchange.ask(market, CommandKind::SetPhase { phase, reason }).await?;
    match response.result {
        Ok(Receipt::MarketPhase(phase)) => Ok(SetMarketPhaseResponse {
            phase: phase_name(phase).to_owned(),
            sequence: response.sequence,
            market_id: request.market_id,
        }),
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => Err(refused(&rejection, Called { market: key, ..Called::default() })),
    }
}
