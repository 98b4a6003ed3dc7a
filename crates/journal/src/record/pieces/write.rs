//! Pieces to records.

use betex_core::image::{
    ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, Piece, TurnImage,
};
use betex_core::reject::OrderReport;
use zerocopy::IntoBytes as _;

use super::layout::{
    HAS_REASON, ReportV1, SnapshotAccountV1, SnapshotClientIdV1, SnapshotClosedV1, SnapshotEndV1,
    SnapshotEngineV1, SnapshotJobV1, SnapshotLimitsV1, SnapshotMarketV1, SnapshotOrderV1, SnapshotRunnerV1,
    SnapshotTurnV1, runner_flags, snapshot_order,
};
use super::{SnapshotEnd, has_traded_fractions};
use crate::record::EncodeError;
use crate::record::codes::Code as _;
use crate::record::engine::limits_record;
use crate::record::kind;
use crate::record::layout::{INDEPENDENT, SYNTHETIC};
use crate::record::markets::ladder_codes;
use crate::record::orders::filter_record;
use crate::record::out::{Encoded, Out, set, text_len};

impl Out<'_> {
    pub(super) fn piece(&mut self, piece: &Piece) -> Encoded {
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
        let first = SnapshotLimitsV1 {
            markets: limits.markets.into(),
            accounts: limits.accounts.into(),
            resting_orders: limits.resting_orders.into(),
            client_ids_per_market: limits.client_ids_per_market.into(),
            closed_market_ttl_ms: limits.closed_market_ttl_ms.into(),
        };
        let all = limits_record(limits);
        let (version, tail) =
            if limits.are_of_the_first_version() { (1, first.as_bytes()) } else { (2, all.as_bytes()) };
        self.with_tail(kind::SNAPSHOT_ENGINE, version, &[tail], |head| SnapshotEngineV1 {
            head,
            sequence: engine.sequence.into(),
            time_ns: engine.time_ns.into(),
            last_order_id: engine.last_order_id.0.into(),
            last_market_id: engine.last_market_id.0.into(),
            last_removed_id: engine.last_removed_id.0.into(),
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
        let version = if has_traded_fractions(market) { 2 } else { 1 };
        self.with_tail(kind::SNAPSHOT_MARKET, version, &tail, |head| SnapshotMarketV1 {
            head,
            id: market.id.0.into(),
            sequence: market.sequence.into(),
            increment: spec.increment.0.into(),
            min_quantity: spec.min_quantity.0.into(),
            flags: flags | set(HAS_REASON, reason.is_some()),
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
        if order.fraction > 99 {
            return Err(EncodeError::Invalid("a fraction of a penny or more"));
        }
        let version = if order.fraction == 0 { 1 } else { 2 };
        let whole = order.whole.as_ref().map(report_record);
        let tail = whole.as_ref().map_or(&[][..], |whole| whole.as_bytes());
        self.with_tail(kind::SNAPSHOT_ORDER, version, &[tail], |head| SnapshotOrderV1 {
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
            fraction: order.fraction,
        })
    }

    pub(super) fn snapshot_end(&mut self, end: &SnapshotEnd) -> Encoded {
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
