//! What has happened, on its way to handlers and streams.
//!
//! Each follower has a bounded queue of batches. One whose queue is full misses a batch, notices by the
//! numbers, and reads what it missed from the journal: it never holds up the exchange, and never loses
//! or repeats an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use betex_core::LevelAfter;
use betex_core::types::CorrelationId;
use betex_journal::{JournalEvent, JournalReader, ReadError};
use crossbeam_queue::ArrayQueue;
use parking_lot::RwLock;

use super::doorbell::Doorbell;
use super::hold::Hold;

/// An event, as handlers see it: durable, in order, exactly once.
#[derive(Clone, Debug)]
pub struct EngineEvent {
    /// The event and its numbers.
    pub record: JournalEvent,
    /// Of the command that caused it. Not journaled: `None` where the event was caught up.
    pub correlation_id: Option<CorrelationId>,
    /// What the level that the event touched holds after it. `None` where it touched none, or was
    /// caught up.
    pub level: Option<LevelAfter>,
    /// Whether it was read from the journal, since the handler began in the past or was too slow.
    pub caught_up: bool,
}

/// The events of some transactions, in order.
#[derive(Debug)]
pub(crate) struct Batch {
    events: Vec<EngineEvent>,
}

impl Batch {
    pub(crate) fn new(events: Vec<EngineEvent>) -> Option<Self> {
        (!events.is_empty()).then_some(Self { events })
    }

    fn first(&self) -> u64 {
        self.events.first().map_or(0, |event| event.record.sequence)
    }
}

/// Most batches in one queue; the number of events is bounded apart.
const BATCHES_MAX: usize = 4_096;

/// Most transactions that are read from the journal in one step: as large as a batch that is live, so that
/// whoever writes to disk at its end does not do so for every transaction.
const CATCH_UP_BATCH: usize = 256;

/// One follower's queue.
#[derive(Debug)]
pub(crate) struct Feed {
    queue: ArrayQueue<Arc<Batch>>,
    /// Events in the queue, and how many there may be.
    events: AtomicUsize,
    events_max: usize,
    hold: Arc<Hold>,
    bell: Doorbell,
}

/// All followers.
#[derive(Debug)]
pub(crate) struct Feeds {
    feeds: RwLock<Vec<Arc<Feed>>>,
    /// The number of the last event that was put into the queues.
    shown: AtomicU64,
    /// No more events will come.
    closed: AtomicBool,
    /// Nor will those be waited for that have not been seen.
    abandoned: AtomicBool,
    /// How long a follower may hang before it is not waited for.
    claim_ns: u64,
}

