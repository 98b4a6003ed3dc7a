//! Many orders cancelled at once.

use std::time::{Duration, Instant};

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrdersRequest, CreateMarketRequest, MarketModel, PriceType, SubmitOrderRequest};
use tonic::Code;

use crate::harness::{
    Client, MARKET, PATIENCE, Running, book, ladder, lifecycle, limit, market, next, on, open, open_market,
    open_market_named, refused, submit, subscribe,
};

/// 2025-12-01, in nanoseconds since the Unix epoch.
const NS: u64 = 1_764_547_200_000_000_000;

fn all_of(user_id: &str) -> CancelOrdersRequest {
    CancelOrdersRequest { user_id: user_id.to_owned(), ..CancelOrdersRequest::default() }
}

fn of(market_id: &str, user_id: &str) -> CancelOrdersRequest {
    CancelOrdersRequest { market_id: market_id.to_owned(), ..all_of(user_id) }
}

/// Orders, pennies, shares, and whether that was all.
async fn cancelled(client: &mut Client, request: CancelOrdersRequest) -> (u64, u64, u64, bool) {
    let answer = client.cancel_orders(request).await.unwrap().into_inner();
    (answer.orders, answer.quantity, answer.shares, answer.done)
}

#[tokio::test]
async fn by_user_market_outcome_and_time() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    open_market_named(&mut client, "other", &["A", "B"]).await;
    let shares = CreateMarketRequest { model: MarketModel::BinaryYes.into(), ..market("binary", &["Yes"]) };
    open(&mut client, shares).await;
    let elsewhere = |market: &str, outcome: &str, order| SubmitOrderRequest {
        market_id: market.to_owned(),
        ..on(outcome, order)
    };
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    submit(&mut client, limit("BACK", 2.5, 200, "ben")).await;
    submit(&mut client, on("Draw", limit("BACK", 3.0, 300, "anna"))).await;
    submit(&mut client, elsewhere("other", "A", limit("LAY", 2.0, 400, "anna"))).await;
    let ticks = SubmitOrderRequest {
        price_type: PriceType::Ticks.into(),
        ..elsewhere("binary", "Yes", limit("BUY", 5_000.0, 7, "anna"))
    };
    submit(&mut client, ticks).await;
    // Nobody of that name, and nothing of that time.
    assert_eq!(cancelled(&mut client, all_of("zoe")).await, (0, 0, 0, true));
    let early = CancelOrdersRequest { entered_until_ns: 1_000_000_000_000_000_000, ..of(MARKET, "") };
    assert_eq!(cancelled(&mut client, early).await, (0, 0, 0, true));
    let draw = CancelOrdersRequest { outcome_id: "Draw".to_owned(), ..of(MARKET, "") };
    assert_eq!(cancelled(&mut client, draw).await, (1, 300, 0, true));
    // Of one user, everywhere.
    let answer = client.cancel_orders(all_of("anna")).await.unwrap().into_inner();
    assert_eq!((answer.orders, answer.quantity, answer.shares, answer.done), (3, 500, 7, true));
    assert_eq!(book(&mut client, "Draw").await.sequence, answer.sequence);
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.5, 200, 1)]);
    // Whatever came in since the beginning of time.
    let window =
        CancelOrdersRequest { entered_from_ns: 1_000_000_000_000_000_000, ..CancelOrdersRequest::default() };
    assert_eq!(cancelled(&mut client, window).await, (1, 200, 0, true));
    // And again: it does no harm.
    assert_eq!(cancelled(&mut client, of(MARKET, "anna")).await, (0, 0, 0, true));
}

