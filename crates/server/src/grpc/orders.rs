//! SubmitOrder and CancelOrder.

use betex_core::command::{CommandKind, OrderPrice, OrderRef};
use betex_core::decide::Receipt;
use betex_core::reject::{Rejection, RejectionClass};
use betex_core::types::{AccountId, BookMarketState, MarketId, OrderId, RunnerId};
use betex_core::view::MarketView;
use betex_proto::v1::{CancelOrderRequest, CancelOrderResponse, SubmitOrderRequest, SubmitOrderResponse};
use tonic::{Code, Status};

use crate::exchange::{Exchange, unexpected};
use crate::wire::amount::pennies;
use crate::wire::fault::{Called, fault, invalid, market_not_found, quoted, refused, words};
use crate::wire::form;
use crate::wire::order::{self, OrderForm};

pub(super) async fn submit(
    exchange: &Exchange,
    request: &SubmitOrderRequest,
) -> Result<SubmitOrderResponse, Status> {
    let form = OrderForm::parse(request)?;
    let called = Called {
        market: &request.market_id,
        user: &request.user_id,
        client_order_id: &request.client_order_id,
    };
    let (market, runner, price) = match resolve(exchange, request, &form)? {
        Resolved::Placeable { market, runner, price } => (market, runner, price),
        Resolved::Rejected(answer) => return Ok(answer),
    };
    let account = exchange.account(&request.user_id).await?;
    let order = form.order(runner, account, price);
    let response = exchange.ask(market, CommandKind::SubmitOrder(order)).await?;
    match &response.result {
        Ok(Receipt::Order { report, reason }) => {
            let fills = order::fills(&response.events, response.first_sequence, &request.outcome_id);
            Ok(order::accepted(report, *reason, fills, response.sequence))
        }
        Ok(receipt) => Err(unexpected(receipt)),
        Err(rejection) => answer_rejection(rejection, called, response.sequence),
    }
}

fn answer_rejection(
    rejection: &Rejection,
    called: Called<'_>,
    sequence: u64,
) -> Result<SubmitOrderResponse, Status> {
    let RejectionClass::Order(reason) = rejection.class() else { return Err(refused(rejection, called)) };
    let first = match rejection {
        Rejection::DuplicateClientId(first) => Some(first),
        _ => None,
    };
    let (_, message) = words(rejection, called);
    Ok(order::rejected(reason, message, first, sequence))
}

/// Names turned into ids, as far as that goes.
enum Resolved {
    Placeable {
        market: MarketId,
        runner: RunnerId,
        price: OrderPrice,
    },
    /// The market would refuse it, and no command could say so.
    Rejected(SubmitOrderResponse),
}

fn resolve(exchange: &Exchange, request: &SubmitOrderRequest, form: &OrderForm) -> Result<Resolved, Status> {
    let state = exchange.engine.read();
    let market =
        state.market_named(&request.market_id).ok_or_else(|| market_not_found(&request.market_id))?;
    let reject = |reason, message| {
        // Whatever else is wrong with it, an order comes too early or too late first.
        let called = Called { market: &request.market_id, ..Called::default() };
        let rejection = Rejection::MarketNotOpen(market.state());
        let (reason, message) = if market.state() == BookMarketState::Open {
            (reason, message)
        } else {
            words(&rejection, called)
        };
        Ok(Resolved::Rejected(order::rejected(reason, message, None, state.sequence())))
    };
    let outcome = market.outcome_named(&request.outcome_id);
    let Some(outcome) = outcome else { return reject("INVALID_OUTCOME", unknown_outcome(request, &market)) };
    let price = match form.price(market.spec().ladder)? {
        Ok(price) => price,
        Err(message) => return reject("INVALID_PRICE", message),
    };
    // A new name is not registered for an order that cannot be taken.
    let is_new_user = !request.user_id.is_empty() && state.account_named(&request.user_id).is_none();
    if is_new_user && market.state() != BookMarketState::Open {
        return reject("MARKET_NOT_OPEN", String::new());
    }
    let runner = market.spec().runners[outcome.index()].id;
    Ok(Resolved::Placeable { market: market.id(), runner, price })
}

fn unknown_outcome(request: &SubmitOrderRequest, market: &MarketView<'_>) -> String {
    const NAMES_MAX: usize = 10;
    let runners = &market.spec().runners;
    let mut names: Vec<_> = runners.iter().take(NAMES_MAX).map(|runner| quoted(&runner.name)).collect();
    if runners.len() > NAMES_MAX {
        names.push(format!("{} more", runners.len() - NAMES_MAX));
    }
    let (outcome, market) = (quoted(&request.outcome_id), quoted(&request.market_id));
    format!("outcome_id: {outcome} is not an outcome of market {market}; it has {}", names.join(", "))
}

pub(super) async fn cancel(
    exchange: &Exchange,
    request: &CancelOrderRequest,
) -> Result<CancelOrderResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let user = form::optional_name("user_id", &request.user_id)?;
    let order = order_ref(request)?;
    let keep = form::optional_quantity("keep_quantity", request.keep_quantity)?;
    let market = exchange.market_named(key).ok_or_else(|| market_not_found(key))?;
    let account_id = owner(exchange, user)?;
    let response = exchange.ask(market, CommandKind::CancelOrder { order, account_id, keep }).await?;
    match response.result {
        Ok(Receipt::Cancelled { report, cancelled }) => Ok(CancelOrderResponse {
            order_id: report.order_id.0,
            status: report.status.name().to_owned(),
            cancelled_quantity: pennies(cancelled),
            remaining_quantity: pennies(report.remaining),
            sequence: response.sequence,
        }),
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => {
            let called = Called { market: key, user, client_order_id: &request.client_order_id };
            Err(refused(&rejection, called))
        }
    }
}

fn order_ref(request: &CancelOrderRequest) -> Result<OrderRef, Status> {
    let client = form::client_order_id(&request.client_order_id)?;
    match (request.order_id, client) {
        (0, Some(id)) => Ok(OrderRef::Client(id)),
        (0, None) => {
            Err(invalid("order_id", "is missing; the order_id of SubmitOrder's answer, or a client_order_id"))
        }
        (id, None) => Ok(OrderRef::Id(OrderId(id))),
        (_, Some(_)) => {
            Err(invalid("client_order_id", "is not valid together with order_id; give one of them"))
        }
    }
}

/// Whose order it has to be. A name that nobody has used yet owns nothing.
fn owner(exchange: &Exchange, user: &str) -> Result<AccountId, Status> {
    if user.is_empty() {
        return Ok(AccountId::NONE);
    }
    let nothing =
        || fault(Code::NotFound, "ORDER_NOT_FOUND", format!("user_id: user {} has no orders", quoted(user)));
    exchange.engine.read().account_named(user).ok_or_else(nothing)
}
