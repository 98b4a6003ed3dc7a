//! The stages of an engine on one thread, for a simulator: whoever has a [`Rig`] decides which stage takes
//! its next step, and when. They are the very structs that the engine's threads drive, and nothing here does
//! anything that a thread does not do.

use std::sync::Arc;

use betex_core::command::Command;
use betex_core::state::State;
use betex_journal::{JournalError, Log, LogError, ReadError, SegmentSupply, SnapshotMaker, Storage};
use parking_lot::RwLockReadGuard;

use super::clock::Clock;
use super::dispatcher::Dispatcher;
use super::feed::{EngineEvent, Followed, Follower};
use super::journaler::{JournalStats, Journaler, Step};
use super::lane::CommandLane;
use super::lanes::{Lanes, Submission};
use super::pipeline::{self, Shared, Stages};
use super::response::{Reply, Responder};
use super::sequencer::{Progress, Sequencer};
use super::snapshots::{self, ClaimTime, Readers};
use crate::config::Config;
use crate::error::EngineError;

pub use super::pipeline::Recovered;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something was done.
    Worked,
    /// There was nothing to do.
    Idle,
    /// The stage waits for the one behind it.
    Full,
    /// Nothing will ever come again.
    Finished,
}

/// An engine without threads.
pub struct Rig {
    /// Gone once it has finished, which is how the journaler knows.
    sequencer: Option<Sequencer>,
    /// Gone once it has finished, and with it the log.
    journaler: Option<Journaler>,
    dispatcher: Dispatcher,
    shared: Shared,
    supply: Arc<SegmentSupply>,
    storage: Arc<dyn Storage>,
}

/// Opens the journal as an engine does, or begins one of this number.
///
/// # Errors
/// As [`EngineBuilder::build`](crate::EngineBuilder::build).
pub fn recover(
    config: &Config,
    storage: Arc<dyn Storage>,
    new_journal_number: u64,
    now_ns: u64,
) -> Result<Recovered, JournalError> {
    pipeline::recover(config, storage, new_journal_number, now_ns)
}

impl Rig {
    /// Wires the stages around what was recovered. `log` is the recovered one, or something around it.
    pub fn new(
        config: &Config,
        storage: Arc<dyn Storage>,
        state: State,
        log: Box<dyn Log>,
        supply: Arc<SegmentSupply>,
        clock: impl Clock,
    ) -> Self {
        let (stages, shared) = pipeline::wire(config, state, log, Box::new(clock), Vec::new(), &supply);
        let Stages { sequencer, journaler, dispatcher, .. } = stages;
        let (sequencer, journaler) = (Some(sequencer), Some(journaler));
        Self { sequencer, journaler, dispatcher, shared, supply, storage }
    }

    /// As [`Engine::submit_to`](crate::Engine::submit_to), on the lane that is the command's own.
    ///
    /// # Errors
    /// As there.
    pub fn submit(&self, command: Command, to: Arc<dyn Responder>, token: u64) -> Result<(), EngineError> {
        let lane: CommandLane = Lanes::lane_of(&command.kind);
        self.shared.submit(&self.supply, lane, Submission { command, reply: Reply::To(to, token) })
    }

    /// Lets the writer take its step.
    pub fn step_sequencer(&mut self) -> Turn {
        let Some(sequencer) = &mut self.sequencer else { return Turn::Finished };
        match sequencer.step() {
            Progress::Worked => Turn::Worked,
            Progress::Idle(_) => Turn::Idle,
            Progress::Full => Turn::Full,
            Progress::Finished => {
                self.sequencer = None;
                Turn::Finished
            }
        }
    }

    /// Lets the journaler take its step.
    ///
    /// # Errors
    /// Where the process would end: the gate stays shut for good.
    pub fn step_journaler(&mut self) -> Result<Turn, LogError> {
        let Some(journaler) = &mut self.journaler else { return Ok(Turn::Finished) };
        let step = journaler.step()?;
        if step == Step::Finished {
            self.journaler = None;
        }
        Ok(step.into())
    }

    /// Lets the dispatcher take its step.
    pub fn step_dispatcher(&mut self) -> Turn {
        let step = self.dispatcher.step();
        if step == Step::Finished {
            self.dispatcher.close();
        }
        step.into()
    }

    /// Lets the maker of snapshots take its step at this time; whether nothing failed.
    pub fn step_snapshots(&self, maker: &mut SnapshotMaker, now_ns: u64) -> bool {
        let claims = ClaimTime { now_ns, running_ns: now_ns };
        snapshots::step(maker, &Readers { shared: self.shared.clone(), positions: None }, claims)
    }

    /// Takes no more commands, as [`Engine::stop`](crate::Engine::stop).
    pub fn stop(&self) {
        self.shared.lanes.stop();
    }

    /// The read state.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.shared.read.read()
    }

    /// What the gate says.
    pub fn stats(&self) -> JournalStats {
        self.shared.gate.stats()
    }

    /// The segments to come.
    pub fn supply(&self) -> &Arc<SegmentSupply> {
        &self.supply
    }

    /// Follows as a handler does that begins behind this sequence number, or with what comes next.
    pub fn follow(&self, after: Option<u64>, queue_events: usize) -> Tap {
        Tap(self.shared.follow("a handler", after, queue_events, &self.storage))
    }
}

impl From<Step> for Turn {
    fn from(step: Step) -> Self {
        match step {
            Step::Worked => Self::Worked,
            Step::Idle => Self::Idle,
            Step::Finished => Self::Finished,
        }
    }
}

/// A handler's end of its queue.
pub struct Tap(Follower);

impl Tap {
    /// Whether it hung for so long that the journal no longer waits for it.
    pub fn is_stuck(&self) -> bool {
        self.0.hold().is_stuck()
    }

    /// Shows what has come: one batch, or one transaction from the journal.
    ///
    /// # Errors
    /// The journal could not be read: a handler would be stopped.
    pub fn step(&mut self, show: impl FnMut(&EngineEvent)) -> Result<Turn, ReadError> {
        Ok(match self.0.step(show)? {
            Followed::Events => Turn::Worked,
            Followed::Nothing => Turn::Idle,
            Followed::End | Followed::Abandoned => Turn::Finished,
        })
    }
}
