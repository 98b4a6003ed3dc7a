//! Events as `MarketUpdate`s.

use betex_core::LevelAfter;
use betex_core::event::{CancelReason, Event, OrderAccepted, OrderCancelled, TradeMatched};
use betex_core::types::{BookMarketState, OrderStatus, Price, Quantity};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{BookUpdateEvent, Heartbeat, MarketStatus, MarketUpdate, MatchEvent, OrderUpdateEvent};

use super::amount::{payout, pennies};
use super::form::side_name;
use super::market::phase_name;
use super::price::{odds, ppm};
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
        updates.extend(seen.level.map(|level| update(said.book_update(&level))));
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
            Event::LimitsSet(_) | Event::AccountRegistered { .. } => (None, None),
            Event::MarketCreated(spec) => (Some(self.market_status(spec.state.name(), None)), None),
            Event::MarketStatusChanged { to, reason } => (Some(self.changed(*to, reason.as_deref())), None),
            Event::MarketRemoved => (Some(self.market_status("REMOVED", None)), None),
            Event::OrderAccepted(order) => (Some(self.accepted(order, transaction)), None),
            Event::TradeMatched(trade) => (Some(self.matched(trade)), Some(self.maker(trade))),
            Event::OrderCancelled(order) => (Some(self.cancelled(order)), None),
        };
        first.into_iter().chain(second)
    }

    fn changed(&self, to: BookMarketState, reason: Option<&str>) -> Update {
        self.market_status(to.name(), reason)
    }

    fn market_status(&self, status: &str, reason: Option<&str>) -> Update {
        Update::MarketStatus(MarketStatus {
            market_id: self.scene.key.to_owned(),
            status: status.to_owned(),
            phase: phase_name(self.scene.phase).to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
            timestamp: self.seen.record.time_ns,
        })
    }

    /// The order that came in, as it stands at the end of its transaction.
    fn accepted(&self, order: &OrderAccepted, transaction: &[Seen]) -> Update {
        let outcome = Outcome::of(order, transaction);
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.outcome(order.outcome).into_owned(),
            side: side_name(order.side).to_owned(),
            status: outcome.status.name().to_owned(),
            reason: outcome.reason.map_or("", CancelReason::name).to_owned(),
            user_id: self.scene.user(order.account).into_owned(),
            client_order_id: order.client_order_id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
            ..self.order(order.order_id.0, order.price, order.quantity, outcome.filled, order.resting)
        })
    }

    fn matched(&self, trade: &TradeMatched) -> Update {
        Update::MatchEvent(MatchEvent {
            sequence: self.seen.record.sequence,
            maker_order_id: trade.maker_order_id.0,
            taker_order_id: trade.taker_order_id.0,
            price: ppm(trade.price),
            quantity: pennies(trade.quantity),
            timestamp: self.seen.record.time_ns,
            outcome_id: self.scene.outcome(trade.outcome).into_owned(),
            maker_side: side_name(trade.maker_side).to_owned(),
            taker_side: side_name(trade.maker_side.opposite()).to_owned(),
            odds: odds(trade.price),
            payout: payout(trade.payout()),
            trade_id: self.seen.record.sequence,
        })
    }

    fn maker(&self, trade: &TradeMatched) -> Update {
        let status = OrderStatus::of(trade.maker_filled, trade.maker_remaining, OrderStatus::Filled);
        let (id, price, quantity) = (trade.maker_order_id.0, trade.price, trade.maker_quantity);
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.outcome(trade.outcome).into_owned(),
            side: side_name(trade.maker_side).to_owned(),
            status: status.name().to_owned(),
            user_id: self.scene.user(trade.maker_account).into_owned(),
            ..self.order(id, price, quantity, trade.maker_filled, trade.maker_remaining)
        })
    }

    fn cancelled(&self, order: &OrderCancelled) -> Update {
        let status = OrderStatus::of(order.filled, order.remaining, order.reason.status());
        Update::OrderUpdate(OrderUpdateEvent {
            outcome_id: self.scene.outcome(order.outcome).into_owned(),
            side: side_name(order.side).to_owned(),
            status: status.name().to_owned(),
            reason: order.reason.name().to_owned(),
            user_id: self.scene.user(order.account).into_owned(),
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
        OrderUpdateEvent {
            sequence: self.seen.record.sequence,
            order_id,
            price: ppm(price),
            odds: odds(price),
            quantity: pennies(quantity),
            filled_quantity: pennies(filled),
            remaining_quantity: pennies(remaining),
            timestamp: self.seen.record.time_ns,
            ..OrderUpdateEvent::default()
        }
    }

    fn book_update(&self, level: &LevelAfter) -> Update {
        Update::BookUpdate(BookUpdateEvent {
            sequence: self.seen.record.sequence,
            outcome_id: self.scene.outcome(level.outcome).into_owned(),
            side: side_name(level.side).to_owned(),
            price: ppm(level.price),
            quantity: pennies(level.quantity),
            order_count: i32::try_from(level.orders).unwrap_or(i32::MAX),
            odds: odds(level.price),
        })
    }
}

/// What has become of a transaction's own order at its end.
pub(crate) struct Outcome {
    pub(crate) status: OrderStatus,
    pub(crate) filled: Quantity,
    pub(crate) reason: Option<CancelReason>,
}

impl Outcome {
    pub(crate) fn of(order: &OrderAccepted, transaction: &[Seen]) -> Self {
        let (mut filled, mut reason) = (0, None);
        for seen in transaction {
            match &seen.record.event {
                Event::TradeMatched(trade) if trade.taker_order_id == order.order_id => {
                    filled += trade.quantity.0
                }
                Event::OrderCancelled(rest) if rest.order_id == order.order_id => reason = Some(rest.reason),
                _ => (),
            }
        }
        let end = if reason.is_some() { OrderStatus::Cancelled } else { OrderStatus::Filled };
        let filled = Quantity(filled);
        Self { status: OrderStatus::of(filled, order.resting, end), filled, reason }
    }
}
