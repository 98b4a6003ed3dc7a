//! The core's state against that of its twin.

use betex_core::event::OutcomeIndex;
use betex_core::reject::OrderReport;
use betex_core::types::Side;
use betex_naive as naive;

use super::{Twin, words};
use crate::exchange::Exchange;
use crate::flow::market_id;

/// Up to this many virtual levels of a side are compared.
const DEPTH: usize = 1_000;

impl Twin {
    pub(super) fn compare_report(&self, number: u64, report: &OrderReport) {
        let order = self.market.report(number).expect("the twin has the order, too");
        assert_eq!(self.number(report.order_id), number);
        assert_eq!(
            (report.quantity.0, report.filled.0, report.remaining.0, words::status(report.status)),
            (order.stake, order.filled, order.remaining, order.status),
            "core left, twin right, order {number}"
        );
    }

    /// Where the market is, and every queue, level and client id.
    pub(super) fn compare(&self, exchange: &Exchange) {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        assert_eq!(words::state(market.state()), self.market.state_now());
        assert_eq!(words::phase(market.phase()), self.market.phase);
        assert_eq!(market.spec().runners.len(), self.market.outcomes);
        let mut resting = 0;
        for outcome in 0..self.market.outcomes {
            for side in [Side::Yes, Side::No] {
                let orders = self.compare_queue(exchange, outcome, side);
                resting += if market.is_mirror(index(outcome)) { 0 } else { orders };
            }
        }
        assert_eq!(market.resting_orders() as usize, resting);
        for order in self.market.orders.iter().filter(|order| order.client_id.is_some()) {
            let name = order.client_id.as_deref().unwrap_or_default();
            let report = market.client_order(order.account.into(), name).expect("the id is remembered");
            self.compare_report(order.number, &report);
        }
    }

    /// Answers with how many orders there are.
    fn compare_queue(&self, exchange: &Exchange, outcome: usize, side: Side) -> usize {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        let queue = self.market.queue(outcome, words::side(side));
        let core = market.orders(index(outcome), side).map(|order| {
            let (outcome, side) = (order.outcome.index(), words::side(order.side));
            let left = order.remaining.0 + i64::from(order.fraction);
            let amounts = (order.price.0, order.quantity.0, order.filled.0, order.remaining.0, left);
            (self.number(order.id), order.account.0, outcome, side, amounts)
        });
        let twin = queue.iter().map(|order| {
            let amounts = (order.price, order.stake, order.filled, order.remaining, order.left);
            (order.number, order.account, order.outcome, order.side, amounts)
        });
        assert_eq!(core.collect::<Vec<_>>(), twin.collect::<Vec<_>>(), "core left, twin right");
        let seen = |order: &naive::Order| {
            self.market.seen_from(outcome, order).expect("it is in the queue of this outcome").1
        };
        let levels = queue.chunk_by(|a, b| seen(a) == seen(b)).map(|level| {
            let total: i64 = level.iter().map(|order| order.remaining).sum();
            (seen(level[0]), total, level.len())
        });
        let core = market.levels(index(outcome), side);
        let core = core.map(|level| (level.price.0, level.quantity.0, level.orders as usize));
        assert_eq!(core.collect::<Vec<_>>(), levels.collect::<Vec<_>>(), "core left, twin right");
        queue.len()
    }
    /// The virtual levels of the first outcomes and the last one.
    pub(super) fn compare_virtual_levels(&self, exchange: &Exchange) {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        // The twin is slow where there are many.
        let first = if self.market.outcomes > 12 { 1 } else { 3 };
        let outcomes = 0..self.market.outcomes;
        let some = outcomes.filter(|outcome| *outcome < first || *outcome + 1 == self.market.outcomes);
        for outcome in some {
            for side in [Side::Yes, Side::No] {
                let core = market.virtual_levels(index(outcome), side, DEPTH);
                let core = core
                    .iter()
                    .map(|level| (level.price.0, i128::from(level.quantity.0), level.orders as usize));
                let twin = self.market.virtual_levels(outcome, words::side(side));
                let twin = twin.iter().take(DEPTH).map(|level| (level.price, level.quantity, level.sets));
                assert_eq!(
                    core.collect::<Vec<_>>(),
                    twin.collect::<Vec<_>>(),
                    "core left, twin right: virtual levels of outcome {outcome}, {side:?}"
                );
            }
        }
    }
}

fn index(outcome: usize) -> OutcomeIndex {
    OutcomeIndex(u16::try_from(outcome).expect("few"))
}
