//! Events as the JSON of the WebSocket: the reference's six, with exactly its fields and spellings and
//! `sequence` added, and a few more for who asks for them.

use axum::extract::ws::Utf8Bytes;
use betex_core::LevelAfter;
use betex_core::event::{CancelReason, Event, OrderAccepted, OrderCancelled, TradeMatched};
use betex_core::types::{BookMarketState, Price, Quantity, Side, TimeInForce};
use serde::Serialize;

use super::amount::pennies;
use super::market::model_name;
use super::price::{odds, ppm};
use super::update::Outcome;
use crate::stream::scene::{Scene, Seen};

/// Which events are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Those of the reference.
    SixEvents,
    All,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a> {
    OrderSubmit {
        order_id: u64,
        market_id: &'a str,
        outcome_id: &'a str,
        side: &'a str,
        price: u64,
        size: u64,
        user_id: &'a str,
        expiry_ms: Option<u64>,
        sequence: u64,
    },
    Match {
        sequence: u64,
        market_id: &'a str,
        outcome_id: &'a str,
        maker_order_id: u64,
        taker_order_id: u64,
        maker_side: &'a str,
        taker_side: &'a str,
        price: u64,
        quantity: u64,
        timestamp: u64,
        is_synthetic: bool,
        is_cross_match: bool,
    },
    OrderFilled(About<'a>),
    OrderExpired(About<'a>),
    OrderCancelled(About<'a>),
    MarketCreated {
        market_id: &'a str,
        name: &'a str,
        model: &'a str,
        outcomes: Vec<&'a str>,
        sequence: u64,
    },
    OrderReduced {
        #[serde(flatten)]
        about: About<'a>,
        cancelled_quantity: u64,
        remaining_quantity: u64,
    },
    BookUpdate {
        market_id: &'a str,
        outcome_id: &'a str,
        side: &'a str,
        price: u64,
        odds: f64,
        quantity: u64,
        order_count: u32,
        sequence: u64,
    },
    MarketOpened(Moved<'a>),
    MarketSuspended(Moved<'a>),
    MarketClosed(Moved<'a>),
}

/// An order that something has become of.
#[derive(Serialize)]
struct About<'a> {
    order_id: u64,
    market_id: &'a str,
    outcome_id: &'a str,
    sequence: u64,
}

/// A market that has moved on.
#[derive(Serialize)]
struct Moved<'a> {
    market_id: &'a str,
    reason: &'a str,
    timestamp: u64,
    sequence: u64,
}

/// The messages of a whole transaction; those of events before `from` are left out.
pub(crate) fn render(transaction: &[Seen], scene: &Scene<'_>, from: u64, extent: Extent) -> Vec<Utf8Bytes> {
    let mut writer = Writer { scene, all: extent == Extent::All, messages: Vec::new() };
    for (index, seen) in transaction.iter().enumerate().filter(|(_, seen)| seen.record.sequence >= from) {
        writer.event(seen, transaction, index);
        if let Some(level) = seen.level.as_ref().filter(|_| writer.all) {
            writer.book_update(level, seen.record.sequence);
        }
    }
    writer.messages
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
    messages: Vec<Utf8Bytes>,
}

impl Writer<'_> {
    fn say(&mut self, said: &Said<'_>) {
        // Strings, integers and finite odds: nothing that JSON could not say.
        match serde_json::to_string(said) {
            Ok(text) => self.messages.push(text.into()),
            Err(error) => tracing::error!("an event could not be written as JSON: {error}"),
        }
    }

    fn event(&mut self, seen: &Seen, transaction: &[Seen], index: usize) {
        let sequence = seen.record.sequence;
        match &seen.record.event {
            Event::LimitsSet(_) | Event::AccountRegistered { .. } | Event::MarketRemoved => (),
            Event::MarketStatusChanged { .. } if !self.all => (),
            Event::MarketCreated(spec) => {
                let outcomes = spec.runners.iter().map(|runner| runner.name.as_str()).collect();
                let (market_id, name, model) = (&spec.key, &spec.name, model_name(spec.model));
                self.say(&Said::MarketCreated { market_id, name, model, outcomes, sequence });
            }
            Event::MarketStatusChanged { to, reason } => {
                let reason = reason.as_deref().unwrap_or_default();
                let timestamp = seen.record.time_ns;
                let moved = Moved { market_id: self.scene.key, reason, timestamp, sequence };
                match to {
                    BookMarketState::Open => self.say(&Said::MarketOpened(moved)),
                    BookMarketState::Suspended => self.say(&Said::MarketSuspended(moved)),
                    BookMarketState::Closed => self.say(&Said::MarketClosed(moved)),
                    BookMarketState::Created => (),
                }
            }
            Event::OrderAccepted(order) => self.submitted(order, sequence),
            Event::TradeMatched(trade) => self.matched(trade, seen, transaction, index),
            Event::OrderCancelled(order) => self.cancelled(order, sequence),
        }
    }

    fn submitted(&mut self, order: &OrderAccepted, sequence: u64) {
        let expiry_ms = match order.time_in_force {
            TimeInForce::Gtd { expiry_ms } => Some(expiry_ms),
            TimeInForce::Gtc | TimeInForce::Ioc => None,
        };
        self.say(&Said::OrderSubmit {
            order_id: order.order_id.0,
            market_id: self.scene.key,
            outcome_id: &self.scene.outcome(order.outcome),
            side: lower_side(order.side),
            price: ppm(order.price),
            size: pennies(order.quantity),
            user_id: &self.scene.user(order.account),
            expiry_ms,
            sequence,
        });
    }

    fn matched(&mut self, trade: &TradeMatched, seen: &Seen, transaction: &[Seen], index: usize) {
        let sequence = seen.record.sequence;
        let outcome = self.scene.outcome(trade.outcome);
        self.say(&Said::Match {
            sequence,
            market_id: self.scene.key,
            outcome_id: &outcome,
            maker_order_id: trade.maker_order_id.0,
            taker_order_id: trade.taker_order_id.0,
            maker_side: position(trade.maker_side),
            taker_side: position(trade.maker_side.opposite()),
            price: ppm(trade.price),
            quantity: pennies(trade.quantity),
            timestamp: seen.record.time_ns,
            is_synthetic: false,
            is_cross_match: false,
        });
        let about = |order_id| About { order_id, market_id: self.scene.key, outcome_id: &outcome, sequence };
        let maker = (trade.maker_remaining == Quantity::ZERO).then(|| about(trade.maker_order_id.0));
        let taker = fills_its_order(trade, transaction, index).then(|| about(trade.taker_order_id.0));
        for filled in maker.into_iter().chain(taker) {
            self.say(&Said::OrderFilled(filled));
        }
    }

    fn cancelled(&mut self, order: &OrderCancelled, sequence: u64) {
        let outcome_id = &self.scene.outcome(order.outcome);
        let about = About { order_id: order.order_id.0, market_id: self.scene.key, outcome_id, sequence };
        if order.remaining > Quantity::ZERO {
            let (cancelled_quantity, remaining_quantity) =
                (pennies(order.cancelled), pennies(order.remaining));
            if self.all {
                self.say(&Said::OrderReduced { about, cancelled_quantity, remaining_quantity });
            }
        } else if order.reason == CancelReason::Expired {
            self.say(&Said::OrderExpired(about));
        } else {
            self.say(&Said::OrderCancelled(about));
        }
    }

    fn book_update(&mut self, level: &LevelAfter, sequence: u64) {
        let price: Price = level.price;
        self.say(&Said::BookUpdate {
            market_id: self.scene.key,
            outcome_id: &self.scene.outcome(level.outcome),
            side: lower_side(level.side),
            price: ppm(price),
            odds: odds(price),
            quantity: pennies(level.quantity),
            order_count: level.orders,
            sequence,
        });
    }
}

/// Whether this trade, the last of its transaction, leaves nothing of the order that came in.
fn fills_its_order(trade: &TradeMatched, transaction: &[Seen], index: usize) -> bool {
    let last =
        !transaction[index + 1..].iter().any(|seen| matches!(seen.record.event, Event::TradeMatched(_)));
    let order = transaction.iter().find_map(|seen| match &seen.record.event {
        Event::OrderAccepted(order) if order.order_id == trade.taker_order_id => Some(order),
        _ => None,
    });
    last && order.is_some_and(|order| Outcome::of(order, transaction).filled == order.quantity)
}

const fn lower_side(side: Side) -> &'static str {
    match side {
        Side::Yes => "back",
        Side::No => "lay",
    }
}

/// The reference's word for a side in a trade.
const fn position(side: Side) -> &'static str {
    match side {
        Side::Yes => "Long",
        Side::No => "Short",
    }
}
