//! Records to pieces. Whatever the bytes: no panic, and nothing allocated beyond what a record's own length
//! allows.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Job, OutcomeIndex};
use betex_core::image::{
    ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, RunnerImage, TurnImage,
};
use betex_core::ladder::Tick;
use betex_core::limits::Limits;
use betex_core::reject::OrderReport;
use betex_core::types::{AccountId, ClientOrderId, MarketId, OrderId, Price, Quantity, RunnerId};
use zerocopy::FromBytes as _;

use super::layout::{
    HAS_REASON, ReportV1, SnapshotAccountV1, SnapshotClientIdV1, SnapshotClosedV1, SnapshotEndV1,
    SnapshotEngineV1, SnapshotJobV1, SnapshotLimitsV1, SnapshotMarketV1, SnapshotOrderV1, SnapshotRunnerV1,
    SnapshotTurnV1, runner_flags, snapshot_order,
};
use super::{SnapshotEnd, has_traded_fractions};
use crate::record::engine::limits;
use crate::record::fields::{Decoded, OLDER_VERSION, code, fixed_part, malformed, unused, whole};
use crate::record::layout::{INDEPENDENT, LimitsV2, SYNTHETIC};
use crate::record::markets::ladder;
use crate::record::orders::filter;

fn report(record: &ReportV1) -> Decoded<OrderReport> {
    unused(record.reserved == [0; 6])?;
    Ok(OrderReport {
        order_id: OrderId(record.order_id.get()),
        status: code(record.status)?,
        quantity: Quantity(record.quantity.get()),
        filled: Quantity(record.filled.get()),
        remaining: Quantity(record.remaining.get()),
        split: match record.split {
            0 => false,
            1 => true,
            _ => return malformed("a code in it stands for nothing"),
        },
    })
}

pub(super) fn engine(version: u16, record: &[u8]) -> Decoded<EngineImage> {
    let (engine, mut tail) = fixed_part::<SnapshotEngineV1>(record)?;
    let limits = if version == 1 {
        let limits = tail.take(size_of::<SnapshotLimitsV1>())?;
        let limits = SnapshotLimitsV1::ref_from_bytes(limits).or(malformed("its limits cannot be"))?;
        Limits {
            markets: limits.markets.get(),
            accounts: limits.accounts.get(),
            resting_orders: limits.resting_orders.get(),
            client_ids_per_market: limits.client_ids_per_market.get(),
            closed_market_ttl_ms: limits.closed_market_ttl_ms.get(),
            ..Limits::UNBOUNDED
        }
    } else {
        let bytes = tail.take(size_of::<LimitsV2>())?;
        limits(LimitsV2::ref_from_bytes(bytes).or(malformed("its limits cannot be"))?)?
    };
    tail.end()?;
    Ok(EngineImage {
        sequence: engine.sequence.get(),
        time_ns: engine.time_ns.get(),
        last_order_id: OrderId(engine.last_order_id.get()),
        last_market_id: MarketId(engine.last_market_id.get()),
        last_removed_id: MarketId(engine.last_removed_id.get()),
        limits,
    })
}

pub(super) fn account(record: &[u8]) -> Decoded<Box<str>> {
    let (account, mut tail) = fixed_part::<SnapshotAccountV1>(record)?;
    unused(account.reserved.get() == 0)?;
    let name = tail.text(account.name_len.get())?.into();
    tail.end()?;
    Ok(name)
}

pub(super) fn market(version: u16, record: &[u8]) -> Decoded<MarketImage> {
    let (fixed, mut tail) = fixed_part::<SnapshotMarketV1>(record)?;
    unused(fixed.reserved == 0 && fixed.reserved_too.get() == 0)?;
    if fixed.flags & !(INDEPENDENT | SYNTHETIC | HAS_REASON) != 0 {
        return malformed("a flag in it stands for nothing");
    }
    let count = usize::try_from(fixed.runners.get()).unwrap_or(usize::MAX);
    // The multiplication saturates and the bytes must be there, so this bounds what is allocated for them.
    let table = tail.take(count.saturating_mul(size_of::<SnapshotRunnerV1>()))?;
    let table = <[SnapshotRunnerV1]>::ref_from_bytes(table).or(malformed("its runners cannot be"))?;
    let (key, name) =
        (tail.text(fixed.key_len.get())?.to_owned(), tail.text(fixed.name_len.get())?.to_owned());
    let reason = tail.text(fixed.reason_len.get())?;
    let has_reason = fixed.flags & HAS_REASON != 0;
    unused(has_reason || reason.is_empty())?;
    let (mut listed, mut runners) = (Vec::with_capacity(table.len()), Vec::with_capacity(table.len()));
    for runner in table {
        let name = tail.text(runner.name_len.get())?.to_owned();
        listed.push(NewRunner { id: RunnerId(runner.id.get()), name });
        runners.push(runner_image(runner)?);
    }
    tail.end()?;
    let market = MarketImage {
        id: MarketId(fixed.id.get()),
        spec: NewMarket {
            key,
            name,
            ladder: ladder(fixed.ladder, fixed.max_price_ticks.get())?,
            runners: listed,
            independent: fixed.flags & INDEPENDENT != 0,
            synthetic: fixed.flags & SYNTHETIC != 0,
            transition: code(fixed.transition)?,
            kind: code(fixed.kind)?,
            state: code(fixed.first_state)?,
            phase: code(fixed.first_phase)?,
            increment: Quantity(fixed.increment.get()),
            min_quantity: Quantity(fixed.min_quantity.get()),
        },
        own_state: code(fixed.own_state)?,
        holds: fixed.holds,
        phase: code(fixed.phase)?,
        reason: has_reason.then(|| reason.into()),
        sequence: fixed.sequence.get(),
        runners,
    };
    match (version, has_traded_fractions(&market)) {
        (1, true) => malformed("it says what its version cannot"),
        (2, false) => malformed(OLDER_VERSION),
        _ => Ok(market),
    }
}

