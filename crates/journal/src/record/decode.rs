//! Records to transactions. Whatever the bytes: no panic, and nothing allocated beyond what a record's
//! own length allows.

use std::fmt;

use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;
use zerocopy::FromBytes as _;

use super::fields::{Decoded, malformed, whole};
use super::layout::{ContextV1, Head};
use super::preceding::Preceding;
use super::{HEAD_BYTES, engine, kind, markets, orders, trades};

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Where in the body it begins, in bytes.
    pub at: usize,
    /// What is wrong with it.
    pub problem: RecordProblem,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordProblem {
    /// A kind or a version that this program does not know.
    Unknown {
        /// The kind, see [`kind`](super::kind).
        kind: u16,
        /// The version of it.
        version: u16,
    },
    /// Bytes that no version of the program writes.
    Malformed(&'static str),
}

impl std::error::Error for RecordError {}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record at byte {} of the body ", self.at)?;
        match self.problem {
            RecordProblem::Unknown { kind, version } => match kind::name(kind) {
                Some(name) => {
                    write!(f, "is version {version} of {name}: written by a newer version of BetEx")
                }
                None => {
                    write!(f, "is of kind {kind}, version {version}: written by a newer version of BetEx")
                }
            },
            RecordProblem::Malformed(what) => write!(f, "is not one: {what}"),
        }
    }
}

/// Reads the body of one frame, transaction by transaction.
#[derive(Clone, Copy, Debug)]
pub struct BodyDecoder {
    at: usize,
    /// Of the next event, but for the sequence only once a context was read.
    next: Stamp,
    has_context: bool,
}

impl BodyDecoder {
    /// For a body whose first event has this sequence number.
    pub const fn new(first_sequence: u64) -> Self {
        let next =
            Stamp { market_id: MarketId::NONE, time_ns: 0, sequence: first_sequence, market_sequence: 0 };
        Self { at: 0, next, has_context: false }
    }

    /// The sequence number of the next event.
    pub const fn next_sequence(&self) -> u64 {
        self.next.sequence
    }

