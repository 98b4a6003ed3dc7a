//! What goes wrong, as gRPC statuses. Every message begins with a code word and says what would be
//! valid.

use std::borrow::Cow;

use betex::error::EngineError;
use betex_core::reject::{Rejection, RejectionClass};
use tonic::{Code, Status};

use super::market::phase_name;
use super::terms::Terms;

/// A status whose message begins with this code word.
pub(crate) fn fault(code: Code, word: &str, message: impl AsRef<str>) -> Status {
    Status::new(code, format!("{word}: {}", message.as_ref()))
}

/// The same status with more to its message.
pub(crate) fn further(status: &Status, words: impl AsRef<str>) -> Status {
    Status::new(status.code(), format!("{}; {}", status.message(), words.as_ref()))
}

/// A malformed field: `INVALID_<FIELD>: <field>: <problem>`.
pub(crate) fn invalid(field: &str, problem: impl AsRef<str>) -> Status {
    fault(Code::InvalidArgument, &invalid_word(field), format!("{field}: {}", problem.as_ref()))
}

/// The code word of a malformed field.
fn invalid_word(field: &str) -> String {
    format!("INVALID_{}", field.to_ascii_uppercase())
}

/// No such market.
pub(crate) fn market_not_found(market: &str) -> Status {
    let what = format!("market_id: there is no market {}; CreateMarket sets one up", quoted(market));
    fault(Code::NotFound, "MARKET_NOT_FOUND", what)
}

/// A text of somebody else's for a message: escaped, and cut short.
pub(crate) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 128;
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(CHARS_MAX).collect();
    let more = if chars.next().is_some() { " (and so on)" } else { "" };
    format!("{short:?}{more}")
}

/// What the caller called things, and in which terms, so that messages can say it in their words.
#[derive(Clone, Copy, Default)]
pub(crate) struct Called<'a> {
    pub(crate) market: &'a str,
    pub(crate) terms: Terms,
    pub(crate) outcome: &'a str,
    pub(crate) user: &'a str,
    pub(crate) client_order_id: &'a str,
    /// Whether the outcome is a quarter line, which takes half of the order on each of two others.
    pub(crate) quarter: bool,
}

/// Why a command was refused: the code word, and the rest in words and in units of the wire.
pub(crate) fn words(rejection: &Rejection, called: Called<'_>) -> (Cow<'static, str>, String) {
    let market = quoted(called.market);
    let (word, message) = match rejection {
        Rejection::InvalidField { field, .. } => return (invalid_word(field).into(), rejection.to_string()),
        Rejection::MarketNotFound(_) => {
            ("MARKET_NOT_FOUND", format!("market_id: there is no market {market}; CreateMarket sets one up"))
        }
        Rejection::MarketExists(_) => {
            ("MARKET_EXISTS", format!("market_id: there is a market {market} already"))
        }
        Rejection::InvalidMarket { .. } => ("INVALID_MARKET", rejection.to_string()),
        Rejection::InvalidLine(_) => ("INVALID_LINE", rejection.to_string()),
        Rejection::InvalidText { .. } => ("INVALID_TEXT", rejection.to_string()),
        Rejection::InvalidTransition { from, to } => {
            ("INVALID_TRANSITION", format!("market {market} is {from}, so it cannot become {to}"))
        }
        Rejection::Held { hold, to } => (
            "MARKET_HELD",
            format!("market {market} is {}, so it cannot become {to}; lift the hold first", hold.name()),
        ),
        Rejection::HoldUnchanged { hold, on } => {
            let already = if *on { "already" } else { "not" };
            ("HOLD_UNCHANGED", format!("market {market} is {already} {}", hold.name()))
        }
        Rejection::InvalidPhase { from, to } => {
            let (from, to) = (phase_name(*from), phase_name(*to));
            ("INVALID_PHASE", format!("phase: market {market} is {from}, so it cannot become {to}"))
        }
        Rejection::NotPossible(why) => ("NOT_POSSIBLE", format!("market {market}: {why}")),
        Rejection::NotRemovable { .. } => ("MARKET_NOT_REMOVABLE", rejection.to_string()),
        Rejection::MarketNotOpen(state) => {
            ("MARKET_NOT_OPEN", format!("market {market} is {state}; orders are accepted when it is OPEN"))
        }
        Rejection::MarketClosed => (
            "MARKET_CLOSED",
            format!("market {market} is CLOSED: what rested in it is cancelled or about to be"),
        ),
        Rejection::InvalidOutcome(_) => (
            "INVALID_OUTCOME",
            format!("outcome_id: market {market} has no outcome {}", quoted(called.outcome)),
        ),
        Rejection::InvalidPrice { .. } => ("INVALID_PRICE", rejection.to_string()),
        Rejection::InvalidQuantity { quantity, min, max, increment } => {
            let count = |quantity| called.terms.count(quantity);
            let (min, max, unit) = (count(*min), count(*max), called.terms.unit_name());
            let (quantity, increment) = (count(*quantity), count(*increment));
            let halves = if called.quarter {
                "; half of the order goes on each of two lines, and neither half may be smaller than the market's min_quantity"
            } else {
                ""
            };
            let what = format!(
                "quantity: {quantity} is not valid in market {market}: at least {min}, at most {max}, in steps of {increment} ({unit}){halves}"
            );
            ("INVALID_QUANTITY", what)
        }
        Rejection::InvalidKeep { min, increment, .. } => {
            let (min, increment) = (called.terms.count(*min), called.terms.count(*increment));
            let unit = called.terms.unit_name();
            let what = format!(
                "keep_quantity: what remains of an order of market {market} must be at least {min}, in steps of {increment} ({unit}), on a quarter line in each half; or 0, which cancels all of it"
            );
            ("INVALID_QUANTITY", what)
        }
        Rejection::InvalidExpiry { .. } => ("INVALID_EXPIRY", rejection.to_string()),
        Rejection::SelfTrade => {
            ("SELF_TRADE", format!("the order would match a resting order of user {}", quoted(called.user)))
        }
        Rejection::WouldNotFill { fillable, min_fill } => {
            let (fillable, least) = (called.terms.count(*fillable), called.terms.count(*min_fill));
            let unit = called.terms.unit_name();
            let what = format!("min_fill_quantity: {fillable} of at least {least} {unit} would be filled");
            ("WOULD_NOT_FILL", what)
        }
        Rejection::WouldMatch | Rejection::OrderLimit => {
            let word = if *rejection == Rejection::WouldMatch { "WOULD_MATCH" } else { "ORDER_LIMIT" };
            (word, rejection.to_string())
        }
        Rejection::DuplicateClientId(first) => {
            let id = quoted(called.client_order_id);
            (
                "DUPLICATE_CLIENT_ID",
                format!(
                    "client_order_id: {id} is used already, by order {}, which is {}",
                    first.order_id,
                    first.status.name()
                ),
            )
        }
        Rejection::OrderNotFound(order) => {
            ("ORDER_NOT_FOUND", format!("order_id: there is no resting order {order} in market {market}"))
        }
        Rejection::HalfOfOrder { .. } => ("ORDER_NOT_FOUND", rejection.to_string()),
        Rejection::ClientIdNotFound => {
            let (id, user) = (quoted(called.client_order_id), quoted(called.user));
            ("ORDER_NOT_FOUND", format!("client_order_id: user {user} has no order {id} in market {market}"))
        }
        Rejection::NotTheOwner { order_id, .. } => {
            ("ORDER_NOT_FOUND", format!("user_id: order {order_id} is not of user {}", quoted(called.user)))
        }
        // The one bound that is an amount.
        Rejection::LimitReached { what, limit } if what.starts_with("quanta ") => {
            let limit = called.terms.count_of_sum(i128::from(*limit));
            let what = what.replacen("quanta", called.terms.unit_name(), 1);
            ("LIMIT_REACHED", format!("the limit of {limit} {what} is reached"))
        }
        Rejection::LimitReached { what, limit } => {
            let what = format!("{}: the limit of {limit} {what} is reached", bounded_field(what));
            ("LIMIT_REACHED", what)
        }
        Rejection::JournalFull => ("JOURNAL_FULL", JOURNAL_FULL.to_owned()),
    };
    (word.into(), message)
}

