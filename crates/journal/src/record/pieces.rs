//! The records of snapshots: the pieces of a state, and the end that says what they stand for.

use betex_core::command::NewMarket;
use betex_core::event::{Job, OutcomeIndex};
use betex_core::image::{
    ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, Piece, RunnerImage, TurnImage,
};
use betex_core::ladder::Tick;
use betex_core::limits::Limits;
use betex_core::reject::OrderReport;
use betex_core::types::{AccountId, ClientOrderId, MarketId, OrderId, Price, Quantity, RunnerId};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::codes::Code as _;
use super::decode::{self, RecordProblem};
use super::encode::EncodeError;
use super::fields::{Decoded, code, fixed_part, malformed, unused, whole};
use super::kind;
use super::layout::{
    HAS_REASON, INDEPENDENT, ReportV1, SYNTHETIC, SnapshotAccountV1, SnapshotClientIdV1, SnapshotClosedV1,
    SnapshotEndV1, SnapshotEngineV1, SnapshotJobV1, SnapshotMarketV1, SnapshotOrderV1, SnapshotRunnerV1,
    SnapshotTurnV1, runner_flags, snapshot_order,
};
use super::markets::{ladder, ladder_codes};
use super::orders::{filter, filter_record};
use super::out::{Encoded, Out, set, text_len};

/// A record of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotRecord {
    /// A part of the state.
    Piece(Piece),
    /// The last record.
    End(SnapshotEnd),
}

/// What a snapshot says at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// How many pieces there are.
    pub pieces: u64,
    /// The digest of the state that they make.
    pub digest: [u8; 32],
    /// The number of the last event that is in it.
    pub sequence: u64,
    /// The number of the journal's frame that this event ends, 0 before the first.
    pub frame: u64,
    /// What the frame behind that must have as `prev_hash`.
    pub hash: [u8; 16],
    /// The epoch of the frame, 0 before the first.
    pub epoch: u32,
    /// The segment that the frame behind it begins.
    pub segment: u64,
}

/// Appends a record to a body of a snapshot, unless that would make it longer than `bytes_max`.
///
/// # Errors
/// [`EncodeError::Full`], or what the core never has in a state; `body` is then as it was.
pub fn encode_snapshot(
    body: &mut Vec<u8>,
    bytes_max: usize,
    record: &SnapshotRecord,
) -> Result<(), EncodeError> {
    let before = body.len();
    let mut out = Out::new(body, bytes_max);
    let encoded = match record {
        SnapshotRecord::Piece(piece) => out.piece(piece),
        SnapshotRecord::End(end) => out.snapshot_end(end),
    };
    if encoded.is_err() {
        body.truncate(before);
    }
    encoded
}

/// The first record of the rest of a snapshot's body, and its length.
///
/// # Errors
/// It is not one, or one of a newer version.
pub fn decode_snapshot(bytes: &[u8]) -> Result<(SnapshotRecord, usize), RecordProblem> {
    let (head, record) = decode::take_record(bytes)?;
    let decoded = match (head.kind, head.version) {
        (kind::SNAPSHOT_ORDER, 1) => order(record).map(Piece::Order),
        (kind::SNAPSHOT_CLIENT_ID, 1) => client_id(record).map(Piece::ClientId),
        (kind::SNAPSHOT_ACCOUNT, 1) => account(record).map(Piece::Account),
        (kind::SNAPSHOT_MARKET, 1) => market(record).map(|market| Piece::Market(Box::new(market))),
        (kind::SNAPSHOT_ENGINE, 1) => engine(record).map(Piece::Engine),
        (kind::SNAPSHOT_JOB, 1) => job(record).map(Piece::Job),
        (kind::SNAPSHOT_TURN, 1) => turn(record).map(Piece::Turn),
        (kind::SNAPSHOT_CLOSED, 1) => closed(record).map(Piece::Closed),
        (kind::SNAPSHOT_END, 1) => return Ok((SnapshotRecord::End(end(record)?), record.len())),
        (kind::NONE, _) => malformed("it has no kind"),
        (kind, version) => Err(RecordProblem::Unknown { kind, version }),
    };
    Ok((SnapshotRecord::Piece(decoded?), record.len()))
}

