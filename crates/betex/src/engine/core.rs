//! The engine's handle and its builder.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use betex_core::command::{Command, MarketConfig};
use betex_core::snapshot::MarketSnapshot;
use betex_core::state::State;
use betex_core::types::MarketId;
use betex_journal::{FileStorage, JournalReader, RecoveryReport, SegmentSupply, Storage};
use parking_lot::{Mutex, RwLockReadGuard};

use super::handlers::{self, Registered};
use super::lanes::{Lanes, Submission};
use super::pipeline::{self, Recovered, Shared};
use super::response::{OwnedResponse, Reply, Responder, Response};
use super::sequencer::{Clock, SystemClock};
use super::snapshots;
use crate::config::Config;
use crate::error::EngineError;

pub use super::feed::EngineEvent;
pub use super::handlers::{EventHandler, HandlerOptions, HandlerRecovery};
pub use super::journaler::JournalStats;

/// Which way a command comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLane {
    /// Served first: cancels, lifecycle.
    Priority,
    /// Orders.
    Normal,
}

impl std::fmt::Display for CommandLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Priority => "priority",
            Self::Normal => "normal",
        })
    }
}

/// Sets up an engine.
pub struct EngineBuilder {
    config: Config,
    markets: Vec<MarketConfig>,
    storage: Arc<dyn Storage>,
    clock: Box<dyn Clock>,
    handlers: Vec<Registered>,
}

impl EngineBuilder {
    /// An engine that keeps its journal in this directory, which is made if there is none.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] if the configuration is not valid.
    pub fn new(config: Config, directory: impl AsRef<Path>) -> Result<Self, EngineError> {
        Self::on_storage(config, Arc::new(FileStorage::new(directory.as_ref())))
    }

    /// The same, with markets that are created at the start unless the journal has a market of that id.
    ///
    /// # Errors
    /// As [`EngineBuilder::new`].
    pub fn with_markets(
        config: Config,
        markets: impl IntoIterator<Item = MarketConfig>,
        directory: impl AsRef<Path>,
    ) -> Result<Self, EngineError> {
        let mut builder = Self::new(config, directory)?;
        builder.markets = markets.into_iter().collect();
        Ok(builder)
    }

    /// An engine on any storage.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] if the configuration is not valid.
    pub fn on_storage(config: Config, storage: Arc<dyn Storage>) -> Result<Self, EngineError> {
        config.check()?;
        Ok(Self { config, markets: Vec::new(), storage, clock: Box::new(SystemClock), handlers: Vec::new() })
    }

    /// The same engine with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Adds a handler, which runs on a thread of its own.
    #[must_use]
    pub fn register_handler(
        mut self,
        handler: impl EventHandler,
        recovery: HandlerRecovery,
        options: Option<HandlerOptions>,
    ) -> Self {
        let options = options.unwrap_or_else(|| HandlerOptions {
            name: format!("handler-{}", self.handlers.len() + 1),
            queue_events: self.config.handler_queue_events,
        });
        self.handlers.push(Registered { handler: Box::new(handler), recovery, options });
        self
    }

    /// Recovers from the journal and starts.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be opened: it is in use, damaged, or the disk says
    /// no. [`EngineError::Market`] if one of the markets is refused.
    pub fn build(self) -> Result<Engine, EngineError> {
        let Self { config, markets, storage, mut clock, handlers } = self;
        let recovered = pipeline::recover(&config, Arc::clone(&storage), random_number(), clock.now_ns())?;
        let Recovered { state, log, preparer, maker, report } = recovered;
        let supply = Arc::clone(preparer.supply());
        let responders = handlers.iter().filter_map(|registered| registered.handler.responder()).collect();
        let (stages, shared) = pipeline::wire(&config, state, Box::new(log), clock, responders);
        let mut keepers = vec![pipeline::prepare_segments(preparer)?];
        let mut threads = Vec::new();
        // Handlers follow before anything happens, so that none misses the first event.
        for registered in handlers {
            if let Some(thread) = start_handler(registered, &shared, &storage)? {
                threads.push(thread);
            }
        }
        keepers.push(snapshots::keep(maker, shared.clone())?);
        threads.extend(pipeline::drive(stages, &config, Arc::clone(&supply))?);
        let engine = Engine {
            shared,
            storage,
            report,
            supply,
            threads: Mutex::new(threads),
            keepers: Mutex::new(keepers),
        };
        for market in markets {
            engine.ensure_market(market)?;
        }
        Ok(engine)
    }
}

fn start_handler(
    registered: Registered,
    shared: &Shared,
    storage: &Arc<dyn Storage>,
) -> Result<Option<JoinHandle<()>>, EngineError> {
    if !registered.handler.wants_events() {
        return Ok(None);
    }
    let after = match registered.recovery {
        HandlerRecovery::LiveOnly => None,
        HandlerRecovery::AfterSeq(sequence) => Some(sequence),
    };
    let follower = shared.follow(after, registered.options.queue_events, storage);
    handlers::start(registered, follower).map(Some)
}

/// The number of a new journal: only has to differ from those beside it.
fn random_number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("betex journal")
}

/// How an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Serving,
    /// It goes on, but not with everything; in words for the operator.
    Degraded(String),
    /// It is stopping, or has stopped.
    Stopping,
}

