//! CancelOrders.

use std::sync::Arc;
use std::time::{Duration, Instant};

use betex::engine::OwnedResponse;
use betex_core::command::{CommandKind, MassCancel};
use betex_core::decide::Receipt;
use betex_core::reject::{Rejection, RejectionClass};
use betex_core::types::{AccountId, MarketId};
use betex_proto::v1::{CancelOrdersRequest, CancelOrdersResponse};
use futures::{StreamExt as _, stream};
use tokio::time::sleep;
use tonic::Status;

use super::outcomes::outcome;
use crate::exchange::{Exchange, unexpected};
use crate::wire::fault::{Called, further, invalid, is_queue_full, market_not_found, refused};
use crate::wire::form;
use crate::wire::terms::Terms;
use crate::wire::time::{Unit, time};

/// Markets that are asked at once: enough to share the journal's writes, and far below what a lane holds.
const MARKETS_AT_ONCE: usize = 64;
/// How long a request waits for room in the queue, over all markets.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn cancel(
    exchange: &Arc<Exchange>,
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
    let markets = {
        let state = exchange.engine.read();
        filter.account_id = state.account_named(user).unwrap_or_default();
        if !user.is_empty() && filter.account_id == AccountId::NONE {
            // A name that nobody has used yet has no orders.
            let sequence = state.sequence();
            return Ok(CancelOrdersResponse { done: true, sequence, ..CancelOrdersResponse::default() });
        }
        let wanted = state.markets().filter(|market| match only {
            Some(only) => market.id() == only,
            None => market.resting_orders() > 0,
        });
        wanted.map(|market| (market.id(), Terms::of(market.spec().ladder))).collect::<Vec<_>>()
    };
    let command = CommandKind::CancelOrders(filter);
    exchange.see_through(cancel_in(Arc::clone(exchange), request.market_id, markets, command)).await
}

/// Cancels in each of these markets, all of which are asked, whatever one of them says. `key` is the name of the
/// only one, if one was named.
async fn cancel_in(
    exchange: Arc<Exchange>,
    key: String,
    markets: Vec<(MarketId, Terms)>,
    command: CommandKind,
) -> Result<CancelOrdersResponse, Status> {
    let give_up = Instant::now() + PATIENCE;
    let sequence = exchange.engine.read().sequence();
    let mut tally = Tally { markets: markets.len(), ..Tally::default() };
    tally.answer = CancelOrdersResponse { done: true, sequence, ..CancelOrdersResponse::default() };
    let ask = |(market, terms): (MarketId, Terms)| {
        let (exchange, command) = (&exchange, &command);
        let ask = move || exchange.ask(market, command.clone());
        async move { (terms, patiently(give_up, ask).await) }
    };
    let mut responses = stream::iter(markets).map(ask).buffered(MARKETS_AT_ONCE);
    while let Some((terms, response)) = responses.next().await {
        tally.count(terms, response.and_then(|response| taken_out(response, &key)));
    }
    if key.is_empty() { tally.of_all() } else { tally.of_one() }
}

/// Asks until there is room in the queue, or it is time to give up.
async fn patiently<F>(give_up: Instant, ask: impl Fn() -> F) -> Result<OwnedResponse, Status>
where
    F: Future<Output = Result<OwnedResponse, Status>>,
{
    loop {
        match ask().await {
            // The only exhaustion that passes by itself.
            Err(status) if is_queue_full(&status) && Instant::now() < give_up => sleep(PAUSE).await,
            answer => return answer,
        }
    }
}

/// What one market took out: orders, their sum, whether that was all, and the last event.
type TakenOut = (u32, i128, bool, u64);

fn taken_out(response: OwnedResponse, key: &str) -> Result<TakenOut, Status> {
    match response.result {
        Ok(Receipt::OrdersCancelled { orders, quantity, done }) => {
            Ok((orders, quantity, done, response.sequence))
        }
        Ok(receipt) => Err(unexpected(&receipt)),
        // Of all markets, one that has closed or gone since empties by itself.
        Err(rejection) if key.is_empty() && empties_itself(&rejection) => Ok((0, 0, true, 0)),
        Err(rejection) => Err(refused(&rejection, Called { market: key, ..Called::default() })),
    }
}