impl Out<'_> {
    fn piece(&mut self, piece: &Piece) -> Encoded {
        match piece {
            Piece::Engine(engine) => self.snapshot_engine(engine),
            Piece::Account(name) => {
                let name_len = text_len(name)?.into();
                self.with_tail(kind::SNAPSHOT_ACCOUNT, 1, &[name.as_bytes()], |head| SnapshotAccountV1 {
                    head,
                    name_len,
                    reserved: 0.into(),
                })
            }
            Piece::Market(market) => self.snapshot_market(market),
            Piece::ClientId(client) => self.snapshot_client_id(client),
            Piece::Order(order) => self.snapshot_order(order),
            Piece::Job(JobImage { number, market, job }) => {
                self.fixed(kind::SNAPSHOT_JOB, 1, |head| SnapshotJobV1 {
                    head,
                    number: (*number).into(),
                    market: market.0.into(),
                    filter: filter_record(&job.filter, 0),
                    last_order_id: job.last_order_id.0.into(),
                    next: job.next.0.into(),
                })
            }
            Piece::Turn(turn) => {
                let (is_job, number) = match turn {
                    TurnImage::Closing(market) => (0, market.0),
                    TurnImage::Job(number) => (1, *number),
                };
                self.fixed(kind::SNAPSHOT_TURN, 1, |head| SnapshotTurnV1 {
                    head,
                    is_job,
                    reserved: [0; 7],
                    number: number.into(),
                })
            }
            Piece::Closed(ClosedImage { market, time_ns }) => self.fixed(kind::SNAPSHOT_CLOSED, 1, |head| {
                SnapshotClosedV1 { head, market: market.0.into(), time_ns: (*time_ns).into() }
            }),
        }
    }

    fn snapshot_engine(&mut self, engine: &EngineImage) -> Encoded {
        let limits = &engine.limits;
        self.fixed(kind::SNAPSHOT_ENGINE, 1, |head| SnapshotEngineV1 {
            head,
            sequence: engine.sequence.into(),
            time_ns: engine.time_ns.into(),
            last_order_id: engine.last_order_id.0.into(),
            last_market_id: engine.last_market_id.0.into(),
            last_removed_id: engine.last_removed_id.0.into(),
            markets: limits.markets.into(),
            accounts: limits.accounts.into(),
            resting_orders: limits.resting_orders.into(),
            client_ids_per_market: limits.client_ids_per_market.into(),
            closed_market_ttl_ms: limits.closed_market_ttl_ms.into(),
        })
    }

    fn snapshot_market(&mut self, market: &MarketImage) -> Encoded {
        let MarketImage { spec, runners, .. } = market;
        if runners.len() != spec.runners.len() {
            return Err(EncodeError::Invalid("a market that does not tell of each of its outcomes"));
        }
        let count = u32::try_from(runners.len()).map_err(|_| EncodeError::Full)?;
        let (ladder, max_price_ticks) = ladder_codes(spec.ladder).map_err(EncodeError::Invalid)?;
        let reason = market.reason.as_deref();
        let (key_len, name_len) = (text_len(&spec.key)?.into(), text_len(&spec.name)?.into());
        let reason_len = text_len(reason.unwrap_or_default())?.into();
        let mut table = Vec::with_capacity(runners.len() * size_of::<SnapshotRunnerV1>());
        let mut tail = vec![spec.key.as_bytes(), spec.name.as_bytes(), reason.unwrap_or_default().as_bytes()];
        for (runner, listed) in runners.iter().zip(&spec.runners) {
            let runner = SnapshotRunnerV1 {
                id: listed.id.0.into(),
                name_len: text_len(&listed.name)?.into(),
                last_price: runner.last_price.map_or(0, |price| price.0).into(),
                traded: runner.traded.to_le_bytes(),
                removed: runner.removed.unwrap_or_default().into(),
                flags: set(runner_flags::REMOVED, runner.removed.is_some())
                    | set(runner_flags::SET_TRADED, runner.set_traded),
                reserved: [0; 5],
            };
            table.extend_from_slice(runner.as_bytes());
            tail.push(listed.name.as_bytes());
        }
        tail.insert(0, &table);
        let flags = set(INDEPENDENT, spec.independent) | set(SYNTHETIC, spec.synthetic);
        self.with_tail(kind::SNAPSHOT_MARKET, 1, &tail, |head| SnapshotMarketV1 {
            head,
            id: market.id.0.into(),
            sequence: market.sequence.into(),
            increment: spec.increment.0.into(),
            min_quantity: spec.min_quantity.0.into(),
            flags: flags | set(HAS_REASON_TOO, reason.is_some()),
            ladder,
            max_price_ticks: max_price_ticks.into(),
            kind: spec.kind.code(),
            transition: spec.transition.code(),
            first_state: spec.state.code(),
            first_phase: spec.phase.code(),
            own_state: market.own_state.code(),
            phase: market.phase.code(),
            holds: market.holds,
            reserved: 0,
            runners: count.into(),
            key_len,
            name_len,
            reason_len,
            reserved_too: 0.into(),
        })
    }

    fn snapshot_client_id(&mut self, client: &ClientIdImage) -> Encoded {
        let id = client.id.as_str();
        let id_len =
            u8::try_from(id.len()).map_err(|_| EncodeError::Invalid("a client order id too long"))?;
        self.with_tail(kind::SNAPSHOT_CLIENT_ID, 1, &[id.as_bytes()], |head| SnapshotClientIdV1 {
            head,
            account: client.account.0.into(),
            report: report_record(&client.report),
            id_len,
            reserved: [0; 7],
        })
    }

    fn snapshot_order(&mut self, order: &OrderImage) -> Encoded {
        let whole = order.whole.as_ref().map(report_record);
        let tail = whole.as_ref().map_or(&[][..], |whole| whole.as_bytes());
        self.with_tail(kind::SNAPSHOT_ORDER, 1, &[tail], |head| SnapshotOrderV1 {
            head,
            id: order.id.0.into(),
            account: order.account.0.into(),
            quantity: order.quantity.0.into(),
            filled: order.filled.0.into(),
            remaining: order.remaining.0.into(),
            accepted_ns: order.accepted_ns.into(),
            expiry_ms: order.expiry_ms.into(),
            tick: order.tick.0.into(),
            outcome: order.outcome.0.into(),
            terms: set(snapshot_order::SIDE, order.side.code() == 1)
                | set(snapshot_order::MIRRORED, order.mirrored)
                | set(snapshot_order::PERSISTENCE, order.persistence.code() == 1)
                | order.half.code() << snapshot_order::HALF_SHIFT
                | set(snapshot_order::WHOLE, whole.is_some()),
            reserved: 0,
        })
    }

    fn snapshot_end(&mut self, end: &SnapshotEnd) -> Encoded {
        self.fixed(kind::SNAPSHOT_END, 1, |head| SnapshotEndV1 {
            head,
            pieces: end.pieces.into(),
            digest: end.digest,
            sequence: end.sequence.into(),
            frame: end.frame.into(),
            hash: end.hash,
            epoch: end.epoch.into(),
            reserved: 0.into(),
            segment: end.segment.into(),
        })
    }
}

