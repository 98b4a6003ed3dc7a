//! Events to records, at the end of a buffer, allocating nothing while the buffer has room.

use betex_core::command::NewMarket;
use betex_core::event::{Event, OrderAccepted, OrderCancelled, Stamp, TradeMatched};
use betex_core::types::{MarketId, OrderId, TimeInForce};
use zerocopy::{Immutable, IntoBytes};

use super::codes::Code as _;
use super::layout::{
    AccountRegisteredV1, CANCELLED_SIDE_SHIFT, ContextV1, HAS_REASON, Head, LimitsSetV1, MarketCreatedV1,
    MarketRemovedV1, MarketStatusChangedV1, OrderAcceptedV1, OrderCancelledV1, RunnerV1, TradeMatchedV1,
    terms,
};
use super::{ENDS_TRANSACTION, kind, padded};

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
        let result = self.encode(&mut Out { body, bytes_max }, stamp, events);
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
            out.fixed(kind::CONTEXT, |head| ContextV1 {
                head,
                market_id: context.market_id.0.into(),
                market_sequence: context.market_sequence.into(),
                time_ns: context.time_ns.into(),
            })?;
        }
        let mut taker = None;
        for (left, event) in (0..count).rev().zip(events) {
            let flags = if left == 0 { ENDS_TRANSACTION } else { 0 };
            out.event(event, flags, taker)?;
            if let Event::OrderAccepted(order) = event {
                taker = Some(order.order_id);
            }
        }
        if has_market {
            let next = context.market_sequence.checked_add(u64::from(count));
            context.market_sequence = next.ok_or(EncodeError::Invalid("market sequences are used up"))?;
        }
        let events = self.events.checked_add(count).ok_or(EncodeError::Full)?;
        Ok(Self { next: Some(context), events })
    }
}

/// Where records go.
struct Out<'a> {
    body: &'a mut Vec<u8>,
    bytes_max: usize,
}

