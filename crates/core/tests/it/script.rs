//! Scenarios as text: a line is what is asked, `=>`, and what the answer must be.
//!
//! ```text
//! a back Home 2.50 10              => #1 RESTING rests 10.00
//! b lay Home mkt 15 ioc id:x       => #2 CANCELLED 10.00@2.50#1 cancelled 5.00
//! a cancel 1 keep 2.00             => OrderNotFound
//! at 5000                          => expired #3
//! hold halted                      => SUSPENDED
//! phase live                       => Live, cancelled #1
//! add Ghost Outsider               => ADDED
//! withdraw Home 1500               => WITHDRAWN, cancelled #4 #5
//! a mass Home from:10 until:20     => 2 for 15.00, cancelled #6 #7
//! ```
//!
//! Accounts are letters, `-` is nobody. Amounts are currency units, times are milliseconds.

use std::fmt::Write;

use betex_core::command::{CommandKind, MassCancel, NewOrder, NewRunner, OrderPrice, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::reject::{OrderReport, Rejection, RejectionClass};
use betex_core::types::{
    AccountId, ClientOrderId, Hold, MarketPhase, Money, OrderId, Persistence, Price, Quantity, RunnerId,
    Side, TimeInForce,
};

use crate::exchange::{Exchange, MARKET};

/// Plays a script against one open market of three outcomes; answers with what is there in the end.
#[track_caller]
pub(crate) fn check(script: &str) -> Exchange {
    let mut exchange = Exchange { suspicious: true, ..Exchange::open() };
    play(&mut exchange, script);
    let replayed = exchange.replay(exchange.log.len());
    assert_eq!(replayed.digest(), exchange.state.digest(), "replay is the state");
    exchange
}

/// Plays a script on; shows all of it, as it really was, if a line is not as it says.
#[track_caller]
pub(crate) fn play(exchange: &mut Exchange, script: &str) {
    let (mut expected, mut actual) = (String::new(), String::new());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asked, answer) = line.split_once("=>").expect("a line is: command => answer");
        let asked = asked.trim();
        writeln!(expected, "{asked:<32} => {}", answer.trim()).expect("a string takes all");
        writeln!(actual, "{asked:<32} => {}", run(exchange, asked).trim()).expect("a string takes all");
    }
    assert!(expected == actual, "expected\n{expected}\nbut it was\n{actual}");
}

