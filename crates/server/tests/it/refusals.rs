//! Each rejection reason and each status code.

use betex_proto::v1::{CancelOrderRequest, CreateMarketRequest, GetOrderBookRequest, SubmitOrderRequest};
use tonic::Code;

use crate::harness::{MARKET, Running, lifecycle, limit, market, open_market, refused, submit};

#[tokio::test]
async fn what_the_market_decides_comes_back_in_the_answer() {
    let server = Running::start();
    let mut client = server.client().await;
    client
        .create_market(CreateMarketRequest {
            min_quantity: 200,
            ..market(MARKET, &["Liverpool", "Draw", "Arsenal"])
        })
        .await
        .unwrap();
    client.open_market(lifecycle(MARKET)).await.unwrap();
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let named = |order| SubmitOrderRequest { client_order_id: "o-1".to_owned(), ..order };
    let first = submit(&mut client, named(limit("BACK", 3.0, 1_000, "anna"))).await;
    let base = limit("BACK", 2.5, 1_000, "anna");
    for (order, reason, words) in [
        (
            SubmitOrderRequest { outcome_id: "Everton".to_owned(), ..base.clone() },
            "INVALID_OUTCOME",
            "\"Everton\" is not an outcome of market \"match_liverpool_arsenal\"; it has \"Liverpool\", \"Draw\", \"Arsenal\"",
        ),
        (limit("BACK", 0.0, 1_000, "anna"), "INVALID_PRICE", "the nearest is 1.01"),
        (limit("BACK", -2.5, 1_000, "anna"), "INVALID_PRICE", "the nearest is 1.01"),
        (limit("BACK", 2.51, 1_000, "anna"), "INVALID_PRICE", "the nearest are 2.50 and 2.52"),
        (limit("BACK", 1_010.0, 1_000, "anna"), "INVALID_PRICE", "the nearest is 1000.00"),
        (
            SubmitOrderRequest { price_type: 0, ..base.clone() },
            "INVALID_PRICE",
            "set price_type to DECIMAL_ODDS",
        ),
        (limit("BACK", 2.5, 199, "anna"), "INVALID_QUANTITY", "199 is not valid in market"),
        (limit("LAY", 2.5, 1_000, "anna"), "SELF_TRADE", "of user \"anna\""),
        (
            named(limit("LAY", 7.0, 9_000, "anna")),
            "DUPLICATE_CLIENT_ID",
            "\"o-1\" is used already, by order 2",
        ),
        (
            SubmitOrderRequest { time_in_force: 3, expiry_ms: 978_307_200_000, ..base.clone() },
            "INVALID_EXPIRY",
            "978307200000 is not after now",
        ),
    ] {
        let answer = submit(&mut client, order).await;
        assert_eq!(
            (answer.status.as_str(), answer.rejection_reason.as_str()),
            ("REJECTED", reason),
            "{answer:?}"
        );
        assert!(answer.message.contains(words), "{answer:?}");
        assert!(answer.fills.is_empty());
        // The last event there is: a rejection is none itself.
        assert_eq!(answer.sequence, first.sequence);
        let order_id = if reason == "DUPLICATE_CLIENT_ID" { first.order_id } else { 0 };
        assert_eq!(answer.order_id, order_id);
    }
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    // Also from somebody never heard of, and with a price that is none.
    for order in [base, limit("BACK", 2.5, 1_000, "zoe"), limit("BACK", 2.51, 1_000, "anna")] {
        let answer = submit(&mut client, order).await;
        assert_eq!(answer.rejection_reason, "MARKET_NOT_OPEN");
        assert!(answer.message.contains("is SUSPENDED; orders are accepted when it is OPEN"), "{answer:?}");
    }
    // But whoever lost the answer to an order learns of it even now.
    let answer = submit(&mut client, named(limit("BACK", 3.0, 1_000, "anna"))).await;
    assert_eq!((answer.rejection_reason.as_str(), answer.order_id), ("DUPLICATE_CLIENT_ID", first.order_id));
    assert_eq!((answer.remaining_quantity, answer.filled_quantity), (1_000, 0));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let server = Running::start();
    let mut client = server.client().await;
    let order = client.submit_order(limit("BACK", 2.5, 1_000, "")).await;
    let message = refused(order, Code::NotFound, "MARKET_NOT_FOUND");
    assert!(message.contains("there is no market \"match_liverpool_arsenal\""), "{message}");
    refused(client.open_market(lifecycle("x")).await, Code::NotFound, "MARKET_NOT_FOUND");
    refused(client.suspend_market(lifecycle("x")).await, Code::NotFound, "MARKET_NOT_FOUND");
    refused(client.close_market(lifecycle("x")).await, Code::NotFound, "MARKET_NOT_FOUND");
    let cancel = |order_id| CancelOrderRequest {
        market_id: MARKET.to_owned(),
        order_id,
        ..CancelOrderRequest::default()
    };
    refused(client.cancel_order(cancel(1)).await, Code::NotFound, "MARKET_NOT_FOUND");
    let book = |outcome: &str| GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..GetOrderBookRequest::default()
    };
    refused(client.get_order_book(book("Draw")).await, Code::NotFound, "MARKET_NOT_FOUND");
    let stream =
        betex_proto::v1::SubscribeMarketRequest { market_id: MARKET.to_owned(), ..Default::default() };
    refused(client.subscribe_market(stream).await, Code::NotFound, "MARKET_NOT_FOUND");

    open_market(&mut client).await;
    refused(client.get_order_book(book("Everton")).await, Code::NotFound, "OUTCOME_NOT_FOUND");
    refused(client.cancel_order(cancel(1)).await, Code::NotFound, "ORDER_NOT_FOUND");
    let placed = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "ben")).await;
    for (user_id, words) in [("ben", "order 1 is not of user \"ben\""), ("zoe", "user \"zoe\" has no orders")]
    {
        let request = CancelOrderRequest { user_id: user_id.to_owned(), ..cancel(placed.order_id) };
        let message = refused(client.cancel_order(request).await, Code::NotFound, "ORDER_NOT_FOUND");
        assert!(message.contains(words), "{message}");
    }
    let unnamed = CancelOrderRequest { client_order_id: "o-9".to_owned(), ..cancel(0) };
    let anna = CancelOrderRequest { user_id: "anna".to_owned(), ..unnamed };
    let message = refused(client.cancel_order(anna).await, Code::NotFound, "ORDER_NOT_FOUND");
    assert!(message.contains("user \"anna\" has no order \"o-9\""), "{message}");
    client.cancel_order(cancel(placed.order_id)).await.unwrap();
    refused(client.cancel_order(cancel(placed.order_id)).await, Code::NotFound, "ORDER_FINISHED");
}

