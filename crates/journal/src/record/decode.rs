//! Records to events. Whatever the bytes: no panic, and nothing allocated beyond what a record's own
//! length allows.

use std::fmt;

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp, TradeMatched};
use betex_core::limits::Limits;
use betex_core::types::{AccountId, ClientOrderId, MarketId, OrderId, Price, Quantity, RunnerId, TimeInForce};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::codes::Code;
use super::layout::{
    AccountRegisteredV1, CANCELLED_REASON, CANCELLED_SIDE_SHIFT, ContextV1, HAS_REASON, Head, LimitsSetV1,
    MarketCreatedV1, MarketRemovedV1, MarketStatusChangedV1, OrderAcceptedV1, OrderCancelledV1, RunnerV1,
    TradeMatchedV1, terms,
};
use super::{ENDS_TRANSACTION, HEAD_BYTES, kind, padded};

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
                Some(name) => write!(f, "is version {version} of {name}: written by a newer version of BetEx"),
                None => write!(f, "is of kind {kind}, version {version}: written by a newer version of BetEx"),
            },
            RecordProblem::Malformed(what) => write!(f, "is not one: {what}"),
        }
    }
}

type Decoded<T> = Result<T, RecordProblem>;

const fn malformed<T>(what: &'static str) -> Decoded<T> {
    Err(RecordProblem::Malformed(what))
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
        let next = Stamp { market_id: MarketId::NONE, time_ns: 0, sequence: first_sequence, market_sequence: 0 };
        Self { at: 0, next, has_context: false }
    }

    /// The sequence number of the next event.
    pub const fn next_sequence(&self) -> u64 {
        self.next.sequence
    }

    /// The next whole transaction into `events`, which is emptied first; `None` at the end of the body.
    /// `body` must be the same at each call.
    pub fn next_transaction(&mut self, body: &[u8], events: &mut Vec<Event>) -> Result<Option<Stamp>, RecordError> {
        events.clear();
        let mut stamp = self.next;
        let mut taker = None;
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
                let (event, ends) = self.take_event(head, record, taker).map_err(fail)?;
                if let Event::OrderAccepted(order) = &event {
                    taker = Some(order.order_id);
                }
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
        head.version_is(1)?;
        let context: &ContextV1 = whole(record)?;
        self.next.market_id = MarketId(context.market_id.get());
        self.next.market_sequence = context.market_sequence.get();
        self.next.time_ns = context.time_ns.get();
        self.has_context = true;
        if !self.next.market_id.is_some() && self.next.market_sequence != 0 {
            return malformed("a market sequence without a market");
        }
        Ok(())
    }

    fn take_event(&mut self, head: RecordHead, record: &[u8], taker: Option<OrderId>) -> Decoded<(Event, bool)> {
        let decoded = decode_event(head, record, taker)?;
        if !self.has_context {
            return malformed("an event before any context");
        }
        let next = self.next.sequence.checked_add(1);
        self.next.sequence = next.ok_or(RecordProblem::Malformed("sequence numbers are used up"))?;
        if self.next.market_id.is_some() {
            let next = self.next.market_sequence.checked_add(1);
            self.next.market_sequence = next.ok_or(RecordProblem::Malformed("market sequences are used up"))?;
        }
        Ok(decoded)
    }
}

#[derive(Clone, Copy)]
struct RecordHead {
    kind: u16,
    version: u16,
}

impl RecordHead {
    fn version_is(self, known: u16) -> Decoded<()> {
        if self.version == known {
            Ok(())
        } else {
            Err(RecordProblem::Unknown { kind: self.kind, version: self.version })
        }
    }
}

/// The first record of some bytes, head included.
fn take_record(bytes: &[u8]) -> Decoded<(RecordHead, &[u8])> {
    let Ok((head, _)) = Head::ref_from_prefix(bytes) else { return malformed("the body ends in its head") };
    let len = usize::try_from(head.len.get()).unwrap_or(usize::MAX);
    if len < HEAD_BYTES || len % 8 != 0 {
        return malformed("its length cannot be");
    }
    let Some(record) = bytes.get(..len) else { return malformed("it is longer than the body") };
    Ok((RecordHead { kind: head.kind.get(), version: head.version.get() }, record))
}

/// A record without a tail.
fn whole<R: FromBytes + KnownLayout + Immutable + Unaligned>(record: &[u8]) -> Decoded<&R> {
    R::ref_from_bytes(record).or(malformed("its length is not that of its kind"))
}

/// A record and its tail.
fn fixed_part<R: FromBytes + KnownLayout + Immutable + Unaligned>(record: &[u8]) -> Decoded<(&R, Tail<'_>)> {
    match R::ref_from_prefix(record) {
        Ok((fixed, tail)) => Ok((fixed, Tail(tail))),
        Err(_) => malformed("it is shorter than its kind"),
    }
}

