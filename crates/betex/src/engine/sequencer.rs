//! The one writer: takes commands in turn, decides them, applies what happens, and publishes it.

use std::sync::Arc;
use std::time::Duration;

use betex_core::decide::{decide, decide_work};
use betex_core::event::{Event, Stamp};
use betex_core::limits::Limits;
use betex_core::state::{State, Work};
use betex_core::types::MarketId;

use super::clock::Clock;
use super::doorbell::Doorbell;
use super::lanes::{Lanes, Submission};
use super::response::Reply;
use crate::config::Config;
use crate::disruptor::{Producer, RingProducer, Slot};

/// The one writer.
pub(crate) struct Sequencer {
    state: State,
    lanes: Arc<Lanes>,
    ring: RingProducer,
    replies: rtrb::Producer<Reply>,
    journal_bell: Arc<Doorbell>,
    clock: Box<dyn Clock>,
    /// Bounds that differ from those in the journal, to be set first of all.
    limits: Option<Limits>,
    /// The time is to be set back to the clock's before anything else, if it is ahead.
    sets_time_back: bool,
    /// How fast long jobs go, in nanoseconds an order, and when the next step of one may be.
    job_ns_per_order: u64,
    next_job_ns: u64,
    /// A command that was taken when the ring turned out to be full.
    held: Option<Submission>,
    priority_run: u32,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Something was done.
    Worked,
    /// There was nothing to do, until a command comes or this time.
    Idle(Option<u64>),
    /// The ring is full: the disk is behind.
    Full,
    /// Stopped, and every command that was taken is published.
    Finished,
}

/// Commands in one step. They share one reading of the clock.
const BATCH: usize = 256;
/// How long the writer waits for what is due. It looks again after the most, because a machine that slept has not
/// counted the time on which waiting is based.
const DUE_WAIT_LEAST: Duration = Duration::from_micros(100);
const DUE_WAIT_MOST: Duration = Duration::from_secs(1);
/// How long the writer waits for room in the ring before it looks again by itself.
const FULL_WAIT: Duration = Duration::from_millis(10);

/// What the ring had no room for was not done.
struct Full;

impl Sequencer {
    pub(crate) fn new(
        state: State,
        config: &Config,
        lanes: Arc<Lanes>,
        ring: RingProducer,
        replies: rtrb::Producer<Reply>,
        journal_bell: Arc<Doorbell>,
        clock: Box<dyn Clock>,
    ) -> Self {
        let is_other = state.sequence() == 0 || *state.limits() != config.limits;
        Self {
            state,
            lanes,
            ring,
            replies,
            journal_bell,
            clock,
            limits: is_other.then_some(config.limits),
            sets_time_back: config.set_time_back,
            job_ns_per_order: 1_000_000_000_u64.checked_div(config.job_orders_per_s.into()).unwrap_or(0),
            next_job_ns: 0,
            held: None,
            priority_run: 0,
        }
    }

    pub(crate) fn lanes(&self) -> Arc<Lanes> {
        Arc::clone(&self.lanes)
    }

    /// Takes commands and due work until a batch is full or nothing is left.
    pub(crate) fn step(&mut self) -> Progress {
        let before = self.state.sequence();
        if self.sets_time_back && self.set_time_back().is_err() {
            return Progress::Full;
        }
        let now_ns = self.clock.now_ns().max(self.state.time_ns());
        let (taken, full) = self.batch(now_ns);
        if taken > 0 || self.state.sequence() > before {
            self.journal_bell.ring();
            ::metrics::counter!(crate::metrics::COMMANDS).increment(taken);
            return Progress::Worked;
        }
        if full {
            Progress::Full
        } else if self.lanes.are_finished() && self.held.is_none() {
            Progress::Finished
        } else {
            Progress::Idle(self.next_due_ns())
        }
    }

    /// Parks as the last step advised.
    pub(crate) fn wait(&mut self, progress: Progress) {
        match progress {
            Progress::Worked | Progress::Finished => (),
            Progress::Full => self.lanes.bell.wait(|| false, Some(FULL_WAIT)),
            Progress::Idle(due_ns) => {
                let now_ns = self.clock.now_ns();
                let timeout = due_ns.map(|due| {
                    let left = Duration::from_nanos(due.saturating_sub(now_ns));
                    left.clamp(DUE_WAIT_LEAST, DUE_WAIT_MOST)
                });
                let lanes = &self.lanes;
                lanes.bell.wait(|| lanes.waiting() > 0 || lanes.are_finished(), timeout);
            }
        }
    }

