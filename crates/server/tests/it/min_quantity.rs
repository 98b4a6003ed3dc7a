//! The smallest order: the market's own, or what the server was started with; and what reductions may leave.

use betex_proto::v1::{
    CancelOrderRequest, CancelOrderResponse, CreateMarketRequest, MarketModel, SubmitOrderRequest,
};
use tonic::{Code, Status};

use crate::harness::{
    Client, MARKET, Running, book, command, ladder, limit, market, on, open, refused, shares, submit,
};
use crate::lifecycle::snapshot;

/// How an order of [`MARKET`] fares: its status, or why it was rejected.
async fn fares(client: &mut Client, order: SubmitOrderRequest) -> String {
    let answer = submit(client, order).await;
    if answer.status == "REJECTED" { answer.rejection_reason } else { answer.status }
}

#[tokio::test]
async fn the_server_says_it_for_markets_at_odds_that_do_not() {
    let plain = market(MARKET, &["Liverpool", "Arsenal"]);
    for (request, smallest) in [
        (plain.clone(), 100),
        (CreateMarketRequest { min_quantity: 2, ..plain.clone() }, 2),
        (CreateMarketRequest { min_quantity: 1, ..plain.clone() }, 1),
        (CreateMarketRequest { min_quantity: 300, ..plain.clone() }, 300),
    ] {
        let server = Running::with(&["--min-quantity", "100"]);
        let mut client = server.client().await;
        open(&mut client, request).await;
        assert_eq!(snapshot(&mut client).await.min_quantity, smallest);
        assert_eq!(fares(&mut client, limit("BACK", 2.5, smallest, "anna")).await, "RESTING");
        if smallest > 1 {
            let small = submit(&mut client, limit("BACK", 2.5, smallest - 1, "anna")).await;
            assert_eq!(
                (small.status.as_str(), small.rejection_reason.as_str()),
                ("REJECTED", "INVALID_QUANTITY")
            );
            assert!(small.message.contains(&format!("at least {smallest}, ")), "{small:?}");
        }
    }
    // Shares are not pennies: of those one is enough.
    let server = Running::with(&["--min-quantity", "100"]);
    let mut client = server.client().await;
    let binary =
        CreateMarketRequest { model: MarketModel::BinaryYes.into(), ..market(MARKET, &["Yes", "No"]) };
    open(&mut client, binary).await;
    assert_eq!(snapshot(&mut client).await.min_quantity, 1);
    assert_eq!(fares(&mut client, shares("Yes", "BUY", 55, 1, "anna")).await, "RESTING");
}

#[tokio::test]
async fn markets_keep_it_when_the_server_starts_with_another() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let request = || market(MARKET, &["Liverpool", "Arsenal"]);
    // The environment says it as well.
    let arguments = ["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1", "--data-dir"];
    let mut command = command(&[&arguments[..], &[data.to_str().unwrap()]].concat());
    command.env("BETEX_MIN_QUANTITY", "250");
    let server = Running::try_launch(command, &data).unwrap();
    let mut client = server.client().await;
    open(&mut client, request()).await;
    assert_eq!(fares(&mut client, limit("BACK", 2.5, 249, "anna")).await, "INVALID_QUANTITY");
    server.stop();
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    assert_eq!(snapshot(&mut client).await.min_quantity, 250);
    assert_eq!(fares(&mut client, limit("BACK", 2.5, 249, "anna")).await, "INVALID_QUANTITY");
    assert_eq!(fares(&mut client, limit("BACK", 2.5, 250, "anna")).await, "RESTING");
    let other = CreateMarketRequest { market_id: "other".to_owned(), ..request() };
    open(&mut client, other).await;
    let penny = SubmitOrderRequest { market_id: "other".to_owned(), ..limit("BACK", 2.5, 1, "anna") };
    assert_eq!(fares(&mut client, penny).await, "RESTING");
    server.stop();
}

async fn keep(client: &mut Client, order_id: u64, keep_quantity: u64) -> Result<CancelOrderResponse, Status> {
    let market_id = MARKET.to_owned();
    let request = CancelOrderRequest { market_id, order_id, keep_quantity, ..CancelOrderRequest::default() };
    client.cancel_order(request).await.map(tonic::Response::into_inner)
}

