//! What every gateway of the server shares.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use betex::Engine;
use betex::engine::OwnedResponse;
use betex::error::EngineError;
use betex_core::command::{Command, CommandKind, NewOrder, UserOrder};
use betex_core::decide::Receipt;
use betex_core::types::MarketId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tonic::{Code, Status};

use crate::metrics::JOURNAL_TURNS;
use crate::options::Options;
use crate::quota::Quota;
use crate::stream::hub::Hub;
use crate::stream::turns::{Caller, Turns};
use crate::wire::fault::{engine_fault, fault, stopping};
use crate::wire::terms::Terms;

/// Streams at once, over gRPC and WebSocket together.
pub(crate) const STREAMS_MAX: usize = 1_000;

/// Turns at the journal at once, each of a few milliseconds. The disk and the processors are the exchange's first.
const READERS_MAX: usize = 2;

/// Requests that are seen through at once; others wait. Far more than come, so that a cancel waits for nobody.
const LONG_REQUESTS_MAX: usize = 1_024;
/// Requests under way at once, over all connections: more than the engine's queues hold.
const REQUESTS_MAX: usize = 65_536;

/// What every gateway of the server shares.
pub(crate) struct Exchange {
    pub(crate) engine: Arc<Engine>,
    pub(crate) hub: Arc<Hub>,
    streams: Arc<Semaphore>,
    /// Turns at the journal.
    readers: Arc<Turns>,
    /// Turns at what is seen through, whoever waits for it.
    long_requests: Arc<Semaphore>,
    under_way: AtomicUsize,
    /// How fast users get accounts.
    pub(crate) new_users: Quota,
    /// How fast markets and outcomes come.
    pub(crate) new_markets: Quota,
    /// The smallest order, in pennies, of new markets at odds that do not name one.
    pub(crate) min_quantity: u64,
    /// How far back a stream may go in the journal; 0: as far as that goes.
    pub(crate) resume_max_events: u64,
    /// Held while outcomes are numbered and added: two who do so at once would give the same numbers.
    pub(crate) numbering: tokio::sync::Mutex<()>,
}

