//! The fields of the records of events, each checked before it is believed.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex, TradeMatched};
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, ClientOrderId, Money, OrderId, Price, Quantity, RunnerId, SelfTradePrevention, TimeInForce,
    TransitionPolicy,
};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::codes::Code;
use super::decode::{Decoded, RecordHead, RecordProblem, malformed};
use super::layout::{
    AccountRegisteredV1, CANCELLED_REASON, CANCELLED_SIDE_SHIFT, HAS_REASON, LimitsSetV1, MarketCreatedV1,
    MarketRemovedV1, MarketStatusChangedV1, OrderAcceptedV1, OrderCancelledV1, RunnerV1, TradeMatchedV1,
    terms,
};
use super::{ENDS_TRANSACTION, kind};

/// A record without a tail.
pub(super) fn whole<R: FromBytes + KnownLayout + Immutable + Unaligned>(record: &[u8]) -> Decoded<&R> {
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

/// One event, and whether its transaction ends with it.
pub(super) fn decode_event(
    head: RecordHead,
    record: &[u8],
    taker: Option<OrderId>,
) -> Decoded<(Event, bool)> {
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
        post_only: false,
        self_trade: SelfTradePrevention::Skip,
        half: Half::Whole,
    });
    Ok((event, ends(order.flags, 0)?))
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn trade_matched(record: &[u8], taker: Option<OrderId>) -> Decoded<(Event, bool)> {
    let trade: &TradeMatchedV1 = whole(record)?;
    let Some(taker_order_id) = taker else { return malformed("a trade before its taker") };
    let (price, quantity) = (Price(trade.price.get()), Quantity(trade.quantity.get()));
    let Some(payout) = payout_at_odds(price, quantity) else { return malformed("its payout cannot be") };
    let event = Event::TradeMatched(TradeMatched {
        taker_order_id,
        maker_order_id: OrderId(trade.maker_order_id.get()),
        maker_account: AccountId(trade.maker_account.get()),
        outcome: OutcomeIndex(trade.outcome.get()),
        maker_side: code(trade.maker_side)?,
        price,
        quantity,
        maker_quantity: Quantity(trade.maker_quantity.get()),
        maker_filled: Quantity(trade.maker_filled.get()),
        maker_remaining: Quantity(trade.maker_remaining.get()),
        payout,
        leg: 0,
    });
    Ok((event, ends(trade.flags, 0)?))
}

/// What a direct trade at odds pays: stake and profit.
fn payout_at_odds(price: Price, stake: Quantity) -> Option<Money> {
    i64::try_from(i128::from(stake.0) * i128::from(price.0) / 10_000).ok().map(Money)
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
        ladder: code(market.ladder)?,
        independent: false,
        synthetic: false,
        transition: TransitionPolicy::RespectPersistence,
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