fn runner_image(runner: &SnapshotRunnerV1) -> Decoded<RunnerImage> {
    let flags = runner.flags;
    let is_removed = flags & runner_flags::REMOVED != 0;
    if flags & !(runner_flags::REMOVED | runner_flags::SET_TRADED) != 0 {
        return malformed("a flag in it stands for nothing");
    }
    unused(runner.reserved == [0; 5] && (is_removed || runner.removed.get() == 0))?;
    Ok(RunnerImage {
        removed: is_removed.then(|| runner.removed.get()),
        set_traded: flags & runner_flags::SET_TRADED != 0,
        last_price: Some(Price(runner.last_price.get())).filter(|price| price.0 != 0),
        traded: i128::from_le_bytes(runner.traded),
    })
}

pub(super) fn client_id(record: &[u8]) -> Decoded<ClientIdImage> {
    let (client, mut tail) = fixed_part::<SnapshotClientIdV1>(record)?;
    unused(client.reserved == [0; 7])?;
    let id = ClientOrderId::new(tail.text(client.id_len.into())?);
    let id = id.or(malformed("its client order id has a length that cannot be"))?;
    tail.end()?;
    Ok(ClientIdImage { account: AccountId(client.account.get()), id, report: report(&client.report)? })
}

pub(super) fn order(version: u16, record: &[u8]) -> Decoded<OrderImage> {
    let (order, mut tail) = fixed_part::<SnapshotOrderV1>(record)?;
    use snapshot_order as bits;
    let terms = order.terms;
    match (version, order.fraction) {
        (1, fraction) => unused(fraction == 0)?,
        (_, 0) => return malformed(OLDER_VERSION),
        (_, 1..=99) => {}
        _ => return malformed("a fraction in it cannot be"),
    }
    if terms & !(bits::SIDE | bits::MIRRORED | bits::PERSISTENCE | bits::HALF | bits::WHOLE) != 0 {
        return malformed("a term in it stands for nothing");
    }
    let whole = if terms & bits::WHOLE == 0 {
        None
    } else {
        let bytes = tail.take(size_of::<ReportV1>())?;
        Some(report(ReportV1::ref_from_bytes(bytes).or(malformed("its whole order cannot be"))?)?)
    };
    tail.end()?;
    Ok(OrderImage {
        id: OrderId(order.id.get()),
        account: AccountId(order.account.get()),
        outcome: OutcomeIndex(order.outcome.get()),
        side: code(u8::from(terms & bits::SIDE != 0))?,
        tick: Tick(order.tick.get()),
        mirrored: terms & bits::MIRRORED != 0,
        half: code((terms & bits::HALF) >> bits::HALF_SHIFT)?,
        persistence: code(u8::from(terms & bits::PERSISTENCE != 0))?,
        quantity: Quantity(order.quantity.get()),
        filled: Quantity(order.filled.get()),
        remaining: Quantity(order.remaining.get()),
        fraction: order.fraction,
        accepted_ns: order.accepted_ns.get(),
        expiry_ms: order.expiry_ms.get(),
        whole,
    })
}

pub(super) fn job(record: &[u8]) -> Decoded<JobImage> {
    let job: &SnapshotJobV1 = whole(record)?;
    let (filter, flag) = filter(&job.filter)?;
    unused(!flag)?;
    let (last_order_id, next) = (OrderId(job.last_order_id.get()), OrderId(job.next.get()));
    Ok(JobImage {
        number: job.number.get(),
        market: MarketId(job.market.get()),
        job: Job { filter, last_order_id, next },
    })
}

pub(super) fn turn(record: &[u8]) -> Decoded<TurnImage> {
    let turn: &SnapshotTurnV1 = whole(record)?;
    unused(turn.reserved == [0; 7])?;
    match turn.is_job {
        0 => Ok(TurnImage::Closing(MarketId(turn.number.get()))),
        1 => Ok(TurnImage::Job(turn.number.get())),
        _ => malformed("a code in it stands for nothing"),
    }
}

pub(super) fn closed(record: &[u8]) -> Decoded<ClosedImage> {
    let closed: &SnapshotClosedV1 = whole(record)?;
    Ok(ClosedImage { market: MarketId(closed.market.get()), time_ns: closed.time_ns.get() })
}

pub(super) fn end(record: &[u8]) -> Decoded<SnapshotEnd> {
    let end: &SnapshotEndV1 = whole(record)?;
    unused(end.reserved.get() == 0)?;
    Ok(SnapshotEnd {
        pieces: end.pieces.get(),
        digest: end.digest,
        sequence: end.sequence.get(),
        frame: end.frame.get(),
        hash: end.hash,
        epoch: end.epoch.get(),
        segment: end.segment.get(),
    })
}
