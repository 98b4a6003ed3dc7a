//! Sets up an engine: its markets, handlers, clock and storage.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use betex_core::command::MarketConfig;
use betex_journal::{FileStorage, RecoveryReport, Storage};
use parking_lot::Mutex;

use super::core::Engine;
use super::handlers::{self, EventHandler, HandlerOptions, Place, Registered};
use super::pipeline::{self, Recovered, Shared};
use super::positions::HandlerPositions;
use super::roster::{HandlerRecovery, Tracker};
use super::sequencer::{Clock, SystemClock};
use super::snapshots::{self, Readers};
use crate::config::Config;
use crate::error::EngineError;

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
        let is_named = options.is_some();
        let options = options.unwrap_or_else(|| HandlerOptions {
            name: format!("handler-{}", self.handlers.len() + 1),
            queue_events: self.config.handler_queue_events,
        });
        self.handlers.push(Registered { handler: Box::new(handler), recovery, options, is_named });
        self
    }

    /// Recovers from the journal and starts.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be opened: it is in use, damaged, or the disk says
    /// no. [`EngineError::Market`] if one of the markets is refused. [`EngineError::Handler`] if a handler
    /// names a position that the journal does not have, [`EngineError::Positions`] if the file with those
    /// that the engine keeps is damaged, [`EngineError::Invalid`] for a handler's name.
    pub fn build(self) -> Result<Engine, EngineError> {
        let Self { config, markets, storage, mut clock, handlers } = self;
        handlers::check(&handlers)?;
        let recovered = pipeline::recover(&config, Arc::clone(&storage), random_number(), clock.now_ns())?;
        let Recovered { state, log, preparer, maker, report } = recovered;
        let supply = Arc::clone(preparer.supply());
        let responders = handlers.iter().filter_map(|registered| registered.handler.responder()).collect();
        let (following, positions) = match follow(&storage, &config, handlers, &report) {
            Ok(following) => following,
            Err(error) => {
                drop((preparer, maker));
                log.withdraw(&report);
                return Err(error);
            }
        };
        let (stages, shared) = pipeline::wire(&config, state, Box::new(log), clock, responders, &supply);
        let (mut trackers, mut followers) = (Vec::new(), Vec::new());
        for (after, registered) in following {
            let (tracker, thread) = start_handler(registered, after, &shared, &storage, &positions)?;
            trackers.push(tracker);
            followers.push(thread);
        }
        positions.save();
        let readers = Readers { shared: shared.clone(), positions: Some(Arc::clone(&positions)) };
        let keepers = vec![pipeline::prepare_segments(preparer)?, snapshots::keep(maker, readers)?];
        let threads = pipeline::drive(stages, &config, Arc::clone(&supply))?;
        let own_threads = threads.iter().chain(&followers).map(|thread| thread.thread().id()).collect();
        let engine = Engine {
            shared,
            storage,
            report,
            supply,
            threads: Mutex::new(threads),
            own_threads,
            keepers: Mutex::new(keepers),
            followers: Mutex::new(followers),
            handler_patience: config.handler_patience,
            trackers,
            positions,
        };
        for market in markets {
            engine.ensure_market(market)?;
        }
        Ok(engine)
    }
}

/// The handlers that are to hear of events, and behind which one each begins; all are asked before the first is
/// started. And the positions of those that recover.
type Following = (Vec<(Option<u64>, Registered)>, Arc<HandlerPositions>);

fn follow(
    storage: &Arc<dyn Storage>,
    config: &Config,
    handlers: Vec<Registered>,
    report: &RecoveryReport,
) -> Result<Following, EngineError> {
    let folder = format!("{:016x}", report.journal);
    let positions = Arc::new(HandlerPositions::open(Arc::clone(storage), &folder, config.handler_claim)?);
    let mut following = Vec::new();
    for registered in handlers.into_iter().filter(|registered| registered.handler.wants_events()) {
        let now_ns = SystemClock.now_ns();
        let (name, last) = (&registered.options.name, report.last_sequence);
        following.push((positions.register(name, registered.recovery, last, now_ns)?, registered));
    }
    positions.tell_beyond(report.last_sequence);
    Ok((following, positions))
}

fn start_handler(
    registered: Registered,
    after: Option<u64>,
    shared: &Shared,
    storage: &Arc<dyn Storage>,
    positions: &Arc<HandlerPositions>,
) -> Result<(Arc<Tracker>, JoinHandle<()>), EngineError> {
    let (HandlerOptions { name, queue_events }, recovery) = (&registered.options, registered.recovery);
    let follower = shared.follow(name, after, *queue_events, storage);
    let tracker = Arc::new(Tracker::new(recovery, follower.hold()));
    let place = Place { tracker: Arc::clone(&tracker), positions: after.map(|_| Arc::clone(positions)) };
    Ok((tracker, handlers::start(registered, follower, place)?))
}

/// The number of a new journal: only has to differ from those beside it.
fn random_number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("betex journal")
}
