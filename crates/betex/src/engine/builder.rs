//! Sets up an engine: its markets, handlers, clock and storage.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use betex_core::command::MarketConfig;
use betex_journal::{FileStorage, RecoveryReport, Storage};
use parking_lot::Mutex;

use super::clock::{self, Clock, EngineTime, MachineTime, SteadyClock, TimeSource};
use super::core::Engine;
use super::handlers::{self, EventHandler, HandlerOptions, Place, Registered};
use super::pipeline::{self, Recovered, Shared};
use super::positions::HandlerPositions;
use super::roster::{HandlerRecovery, Tracker};
use super::snapshots::{self, Readers};
use crate::config::Config;
use crate::error::EngineError;

/// Sets up an engine.
pub struct EngineBuilder {
    config: Config,
    markets: Vec<MarketConfig>,
    storage: Arc<dyn Storage>,
    source: Box<dyn TimeSource>,
    clock: Option<Box<dyn Clock>>,
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
        let source = Box::new(MachineTime);
        Ok(Self { config, markets: Vec::new(), storage, source, clock: None, handlers: Vec::new() })
    }

    /// The same engine with another clock, whose time is taken as it is: for tests and backtests.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// The same engine on a machine with other clocks, from which its time is made as it is from those of this one.
    #[must_use]
    pub fn with_time_source(mut self, source: impl TimeSource) -> Self {
        self.source = Box::new(source);
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
        let Self { config, markets, storage, source, mut clock, handlers } = self;
        handlers::check(&handlers)?;
        let now_ns = clock.as_mut().map_or_else(|| source.wall_ns(), |clock| clock.now_ns());
        if config.set_time_back && now_ns < YEAR_2000_NS {
            let problem = "the clock says that it is before the year 2000: set the clock first";
            return Err(EngineError::Invalid { field: "set_time_back", problem });
        }
        let recovered = pipeline::recover(&config, Arc::clone(&storage), random_number(), now_ns)?;
        let Recovered { state, log, preparer, maker, report } = recovered;
        let supply = Arc::clone(preparer.supply());
        // With a clock of its own, the engine's events say nothing of the machine's clocks.
        let floor_ns = if clock.is_some() || config.set_time_back { 0 } else { state.time_ns() };
        let time = Arc::new(EngineTime::new(source, floor_ns));
        let clock = clock.unwrap_or_else(|| Box::new(SteadyClock::new(Arc::clone(&time))));
        let responders = handlers.iter().filter_map(|registered| registered.handler.responder()).collect();
        let (following, positions) = match follow(&storage, &config, handlers, &report, time.now_ns()) {
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
            let (tracker, thread) = start_handler(registered, after, &shared, &storage, &positions, &time)?;
            trackers.push(tracker);
            followers.push(thread);
        }
        positions.save();
        let readers = Readers { shared: shared.clone(), positions: Some(Arc::clone(&positions)) };
        let keepers = vec![
            pipeline::prepare_segments(preparer)?,
            snapshots::keep(maker, readers, Arc::clone(&time))?,
            clock::watch(Arc::clone(&time), Arc::clone(&supply))?,
        ];
        let threads = pipeline::drive(stages, &config, Arc::clone(&supply))?;
        let own_threads = threads.iter().chain(&followers).map(|thread| thread.thread().id()).collect();
        let engine = Engine {
            shared,
            storage,
            report,
            supply,
            time,
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
    now_ns: u64,
) -> Result<Following, EngineError> {
    let folder = format!("{:016x}", report.journal);
    let positions = Arc::new(HandlerPositions::open(Arc::clone(storage), &folder, config.handler_claim)?);
    let mut following = Vec::new();
    for registered in handlers.into_iter().filter(|registered| registered.handler.wants_events()) {
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
    time: &Arc<EngineTime>,
) -> Result<(Arc<Tracker>, JoinHandle<()>), EngineError> {
    let (HandlerOptions { name, queue_events }, recovery) = (&registered.options, registered.recovery);
    let follower = shared.follow(name, after, *queue_events, storage);
    let tracker = Arc::new(Tracker::new(recovery, follower.hold()));
    let positions = after.map(|_| Arc::clone(positions));
    let place = Place { tracker: Arc::clone(&tracker), positions, time: Arc::clone(time) };
    Ok((tracker, handlers::start(registered, follower, place)?))
}

/// No exchange is older: a clock that says less has never been set.
const YEAR_2000_NS: u64 = 946_684_800_000_000_000;

/// The number of a new journal: only has to differ from those beside it.
fn random_number() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("betex journal")
}
