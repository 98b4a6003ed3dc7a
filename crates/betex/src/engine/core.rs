//! The engine's handle.

use std::future::Future;
use std::sync::Arc;
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use betex_core::command::{Command, MarketConfig};
use betex_core::reject::Rejection;
use betex_core::snapshot::MarketSnapshot;
use betex_core::state::State;
use betex_core::types::MarketId;
use betex_journal::{JournalReader, RecoveryReport, SegmentSupply, Storage};
use parking_lot::{Mutex, RwLockReadGuard};

use super::clock::{ClockReport, EngineTime};
use super::lanes::{Lanes, Submission};
use super::pipeline::Shared;
use super::positions::HandlerPositions;
use super::response::{OwnedResponse, Reply, Responder, Response};
use super::roster::Tracker;
use crate::error::EngineError;

pub use super::builder::EngineBuilder;
pub use super::feed::EngineEvent;
pub use super::handlers::{EventHandler, HandlerOptions};
pub use super::journaler::JournalStats;
pub use super::lane::CommandLane;
pub use super::roster::{HandlerRecovery, HandlerState, HandlerStatus};

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
    pub(super) shared: Shared,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) report: RecoveryReport,
    pub(super) supply: Arc<SegmentSupply>,
    pub(super) time: Arc<EngineTime>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    /// Those that call what its users gave it: answers and handlers.
    pub(super) own_threads: Vec<ThreadId>,
    /// Prepare segments and make snapshots until the journal is closed.
    pub(super) keepers: Mutex<Vec<JoinHandle<()>>>,
    /// The handlers' threads.
    pub(super) followers: Mutex<Vec<JoinHandle<()>>>,
    pub(super) handler_patience: Duration,
    pub(super) trackers: Vec<Arc<Tracker>>,
    pub(super) positions: Arc<HandlerPositions>,
}

impl Engine {
    /// Submits a command whose answer goes to the registered responders alone, if it has a correlation
    /// id. Cancels and lifecycle take the priority lane.
    ///
    /// # Errors
    /// Nothing was taken: [`EngineError::QueueFull`], [`EngineError::JournalFull`] for what makes the exchange grow,
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
        taken(answer.recv().map_err(|_| EngineError::Stopped)?)
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
            taken(answer.await.map_err(|_| EngineError::Stopped)?)
        }
    }

    fn push(&self, lane: CommandLane, submission: Submission) -> Result<(), EngineError> {
        self.shared.submit(&self.supply, lane, submission)
    }

    pub(super) fn ensure_market(&self, market: MarketConfig) -> Result<(), EngineError> {
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
        let full = self.supply.problem().map(|problem| {
            format!(
                "new orders, markets, outcomes and accounts are refused, cancels and lifecycle go on while the last segment \
                 has room: {problem}"
            )
        });
        let handlers = self.handlers();
        let stopped = handlers.iter().filter_map(HandlerStatus::problem);
        let not_kept = self.positions.problem();
        let not_kept = not_kept.map(|problem| format!("the positions of handlers are not kept: {problem}"));
        let problems: Vec<String> = full.into_iter().chain(stopped).chain(not_kept).collect();
        if problems.is_empty() { Health::Serving } else { Health::Degraded(problems.join("; ")) }
    }

    /// How the handlers are that hear of events, in the order of their registration.
    pub fn handlers(&self) -> Vec<HandlerStatus> {
        let last = self.shared.feeds.shown();
        self.trackers.iter().map(|tracker| tracker.status(last)).collect()
    }

    /// The first event that a handler which recovers still needs; `None` if nobody needs what has happened.
    /// Handlers that have stayed away or hung for longer than [`Config::handler_claim`](crate::config::Config::handler_claim) are not waited for.
    pub fn handlers_floor(&self) -> Option<u64> {
        self.positions.floor(self.now_ns())
    }

    /// The time that orders expire by, in nanoseconds since the Unix epoch: it never jumps, as the wall clock does. With
    /// [`EngineBuilder::with_clock`] it is not the time of that clock.
    pub fn now_ns(&self) -> u64 {
        self.time.now_ns()
    }

    /// How this time and the wall clock are to each other.
    pub fn clock(&self) -> ClockReport {
        self.time.report()
    }

    /// What was found in the journal at the start.
    pub const fn recovery(&self) -> &RecoveryReport {
        &self.report
    }

    /// Takes no more commands, answers all that were taken, and waits until everything is on disk and
    /// every handler has seen it - but for those that take longer than [`Config::handler_patience`](crate::config::Config::handler_patience), which
    /// are left where they are. The second time does nothing. Called by a handler, which cannot wait for
    /// itself, it does not wait.
    pub fn stop(&self) {
        self.shared.lanes.stop();
        // Before the locks, which another stop may hold while it waits for this very thread.
        if self.own_threads.contains(&std::thread::current().id()) {
            return;
        }
        let (mut threads, mut followers) = (self.threads.lock(), self.followers.lock());
        let asked = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) {
            // The journal may be waiting for room that a full disk will not give: what is behind it was
            // not acknowledged, and an operator who stops an exchange wants it to stop.
            if asked.elapsed() > STOP_PATIENCE && self.supply.is_degraded() {
                self.supply.stop();
            }
            std::thread::sleep(STOP_LOOK);
        }
        for thread in threads.drain(..).chain(self.keepers.lock().drain(..)) {
            // A stage that panics takes the process with it, so there is nobody to report.
            let _ = thread.join();
        }
        self.wait_for_handlers(&mut followers);
    }

    fn wait_for_handlers(&self, followers: &mut Vec<JoinHandle<()>>) {
        let all_end_within = |patience: Duration, followers: &[JoinHandle<()>]| {
            let begun = Instant::now();
            while followers.iter().any(|thread| !thread.is_finished()) {
                if begun.elapsed() > patience {
                    return false;
                }
                std::thread::sleep(STOP_LOOK);
            }
            true
        };
        if !all_end_within(self.handler_patience, followers) {
            // Those that are still at work end with the batch that they have; some may hang in it.
            self.shared.feeds.abandon();
            all_end_within(ABANDON_PATIENCE, followers);
        }
        for handler in self.handlers() {
            if !matches!(handler.state, HandlerState::Finished | HandlerState::Stopped(_)) {
                let HandlerStatus { name, next_sequence, .. } = handler;
                tracing::error!(handler = name, next = next_sequence, "a handler hangs and is left behind");
            }
        }
        // What has ended was caught there, and what hangs cannot be waited for.
        followers.clear();
    }
}

/// An answer, unless it is that there was no room on the disk for what was decided.
fn taken(response: OwnedResponse) -> Result<OwnedResponse, EngineError> {
    if response.result == Err(Rejection::JournalFull) { Err(EngineError::JournalFull) } else { Ok(response) }
}

/// How often a stop looks whether all have ended.
const STOP_LOOK: Duration = Duration::from_millis(1);
/// How long a stop waits for handlers that were told to end at once.
const ABANDON_PATIENCE: Duration = Duration::from_millis(500);
/// How long a stop waits for a disk that is full.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