/// In [`SnapshotMarketV1::flags`], where bit 1 and bit 2 are those of MarketCreated.
const HAS_REASON_TOO: u8 = 8;
const _: () = assert!(HAS_REASON_TOO & (HAS_REASON | INDEPENDENT | SYNTHETIC) == 0);

fn report_record(report: &OrderReport) -> ReportV1 {
    ReportV1 {
        order_id: report.order_id.0.into(),
        quantity: report.quantity.0.into(),
        filled: report.filled.0.into(),
        remaining: report.remaining.0.into(),
        status: report.status.code(),
        split: u8::from(report.split),
        reserved: [0; 6],
    }
}

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

fn engine(record: &[u8]) -> Decoded<EngineImage> {
    let engine: &SnapshotEngineV1 = whole(record)?;
    Ok(EngineImage {
        sequence: engine.sequence.get(),
        time_ns: engine.time_ns.get(),
        last_order_id: OrderId(engine.last_order_id.get()),
        last_market_id: MarketId(engine.last_market_id.get()),
        last_removed_id: MarketId(engine.last_removed_id.get()),
        limits: Limits {
            markets: engine.markets.get(),
            accounts: engine.accounts.get(),
            resting_orders: engine.resting_orders.get(),
            client_ids_per_market: engine.client_ids_per_market.get(),
            closed_market_ttl_ms: engine.closed_market_ttl_ms.get(),
        },
    })
}

