//! What happens to orders, and what levels then hold.

use betex_core::event::{
    CancelReason, Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex, SetMatched, TradeMatched,
};
use betex_core::types::{OrderStatus, Price, Quantity};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{BookUpdateEvent, MatchEvent, OrderUpdateEvent};

use super::Said;
use crate::stream::scene::{Seen, events};
use crate::wire::taken::Taken;
use crate::wire::terms::{left, payout, stake};

impl Said<'_> {
    /// The order that came in, or the half of one, as it stands at the end of its transaction.
    pub(super) fn accepted(&self, order: &OrderAccepted, transaction: &[Seen]) -> Update {
        let taken = Taken::of(order, events(transaction));
        let remaining_stake = left(order.resting, order.fraction);
        let whole_order_id = match order.half {
            Half::Whole => 0,
            Half::Near | Half::Far => order.half.whole_of(order.order_id).0,
        };
        let arrived = self.arrived(order, &taken);
        Update::OrderUpdate(OrderUpdateEvent { whole_order_id, remaining_stake, ..arrived })
    }

    /// The order on a quarter line that came in: both halves of it, as they stand at the end.
    pub(super) fn split(&self, order: &OrderAccepted, far: OutcomeIndex, transaction: &[Seen]) -> Update {
        let taken = Taken::of_split(order, events(transaction));
        // Each half has a fraction of its own: together they may come to more than a penny.
        let remaining_stake =
            halves(order, events(transaction)).map(|half| left(half.resting, half.fraction));
        let remaining_stake = remaining_stake.sum();
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.quarter_line(order.outcome, far),
            remaining_stake,
            ..self.arrived(order, &taken)
        })
    }

    fn arrived(&self, order: &OrderAccepted, taken: &Taken) -> OrderUpdateEvent {
        OrderUpdateEvent {
            outcome_id: self.scene.outcome(order.outcome).into_owned(),
            side: self.scene.terms.side_name(order.side).to_owned(),
            status: taken.status.name().to_owned(),
            reason: taken.reason.map_or("", CancelReason::name).to_owned(),
            user_id: self.scene.user(order.account).into_owned(),
            client_order_id: order.client_order_id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
            ..self.order(order.order_id.0, order.price, order.quantity, taken.filled, order.resting)
        }
    }

    /// The taker's own leg of a set.
    pub(super) fn set_matched(&self, set: &SetMatched) -> Update {
        let side = self.scene.terms.side_name(set.side);
        Update::MatchEvent(MatchEvent {
            taker_order_id: set.taker_order_id.0,
            quantity: self.scene.terms.count(set.quantity),
            stake: stake(set.stake),
            maker_side: side.to_owned(),
            taker_side: side.to_owned(),
            payout: payout(set.payout),
            synthetic: true,
            trade_id: self.seen.record.sequence,
            ..self.leg(set.outcome, set.price)
        })
    }

    pub(super) fn matched(&self, trade: &TradeMatched) -> Update {
        let synthetic = trade.is_synthetic();
        let taker_side = if synthetic { trade.maker_side } else { trade.maker_side.opposite() };
        Update::MatchEvent(MatchEvent {
            maker_order_id: trade.maker_order_id.0,
            taker_order_id: trade.taker_order_id.0,
            quantity: self.scene.terms.count(trade.quantity),
            stake: stake(trade.stake),
            maker_side: self.scene.terms.side_name(trade.maker_side).to_owned(),
            taker_side: self.scene.terms.side_name(taker_side).to_owned(),
            payout: payout(trade.payout),
            synthetic,
            trade_id: trade.trade_id(self.seen.record.sequence).0,
            ..self.leg(trade.outcome, trade.price)
        })
    }

    fn leg(&self, outcome: OutcomeIndex, price: Price) -> MatchEvent {
        let shown = self.scene.terms.price(price);
        MatchEvent {
            sequence: self.seen.record.sequence,
            price: shown.ppm,
            odds: shown.odds,
            ticks: shown.ticks,
            timestamp: self.seen.record.time_ns,
            outcome_id: self.scene.outcome(outcome).into_owned(),
            ..MatchEvent::default()
        }
    }

    pub(super) fn maker(&self, trade: &TradeMatched) -> Update {
        let status = OrderStatus::of(trade.maker_filled, trade.maker_remaining, OrderStatus::Filled);
        let (id, price, quantity) = (trade.maker_order_id.0, trade.price, trade.maker_quantity);
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.outcome(trade.outcome).into_owned(),
            side: self.scene.terms.side_name(trade.maker_side).to_owned(),
            status: status.name().to_owned(),
            user_id: self.scene.user(trade.maker_account).into_owned(),
            remaining_stake: left(trade.maker_remaining, trade.maker_fraction),
            ..self.order(id, price, quantity, trade.maker_filled, trade.maker_remaining)
        })
    }

    pub(super) fn cancelled(&self, order: &OrderCancelled) -> Update {
        let status = OrderStatus::of(order.filled, order.remaining, order.reason.status());
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.outcome(order.outcome).into_owned(),
            side: self.scene.terms.side_name(order.side).to_owned(),
            status: status.name().to_owned(),
            reason: order.reason.name().to_owned(),
            user_id: self.scene.user(order.account).into_owned(),
            // A reduction leaves whole pennies.
            remaining_stake: left(order.remaining, 0),
            ..self.order(order.order_id.0, order.price, order.quantity, order.filled, order.remaining)
        })
    }

    fn order(
        &self,
        order_id: u64,
        price: Price,
        quantity: Quantity,
        filled: Quantity,
        remaining: Quantity,
    ) -> OrderUpdateEvent {
        let (shown, count) = (self.scene.terms.price(price), |quantity| self.scene.terms.count(quantity));
        OrderUpdateEvent {
            sequence: self.seen.record.sequence,
            order_id,
            price: shown.ppm,
            odds: shown.odds,
            ticks: shown.ticks,
            quantity: count(quantity),
            filled_quantity: count(filled),
            remaining_quantity: count(remaining),
            timestamp: self.seen.record.time_ns,
            ..OrderUpdateEvent::default()
        }
    }

    /// What the level then holds that the event touched, as it looks from each outcome that has it.
    pub(super) fn book_updates(&self) -> impl Iterator<Item = Update> {
        self.seen.levels().map(|level| {
            let shown = self.scene.terms.price(level.price);
            Update::BookUpdate(BookUpdateEvent {
                sequence: self.seen.record.sequence,
                outcome_id: self.scene.outcome(level.outcome).into_owned(),
                side: self.scene.terms.side_name(level.side).to_owned(),
                price: shown.ppm,
                odds: shown.odds,
                ticks: shown.ticks,
                quantity: self.scene.terms.count(level.quantity),
                order_count: i32::try_from(level.orders).unwrap_or(i32::MAX),
            })
        })
    }
}

/// The halves of an order on a quarter line, as they came in.
fn halves<'a>(
    whole: &OrderAccepted,
    events: impl Iterator<Item = &'a Event>,
) -> impl Iterator<Item = &'a OrderAccepted> {
    let whole = whole.order_id;
    events.filter_map(move |event| match event {
        Event::OrderAccepted(half) if half.half.whole_of(half.order_id) == whole => Some(half),
        _ => None,
    })
}
