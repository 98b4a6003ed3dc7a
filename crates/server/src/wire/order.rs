//! Orders as they are asked for.

use betex_core::command::{NewOrder, OrderPrice};
use betex_core::types::{
    AccountId, ClientOrderId, Persistence, Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce,
};
use betex_core::view::Selection;
use betex_proto::v1::{self, SubmitOrderRequest};
use tonic::Status;

use super::fault::{further, invalid, quoted};
use super::form;
use super::price::{self, PriceFault};
use super::terms::Terms;
use super::time::{Unit, time};

/// An order of which nothing is malformed, in a market with these terms.
pub(crate) struct OrderForm {
    terms: Terms,
    side: Side,
    market_order: bool,
    price: f64,
    price_type: v1::PriceType,
    quantity: Quantity,
    client_order_id: Option<ClientOrderId>,
    persistence: Persistence,
    time_in_force: TimeInForce,
    post_only: bool,
    self_trade: SelfTradePrevention,
}

/// Checks the names in an order, before they are looked for.
pub(crate) fn check_names(request: &SubmitOrderRequest) -> Result<(), Status> {
    form::name("market_id", &request.market_id)?;
    form::name("outcome_id", &request.outcome_id)?;
    form::optional_name("user_id", &request.user_id)?;
    Ok(())
}

impl OrderForm {
    /// Checks everything else that can be malformed.
    pub(crate) fn parse(request: &SubmitOrderRequest, terms: Terms) -> Result<Self, Status> {
        price::check_finite(request.price).map_err(malformed)?;
        let market_order = order_type(&request.order_type)?;
        let quantity = terms.quantity("quantity", request.quantity)?;
        let time_in_force = time_in_force(request, quantity, terms)?;
        if request.post_only {
            check_post_only(market_order, time_in_force)?;
        }
        let client_order_id = form::client_order_id(&request.client_order_id)?;
        if client_order_id.is_some() {
            form::check_owned(&request.user_id)?;
        }
        Ok(Self {
            terms,
            side: terms.side(&request.side)?,
            market_order,
            price: request.price,
            price_type: price_type(request.price_type)?,
            quantity,
            client_order_id,
            persistence: persistence(request.persistence)?,
            time_in_force,
            post_only: request.post_only,
            self_trade: self_trade(request.self_trade_prevention)?,
        })
    }

    /// What the client calls it, if anything.
    pub(crate) const fn client_order_id(&self) -> Option<&ClientOrderId> {
        self.client_order_id.as_ref()
    }

    /// The price; an inner `Err` with words if the market does not take it.
    pub(crate) fn price(&self) -> Result<Result<OrderPrice, String>, Status> {
        // proto3 cannot tell a price of 0 from none.
        if self.market_order && self.price == 0.0 {
            return Ok(Ok(OrderPrice::Market { worst: None }));
        }
        match price::parse(self.price, self.price_type, self.terms.ladder) {
            Ok(price) if self.market_order => Ok(Ok(OrderPrice::Market { worst: Some(price) })),
            Ok(price) => Ok(Ok(OrderPrice::Limit(price))),
            Err(PriceFault::OffLadder(words)) => Ok(Err(words)),
            Err(fault) => Err(malformed(fault)),
        }
    }

