//! Answers of a script, in words.

use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::ladder::Ladder;
use betex_core::reject::OrderReport;
use betex_core::types::{Money, Price, Quantity, Side};

use super::decimal;
use crate::exchange::{Exchange, MARKET};

/// How amounts and prices are written in a market.
#[derive(Clone, Copy)]
pub(super) enum Units {
    Odds,
    Ticks,
}

impl Units {
    pub(super) fn of(exchange: &Exchange) -> Self {
        match exchange.state.market(MARKET).map(|market| market.spec().ladder) {
            Some(Ladder::Binary { .. }) => Self::Ticks,
            _ => Self::Odds,
        }
    }

    fn amount(self, quantity: Quantity) -> String {
        match self {
            Self::Odds => Money(quantity.0).to_string(),
            Self::Ticks => quantity.to_string(),
        }
    }

    fn price(self, price: Price) -> String {
        match self {
            Self::Odds => price.odds().to_string(),
            Self::Ticks => price.0.to_string(),
        }
    }

    pub(super) fn read(self, word: &str) -> i64 {
        match self {
            Self::Odds => decimal(word),
            Self::Ticks => word.parse().expect("a whole number"),
        }
    }

    pub(super) fn read_price(self, word: &str) -> Price {
        Price(u32::try_from(self.read(word)).expect("a price"))
    }
}

pub(super) fn in_words(units: Units, receipt: &Receipt, events: &[Event]) -> String {
    match receipt {
        Receipt::MarketCreated(id) => format!("market {id}"),
        Receipt::MarketStatus(state) => state.to_string() + &taken_out(events),
        Receipt::MarketPhase(phase) => format!("{phase:?}{}", taken_out(events)),
        Receipt::RunnersAdded => "ADDED".to_owned(),
        Receipt::RunnerRemoved => format!("WITHDRAWN{}", taken_out(events)),
        Receipt::OrdersCancelled { orders, quantity, done } => {
            let quantity = Money(i64::try_from(*quantity).expect("a sum of a few orders"));
            let more = if *done { "" } else { " and more to come" };
            format!("{orders} for {quantity}{more}{}", taken_out(events))
        }
        Receipt::MarketRemoved => "REMOVED".to_owned(),
        Receipt::Account(id) => format!("account {id}"),
        Receipt::Order { report, reason } => {
            let mut words = format!("#{} {}", report.order_id, report.status.name());
            if let Some(reason) = reason.map(|reason| reason.name()).filter(|reason| !reason.is_empty()) {
                words += &format!(" {reason}");
            }
            words += &trades(units, events);
            words + &left(units, report.remaining, report.cancelled()) + &fraction(units, report, events)
        }
        Receipt::Cancelled { report, cancelled } => {
            let words = format!("#{} {}", report.order_id, report.status.name());
            words + &left(units, report.remaining, *cancelled)
        }
        Receipt::TradesVoided => "VOID".to_owned(),
    }
}

/// The orders that left the book because of a command about the market.
fn taken_out(events: &[Event]) -> String {
    let orders = events.iter().filter_map(|event| match event {
        Event::OrderCancelled(order) => Some(format!(" #{}", order.order_id)),
        _ => None,
    });
    let orders: String = orders.collect();
    if orders.is_empty() { orders } else { format!(", cancelled{orders}") }
}

/// The trades of a transaction, in turn, and own orders that gave way.
fn trades(units: Units, events: &[Event]) -> String {
    let (mut words, mut makers) = (String::new(), 0);
    for event in events {
        match event {
            Event::SetMatched(set) => {
                let (stake, price) = (units.amount(set.stake), units.price(set.price));
                words += &format!(" set {stake}@{price} pays {}", set.payout);
                makers = set.makers;
            }
            Event::TradeMatched(t) => {
                let open = if t.leg == 1 { "(" } else { "" };
                let close = if t.is_synthetic() && t.leg == makers { ")" } else { "" };
                let (stake, price) = (units.amount(t.stake), units.price(t.price));
                let dust = match (t.maker_remaining, t.maker_fraction) {
                    (_, 0) | (Quantity(1..), _) => String::new(),
                    (_, dust) => format!(" dust {}", units.amount(Quantity(dust.into()))),
                };
                words += &format!(" {open}{stake}@{price}#{}{dust}{close}", t.maker_order_id);
            }
            Event::OrderCancelled(order) if !order.never_rested() => {
                words += &format!(" gone #{}", order.order_id);
            }
            _ => (),
        }
    }
    words
}

/// What an order that came in has left beyond whole pennies. An order on a quarter line has two such amounts,
/// which are not reported here.
fn fraction(units: Units, report: &OrderReport, events: &[Event]) -> String {
    let taken: i64 = events
        .iter()
        .map(|event| match event {
            Event::SetMatched(set) => set.stake.0,
            Event::TradeMatched(trade) if !trade.is_synthetic() => trade.stake.0,
            _ => 0,
        })
        .sum();
    let exact = report.quantity.0 - taken - report.cancelled().0;
    let fraction = Quantity(exact - report.remaining.0);
    match (report.split || fraction == Quantity::ZERO, report.remaining) {
        (true, _) => String::new(),
        (false, Quantity(1..)) => format!(" and {}", units.amount(fraction)),
        (false, _) => format!(" dust {}", units.amount(fraction)),
    }
}

pub(super) fn report(units: Units, report: &OrderReport) -> String {
    let OrderReport { order_id, status, filled, .. } = report;
    let words = format!("#{order_id} {} filled {}", status.name(), units.amount(*filled));
    words + &left(units, report.remaining, report.cancelled())
}

fn left(units: Units, remaining: Quantity, cancelled: Quantity) -> String {
    let mut words = String::new();
    if remaining > Quantity::ZERO {
        words += &format!(" rests {}", units.amount(remaining));
    }
    if cancelled > Quantity::ZERO {
        words += &format!(" cancelled {}", units.amount(cancelled));
    }
    words
}

pub(super) fn events_in_words(what: &str, events: impl Iterator<Item = Event>) -> String {
    let orders = events.map(|event| match event {
        Event::OrderCancelled(order) => format!(" #{}", order.order_id),
        Event::MarketRemoved => " the market".to_owned(),
        other => panic!("{other:?} without being asked"),
    });
    let orders: String = orders.collect();
    if orders.is_empty() { "nothing".to_owned() } else { format!("{what}{orders}") }
}

/// Both sides, each as a taker meets it; what sets would give behind them.
pub(super) fn book(exchange: &Exchange, outcome: &str) -> String {
    let (market, units) = (exchange.state.market(MARKET).expect("the market is there"), Units::of(exchange));
    let outcome = market.outcome_named(outcome).expect("the outcome is there");
    let mut words = String::new();
    let names = match units {
        Units::Odds => ["back", "lay"],
        Units::Ticks => ["buy", "sell"],
    };
    for (side, name) in [Side::Yes, Side::No].into_iter().zip(names) {
        for level in market.levels(outcome, side) {
            let (quantity, orders) = (units.amount(level.quantity), level.orders);
            words += &format!(" {name} {}: {quantity} of {orders},", units.price(level.price));
        }
        for level in market.virtual_levels(outcome, side, 3) {
            words +=
                &format!(" virtual {name} {}: {},", units.price(level.price), units.amount(level.quantity));
        }
    }
    if words.is_empty() { "empty".to_owned() } else { words.trim_matches([' ', ',']).to_owned() }
}
