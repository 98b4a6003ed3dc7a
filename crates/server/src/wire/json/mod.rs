//! Events as the JSON of the WebSocket: the reference's six, with exactly its fields and spellings and
//! `sequence` added (to a match `stake` too), and a few more for clients that ask for them.

mod market;
mod said;

use axum::extract::ws::Utf8Bytes;
use betex_core::LevelAfter;
use betex_core::event::{
    CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, SetMatched, TradeMatched,
};
use betex_core::types::{OrderId, Price, Quantity, Side, TimeInForce};

use self::said::{About, Said};
use super::taken::Taken;
use super::terms::{left, stake};
use crate::stream::scene::{Scene, Seen, events};

/// Which events are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Those of the reference.
    SixEvents,
    All,
}

/// The messages of a whole transaction; those of events before `from` are left out.
pub(crate) fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64, extent: Extent) -> Vec<Utf8Bytes> {
    let mut writer = Writer { scene, all: extent == Extent::All, messages: Vec::new() };
    for (index, seen) in transaction.iter().enumerate().filter(|(_, seen)| seen.record.sequence >= from) {
        writer.event(seen, transaction, index);
        if writer.all {
            seen.levels().for_each(|level| writer.book_update(&level, seen.record.sequence));
        }
    }
    let mut messages = writer.messages;
    if let (true, Some(message), Some(last)) = (writer.all, messages.last_mut(), transaction.last())
        && message.pop() == Some('}')
    {
        // Between two messages of one transaction a client cannot go on without hearing one twice, or never.
        let next = last.record.sequence + 1;
        message.push_str(&format!(r#","ends_transaction":true,"resume_from":{next}}}"#));
    }
    messages.into_iter().map(Utf8Bytes::from).collect()
}

/// Tells a client that its stream ends here, and where to resume.
pub(crate) fn ending(code: &str, message: &str, resume_from: Option<u64>) -> Utf8Bytes {
    let resume = resume_from.map_or(serde_json::Value::Null, Into::into);
    let value =
        serde_json::json!({ "type": "error", "code": code, "message": message, "from_sequence": resume });
    value.to_string().into()
}

struct Writer<'a> {
    scene: &'a Scene<'a>,
    /// More than the six.
    all: bool,
    messages: Vec<String>,
}

impl Writer<'_> {
    fn say(&mut self, said: &Said<'_>) {
        // Strings, integers and finite odds: nothing that JSON could not say.
        match serde_json::to_string(said) {
            Ok(text) => self.messages.push(text),
            Err(error) => tracing::error!("an event could not be written as JSON: {error}"),
        }
    }

    fn event(&mut self, seen: &Seen, transaction: &[Seen], index: usize) {
        let sequence = seen.record.sequence;
        match &seen.record.event {
            Event::MarketCreated(spec) => self.created(spec, sequence),
            Event::OrderSplit { order, far } => self.split(order, *far, sequence),
            Event::OrderAccepted(order) => self.submitted(order, sequence),
            Event::SetMatched(set) => self.set_matched(set, seen),
            Event::TradeMatched(trade) => self.matched(trade, seen, transaction, index),
            Event::OrderCancelled(order) => self.cancelled(order, sequence),
            _ if self.all => self.market_event(seen),
            _ => (),
        }
    }

    /// A whole order, or the half of one on a quarter line: these are what rests and is met.
    fn submitted(&mut self, order: &OrderAccepted, sequence: u64) {
        let expiry_ms = match order.time_in_force.get() {
            TimeInForce::Gtd { expiry_ms } => Some(expiry_ms),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok { .. } => None,
        };
        let terms = self.scene.terms;
        self.say(&Said::OrderSubmit {
            order_id: order.order_id.0,
            market_id: self.scene.key,
            outcome_id: &self.scene.outcome(order.outcome),
            side: terms.lower_side(order.side),
            price: terms.price(order.price).ppm,
            size: terms.count(order.quantity),
            user_id: &self.scene.user(order.account),
            expiry_ms,
            sequence,
        });
    }

    fn split(&mut self, order: &OrderAccepted, far: OutcomeIndex, sequence: u64) {
        if !self.all {
            return;
        }
        let terms = self.scene.terms;
        self.say(&Said::OrderSplit {
            order_id: order.order_id.0,
            leg_order_ids: [order.order_id.0 + 1, order.order_id.0 + 2],
            market_id: self.scene.key,
            outcome_id: &self.scene.quarter_line(order.outcome, far),
            side: terms.lower_side(order.side),
            price: terms.price(order.price).ppm,
            size: terms.count(order.quantity),
            user_id: &self.scene.user(order.account),
            sequence,
        });
    }

    /// The taker's own leg: no maker's order is in it.
    fn set_matched(&mut self, set: &SetMatched, seen: &Seen) {
        let orders = [OrderId::NONE, set.taker_order_id];
        self.leg(seen, orders, set.outcome, [set.side; 2], set.price, [set.quantity, set.stake], true);
    }

    fn matched(&mut self, trade: &TradeMatched, seen: &Seen, transaction: &[Seen], index: usize) {
        let (synthetic, side) = (trade.is_synthetic(), trade.maker_side);
        let sides = [side, if synthetic { side } else { side.opposite() }];
        let orders = [trade.maker_order_id, trade.taker_order_id];
        let amounts = [trade.quantity, trade.stake];
        self.leg(seen, orders, trade.outcome, sides, trade.price, amounts, synthetic);
        let sequence = seen.record.sequence;
        if trade.maker_remaining == Quantity::ZERO {
            self.filled(trade.maker_order_id, trade.outcome, sequence);
        }
        if let Some(outcome) = fills_its_order(trade, transaction, index) {
            self.filled(trade.taker_order_id, outcome, sequence);
        }
    }

    /// One leg of a trade; the maker's order and side, then the taker's; the quantity and the exact stake.
    #[expect(clippy::too_many_arguments, reason = "what legs of both kinds of trade have in common")]
    fn leg(
        &mut self,
        seen: &Seen,
        [maker, taker]: [OrderId; 2],
        outcome: OutcomeIndex,
        [maker_side, taker_side]: [Side; 2],
        price: Price,
        [quantity, exact]: [Quantity; 2],
        synthetic: bool,
    ) {
        self.say(&Said::Match {
            sequence: seen.record.sequence,
            market_id: self.scene.key,
            outcome_id: &self.scene.outcome(outcome),
            maker_order_id: maker.0,
            taker_order_id: taker.0,
            maker_side: position(maker_side),
            taker_side: position(taker_side),
            price: self.scene.terms.price(price).ppm,
            quantity: self.scene.terms.count(quantity),
            timestamp: seen.record.time_ns,
            is_synthetic: synthetic,
            is_cross_match: synthetic,
            stake: stake(exact),
        });
    }

    fn filled(&mut self, order_id: OrderId, outcome: OutcomeIndex, sequence: u64) {
        let (market_id, outcome_id) = (self.scene.key, &*self.scene.outcome(outcome));
        self.say(&Said::OrderFilled(About { order_id: order_id.0, market_id, outcome_id, sequence }));
    }

    fn cancelled(&mut self, order: &OrderCancelled, sequence: u64) {
        let outcome_id = &self.scene.outcome(order.outcome);
        let about = About { order_id: order.order_id.0, market_id: self.scene.key, outcome_id, sequence };
        if order.remaining > Quantity::ZERO {
            let count = |quantity| self.scene.terms.count(quantity);
            let (cancelled_quantity, remaining_quantity) = (count(order.cancelled), count(order.remaining));
            let remaining_stake = left(order.remaining, 0);
            if self.all {
                self.say(&Said::OrderReduced {
                    about,
                    cancelled_quantity,
                    remaining_quantity,
                    remaining_stake,
                });
            }
        } else if order.reason == CancelReason::Expired {
            self.say(&Said::OrderExpired(about));
        } else {
            self.say(&Said::OrderCancelled(about));
        }
    }

    fn book_update(&mut self, level: &LevelAfter, sequence: u64) {
        let shown = self.scene.terms.price(level.price);
        self.say(&Said::BookUpdate {
            market_id: self.scene.key,
            outcome_id: &self.scene.outcome(level.outcome),
            side: self.scene.terms.lower_side(level.side),
            price: shown.ppm,
            odds: shown.odds,
            ticks: shown.ticks,
            quantity: self.scene.terms.count(level.quantity),
            order_count: level.orders,
            sequence,
        });
    }
}

/// If this trade, the last of the order that came in, fills it, perhaps but for a fraction of a penny: the
/// order's outcome.
fn fills_its_order(trade: &TradeMatched, transaction: &[Seen], index: usize) -> Option<OutcomeIndex> {
    let is_of_it = |event: &Event| matches!(event, Event::TradeMatched(other) if other.taker_order_id == trade.taker_order_id);
    if events(&transaction[index + 1..]).any(is_of_it) {
        return None;
    }
    let order = events(transaction).find_map(|event| match event {
        Event::OrderAccepted(order) if order.order_id == trade.taker_order_id => Some(order),
        _ => None,
    })?;
    let filled = Taken::of(order, events(transaction)).filled;
    (filled == order.quantity).then_some(order.outcome)
}

/// The reference's word for a side in a trade.
const fn position(side: Side) -> &'static str {
    match side {
        Side::Yes => "Long",
        Side::No => "Short",
    }
}
