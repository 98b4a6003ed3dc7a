//! Events to records, at the end of a buffer, allocating nothing while the buffer has room.

use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;

use super::layout::ContextV1;
use super::out::Out;
use super::preceding::Preceding;
use super::{ENDS_TRANSACTION, kind};

/// Why a transaction was not encoded. What of it had been written is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The buffer's bound would be passed.
    #[error("the transaction does not fit")]
    Full,
    /// The events are not what the core emits; written, they could not be read again.
    #[error("not a transaction of the core: {0}")]
    Invalid(&'static str),
}

/// Writes transactions, one behind the other, as the body of one frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct BodyEncoder {
    /// What a reader expects of the next event, had it read so far.
    next: Option<Context>,
    events: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Context {
    market_id: MarketId,
    market_sequence: u64,
    time_ns: u64,
}

impl BodyEncoder {
    /// For a new body.
    pub const fn new() -> Self {
        Self { next: None, events: 0 }
    }

    /// Events encoded so far.
    pub const fn events(&self) -> u32 {
        self.events
    }

    /// Appends one whole transaction, unless that would make `body` longer than `bytes_max`.
    pub fn append(
        &mut self,
        body: &mut Vec<u8>,
        bytes_max: usize,
        stamp: &Stamp,
        events: &[Event],
    ) -> Result<(), EncodeError> {
        let before = body.len();
        let result = self.encode(&mut Out::new(body, bytes_max), stamp, events);
        match result {
            Ok(next) => *self = next,
            Err(_) => body.truncate(before),
        }
        result.map(drop)
    }

    fn encode(&self, out: &mut Out<'_>, stamp: &Stamp, events: &[Event]) -> Result<Self, EncodeError> {
        let count = u32::try_from(events.len()).map_err(|_| EncodeError::Full)?;
        if count == 0 {
            return Err(EncodeError::Invalid("no events"));
        }
        let has_market = stamp.market_id.is_some();
        if !has_market && stamp.market_sequence != 0 {
            return Err(EncodeError::Invalid("a market sequence without a market"));
        }
        let mut context = Context {
            market_id: stamp.market_id,
            market_sequence: stamp.market_sequence,
            time_ns: stamp.time_ns,
        };
        if self.next != Some(context) {
            out.fixed(kind::CONTEXT, 1, |head| ContextV1 {
                head,
                market_id: context.market_id.0.into(),
                market_sequence: context.market_sequence.into(),
                time_ns: context.time_ns.into(),
            })?;
        }
        let mut preceding = Preceding::default();
        for (left, event) in (0..count).rev().zip(events) {
            let flags = if left == 0 { ENDS_TRANSACTION } else { 0 };
            preceding.follow(event).map_err(EncodeError::Invalid)?;
            out.event(event, flags)?;
        }
        preceding.end().map_err(EncodeError::Invalid)?;
        if has_market {
            let next = context.market_sequence.checked_add(u64::from(count));
            context.market_sequence = next.ok_or(EncodeError::Invalid("market sequences are used up"))?;
        }
        let events = self.events.checked_add(count).ok_or(EncodeError::Full)?;
        Ok(Self { next: Some(context), events })
    }
}