#[tokio::test]
async fn a_step_that_the_state_does_not_allow_is_a_failed_precondition() {
    let server = Running::start();
    let mut client = server.client().await;
    client.create_market(market(MARKET, &["Liverpool", "Arsenal"])).await.unwrap();
    let again = client.create_market(market(MARKET, &["A", "B"])).await;
    refused(again, Code::AlreadyExists, "MARKET_EXISTS");
    let suspended = client.suspend_market(lifecycle(MARKET)).await;
    let message = refused(suspended, Code::FailedPrecondition, "INVALID_TRANSITION");
    assert!(message.contains("is CREATED, so it cannot become SUSPENDED"), "{message}");
    client.open_market(lifecycle(MARKET)).await.unwrap();
    refused(client.open_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "INVALID_TRANSITION");
    let placed = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    client.close_market(lifecycle(MARKET)).await.unwrap();
    refused(client.open_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "INVALID_TRANSITION");
    refused(client.close_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "INVALID_TRANSITION");
    let request = CancelOrderRequest {
        market_id: MARKET.to_owned(),
        order_id: placed.order_id,
        ..CancelOrderRequest::default()
    };
    refused(client.cancel_order(request).await, Code::FailedPrecondition, "MARKET_CLOSED");
    let late = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    assert_eq!(late.rejection_reason, "MARKET_NOT_OPEN");
}