#[tokio::test]
async fn more_than_a_step_takes_goes_on_by_itself() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let orders = (0..1_300).map(|_| {
        let mut client = client.clone();
        async move { submit(&mut client, limit("BACK", 2.5, 100, "anna")).await }
    });
    futures::future::join_all(orders).await;
    let kept = submit(&mut client, limit("BACK", 2.5, 100, "ben")).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let (orders, quantity, _, done) = cancelled(&mut client, of(MARKET, "anna")).await;
    assert!((1..1_300).contains(&orders) && quantity == 100 * orders && !done, "{orders} {quantity} {done}");
    // One that comes later is not touched.
    let later = submit(&mut client, limit("BACK", 2.6, 100, "anna")).await;
    let (mut said, mut gone, mut started) = (Vec::new(), 0, 0);
    while said.last().is_none_or(|status| status != "DONE") {
        let update = next(&mut stream).await.unwrap();
        match update.update {
            Some(Update::MassCancel(progress)) => {
                let asked = (progress.user_id.as_str(), progress.reason.as_str());
                match progress.status.as_str() {
                    "ASKED" => assert_eq!((asked, progress.job), (("anna", "MASS_CANCELLED"), 0)),
                    "STARTED" => {
                        started = update.sequence;
                        assert_eq!((asked, progress.job), (("anna", "MASS_CANCELLED"), started));
                    }
                    _ => assert_eq!((asked, progress.job), (("", ""), started)),
                }
                said.push(progress.status);
            }
            Some(Update::OrderUpdate(order)) if order.status == "CANCELLED" => {
                assert_eq!((order.user_id.as_str(), order.reason.as_str()), ("anna", "MASS_CANCELLED"));
                gone += 1;
            }
            _ => (),
        }
    }
    assert_eq!(gone, 1_300);
    assert_eq!((said[0].as_str(), said[1].as_str()), ("ASKED", "STARTED"));
    assert!(said[2..said.len() - 1].iter().all(|status| status == "ADVANCED") && said.len() > 3, "{said:?}");
    let shown = ladder(&book(&mut client, "Liverpool").await.bids);
    assert_eq!(shown, [(2.5, 100, 1), (2.6, 100, 1)], "{kept:?} {later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_market_is_asked_though_the_client_goes_away() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let others: Vec<_> = (0..500).map(|number| format!("other {number}")).collect();
    let orders = others.iter().map(|market| {
        let mut client = client.clone();
        async move {
            open_market_named(&mut client, market, &["Liverpool", "Arsenal"]).await;
            let order = SubmitOrderRequest { market_id: market.clone(), ..limit("BACK", 2.5, 100, "anna") };
            submit(&mut client, order).await;
        }
    });
    futures::future::join_all(orders).await;
    // The first market that is asked.
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let mut impatient = client.clone();
    let call = tokio::spawn(async move { impatient.cancel_orders(all_of("anna")).await });
    while !matches!(next(&mut stream).await.unwrap().update, Some(Update::MassCancel(_))) {}
    call.abort();
    let empty = async {
        while !server.get("/health").await.1.contains("\"resting_orders\":0,") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, empty).await.expect("all are asked");
}

