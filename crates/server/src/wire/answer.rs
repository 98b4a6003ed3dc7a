//! Answers to orders.

use betex_core::event::{CancelReason, Event, Half, OutcomeIndex};
use betex_core::reject::OrderReport;
use betex_core::types::OrderId;
use betex_proto::v1::{Fill, SubmitOrderResponse};

use super::terms::{Terms, payout};

/// The answer to an accepted order.
pub(crate) fn accepted(
    report: &OrderReport,
    reason: Option<CancelReason>,
    fills: Vec<Fill>,
    sequence: u64,
    terms: Terms,
) -> SubmitOrderResponse {
    let rejection_reason = reason.map_or("", CancelReason::name);
    SubmitOrderResponse {
        status: report.status.name().to_owned(),
        rejection_reason: rejection_reason.to_owned(),
        message: remainder_words(reason).to_owned(),
        fills,
        sequence,
        ..figures(report, terms)
    }
}

/// The answer to an order that the market refused. `first` is the order that has its client id already.
pub(crate) fn rejected(
    reason: &str,
    message: String,
    first: Option<&OrderReport>,
    sequence: u64,
    terms: Terms,
) -> SubmitOrderResponse {
    SubmitOrderResponse {
        status: "REJECTED".to_owned(),
        rejection_reason: reason.to_owned(),
        message,
        sequence,
        ..first.map(|first| figures(first, terms)).unwrap_or_default()
    }
}

fn figures(report: &OrderReport, terms: Terms) -> SubmitOrderResponse {
    let id = report.order_id.0;
    SubmitOrderResponse {
        order_id: id,
        filled_quantity: terms.count(report.filled),
        remaining_quantity: terms.count(report.remaining),
        cancelled_quantity: terms.count(report.cancelled()),
        leg_order_ids: if report.split { vec![id + 1, id + 2] } else { Vec::new() },
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
    let mut own_stake = 0;
    for (sequence, event) in (first_sequence..).zip(events) {
        match event {
            Event::OrderAccepted(order) => {
                half = if order.half == Half::Whole { OrderId::NONE } else { order.order_id };
                wanted = order.outcome;
            }
            Event::SetMatched(set) => own_stake = terms.count(set.quantity),
            Event::TradeMatched(trade) => {
                let quantity = terms.count(trade.quantity);
                let synthetic = trade.is_synthetic();
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
                    taker_quantity: if synthetic { std::mem::take(&mut own_stake) } else { quantity },
                    order_id: half.0,
                });
            }
            _ => (),
        }
    }
    fills
}
