//! A server, over gRPC, that may die and come back in the middle: every request can be repeated without
//! harm, and is, until it is answered.

use std::cell::Cell;
use std::error::Error as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use betex_core::types::{Money, Price, Quantity, RunnerId, Side};
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_proto::v1::{
    CancelOrderRequest, CreateMarketRequest, GetOrderBookRequest, Level, MarketLifecycleRequest, PriceType,
    SubmitOrderRequest, SubmitOrderResponse, TimeInForce,
};
use tokio::sync::Semaphore;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

use super::exchange::{BookLevel, Exchange, MAKER, TAKER, Taken, client_order_id, side_name};
use super::ladders::RunnerIndex;
use super::orders::Order;

/// Requests in flight at once, over all markets: far below what the server's lanes hold.
const IN_FLIGHT_MAX: usize = 128;
/// How long one try may take before it counts as lost.
const TRY_MAX: Duration = Duration::from_secs(10);
/// How long a request is tried: a server that is gone for longer does not come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A server's client.
#[derive(Debug)]
pub struct GrpcExchange {
    client: OrderBookServiceClient<Channel>,
    in_flight: Semaphore,
    retries: Cell<u64>,
}

/// A market of the server.
#[derive(Debug)]
pub struct GrpcMarket {
    market_id: String,
    outcomes: Vec<String>,
}

/// An answer, and whether one before it may have been lost.
struct Answer<T> {
    response: T,
    retried: bool,
}

