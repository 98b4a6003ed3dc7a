//! Users: an account comes with the first accepted order, and a refused order leaves nothing.

use betex_proto::v1::SubmitOrderRequest;
use betex_proto::v1::market_update::Update;

use crate::harness::{
    Client, MARKET, Running, lifecycle, limit, next, on, open_market, open_market_named, refused, submit,
    subscribe,
};

/// The number of the last event.
async fn last_sequence(client: &mut Client) -> u64 {
    crate::harness::book(client, "Liverpool").await.sequence
}

#[tokio::test]
async fn a_refused_order_of_a_new_user_leaves_nothing() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let before = last_sequence(&mut client).await;
    let fok = SubmitOrderRequest { time_in_force: 2, ..limit("BACK", 2.5, 100, "u1") };
    let late = SubmitOrderRequest { time_in_force: 3, expiry_ms: 1, ..limit("BACK", 2.5, 100, "u2") };
    let off_ladder = limit("BACK", 2.501, 100, "u3");
    for (order, reason) in [
        (fok, "WOULD_NOT_FILL"),
        (late, "INVALID_EXPIRY"),
        (off_ladder, "INVALID_PRICE"),
        (on("Nobody", limit("BACK", 2.5, 100, "u4")), "INVALID_OUTCOME"),
        (limit("BACK", 2.5, 0, "u5"), "INVALID_QUANTITY"),
    ] {
        match client.submit_order(order).await {
            Ok(answer) => assert_eq!(answer.into_inner().rejection_reason, reason),
            Err(status) => assert!(status.code() == tonic::Code::InvalidArgument, "{status:?}"),
        }
    }
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    let suspended = submit(&mut client, limit("BACK", 2.5, 100, "u6")).await;
    assert_eq!(suspended.rejection_reason, "MARKET_NOT_OPEN");
    client.open_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(last_sequence(&mut client).await, before + 2, "the suspension and the opening");
    // Two events: the account and the order, in one transaction.
    let rests = submit(&mut client, limit("BACK", 2.5, 100, "u1")).await;
    assert_eq!((rests.status.as_str(), rests.sequence), ("RESTING", before + 4));
}

/// Whoever follows a market sees its numbers without a gap, though accounts come with its orders.
#[tokio::test]
async fn a_stream_has_no_gap_where_a_user_is_new() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, MARKET, &["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0"]).await;
    let mut stream = subscribe(&mut client, 1, false).await;
    let even = |side, odds, user| on("Home_0.0", limit(side, odds, 100, user));
    submit(&mut client, even("BACK", 2.5, "anna")).await;
    submit(&mut client, even("LAY", 2.5, "ben")).await;
    submit(&mut client, on("Home_-0.25", limit("BACK", 2.0, 1_000, "cleo"))).await;
    let last = submit(&mut client, even("LAY", 2.1, "dora")).await;
    let mut users = Vec::new();
    for resumed in [false, true] {
        let (mut number, mut seen) = (0, 0);
        while seen < last.sequence {
            let update = next(&mut stream).await.unwrap();
            if let Some(Update::Heartbeat(_)) = update.update {
                continue;
            }
            assert!((number..=number + 1).contains(&update.market_sequence), "{update:?} after {number}");
            (number, seen) = (update.market_sequence, update.sequence);
            if let Some(Update::OrderUpdate(order)) = update.update {
                users.push(order.user_id);
            }
        }
        if !resumed {
            stream = subscribe(&mut client, 1, false).await;
        }
    }
    let (live, history) = users.split_at(users.len() / 2);
    assert_eq!(live, history);
    for user in ["anna", "ben", "cleo", "dora"] {
        assert!(live.iter().any(|name| name == user), "{user} in {live:?}");
    }
}

/// Nothing tells the orders of one client without a user from those of another.
#[tokio::test]
async fn a_client_order_id_needs_a_user() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let order = SubmitOrderRequest { client_order_id: "c1".to_owned(), ..limit("BACK", 2.5, 100, "") };
    let message = refused(client.submit_order(order).await, tonic::Code::InvalidArgument, "INVALID_USER_ID");
    assert!(message.contains("user_id: ") && message.contains("client_order_id"), "{message}");
    let cancel = betex_proto::v1::CancelOrderRequest {
        market_id: MARKET.to_owned(),
        client_order_id: "c1".to_owned(),
        ..Default::default()
    };
    refused(client.cancel_order(cancel).await, tonic::Code::InvalidArgument, "INVALID_USER_ID");
}
