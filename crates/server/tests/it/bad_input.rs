//! Requests that make no sense: each is refused with a sentence, and the exchange goes on.

use betex_proto::v1::{
    CancelOrderRequest, CreateMarketRequest, MarketLifecycleRequest, MarketLifecycleResponse,
    SubmitOrderRequest, SubscribeMarketRequest,
};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use crate::harness::{Client, MARKET, Running, book, limit, market, open_market, submit};

#[track_caller]
fn invalid<T: std::fmt::Debug>(answer: Result<T, Status>, words: &[&str]) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    for words in words {
        assert!(status.message().contains(words), "{words:?} in {status:?}");
    }
}

#[tokio::test]
async fn malformed_orders() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let base = limit("BACK", 2.5, 1_000, "anna");
    let with = |change: fn(&mut SubmitOrderRequest)| {
        let mut order = base.clone();
        change(&mut order);
        order
    };
    for (order, words) in [
        (with(|o| o.market_id.clear()), "INVALID_MARKET_ID: market_id: is missing"),
        (with(|o| o.outcome_id.clear()), "INVALID_OUTCOME_ID: outcome_id: is missing"),
        (with(|o| o.side = "back".into()), "INVALID_SIDE: side: \"back\" is not valid; BACK or LAY"),
        (with(|o| o.side.clear()), "INVALID_SIDE"),
        (with(|o| o.side = "YES".into()), "INVALID_SIDE"),
        (with(|o| o.order_type = "STOP".into()), "order_type: \"STOP\" is not valid; LIMIT or MARKET"),
        (with(|o| o.order_type.clear()), "INVALID_ORDER_TYPE"),
        (with(|o| o.price = f64::NAN), "INVALID_PRICE: price: NaN is not a number"),
        (with(|o| o.price = f64::INFINITY), "INVALID_PRICE: price: inf is not a number"),
        (with(|o| o.price = f64::NEG_INFINITY), "INVALID_PRICE: price: -inf is not a number"),
        (with(|o| (o.price, o.order_type) = (f64::NAN, "MARKET".into())), "INVALID_PRICE"),
        (with(|o| o.price_type = 2), "INVALID_PRICE_TYPE: price_type: TICKS are for binary markets"),
        (
            with(|o| o.price_type = 7),
            "price_type: 7 is not valid; DECIMAL_ODDS (1) or BASIS_POINTS (0), in a binary",
        ),
        (with(|o| o.price_type = -1), "INVALID_PRICE_TYPE"),
        (with(|o| o.quantity = 0), "INVALID_QUANTITY: quantity: 0 is not valid; 1 to 1000000000000 pennies"),
        (
            with(|o| o.quantity = 1_000_000_000_001),
            "quantity: 1000000000001 is too much; at most 1000000000000",
        ),
        (with(|o| o.quantity = u64::MAX), "INVALID_QUANTITY"),
        (
            with(|o| o.user_id = "u".repeat(129)),
            "INVALID_USER_ID: user_id: 129 bytes are too many; at most 128",
        ),
        (with(|o| o.client_order_id = "c".repeat(65)), "client_order_id: 65 bytes are too many; at most 64"),
        (with(|o| o.market_id = "m".repeat(129)), "INVALID_MARKET_ID"),
        (with(|o| o.outcome_id = "o".repeat(900_000)), "outcome_id: 900000 bytes are too many"),
        (with(|o| o.side = "x".repeat(900_000)), "(and so on) is not valid; BACK or LAY"),
        (
            with(|o| o.time_in_force = 4),
            "time_in_force: 4 is not valid; GTC (0), IOC (1), FOK (2) or GTD (3)",
        ),
        (with(|o| o.time_in_force = 3), "expiry_ms: is missing"),
        (with(|o| o.expiry_ms = 1), "expiry_ms: is only for time_in_force GTD (3)"),
        (
            with(|o| (o.time_in_force, o.expiry_ms) = (3, 253_402_300_800_000)),
            "INVALID_EXPIRY_MS: expiry_ms: 253402300800000 is after the year 9999: the field counts milliseconds",
        ),
        (
            with(|o| (o.time_in_force, o.expiry_ms) = (3, 1_703_807_940_000_000_000)),
            "it looks like nanoseconds, which are 1703807940000 milliseconds",
        ),
        (
            with(|o| (o.time_in_force, o.expiry_ms) = (3, u64::MAX)),
            "an order that never expires has time_in_force GTC (0)",
        ),
        (
            with(|o| (o.time_in_force, o.expiry_ms) = (3, 1_703_807_940)),
            "it looks like seconds, which are 1703807940000",
        ),
        (with(|o| o.persistence = 2), "persistence: 2 is not valid; LAPSE (0) or PERSIST (1)"),
        (with(|o| o.side = "BUY".into()), "INVALID_SIDE: side: \"BUY\" is not valid; BACK or LAY"),
        (with(|o| o.min_fill_quantity = 1), "min_fill_quantity: is only for time_in_force FOK (2)"),
        (
            with(|o| (o.time_in_force, o.min_fill_quantity) = (2, 1_001)),
            "min_fill_quantity: 1001 is too much; at most the quantity, 1000, or 0 for all of it",
        ),
        (with(|o| (o.time_in_force, o.expiry_ms) = (2, 1)), "expiry_ms: is only for time_in_force GTD (3)"),
        (
            with(|o| o.self_trade_prevention = 4),
            "self_trade_prevention: 4 is not valid; SKIP (0), REJECT (1)",
        ),
        (with(|o| o.self_trade_prevention = -1), "INVALID_SELF_TRADE_PREVENTION"),
        (
            with(|o| (o.post_only, o.time_in_force) = (true, 1)),
            "post_only: is only for a LIMIT order with time_in_force GTC (0) or GTD (3)",
        ),
        (with(|o| (o.post_only, o.time_in_force) = (true, 2)), "INVALID_POST_ONLY"),
        (with(|o| (o.post_only, o.order_type) = (true, "MARKET".into())), "INVALID_POST_ONLY"),
    ] {
        invalid(client.submit_order(order).await, &[words]);
    }
    still_works(&mut client).await;
}

