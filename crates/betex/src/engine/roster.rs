//! Who follows, and how they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::metrics::{Gauge, gauge};
use parking_lot::Mutex;

use super::hold::Hold;
use crate::metrics::{HANDLER_BEHIND, HANDLER_NEXT};

/// Where a handler begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerRecovery {
    /// With what happens after the engine has started.
    LiveOnly,
    /// Behind the event with this sequence number: 0 is the beginning of the journal. What was before
    /// the start is read from the journal, without a gap and without a repeat.
    ///
    /// For handlers that keep their position themselves. Those that write it together with their data, in
    /// one transaction of their database, see every event exactly once, crashes included.
    AfterSeq(u64),
    /// Behind the event that the handler has confirmed, by coming back from
    /// [`EventHandler::on_batch_end`](super::handlers::EventHandler::on_batch_end), when it was here the last time. The engine keeps that for it, by its
    /// name ([`HandlerOptions`](super::handlers::HandlerOptions) have to give it one).
    ///
    /// The position is written about once a second and when the engine stops, so after a crash or a panic
    /// the last events before it come again: *at least once*, in order, without a gap.
    Kept {
        /// Where it begins if the engine has not met its name in this journal: as with `AfterSeq`.
        new_after: u64,
    },
}

/// How a handler is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerStatus {
    /// Its name.
    pub name: String,
    /// How it began.
    pub recovery: HandlerRecovery,
    /// The number of the first event that it has not confirmed.
    pub next_sequence: u64,
    /// How many durable events it has not confirmed.
    pub behind: u64,
    /// What it is doing.
    pub state: HandlerState,
}

impl HandlerStatus {
    /// What is wrong with it, if something is; for the operator.
    pub(crate) fn problem(&self) -> Option<String> {
        let Self { name, next_sequence, state, .. } = self;
        match state {
            HandlerState::Live | HandlerState::CatchingUp | HandlerState::Finished => None,
            HandlerState::Stopped(why) => {
                Some(format!("handler {name:?} is stopped before event {next_sequence}: {why}"))
            }
            HandlerState::Stuck => Some(format!(
                "handler {name:?} hangs before event {next_sequence}, and the journal no longer waits for it"
            )),
        }
    }
}

/// What a handler is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerState {
    /// It hears of events as they happen.
    Live,
    /// It is behind, and reads what it has not seen from the journal.
    CatchingUp,
    /// It has had events to see for longer than [`Config::handler_claim`](crate::config::Config::handler_claim),
    /// and has come back from none. The journal no longer waits for it. If it comes back it goes on, or is
    /// stopped, if what it needs has been removed meanwhile.
    Stuck,
    /// It is stopped, and hears of nothing any more; why, for the operator.
    Stopped(String),
    /// It has seen everything; the engine has stopped.
    Finished,
}

/// What one handler's thread says of itself.
pub(crate) struct Tracker {
    hold: Arc<Hold>,
    recovery: HandlerRecovery,
    next: AtomicU64,
    catching_up: AtomicBool,
    ended: Mutex<Option<HandlerState>>,
    gauges: [Gauge; 2],
}

impl Tracker {
    pub(crate) fn new(recovery: HandlerRecovery, hold: &Arc<Hold>) -> Self {
        let gauge = |metric| gauge!(metric, "handler" => hold.name().to_owned());
        Self {
            hold: Arc::clone(hold),
            recovery,
            next: AtomicU64::new(hold.next()),
            catching_up: AtomicBool::new(false),
            ended: Mutex::new(None),
            gauges: [HANDLER_NEXT, HANDLER_BEHIND].map(gauge),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.hold.name()
    }

    /// The first event that it has not confirmed.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    pub(crate) fn moved(&self, next: u64, catching_up: bool) {
        self.catching_up.store(catching_up, Ordering::Relaxed);
        self.next.store(next, Ordering::Release);
    }

    pub(crate) fn ended(&self, state: HandlerState) {
        *self.ended.lock() = Some(state);
    }

    /// How it is, if this is the last event there is to see; tells the metrics, too.
    #[expect(clippy::cast_precision_loss, reason = "metrics are for people")]
    pub(crate) fn status(&self, last: u64) -> HandlerStatus {
        let next_sequence = self.next();
        let behind = (last + 1).saturating_sub(next_sequence);
        self.gauges[0].set(next_sequence as f64);
        self.gauges[1].set(behind as f64);
        let catching_up = behind > 0 && self.catching_up.load(Ordering::Relaxed);
        let doing = match catching_up {
            _ if self.hold.is_stuck() => HandlerState::Stuck,
            true => HandlerState::CatchingUp,
            false => HandlerState::Live,
        };
        let state = self.ended.lock().clone().unwrap_or(doing);
        HandlerStatus { name: self.name().to_owned(), recovery: self.recovery, next_sequence, behind, state }
    }
}
