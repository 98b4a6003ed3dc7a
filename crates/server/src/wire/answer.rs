//! Answers to orders.

use std::mem::take;

use betex_core::event::{CancelReason, Event, Half, OutcomeIndex};
use betex_core::reject::OrderReport;
use betex_core::types::{OrderId, Quantity};
use betex_proto::v1::{Fill, SubmitOrderResponse};

use super::terms::{Terms, payout, stake};

/// What numbers in the answers of a market mean.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) terms: Terms,
    /// The step of quantities.
    pub(crate) increment: Quantity,
}

impl Measure {
    /// The answer to an accepted order.
    pub(crate) fn accepted(
        self,
        report: &OrderReport,
        reason: Option<CancelReason>,
        fills: Vec<Fill>,
        sequence: u64,
    ) -> SubmitOrderResponse {
        let rejection_reason = reason.map_or("", CancelReason::name);
        SubmitOrderResponse {
            status: report.status.name().to_owned(),
            rejection_reason: rejection_reason.to_owned(),
            message: remainder_words(reason).to_owned(),
            fills,
            sequence,
            ..self.figures(report)
        }
    }

    /// The answer to an order whose client id names an order already, the first one.
    pub(crate) fn duplicate(
        self,
        first: &OrderReport,
        message: String,
        sequence: u64,
    ) -> SubmitOrderResponse {
        SubmitOrderResponse {
            status: "REJECTED".to_owned(),
            rejection_reason: "DUPLICATE_CLIENT_ID".to_owned(),
            message,
            first_status: first.status.name().to_owned(),
            sequence,
            ..self.figures(first)
        }
    }

    fn figures(self, report: &OrderReport) -> SubmitOrderResponse {
        let id = report.order_id.0;
        // Of a single increment nothing is left for the line further from zero.
        let halves = match (report.split, report.quantity.0 < self.increment.0.saturating_mul(2)) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        SubmitOrderResponse {
            order_id: id,
            filled_quantity: self.terms.count(report.filled),
            remaining_quantity: self.terms.count(report.remaining),
            cancelled_quantity: self.terms.count(report.cancelled()),
            leg_order_ids: (id + 1..).take(halves).collect(),
            ..SubmitOrderResponse::default()
        }
    }
}

/// The answer to an order that the market refused.
pub(crate) fn rejected(reason: &str, message: String, sequence: u64) -> SubmitOrderResponse {
    SubmitOrderResponse {
        status: "REJECTED".to_owned(),
        rejection_reason: reason.to_owned(),
        message,
        sequence,
        ..SubmitOrderResponse::default()
    }
}

fn remainder_words(reason: Option<CancelReason>) -> &'static str {
    match reason {
        Some(CancelReason::SelfTrade) => {
            "the rest is cancelled: it would meet, or rest across, an order of the same user"
        }
        Some(CancelReason::OrderLimit) => {
            "the rest is cancelled: the order met the bound on work for one order"
        }
        _ => "",
    }
}

/// What of a transaction's events were fills. `first_sequence` is that of the first event.
pub(crate) fn fills<'a>(
    events: &[Event],
    first_sequence: u64,
    terms: Terms,
    name: impl Fn(OutcomeIndex) -> &'a str,
) -> Vec<Fill> {
    let mut fills = Vec::new();
    // The order that is being filled, and where it came for: one after the other, if it was split.
    let (mut half, mut wanted) = (OrderId::NONE, OutcomeIndex::default());
    // The taker's own leg of a set, until the fill of the first maker's leg takes it up.
    let (mut own_quantity, mut own_stake) = (0, 0);
    for (sequence, event) in (first_sequence..).zip(events) {
        match event {
            Event::OrderAccepted(order) => {
                half = if order.half == Half::Whole { OrderId::NONE } else { order.order_id };
                wanted = order.outcome;
            }
            Event::SetMatched(set) => {
                (own_quantity, own_stake) = (terms.count(set.quantity), stake(set.stake));
            }
            Event::TradeMatched(trade) => {
                let (quantity, exact) = (terms.count(trade.quantity), stake(trade.stake));
                let synthetic = trade.is_synthetic();
                // A direct trade takes whole pennies, and the same of both.
                let (taker_quantity, taker_stake) = if synthetic {
                    (take(&mut own_quantity), take(&mut own_stake))
                } else {
                    (quantity, exact)
                };
                // A maker who came for the other outcome of the same ladder.
                let mirrored = !synthetic && trade.outcome != wanted;
                let price = if mirrored { terms.mirrored(trade.price) } else { trade.price };
                let shown = terms.price(price);
                fills.push(Fill {
                    maker_order_id: trade.maker_order_id.0,
                    price: shown.ppm,
                    odds: shown.odds,
                    ticks: shown.ticks,
                    quantity,
                    payout: payout(trade.payout),
                    synthetic,
                    trade_id: trade.trade_id(sequence).0,
                    outcome_id: name(if mirrored { wanted } else { trade.outcome }).to_owned(),
                    taker_quantity,
                    order_id: half.0,
                    stake: exact,
                    taker_stake,
                });
            }
            _ => (),
        }
    }
    fills
}