impl GrpcExchange {
    /// A client of the server at this address, such as `http://127.0.0.1:50051`. Connects when it is first
    /// used, and whenever the connection is lost.
    ///
    /// # Errors
    /// If it is not an address.
    pub fn new(url: &str) -> Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| url.to_owned())?;
        let client = OrderBookServiceClient::new(endpoint.tcp_nodelay(true).connect_lazy());
        Ok(Self { client, in_flight: Semaphore::new(IN_FLIGHT_MAX), retries: Cell::new(0) })
    }

    /// Asks until there is an answer. What the server itself refuses is an answer.
    async fn ask<T>(
        &self,
        request: impl AsyncFn(OrderBookServiceClient<Channel>) -> Result<Response<T>, Status>,
    ) -> Result<Answer<Result<T, Status>>> {
        let _permit = self.in_flight.acquire().await?;
        let started = Instant::now();
        let mut retried = false;
        loop {
            let lost = match tokio::time::timeout(TRY_MAX, request(self.client.clone())).await {
                Ok(Ok(response)) => return Ok(Answer { response: Ok(response.into_inner()), retried }),
                Ok(Err(status)) if !is_lost(&status) => return Ok(Answer { response: Err(status), retried }),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded(format!("no answer within {} s", TRY_MAX.as_secs())),
            };
            if started.elapsed() > PATIENCE {
                return Err(lost).with_context(|| format!("gave up after {} s", PATIENCE.as_secs()));
            }
            retried = true;
            self.retries.set(self.retries.get() + 1);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn submit(
        &self,
        market: &GrpcMarket,
        user_id: &str,
        order: &Order,
        time_in_force: TimeInForce,
    ) -> Result<Answer<SubmitOrderResponse>> {
        let request = SubmitOrderRequest {
            market_id: market.market_id.clone(),
            outcome_id: market.outcomes[order.runner].clone(),
            side: side_name(order.side).to_owned(),
            price: f64::from(order.price.0) / 10_000.0,
            price_type: PriceType::DecimalOdds.into(),
            quantity: pennies(order.quantity)?,
            order_type: "LIMIT".to_owned(),
            client_order_id: client_order_id(order.number),
            user_id: user_id.to_owned(),
            time_in_force: time_in_force.into(),
            ..SubmitOrderRequest::default()
        };
        let answer = self.ask(async |mut client| client.submit_order(request.clone()).await).await?;
        let Answer { response, retried } = answer;
        let response = response?;
        let again = response.rejection_reason == "DUPLICATE_CLIENT_ID";
        let fine = response.rejection_reason.is_empty() || (again && retried);
        ensure!(fine, "{}: {}", response.rejection_reason, response.message);
        Ok(Answer { response, retried: again })
    }

    async fn lifecycle(&self, market_id: &str, close: bool) -> Result<()> {
        let request = MarketLifecycleRequest { market_id: market_id.to_owned(), reason: "replay".to_owned() };
        let answer = self.ask(async |mut client| match close {
            false => client.open_market(request.clone()).await,
            true => client.close_market(request.clone()).await,
        });
        accept(answer.await?, Code::FailedPrecondition)
    }
}

impl Exchange for GrpcExchange {
    type Market = GrpcMarket;

    async fn open_market(&self, name: &str, runners: &[RunnerId]) -> Result<GrpcMarket> {
        let outcomes: Vec<String> = runners.iter().map(ToString::to_string).collect();
        let market_id = name.to_owned();
        let request = CreateMarketRequest {
            market_id: market_id.clone(),
            outcomes: outcomes.clone(),
            // What was recorded was matched one to one.
            synthetic_matching: Some(false),
            ..CreateMarketRequest::default()
        };
        let answer = self.ask(async |mut client| client.create_market(request.clone()).await).await?;
        accept(answer, Code::AlreadyExists)?;
        self.lifecycle(name, false).await?;
        Ok(GrpcMarket { market_id, outcomes })
    }

    async fn place(&self, market: &GrpcMarket, order: &Order) -> Result<u64> {
        let Answer { response, .. } = self.submit(market, MAKER, order, TimeInForce::Gtc).await?;
        let rests = response.remaining_quantity == pennies(order.quantity)?;
        ensure!(rests, "does not rest whole: {response:?}");
        Ok(response.order_id)
    }

    async fn take(&self, market: &GrpcMarket, taker: &Order) -> Result<Taken> {
        let Answer { response, retried } = self.submit(market, TAKER, taker, TimeInForce::Ioc).await?;
        let filled = response.filled_quantity == pennies(taker.quantity)?;
        ensure!(filled, "is not filled whole: {response:?}");
        if retried {
            return Ok(Taken::Before);
        }
        let mut fills: Vec<(u64, Quantity)> = Vec::new();
        for fill in &response.fills {
            let expected = (millionths(taker.price), f64::from(taker.price.0) / 10_000.0);
            let payout = u128::from(fill.quantity) * u128::from(taker.price.0) / 100;
            ensure!((fill.price, fill.odds) == expected, "a fill at another price: {fill:?}");
            ensure!(u128::from(fill.payout) == payout, "a payout other than {payout}: {fill:?}");
            fills.push((fill.maker_order_id, quanta(fill.quantity)?));
        }
        Ok(Taken::Fills(fills))
    }

    async fn cancel(&self, market: &GrpcMarket, order_id: u64, keep: Quantity) -> Result<()> {
        let request = CancelOrderRequest {
            market_id: market.market_id.clone(),
            order_id,
            keep_quantity: pennies(keep)?,
            user_id: MAKER.to_owned(),
            ..CancelOrderRequest::default()
        };
        let answer = self.ask(async |mut client| client.cancel_order(request.clone()).await).await?;
        match answer.response {
            Ok(response) => {
                ensure!(response.remaining_quantity == request.keep_quantity, "{response:?}");
                Ok(())
            }
            // It went with the answer that was lost.
            Err(status) if answer.retried && keep.0 == 0 && status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(status.into()),
        }
    }

    async fn book(&self, market: &GrpcMarket, runner: RunnerIndex) -> Result<[Vec<BookLevel>; 2]> {
        let request = GetOrderBookRequest {
            market_id: market.market_id.clone(),
            outcome_id: market.outcomes[runner].clone(),
            ..GetOrderBookRequest::default()
        };
        let answer = self.ask(async |mut client| client.get_order_book(request.clone()).await).await?;
        let book = answer.response?;
        let mut sides = [Vec::new(), Vec::new()];
        for (side, levels) in [(Side::Yes, &book.bids), (Side::No, &book.asks)] {
            sides[side.index()] = levels.iter().map(level).collect::<Result<_>>()?;
        }
        Ok(sides)
    }

    async fn close_market(&self, market: &GrpcMarket) -> Result<()> {
        self.lifecycle(&market.market_id, true).await
    }

    fn retries(&self) -> u64 {
        self.retries.get()
    }
}

/// Whether the request may never have arrived, or its answer was lost. A status that the server sent
/// has no source; one that was made here, of a broken connection, has.
fn is_lost(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

/// A step that was asked for again may have been done the first time.
fn accept<T>(answer: Answer<Result<T, Status>>, done_before: Code) -> Result<()> {
    match answer.response {
        Ok(_) => Ok(()),
        Err(status) if answer.retried && status.code() == done_before => Ok(()),
        Err(status) => Err(status.into()),
    }
}

fn pennies(quantity: Quantity) -> Result<u64> {
    ensure!(quantity.0 % Money::PENNY.0 == 0, "{quantity} quanta are not whole pennies");
    Ok(u64::try_from(quantity.0 / Money::PENNY.0)?)
}

fn quanta(pennies: u64) -> Result<Quantity> {
    let quanta = i64::try_from(pennies)?.checked_mul(Money::PENNY.0);
    quanta.map(Quantity).with_context(|| format!("{pennies} pennies are too many"))
}

/// The price as parts per million: 1e6 / odds, rounded.
const fn millionths(price: Price) -> u64 {
    let odds = price.0 as u64;
    (10_000_000_000 + odds / 2) / odds
}

/// A level, if its odds and its price in parts per million say the same.
fn level(level: &Level) -> Result<BookLevel> {
    let odds = (level.odds * 10_000.0).round();
    ensure!((0.0..=1e9).contains(&odds) && odds / 10_000.0 == level.odds, "odds {}", level.odds);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
    let price = Price(odds as u32);
    if level.price != millionths(price) {
        bail!("a level of {} ppm at odds {}", level.price, price.odds());
    }
    Ok(BookLevel { price, quantity: quanta(level.quantity)?, orders: usize::try_from(level.order_count)? })
}
