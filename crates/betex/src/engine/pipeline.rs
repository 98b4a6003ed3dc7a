//! The whole engine, as it is wired:
//!
//! ```text
//! callers -> bounded lanes (Priority, Normal) -> sequencer and core (one thread) -> ring
//!         -> journaler (one thread: group commit, sync) -> gate -> dispatcher (one thread)
//!         -> answers; the read state; a bounded queue per handler
//! ```
//!
//! Sequencer, journaler and dispatcher are structs with a step; here threads drive them. Each parks when
//! there is nothing to do, and is woken by whoever is before it in the line.

use std::sync::Arc;
use std::thread::JoinHandle;

use betex_core::state::State;
use betex_core::types::CorrelationId;
use betex_journal::{
    JournalError, JournalOptions, JournalReader, JournalWriter, Log, RecoveryReport, SegmentPreparer,
    SegmentSupply, SnapshotMaker, Storage,
};
use parking_lot::RwLock;

use super::clock::Clock;
use super::dispatcher::Dispatcher;
use super::doorbell::Doorbell;
use super::fatal::AbortOnUnwind;
use super::feed::{Feeds, Follower};
use super::journaler::{Gate, Journaler, Step};
use super::lane::CommandLane;
use super::lanes::{Lanes, Submission};
use super::response::Responder;
use super::sequencer::{Progress, Room, Sequencer};
use crate::config::Config;
use crate::disruptor::ring;
use crate::error::EngineError;

/// What the threads share with the handle.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) read: Arc<RwLock<State>>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) feeds: Arc<Feeds>,
}

impl Shared {
    /// The door: takes a command into a lane, or says why not.
    pub(crate) fn submit(
        &self,
        supply: &SegmentSupply,
        lane: CommandLane,
        submission: Submission,
    ) -> Result<(), EngineError> {
        let command = &submission.command;
        if command.correlation_id.as_ref().is_some_and(|id| id.0.len() > CorrelationId::BYTES_MAX) {
            return Err(EngineError::Invalid { field: "correlation_id", problem: "at most 128 bytes" });
        }
        let is_refused = supply.is_degraded()
            && Lanes::takes_room(&command.kind)
            && !Lanes::is_known(&self.read.read(), command.market_id, &command.kind);
        let pushed =
            if is_refused { Err(EngineError::JournalFull) } else { self.lanes.push(lane, submission) };
        if pushed.is_err() {
            ::metrics::counter!(crate::metrics::REFUSED).increment(1);
        }
        pushed
    }

    /// Begins to follow what happens after this sequence number, or what comes next.
    pub(crate) fn follow(
        &self,
        name: &str,
        after: Option<u64>,
        queue_events: usize,
        storage: &Arc<dyn Storage>,
    ) -> Follower {
        let storage = Arc::clone(storage);
        let journal = Box::new(move || JournalReader::open(Arc::clone(&storage)));
        self.feeds.follow(name, after, queue_events, journal)
    }
}

/// What an engine starts from.
#[derive(Debug)]
pub struct Recovered {
    /// The state that the journal adds up to.
    pub state: State,
    /// Goes on behind it.
    pub log: JournalWriter,
    /// Prepares the segments for it.
    pub preparer: SegmentPreparer,
    /// Makes snapshots of what it leaves behind.
    pub maker: SnapshotMaker,
    /// What was found.
    pub report: RecoveryReport,
}

/// Opens the journal, or begins one of this number, and recovers the state that it makes.
pub(crate) fn recover(
    config: &Config,
    storage: Arc<dyn Storage>,
    new_journal_number: u64,
    now_ns: u64,
) -> Result<Recovered, JournalError> {
    let (segment_bytes, durability) = (config.segment_bytes, config.durability);
    let options = JournalOptions { segment_bytes, durability, new_journal_number, now_ns };
    let (state, (log, preparer, report)) = betex_journal::open_state(storage, &options)?;
    let maker = preparer.snapshot_maker(config.snapshots());
    Ok(Recovered { state, log, preparer, maker, report })
}

/// Three stages, ready to be driven.
pub(crate) struct Stages {
    pub(crate) sequencer: Sequencer,
    pub(crate) journaler: Journaler,
    pub(crate) dispatcher: Dispatcher,
    journal_bell: Arc<Doorbell>,
    dispatcher_bell: Arc<Doorbell>,
}