fn run(exchange: &mut Exchange, asked: &str) -> String {
    let words: Vec<&str> = asked.split_whitespace().collect();
    let reason = words.get(1).map(|reason| (*reason).into());
    let kind = match words[..] {
        ["open", ..] => CommandKind::OpenMarket { reason },
        ["suspend", ..] => CommandKind::SuspendMarket { reason },
        ["close", ..] => CommandKind::CloseMarket { reason },
        ["remove"] => CommandKind::RemoveMarket,
        ["hold", hold, ..] => {
            let reason = words.get(2).map(|reason| (*reason).into());
            CommandKind::HoldMarket { hold: hold_named(hold), reason }
        }
        ["lift", hold, ..] => {
            let reason = words.get(2).map(|reason| (*reason).into());
            CommandKind::LiftHold { hold: hold_named(hold), reason }
        }
        ["phase", phase] => CommandKind::SetPhase { phase: phase_named(phase), reason: None },
        ["add", ref names @ ..] => CommandKind::AddRunners { runners: added(exchange, names) },
        ["withdraw", outcome, reduction] => {
            let reduction = reduction.parse().expect("ten-thousandths");
            CommandKind::RemoveRunner { runner_id: runner(exchange, outcome), reduction, reason: None }
        }
        ["at", ms] => {
            exchange.now_ms = ms.parse().expect("milliseconds");
            let expired = exchange.expire().into_iter().map(|(_, event)| event);
            return events_in_words("expired", expired);
        }
        ["work"] => {
            let (_, events) = exchange.work().unwrap_or_default();
            return events_in_words("cancelled", events.into_iter());
        }
        ["book", outcome] => return book(exchange, outcome),
        [who, "mass", ref rest @ ..] => CommandKind::CancelOrders(mass(exchange, who, rest)),
        [account, "cancel", order, ref rest @ ..] => cancel(account, order, rest),
        [account, side, outcome, price, stake, ref rest @ ..] => {
            CommandKind::SubmitOrder(order(exchange, [account, side, outcome, price, stake], rest))
        }
        _ => panic!("no command: {asked}"),
    };
    match exchange.run(MARKET, &kind) {
        Ok((receipt, events)) => in_words(&receipt, &events),
        Err(Rejection::DuplicateClientId(first)) => format!("DUPLICATE_CLIENT_ID {}", report(&first)),
        Err(rejection) => match rejection.class() {
            RejectionClass::Order(code) => code.to_owned(),
            // The name of the variant.
            _ => format!("{rejection:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        },
    }
}

fn hold_named(word: &str) -> Hold {
    let named = Hold::ALL.into_iter().find(|hold| hold.name().eq_ignore_ascii_case(word));
    named.expect("a hold")
}

fn phase_named(word: &str) -> MarketPhase {
    match word {
        "pre" => MarketPhase::Pre,
        "await" => MarketPhase::PreAwaitLive,
        "live" => MarketPhase::Live,
        _ => panic!("no phase: {word}"),
    }
}

/// The id of an outcome: 99 where there is none.
fn runner(exchange: &Exchange, outcome: &str) -> RunnerId {
    let market = exchange.state.market(MARKET).expect("the market is there");
    let runner = market.spec().runners.iter().find(|runner| runner.name == outcome);
    runner.map_or(99.into(), |runner| runner.id)
}

/// New outcomes, numbered on.
fn added(exchange: &Exchange, names: &[&str]) -> Vec<NewRunner> {
    let market = exchange.state.market(MARKET).expect("the market is there");
    let ids = (market.spec().runners.len() as u64 + 1..).map(RunnerId);
    ids.zip(names).map(|(id, name)| NewRunner { id, name: (*name).into() }).collect()
}

fn mass(exchange: &Exchange, who: &str, words: &[&str]) -> MassCancel {
    let mut mass = MassCancel { account_id: account(who), ..MassCancel::default() };
    let ns = |ms: &str| ms.parse::<u64>().expect("milliseconds") * 1_000_000;
    for word in words {
        match word.split_once(':') {
            None => mass.runner_id = runner(exchange, word),
            Some(("from", ms)) => mass.from_ns = ns(ms),
            Some(("until", ms)) => mass.until_ns = ns(ms),
            _ => panic!("no word for a mass cancel: {word}"),
        }
    }
    mass
}

fn account(word: &str) -> AccountId {
    match word.bytes().next() {
        Some(letter @ b'a'..=b'z') => AccountId(u64::from(letter - b'a') + 1),
        _ => AccountId::NONE,
    }
}

/// `2.50` in units of 1/10 000.
fn decimal(word: &str) -> i64 {
    let (whole, rest) = word.split_once('.').unwrap_or((word, ""));
    format!("{whole}{rest:0<4}").parse().expect("a decimal number")
}

fn price(word: &str) -> Price {
    Price(u32::try_from(decimal(word)).expect("a price"))
}

fn client_id(word: &str) -> ClientOrderId {
    ClientOrderId::new(word).expect("a short id")
}

fn cancel(who: &str, order: &str, rest: &[&str]) -> CommandKind {
    let order = match order.strip_prefix("id:") {
        Some(id) => OrderRef::Client(client_id(id)),
        None => OrderRef::Id(OrderId(order.parse().expect("an order id"))),
    };
    let keep = match *rest {
        ["keep", keep] => decimal(keep),
        _ => 0,
    };
    CommandKind::CancelOrder { order, account_id: account(who), keep: Quantity(keep) }
}

fn order(exchange: &Exchange, words: [&str; 5], rest: &[&str]) -> NewOrder {
    let [who, side, outcome, at, stake] = words;
    let (runner, side) = (runner(exchange, outcome), if side == "back" { Side::Yes } else { Side::No });
    let mut order = NewOrder {
        account_id: account(who),
        price: match at.strip_prefix("mkt") {
            Some("") => OrderPrice::Market { worst: None },
            Some(worst) => OrderPrice::Market { worst: Some(price(worst.trim_start_matches(':'))) },
            None => OrderPrice::Limit(price(at)),
        },
        ..NewOrder::limit(runner, side, Price(0), Quantity(decimal(stake)))
    };
    for word in rest {
        match word.split_once(':') {
            None if *word == "persist" => order.persistence = Persistence::Persist,
            None if *word == "ioc" => order.time_in_force = TimeInForce::Ioc,
            Some(("gtd", ms)) => {
                order.time_in_force = TimeInForce::Gtd { expiry_ms: ms.parse().expect("milliseconds") };
            }
            Some(("id", id)) => order.client_order_id = Some(client_id(id)),
            _ => panic!("no word for an order: {word}"),
        }
    }
    order
}

fn in_words(receipt: &Receipt, events: &[Event]) -> String {
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
            for event in events {
                if let Event::TradeMatched(t) = event {
                    let quantity = Money(t.quantity.0);
                    words += &format!(" {quantity}@{}#{}", t.price.odds(), t.maker_order_id);
                }
            }
            words + &left(report.remaining, report.cancelled())
        }
        Receipt::Cancelled { report, cancelled } => {
            let words = format!("#{} {}", report.order_id, report.status.name());
            words + &left(report.remaining, *cancelled)
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

fn report(report: &OrderReport) -> String {
    let OrderReport { order_id, status, filled, .. } = report;
    let words = format!("#{order_id} {} filled {}", status.name(), Money(filled.0));
    words + &left(report.remaining, report.cancelled())
}

fn left(remaining: Quantity, cancelled: Quantity) -> String {
    let mut words = String::new();
    if remaining > Quantity::ZERO {
        words += &format!(" rests {}", Money(remaining.0));
    }
    if cancelled > Quantity::ZERO {
        words += &format!(" cancelled {}", Money(cancelled.0));
    }
    words
}

fn events_in_words(what: &str, events: impl Iterator<Item = Event>) -> String {
    let orders = events.map(|event| match event {
        Event::OrderCancelled(order) => format!(" #{}", order.order_id),
        Event::MarketRemoved => " the market".to_owned(),
        other => panic!("{other:?} without being asked"),
    });
    let orders: String = orders.collect();
    if orders.is_empty() { "nothing".to_owned() } else { format!("{what}{orders}") }
}

/// Both sides, each as a taker meets it.
fn book(exchange: &Exchange, outcome: &str) -> String {
    let market = exchange.state.market(MARKET).expect("the market is there");
    let outcome = market.outcome_named(outcome).expect("the outcome is there");
    let mut words = String::new();
    for (side, name) in [(Side::Yes, "back"), (Side::No, "lay")] {
        for level in market.levels(outcome, side) {
            let (quantity, orders) = (Money(level.quantity.0), level.orders);
            words += &format!(" {name} {}: {quantity} of {orders},", level.price.odds());
        }
    }
    if words.is_empty() { "empty".to_owned() } else { words.trim_matches([' ', ',']).to_owned() }
}
