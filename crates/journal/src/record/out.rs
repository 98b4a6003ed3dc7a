//! How a record is written: its head, its fields, what is behind them, zeros up to the next.

use betex_core::event::Event;
use zerocopy::{Immutable, IntoBytes};

use super::encode::EncodeError;
use super::layout::{HAS_REASON, Head};
use super::padded;

pub(super) type Encoded = Result<(), EncodeError>;

/// Where records go.
pub(super) struct Out<'a> {
    body: &'a mut Vec<u8>,
    bytes_max: usize,
}

impl<'a> Out<'a> {
    /// To the end of `body`, unless that would make it longer than `bytes_max`.
    pub(super) const fn new(body: &'a mut Vec<u8>, bytes_max: usize) -> Self {
        Self { body, bytes_max }
    }

    /// The record of an event, with these flags.
    pub(super) fn event(&mut self, event: &Event, flags: u8) -> Encoded {
        match event {
            Event::OrderAccepted(order) => self.order_accepted(order, flags),
            Event::TradeMatched(trade) => self.trade_matched(trade, flags),
            Event::SetMatched(set) => self.set_matched(set, flags),
            Event::OrderCancelled(cancel) => self.order_cancelled(cancel, flags),
            Event::OrderSplit { order, far } => self.order_split(order, *far, flags),
            Event::OrdersCancelled(filter) => self.orders_cancelled(filter, flags),
            Event::JobStarted(job) => self.job_started(job, flags),
            Event::JobAdvanced { job, next } => self.job_advanced(*job, *next, flags),
            Event::TradesVoided { trades, reason } => self.trades_voided(*trades, reason.as_deref(), flags),
            Event::MarketCreated(market) => self.market_created(market, flags),
            Event::MarketStatusChanged { to, reason } => {
                self.market_status_changed(*to, reason.as_deref(), flags)
            }
            Event::HoldChanged { hold, on, to, reason } => {
                self.hold_changed(*hold, *on, *to, reason.as_deref(), flags)
            }
            Event::PhaseChanged { to, reason } => self.phase_changed(*to, reason.as_deref(), flags),
            Event::RunnersAdded(runners) => self.runners_added(runners, flags),
            Event::RunnerRemoved { outcome, reduction, reason } => {
                self.runner_removed(*outcome, *reduction, reason.as_deref(), flags)
            }
            Event::MarketRemoved => self.market_removed(flags),
            Event::AccountRegistered { account, name } => self.account_registered(*account, name, flags),
            Event::LimitsSet(limits) => self.limits_set(limits, flags),
            Event::TimeSetBack { from_ns } => self.time_set_back(*from_ns, flags),
        }
    }

    /// A record without anything behind its fields.
    pub(super) fn fixed<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        version: u16,
        record: impl FnOnce(Head) -> R,
    ) -> Encoded {
        self.with_tail(kind, version, &[], record)
    }

    /// A record with a reason behind its fields. These are told whether there is one, as a flag, and its
    /// length.
    pub(super) fn with_reason<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        reason: Option<&str>,
        record: impl FnOnce(Head, u8, u32) -> R,
    ) -> Encoded {
        let flag = set(HAS_REASON, reason.is_some());
        let text = reason.unwrap_or_default();
        let len = text_len(text)?;
        self.with_tail(kind, 1, &[text.as_bytes()], |head| record(head, flag, len))
    }

    /// A record, and behind its fields `tail`, piece by piece.
    pub(super) fn with_tail<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        version: u16,
        tail: &[&[u8]],
        record: impl FnOnce(Head) -> R,
    ) -> Encoded {
        let bytes = size_of::<R>() + tail.iter().map(|piece| piece.len()).sum::<usize>();
        self.record(kind, version, bytes, |body, head| {
            body.extend_from_slice(record(head).as_bytes());
            for piece in tail {
                body.extend_from_slice(piece);
            }
        })
    }

    /// A record of `bytes` bytes, which `write` writes, if there is room for it.
    pub(super) fn record(
        &mut self,
        kind: u16,
        version: u16,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>, Head),
    ) -> Encoded {
        let (start, len) = (self.body.len(), padded(bytes));
        let end = start.checked_add(len).filter(|&end| end <= self.bytes_max).ok_or(EncodeError::Full)?;
        let len = u32::try_from(len).map_err(|_| EncodeError::Full)?;
        write(self.body, Head { kind: kind.into(), version: version.into(), len: len.into() });
        debug_assert_eq!(self.body.len(), start + bytes, "a record of another length than was said");
        self.body.resize(end, 0);
        Ok(())
    }
}

pub(super) fn text_len(text: &str) -> Result<u32, EncodeError> {
    u32::try_from(text.len()).map_err(|_| EncodeError::Full)
}

/// `bit` where it is set.
pub(super) const fn set(bit: u8, on: bool) -> u8 {
    if on { bit } else { 0 }
}
