//! SubmitOrder and CancelOrder.

use std::net::IpAddr;

use betex_core::command::{CommandKind, NewOrder, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::CancelReason;
use betex_core::reject::{Rejection, RejectionClass};
use betex_core::types::{AccountId, BookMarketState, MarketId, OrderId, RunnerId};
use betex_proto::v1::{CancelOrderRequest, CancelOrderResponse, SubmitOrderRequest, SubmitOrderResponse};
use tonic::{Code, Status};

use crate::exchange::{Exchange, unexpected};
use crate::order_states::ORDERS_KEPT;
use crate::quota::Taken;
use crate::wire::answer::{self, Measure};
use crate::wire::fault::{Called, fault, invalid, market_not_found, quoted, refused, words};
use crate::wire::order::{self, OrderForm};
use crate::wire::terms::Terms;
use crate::wire::{form, outcome};

pub(super) async fn submit(
    exchange: &Exchange,
    from: IpAddr,
    request: &SubmitOrderRequest,
) -> Result<SubmitOrderResponse, Status> {
    order::check_names(request)?;
    let (market, measure, order) = match resolve(exchange, request)? {
        Resolved::Placeable { market, measure, order } => (market, measure, order),
        Resolved::Rejected(answer) => return Ok(answer),
    };
    let quarter = order.far_runner_id != RunnerId::NONE;
    let kind = exchange.order_of(&request.user_id, order);
    // A refused order registers nobody.
    let is_new = matches!(kind, CommandKind::SubmitOrderAs(_));
    let taken = if is_new { Some(exchange.new_users.take(from)?) } else { None };
    let response = exchange.ask(market, kind).await?;
    if response.result.is_ok() {
        taken.into_iter().for_each(Taken::keep);
    }
    match &response.result {
        Ok(Receipt::Order { report, reason }) => {
            let state = exchange.engine.read();
            // A market that is gone by now has no names any more.
            let runners = state.market(market).map_or(&[][..], |market| &market.spec().runners);
            let fills = answer::fills(&response.events, response.first_sequence, measure.terms, |outcome| {
                runners.get(outcome.index()).map_or(&request.outcome_id, |runner| &runner.name)
            });
            Ok(measure.accepted(report, *reason, fills, response.sequence))
        }
        Ok(receipt) => Err(unexpected(receipt)),
        Err(rejection) => {
            let called = Called { quarter, ..called(request, measure.terms) };
            answer_rejection(rejection, called, measure, response.sequence)
        }
    }
}

fn called(request: &SubmitOrderRequest, terms: Terms) -> Called<'_> {
    Called {
        market: &request.market_id,
        terms,
        outcome: &request.outcome_id,
        user: &request.user_id,
        client_order_id: &request.client_order_id,
        ..Called::default()
    }
}

fn answer_rejection(
    rejection: &Rejection,
    called: Called<'_>,
    measure: Measure,
    sequence: u64,
) -> Result<SubmitOrderResponse, Status> {
    let RejectionClass::Order(reason) = rejection.class() else { return Err(refused(rejection, called)) };
    let (_, message) = words(rejection, called);
    Ok(match rejection {
        Rejection::DuplicateClientId(first) => measure.duplicate(first, message, sequence),
        _ => answer::rejected(reason, message, sequence),
    })
}

/// Names turned into ids, as far as that goes.
enum Resolved {
    Placeable {
        market: MarketId,
        measure: Measure,
        /// Of nobody yet.
        order: NewOrder,
    },
    /// The market would refuse it, and no command could say so.
    Rejected(SubmitOrderResponse),
}

