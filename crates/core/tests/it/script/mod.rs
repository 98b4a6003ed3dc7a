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
//! `a back Home_-0.25 2.50 10 fok:5 post stp:reject persist` says what else an order may be; `buy` and
//! `sell` are `back` and `lay` in a market of ticks, where prices are ticks and quantities shares. A set is
//! told with its makers: `set 10.00@2.00 pays 20.00 (5.00@4.00#1 5.00@4.00#2)`.
//!
//! Accounts are letters, `-` is nobody. Amounts are currency units, times are milliseconds.

mod words;

use std::fmt::Write;

use betex_core::command::{CommandKind, MassCancel, NewMarket, NewOrder, NewRunner, OrderPrice, OrderRef};
use betex_core::ladder::Ladder;
use betex_core::reject::{Rejection, RejectionClass};
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, Hold, MarketPhase, OrderId, Persistence, Price, Quantity,
    RunnerId, SelfTradePrevention, Side, TimeInForce,
};
use betex_core::view::Selection;

use self::words::{Units, book, events_in_words, in_words, report};
use crate::exchange::{Exchange, MARKET};

/// Plays a script against one open market of three outcomes; answers with what is there in the end.
#[track_caller]
pub(crate) fn check(script: &str) -> Exchange {
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::open() };
    play(&mut exchange, script);
    let replayed = exchange.replay(exchange.log.len());
    assert_eq!(replayed.digest(), exchange.state.digest(), "replay is the state");
    exchange
}

/// Plays a script against a market that its first line describes: `market odds Home Away`, `market finest
/// Home_0.0 Home_-0.5`, `market ticks:10000 YES NO`; before the outcomes `no-sets` and `independent`.
#[track_caller]
pub(crate) fn check_market(script: &str) -> Exchange {
    let (market, script) = script.trim_start().split_once('\n').expect("a market, then a script");
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::default() };
    exchange.create(described(market));
    play(&mut exchange, script);
    let replayed = exchange.replay(exchange.log.len());
    assert_eq!(replayed.digest(), exchange.state.digest(), "replay is the state");
    exchange
}

fn described(line: &str) -> NewMarket {
    let mut words = line.split_whitespace().skip(1).peekable();
    let ladder = words.next().expect("a ladder");
    let (no_sets, independent) = (words.next_if_eq(&"no-sets"), words.next_if_eq(&"independent"));
    let market = match ladder.strip_prefix("ticks:") {
        Some(ticks) => NewMarket::binary("", ticks.parse().expect("ticks"), words),
        None => NewMarket {
            ladder: if ladder == "finest" { Ladder::Finest } else { Ladder::Classic },
            ..NewMarket::new("", words)
        },
    };
    NewMarket {
        state: BookMarketState::Open,
        synthetic: no_sets.is_none(),
        independent: independent.is_some(),
        ..market
    }
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
        [account, "cancel", order, ref rest @ ..] => cancel(Units::of(exchange), account, order, rest),
        [account, side, outcome, price, stake, ref rest @ ..] => {
            CommandKind::SubmitOrder(order(exchange, [account, side, outcome, price, stake], rest))
        }
        _ => panic!("no command: {asked}"),
    };
    match exchange.run(MARKET, &kind) {
        Ok((receipt, events)) => in_words(Units::of(exchange), &receipt, &events),
        Err(Rejection::DuplicateClientId(first)) => {
            format!("DUPLICATE_CLIENT_ID {}", report(Units::of(exchange), &first))
        }
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

fn client_id(word: &str) -> ClientOrderId {
    ClientOrderId::new(word).expect("a short id")
}

fn cancel(units: Units, who: &str, order: &str, rest: &[&str]) -> CommandKind {
    let order = match order.strip_prefix("id:") {
        Some(id) => OrderRef::Client(client_id(id)),
        None => OrderRef::Id(OrderId(order.parse().expect("an order id"))),
    };
    let keep = match *rest {
        ["keep", keep] => units.read(keep),
        _ => 0,
    };
    CommandKind::CancelOrder { order, account_id: account(who), keep: Quantity(keep) }
}

fn order(exchange: &Exchange, words: [&str; 5], rest: &[&str]) -> NewOrder {
    let [who, side, outcome, at, stake] = words;
    let units = Units::of(exchange);
    let side = if matches!(side, "back" | "buy") { Side::Yes } else { Side::No };
    let market = exchange.state.market(MARKET).expect("the market is there");
    let (near, far) = match market.selection(outcome) {
        Some(Selection::Quarter { near, far }) => (near, far),
        Some(Selection::Outcome(runner)) => (runner, RunnerId::NONE),
        None => (runner(exchange, outcome), RunnerId::NONE),
    };
    let mut order = NewOrder {
        far_runner_id: far,
        account_id: account(who),
        price: match at.strip_prefix("mkt") {
            Some("") => OrderPrice::Market { worst: None },
            Some(worst) => {
                OrderPrice::Market { worst: Some(units.read_price(worst.trim_start_matches(':'))) }
            }
            None => OrderPrice::Limit(units.read_price(at)),
        },
        ..NewOrder::limit(near, side, Price(0), Quantity(units.read(stake)))
    };
    for word in rest {
        let fok = |min_fill| TimeInForce::Fok { min_fill: Quantity(min_fill) };
        match word.split_once(':') {
            None if *word == "persist" => order.persistence = Persistence::Persist,
            None if *word == "ioc" => order.time_in_force = TimeInForce::Ioc,
            None if *word == "fok" => order.time_in_force = fok(0),
            None if *word == "post" => order.post_only = true,
            Some(("fok", min)) => order.time_in_force = fok(units.read(min)),
            Some(("gtd", ms)) => {
                order.time_in_force = TimeInForce::Gtd { expiry_ms: ms.parse().expect("milliseconds") };
            }
            Some(("id", id)) => order.client_order_id = Some(client_id(id)),
            Some(("stp", "reject")) => order.self_trade = SelfTradePrevention::Reject,
            Some(("stp", "cancel-resting")) => order.self_trade = SelfTradePrevention::CancelResting,
            Some(("stp", "cancel-taker")) => order.self_trade = SelfTradePrevention::CancelTaker,
            _ => panic!("no word for an order: {word}"),
        }
    }
    order
}
