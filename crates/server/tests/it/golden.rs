//! Scenarios that an independent model worked out, played over gRPC: answers, streams and books are what they
//! say, exact stakes and fractions of a penny included.

mod format;

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use betex_proto::v1::market_update::Update;
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_proto::v1::{
    CancelOrderRequest, CreateMarketRequest, Fill, GetOrderBookRequest, GetOrderBookResponse, Level,
    MarketModel, MarketUpdate, MatchEvent, PriceType, SubmitOrderRequest, SubscribeMarketRequest,
};
use tonic::{Code, Streaming};

use self::format::{Expected, Leg, Levels, Scenario, Step, Submit, Trade};
use crate::audit::Audit;
use crate::harness::{Client, Running, market, next, open, submit};
use crate::trading::Replica;

/// Of these many outcomes, or fewer, the virtual levels of all are given; otherwise of the first two.
const ALL_VIRTUAL_MAX: usize = 8;
/// So many virtual levels of a side are given.
const VIRTUAL_LEVELS: usize = 3;

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
    stream: Streaming<MarketUpdate>,
    audit: Audit,
    replica: Replica,
}

/// A leg: its trade, its maker (0: it is the taker's own), its quantity, its exact stake, its payout.
type Amounts = (u64, u64, u64, i64, u64);

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
    async fn start(mut client: Client, mut listener: Client, scenario: &Scenario, number: usize) -> Self {
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
        let subscription = SubscribeMarketRequest { market_id: market_id.clone(), ..Default::default() };
        Self {
            client,
            market_id,
            binary,
            max_price_ticks: scenario.max_price_ticks,
            unit: if binary { 1 } else { 100 },
            ids: HashMap::new(),
            stream: listener.subscribe_market(subscription).await.unwrap().into_inner(),
            audit: Audit::default(),
            replica: Replica::default(),
        }
    }

    /// Hears the stream up to the end of this transaction; the legs in it.
    async fn hear(&mut self, sequence: u64) -> Vec<MatchEvent> {
        let mut legs = Vec::new();
        loop {
            let update = next(&mut self.stream).await.unwrap();
            if matches!(update.update, Some(Update::Heartbeat(_))) {
                continue;
            }
            self.audit.hear(&update);
            self.replica.hear(&update);
            let ends = update.ends_transaction && update.sequence >= sequence;
            if let Some(Update::MatchEvent(leg)) = update.update {
                legs.push(leg);
            }
            if ends {
                return legs;
            }
        }
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
        // A rejection tells nothing of the quantity, which is all cancelled, and streams do not tell of it.
        let rejected = answer.status == "REJECTED";
        if !rejected {
            let told = self.hear(answer.sequence).await;
            assert_eq!(of_match_events(&told), of_fills(&answer.fills), "{answer:?}");
        }
        let mut trades: Vec<Trade> = Vec::new();
        for legs in answer.fills.chunk_by(|one, next| one.trade_id == next.trade_id) {
            trades.push(self.trade(order, legs));
        }
        // The last leg of a maker is the one that filled it, if it is filled.
        let mut seen = HashSet::new();
        for leg in trades.iter_mut().rev().flat_map(|trade| &mut trade.makers) {
            if seen.insert(leg.order.clone()) {
                leg.dust = self.audit.dust(self.ids[&leg.order]);
            }
        }
        let left = self.audit.left(answer.order_id);
        Expected {
            status: answer.status,
            remaining: answer.remaining_quantity * self.unit,
            left: (!left.is_multiple_of(self.unit)).then_some(left),
            dust: self.audit.dust(answer.order_id),
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
        let quantity = |quantity| (synthetic && !self.binary).then_some(quantity);
        let exact = |stake| u64::try_from(stake).unwrap();
        let makers: Vec<Leg> = legs
            .iter()
            .map(|fill| Leg {
                order: self.name(fill.maker_order_id),
                outcome: fill.outcome_id.parse().unwrap(),
                side: side.to_owned(),
                price: self.price(fill.odds, fill.ticks),
                stake: exact(fill.stake),
                payout: payout(fill.payout),
                quantity: quantity(fill.quantity),
                dust: 0,
            })
            .collect();
        let stake = exact(legs[0].taker_stake);
        let price = match (synthetic, self.binary) {
            (false, _) => makers[0].price,
            (true, true) => {
                // What the makers leave of the whole.
                self.max_price_ticks - makers.iter().map(|leg| leg.price).sum::<u32>()
            }
            (true, false) => {
                let paid = u128::from(legs[0].payout) * 10_000;
                let stake = u128::from(stake);
                let odds = if order.side == "BACK" { paid / stake } else { paid.div_ceil(stake) };
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
            quantity: quantity(legs[0].taker_quantity),
            dust: 0,
        };
        let kind = if synthetic { "SYNTHETIC" } else { "DIRECT" };
        Trade { kind: kind.to_owned(), taker, makers }
    }

    async fn cancel(&mut self, name: &str, keep: u64) -> u64 {
        let request = CancelOrderRequest {
            market_id: self.market_id.clone(),
            // One that was rejected has none; nor has this.
            order_id: if self.ids[name] == 0 { u64::MAX } else { self.ids[name] },
            keep_quantity: keep / self.unit,
            ..CancelOrderRequest::default()
        };
        match self.client.cancel_order(request).await.map(tonic::Response::into_inner) {
            Ok(answer) => {
                // Where nothing changes, there is nothing to hear of.
                if answer.cancelled_quantity > 0 {
                    self.hear(answer.sequence).await;
                }
                assert_eq!(self.audit.left(self.ids[name]) / self.unit, answer.remaining_quantity);
                answer.cancelled_quantity * self.unit
            }
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                0
            }
        }
    }

    /// The books of all outcomes, with virtual levels.
    async fn books(&mut self, outcomes: usize) -> Vec<GetOrderBookResponse> {
        let mut books = Vec::new();
        for outcome in 0..outcomes {
            let request = GetOrderBookRequest {
                market_id: self.market_id.clone(),
                outcome_id: outcome.to_string(),
                depth: 0,
                include_synthetic: true,
            };
            books.push(self.client.get_order_book(request).await.unwrap().into_inner());
        }
        books
    }

    /// Some levels of each side, sides without any left out.
    fn levels<L>(
        &self,
        books: &[GetOrderBookResponse],
        sides: impl Fn(&GetOrderBookResponse) -> [&[Level]; 2],
        show: impl Fn(u32, u64, i32) -> L,
    ) -> Vec<Levels<L>> {
        let mut shown = Vec::new();
        for (outcome, book) in books.iter().enumerate() {
            let names = if self.binary { ["BUY", "SELL"] } else { ["BACK", "LAY"] };
            for (side, levels) in names.into_iter().zip(sides(book)).filter(|(_, levels)| !levels.is_empty())
            {
                let level = |level: &Level| {
                    show(self.price(level.odds, level.ticks), level.quantity * self.unit, level.order_count)
                };
                let levels = levels.iter().map(level).collect();
                shown.push(Levels { outcome, side: side.to_owned(), levels });
            }
        }
        shown
    }

    /// The books after the last step: those that GetOrderBook shows, and those that the stream adds up to.
    async fn check_books(&mut self, scenario: &Scenario) {
        let name = &scenario.name;
        let books = self.books(scenario.outcomes).await;
        let resting = self.levels(
            &books,
            |book| [&book.bids, &book.asks],
            |price, total, orders| (price, total, orders),
        );
        assert_eq!(resting, scenario.book_after, "{name}");
        let mut shown = Replica::default();
        books.iter().for_each(|book| shown.show(book));
        assert_eq!(self.replica, shown, "{name}: the stream's book");
        if !self.binary {
            assert_eq!(self.audit.book(), shown, "{name}: the orders of the book");
        }
        let Some(expected) = &scenario.virtual_after else { return };
        let with_virtual = if books.len() > ALL_VIRTUAL_MAX { &books[..2] } else { &books[..] };
        let found = self.levels(with_virtual, best_virtual, |price, total, _| (price, total));
        assert_eq!(found, *expected, "{name}: virtual levels");
    }

    async fn play(&mut self, scenario: &Scenario) {
        for (place, step) in scenario.steps.iter().enumerate() {
            let at = format!("{}, step {place}", scenario.name);
            match step {
                Step::Submit { submit, expect } => assert_eq!(self.submit(submit).await, *expect, "{at}"),
                Step::Cancel { cancel, keep, expect } => {
                    assert_eq!(self.cancel(cancel, *keep).await, expect.released, "{at}");
                }
            }
        }
        self.check_books(scenario).await;
    }
}