impl Exchange {
    pub(crate) fn new(engine: Arc<Engine>, hub: Arc<Hub>, options: &Options) -> Self {
        Self {
            engine,
            hub,
            new_users: Quota::new("new users", "TOO_MANY_NEW_USERS", options.bounds.new_users_per_s, 100),
            new_markets: Quota::new(
                "new markets and additions of outcomes",
                "TOO_MANY_NEW_MARKETS",
                options.bounds.new_markets_per_s,
                20,
            ),
            min_quantity: options.min_quantity,
            resume_max_events: options.resume_max_events,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            readers: Turns::new(READERS_MAX),
            long_requests: Arc::new(Semaphore::new(LONG_REQUESTS_MAX)),
            under_way: AtomicUsize::new(0),
            numbering: tokio::sync::Mutex::new(()),
        }
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn stream_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// How many streams there are.
    pub(crate) fn streams(&self) -> usize {
        STREAMS_MAX - self.streams.available_permits()
    }

    /// Reads the journal for a connection, on a thread that may block, when it is its turn. If what this returns is
    /// dropped before that, nothing is read.
    pub(crate) fn read_journal<T: Send + 'static>(
        &self,
        caller: Caller,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Reading<T> {
        let turns = Arc::clone(&self.readers);
        let task = tokio::spawn(async move {
            let turn = turns.turn(caller).await;
            metrics::counter!(JOURNAL_TURNS).increment(1);
            // The turn ends when the reading does, though nobody may wait for it any more.
            let read = spawn_blocking(move || {
                let _turn = turn;
                read()
            });
            read.await.map_err(|error| error.to_string())
        });
        Reading { task }
    }

    /// Does to its end what must not be left half done, though the client goes away meanwhile. One that goes
    /// away before its turn has asked for nothing.
    pub(crate) async fn see_through<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Result<T, Status> {
        let exchange = Arc::clone(self);
        // An error would mean that there are no turns any more; there always are.
        let turn = Arc::clone(&self.long_requests).acquire_owned().await;
        let done = tokio::spawn(async move {
            let (_turn, _under_way) = (turn, exchange.begin()?);
            work.await
        });
        match done.await.map_err(JoinError::try_into_panic) {
            Ok(done) => done,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_)) => Err(stopping()),
        }
    }

    /// Counts a request until what it returns is dropped; refuses it if as many are under way as may be.
    pub(crate) fn begin(&self) -> Result<UnderWay<'_>, Status> {
        let under_way = UnderWay { exchange: self };
        if self.under_way.fetch_add(1, Ordering::AcqRel) < REQUESTS_MAX {
            return Ok(under_way);
        }
        let what = format!("{REQUESTS_MAX} requests are under way, which is the most; try again shortly");
        Err(fault(Code::ResourceExhausted, "QUEUE_FULL", what))
    }

    /// Whether no request and no stream is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.under_way.load(Ordering::Acquire) == 0 && self.streams() == 0
    }

    /// The market that clients call so.
    pub(crate) fn market_named(&self, key: &str) -> Option<MarketId> {
        // An empty name is no name: markets of embedders have it.
        if key.is_empty() { None } else { self.engine.read().market_named(key).map(|market| market.id()) }
    }

    /// The market that clients call so, and what its numbers mean.
    pub(crate) fn market_terms(&self, key: &str) -> Option<(MarketId, Terms)> {
        let state = self.engine.read();
        let market = state.market_named(key).filter(|_| !key.is_empty())?;
        Some((market.id(), Terms::of(market.spec().ladder)))
    }

    /// The command for an order of a user. A user without an account gets one with the first accepted order.
    pub(crate) fn order_of(&self, user: &str, order: NewOrder) -> CommandKind {
        if user.is_empty() {
            return CommandKind::SubmitOrder(order);
        }
        match self.engine.read().account_named(user) {
            Some(account) => CommandKind::SubmitOrder(order.by(account)),
            None => CommandKind::SubmitOrderAs(Box::new(UserOrder { user: user.into(), order })),
        }
    }

    /// Asks the engine and waits for its answer.
    pub(crate) async fn ask(&self, market: MarketId, kind: CommandKind) -> Result<OwnedResponse, Status> {
        let answer = self.engine.request(Command::new(market, kind)).await;
        answer.map_err(|error: EngineError| engine_fault(&error))
    }
}

/// A turn at the journal that is waited for, or taken; given up if it is dropped.
pub(crate) struct Reading<T> {
    task: JoinHandle<Result<T, String>>,
}

impl<T> Future for Reading<T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context).map(|done| done.unwrap_or_else(|error| Err(error.to_string())))
    }
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request that is under way.
pub(crate) struct UnderWay<'a> {
    exchange: &'a Exchange,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.exchange.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An answer to something else than what was asked.
pub(crate) fn unexpected(receipt: &Receipt) -> Status {
    tracing::error!("the engine answered {receipt:?} to something else");
    fault(Code::Internal, "INTERNAL", "the engine's answer does not fit the question; please report this")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use betex::EngineBuilder;
    use betex::config::Config;

    use super::*;

    #[test]
    fn requests_under_way_are_bounded_and_one_that_ends_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config { segment_bytes: 1 << 20, ..Config::default() };
        let engine = EngineBuilder::new(config, directory.path()).unwrap().build().unwrap();
        let exchange = Exchange::new(Arc::new(engine), Arc::default(), &Options::default());
        let mut under_way: Vec<_> = (0..REQUESTS_MAX).map(|_| exchange.begin().unwrap()).collect();
        for _ in 0..2 {
            assert_eq!(exchange.begin().err().unwrap().code(), Code::ResourceExhausted);
        }
        under_way.pop();
        assert!(exchange.begin().is_ok());
        under_way.clear();
        assert!(exchange.is_quiet());
    }
}
