//! Mutated requests, decoded from their bytes and put to the service as if they had come over the wire.

use std::fmt::Debug;
use std::sync::Arc;

use betex_core::state::State;
use betex_fuzz::{Corpus, Dice, run};
use betex_journal::{FileStorage, JournalOptions};
use betex_proto::v1::order_book_service_server::OrderBookService as _;
use betex_proto::v1::{self, MarketLifecycleRequest};
use futures::StreamExt as _;
use prost::Message;
use prost::encoding::{decode_varint, encode_varint};
use tonic::{Code, Request, Response, Status};

use super::Grpc;
use crate::exchange::Exchange;
use crate::options::{Durability, Options};
use crate::server::start_engine;
use crate::stream::hub::Hub;

/// Requests that each market sees.
const REQUESTS_PER_MARKET: usize = 24;
/// Decoding a byte takes so many at most: an empty name in a list is two bytes, and a string while its list grows.
const MEMORY_PER_BYTE: u64 = 64;
/// Updates that are looked at of a stream.
const UPDATES: usize = 8;

/// The methods, each with a real request for a market.
fn seeds(key: &str) -> Vec<(Method, Vec<u8>)> {
    let market_id = || key.to_owned();
    let lifecycle = MarketLifecycleRequest { market_id: market_id(), reason: "fuzz".into() };
    let order = |side: &str, price| v1::SubmitOrderRequest {
        market_id: market_id(),
        outcome_id: "Home".into(),
        side: side.into(),
        order_type: "LIMIT".into(),
        price,
        price_type: v1::PriceType::DecimalOdds.into(),
        quantity: 200,
        user_id: if side == "BACK" { "anna".into() } else { "ben".into() },
        client_order_id: format!("{side}-{price}"),
        ..v1::SubmitOrderRequest::default()
    };
    let gtd = v1::SubmitOrderRequest {
        time_in_force: v1::TimeInForce::Gtd.into(),
        expiry_ms: u64::MAX / 4,
        post_only: true,
        ..order("BACK", 9.0)
    };
    let fok = v1::SubmitOrderRequest {
        time_in_force: v1::TimeInForce::Fok.into(),
        min_fill_quantity: 100,
        self_trade_prevention: v1::SelfTradePrevention::CancelResting.into(),
        ..order("LAY", 3.0)
    };
    let market_order =
        v1::SubmitOrderRequest { order_type: "MARKET".into(), price: 0.0, ..order("LAY", 0.0) };
    let new_market = v1::CreateMarketRequest {
        market_id: format!("{key} again"),
        name: "Cup".into(),
        outcomes: ["Home_-0.5", "Away_+0.5"].map(String::from).to_vec(),
        ..v1::CreateMarketRequest::default()
    };
    let binary = v1::CreateMarketRequest {
        market_id: format!("{key} in ticks"),
        model: v1::MarketModel::BinaryYes.into(),
        max_price_ticks: 100,
        outcomes: ["Yes", "No"].map(String::from).to_vec(),
        ..v1::CreateMarketRequest::default()
    };
    let phase = v1::SetMarketPhaseRequest {
        market_id: market_id(),
        phase: "PRE_AWAIT_LIVE".into(),
        reason: String::new(),
    };
    let add =
        v1::AddOutcomesRequest { market_id: market_id(), outcomes: vec!["Third".into(), "Fourth".into()] };
    let remove = v1::RemoveOutcomeRequest {
        market_id: market_id(),
        outcome_id: "Draw".into(),
        reduction_factor: 1_250,
        reason: "lame".into(),
    };
    let void = v1::VoidTradesRequest {
        market_id: market_id(),
        trade_ids: vec![7, 9],
        ..v1::VoidTradesRequest::default()
    };
    let window =
        v1::VoidTradesRequest { trade_ids: Vec::new(), from_ns: 1, until_ns: u64::MAX, ..void.clone() };
    let cancel = v1::CancelOrderRequest {
        market_id: market_id(),
        user_id: "anna".into(),
        client_order_id: "BACK-2".into(),
        keep_quantity: 100,
        ..v1::CancelOrderRequest::default()
    };
    let mass = v1::CancelOrdersRequest { market_id: market_id(), ..v1::CancelOrdersRequest::default() };
    let of_user = v1::CancelOrdersRequest { user_id: "ben".into(), ..v1::CancelOrdersRequest::default() };
    let book = v1::GetOrderBookRequest {
        market_id: market_id(),
        outcome_id: "Home".into(),
        ..v1::GetOrderBookRequest::default()
    };
    let subscribe = v1::SubscribeMarketRequest {
        market_id: market_id(),
        from_sequence: 1,
        ..v1::SubscribeMarketRequest::default()
    };
    let mut seeds = vec![
        (Method::CreateMarket, new_market.encode_to_vec()),
        (Method::CreateMarket, binary.encode_to_vec()),
        (Method::SetPhase, phase.encode_to_vec()),
        (Method::AddOutcomes, add.encode_to_vec()),
        (Method::RemoveOutcome, remove.encode_to_vec()),
        (Method::VoidTrades, void.encode_to_vec()),
        (Method::VoidTrades, window.encode_to_vec()),
        (Method::CancelOrder, cancel.encode_to_vec()),
        (Method::CancelOrders, mass.encode_to_vec()),
        (Method::CancelOrders, of_user.encode_to_vec()),
        (Method::GetOrderBook, book.encode_to_vec()),
        (Method::Subscribe, subscribe.encode_to_vec()),
    ];
    let orders = [order("BACK", 2.0), order("LAY", 2.0), order("LAY", 1.5), gtd, fok, market_order];
    seeds.extend(orders.map(|order| (Method::SubmitOrder, order.encode_to_vec())));
    let steps =
        [Method::Open, Method::Suspend, Method::Halt, Method::Resume, Method::Deactivate, Method::Activate];
    seeds.extend(steps.map(|step| (step, lifecycle.encode_to_vec())));
    seeds.push((Method::Close, lifecycle.encode_to_vec()));
    seeds
}

