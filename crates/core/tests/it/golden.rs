//! Scenarios that an independent model worked out, played by the core and by its twin.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderPrice};
use betex_core::decide::Receipt;
use betex_core::event::{Event, OutcomeIndex};
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, OrderStatus, Price, Quantity, RunnerId, Side,
};
use betex_naive as naive;
use serde::Deserialize;

use crate::exchange::{Exchange, MARKET};

#[derive(Deserialize)]
struct Scenario {
    name: String,
    model: String,
    #[serde(default)]
    outcomes: u64,
    synthetic: bool,
    stake_increment: i64,
    steps: Vec<Step>,
    book_after: Vec<Levels>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Submit { submit: Submit, expect: Expected },
    Cancel { cancel: String, expect: Released },
}

#[derive(Deserialize)]
struct Submit {
    #[serde(rename = "ref")]
    name: String,
    account: String,
    outcome: u16,
    side: BackOrLay,
    odds_x10000: Option<u32>,
    stake: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum BackOrLay {
    Back,
    Lay,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    status: String,
    remaining: i64,
    cancelled: i64,
    #[serde(default)]
    reason: String,
    trades: Vec<Trade>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Trade {
    kind: String,
    taker: Leg,
    makers: Vec<Leg>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Leg {
    order: String,
    outcome: u16,
    side: BackOrLay,
    odds_x10000: u32,
    stake: i64,
    payout: i64,
}

#[derive(Deserialize)]
struct Released {
    released: i64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Levels {
    outcome: u16,
    side: BackOrLay,
    /// Price, total, orders.
    levels: Vec<(u32, i64, u32)>,
}

impl BackOrLay {
    const fn side(self) -> Side {
        match self {
            Self::Back => Side::Yes,
            Self::Lay => Side::No,
        }
    }

    const fn twin(self) -> naive::Side {
        match self {
            Self::Back => naive::Side::Back,
            Self::Lay => naive::Side::Lay,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Back => Self::Lay,
            Self::Lay => Self::Back,
        }
    }
}

/// Where the vectors are: in `BETEX_VECTORS`, or beside the checkout.
fn vectors() -> PathBuf {
    if let Some(folder) = std::env::var_os("BETEX_VECTORS") {
        return folder.into();
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let beside = Path::new(&package).ancestors().nth(3).unwrap_or(Path::new(""));
    ["shared", "vectors"].iter().fold(beside.to_owned(), |path, part| path.join(part))
}

/// What both players of a scenario can do.
trait Player {
    fn submit(&mut self, order: &Submit) -> Expected;
    fn cancel(&mut self, name: &str) -> i64;
    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)>;
}

/// The legs of a direct trade: the taker's is the maker's seen from the other side.
fn direct(taker: &Submit, maker: String, odds_x10000: u32, stake: i64, payout: i64) -> Trade {
    let leg = |order: String, side| Leg { order, outcome: taker.outcome, side, odds_x10000, stake, payout };
    let makers = vec![leg(maker, taker.side.other())];
    Trade { kind: "DIRECT".into(), taker: leg(taker.name.clone(), taker.side), makers }
}

fn rejected(order: &Submit, reason: &str) -> Expected {
    let (status, reason) = ("REJECTED".into(), reason.into());
    Expected { status, remaining: 0, cancelled: order.stake, reason, trades: vec![] }
}

struct Core {
    exchange: Exchange,
    ids: HashMap<String, OrderId>,
}

impl Core {
    fn new(scenario: &Scenario) -> Self {
        let mut exchange = Exchange { suspicious: true, ..Exchange::default() };
        exchange.create(NewMarket {
            state: BookMarketState::Open,
            synthetic: scenario.synthetic,
            increment: Quantity(scenario.stake_increment),
            ..NewMarket::new("golden", (0..scenario.outcomes).map(|n| n.to_string()))
        });
        Self { exchange, ids: HashMap::new() }
    }

    fn account(&mut self, name: &str) -> AccountId {
        if name.is_empty() {
            return AccountId::NONE;
        }
        match self.exchange.run(MarketId::NONE, &CommandKind::RegisterAccount { name: name.into() }) {
            Ok((Receipt::Account(account), _)) => account,
            other => panic!("{other:?}"),
        }
    }

    fn name(&self, id: OrderId) -> String {
        let found = self.ids.iter().find(|(_, known)| **known == id);
        found.map(|(name, _)| name.clone()).unwrap_or_default()
    }
}

impl Player for Core {
    fn submit(&mut self, order: &Submit) -> Expected {
        let (runner, side, quantity) =
            (RunnerId(u64::from(order.outcome) + 1), order.side.side(), Quantity(order.stake));
        let mut new = match order.odds_x10000 {
            Some(odds) => NewOrder::limit(runner, side, Price(odds), quantity),
            None => NewOrder::market(runner, side, quantity),
        };
        assert_eq!(matches!(new.price, OrderPrice::Market { .. }), order.kind == "MARKET");
        new.account_id = self.account(&order.account);
        match self.exchange.submit(new) {
            Err(Rejection::SelfTrade) => rejected(order, "SELF_TRADE"),
            Ok((Receipt::Order { report, reason }, events)) => {
                self.ids.insert(order.name.clone(), report.order_id);
                let trades = events.iter().filter_map(|event| match event {
                    Event::TradeMatched(t) => {
                        let maker = self.name(t.maker_order_id);
                        Some(direct(order, maker, t.price.0, t.quantity.0, t.payout.0))
                    }
                    _ => None,
                });
                Expected {
                    status: report.status.name().into(),
                    remaining: report.remaining.0,
                    cancelled: report.cancelled().0,
                    reason: reason.map_or("", |reason| reason.name()).into(),
                    trades: trades.collect(),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn cancel(&mut self, name: &str) -> i64 {
        let id = self.ids.get(name).map_or(0, |id| id.0);
        match self.exchange.cancel(id, 0) {
            Ok((Receipt::Cancelled { report, cancelled }, _)) => {
                assert_eq!(report.status, OrderStatus::Cancelled);
                cancelled.0
            }
            Err(Rejection::OrderNotFound(_)) => 0,
            other => panic!("{other:?}"),
        }
    }

    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)> {
        let market = self.exchange.state.market(MARKET).expect("the market is there");
        let levels = market.levels(OutcomeIndex(outcome), side.side());
        levels.map(|level| (level.price.0, level.quantity.0, level.orders)).collect()
    }
}

struct Twin {
    market: naive::Market,
    /// The orders by their number less one.
    names: Vec<String>,
}

impl Player for Twin {
    fn submit(&mut self, order: &Submit) -> Expected {
        let taken = self.market.submit(
            0,
            &naive::NewOrder {
                account: order.account.bytes().fold(0, |id, byte| id * 256 + u64::from(byte)),
                client_id: None,
                outcome: usize::from(order.outcome),
                side: order.side.twin(),
                price: order.odds_x10000.map_or(naive::Price::Market(None), naive::Price::Limit),
                stake: order.stake,
                lasting: naive::Lasting::UntilCancelled,
            },
        );
        let answer = match taken {
            Err(naive::Refusal::SelfTrade) => return rejected(order, "SELF_TRADE"),
            other => other.expect("a valid order"),
        };
        self.names.push(order.name.clone());
        let name = |number: u64| self.names[usize::try_from(number).expect("small") - 1].clone();
        let trades = answer.trades.iter().map(|trade| {
            let payout = i64::try_from(trade.payout).expect("small");
            direct(order, name(trade.maker), trade.odds, trade.stake, payout)
        });
        Expected {
            status: match answer.status {
                naive::Status::Resting => "RESTING",
                naive::Status::PartiallyFilled => "PARTIALLY_FILLED",
                naive::Status::Filled => "FILLED",
                naive::Status::Cancelled | naive::Status::Expired => "CANCELLED",
            }
            .into(),
            remaining: answer.remaining,
            cancelled: order.stake - answer.filled - answer.remaining,
            reason: match answer.reason {
                None | Some(naive::Reason::NeverRests) => "",
                Some(naive::Reason::SelfTrade) => "SELF_TRADE",
                Some(naive::Reason::OrderLimit) => "ORDER_LIMIT",
            }
            .into(),
            trades: trades.collect(),
        }
    }

    fn cancel(&mut self, name: &str) -> i64 {
        let number = self.names.iter().zip(1..).find(|(known, _)| *known == name);
        number.map_or(0, |(_, number)| self.market.cancel(number, 0, 0).unwrap_or(0))
    }

    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)> {
        let queue = self.market.queue(usize::from(outcome), side.twin());
        let mut levels: Vec<(u32, i64, u32)> = Vec::new();
        for order in queue {
            match levels.last_mut().filter(|level| level.0 == order.odds) {
                Some(level) => (level.1, level.2) = (level.1 + order.remaining, level.2 + 1),
                None => levels.push((order.odds, order.remaining, 1)),
            }
        }
        levels
    }
}

fn play(scenario: &Scenario, player: &mut dyn Player) {
    for (place, step) in scenario.steps.iter().enumerate() {
        let at = format!("{}, step {place}", scenario.name);
        match step {
            Step::Submit { submit, expect } => assert_eq!(player.submit(submit), *expect, "{at}"),
            Step::Cancel { cancel, expect } => assert_eq!(player.cancel(cancel), expect.released, "{at}"),
        }
    }
    let mut book = Vec::new();
    for outcome in (0..).take_while(|outcome| u64::from(*outcome) < scenario.outcomes) {
        for side in [BackOrLay::Back, BackOrLay::Lay] {
            let levels = player.levels(outcome, side);
            if !levels.is_empty() {
                book.push(Levels { outcome, side, levels });
            }
        }
    }
    assert_eq!(book, scenario.book_after, "{}", scenario.name);
}

#[test]
fn golden_scenarios_of_direct_matching() {
    let file = vectors().join("exchange_odds.json");
    // Past the capture of the test harness: whoever runs the tests is to see what was not run.
    let say =
        |text: String| writeln!(std::io::stderr(), "golden scenarios: {text}").expect("stderr takes it");
    let json = match std::fs::read_to_string(&file) {
        Ok(json) => json,
        Err(error) => {
            say(format!("SKIPPED, {} cannot be read ({error}); set BETEX_VECTORS", file.display()));
            return;
        }
    };
    let scenarios: Vec<Scenario> = serde_json::from_str(&json).expect("the vectors are as their README says");
    let (mut played, mut steps) = (0, 0);
    for scenario in scenarios.iter().filter(|scenario| !scenario.synthetic) {
        assert_eq!(scenario.model, "ExchangeOdds");
        play(scenario, &mut Core::new(scenario));
        let outcomes = usize::try_from(scenario.outcomes).expect("few");
        let market = naive::Market { increment: scenario.stake_increment, ..naive::Market::new(outcomes) };
        play(scenario, &mut Twin { market, names: Vec::new() });
        played += 1;
        steps += scenario.steps.len();
    }
    assert!(played > 0, "{} has no scenario of direct matching", file.display());
    let others = scenarios.len() - played;
    say(format!("{played} of direct matching played ({steps} steps), {others} with sets left for later"));
}
