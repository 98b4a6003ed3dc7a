//! The one writer: takes commands in turn, decides them, applies what happens, and publishes it.

use std::sync::Arc;
use std::time::Duration;

use betex_core::decide::{decide, decide_work};
use betex_core::event::{Event, Stamp};
use betex_core::limits::Limits;
use betex_core::reject::Rejection;
use betex_core::state::{State, Work};
use betex_core::types::MarketId;
use betex_journal::{FRAME_BYTES_MAX, SegmentSupply};

use super::clock::Clock;
use super::doorbell::Doorbell;
use super::journaler::Gate;
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
    clock: Box<dyn Clock>,
    room: Room,
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

/// What an event takes in the journal at most, texts aside: a frame of its own.
const EVENT_BYTES_MAX: u64 = 256;
/// Kept for their texts: reasons, and the names of what came in before the disk was full.
const TEXT_BYTES_MAX: u64 = 64 << 10;
/// What an order that expires is told in, at most.
const EXPIRY_EVENTS_MAX: u64 = 4;
/// What a step of a long job is told in, at most: it fits in a frame.
const WORK_EVENTS_MAX: u64 = FRAME_BYTES_MAX as u64 / EVENT_BYTES_MAX;
/// With room for fewer events than this, commands are decided one by one, each when the last is in the journal.
const STEPWISE_EVENTS: u64 = 1_024;
/// How long the writer rests, without commands, before it looks again whether there is room in the journal.
const STARVED_NS: u64 = 10_000_000;

/// How much room there is in the journal, and how much of what was published is in it.
pub(crate) struct Room {
    pub(crate) supply: Arc<SegmentSupply>,
    pub(crate) gate: Arc<Gate>,
    /// Of the journal's thread.
    pub(crate) bell: Arc<Doorbell>,
}

/// What the ring had no room for was not done.
struct Full;

impl Sequencer {
    pub(crate) fn new(
        state: State,
        config: &Config,
        lanes: Arc<Lanes>,
        ring: RingProducer,
        replies: rtrb::Producer<Reply>,
        clock: Box<dyn Clock>,
        room: Room,
    ) -> Self {
        let is_other = state.sequence() == 0 || *state.limits() != config.limits;
        Self {
            state,
            lanes,
            ring,
            replies,
            clock,
            room,
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
            self.room.bell.ring();
            ::metrics::counter!(crate::metrics::COMMANDS).increment(taken);
            return Progress::Worked;
        }
        if full {
            Progress::Full
        } else if self.lanes.are_finished() && self.held.is_none() {
            Progress::Finished
        } else if self.is_starved(WORK_EVENTS_MAX) {
            // What is due by itself waits, too.
            Progress::Idle(Some(now_ns.saturating_add(STARVED_NS)))
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

    /// Events that surely find room in the journal, where no more is being made: beyond, the disk would be waited for
    /// with all that was taken and not yet answered. `None`: there will be room.
    fn free_events(&self) -> Option<u64> {
        let supply = &self.room.supply;
        supply.is_degraded().then(|| {
            let events = supply.room().saturating_sub(TEXT_BYTES_MAX) / EVENT_BYTES_MAX;
            events.saturating_sub(self.in_flight())
        })
    }

    /// Events that are published, and not yet in the journal.
    fn in_flight(&self) -> u64 {
        self.state.sequence().saturating_sub(self.room.gate.durable_sequence())
    }

    /// Whether so many events might find no room.
    fn is_starved(&self, events: u64) -> bool {
        self.free_events().is_some_and(|free| free < events)
    }

    /// How many commands were taken, and whether the ring is full.
    fn batch(&mut self, now_ns: u64) -> (u64, bool) {
        let mut taken = 0;
        if let Some(limits) = self.limits
            && !self.is_starved(1)
        {
            if self.publish(now_ns, |_, slot, _| set_limits(slot, limits)).is_err() {
                return (taken, true);
            }
            self.limits = None;
        }
        // Nothing may match an order whose time is over.
        while self.state.expiry_is_due(now_ns) && !self.is_starved(EXPIRY_EVENTS_MAX) {
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
        let due = self.next_work(now_ns).filter(|_| !self.is_starved(WORK_EVENTS_MAX));
        let full = due.is_some_and(|work| self.work(work, now_ns).is_err());
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
        let free = self.free_events();
        if free.is_some_and(|free| free < STEPWISE_EVENTS) && self.in_flight() > 0 {
            // How much room there is, is known once all that was published is in the journal.
            self.held = Some(submission);
            return Err(Full);
        }
        let mut held = Some(submission);
        let published = self.publish(now_ns, |state, slot, replies| {
            let Some(Submission { command, reply }) = held.take() else { return MarketId::NONE };
            let mut decided = decide(state, command.market_id, &command.kind, now_ns, &mut slot.events);
            // What was let in before the disk was full leaves room for cancels.
            let kept = if Lanes::takes_room(&command.kind) { STEPWISE_EVENTS } else { 0 };
            if free.is_some_and(|free| slot.events.len() as u64 > free.saturating_sub(kept))
                && !slot.events.is_empty()
            {
                slot.events.clear();
                decided = Err(Rejection::JournalFull);
            }
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