    /// Takes the clock's time over although it is before the last one. The journal says so.
    fn set_time_back(&mut self) -> Result<(), Full> {
        let (now_ns, from_ns) = (self.clock.now_ns(), self.state.time_ns());
        if now_ns < from_ns {
            self.publish(now_ns, |_, slot, _| {
                slot.events.push(Event::TimeSetBack { from_ns });
                MarketId::NONE
            })?;
        }
        self.sets_time_back = false;
        Ok(())
    }

    /// How many commands were taken, and whether the ring is full.
    fn batch(&mut self, now_ns: u64) -> (u64, bool) {
        let mut taken = 0;
        if let Some(limits) = self.limits {
            if self.publish(now_ns, |_, slot, _| set_limits(slot, limits)).is_err() {
                return (taken, true);
            }
            self.limits = None;
        }
        // Nothing may match an order whose time is over.
        while self.state.expiry_is_due(now_ns) {
            if self.work(Work::ExpireOrder, now_ns).is_err() {
                return (taken, true);
            }
        }
        for _ in 0..BATCH {
            let Some(submission) = self.held.take().or_else(|| self.lanes.pop(&mut self.priority_run)) else {
                break;
            };
            if self.execute(submission, now_ns).is_err() {
                return (taken, true);
            }
            taken += 1;
        }
        // One step of a long job between two batches, so that neither holds up the other.
        let full = self.next_work(now_ns).is_some_and(|work| self.work(work, now_ns).is_err());
        (taken, full)
    }

    /// What is to be done now without anybody asking; long jobs keep their pace.
    fn next_work(&self, now_ns: u64) -> Option<Work> {
        self.state.next_work(now_ns).filter(|work| *work != Work::AdvanceJob || now_ns >= self.next_job_ns)
    }

    /// When there will be something to do if no command comes.
    fn next_due_ns(&self) -> Option<u64> {
        if !self.state.job_is_waiting() {
            return self.state.next_due_ns();
        }
        self.state.next_expiry_ns().into_iter().chain([self.next_job_ns]).min()
    }

    fn work(&mut self, work: Work, now_ns: u64) -> Result<(), Full> {
        let mut events = 0;
        self.publish(now_ns, |state, slot, _| {
            let market = decide_work(state, work, &mut slot.events);
            events = slot.events.len() as u64;
            market
        })?;
        if work == Work::AdvanceJob {
            self.next_job_ns = now_ns + events * self.job_ns_per_order;
        }
        Ok(())
    }

    fn execute(&mut self, submission: Submission, now_ns: u64) -> Result<(), Full> {
        let mut held = Some(submission);
        let published = self.publish(now_ns, |state, slot, replies| {
            let Some(Submission { command, reply }) = held.take() else { return MarketId::NONE };
            let decided = decide(state, command.market_id, &command.kind, now_ns, &mut slot.events);
            let market_id = match &decided {
                Ok(receipt) => receipt.market_id(command.market_id),
                Err(_) => command.market_id,
            };
            slot.result = Some(decided);
            slot.correlation_id = command.correlation_id;
            slot.has_reply = reply.is_wanted();
            if slot.has_reply {
                // There is a place for every slot of the ring, and this slot was free.
                replies.push(reply).expect("the queue of replies is as long as the ring");
            }
            market_id
        });
        self.held = held;
        published
    }

    /// Decides into the next slot of the ring and applies it there.
    fn publish(
        &mut self,
        now_ns: u64,
        decide: impl FnOnce(&State, &mut Slot, &mut rtrb::Producer<Reply>) -> MarketId,
    ) -> Result<(), Full> {
        let Self { state, ring, replies, .. } = self;
        let published = ring.try_publish(|slot| {
            slot.clear();
            let market_id = decide(state, slot, replies);
            slot.stamp = state.apply_next(market_id, now_ns, &slot.events);
        });
        published.map(|_| ()).map_err(|_| Full)
    }
}

fn set_limits(slot: &mut Slot, limits: Limits) -> MarketId {
    slot.events.push(Event::LimitsSet(limits));
    MarketId::NONE
}

impl Slot {
    /// The numbers of the first and the last event, or for none of the next and the last before it.
    pub(crate) fn sequences(&self) -> (u64, u64) {
        let Stamp { sequence, .. } = self.stamp;
        (sequence, sequence + self.events.len() as u64 - 1)
    }
}
