//! Scenarios that an independent model worked out, played over gRPC: what clients are told is what they say.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use betex_proto::v1::{
    CancelOrderRequest, CreateMarketRequest, Fill, GetOrderBookRequest, Level, MarketModel, PriceType,
    SubmitOrderRequest,
};
use serde::Deserialize;
use tonic::Code;

use crate::harness::{Client, Running, market, open, submit};

#[derive(Deserialize)]
struct Scenario {
    name: String,
    model: String,
    #[serde(alias = "runners")]
    outcomes: usize,
    synthetic: Option<bool>,
    #[serde(default)]
    max_price_ticks: u32,
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
    #[serde(alias = "runner")]
    outcome: usize,
    side: String,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    price: Option<u32>,
    #[serde(alias = "shares")]
    stake: u64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    status: String,
    remaining: u64,
    cancelled: u64,
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
    #[serde(alias = "runner")]
    outcome: usize,
    side: String,
    #[serde(alias = "odds_x10000", alias = "price_ticks")]
    price: u32,
    #[serde(alias = "shares")]
    stake: u64,
    payout: Option<u64>,
}

#[derive(Deserialize)]
struct Released {
    released: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Levels {
    #[serde(alias = "runner")]
    outcome: usize,
    side: String,
    /// Price, total, orders.
    levels: Vec<(u32, u64, i32)>,
}

/// Where the vectors are: beside the core's tests, or others of their kind in `BETEX_VECTORS`.
fn vectors() -> PathBuf {
    if let Some(folder) = std::env::var_os("BETEX_VECTORS") {
        return folder.into();
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).with_file_name("core").join("tests").join("golden")
}

/// One scenario's market.
struct Player {
    client: Client,
    market_id: String,
    binary: bool,
    max_price_ticks: u32,
    /// Quanta in a unit of the wire.
    unit: u64,
    ids: HashMap<String, u64>,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ten_thousandths(odds: f64) -> u32 {
    (odds * 10_000.0).round() as u32
}

fn other_side(side: &str) -> &'static str {
    match side {
        "BACK" => "LAY",
        "LAY" => "BACK",
        "BUY" => "SELL",
        _ => "BUY",
    }
}

impl Player {
    async fn start(mut client: Client, scenario: &Scenario, number: usize) -> Self {
        let market_id = format!("{number} {}", scenario.name);
        let names: Vec<String> = (0..scenario.outcomes).map(|outcome| outcome.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let binary = scenario.model == "BinaryYes";
        let model = if binary { MarketModel::BinaryYes } else { MarketModel::ExchangeOdds };
        let request = CreateMarketRequest {
            model: model.into(),
            max_price_ticks: scenario.max_price_ticks,
            synthetic_matching: scenario.synthetic,
            ..market(&market_id, &names)
        };
        open(&mut client, request).await;
        let (max_price_ticks, unit) = (scenario.max_price_ticks, if binary { 1 } else { 100 });
        Self { client, market_id, binary, max_price_ticks, unit, ids: HashMap::new() }
    }

    fn name(&self, id: u64) -> String {
        let found = self.ids.iter().find(|(_, known)| **known == id);
        found.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn price(&self, odds: f64, ticks: u32) -> u32 {
        if self.binary { ticks } else { ten_thousandths(odds) }
    }

    async fn submit(&mut self, order: &Submit) -> Expected {
        let price = order.price.map_or(0.0, f64::from);
        let request = SubmitOrderRequest {
            market_id: self.market_id.clone(),
            outcome_id: order.outcome.to_string(),
            side: order.side.clone(),
            price: if self.binary { price } else { price / 10_000.0 },
            price_type: if self.binary { PriceType::Ticks } else { PriceType::DecimalOdds }.into(),
            quantity: order.stake / self.unit,
            order_type: order.kind.clone(),
            user_id: order.account.clone(),
            ..SubmitOrderRequest::default()
        };
        let answer = submit(&mut self.client, request).await;
        self.ids.insert(order.name.clone(), answer.order_id);
        let sum: u64 = answer.fills.iter().map(|fill| fill.taker_quantity).sum();
        assert_eq!(sum, answer.filled_quantity, "{answer:?}");
        let mut trades: Vec<Trade> = Vec::new();
        for legs in answer.fills.chunk_by(|one, next| one.trade_id == next.trade_id) {
            trades.push(self.trade(order, legs));
        }
        // A rejection tells nothing of the quantity, which is all cancelled.
        let rejected = answer.status == "REJECTED";
        Expected {
            status: answer.status,
            remaining: answer.remaining_quantity * self.unit,
            cancelled: if rejected { order.stake } else { answer.cancelled_quantity * self.unit },
            reason: answer.rejection_reason,
            trades,
        }
    }

    /// A trade as its fills tell it: of a set the taker's price is what payout and stake say.
    fn trade(&self, order: &Submit, legs: &[Fill]) -> Trade {
        let synthetic = legs[0].synthetic;
        let side = if synthetic { order.side.as_str() } else { other_side(&order.side) };
        let payout = |payout| (!self.binary).then_some(payout);
        let makers: Vec<Leg> = legs
            .iter()
            .map(|fill| Leg {
                order: self.name(fill.maker_order_id),
                outcome: fill.outcome_id.parse().unwrap(),
                side: side.to_owned(),
                price: self.price(fill.odds, fill.ticks),
                stake: fill.quantity * self.unit,
                payout: payout(fill.payout),
            })
            .collect();
        let stake = legs[0].taker_quantity * self.unit;
        let price = match (synthetic, self.binary) {
            (false, _) => makers[0].price,
            (true, true) => {
                // What the makers leave of the whole.
                self.max_price_ticks - makers.iter().map(|leg| leg.price).sum::<u32>()
            }
            (true, false) => {
                let exact = legs[0].payout * 10_000;
                let odds = if order.side == "BACK" { exact / stake } else { exact.div_ceil(stake) };
                u32::try_from(odds).unwrap()
            }
        };
        let taker = Leg {
            order: order.name.clone(),
            outcome: order.outcome,
            side: order.side.clone(),
            price,
            stake,
            payout: payout(legs[0].payout),
        };
        let kind = if synthetic { "SYNTHETIC" } else { "DIRECT" };
        Trade { kind: kind.to_owned(), taker, makers }
    }

    async fn cancel(&mut self, name: &str) -> u64 {
        let request = CancelOrderRequest {
            market_id: self.market_id.clone(),
            // One that was rejected has none; nor has this.
            order_id: if self.ids[name] == 0 { u64::MAX } else { self.ids[name] },
            ..CancelOrderRequest::default()
        };
        match self.client.cancel_order(request).await {
            Ok(answer) => answer.into_inner().cancelled_quantity * self.unit,
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                0
            }
        }
    }

    async fn book(&mut self, outcomes: usize) -> Vec<Levels> {
        let sides = if self.binary { ["BUY", "SELL"] } else { ["BACK", "LAY"] };
        let mut books = Vec::new();
        for outcome in 0..outcomes {
            let request = GetOrderBookRequest {
                market_id: self.market_id.clone(),
                outcome_id: outcome.to_string(),
                ..GetOrderBookRequest::default()
            };
            let shown = self.client.get_order_book(request).await.unwrap().into_inner();
            for (side, levels) in sides.into_iter().zip([shown.bids, shown.asks]) {
                let level = |level: &Level| {
                    (self.price(level.odds, level.ticks), level.quantity * self.unit, level.order_count)
                };
                let levels: Vec<_> = levels.iter().map(level).collect();
                if !levels.is_empty() {
                    books.push(Levels { outcome, side: side.to_owned(), levels });
                }
            }
        }
        books
    }

    async fn play(&mut self, scenario: &Scenario) {
        for (place, step) in scenario.steps.iter().enumerate() {
            let at = format!("{}, step {place}", scenario.name);
            match step {
                Step::Submit { submit, expect } => assert_eq!(self.submit(submit).await, *expect, "{at}"),
                Step::Cancel { cancel, expect } => {
                    assert_eq!(self.cancel(cancel).await, expect.released, "{at}");
                }
            }
        }
        assert_eq!(self.book(scenario.outcomes).await, scenario.book_after, "{}", scenario.name);
    }
}

/// Plays every scenario of a file, each in a market of its own, all at once.
async fn play(file: &str) {
    let file = vectors().join(file);
    // Past the capture of the test harness: whoever runs the tests is to see how many there were.
    let say = |text: String| {
        writeln!(std::io::stderr(), "golden scenarios over gRPC: {text}").expect("stderr takes it");
    };
    let json = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let scenarios: Vec<Scenario> = serde_json::from_str(&json).expect("the vectors are as their README says");
    assert!(!scenarios.is_empty());
    let server = Running::with(&["--durability", "none"]);
    let client = server.client().await;
    let games = scenarios.iter().enumerate().map(|(number, scenario)| {
        let client = client.clone();
        async move { Player::start(client, scenario, number).await.play(scenario).await }
    });
    futures::future::join_all(games).await;
    let steps: usize = scenarios.iter().map(|scenario| scenario.steps.len()).sum();
    say(format!("{} of {} played ({steps} steps)", scenarios.len(), file.display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn markets_at_odds() {
    play("exchange_odds.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_markets() {
    play("binary_yes.json").await;
}
