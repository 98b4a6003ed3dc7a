//! One stream: the past from the journal, then what happens, without a gap and without a repeat.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::fan::Subscription;
use super::form::{Form, Scope};
use super::history::{History, HistoryFault};
use super::mailbox::{Batch, Ending};
use crate::exchange::Exchange;

/// Why a stream ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Nothing more comes.
    Ended {
        /// Why.
        ending: Ending,
        /// The first event that has not been given out.
        resume: u64,
    },
    /// The past could not be told.
    Fault(HistoryFault),
}

/// When this close to the present, a stream that tells the past joins those that hear of it live. The rest
/// of the past is told while what happens waits in the mailbox.
const EVENTS_BEFORE_JOINING: u64 = 1_024;

/// Whose events a stream is of, and a place among the streams.
pub(crate) struct Source {
    exchange: Arc<Exchange>,
    scope: Scope,
    /// What clients call the market.
    key: String,
    /// One of the streams that there may be at once.
    _permit: OwnedSemaphorePermit,
}

impl Source {
    /// `None` if there are as many streams as there may be.
    pub(crate) fn new(exchange: &Arc<Exchange>, scope: Scope, key: &str) -> Option<Self> {
        let permit = exchange.stream_permit()?;
        Some(Self { exchange: Arc::clone(exchange), scope, key: key.to_owned(), _permit: permit })
    }

    fn join<F: Form>(&self) -> Option<Subscription<F>> {
        F::fan(&self.exchange.hub).join(self.scope, &self.key)
    }
}

/// One stream.
pub(crate) struct Follower<F: Form> {
    source: Source,
    past: Past<F>,
    /// Told by the past, not taken yet.
    ready: VecDeque<Arc<Batch<F::Message>>>,
    live: Option<Subscription<F>>,
    /// The first event that has not been given out.
    next: u64,
    /// Somebody has to be told yet that there is no more past.
    has_past: bool,
    /// What comes live and is older is dropped: it was in the snapshot, or the past tells it.
    live_from: u64,
}

enum Past<F: Form> {
    /// There is none, or it has been told.
    Told,
    /// It waits for its turn.
    Waiting(Box<History<F>>),
    /// It is being read, up to this event.
    Reading(u64, JoinHandle<Turn<F>>),
}

type Turn<F> = (Box<History<F>>, Result<Vec<Arc<Batch<<F as Form>::Message>>>, HistoryFault>);

impl<F: Form> Follower<F> {
    /// Follows from now on; `None` if the server is stopping. What is asked of the read state afterwards says
    /// from where on, with [`Follower::skip_to`].
    pub(crate) fn live(source: Source) -> Option<Self> {
        let live = Some(source.join()?);
        Some(Self {
            source,
            past: Past::Told,
            ready: VecDeque::new(),
            live,
            next: 0,
            has_past: false,
            live_from: 0,
        })
    }

    /// Follows from an event in the past on.
    pub(crate) async fn past(source: Source, from: u64) -> Result<Self, HistoryFault> {
        let (engine, scope) = (Arc::clone(&source.exchange.engine), source.scope);
        let opened = source.exchange.read_journal(move || History::open(engine, scope, from)).await;
        let history = opened.map_err(|error| HistoryFault::Unreadable(error.to_string()))??;
        let past = Past::Waiting(Box::new(history));
        Ok(Self {
            source,
            past,
            ready: VecDeque::new(),
            live: None,
            next: from,
            has_past: true,
            live_from: from,
        })
    }

    /// Leaves out what is before this event.
    pub(crate) fn skip_to(&mut self, sequence: u64) {
        self.next = self.next.max(sequence);
        self.live_from = self.next;
    }

    /// The first event that has not been given out, as far as transactions with something to tell go.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Whether everything up to what the hub has handed out was taken.
    pub(crate) fn is_up_to_date(&self) -> bool {
        let live = self.live.as_ref().is_some_and(|live| live.mailbox().is_empty());
        matches!(self.past, Past::Told) && self.ready.is_empty() && live
    }

    /// What comes next; `None`, once, where the past ends and what comes is live. May be dropped and asked
    /// again without losing anything.
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<Batch<F::Message>>>, End> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.next = batch.last + 1;
                return Ok(Some(batch));
            }
            match &mut self.past {
                Past::Told => break,
                Past::Waiting(_) => self.begin_turn()?,
                Past::Reading(to, turn) => {
                    let to = *to;
                    let read = turn.await;
                    self.end_turn(to, read)?;
                }
            }
        }
        self.next = self.next.max(self.live_from);
        if std::mem::take(&mut self.has_past) {
            return Ok(None);
        }
        let Some(live) = &self.live else { return Err(self.ended(Ending::Stopping)) };
        loop {
            let batch = live.mailbox().take().await.map_err(|ending| self.ended(ending))?;
            if batch.first >= self.next {
                self.next = batch.last + 1;
                return Ok(Some(batch));
            }
        }
    }

    fn ended(&self, ending: Ending) -> End {
        End::Ended { ending, resume: self.next }
    }

    fn begin_turn(&mut self) -> Result<(), End> {
        let Past::Waiting(mut history) = std::mem::replace(&mut self.past, Past::Told) else { return Ok(()) };
        let mut to = self.source.exchange.engine.read().sequence();
        if self.live.is_none() && to < history.next().saturating_add(EVENTS_BEFORE_JOINING) {
            let joined = self.source.join();
            let stopping = End::Ended { ending: Ending::Stopping, resume: history.next() };
            self.live = Some(joined.ok_or(stopping)?);
            // Looked at after joining: what is newer comes live.
            to = self.source.exchange.engine.read().sequence();
        }
        let turn = self.source.exchange.read_journal(move || {
            let told = history.turn(to);
            (history, told)
        });
        self.past = Past::Reading(to, turn);
        Ok(())
    }

    fn end_turn(&mut self, to: u64, read: Result<Turn<F>, tokio::task::JoinError>) -> Result<(), End> {
        self.past = Past::Told;
        let unreadable =
            |error: tokio::task::JoinError| End::Fault(HistoryFault::Unreadable(error.to_string()));
        let (history, told) = read.map_err(unreadable)?;
        self.ready.extend(told.map_err(End::Fault)?);
        self.live_from = history.next();
        // Until the stream has joined the live ones there is always more to be read.
        if self.live.is_none() || history.next() <= to {
            self.past = Past::Waiting(history);
        }
        Ok(())
    }
}
