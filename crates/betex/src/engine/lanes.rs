//! The two bounded lanes that commands come in by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use betex_core::command::{Command, CommandKind};
use betex_core::state::State;
use betex_core::types::{ClientOrderId, MarketId};
use crossbeam_queue::ArrayQueue;

use super::doorbell::Doorbell;
use super::lane::CommandLane;
use super::response::Reply;
use crate::config::Config;
use crate::error::EngineError;

/// A command and where its answer goes.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) command: Command,
    pub(crate) reply: Reply,
}

/// The way from any thread to the sequencer.
#[derive(Debug)]
pub(crate) struct Lanes {
    priority: ArrayQueue<Submission>,
    normal: ArrayQueue<Submission>,
    /// No more commands are taken.
    stopping: AtomicBool,
    /// Senders between the check of `stopping` and the queue: while there are any, the sequencer does
    /// not take its last look, so that a command that was taken is always answered.
    entering: AtomicUsize,
    pub(crate) bell: Doorbell,
}

/// How many priority commands are served before a normal one gets its turn, so that a flood of cancels
/// slows orders down but never stops them.
const PRIORITY_RUN: u32 = 64;

impl Lanes {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            priority: ArrayQueue::new(config.priority_lane),
            normal: ArrayQueue::new(config.normal_lane),
            stopping: AtomicBool::new(false),
            entering: AtomicUsize::new(0),
            bell: Doorbell::default(),
        })
    }

    /// The lane that a command takes unless its sender says otherwise: what takes risk out of the market
    /// goes first.
    pub(crate) fn lane_of(kind: &CommandKind) -> CommandLane {
        match kind {
            CommandKind::PlaceOrder { .. }
            | CommandKind::SubmitOrder(_)
            | CommandKind::SubmitOrderAs(_)
            | CommandKind::RegisterAccount { .. } => CommandLane::Normal,
            _ => CommandLane::Priority,
        }
    }

    /// Whether a command makes the exchange grow. These are refused while the disk is full; what takes risk
    /// out of the market, and what an operator needs to do so, goes on with the room that is left.
    pub(crate) fn takes_room(kind: &CommandKind) -> bool {
        match kind {
            CommandKind::PlaceOrder { .. }
            | CommandKind::SubmitOrder(_)
            | CommandKind::SubmitOrderAs(_)
            | CommandKind::CreateMarket(_)
            | CommandKind::AddRunners { .. }
            | CommandKind::RegisterAccount { .. } => true,
            CommandKind::OpenMarket { .. }
            | CommandKind::SuspendMarket { .. }
            | CommandKind::CloseMarket { .. }
            | CommandKind::HoldMarket { .. }
            | CommandKind::LiftHold { .. }
            | CommandKind::SetPhase { .. }
            | CommandKind::RemoveRunner { .. }
            | CommandKind::VoidTrades { .. }
            | CommandKind::CancelOrders(_)
            | CommandKind::RemoveMarket
            | CommandKind::CancelOrder { .. } => false,
        }
    }

    /// Whether a command would add nothing, as far as this state shows, since what it makes is there. It is answered so
    /// also while the disk is full: that is how a client learns, after a lost answer, that it was done.
    pub(crate) fn is_known(state: &State, market: MarketId, kind: &CommandKind) -> bool {
        let order = |account, id: Option<&ClientOrderId>| {
            let market = id.and_then(|id| Some((state.market(market)?, id)));
            market.is_some_and(|(market, id)| market.client_order(account, id.as_str()).is_some())
        };
        match kind {
            CommandKind::PlaceOrder { account_id, client_order_id, .. } => {
                order(*account_id, client_order_id.as_ref())
            }
            CommandKind::SubmitOrder(new) => order(new.account_id, new.client_order_id.as_ref()),
            CommandKind::CreateMarket(new) => !new.key.is_empty() && state.market_named(&new.key).is_some(),
            CommandKind::RegisterAccount { name } => state.account_named(name).is_some(),
            _ => false,
        }
    }

    fn queue(&self, lane: CommandLane) -> &ArrayQueue<Submission> {
        match lane {
            CommandLane::Priority => &self.priority,
            CommandLane::Normal => &self.normal,
        }
    }

    pub(crate) fn push(&self, lane: CommandLane, submission: Submission) -> Result<(), EngineError> {
        self.entering.fetch_add(1, Ordering::SeqCst);
        let pushed = if self.stopping.load(Ordering::SeqCst) {
            Err(EngineError::Stopped)
        } else {
            self.queue(lane).push(submission).map_err(|_| EngineError::QueueFull { lane })
        };
        self.entering.fetch_sub(1, Ordering::SeqCst);
        self.bell.ring();
        pushed
    }

    /// The next command; `run` counts the priority commands since the last normal one.
    pub(crate) fn pop(&self, run: &mut u32) -> Option<Submission> {
        if *run >= PRIORITY_RUN {
            *run = 0;
            if let Some(submission) = self.normal.pop() {
                return Some(submission);
            }
        }
        if let Some(submission) = self.priority.pop() {
            *run += 1;
            return Some(submission);
        }
        *run = 0;
        self.normal.pop()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.priority.len() + self.normal.len()
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether no command waits and none will come any more.
    pub(crate) fn are_finished(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
            && self.entering.load(Ordering::SeqCst) == 0
            && self.waiting() == 0
    }
}
