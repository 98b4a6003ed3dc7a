//! CancelOrders.

use betex::engine::OwnedResponse;
use betex_core::command::{CommandKind, MassCancel};
use betex_core::decide::Receipt;
use betex_core::reject::{Rejection, RejectionClass};
use betex_core::types::{AccountId, MarketId};
use betex_proto::v1::{CancelOrdersRequest, CancelOrdersResponse};
use futures::{StreamExt as _, stream};
use tonic::Status;

use super::outcomes::outcome;
use crate::exchange::{Exchange, unexpected};
use crate::wire::fault::{Called, invalid, market_not_found, refused};
use crate::wire::form;
use crate::wire::terms::Terms;

/// Markets that are asked at once: enough to share the journal's writes, and far below what a lane holds.
const MARKETS_AT_ONCE: usize = 64;

pub(super) async fn cancel(
    exchange: &Exchange,
    request: CancelOrdersRequest,
) -> Result<CancelOrdersResponse, Status> {
    check(&request)?;
    let (key, user) = (request.market_id.as_str(), request.user_id.as_str());
    let mut filter = MassCancel {
        from_ns: request.entered_from_ns,
        until_ns: request.entered_until_ns,
        ..MassCancel::default()
    };
    let only = match (key, request.outcome_id.as_str()) {
        ("", _) => None,
        (key, "") => Some(exchange.market_named(key).ok_or_else(|| market_not_found(key))?),
        (key, name) => {
            let (market, runner_id) = outcome(exchange, key, name)?;
            filter.runner_id = runner_id;
            Some(market)
        }
    };
    let mut answer = CancelOrdersResponse { done: true, ..CancelOrdersResponse::default() };
    let markets = {
        let state = exchange.engine.read();
        answer.sequence = state.sequence();
        filter.account_id = state.account_named(user).unwrap_or_default();
        if !user.is_empty() && filter.account_id == AccountId::NONE {
            // A name that nobody has used yet has no orders.
            return Ok(answer);
        }
        let wanted = state.markets().filter(|market| match only {
            Some(only) => market.id() == only,
            None => market.resting_orders() > 0,
        });
        wanted.map(|market| (market.id(), Terms::of(market.spec().ladder))).collect::<Vec<_>>()
    };
    let command = CommandKind::CancelOrders(filter);
    let ask = |(market, terms): (MarketId, Terms)| {
        let command = command.clone();
        async move { (terms, exchange.ask(market, command).await) }
    };
    let mut responses = stream::iter(markets).map(ask).buffered(MARKETS_AT_ONCE);
    while let Some((terms, response)) = responses.next().await {
        let OwnedResponse { result, sequence, .. } = response?;
        match result {
            Ok(Receipt::OrdersCancelled { orders, quantity, done }) => {
                let count = terms.count_of_sum(quantity);
                let sum = if terms.max_ticks().is_some() { &mut answer.shares } else { &mut answer.quantity };
                *sum = sum.saturating_add(count);
                answer.orders += u64::from(orders);
                answer.done &= done;
                answer.sequence = answer.sequence.max(sequence);
            }
            Ok(receipt) => return Err(unexpected(&receipt)),
            // Of all markets, one that has closed or gone since empties by itself.
            Err(rejection) if only.is_none() && empties_itself(&rejection) => (),
            Err(rejection) => return Err(refused(&rejection, Called { market: key, ..Called::default() })),
        }
    }
    Ok(answer)
}

fn check(request: &CancelOrdersRequest) -> Result<(), Status> {
    form::optional_name("market_id", &request.market_id)?;
    form::optional_name("outcome_id", &request.outcome_id)?;
    form::optional_name("user_id", &request.user_id)?;
    let CancelOrdersRequest { entered_from_ns: from, entered_until_ns: until, .. } = *request;
    if request.market_id.is_empty() && request.user_id.is_empty() && (from, until) == (0, 0) {
        let problem = "is missing; market_id, user_id, entered_from_ns or entered_until_ns says which orders \
                       (a client of proto-loader needs keepCase: true)";
        return Err(invalid("market_id", problem));
    }
    if request.market_id.is_empty() && !request.outcome_id.is_empty() {
        return Err(invalid("outcome_id", "is only valid together with market_id"));
    }
    if until != 0 && from >= until {
        let problem = format!("{until} is not valid; more than entered_from_ns, {from}, or 0 for any time");
        return Err(invalid("entered_until_ns", problem));
    }
    Ok(())
}

fn empties_itself(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::MarketClosed) || rejection.class() == RejectionClass::NotFound
}