/// What the markets that were asked have said so far.
#[derive(Default)]
struct Tally {
    answer: CancelOrdersResponse,
    markets: usize,
    failed: usize,
    /// The first error.
    problem: Option<Status>,
}

impl Tally {
    fn count(&mut self, terms: Terms, taken_out: Result<TakenOut, Status>) {
        match taken_out {
            Ok((orders, quantity, done, sequence)) => {
                let answer = &mut self.answer;
                let count = terms.count_of_sum(quantity);
                let sum = if terms.max_ticks().is_some() { &mut answer.shares } else { &mut answer.quantity };
                *sum = sum.saturating_add(count);
                answer.orders += u64::from(orders);
                answer.done &= done;
                answer.sequence = answer.sequence.max(sequence);
            }
            Err(status) => {
                self.failed += 1;
                self.problem.get_or_insert(status);
            }
        }
    }

    fn of_one(self) -> Result<CancelOrdersResponse, Status> {
        self.problem.map_or(Ok(self.answer), Err)
    }

    /// An error if there was one anywhere: whoever wants everything out must not take this for it.
    fn of_all(self) -> Result<CancelOrdersResponse, Status> {
        let Some(problem) = self.problem else { return Ok(self.answer) };
        let CancelOrdersResponse { orders, quantity, shares, .. } = self.answer;
        let (asked, markets) = (self.markets - self.failed, self.markets);
        let words = format!(
            "{orders} orders ({quantity} pennies, {shares} shares) are out in {asked} of {markets} markets; ask again for the \
             others, which does no harm"
        );
        Err(further(&problem, words))
    }
}

fn check(request: &CancelOrdersRequest) -> Result<(), Status> {
    form::optional_name("market_id", &request.market_id)?;
    form::optional_name("outcome_id", &request.outcome_id)?;
    form::optional_name("user_id", &request.user_id)?;
    let from = time("entered_from_ns", request.entered_from_ns, Unit::Nanoseconds)?;
    let until = time("entered_until_ns", request.entered_until_ns, Unit::Nanoseconds)?;
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use betex::CommandLane;
    use betex::error::EngineError;
    use betex_core::ladder::Ladder;
    use tonic::Code;

    use super::*;
    use crate::wire::fault::{engine_fault, stopping};

    fn queue_full() -> Status {
        engine_fault(&EngineError::QueueFull { lane: CommandLane::Priority })
    }

    #[tokio::test]
    async fn a_full_queue_is_asked_again_until_it_is_time_to_give_up() {
        let asked = Cell::new(0);
        let full_until = |third: Status, give_up| {
            let asked = &asked;
            asked.set(0);
            let ask = move || {
                asked.set(asked.get() + 1);
                let status = if asked.get() < 3 { queue_full() } else { third.clone() };
                ready(Err(status))
            };
            async move { (patiently(give_up, ask).await.map(drop).unwrap_err().code(), asked.get()) }
        };
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        assert_eq!(full_until(stopping(), later).await, (Code::Unavailable, 3));
        assert_eq!(full_until(stopping(), now).await, (Code::ResourceExhausted, 1));
    }

    #[test]
    fn one_market_that_cannot_does_not_hide_what_the_others_did() {
        let (odds, binary) = (Terms::default(), Terms::of(Ladder::Binary { max_price_ticks: 100 }));
        let tally = |second: Result<TakenOut, Status>| {
            let answer = CancelOrdersResponse { done: true, ..CancelOrdersResponse::default() };
            let mut tally = Tally { answer, markets: 3, ..Tally::default() };
            tally.count(odds, Ok((2, 30_000, true, 7)));
            tally.count(odds, second);
            tally.count(binary, Ok((1, 40, true, 9)));
            tally
        };
        let whole = tally(Ok((512, 51_200, false, 8))).of_all().expect("no error");
        assert_eq!((whole.orders, whole.quantity, whole.shares, whole.sequence), (515, 812, 40, 9));
        assert!(!whole.done);
        let status = tally(Err(queue_full())).of_all().expect_err("one was full");
        assert_eq!(status.code(), Code::ResourceExhausted);
        let words = "3 orders (300 pennies, 40 shares) are out in 2 of 3 markets; ask again";
        assert!(
            status.message().starts_with("QUEUE_FULL: ") && status.message().contains(words),
            "{status:?}"
        );
    }
}