    /// The order, once all names have ids.
    pub(crate) fn order(&self, selection: Selection, account_id: AccountId, price: OrderPrice) -> NewOrder {
        let (runner_id, far_runner_id) = match selection {
            Selection::Outcome(id) => (id, RunnerId::NONE),
            Selection::Quarter { near, far } => (near, far),
        };
        NewOrder {
            far_runner_id,
            account_id,
            client_order_id: self.client_order_id,
            price,
            persistence: self.persistence,
            time_in_force: self.time_in_force,
            post_only: self.post_only,
            self_trade: self.self_trade,
            ..NewOrder::limit(runner_id, self.side, Price(0), self.quantity)
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
    let valid = "DECIMAL_ODDS (1) or BASIS_POINTS (0), in a binary market TICKS (2)";
    v1::PriceType::try_from(value).map_err(|_| form::unknown_value("price_type", value, valid))
}

fn persistence(value: i32) -> Result<Persistence, Status> {
    match v1::Persistence::try_from(value) {
        Ok(v1::Persistence::Lapse) => Ok(Persistence::Lapse),
        Ok(v1::Persistence::Persist) => Ok(Persistence::Persist),
        Err(_) => Err(form::unknown_value("persistence", value, "LAPSE (0) or PERSIST (1)")),
    }
}

fn self_trade(value: i32) -> Result<SelfTradePrevention, Status> {
    match v1::SelfTradePrevention::try_from(value) {
        Ok(v1::SelfTradePrevention::Skip) => Ok(SelfTradePrevention::Skip),
        Ok(v1::SelfTradePrevention::Reject) => Ok(SelfTradePrevention::Reject),
        Ok(v1::SelfTradePrevention::CancelResting) => Ok(SelfTradePrevention::CancelResting),
        Ok(v1::SelfTradePrevention::CancelTaker) => Ok(SelfTradePrevention::CancelTaker),
        Err(_) => {
            let valid = "SKIP (0), REJECT (1), CANCEL_RESTING (2) or CANCEL_TAKER (3)";
            Err(form::unknown_value("self_trade_prevention", value, valid))
        }
    }
}

fn time_in_force(
    request: &SubmitOrderRequest,
    quantity: Quantity,
    terms: Terms,
) -> Result<TimeInForce, Status> {
    let valid = "GTC (0), IOC (1), FOK (2) or GTD (3)";
    let kind = v1::TimeInForce::try_from(request.time_in_force)
        .map_err(|_| form::unknown_value("time_in_force", request.time_in_force, valid))?;
    let (expiry_ms, min_fill_quantity) = (request.expiry_ms, request.min_fill_quantity);
    if kind == v1::TimeInForce::Gtd && expiry_ms == 0 {
        let problem =
            "is missing; a GTD order needs the time it expires, in milliseconds since the Unix epoch";
        return Err(invalid("expiry_ms", problem));
    }
    if kind != v1::TimeInForce::Gtd && expiry_ms != 0 {
        return Err(invalid("expiry_ms", "is only for time_in_force GTD (3)"));
    }
    let never = "an order that never expires has time_in_force GTC (0)";
    time("expiry_ms", expiry_ms, Unit::Milliseconds).map_err(|status| further(&status, never))?;
    if kind != v1::TimeInForce::Fok && min_fill_quantity != 0 {
        return Err(invalid("min_fill_quantity", "is only for time_in_force FOK (2)"));
    }
    Ok(match kind {
        v1::TimeInForce::Gtc => TimeInForce::Gtc,
        v1::TimeInForce::Ioc => TimeInForce::Ioc,
        v1::TimeInForce::Gtd => TimeInForce::Gtd { expiry_ms },
        v1::TimeInForce::Fok => {
            let min_fill = terms.optional_quantity("min_fill_quantity", min_fill_quantity)?;
            if min_fill > quantity {
                let most = request.quantity;
                let problem = format!(
                    "{min_fill_quantity} is too much; at most the quantity, {most}, or 0 for all of it"
                );
                return Err(invalid("min_fill_quantity", problem));
            }
            TimeInForce::Fok { min_fill }
        }
    })
}

/// Only what may rest can be post-only.
fn check_post_only(market_order: bool, time_in_force: TimeInForce) -> Result<(), Status> {
    match time_in_force {
        TimeInForce::Gtc | TimeInForce::Gtd { .. } if !market_order => Ok(()),
        _ => Err(invalid("post_only", "is only for a LIMIT order with time_in_force GTC (0) or GTD (3)")),
    }
}
