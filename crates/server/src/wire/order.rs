//! Orders as they are asked for and answered.

use betex_core::command::{NewOrder, OrderPrice};
use betex_core::event::{CancelReason, Event};
use betex_core::ladder::Ladder;
use betex_core::reject::OrderReport;
use betex_core::types::{AccountId, ClientOrderId, Persistence, Quantity, RunnerId, Side, TimeInForce};
use betex_proto::v1::{self, Fill, SubmitOrderRequest, SubmitOrderResponse};
use tonic::Status;

use super::amount::{payout, pennies};
use super::fault::{invalid, not_supported, quoted};
use super::form;
use super::price::{self, PriceFault, odds, ppm};

/// What of an order can be told without its market.
pub(crate) struct OrderForm {
    side: Side,
    market_order: bool,
    price: f64,
    price_type: v1::PriceType,
    quantity: Quantity,
    client_order_id: Option<ClientOrderId>,
    persistence: Persistence,
    time_in_force: TimeInForce,
}

impl OrderForm {
    /// Checks everything that is malformed in any market.
    pub(crate) fn parse(request: &SubmitOrderRequest) -> Result<Self, Status> {
        form::name("market_id", &request.market_id)?;
        form::name("outcome_id", &request.outcome_id)?;
        form::optional_name("user_id", &request.user_id)?;
        price::check_finite(request.price).map_err(malformed)?;
        Ok(Self {
            side: form::side(&request.side)?,
            market_order: order_type(&request.order_type)?,
            price: request.price,
            price_type: price_type(request.price_type)?,
            quantity: form::quantity("quantity", request.quantity)?,
            client_order_id: form::client_order_id(&request.client_order_id)?,
            persistence: persistence(request.persistence)?,
            time_in_force: time_in_force(request.time_in_force, request.expiry_ms)?,
        })
    }

    /// The price, where the market has this ladder; an `Err` with words if it does not take it.
    pub(crate) fn price(&self, ladder: Ladder) -> Result<Result<OrderPrice, String>, Status> {
        // proto3 cannot tell a price of 0 from none.
        if self.market_order && self.price == 0.0 {
            return Ok(Ok(OrderPrice::Market { worst: None }));
        }
        match price::parse(self.price, self.price_type, ladder) {
            Ok(price) if self.market_order => Ok(Ok(OrderPrice::Market { worst: Some(price) })),
            Ok(price) => Ok(Ok(OrderPrice::Limit(price))),
            Err(PriceFault::OffLadder(words)) => Ok(Err(words)),
            Err(fault) => Err(malformed(fault)),
        }
    }

    /// The order, once all names have ids.
    pub(crate) fn order(&self, runner_id: RunnerId, account_id: AccountId, price: OrderPrice) -> NewOrder {
        NewOrder {
            runner_id,
            account_id,
            client_order_id: self.client_order_id,
            side: self.side,
            price,
            quantity: self.quantity,
            persistence: self.persistence,
            time_in_force: self.time_in_force,
        }
    }
}

fn malformed(fault: PriceFault) -> Status {
    match fault {
        PriceFault::Malformed(field, problem) => invalid(field, problem),
        PriceFault::OffLadder(problem) => invalid("price", problem),
    }
}

/// Whether it is a MARKET order.
fn order_type(text: &str) -> Result<bool, Status> {
    match text {
        "LIMIT" => Ok(false),
        "MARKET" => Ok(true),
        other => Err(invalid("order_type", format!("{} is not valid; LIMIT or MARKET", quoted(other)))),
    }
}

fn price_type(value: i32) -> Result<v1::PriceType, Status> {
    let valid = "DECIMAL_ODDS (1) or BASIS_POINTS (0)";
    v1::PriceType::try_from(value).map_err(|_| form::unknown_value("price_type", value, valid))
}

