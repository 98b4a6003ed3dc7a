//! Answers: what comes back to whoever sent a command, once it is durable.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::reject::Rejection;
use betex_core::types::{CorrelationId, MarketId};

/// The answer to one command, as the dispatcher shows it.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// As the command had it.
    pub correlation_id: Option<&'a CorrelationId>,
    /// The market that the events are of; for a rejection the one that was asked for.
    pub market_id: MarketId,
    /// When it was decided, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The sequence number of the first event that it caused. Without events: one more than `sequence`.
    pub first_sequence: u64,
    /// The sequence number of the last event that it caused. Without events: of the last one before.
    pub sequence: u64,
    /// What was decided.
    pub result: &'a Result<Receipt, Rejection>,
    /// What has happened: empty for a rejection.
    pub events: &'a [Event],
}

/// The answer to one command, to keep.
#[derive(Clone, Debug)]
pub struct OwnedResponse {
    /// As the command had it.
    pub correlation_id: Option<CorrelationId>,
    /// The market that the events are of; for a rejection the one that was asked for.
    pub market_id: MarketId,
    /// When it was decided, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The sequence number of the first event that it caused. Without events: one more than `sequence`.
    pub first_sequence: u64,
    /// The sequence number of the last event that it caused. Without events: of the last one before.
    pub sequence: u64,
    /// What was decided.
    pub result: Result<Receipt, Rejection>,
    /// What has happened: empty for a rejection.
    pub events: Vec<Event>,
}

impl Response<'_> {
    /// A copy to keep.
    pub fn to_owned(&self) -> OwnedResponse {
        OwnedResponse {
            correlation_id: self.correlation_id.cloned(),
            market_id: self.market_id,
            time_ns: self.time_ns,
            first_sequence: self.first_sequence,
            sequence: self.sequence,
            result: self.result.clone(),
            events: self.events.to_vec(),
        }
    }
}

/// Takes answers. Called on the dispatcher's thread, behind the gate: it must not block.
pub trait Responder: Send + Sync {
    /// The answer to the command that was submitted with this token.
    fn respond(&self, token: u64, response: &Response<'_>);
}

/// Where the answer to one command goes. Dropped unused if the engine stops first.
pub(crate) enum Reply {
    /// Nowhere.
    Nobody,
    /// To a closure, once.
    Once(Box<dyn FnOnce(&Response<'_>) + Send>),
    /// To somebody who takes many.
    To(Arc<dyn Responder>, u64),
}

impl Reply {
    pub(crate) fn is_wanted(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// Hands the answer over. Whoever panics at it loses it; the exchange goes on.
    pub(crate) fn answer(self, response: &Response<'_>) {
        let answered = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Nobody => (),
            Self::Once(callback) => callback(response),
            Self::To(responder, token) => responder.respond(token, response),
        }));
        if answered.is_err() {
            tracing::error!(sequence = response.sequence, "the receiver of an answer panicked");
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Once(_) => "Once",
            Self::To(..) => "To",
        })
    }
}