/// A reduction that is refused, and changes nothing.
async fn keeps_too_little(client: &mut Client, order_id: u64, keep_quantity: u64) {
    let before = book(client, "Liverpool").await;
    let answer = keep(client, order_id, keep_quantity).await;
    let words = refused(answer, Code::InvalidArgument, "INVALID_QUANTITY");
    assert!(words.contains("keep_quantity: ") && words.contains("at least 200, "), "{words}");
    assert_eq!(book(client, "Liverpool").await, before);
}

#[tokio::test]
async fn a_reduction_leaves_nothing_or_enough() {
    let server = Running::start();
    let mut client = server.client().await;
    let request = CreateMarketRequest { min_quantity: 200, ..market(MARKET, &["Liverpool", "Arsenal"]) };
    open(&mut client, request).await;
    let id = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await.order_id;
    for little in [1, 199] {
        keeps_too_little(&mut client, id, little).await;
    }
    // Also by the client's own name for it.
    let named = SubmitOrderRequest { client_order_id: "c-1".to_owned(), ..limit("BACK", 3.0, 500, "anna") };
    submit(&mut client, named).await;
    let by_name = CancelOrderRequest {
        market_id: MARKET.to_owned(),
        client_order_id: "c-1".to_owned(),
        user_id: "anna".to_owned(),
        keep_quantity: 150,
        ..CancelOrderRequest::default()
    };
    refused(client.cancel_order(by_name).await, Code::InvalidArgument, "INVALID_QUANTITY");

    let reduced = keep(&mut client, id, 200).await.unwrap();
    assert_eq!(
        (reduced.status.as_str(), reduced.cancelled_quantity, reduced.remaining_quantity),
        ("RESTING", 800, 200)
    );
    // A fill may leave less, and to keep all of that or more is no reduction.
    let id = submit(&mut client, limit("BACK", 2.0, 400, "anna")).await.order_id;
    submit(&mut client, limit("LAY", 2.0, 350, "ben")).await;
    for enough in [50, 51, 200, 1_000, u64::MAX] {
        let kept = keep(&mut client, id, enough).await.unwrap();
        assert_eq!(
            (kept.status.as_str(), kept.cancelled_quantity, kept.remaining_quantity),
            ("PARTIALLY_FILLED", 0, 50)
        );
    }
    keeps_too_little(&mut client, id, 49).await;
    let cancelled = keep(&mut client, id, 0).await.unwrap();
    assert_eq!((cancelled.status.as_str(), cancelled.cancelled_quantity), ("CANCELLED", 50));
}

#[tokio::test]
async fn each_half_of_an_order_on_a_quarter_line_is_large_enough() {
    let server = Running::start();
    let mut client = server.client().await;
    let lines = ["Home_0.0", "Away_0.0", "Home_-0.5", "Away_+0.5"];
    open(&mut client, CreateMarketRequest { min_quantity: 200, ..market(MARKET, &lines) }).await;
    let quarter = |quantity| on("Home_-0.25", limit("BACK", 2.0, quantity, "anna"));
    for small in [199, 200, 399] {
        let answer = submit(&mut client, quarter(small)).await;
        assert_eq!(answer.rejection_reason, "INVALID_QUANTITY", "{answer:?}");
        assert!(answer.message.contains("half of the order goes on each of two lines"), "{answer:?}");
    }
    let placed = submit(&mut client, quarter(1_000)).await;
    assert_eq!((placed.status.as_str(), placed.leg_order_ids.len()), ("RESTING", 2));
    for little in [1, 200, 399] {
        let answer = keep(&mut client, placed.order_id, little).await;
        refused(answer, Code::InvalidArgument, "INVALID_QUANTITY");
    }
    assert_eq!(keep(&mut client, placed.order_id, 401).await.unwrap().cancelled_quantity, 599);
    for (outcome, left) in [("Home_0.0", 201), ("Home_-0.5", 200)] {
        assert_eq!(ladder(&book(&mut client, outcome).await.bids), [(2.0, left, 1)]);
    }
}
