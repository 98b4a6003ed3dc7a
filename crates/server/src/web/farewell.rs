//! How a WebSocket is ended: a last message that says why, and the same in short in the frame that closes, which is
//! all that a browser shows.

use axum::extract::ws::Utf8Bytes;
use tonic::Status;
use tungstenite::Error as SocketError;
use tungstenite::error::{CapacityError, ProtocolError};

use crate::exchange::STREAMS_MAX;
use crate::stream::follow::End;
use crate::stream::history::HistoryFault;
use crate::stream::mailbox::{BUFFER, Ending};
use crate::wire::fault::{market_not_found, stopping};
use crate::wire::json;

/// A last message, and the frame that closes.
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) notice: Utf8Bytes,
    pub(super) code: u16,
    pub(super) reason: Utf8Bytes,
}

/// Codes of RFC 6455 and its registry.
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
const UNSUPPORTED_DATA: u16 = 1003;
const INVALID_TEXT: u16 = 1007;
const POLICY_VIOLATION: u16 = 1008;
const TOO_BIG: u16 = 1009;
const INTERNAL_ERROR: u16 = 1011;
const TRY_AGAIN_LATER: u16 = 1013;

/// A control frame holds 125 bytes, of which the code takes two.
const REASON_BYTES_MAX: usize = 123;

impl Farewell {
    /// Of a stream that ends.
    pub(super) fn of(end: &End, key: &str) -> Self {
        let (ending, resume) = match end {
            End::Fault(fault) => return Self::of_fault(fault, key),
            End::Ended { ending, resume } => (*ending, *resume),
        };
        match ending {
            Ending::TooSlow => {
                let what = format!("more than {BUFFER} messages waited to be read");
                Self::resumable(TRY_AGAIN_LATER, "TOO_SLOW", &what, resume)
            }
            Ending::FellBehind => {
                Self::resumable(TRY_AGAIN_LATER, "FELL_BEHIND", "the server could not keep up", resume)
            }
            Ending::Stopping => Self::resumable(GOING_AWAY, "STOPPING", "the server is stopping", resume),
            Ending::Removed => Self::resumable(GOING_AWAY, "MARKET_REMOVED", "the market is removed", resume),
        }
    }

    /// Of a stream whose past cannot be told.
    pub(super) fn of_fault(fault: &HistoryFault, key: &str) -> Self {
        let resume = match fault {
            HistoryFault::Pruned { first } => Some(*first),
            HistoryFault::TooFarBack { earliest, .. } => Some(*earliest),
            HistoryFault::Ahead { last, .. } => Some(last + 1),
            HistoryFault::NameReused { sequence } => Some(sequence + 1),
            HistoryFault::NoMarket => return Self::refused(&market_not_found(key)),
            HistoryFault::Stopping => return Self::stopping(),
            HistoryFault::MarketRemoved { .. } => None,
            HistoryFault::Unreadable(what) => {
                tracing::error!("the journal could not be read for a stream: {what}");
                return Self::new(
                    INTERNAL_ERROR,
                    "INTERNAL",
                    &format!("the journal cannot be read: {what}"),
                    None,
                );
            }
        };
        Self::new(POLICY_VIOLATION, fault.word(), &fault.to_string(), resume)
    }

    /// Of a request that gRPC would refuse so.
    pub(super) fn refused(status: &Status) -> Self {
        let (word, message) =
            status.message().split_once(": ").unwrap_or(("INVALID_QUERY", status.message()));
        Self::new(POLICY_VIOLATION, word, message, None)
    }

    pub(super) fn invalid(what: &str, problem: &str) -> Self {
        Self::new(POLICY_VIOLATION, &format!("INVALID_{what}"), problem, None)
    }

    pub(super) fn no_market(key: &str) -> Self {
        Self::refused(&market_not_found(key))
    }

    pub(super) fn too_many() -> Self {
        let what = format!("{STREAMS_MAX} streams are open, which is the most; come back later");
        Self::new(TRY_AGAIN_LATER, "TOO_MANY_STREAMS", &what, None)
    }

    pub(super) fn stopping() -> Self {
        let what = stopping();
        let (word, message) = what.message().split_once(": ").unwrap_or(("STOPPING", ""));
        Self::new(GOING_AWAY, word, message, None)
    }

    pub(super) fn binary() -> Self {
        let what = "a binary message; nothing that a client says is used, and only text is passed over";
        Self::new(UNSUPPORTED_DATA, "UNSUPPORTED_DATA", what, None)
    }

    pub(super) fn too_big(max: usize) -> Self {
        let what = format!("a message of more than {max} bytes; that is the most a client may send");
        Self::new(TOO_BIG, "MESSAGE_TOO_BIG", &what, None)
    }

    /// Of a client that breaks the protocol; `None` if the line is broken.
    pub(super) fn of_error(error: axum::Error, max: usize) -> Option<Self> {
        let error = error.into_inner();
        match error.downcast_ref::<SocketError>()? {
            SocketError::Capacity(CapacityError::MessageTooLong { .. }) => Some(Self::too_big(max)),
            SocketError::Utf8(what) => {
                Some(Self::new(INVALID_TEXT, "INVALID_TEXT", &format!("not UTF-8: {what}"), None))
            }
            SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            SocketError::Protocol(what) => {
                Some(Self::new(PROTOCOL_ERROR, "PROTOCOL_ERROR", &what.to_string(), None))
            }
            _ => None,
        }
    }

    fn resumable(code: u16, word: &str, message: &str, resume: u64) -> Self {
        let reason = format!("{word} from_sequence={resume}");
        Self { notice: json::ending(word, message, Some(resume)), code, reason: reason.into() }
    }

    fn new(code: u16, word: &str, message: &str, resume: Option<u64>) -> Self {
        let mut reason = format!("{word}: {message}");
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        Self { notice: json::ending(word, message, resume), code, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_its_frame_and_is_cut_between_characters() {
        for length in 0..20 {
            let key = format!("{}{}", "x".repeat(length), "\u{20ac}".repeat(60));
            let farewell = Farewell::invalid("QUERY", &key);
            assert!(farewell.reason.len() <= REASON_BYTES_MAX && farewell.reason.len() > 119, "{length}");
            assert!(farewell.notice.contains(&key));
        }
    }
}