/// The variable part of a record, taken piece by piece.
struct Tail<'a>(&'a [u8]);

impl<'a> Tail<'a> {
    fn take(&mut self, len: usize) -> Decoded<&'a [u8]> {
        match self.0.split_at_checked(len) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => malformed("a length in it is beyond its end"),
        }
    }

    fn text(&mut self, len: u32) -> Decoded<&'a str> {
        let bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        std::str::from_utf8(bytes).or(malformed("a text in it is not UTF-8"))
    }

    /// What is left must be the padding.
    fn end(self) -> Decoded<()> {
        if self.0.len() < 8 && self.0.iter().all(|&byte| byte == 0) {
            Ok(())
        } else {
            malformed("there is more behind its end than padding")
        }
    }
}

fn code<T: Code>(code: u8) -> Decoded<T> {
    T::from_code(code).ok_or(RecordProblem::Malformed("a code in it stands for nothing"))
}

/// Whether the transaction ends here; `others` are the flags that the record may have besides.
fn ends(flags: u8, others: u8) -> Decoded<bool> {
    if flags & !(ENDS_TRANSACTION | others) != 0 {
        return malformed("a flag in it stands for nothing");
    }
    Ok(flags & ENDS_TRANSACTION != 0)
}

fn unused(zero: bool) -> Decoded<()> {
    if zero { Ok(()) } else { malformed("a reserved field in it is not zero") }
}

fn decode_event(head: RecordHead, record: &[u8], taker: Option<OrderId>) -> Decoded<(Event, bool)> {
    match head.kind {
        kind::ORDER_ACCEPTED => head.version_is(1).and_then(|()| order_accepted(record)),
        kind::TRADE_MATCHED => head.version_is(1).and_then(|()| trade_matched(record, taker)),
        kind::ORDER_CANCELLED => head.version_is(1).and_then(|()| order_cancelled(record)),
        kind::MARKET_CREATED => head.version_is(1).and_then(|()| market_created(record)),
        kind::MARKET_STATUS_CHANGED => head.version_is(1).and_then(|()| market_status_changed(record)),
        kind::MARKET_REMOVED => head.version_is(1).and_then(|()| market_removed(record)),
        kind::ACCOUNT_REGISTERED => head.version_is(1).and_then(|()| account_registered(record)),
        kind::LIMITS_SET => head.version_is(1).and_then(|()| limits_set(record)),
        kind::NONE => malformed("it has no kind"),
        kind => Err(RecordProblem::Unknown { kind, version: head.version }),
    }
}

