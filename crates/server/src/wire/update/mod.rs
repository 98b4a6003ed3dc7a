//! Events as `MarketUpdate`s. Every event of a market is told in at least one, so that the numbers that they
//! carry have no gaps.

mod market;
mod order;

use betex_core::event::Event;
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{Heartbeat, MarketUpdate};

use crate::stream::scene::{Scene, Seen};

/// The updates of a whole transaction; those of events before `from` are left out.
pub(crate) fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64) -> Vec<MarketUpdate> {
    let mut updates = Vec::with_capacity(3 * transaction.len());
    for seen in transaction.iter().filter(|seen| seen.record.sequence >= from) {
        let said = Said { seen, scene };
        let update = |update| MarketUpdate {
            update: Some(update),
            sequence: seen.record.sequence,
            market_sequence: seen.record.market_sequence,
            ends_transaction: false,
        };
        updates.extend(said.happened(transaction).map(update));
        updates.extend(said.book_updates().map(update));
    }
    if let Some(last) = updates.last_mut() {
        last.ends_transaction = true;
    }
    updates
}

/// The update that nothing has happened.
pub(crate) fn heartbeat(timestamp: u64, sequence: u64) -> MarketUpdate {
    let update = Some(Update::Heartbeat(Heartbeat { timestamp, sequence }));
    MarketUpdate { update, sequence, market_sequence: 0, ends_transaction: true }
}

struct Said<'a> {
    seen: &'a Seen,
    scene: &'a Scene<'a>,
}

impl Said<'_> {
    fn happened(&self, transaction: &[Seen]) -> impl Iterator<Item = Update> {
        let (first, second) = match &self.seen.record.event {
            Event::LimitsSet(_) | Event::TimeSetBack { .. } | Event::AccountRegistered { .. } => (None, None),
            Event::MarketCreated(_)
            | Event::MarketStatusChanged { .. }
            | Event::MarketRemoved
            | Event::HoldChanged { .. }
            | Event::PhaseChanged { .. } => (self.market_status(), None),
            Event::RunnersAdded(added) => (Some(self.outcomes_added(added)), None),
            Event::RunnerRemoved { outcome, reduction, reason } => {
                (Some(self.outcome_removed(*outcome, *reduction, reason.as_deref())), None)
            }
            Event::TradesVoided { trades, reason } => {
                (Some(self.trades_voided(*trades, reason.as_deref())), None)
            }
            Event::OrdersCancelled(filter) => (Some(self.mass_cancel("ASKED", 0, Some(filter))), None),
            Event::JobStarted(job) => {
                (Some(self.mass_cancel("STARTED", self.seen.record.sequence, Some(&job.filter))), None)
            }
            Event::JobAdvanced { job, next } => {
                let status = if next.is_some() { "ADVANCED" } else { "DONE" };
                (Some(self.mass_cancel(status, *job, None)), None)
            }
            Event::OrderSplit { order, far } => (Some(self.split(order, *far, transaction)), None),
            Event::OrderAccepted(order) => (Some(self.accepted(order, transaction)), None),
            Event::SetMatched(set) => (Some(self.set_matched(set)), None),
            Event::TradeMatched(trade) => (Some(self.matched(trade)), Some(self.maker(trade))),
            Event::OrderCancelled(order) => (Some(self.cancelled(order)), None),
        };
        first.into_iter().chain(second)
    }
}