/// Wires the stages around a recovered state.
pub(crate) fn wire(
    config: &Config,
    state: State,
    log: Box<dyn Log>,
    clock: Box<dyn Clock>,
    responders: Vec<Arc<dyn Responder>>,
    supply: &Arc<SegmentSupply>,
) -> (Stages, Shared) {
    let sequence = state.sequence();
    let shared = Shared {
        lanes: Lanes::new(config),
        read: Arc::new(RwLock::new(state.clone())),
        gate: Arc::new(Gate::new(sequence)),
        feeds: Feeds::new(sequence, config.handler_claim),
    };
    let (producer, journal_poller, gated_poller) = ring(config.ring_slots);
    let (replies, reply_queue) = rtrb::RingBuffer::new(config.ring_slots);
    let (journal_bell, dispatcher_bell) = (Arc::<Doorbell>::default(), Arc::<Doorbell>::default());
    let stages = Stages {
        sequencer: Sequencer::new(
            state,
            config,
            Arc::clone(&shared.lanes),
            producer,
            replies,
            clock,
            Room {
                supply: Arc::clone(supply),
                gate: Arc::clone(&shared.gate),
                bell: Arc::clone(&journal_bell),
            },
        ),
        journaler: Journaler::new(
            log,
            journal_poller,
            Arc::clone(&shared.gate),
            Arc::clone(&dispatcher_bell),
        ),
        dispatcher: Dispatcher::new(
            gated_poller,
            reply_queue,
            Arc::clone(&shared.read),
            Arc::clone(&shared.feeds),
            responders,
            Arc::clone(&shared.lanes),
        ),
        journal_bell,
        dispatcher_bell,
    };
    (stages, shared)
}

/// Drives the stages, a thread each, until the sequencer is told to stop: then what was taken flows
/// through to its end.
pub(crate) fn drive(
    stages: Stages,
    config: &Config,
    supply: Arc<SegmentSupply>,
) -> Result<Vec<JoinHandle<()>>, EngineError> {
    let Stages { mut sequencer, mut journaler, mut dispatcher, journal_bell, dispatcher_bell } = stages;
    let end_of_ring = Arc::clone(&journal_bell);
    let lanes = sequencer.lanes();
    let sequencing = spawn("sequencer", move || {
        lanes.bell.own();
        loop {
            match sequencer.step() {
                Progress::Finished => break,
                progress => sequencer.wait(progress),
            }
        }
        // Dropping the writer's end tells the journal that nothing more will come.
        drop(sequencer);
        end_of_ring.wake();
    })?;
    let last_words = Arc::clone(&config.last_words);
    let gate_closed = Arc::clone(&dispatcher_bell);
    let journaling = spawn("journal", move || {
        journal_bell.own();
        loop {
            match journaler.step() {
                Ok(Step::Worked) => (),
                Ok(Step::Idle) => journal_bell.wait(|| journaler.has_work(), None),
                Ok(Step::Finished) => break,
                Err(error) => {
                    last_words(&format!(
                        "the journal failed, so the process ends: nothing is acknowledged that is not on disk. {error}"
                    ));
                    std::process::abort();
                }
            }
        }
        drop(journaler);
        // Nobody needs a segment any more.
        supply.stop();
        gate_closed.wake();
    })?;
    let dispatching = spawn("dispatcher", move || {
        dispatcher_bell.own();
        loop {
            match dispatcher.step() {
                Step::Worked => (),
                Step::Idle => dispatcher_bell.wait(|| dispatcher.has_work(), None),
                Step::Finished => break,
            }
        }
        dispatcher.close();
    })?;
    Ok(vec![sequencing, journaling, dispatching])
}

/// Prepares journal segments ahead of need, until the supply is stopped. A disk without room is asked
/// again, and again: the engine goes on with what it has, and its health says so.
pub(crate) fn prepare_segments(mut preparer: SegmentPreparer) -> Result<JoinHandle<()>, EngineError> {
    spawn("segments", move || {
        let supply = Arc::clone(preparer.supply());
        let mut failing = false;
        while !supply.is_stopped() {
            if !preparer.wait(PREPARE_AGAIN) {
                continue;
            }
            let prepared = preparer.step_with_rests();
            // Said when it begins and when it is over, not all the time between.
            match &prepared {
                Err(error) if !failing => tracing::error!(
                    %error,
                    "the next journal segment cannot be prepared: what makes the exchange grow is refused"
                ),
                Ok(_) if failing => {
                    let folder = preparer.folder();
                    tracing::info!(folder = %folder.display(), "the journal has room again: everything is taken");
                }
                _ => (),
            }
            failing = prepared.is_err();
            if failing {
                std::thread::sleep(PREPARE_AGAIN);
            }
        }
    })
}

/// How long a failed preparation rests before it is tried again.
const PREPARE_AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

/// A thread that takes the process with it if it panics: an exchange without one of its stages would
/// take commands and never answer.
pub(super) fn spawn(
    name: &'static str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, EngineError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread
        .spawn(move || {
            let bomb = AbortOnUnwind::new(name);
            body();
            bomb.defuse();
        })
        .map_err(EngineError::Thread)
}