#[tokio::test]
async fn malformed_markets() {
    let server = Running::start();
    let mut client = server.client().await;
    let base = market("m", &["Home", "Draw", "Away"]);
    let outcomes = |names: &[&str]| market("m", names);
    let many: Vec<String> = (0..257).map(|number| number.to_string()).collect();
    for (request, words) in [
        (market("", &["Home", "Away"]), "market_id: is missing"),
        (market(&"m".repeat(129), &["Home", "Away"]), "market_id: 129 bytes are too many"),
        (CreateMarketRequest { name: "n".repeat(129), ..base.clone() }, "name: 129 bytes are too many"),
        (outcomes(&[]), "outcomes: 0 of them; 2 to 256 are valid"),
        (outcomes(&["Home"]), "outcomes: 1 of them"),
        (CreateMarketRequest { outcomes: many, ..base.clone() }, "outcomes: 257 of them"),
        (outcomes(&["Home", ""]), "INVALID_OUTCOMES: outcomes: number 2 of 2 is empty; 1 to 128 bytes"),
        (outcomes(&["Home", &"o".repeat(129)]), "outcomes: number 2 of 2 has 129 bytes; 1 to 128 bytes"),
        (outcomes(&["Home", "Home"]), "outcomes: \"Home\" is there twice"),
        (
            outcomes(&["Home_-0.25", "Away_+0.25"]),
            "INVALID_LINE: outcomes: \"Home_-0.25\" is a quarter line and has no book of its own: list \"Home_0.0\" and \"Home_-0.5\"",
        ),
        (
            outcomes(&["Home_0.5", "Away_-0.5"]),
            "INVALID_LINE: outcomes: \"Home_0.5\" is not a line; \"Home_+0.5\" is",
        ),
        (outcomes(&["Over_2.5", "Draw"]), "\"Draw\" is not a line, and the others are"),
        (
            outcomes(&["Home_-0.5", "Away_+0.5", "Third_+0.5"]),
            "\"Third_+0.5\" is of a third team; lines are of two",
        ),
        (
            CreateMarketRequest { model: 2, ..base.clone() },
            "model: 2 is not valid; EXCHANGE_ODDS (0) or BINARY_YES (1)",
        ),
        (
            CreateMarketRequest { model: 1, ladder: 1, ..base.clone() },
            "ladder: FINEST is only for model EXCHANGE_ODDS (0)",
        ),
        (
            CreateMarketRequest { model: 1, max_price_ticks: 1, ..base.clone() },
            "max_price_ticks: 1 is not valid; 2 to 10000",
        ),
        (
            CreateMarketRequest { model: 1, max_price_ticks: 10_001, ..base.clone() },
            "max_price_ticks: 10001 is not valid; 2 to 10000",
        ),
        (
            CreateMarketRequest { max_price_ticks: 100, ..base.clone() },
            "INVALID_MAX_PRICE_TICKS: max_price_ticks: 100 is only for model BINARY_YES (1)",
        ),
        (
            CreateMarketRequest { model: 1, outcomes: vec![], ..base.clone() },
            "outcomes: 0 of them; 1 to 256 are valid",
        ),
        (
            CreateMarketRequest { model: 1, min_quantity: u64::MAX, ..base.clone() },
            "min_quantity: 18446744073709551615 is too much; at most 100000000000000 shares",
        ),
        (CreateMarketRequest { transition_policy: 3, ..base.clone() }, "transition_policy: 3 is not valid"),
        (
            CreateMarketRequest {
                independent_outcomes: true,
                synthetic_matching: Some(true),
                ..base.clone()
            },
            "synthetic_matching: true is not valid together with independent_outcomes",
        ),
        (
            CreateMarketRequest { ladder: 2, ..base.clone() },
            "ladder: 2 is not valid; CLASSIC (0) or FINEST (1)",
        ),
        (CreateMarketRequest { market_kind: 9, ..base.clone() }, "market_kind: 9 is not valid"),
        (
            CreateMarketRequest { min_quantity: u64::MAX, ..base.clone() },
            "min_quantity: 18446744073709551615 is too",
        ),
    ] {
        invalid(client.create_market(request).await, &[words]);
    }
    let reason = MarketLifecycleRequest { market_id: "m".to_owned(), reason: "r".repeat(257) };
    invalid(client.open_market(reason).await, &["reason: 257 bytes are too many; at most 256"]);
    // None of them was created.
    client.create_market(base).await.unwrap();
}