/// The field of a request that a bound is about.
fn bounded_field(what: &str) -> &'static str {
    match what.split_once(' ') {
        Some(("client", _)) => "client_order_id",
        Some(("users", _)) => "user_id",
        Some(("bytes", _)) => "outcomes",
        Some(("resting", _)) => "order",
        _ => "market_id",
    }
}

/// A refusal as a status. What the market decides about an order is an answer where the call has a
/// place for it; elsewhere it is a precondition that does not hold.
pub(crate) fn refused(rejection: &Rejection, called: Called<'_>) -> Status {
    let code = match rejection.class() {
        RejectionClass::Order(_) | RejectionClass::Precondition => Code::FailedPrecondition,
        RejectionClass::Invalid => Code::InvalidArgument,
        RejectionClass::NotFound => Code::NotFound,
        RejectionClass::Exists => Code::AlreadyExists,
        RejectionClass::Exhausted => Code::ResourceExhausted,
    };
    let (word, message) = words(rejection, called);
    fault(code, &word, message)
}

/// The server is about to stop.
pub(crate) fn stopping() -> Status {
    fault(Code::Unavailable, "STOPPING", "the server is stopping; try again when it is back")
}

/// What is said where the disk is full.
const JOURNAL_FULL: &str = "there is no room on disk for the journal: new orders, markets, outcomes and users are refused; \
                            cancelling and closing go on while the last segment has room";

/// The code word of a queue without room.
const QUEUE_FULL: &str = "QUEUE_FULL";

/// Whether a queue had no room, which passes by itself.
pub(crate) fn is_queue_full(status: &Status) -> bool {
    status.message().starts_with(QUEUE_FULL)
}

/// The engine could not take a command.
pub(crate) fn engine_fault(error: &EngineError) -> Status {
    match error {
        EngineError::QueueFull { .. } => {
            fault(Code::ResourceExhausted, QUEUE_FULL, "more is asked than can be decided; try again shortly")
        }
        EngineError::JournalFull => fault(Code::ResourceExhausted, "JOURNAL_FULL", JOURNAL_FULL),
        EngineError::Stopped => stopping(),
        EngineError::Invalid { field, problem } => invalid(field, problem),
        other => {
            tracing::error!("the engine could not answer: {other}");
            fault(Code::Internal, "INTERNAL", other.to_string())
        }
    }
}