fn persistence(value: i32) -> Result<Persistence, Status> {
    match v1::Persistence::try_from(value) {
        Ok(v1::Persistence::Lapse) => Ok(Persistence::Lapse),
        Ok(v1::Persistence::Persist) => Ok(Persistence::Persist),
        Err(_) => Err(form::unknown_value("persistence", value, "LAPSE (0) or PERSIST (1)")),
    }
}

fn time_in_force(value: i32, expiry_ms: u64) -> Result<TimeInForce, Status> {
    let known = match v1::TimeInForce::try_from(value) {
        Ok(v1::TimeInForce::Gtd) if expiry_ms == 0 => {
            let problem =
                "is missing; a GTD order needs the time it expires, in milliseconds since the Unix epoch";
            return Err(invalid("expiry_ms", problem));
        }
        Ok(v1::TimeInForce::Gtd) => return Ok(TimeInForce::Gtd { expiry_ms }),
        Ok(v1::TimeInForce::Gtc) => TimeInForce::Gtc,
        Ok(v1::TimeInForce::Ioc) => TimeInForce::Ioc,
        Ok(v1::TimeInForce::Fok) => {
            return Err(not_supported(
                "time_in_force",
                "FOK is not supported yet; GTC (0), IOC (1) or GTD (3)",
            ));
        }
        Err(_) => return Err(form::unknown_value("time_in_force", value, "GTC (0), IOC (1) or GTD (3)")),
    };
    if expiry_ms != 0 {
        return Err(invalid("expiry_ms", "is only for time_in_force GTD (3)"));
    }
    Ok(known)
}

/// The answer to an accepted order.
pub(crate) fn accepted(
    report: &OrderReport,
    reason: Option<CancelReason>,
    fills: Vec<Fill>,
    sequence: u64,
) -> SubmitOrderResponse {
    let rejection_reason = reason.map_or("", CancelReason::name);
    SubmitOrderResponse {
        status: report.status.name().to_owned(),
        rejection_reason: rejection_reason.to_owned(),
        message: remainder_words(reason).to_owned(),
        fills,
        sequence,
        ..figures(report)
    }
}

/// The answer to an order that the market refused. `first` is the order that has its client id already.
pub(crate) fn rejected(
    reason: &str,
    message: String,
    first: Option<&OrderReport>,
    sequence: u64,
) -> SubmitOrderResponse {
    SubmitOrderResponse {
        status: "REJECTED".to_owned(),
        rejection_reason: reason.to_owned(),
        message,
        sequence,
        ..first.map(figures).unwrap_or_default()
    }
}

fn figures(report: &OrderReport) -> SubmitOrderResponse {
    SubmitOrderResponse {
        order_id: report.order_id.0,
        filled_quantity: pennies(report.filled),
        remaining_quantity: pennies(report.remaining),
        cancelled_quantity: pennies(report.cancelled()),
        ..SubmitOrderResponse::default()
    }
}

fn remainder_words(reason: Option<CancelReason>) -> &'static str {
    match reason {
        Some(CancelReason::SelfTrade) => {
            "the rest is cancelled: it would rest across an order of the same user"
        }
        Some(CancelReason::OrderLimit) => {
            "the rest is cancelled: the order met the bound on work for one order"
        }
        _ => "",
    }
}

/// What of a transaction's events were fills. `first_sequence` is that of the first event.
pub(crate) fn fills(events: &[Event], first_sequence: u64, outcome: &str) -> Vec<Fill> {
    let numbered = (first_sequence..).zip(events);
    let trades = numbered.filter_map(|(sequence, event)| match event {
        Event::TradeMatched(trade) => Some((sequence, trade)),
        _ => None,
    });
    trades
        .map(|(sequence, trade)| Fill {
            maker_order_id: trade.maker_order_id.0,
            price: ppm(trade.price),
            odds: odds(trade.price),
            quantity: pennies(trade.quantity),
            payout: payout(trade.payout()),
            trade_id: sequence,
            outcome_id: outcome.to_owned(),
            taker_quantity: pennies(trade.quantity),
        })
        .collect()
}