impl Out<'_> {
    /// The head of a record of `len` bytes, padding included, if there is room for it.
    fn head(&self, kind: u16, len: usize) -> Result<Head, EncodeError> {
        let end = self.body.len().checked_add(len);
        if end.is_none_or(|end| end > self.bytes_max) {
            return Err(EncodeError::Full);
        }
        let len = u32::try_from(len).map_err(|_| EncodeError::Full)?;
        Ok(Head { kind: kind.into(), version: 1.into(), len: len.into() })
    }

    /// A record without a tail.
    fn fixed<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        record: impl FnOnce(Head) -> R,
    ) -> Result<(), EncodeError> {
        let head = self.head(kind, size_of::<R>())?;
        self.body.extend_from_slice(record(head).as_bytes());
        Ok(())
    }

    /// Zeros up to where the next record begins: `len` as it was told to [`Out::head`].
    fn pad(&mut self, start: usize, len: usize) {
        self.body.resize(start + len, 0);
    }

    fn event(&mut self, event: &Event, flags: u8, taker: Option<OrderId>) -> Result<(), EncodeError> {
        match event {
            Event::OrderAccepted(order) => self.order_accepted(order, flags),
            Event::TradeMatched(trade) if taker == Some(trade.taker_order_id) => {
                self.trade_matched(trade, flags)
            }
            Event::TradeMatched(_) => Err(EncodeError::Invalid("a trade without its taker's OrderAccepted")),
            Event::OrderCancelled(cancel) => self.order_cancelled(cancel, flags),
            Event::MarketCreated(market) => self.market_created(market, flags),
            Event::MarketStatusChanged { to, reason } => {
                let tail = reason.as_deref().unwrap_or_default();
                let flags = flags | if reason.is_some() { HAS_REASON } else { 0 };
                self.with_text(kind::MARKET_STATUS_CHANGED, tail, |head, reason_len| MarketStatusChangedV1 {
                    head,
                    flags,
                    to: to.code(),
                    reserved: 0.into(),
                    reason_len: reason_len.into(),
                })
            }
            Event::MarketRemoved => {
                self.fixed(kind::MARKET_REMOVED, |head| MarketRemovedV1 { head, flags, reserved: [0; 7] })
            }
            Event::AccountRegistered { account, name } => {
                self.with_text(kind::ACCOUNT_REGISTERED, name, |head, name_len| AccountRegisteredV1 {
                    head,
                    flags,
                    reserved: [0; 3],
                    name_len: name_len.into(),
                    account: account.0.into(),
                })
            }
            Event::LimitsSet(limits) => self.fixed(kind::LIMITS_SET, |head| LimitsSetV1 {
                head,
                flags,
                reserved: [0; 7],
                markets: limits.markets.into(),
                accounts: limits.accounts.into(),
                resting_orders: limits.resting_orders.into(),
                client_ids_per_market: limits.client_ids_per_market.into(),
                closed_market_ttl_ms: limits.closed_market_ttl_ms.into(),
            }),
            _ => Err(EncodeError::Invalid("no record yet")),
        }
    }

    /// A record with one text behind it.
    fn with_text<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        text: &str,
        record: impl FnOnce(Head, u32) -> R,
    ) -> Result<(), EncodeError> {
        let start = self.body.len();
        let len = padded(size_of::<R>() + text.len());
        let head = self.head(kind, len)?;
        self.body.extend_from_slice(record(head, text_len(text)?).as_bytes());
        self.body.extend_from_slice(text.as_bytes());
        self.pad(start, len);
        Ok(())
    }

    fn order_accepted(&mut self, order: &OrderAccepted, flags: u8) -> Result<(), EncodeError> {
        let (time_in_force, expiry_ms) = match order.time_in_force {
            TimeInForce::Gtc => (terms::GTC, None),
            TimeInForce::Ioc => (terms::IOC, None),
            TimeInForce::Gtd { expiry_ms } => (terms::GTD, Some(expiry_ms)),
            TimeInForce::Fok { .. } => return Err(EncodeError::Invalid("no record yet")),
        };
        let client_id = order.client_order_id.as_ref().map(|id| id.as_str());
        let start = self.body.len();
        let len = padded(
            size_of::<OrderAcceptedV1>()
                + expiry_ms.map_or(0, |_| size_of::<u64>())
                + client_id.map_or(0, |id| 1 + id.len()),
        );
        let record = OrderAcceptedV1 {
            head: self.head(kind::ORDER_ACCEPTED, len)?,
            price: order.price.0.into(),
            outcome: order.outcome.0.into(),
            flags,
            terms: time_in_force
                | set(terms::SIDE, order.side.code() == 1)
                | set(terms::MARKET, order.market_order)
                | set(terms::PERSISTENCE, order.persistence.code() == 1)
                | set(terms::CLIENT_ID, client_id.is_some()),
            order_id: order.order_id.0.into(),
            account: order.account.0.into(),
            quantity: order.quantity.0.into(),
            resting: order.resting.0.into(),
        };
        self.body.extend_from_slice(record.as_bytes());
        if let Some(expiry_ms) = expiry_ms {
            self.body.extend_from_slice(&expiry_ms.to_le_bytes());
        }
        if let Some(id) = client_id {
            let len =
                u8::try_from(id.len()).map_err(|_| EncodeError::Invalid("a client order id too long"))?;
            self.body.push(len);
            self.body.extend_from_slice(id.as_bytes());
        }
        self.pad(start, len);
        Ok(())
    }

    fn order_cancelled(&mut self, cancel: &OrderCancelled, flags: u8) -> Result<(), EncodeError> {
        self.fixed(kind::ORDER_CANCELLED, |head| OrderCancelledV1 {
            head,
            price: cancel.price.0.into(),
            outcome: cancel.outcome.0.into(),
            side_and_reason: cancel.side.code() << CANCELLED_SIDE_SHIFT | cancel.reason.code(),
            flags,
            order_id: cancel.order_id.0.into(),
            account: cancel.account.0.into(),
            cancelled: cancel.cancelled.0.into(),
            quantity: cancel.quantity.0.into(),
            filled: cancel.filled.0.into(),
            remaining: cancel.remaining.0.into(),
        })
    }

    fn trade_matched(&mut self, trade: &TradeMatched, flags: u8) -> Result<(), EncodeError> {
        self.fixed(kind::TRADE_MATCHED, |head| TradeMatchedV1 {
            head,
            price: trade.price.0.into(),
            outcome: trade.outcome.0.into(),
            maker_side: trade.maker_side.code(),
            flags,
            maker_order_id: trade.maker_order_id.0.into(),
            maker_account: trade.maker_account.0.into(),
            quantity: trade.quantity.0.into(),
            maker_quantity: trade.maker_quantity.0.into(),
            maker_filled: trade.maker_filled.0.into(),
            maker_remaining: trade.maker_remaining.0.into(),
        })
    }

    fn market_created(&mut self, market: &NewMarket, flags: u8) -> Result<(), EncodeError> {
        let NewMarket { key, name, ladder, runners, kind, state, phase, increment, min_quantity, .. } =
            market;
        let model = market.model();
        let start = self.body.len();
        let texts = key.len() + name.len() + runners.iter().map(|runner| runner.name.len()).sum::<usize>();
        let len = padded(size_of::<MarketCreatedV1>() + runners.len() * size_of::<RunnerV1>() + texts);
        let record = MarketCreatedV1 {
            head: self.head(kind::MARKET_CREATED, len)?,
            flags,
            model: model.code(),
            ladder: ladder.code(),
            kind: kind.code(),
            state: state.code(),
            phase: phase.code(),
            reserved: 0.into(),
            increment: increment.0.into(),
            min_quantity: min_quantity.0.into(),
            runners: u32::try_from(runners.len()).map_err(|_| EncodeError::Full)?.into(),
            key_len: text_len(key)?.into(),
            name_len: text_len(name)?.into(),
            reserved_too: 0.into(),
        };
        self.body.extend_from_slice(record.as_bytes());
        for runner in runners {
            let name_len = text_len(&runner.name)?.into();
            let runner = RunnerV1 { id: runner.id.0.into(), name_len, reserved: 0.into() };
            self.body.extend_from_slice(runner.as_bytes());
        }
        self.body.extend_from_slice(key.as_bytes());
        self.body.extend_from_slice(name.as_bytes());
        for runner in runners {
            self.body.extend_from_slice(runner.name.as_bytes());
        }
        self.pad(start, len);
        Ok(())
    }
}

fn text_len(text: &str) -> Result<u32, EncodeError> {
    u32::try_from(text.len()).map_err(|_| EncodeError::Full)
}

const fn set(bit: u8, on: bool) -> u8 {
    if on { bit } else { 0 }
}