fn order_accepted(record: &[u8]) -> Decoded<(Event, bool)> {
    let (order, mut tail) = fixed_part::<OrderAcceptedV1>(record)?;
    let bits = order.terms;
    let known = terms::SIDE | terms::MARKET | terms::PERSISTENCE | terms::CLIENT_ID | terms::TIME_IN_FORCE;
    if bits & !known != 0 {
        return malformed("a term in it stands for nothing");
    }
    let time_in_force = match bits & terms::TIME_IN_FORCE {
        terms::GTC => TimeInForce::Gtc,
        terms::IOC => TimeInForce::Ioc,
        terms::GTD => TimeInForce::Gtd { expiry_ms: u64_of(tail.take(size_of::<u64>())?) },
        _ => return malformed("its time in force stands for nothing"),
    };
    let client_order_id = if bits & terms::CLIENT_ID == 0 {
        None
    } else {
        let len = tail.take(1)?[0];
        let id = ClientOrderId::new(tail.text(len.into())?);
        Some(id.or(malformed("its client order id has a length that cannot be"))?)
    };
    tail.end()?;
    let event = Event::OrderAccepted(OrderAccepted {
        order_id: OrderId(order.order_id.get()),
        account: AccountId(order.account.get()),
        client_order_id,
        outcome: OutcomeIndex(order.outcome.get()),
        side: code(u8::from(bits & terms::SIDE != 0))?,
        price: Price(order.price.get()),
        market_order: bits & terms::MARKET != 0,
        time_in_force,
        persistence: code(u8::from(bits & terms::PERSISTENCE != 0))?,
        quantity: Quantity(order.quantity.get()),
        resting: Quantity(order.resting.get()),
    });
    Ok((event, ends(order.flags, 0)?))
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn trade_matched(record: &[u8], taker: Option<OrderId>) -> Decoded<(Event, bool)> {
    let trade: &TradeMatchedV1 = whole(record)?;
    let Some(taker_order_id) = taker else { return malformed("a trade before its taker") };
    let event = Event::TradeMatched(TradeMatched {
        taker_order_id,
        maker_order_id: OrderId(trade.maker_order_id.get()),
        maker_account: AccountId(trade.maker_account.get()),
        outcome: OutcomeIndex(trade.outcome.get()),
        maker_side: code(trade.maker_side)?,
        price: Price(trade.price.get()),
        quantity: Quantity(trade.quantity.get()),
        maker_quantity: Quantity(trade.maker_quantity.get()),
        maker_filled: Quantity(trade.maker_filled.get()),
        maker_remaining: Quantity(trade.maker_remaining.get()),
    });
    Ok((event, ends(trade.flags, 0)?))
}

fn order_cancelled(record: &[u8]) -> Decoded<(Event, bool)> {
    let cancel: &OrderCancelledV1 = whole(record)?;
    let event = Event::OrderCancelled(OrderCancelled {
        order_id: OrderId(cancel.order_id.get()),
        account: AccountId(cancel.account.get()),
        outcome: OutcomeIndex(cancel.outcome.get()),
        side: code(cancel.side_and_reason >> CANCELLED_SIDE_SHIFT)?,
        price: Price(cancel.price.get()),
        reason: code(cancel.side_and_reason & CANCELLED_REASON)?,
        cancelled: Quantity(cancel.cancelled.get()),
        quantity: Quantity(cancel.quantity.get()),
        filled: Quantity(cancel.filled.get()),
        remaining: Quantity(cancel.remaining.get()),
    });
    Ok((event, ends(cancel.flags, 0)?))
}

fn market_created(record: &[u8]) -> Decoded<(Event, bool)> {
    let (market, mut tail) = fixed_part::<MarketCreatedV1>(record)?;
    unused(market.reserved.get() == 0 && market.reserved_too.get() == 0)?;
    let count = usize::try_from(market.runners.get()).unwrap_or(usize::MAX);
    // The multiplication saturates and the bytes must be there, so this bounds the allocation below.
    let table = tail.take(count.saturating_mul(size_of::<RunnerV1>()))?;
    let table = <[RunnerV1]>::ref_from_bytes(table).or(malformed("its runners cannot be"))?;
    let key = tail.text(market.key_len.get())?.to_owned();
    let name = tail.text(market.name_len.get())?.to_owned();
    let mut runners = Vec::with_capacity(table.len());
    for runner in table {
        unused(runner.reserved.get() == 0)?;
        let name = tail.text(runner.name_len.get())?.to_owned();
        runners.push(NewRunner { id: RunnerId(runner.id.get()), name });
    }
    tail.end()?;
    let event = Event::MarketCreated(Box::new(NewMarket {
        key,
        name,
        model: code(market.model)?,
        ladder: code(market.ladder)?,
        runners,
        kind: code(market.kind)?,
        state: code(market.state)?,
        phase: code(market.phase)?,
        increment: Quantity(market.increment.get()),
        min_quantity: Quantity(market.min_quantity.get()),
    }));
    Ok((event, ends(market.flags, 0)?))
}

fn market_status_changed(record: &[u8]) -> Decoded<(Event, bool)> {
    let (change, mut tail) = fixed_part::<MarketStatusChangedV1>(record)?;
    unused(change.reserved.get() == 0)?;
    let text = tail.text(change.reason_len.get())?;
    tail.end()?;
    let reason = (change.flags & HAS_REASON != 0).then(|| text.into());
    unused(reason.is_some() || text.is_empty())?;
    Ok((Event::MarketStatusChanged { to: code(change.to)?, reason }, ends(change.flags, HAS_REASON)?))
}

fn market_removed(record: &[u8]) -> Decoded<(Event, bool)> {
    let removed: &MarketRemovedV1 = whole(record)?;
    unused(removed.reserved == [0; 7])?;
    Ok((Event::MarketRemoved, ends(removed.flags, 0)?))
}

fn account_registered(record: &[u8]) -> Decoded<(Event, bool)> {
    let (account, mut tail) = fixed_part::<AccountRegisteredV1>(record)?;
    unused(account.reserved == [0; 3])?;
    let name = tail.text(account.name_len.get())?;
    tail.end()?;
    let event = Event::AccountRegistered { account: AccountId(account.account.get()), name: name.into() };
    Ok((event, ends(account.flags, 0)?))
}

fn limits_set(record: &[u8]) -> Decoded<(Event, bool)> {
    let limits: &LimitsSetV1 = whole(record)?;
    unused(limits.reserved == [0; 7])?;
    let event = Event::LimitsSet(Limits {
        markets: limits.markets.get(),
        accounts: limits.accounts.get(),
        resting_orders: limits.resting_orders.get(),
        client_ids_per_market: limits.client_ids_per_market.get(),
        closed_market_ttl_ms: limits.closed_market_ttl_ms.get(),
    });
    Ok((event, ends(limits.flags, 0)?))
}

/// So that a layout cannot end anywhere but where a record may.
const _: () = assert!(padded(size_of::<OrderAcceptedV1>()) == size_of::<OrderAcceptedV1>());