fn resolve(exchange: &Exchange, request: &SubmitOrderRequest) -> Result<Resolved, Status> {
    let state = exchange.engine.read();
    let market =
        state.market_named(&request.market_id).ok_or_else(|| market_not_found(&request.market_id))?;
    let terms = Terms::of(market.spec().ladder);
    let form = OrderForm::parse(request, terms)?;
    let measure = Measure { terms, increment: market.spec().increment };
    let account = state.account_named(&request.user_id).unwrap_or_default();
    let first = form.client_order_id().and_then(|id| market.client_order(account, id.as_str()));
    // In the core's order: whatever else is wrong with it, an order that has come before is told so, and then
    // that it comes too early or too late.
    let reject = |reason, message| {
        let earlier = match first {
            Some(first) => Some(Rejection::DuplicateClientId(first)),
            None if market.state() == BookMarketState::Open => None,
            None => Some(Rejection::MarketNotOpen(market.state())),
        };
        let called = called(request, terms);
        let answer = match earlier {
            Some(rejection) => answer_rejection(&rejection, called, measure, state.sequence())?,
            None => answer::rejected(reason, message, state.sequence()),
        };
        Ok(Resolved::Rejected(answer))
    };
    let selection = market.selection(&request.outcome_id);
    let Some(selection) = selection else {
        return reject("INVALID_OUTCOME", outcome::unknown(&market, &request.outcome_id));
    };
    let price = match form.price()? {
        Ok(price) => price,
        Err(message) => return reject("INVALID_PRICE", message),
    };
    let order = form.order(selection, AccountId::NONE, price);
    Ok(Resolved::Placeable { market: market.id(), measure, order })
}

pub(super) async fn cancel(
    exchange: &Exchange,
    request: &CancelOrderRequest,
) -> Result<CancelOrderResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let user = form::optional_name("user_id", &request.user_id)?;
    let order = order_ref(request)?;
    let (market, terms) = exchange.market_terms(key).ok_or_else(|| market_not_found(key))?;
    let keep = terms.at_most(request.keep_quantity);
    let account_id = owner(exchange, user)?;
    let response = exchange.ask(market, CommandKind::CancelOrder { order, account_id, keep }).await?;
    match response.result {
        Ok(Receipt::Cancelled { report, cancelled }) => Ok(CancelOrderResponse {
            order_id: report.order_id.0,
            status: report.status.name().to_owned(),
            cancelled_quantity: terms.count(cancelled),
            remaining_quantity: terms.count(report.remaining),
            sequence: response.sequence,
        }),
        Ok(receipt) => Err(unexpected(&receipt)),
        Err(rejection) => {
            if let Rejection::OrderNotFound(id) = rejection {
                exchange.hub.reach(response.sequence).await;
                if let Some(status) = finished(exchange, market, terms, id, account_id) {
                    return Err(status);
                }
            }
            let client_order_id = &request.client_order_id;
            Err(refused(
                &rejection,
                Called { market: key, terms, user, client_order_id, ..Called::default() },
            ))
        }
    }
}

/// What became of an order that rests no more, if it was one of this market and this user. `None` if there never was
/// one.
fn finished(
    exchange: &Exchange,
    market: MarketId,
    terms: Terms,
    id: OrderId,
    user: AccountId,
) -> Option<Status> {
    let orders = &exchange.hub.orders;
    let Some(state) = orders.find(id) else {
        let what = format!(
            "order_id: order {id} does not rest; it may have finished, but only the last {ORDERS_KEPT} orders are remembered"
        );
        return orders.may_have_forgotten(id).then(|| fault(Code::NotFound, "ORDER_NOT_FOUND", what));
    };
    let is_theirs = user == AccountId::NONE || user == state.account;
    if state.market != market || !is_theirs || !state.is_finished() {
        return None;
    }
    let (filled, quantity) = (terms.count(state.filled), terms.count(state.quantity));
    let reason = state.reason.map_or("", CancelReason::name);
    let because = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let what = format!(
        "order_id: order {id} is {}{because}: {filled} of {quantity} {} were filled, {} were cancelled, and nothing rests",
        state.status.name(),
        terms.unit_name(),
        quantity - filled,
    );
    Some(fault(Code::NotFound, "ORDER_FINISHED", what))
}

fn order_ref(request: &CancelOrderRequest) -> Result<OrderRef, Status> {
    let client = form::client_order_id(&request.client_order_id)?;
    match (request.order_id, client) {
        (0, Some(id)) => {
            form::check_owned(&request.user_id)?;
            Ok(OrderRef::Client(id))
        }
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