#[derive(Clone, Copy, Debug)]
enum Method {
    CreateMarket,
    Open,
    Suspend,
    Close,
    Halt,
    Resume,
    Deactivate,
    Activate,
    SetPhase,
    AddOutcomes,
    RemoveOutcome,
    VoidTrades,
    CancelOrders,
    SubmitOrder,
    CancelOrder,
    GetOrderBook,
    Subscribe,
}

/// Calls a method with a request of these bytes; whether it was one, and was answered with more than a refusal.
async fn call(grpc: &Grpc, method: Method, bytes: &[u8]) -> bool {
    macro_rules! ask {
        ($method:ident) => {
            match decode(bytes) {
                Some(request) => judge(grpc.$method(Request::new(request)).await),
                None => false,
            }
        };
    }
    match method {
        Method::CreateMarket => ask!(create_market),
        Method::Open => ask!(open_market),
        Method::Suspend => ask!(suspend_market),
        Method::Close => ask!(close_market),
        Method::Halt => ask!(halt_market),
        Method::Resume => ask!(resume_market),
        Method::Deactivate => ask!(deactivate_market),
        Method::Activate => ask!(activate_market),
        Method::SetPhase => ask!(set_market_phase),
        Method::AddOutcomes => ask!(add_outcomes),
        Method::RemoveOutcome => ask!(remove_outcome),
        Method::VoidTrades => ask!(void_trades),
        Method::CancelOrders => ask!(cancel_orders),
        Method::SubmitOrder => ask!(submit_order),
        Method::CancelOrder => ask!(cancel_order),
        Method::GetOrderBook => ask!(get_order_book),
        Method::Subscribe => match decode(bytes) {
            Some(request) => subscribed(grpc.subscribe_market(Request::new(request)).await).await,
            None => false,
        },
    }
}