fn account(record: &[u8]) -> Decoded<Box<str>> {
    let (account, mut tail) = fixed_part::<SnapshotAccountV1>(record)?;
    unused(account.reserved.get() == 0)?;
    let name = tail.text(account.name_len.get())?.into();
    tail.end()?;
    Ok(name)
}

fn market(record: &[u8]) -> Decoded<MarketImage> {
    let (fixed, mut tail) = fixed_part::<SnapshotMarketV1>(record)?;
    unused(fixed.reserved == 0 && fixed.reserved_too.get() == 0)?;
    if fixed.flags & !(INDEPENDENT | SYNTHETIC | HAS_REASON_TOO) != 0 {
        return malformed("a flag in it stands for nothing");
    }
    let count = usize::try_from(fixed.runners.get()).unwrap_or(usize::MAX);
    // The multiplication saturates and the bytes must be there, so this bounds what is allocated for them.
    let table = tail.take(count.saturating_mul(size_of::<SnapshotRunnerV1>()))?;
    let table = <[SnapshotRunnerV1]>::ref_from_bytes(table).or(malformed("its runners cannot be"))?;
    let (key, name) =
        (tail.text(fixed.key_len.get())?.to_owned(), tail.text(fixed.name_len.get())?.to_owned());
    let reason = tail.text(fixed.reason_len.get())?;
    let has_reason = fixed.flags & HAS_REASON_TOO != 0;
    unused(has_reason || reason.is_empty())?;
    let (mut listed, mut runners) = (Vec::with_capacity(table.len()), Vec::with_capacity(table.len()));
    for runner in table {
        let name = tail.text(runner.name_len.get())?.to_owned();
        listed.push(betex_core::command::NewRunner { id: RunnerId(runner.id.get()), name });
        runners.push(runner_image(runner)?);
    }
    tail.end()?;
    Ok(MarketImage {
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
    })
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

fn client_id(record: &[u8]) -> Decoded<ClientIdImage> {
    let (client, mut tail) = fixed_part::<SnapshotClientIdV1>(record)?;
    unused(client.reserved == [0; 7])?;
    let id = ClientOrderId::new(tail.text(client.id_len.into())?);
    let id = id.or(malformed("its client order id has a length that cannot be"))?;
    tail.end()?;
    Ok(ClientIdImage { account: AccountId(client.account.get()), id, report: report(&client.report)? })
}

fn order(record: &[u8]) -> Decoded<OrderImage> {
    let (order, mut tail) = fixed_part::<SnapshotOrderV1>(record)?;
    use snapshot_order as bits;
    let terms = order.terms;
    unused(order.reserved == 0)?;
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
        accepted_ns: order.accepted_ns.get(),
        expiry_ms: order.expiry_ms.get(),
        whole,
    })
}

fn job(record: &[u8]) -> Decoded<JobImage> {
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

fn turn(record: &[u8]) -> Decoded<TurnImage> {
    let turn: &SnapshotTurnV1 = whole(record)?;
    unused(turn.reserved == [0; 7])?;
    match turn.is_job {
        0 => Ok(TurnImage::Closing(MarketId(turn.number.get()))),
        1 => Ok(TurnImage::Job(turn.number.get())),
        _ => malformed("a code in it stands for nothing"),
    }
}

fn closed(record: &[u8]) -> Decoded<ClosedImage> {
    let closed: &SnapshotClosedV1 = whole(record)?;
    Ok(ClosedImage { market: MarketId(closed.market.get()), time_ns: closed.time_ns.get() })
}

fn end(record: &[u8]) -> Decoded<SnapshotEnd> {
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