    /// The next whole transaction into `events`, which is emptied first; `None` at the end of the body.
    /// `body` must be the same at each call. After an error, every call gives the same error.
    pub fn next_transaction(
        &mut self,
        body: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<Option<Stamp>, RecordError> {
        let before = *self;
        let result = self.take_transaction(body, events);
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn take_transaction(
        &mut self,
        body: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<Option<Stamp>, RecordError> {
        events.clear();
        let mut stamp = self.next;
        let mut preceding = Preceding::default();
        let mut fresh_context = false;
        while self.at < body.len() {
            let at = self.at;
            let fail = |problem| RecordError { at, problem };
            let (head, record) = take_record(&body[at..]).map_err(fail)?;
            if head.kind == kind::CONTEXT {
                if !events.is_empty() || fresh_context {
                    return Err(fail(RecordProblem::Malformed("a context where an event must follow")));
                }
                self.take_context(head, record).map_err(fail)?;
                (stamp, fresh_context) = (self.next, true);
            } else {
                let (event, ends) = self.take_event(head, record, &mut preceding).map_err(fail)?;
                events.push(event);
                if ends {
                    self.at += record.len();
                    return Ok(Some(stamp));
                }
            }
            self.at += record.len();
        }
        if events.is_empty() && !fresh_context {
            return Ok(None);
        }
        Err(RecordError { at: self.at, problem: RecordProblem::Malformed("the last transaction has no end") })
    }

    fn take_context(&mut self, head: RecordHead, record: &[u8]) -> Decoded<()> {
        if head.version != 1 {
            return Err(RecordProblem::Unknown { kind: head.kind, version: head.version });
        }
        let context: &ContextV1 = whole(record)?;
        let next = Stamp {
            market_id: MarketId(context.market_id.get()),
            time_ns: context.time_ns.get(),
            sequence: self.next.sequence,
            market_sequence: context.market_sequence.get(),
        };
        if self.has_context && self.next == next {
            return malformed("a context that says nothing new");
        }
        if !next.market_id.is_some() && next.market_sequence != 0 {
            return malformed("a market sequence without a market");
        }
        (self.next, self.has_context) = (next, true);
        Ok(())
    }

    fn take_event(
        &mut self,
        head: RecordHead,
        record: &[u8],
        preceding: &mut Preceding,
    ) -> Decoded<(Event, bool)> {
        let (event, ends) = decode_event(head, record, preceding)?;
        let follows = preceding.follow(&event).and_then(|()| if ends { preceding.end() } else { Ok(()) });
        follows.map_err(RecordProblem::Malformed)?;
        if !self.has_context {
            return malformed("an event before any context");
        }
        let next = self.next.sequence.checked_add(1);
        self.next.sequence = next.ok_or(RecordProblem::Malformed("sequence numbers are used up"))?;
        if self.next.market_id.is_some() {
            let next = self.next.market_sequence.checked_add(1);
            self.next.market_sequence =
                next.ok_or(RecordProblem::Malformed("market sequences are used up"))?;
        }
        Ok((event, ends))
    }
}

/// One event, and whether its transaction ends with it.
fn decode_event(head: RecordHead, record: &[u8], preceding: &Preceding) -> Decoded<(Event, bool)> {
    match (head.kind, head.version) {
        (kind::ORDER_ACCEPTED, 1..=3) => orders::order_accepted(head.version, record),
        (kind::TRADE_MATCHED, 1..=3) => trades::trade_matched(head.version, record, preceding),
        (kind::SET_MATCHED, 1) => trades::set_matched(record, preceding),
        (kind::SET_MATCHED, 2) => trades::exact_set_matched(record, preceding),
        (kind::LEG_MATCHED, 1 | 2) => trades::leg_matched(head.version, record, preceding),
        (kind::ORDER_CANCELLED, 1) => orders::order_cancelled(record),
        (kind::ORDER_SPLIT, 1) => orders::order_split(record),
        (kind::ORDERS_CANCELLED, 1) => orders::orders_cancelled(record),
        (kind::JOB_STARTED, 1) => orders::job_started(record),
        (kind::JOB_ADVANCED, 1) => orders::job_advanced(record),
        (kind::TRADES_VOIDED, 1) => trades::trades_voided(record),
        (kind::MARKET_CREATED, 1) => markets::market_created_v1(record),
        (kind::MARKET_CREATED, 2) => markets::market_created_v2(record),
        (kind::MARKET_STATUS_CHANGED, 1) => markets::market_status_changed(record),
        (kind::HOLD_CHANGED, 1) => markets::hold_changed(record),
        (kind::PHASE_CHANGED, 1) => markets::phase_changed(record),
        (kind::RUNNERS_ADDED, 1) => markets::runners_added(record),
        (kind::RUNNER_REMOVED, 1) => markets::runner_removed(record),
        (kind::MARKET_REMOVED, 1) => markets::market_removed(record),
        (kind::ACCOUNT_REGISTERED, 1) => engine::account_registered(record),
        (kind::LIMITS_SET, 1) => engine::limits_set(record),
        (kind::TIME_SET_BACK, 1) => engine::time_set_back(record),
        (kind::LIMITS_SET, 2) => engine::limits_set_v2(record),
        (kind::NONE, _) => malformed("it has no kind"),
        (kind, version) => Err(RecordProblem::Unknown { kind, version }),
    }
}

/// A record's kind and version.
#[derive(Clone, Copy)]
pub(super) struct RecordHead {
    pub(super) kind: u16,
    pub(super) version: u16,
}

/// The first record of some bytes, head included.
pub(super) fn take_record(bytes: &[u8]) -> Decoded<(RecordHead, &[u8])> {
    let Ok((head, _)) = Head::ref_from_prefix(bytes) else { return malformed("the body ends in its head") };
    let len = usize::try_from(head.len.get()).unwrap_or(usize::MAX);
    if len < HEAD_BYTES || len % 8 != 0 {
        return malformed("its length cannot be");
    }
    let Some(record) = bytes.get(..len) else { return malformed("it is longer than the body") };
    Ok((RecordHead { kind: head.kind.get(), version: head.version.get() }, record))
}
