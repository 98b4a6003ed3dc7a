//! The records of orders, and of what takes out many of them.

use betex_core::event::{Event, Half, Job, OrderAccepted, OrderCancelled, OrderFilter, OutcomeIndex};
use betex_core::types::{
    AccountId, ClientOrderId, OrderId, Price, Quantity, SelfTradePrevention, TimeInForce,
};
use zerocopy::{Immutable, IntoBytes};

use super::codes::Code as _;
use super::encode::EncodeError;
use super::fields::{Decoded, OLDER_VERSION, Tail, code, ends, fixed_part, malformed, unused, whole};
use super::fractions::{exact, parts};
use super::kind;
use super::layout::{
    CANCELLED_REASON, CANCELLED_SIDE_SHIFT, JobAdvancedV1, JobStartedV1, LAPSING, ONE_OUTCOME,
    OrderAcceptedV1, OrderCancelledV1, OrderFilterV1, OrderSplitV1, OrdersCancelledV1, more, terms,
};
use super::out::{Encoded, Out, set};

impl Out<'_> {
    pub(super) fn order_accepted(&mut self, order: &OrderAccepted, flags: u8) -> Encoded {
        let version = if order.fraction != 0 {
            3
        } else if says_more(order) {
            2
        } else {
            1
        };
        self.order(kind::ORDER_ACCEPTED, version, order, flags, |order| order)
    }

    pub(super) fn order_split(&mut self, order: &OrderAccepted, far: OutcomeIndex, flags: u8) -> Encoded {
        if order.fraction != 0 {
            return Err(EncodeError::Invalid(
                "an order on a quarter line with a fraction beside its halves'",
            ));
        }
        self.order(kind::ORDER_SPLIT, 1, order, flags, |order| OrderSplitV1 {
            order,
            far: far.0.into(),
            reserved: [0; 6],
        })
    }

    /// A record that holds an order, and what there is after it.
    fn order<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        version: u16,
        order: &OrderAccepted,
        flags: u8,
        record: impl FnOnce(OrderAcceptedV1) -> R,
    ) -> Encoded {
        let (time_in_force, its_number) = match order.time_in_force.get() {
            TimeInForce::Gtc => (terms::GTC, None),
            TimeInForce::Ioc => (terms::IOC, None),
            TimeInForce::Gtd { expiry_ms } => (terms::GTD, Some(expiry_ms.to_le_bytes())),
            TimeInForce::Fok { min_fill } => (terms::FOK, Some(min_fill.0.to_le_bytes())),
        };
        let client_id = order.client_order_id.as_ref().map_or("", |id| id.as_str());
        let client_id_len =
            u8::try_from(client_id.len()).map_err(|_| EncodeError::Invalid("a client order id too long"))?;
        let client_id_len = order.client_order_id.map(|_| [client_id_len]);
        let resting =
            if order.fraction == 0 { order.resting.0 } else { exact(order.resting, order.fraction)? };
        let tail = [
            its_number.as_ref().map_or(&[][..], |number| number),
            client_id_len.as_ref().map_or(&[][..], |len| len),
            client_id.as_bytes(),
        ];
        self.with_tail(kind, version, &tail, |head| {
            record(OrderAcceptedV1 {
                head,
                price: order.price.0.into(),
                outcome: order.outcome.0.into(),
                flags: flags
                    | set(more::POST_ONLY, order.post_only)
                    | order.self_trade.code() << more::SELF_TRADE_SHIFT
                    | order.half.code() << more::HALF_SHIFT,
                terms: time_in_force
                    | set(terms::SIDE, order.side.code() == 1)
                    | set(terms::MARKET, order.market_order)
                    | set(terms::PERSISTENCE, order.persistence.code() == 1)
                    | set(terms::CLIENT_ID, client_id_len.is_some()),
                order_id: order.order_id.0.into(),
                account: order.account.0.into(),
                quantity: order.quantity.0.into(),
                resting: resting.into(),
            })
        })
    }

    pub(super) fn order_cancelled(&mut self, cancel: &OrderCancelled, flags: u8) -> Encoded {
        self.fixed(kind::ORDER_CANCELLED, 1, |head| OrderCancelledV1 {
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

    pub(super) fn orders_cancelled(&mut self, filter: &OrderFilter, flags: u8) -> Encoded {
        let filter = filter_record(filter, flags);
        self.fixed(kind::ORDERS_CANCELLED, 1, |head| OrdersCancelledV1 { head, filter })
    }

    pub(super) fn job_started(&mut self, job: &Job, flags: u8) -> Encoded {
        self.fixed(kind::JOB_STARTED, 1, |head| JobStartedV1 {
            head,
            filter: filter_record(&job.filter, flags),
            last_order_id: job.last_order_id.0.into(),
            next: job.next.0.into(),
        })
    }

    pub(super) fn job_advanced(&mut self, job: u64, next: OrderId, flags: u8) -> Encoded {
        self.fixed(kind::JOB_ADVANCED, 1, |head| JobAdvancedV1 {
            head,
            flags,
            reserved: [0; 7],
            job: job.into(),
            next: next.0.into(),
        })
    }
}

/// Whether version 1 of OrderAccepted cannot say it, a fraction aside.
const fn says_more(order: &OrderAccepted) -> bool {
    order.post_only
        || !matches!(order.self_trade, SelfTradePrevention::Skip)
        || !matches!(order.half, Half::Whole)
        || matches!(order.time_in_force.get(), TimeInForce::Fok { .. })
}

pub(super) fn filter_record(filter: &OrderFilter, flags: u8) -> OrderFilterV1 {
    OrderFilterV1 {
        flags: flags | set(ONE_OUTCOME, filter.outcome.is_some()) | set(LAPSING, filter.lapsing),
        reason: filter.reason.code(),
        outcome: filter.outcome.unwrap_or_default().0.into(),
        reserved: 0.into(),
        account: filter.account.0.into(),
        from_ns: filter.from_ns.into(),
        until_ns: filter.until_ns.into(),
    }
}

pub(super) fn order_accepted(version: u16, record: &[u8]) -> Decoded<(Event, bool)> {
    let (fixed, tail) = fixed_part::<OrderAcceptedV1>(record)?;
    let (mut order, ends) = order(fixed, tail)?;
    if version == 3 {
        (order.resting, order.fraction) = parts(order.resting.0)?;
    }
    match (version, says_more(&order)) {
        (1, true) => malformed("it says what its version cannot"),
        (2, false) => malformed(OLDER_VERSION),
        (3, _) if order.fraction == 0 => malformed(OLDER_VERSION),
        _ => Ok((Event::OrderAccepted(order), ends)),
    }
}

pub(super) fn order_split(record: &[u8]) -> Decoded<(Event, bool)> {
    let (split, tail) = fixed_part::<OrderSplitV1>(record)?;
    unused(split.reserved == [0; 6])?;
    let (order, ends) = order(&split.order, tail)?;
    Ok((Event::OrderSplit { order, far: OutcomeIndex(split.far.get()) }, ends))
}

fn order(fixed: &OrderAcceptedV1, mut tail: Tail<'_>) -> Decoded<(OrderAccepted, bool)> {
    let bits = fixed.terms;
    let known = terms::SIDE | terms::MARKET | terms::PERSISTENCE | terms::CLIENT_ID | terms::TIME_IN_FORCE;
    if bits & !known != 0 {
        return malformed("a term in it stands for nothing");
    }
    let time_in_force = match bits & terms::TIME_IN_FORCE {
        terms::GTC => TimeInForce::Gtc,
        terms::IOC => TimeInForce::Ioc,
        terms::GTD => TimeInForce::Gtd { expiry_ms: u64::from_le_bytes(tail.array()?) },
        _ => TimeInForce::Fok { min_fill: Quantity(i64::from_le_bytes(tail.array()?)) },
    };
    let client_order_id = if bits & terms::CLIENT_ID == 0 {
        None
    } else {
        let [len] = tail.array()?;
        let id = ClientOrderId::new(tail.text(len.into())?);
        Some(id.or(malformed("its client order id has a length that cannot be"))?)
    };
    tail.end()?;
    let order = OrderAccepted {
        order_id: OrderId(fixed.order_id.get()),
        account: AccountId(fixed.account.get()),
        client_order_id,
        outcome: OutcomeIndex(fixed.outcome.get()),
        side: code(u8::from(bits & terms::SIDE != 0))?,
        price: Price(fixed.price.get()),
        market_order: bits & terms::MARKET != 0,
        time_in_force: time_in_force.into(),
        persistence: code(u8::from(bits & terms::PERSISTENCE != 0))?,
        quantity: Quantity(fixed.quantity.get()),
        resting: Quantity(fixed.resting.get()),
        fraction: 0,
        post_only: fixed.flags & more::POST_ONLY != 0,
        self_trade: code((fixed.flags & more::SELF_TRADE) >> more::SELF_TRADE_SHIFT)?,
        half: code((fixed.flags & more::HALF) >> more::HALF_SHIFT)?,
    };
    Ok((order, ends(fixed.flags, more::POST_ONLY | more::SELF_TRADE | more::HALF)?))
}

pub(super) fn order_cancelled(record: &[u8]) -> Decoded<(Event, bool)> {
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

pub(super) fn orders_cancelled(record: &[u8]) -> Decoded<(Event, bool)> {
    let cancelled: &OrdersCancelledV1 = whole(record)?;
    let (filter, ends) = filter(&cancelled.filter)?;
    Ok((Event::OrdersCancelled(filter), ends))
}

pub(super) fn job_started(record: &[u8]) -> Decoded<(Event, bool)> {
    let started: &JobStartedV1 = whole(record)?;
    let (filter, ends) = filter(&started.filter)?;
    let last_order_id = OrderId(started.last_order_id.get());
    Ok((Event::JobStarted(Job { filter, last_order_id, next: OrderId(started.next.get()) }), ends))
}

pub(super) fn job_advanced(record: &[u8]) -> Decoded<(Event, bool)> {
    let advanced: &JobAdvancedV1 = whole(record)?;
    unused(advanced.reserved == [0; 7])?;
    let event = Event::JobAdvanced { job: advanced.job.get(), next: OrderId(advanced.next.get()) };
    Ok((event, ends(advanced.flags, 0)?))
}

pub(super) fn filter(record: &OrderFilterV1) -> Decoded<(OrderFilter, bool)> {
    let outcome = (record.flags & ONE_OUTCOME != 0).then(|| OutcomeIndex(record.outcome.get()));
    unused(record.reserved.get() == 0 && (outcome.is_some() || record.outcome.get() == 0))?;
    let filter = OrderFilter {
        account: AccountId(record.account.get()),
        outcome,
        lapsing: record.flags & LAPSING != 0,
        from_ns: record.from_ns.get(),
        until_ns: record.until_ns.get(),
        reason: code(record.reason)?,
    };
    Ok((filter, ends(record.flags, ONE_OUTCOME | LAPSING)?))
}