#[tokio::test]
async fn a_large_close_keeps_the_pace_that_the_operator_asks_for() {
    let server = Running::with(&["--durability", "none", "--job-orders-per-s", "1000"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let orders = (0..2_000).map(|_| {
        let mut client = client.clone();
        async move { submit(&mut client, limit("BACK", 2.5, 100, "anna")).await }
    });
    futures::future::join_all(orders).await;
    let begun = Instant::now();
    client.close_market(lifecycle(MARKET)).await.unwrap();
    let empty = async { while !book(&mut client, "Liverpool").await.bids.is_empty() {} };
    tokio::time::timeout(PATIENCE, empty).await.expect("it empties by itself");
    // All but the first step and the last have waited for their turn.
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_says_nothing_cancels_nothing() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    let nothing = client.cancel_orders(CancelOrdersRequest::default()).await;
    let message = refused(nothing, Code::InvalidArgument, "INVALID_MARKET_ID");
    assert!(message.contains("is missing; market_id, user_id, entered_from_ns or"), "{message}");
    for (request, word, words) in [
        (
            CancelOrdersRequest { outcome_id: "Draw".to_owned(), ..all_of("anna") },
            "INVALID_OUTCOME_ID",
            "only valid together with market_id",
        ),
        (
            CancelOrdersRequest { entered_from_ns: NS, entered_until_ns: NS, ..of(MARKET, "") },
            "INVALID_ENTERED_UNTIL_NS",
            "1764547200000000000 is not valid; more than entered_from_ns, 1764547200000000000",
        ),
        (
            CancelOrdersRequest { entered_from_ns: NS / 1_000_000, ..of(MARKET, "") },
            "INVALID_ENTERED_FROM_NS",
            "it looks like milliseconds, which are 1764547200000000000 nanoseconds",
        ),
        (
            CancelOrdersRequest { entered_until_ns: NS / 1_000, ..all_of("anna") },
            "INVALID_ENTERED_UNTIL_NS",
            "it looks like microseconds, which are 1764547200000000000 nanoseconds",
        ),
        (
            CancelOrdersRequest { entered_until_ns: u64::MAX, ..of(MARKET, "") },
            "INVALID_ENTERED_UNTIL_NS",
            "is after the year 2199",
        ),
        (all_of(&"u".repeat(129)), "INVALID_USER_ID", "129 bytes"),
    ] {
        let message = refused(client.cancel_orders(request).await, Code::InvalidArgument, word);
        assert!(message.contains(words), "{message}");
    }
    refused(client.cancel_orders(of("x", "")).await, Code::NotFound, "MARKET_NOT_FOUND");
    let nowhere = CancelOrdersRequest { outcome_id: "Nobody".to_owned(), ..of(MARKET, "") };
    refused(client.cancel_orders(nowhere).await, Code::NotFound, "OUTCOME_NOT_FOUND");
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.5, 100, 1)]);
    client.close_market(lifecycle(MARKET)).await.unwrap();
    refused(client.cancel_orders(of(MARKET, "")).await, Code::FailedPrecondition, "MARKET_CLOSED");
    let empty = async { while !book(&mut client, "Liverpool").await.bids.is_empty() {} };
    tokio::time::timeout(PATIENCE, empty).await.expect("it empties by itself");
    assert_eq!(cancelled(&mut client, all_of("anna")).await, (0, 0, 0, true));
}

#[tokio::test]
async fn an_outcome_of_a_pair_is_cancelled_with_all_that_its_book_shows() {
    let server = Running::start();
    let mut client = server.client().await;
    for (market, outcome, user, taken) in
        [("m1", "Yes", "", 4), ("m2", "No", "", 4), ("m3", "No", "anna", 2), ("m4", "Yes", "ben", 2)]
    {
        let binary = betex_proto::v1::CreateMarketRequest {
            model: MarketModel::BinaryYes.into(),
            max_price_ticks: 100,
            ..crate::harness::market(market, &["Yes", "No"])
        };
        open(&mut client, binary).await;
        for (outcome, side, ticks, user) in [
            ("Yes", "BUY", 40.0, "anna"),
            ("No", "BUY", 30.0, "ben"),
            ("Yes", "SELL", 80.0, "ben"),
            ("No", "SELL", 75.0, "anna"),
        ] {
            let order = SubmitOrderRequest {
                market_id: market.to_owned(),
                price_type: PriceType::Ticks.into(),
                ..on(outcome, limit(side, ticks, 10, user))
            };
            submit(&mut client, order).await;
        }
        let request = CancelOrdersRequest { outcome_id: outcome.to_owned(), ..of(market, user) };
        assert_eq!(cancelled(&mut client, request).await, (taken, 0, 10 * taken, true));
        for outcome in ["Yes", "No"] {
            let request = betex_proto::v1::GetOrderBookRequest {
                market_id: market.to_owned(),
                outcome_id: outcome.to_owned(),
                ..Default::default()
            };
            let book = client.get_order_book(request).await.unwrap().into_inner();
            let left: i32 = book.bids.iter().chain(&book.asks).map(|level| level.order_count).sum();
            assert_eq!(left, 4 - i32::try_from(taken).unwrap());
        }
    }
}