/// The request of these bytes, if they are one: it means the same however often it is written and read.
fn decode<T: Message + Default + Debug>(bytes: &[u8]) -> Option<T> {
    let mut decoded = None;
    let memory = allocation_counter::measure(|| decoded = T::decode(bytes).ok()).bytes_max;
    assert!(memory <= 4_096 + MEMORY_PER_BYTE * bytes.len() as u64, "{memory} bytes for {}", bytes.len());
    let decoded = decoded?;
    // In bytes: a price that is not a number is not equal to itself.
    let written = decoded.encode_to_vec();
    let again = T::decode(&*written).expect("what was written is read");
    assert!(again.encode_to_vec() == written, "{decoded:?} becomes {again:?}");
    Some(decoded)
}

fn judge<T: Message + Default + PartialEq + Debug>(answer: Result<Response<T>, Status>) -> bool {
    match answer {
        Ok(answer) => {
            let answer = answer.into_inner();
            assert_eq!(
                T::decode(&*answer.encode_to_vec()).as_ref(),
                Ok(&answer),
                "an answer that is read otherwise"
            );
            true
        }
        Err(status) => {
            is_in_words(&status);
            false
        }
    }
}

/// Refused for what it asks, and not because something went wrong here; with a code word and a sentence.
fn is_in_words(status: &Status) {
    let (code, message) = (status.code(), status.message());
    let fault =
        matches!(code, Code::Internal | Code::Unknown | Code::Unavailable | Code::DataLoss | Code::Ok);
    assert!(!fault, "{code:?}: {message}");
    let word = message.split_once(": ").map_or("", |(word, _)| word);
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    assert!(is_word && message.len() > word.len() + 2, "{code:?}: {message}");
}

/// Looks at what a stream begins with.
async fn subscribed(answer: Result<Response<super::subscribe::Updates>, Status>) -> bool {
    let mut updates = match answer {
        Ok(updates) => updates.into_inner(),
        Err(status) => {
            is_in_words(&status);
            return false;
        }
    };
    for _ in 0..UPDATES {
        match tokio::time::timeout(std::time::Duration::from_millis(5), updates.next()).await {
            Ok(Some(Err(status))) => is_in_words(&status),
            Ok(Some(Ok(_))) => (),
            Ok(None) | Err(_) => break,
        }
    }
    true
}

/// A market for a run of requests: open, with three outcomes.
async fn set_up(grpc: &Grpc, key: &str) {
    let outcomes = ["Home", "Draw", "Away"].map(String::from).to_vec();
    let create =
        v1::CreateMarketRequest { market_id: key.into(), outcomes, ..v1::CreateMarketRequest::default() };
    grpc.create_market(Request::new(create)).await.expect("a new market");
    let open = MarketLifecycleRequest { market_id: key.into(), reason: String::new() };
    grpc.open_market(Request::new(open)).await.expect("it opens");
}

/// Numbers at which code tends to turn: of enums, of pennies, of ticks, of everything.
const EDGES: [u64; 12] =
    [0, 1, 2, 3, 4, 100, 10_001, u32::MAX as u64, 1 << 40, 1_000_000_000_001, i64::MAX as u64, u64::MAX];
/// Prices that are none, and some that are.
const PRICES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    1.01,
    2.005,
    1000.0,
    1000.01,
    -2.0,
    f64::NAN,
    f64::INFINITY,
    f64::MAX,
    f64::MIN_POSITIVE,
];
const TEXTS: [&str; 14] = [
    "",
    "Home",
    "Away",
    "Home_-0.25",
    "Home_-0.5",
    "anna",
    "BACK",
    "LAY",
    "BUY",
    "MARKET",
    "LIVE",
    "\0",
    "é",
    "GTD",
];