#[tokio::test]
async fn other_malformed_requests() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let cancel = CancelOrderRequest { market_id: MARKET.to_owned(), ..CancelOrderRequest::default() };
    invalid(client.cancel_order(cancel.clone()).await, &["order_id: is missing"]);
    let both = CancelOrderRequest { order_id: 1, client_order_id: "c".to_owned(), ..cancel };
    invalid(client.cancel_order(both).await, &["client_order_id: is not valid together with order_id"]);
    let both = SubscribeMarketRequest { market_id: MARKET.to_owned(), from_sequence: 1, snapshot: true };
    invalid(client.subscribe_market(both).await, &["from_sequence: is not valid together with snapshot"]);
    still_works(&mut client).await;
}

#[tokio::test]
async fn a_string_of_ten_megabytes() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let order = SubmitOrderRequest { outcome_id: "o".repeat(10_000_000), ..limit("BACK", 2.5, 1_000, "") };
    let status = client.submit_order(order).await.unwrap_err();
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
    assert!(status.message().contains("1048576"), "{status:?}");
    still_works(&mut client).await;
}

/// A message with a field that the server does not know.
#[derive(Clone, PartialEq, prost::Message)]
struct FromTheFuture {
    #[prost(string, tag = "1")]
    market_id: String,
    #[prost(uint64, tag = "99")]
    spin: u64,
}

/// A message whose first field is of another type than the server's.
#[derive(Clone, PartialEq, prost::Message)]
struct Garbled {
    #[prost(uint64, tag = "1")]
    market_id: u64,
}

#[tokio::test]
async fn bytes_that_are_no_message_and_fields_that_nobody_knows() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let garbled = raw_call(&server, "OpenMarket", Garbled { market_id: 7 }).await.unwrap_err();
    assert_eq!(garbled.code(), Code::InvalidArgument, "{garbled:?}");
    assert!(garbled.message().starts_with("UNREADABLE_REQUEST: "), "{garbled:?}");
    // proto3 passes over what it does not know.
    let future = FromTheFuture { market_id: MARKET.to_owned(), spin: 1 };
    let suspended = raw_call(&server, "SuspendMarket", future.clone()).await.unwrap();
    assert_eq!(suspended.status, "SUSPENDED");
    assert_eq!(raw_call(&server, "OpenMarket", future.clone()).await.unwrap().status, "OPEN");
    let nowhere = raw_call(&server, "SettleMarket", future).await.unwrap_err();
    assert_eq!(nowhere.code(), Code::Unimplemented);
    let words =
        "UNKNOWN_METHOD: there is no method \"/orderbook.v1.OrderBookService/SettleMarket\"; there are ";
    assert!(nowhere.message().starts_with(words) && nowhere.message().contains("SubmitOrder"), "{nowhere:?}");
    let mut compressed = Request::new(limit("BACK", 2.5, 1_000, "anna"));
    compressed.metadata_mut().insert("grpc-encoding", "gzip".parse().unwrap());
    let compressed = client.submit_order(compressed).await.unwrap_err();
    assert_eq!(compressed.code(), Code::Unimplemented, "{compressed:?}");
    assert!(compressed.message().starts_with("UNKNOWN_COMPRESSION: "), "{compressed:?}");
    let long = submit_raw(&mut client, "x".repeat(1 << 20)).await;
    assert_eq!(long.code(), Code::OutOfRange, "{long:?}");
    assert!(long.message().starts_with("REQUEST_TOO_LARGE: a request may have 1048576 bytes"), "{long:?}");
    still_works(&mut client).await;
}

/// The answer to an order on an outcome of this name.
async fn submit_raw(client: &mut Client, outcome_id: String) -> Status {
    let order = SubmitOrderRequest { outcome_id, ..limit("BACK", 2.5, 1_000, "anna") };
    client.submit_order(order).await.unwrap_err()
}

async fn raw_call<M: prost::Message + 'static>(
    server: &Running,
    method: &str,
    message: M,
) -> Result<MarketLifecycleResponse, Status> {
    let mut client = tonic::client::Grpc::new(server.endpoint().connect().await.unwrap());
    client.ready().await.unwrap();
    let path = format!("/orderbook.v1.OrderBookService/{method}").parse::<PathAndQuery>().unwrap();
    let codec = tonic_prost::ProstCodec::<M, MarketLifecycleResponse>::default();
    client.unary(Request::new(message), path, codec).await.map(tonic::Response::into_inner)
}

async fn still_works(client: &mut Client) {
    let placed = submit(client, limit("BACK", 2.5, 1_000, "")).await;
    assert_eq!(placed.status, "RESTING");
    let shown = book(client, "Liverpool").await;
    assert_eq!(shown.bids.len(), 1);
}
