//! A state told in pieces.

use std::num::{NonZero, NonZeroU64};

use super::{
    ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, Piece, RunnerImage, TurnImage,
};
use crate::book::Order;
use crate::event::OutcomeIndex;
use crate::jobs::Turn;
use crate::ladder::Ladder;
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::{MarketId, OrderId, Quantity, Side};
use crate::view::MarketView;

impl State {
    /// Hands the pieces of this state to `sink`, in their order, until it has an error.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn image<E>(&self, mut sink: impl FnMut(Piece) -> Result<(), E>) -> Result<(), E> {
        sink(Piece::Engine(EngineImage {
            sequence: self.sequence,
            time_ns: self.time_ns,
            last_order_id: OrderId(self.last_order_id),
            last_market_id: MarketId(self.last_market_id),
            last_removed_id: MarketId(self.last_removed_id),
            limits: self.limits,
        }))?;
        for name in &self.accounts.names {
            sink(Piece::Account(name.clone()))?;
        }
        for market in self.markets() {
            market.image(&mut sink)?;
        }
        for (number, market, job) in self.jobs() {
            sink(Piece::Job(JobImage { number, market, job }))?;
        }
        for turn in self.jobs.turns() {
            sink(Piece::Turn(match turn {
                Turn::Closing(slot) => TurnImage::Closing(self.markets.get(slot).id),
                Turn::Filtered(number) => TurnImage::Job(number),
            }))?;
        }
        for (time_ns, market) in &self.closed {
            sink(Piece::Closed(ClosedImage { market: *market, time_ns: *time_ns }))?;
        }
        Ok(())
    }
}

impl MarketView<'_> {
    fn image<E>(&self, sink: &mut impl FnMut(Piece) -> Result<(), E>) -> Result<(), E> {
        let market = self.market();
        let outcomes = || (0..).map(OutcomeIndex).zip(&market.runners);
        let runner = |(outcome, runner): (OutcomeIndex, &crate::market::Runner)| RunnerImage {
            removed: runner.removed,
            set_traded: market.topology.group(outcome).is_some_and(|group| group.set_traded),
            last_price: runner.last_price,
            traded: runner.traded,
        };
        sink(Piece::Market(Box::new(MarketImage {
            id: market.id,
            spec: market.spec.clone(),
            own_state: market.own_state,
            holds: market.holds,
            phase: market.phase,
            reason: market.reason.clone(),
            sequence: market.sequence,
            runners: outcomes().map(runner).collect(),
        })))?;
        for entry in self.client_entries() {
            let (account, id, report) = (entry.account, entry.id, entry.report);
            sink(Piece::ClientId(ClientIdImage { account, id, report }))?;
        }
        for (outcome, _) in outcomes() {
            for side in [Side::Yes, Side::No] {
                for (_, order) in self.slots(outcome, side) {
                    let (expiry_ms, whole) = (self.expiry_ms(order), self.split(order).copied());
                    sink(Piece::Order(order.image(market.spec.ladder, expiry_ms, whole)))?;
                }
            }
        }
        Ok(())
    }
}

impl Order {
    fn image(&self, ladder: Ladder, expiry_ms: Option<NonZeroU64>, whole: Option<OrderReport>) -> OrderImage {
        OrderImage {
            id: self.id,
            account: self.account,
            outcome: self.outcome,
            side: self.side,
            tick: self.tick,
            mirrored: self.mirrored,
            half: self.half,
            persistence: self.persistence,
            quantity: Quantity(self.quantity),
            filled: Quantity(self.filled),
            remaining: Quantity(ladder.whole(self.left)),
            fraction: ladder.fraction(self.left),
            accepted_ns: self.accepted_ns,
            expiry_ms: expiry_ms.map_or(0, NonZero::get),
            whole,
        }
    }
}