impl Feeds {
    pub(crate) fn new(sequence: u64, claim: Duration) -> Arc<Self> {
        Arc::new(Self {
            feeds: RwLock::default(),
            shown: AtomicU64::new(sequence),
            closed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            claim_ns: u64::try_from(claim.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// The number of the last event that there is to see.
    pub(crate) fn shown(&self) -> u64 {
        self.shown.load(Ordering::Acquire)
    }

    pub(crate) fn are_wanted(&self) -> bool {
        !self.feeds.read().is_empty()
    }

    /// Gives a batch that ends with this sequence number to all who have room.
    pub(crate) fn publish(&self, batch: Option<Batch>, last: u64) {
        let batch = batch.map(Arc::new);
        let feeds = self.feeds.read();
        for feed in feeds.iter() {
            let Some(batch) = &batch else { break };
            let len = batch.events.len();
            // Counted before it can be taken out again.
            let waiting = feed.events.fetch_add(len, Ordering::AcqRel);
            if waiting + len > feed.events_max || feed.queue.push(Arc::clone(batch)).is_err() {
                feed.events.fetch_sub(len, Ordering::AcqRel);
                ::metrics::counter!(crate::metrics::HANDLER_OVERFLOWS).increment(1);
            }
        }
        // Last, so that whoever sees this number and an empty queue knows that it was passed over.
        self.shown.store(last, Ordering::Release);
        feeds.iter().for_each(|feed| feed.bell.ring());
    }

    /// The lowest number that a follower still wants and holds: what is before it, none is waited for to read.
    /// Lets go of those that hang, with an alarm.
    pub(crate) fn floor(&self, now_ns: u64) -> u64 {
        let shown = self.shown();
        let feeds = self.feeds.read();
        let held = feeds.iter().filter_map(|feed| feed.hold.look(shown, now_ns, self.claim_ns));
        held.min().unwrap_or(u64::MAX)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.feeds.read().iter().for_each(|feed| feed.bell.ring());
    }

    /// Ends every follower with its next step, whatever it has not seen.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.close();
    }

    /// Begins to follow after this sequence number, or with what comes next.
    pub(crate) fn follow(
        self: &Arc<Self>,
        name: &str,
        after: Option<u64>,
        events_max: usize,
        journal: OpenJournal,
    ) -> Follower {
        let mut feeds = self.feeds.write();
        feeds.retain(|feed| !feed.hold.is_gone());
        let next = after.unwrap_or_else(|| self.shown.load(Ordering::Acquire)) + 1;
        let feed = Arc::new(Feed {
            queue: ArrayQueue::new(BATCHES_MAX),
            events: AtomicUsize::new(0),
            events_max,
            hold: Arc::new(Hold::new(name, next)),
            bell: Doorbell::default(),
        });
        feeds.push(Arc::clone(&feed));
        Follower { feeds: Arc::clone(self), feed, next, waiting: None, journal, reader: None }
    }
}

/// How a follower gets at the journal.
pub(crate) type OpenJournal = Box<dyn Fn() -> Result<JournalReader, ReadError> + Send>;

/// One follower's end: every event from its first on, in order, exactly once.
pub(crate) struct Follower {
    feeds: Arc<Feeds>,
    feed: Arc<Feed>,
    /// The number of the event that is wanted next.
    next: u64,
    /// A batch that begins behind a gap.
    waiting: Option<Arc<Batch>>,
    journal: OpenJournal,
    reader: Option<JournalReader>,
}

/// How a follower's step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Events were shown.
    Events,
    /// There is nothing new.
    Nothing,
    /// There is nothing new and never will be.
    End,
    /// There is more, and nobody waits for it.
    Abandoned,
}

impl Follower {
    /// The number of the event that is wanted next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// What it holds of the journal.
    pub(crate) fn hold(&self) -> &Arc<Hold> {
        &self.feed.hold
    }

    /// Whether what it showed last was read from the journal.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.reader.is_some()
    }

    /// Shows what has come: one batch, or some transactions from the journal.
    pub(crate) fn step(&mut self, mut show: impl FnMut(&EngineEvent)) -> Result<Followed, ReadError> {
        if self.feeds.abandoned.load(Ordering::Acquire) {
            return Ok(Followed::Abandoned);
        }
        // In this order: what is shown was put into the queues before.
        let closed = self.feeds.closed.load(Ordering::Acquire);
        let shown = self.feeds.shown.load(Ordering::Acquire);
        let batch = self.waiting.take().or_else(|| {
            let batch = self.feed.queue.pop()?;
            self.feed.events.fetch_sub(batch.events.len(), Ordering::AcqRel);
            Some(batch)
        });
        match batch {
            Some(batch) if batch.first() > self.next => {
                let until = batch.first() - 1;
                self.waiting = Some(batch);
                self.catch_up(until, show)?;
            }
            Some(batch) => {
                self.reader = None;
                for event in &batch.events {
                    self.show(event, &mut show);
                }
            }
            None if shown >= self.next => self.catch_up(shown, show)?,
            None if closed => return Ok(Followed::End),
            None => return Ok(Followed::Nothing),
        }
        Ok(Followed::Events)
    }

    /// Shows the next transactions of the journal.
    fn catch_up(&mut self, until: u64, mut show: impl FnMut(&EngineEvent)) -> Result<(), ReadError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => {
                let mut reader = (self.journal)()?;
                reader.seek(self.next)?;
                reader
            }
        };
        reader.set_limit(until);
        let mut events = Vec::new();
        for _ in 0..CATCH_UP_BATCH {
            if self.next > until {
                break;
            }
            let Some(stamp) = reader.next_transaction(&mut events)? else { break };
            let count = events.len() as u64;
            for (index, event) in (0..).zip(events.drain(..)) {
                let record = JournalEvent::of(&stamp, index, count, event);
                let event = EngineEvent { record, correlation_id: None, level: None, caught_up: true };
                self.show(&event, &mut show);
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Shows an event, unless it was shown before.
    fn show(&mut self, event: &EngineEvent, show: &mut impl FnMut(&EngineEvent)) {
        if event.record.sequence >= self.next {
            show(event);
            self.next = event.record.sequence + 1;
            // Event by event, so that a slow follower can be told from one that hangs.
            self.feed.hold.moved(self.next);
        }
    }

    /// Sleeps until there may be something new, or the time is over.
    pub(crate) fn wait(&self, at_most: Option<Duration>) {
        self.feed.bell.own();
        let (feed, feeds) = (&self.feed, &self.feeds);
        let news = || {
            let passed_over = feeds.shown.load(Ordering::Acquire) >= self.next;
            passed_over || !feed.queue.is_empty() || feeds.closed.load(Ordering::Acquire)
        };
        feed.bell.wait(news, at_most);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.feed.hold.end();
        self.feeds.feeds.write().retain(|feed| !Arc::ptr_eq(feed, &self.feed));
    }
}