/// A running engine. Share it behind an [`Arc`]; dropping it stops it.
pub struct Engine {
    shared: Shared,
    storage: Arc<dyn Storage>,
    report: RecoveryReport,
    supply: Arc<SegmentSupply>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Prepare segments and make snapshots until the journal is closed.
    keepers: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Submits a command whose answer goes to the registered responders alone, if it has a correlation
    /// id. Cancels and lifecycle take the priority lane.
    ///
    /// # Errors
    /// Nothing was taken: [`EngineError::QueueFull`], [`EngineError::JournalFull`] for orders,
    /// [`EngineError::Stopped`], [`EngineError::Invalid`] for a correlation id that is too long.
    pub fn submit(&self, command: Command) -> Result<(), EngineError> {
        self.submit_on(Lanes::lane_of(&command.kind), command)
    }

    /// The same on a lane of the caller's choice.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub fn submit_on(&self, lane: CommandLane, command: Command) -> Result<(), EngineError> {
        self.push(lane, Submission { command, reply: Reply::Nobody })
    }

    /// Submits a command and calls back with its answer, on the dispatcher's thread: the callback must
    /// not block.
    ///
    /// # Errors
    /// As [`Engine::submit`]; the callback is then dropped.
    pub fn submit_with(
        &self,
        command: Command,
        callback: impl FnOnce(&Response<'_>) + Send + 'static,
    ) -> Result<(), EngineError> {
        let lane = Lanes::lane_of(&command.kind);
        self.push(lane, Submission { command, reply: Reply::Once(Box::new(callback)) })
    }

    /// Submits a command, on a lane of the caller's choice, whose answer goes to a responder with this
    /// token. Allocates nothing. Commands of one lane are decided in the order of their submission.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub fn submit_to(
        &self,
        lane: CommandLane,
        command: Command,
        to: Arc<dyn Responder>,
        token: u64,
    ) -> Result<(), EngineError> {
        self.push(lane, Submission { command, reply: Reply::To(to, token) })
    }

    /// Submits a command and waits for its answer. Not for async code: see [`Engine::request`].
    ///
    /// # Errors
    /// As [`Engine::submit`]. A rejection is an answer: see [`OwnedResponse::result`].
    pub fn call(&self, command: Command) -> Result<OwnedResponse, EngineError> {
        let (sender, answer) = oneshot::channel();
        // The caller may have gone away; the command has happened all the same.
        self.submit_with(command, move |response| drop(sender.send(response.to_owned())))?;
        answer.recv().map_err(|_| EngineError::Stopped)
    }

    /// Submits a command and resolves with its answer. The command is submitted at once, whether or not
    /// the future is awaited.
    ///
    /// # Errors
    /// As [`Engine::call`].
    pub fn request(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<OwnedResponse, EngineError>> + Send + use<> {
        let (sender, answer) = oneshot::async_channel();
        let submitted = self.submit_with(command, move |response| drop(sender.send(response.to_owned())));
        async move {
            submitted?;
            answer.await.map_err(|_| EngineError::Stopped)
        }
    }

    fn push(&self, lane: CommandLane, submission: Submission) -> Result<(), EngineError> {
        self.shared.submit(&self.supply, lane, submission)
    }

    fn ensure_market(&self, market: MarketConfig) -> Result<(), EngineError> {
        let command = market.into_command();
        let id = command.market_id;
        if self.read().market(id).is_some() {
            return Ok(());
        }
        match self.call(command)?.result {
            Ok(_) => Ok(()),
            Err(rejection) => Err(EngineError::Market { market: id, rejection }),
        }
    }

    /// The read state: all that is durable, and nothing else. Keep it for as short as possible: the
    /// dispatcher waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.shared.read.read()
    }

    /// A market as a bot wants it, with up to `depth` levels of each list of prices, of one sequence
    /// number; what is not durable is not in it. `None`: there is no such market.
    pub fn market_snapshot(&self, market: MarketId, depth: usize) -> Option<MarketSnapshot> {
        Some(self.read().market(market)?.snapshot(depth))
    }

    /// The number of the last event that is on disk.
    pub fn durable_sequence(&self) -> u64 {
        self.journal_stats().durable_sequence
    }

    /// What has been written to the journal since the start.
    pub fn journal_stats(&self) -> JournalStats {
        self.shared.gate.stats()
    }

    /// Reads the journal, as far as the read state goes.
    ///
    /// # Errors
    /// [`EngineError::Read`] if it cannot be opened.
    pub fn journal_reader(&self) -> Result<JournalReader, EngineError> {
        let mut reader = JournalReader::open(Arc::clone(&self.storage))?;
        reader.set_limit(self.read().sequence());
        Ok(reader)
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        if self.shared.lanes.is_stopping() {
            return Health::Stopping;
        }
        match self.supply.problem() {
            Some(problem) => Health::Degraded(format!("new orders are refused, cancels go on: {problem}")),
            None => Health::Serving,
        }
    }

    /// What was found in the journal at the start.
    pub const fn recovery(&self) -> &RecoveryReport {
        &self.report
    }

    /// Takes no more commands, answers all that were taken, and waits until everything is on disk and
    /// every handler has seen it. The second time does nothing. Called by a handler, which cannot wait
    /// for itself, it does not wait.
    pub fn stop(&self) {
        self.shared.lanes.stop();
        let mut threads = self.threads.lock();
        let own = std::thread::current().id();
        if threads.iter().any(|thread| thread.thread().id() == own) {
            return threads.clear();
        }
        let asked = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) {
            // The journal may be waiting for room that a full disk will not give: what is behind it was
            // not acknowledged, and an operator who stops an exchange wants it to stop.
            if asked.elapsed() > STOP_PATIENCE && self.supply.is_degraded() {
                self.supply.stop();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        for thread in threads.drain(..).chain(self.keepers.lock().drain(..)) {
            // A stage that panics takes the process with it, so there is nobody to report.
            let _ = thread.join();
        }
    }
}

/// How long a stop waits for a disk that is full.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