/// Another value for a field of a request, to be put behind it: of a field that is there twice, the last counts.
fn field(dice: &mut Dice, request: &[u8]) -> Vec<u8> {
    let there = keys(request);
    let key = if there.is_empty() || dice.one_in(3) {
        (1 + dice.throw() % 20) << 3 | *dice.of(&[0, 0, 0, 1, 2])
    } else {
        *dice.of(&there)
    };
    let mut field = Vec::new();
    encode_varint(key, &mut field);
    match key & 7 {
        1 => field.extend(dice.of(&PRICES).to_le_bytes()),
        2 => {
            let long = "x".repeat(*dice.of(&[64, 65, 128, 129, 256, 257]));
            let text = if dice.one_in(4) { long.as_str() } else { dice.of::<&str>(&TEXTS) };
            encode_varint(text.len() as u64, &mut field);
            field.extend(text.as_bytes());
        }
        _ => encode_varint(*dice.of(&EDGES), &mut field),
    }
    field
}

/// The keys of a request's fields: number and kind of value.
fn keys(mut request: &[u8]) -> Vec<u64> {
    let mut keys = Vec::new();
    while let Ok(key) = decode_varint(&mut request) {
        let len = match key & 7 {
            0 => decode_varint(&mut request).map(|_| 0),
            1 => Ok(8),
            _ => decode_varint(&mut request),
        };
        let Some(rest) = len.ok().and_then(|len| request.get(usize::try_from(len).ok()?..)) else { break };
        request = rest;
        keys.push(key);
    }
    keys
}

/// Requests to one market, most of them changed; how many were answered.
async fn session(grpc: &Grpc, dice: &mut Dice) -> usize {
    let key = format!("m{}", dice.number());
    set_up(grpc, &key).await;
    let seeds = seeds(&key);
    let words = ["Home", "Draw", "anna", "ben", "BUY", "MARKET", "LIVE", "Home_-0.25", "\u{feff}", &key];
    let corpus = Corpus::new(seeds.iter().map(|(_, bytes)| bytes.clone())).with_words(words);
    let mut answered = 0;
    // Orders and the rest come in any order; the close is the last seed, and mostly comes never.
    for _ in 0..REQUESTS_PER_MARKET {
        let (method, mut bytes) = dice.of(&seeds).clone();
        match dice.below(4) {
            0 => {}
            1 => corpus.change(dice, &mut bytes),
            _ => {
                for _ in 0..=dice.below(3) {
                    let field = field(dice, &bytes);
                    bytes.extend(field);
                }
            }
        }
        answered += usize::from(call(grpc, method, &bytes).await);
    }
    answered
}

#[test]
fn requests() {
    let directory = tempfile::tempdir().expect("a directory");
    let options =
        Options { data_dir: directory.path().to_owned(), durability: Durability::None, ..Options::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let hub = Arc::new(Hub::default());
    let engine = runtime.block_on(start_engine(&options, Arc::clone(&hub))).expect("it starts");
    hub.attach(&engine);
    let grpc = Grpc::new(Arc::new(Exchange::new(Arc::clone(&engine), Arc::clone(&hub), &options)));
    let (mut asked, mut answered) = (0, 0);
    run("requests", 100, |dice| {
        let count = runtime.block_on(session(&grpc, dice));
        asked += REQUESTS_PER_MARKET;
        answered += count;
        count > 0
    });
    assert!(answered > asked / 8 && answered < asked, "{answered} of {asked}");
    hub.stop();
    drop(grpc);
    engine.stop();
    // What they did is in the journal, and nothing else.
    let digest = engine.read().digest();
    drop(engine);
    let mut state = State::new();
    let storage = Arc::new(FileStorage::new(directory.path()));
    betex_journal::open(storage, &JournalOptions::default(), &mut |stamp, events| state.apply(stamp, events))
        .expect("the journal is sound");
    assert_eq!(state.digest(), digest);
}