fn best_virtual(book: &GetOrderBookResponse) -> [&[Level]; 2] {
    [&book.virtual_bids, &book.virtual_asks].map(|levels| &levels[..levels.len().min(VIRTUAL_LEVELS)])
}

/// The legs in an answer: of a set the taker's own, then the makers'.
fn of_fills(fills: &[Fill]) -> Vec<Amounts> {
    let mut told = Vec::new();
    for legs in fills.chunk_by(|one, next| one.trade_id == next.trade_id) {
        let first = &legs[0];
        if first.synthetic {
            told.push((first.trade_id, 0, first.taker_quantity, first.taker_stake, first.payout));
            assert!(legs[1..].iter().all(|leg| (leg.taker_quantity, leg.taker_stake) == (0, 0)), "{legs:?}");
        } else {
            assert_eq!((first.taker_quantity, first.taker_stake), (first.quantity, first.stake));
        }
        let leg = |leg: &Fill| (leg.trade_id, leg.maker_order_id, leg.quantity, leg.stake, leg.payout);
        told.extend(legs.iter().map(leg));
    }
    told
}

/// The same legs in a stream.
fn of_match_events(legs: &[MatchEvent]) -> Vec<Amounts> {
    let leg = |leg: &MatchEvent| (leg.trade_id, leg.maker_order_id, leg.quantity, leg.stake, leg.payout);
    legs.iter().map(leg).collect()
}

/// Plays every scenario of a file, each in a market of its own, all at once.
async fn play(file: &str) {
    let file = vectors().join(file);
    // Past the capture of the test harness, so that every run shows how many there were.
    let say = |text: String| {
        writeln!(std::io::stderr(), "golden scenarios over gRPC: {text}").expect("stderr takes it");
    };
    let json = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let scenarios: Vec<Scenario> = serde_json::from_str(&json).expect("the vectors are as their README says");
    assert!(!scenarios.is_empty());
    let server = Running::with(&["--durability", "none"]);
    let client = server.client().await;
    // Streams on a connection of their own, with room for what waits to be heard: answers must not wait for it.
    let roomy = server.endpoint().initial_stream_window_size(1 << 20).initial_connection_window_size(1 << 28);
    let listener = OrderBookServiceClient::new(roomy.connect().await.unwrap());
    let games = scenarios.iter().enumerate().map(|(number, scenario)| {
        let (client, listener) = (client.clone(), listener.clone());
        async move { Player::start(client, listener, scenario, number).await.play(scenario).await }
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
