//! One stream: the past, then what happens, without a gap and without a repeat.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::fan::Subscription;
use super::form::{Form, Scope};
use super::history::HistoryFault;
use super::mailbox::{Batch, Ending};
use super::past::{Past, Told};
use super::turns::Caller;
use crate::exchange::Exchange;
use crate::metrics::STREAMS_OPEN;

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

/// A place among the streams, and whose connection it is.
pub(crate) struct Source {
    exchange: Arc<Exchange>,
    caller: Caller,
    open: metrics::Gauge,
    /// One of the streams that there may be at once.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.open.decrement(1.0);
    }
}

impl Source {
    /// `None` if there are as many streams as there may be.
    pub(crate) fn new(exchange: &Arc<Exchange>, caller: Caller, kind: &'static str) -> Option<Self> {
        let permit = exchange.stream_permit()?;
        let open = metrics::gauge!(STREAMS_OPEN, "kind" => kind);
        open.increment(1.0);
        Some(Self { exchange: Arc::clone(exchange), caller, open, _permit: permit })
    }
}

/// One stream.
pub(crate) struct Follower<F: Form> {
    _source: Source,
    past: Option<Past<F>>,
    /// What happens now. A stream that tells the past has it from shortly before the end of the past on.
    live: Option<Subscription<F>>,
    /// The first event that has not been given out.
    next: u64,
    /// The market was removed in the past.
    is_over: bool,
}

impl<F: Form> Follower<F> {
    /// Follows from now on; `None` if the server is stopping. What is asked of the read state afterwards says
    /// from where on, with [`Follower::skip_to`].
    pub(crate) fn live(source: Source, scope: Scope) -> Option<Self> {
        let live = Some(F::fan(&source.exchange.hub).join(scope)?);
        Some(Self { _source: source, past: None, live, next: 0, is_over: false })
    }

    /// Follows from an event in the past on; `key` is what clients call the market, `None` stands for all.
    pub(crate) async fn past(source: Source, key: Option<&str>, from: u64) -> Result<Self, HistoryFault> {
        let past = Past::begin(&source.exchange, source.caller, key, from).await?;
        Ok(Self { _source: source, past: Some(past), live: None, next: from, is_over: false })
    }

    /// Leaves out what is before this event.
    pub(crate) fn skip_to(&mut self, sequence: u64) {
        self.next = self.next.max(sequence);
    }

    /// The first event that has not been given out, as far as transactions with something to tell go.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Whether everything up to what the hub has handed out was taken.
    pub(crate) fn is_up_to_date(&self) -> bool {
        self.past.is_none() && self.live.as_ref().is_some_and(|live| live.mailbox().is_empty())
    }

    /// What comes next; `None`, once, where the past ends and what comes is live. May be dropped and asked
    /// again without losing anything.
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<Batch<F::Message>>>, End> {
        while let Some(past) = &mut self.past {
            if let Some(batch) = past.ready.pop_front() {
                self.next = batch.last + 1;
                return Ok(Some(batch));
            }
            let told = past.more(&mut self.live).await;
            match told {
                Err(HistoryFault::Stopping) => return Err(self.ended(Ending::Stopping)),
                Err(fault) => return Err(End::Fault(fault)),
                Ok(Some(told)) if past.ready.is_empty() => {
                    self.past = None;
                    let (Told::Live(next) | Told::Removed(next)) = told;
                    self.next = self.next.max(next);
                    self.is_over = matches!(told, Told::Removed(_));
                    if !self.is_over {
                        return Ok(None);
                    }
                }
                Ok(_) => (),
            }
        }
        if self.is_over {
            return Err(self.ended(Ending::Removed));
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
}
