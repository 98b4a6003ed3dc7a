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

/// What is refused, though other users, markets and calls are not.
async fn exhausted(client: &mut Client, order: SubmitOrderRequest, words: &str) {
    let answer = client.submit_order(order).await;
    let message = refused(answer, tonic::Code::ResourceExhausted, "LIMIT_REACHED");
    assert!(message.contains(words), "{message}");
}

#[tokio::test]
async fn one_user_cannot_use_up_what_all_have() {
    let bounds = ["--max-client-ids-per-user", "2", "--max-resting-orders-per-user", "3"];
    let server = Running::with(&[&bounds[..], &["--max-users-per-market", "2"]].concat());
    let mut client = server.client().await;
    open_market(&mut client).await;
    // A MARKET order that meets nobody keeps its id all the same.
    let named = |user: &str, id: &str| SubmitOrderRequest {
        client_order_id: id.to_owned(),
        order_type: "MARKET".to_owned(),
        price: 0.0,
        ..limit("BACK", 2.5, 100, user)
    };
    for id in ["c1", "c2"] {
        submit(&mut client, named("anna", id)).await;
    }
    let words = "client_order_id: the limit of 2 client order ids of one user in one market is reached";
    exhausted(&mut client, named("anna", "c3"), words).await;
    submit(&mut client, named("ben", "c3")).await;
    for _ in 0..3 {
        submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    }
    let words = "order: the limit of 3 resting orders of one user is reached";
    exhausted(&mut client, limit("BACK", 2.5, 100, "anna"), words).await;
    submit(&mut client, limit("BACK", 2.5, 100, "ben")).await;
    let words = "user_id: the limit of 2 users with orders or client order ids in one market is reached";
    exhausted(&mut client, limit("BACK", 2.5, 100, "cleo"), words).await;
    let before = last_sequence(&mut client).await;
    exhausted(&mut client, named("cleo", "c1"), words).await;
    assert_eq!(last_sequence(&mut client).await, before, "no account is left");
}

#[tokio::test]
async fn markets_are_bounded_in_bytes_and_users_in_number() {
    let server = Running::with(&["--max-market-bytes", "100000", "--max-users", "1"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let names: Vec<String> = (0..256).map(|outcome| format!("outcome {outcome:0100}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wide = betex_proto::v1::CreateMarketRequest {
        independent_outcomes: true,
        ..crate::harness::market("wide", &names[..255])
    };
    let words = "outcomes: the limit of 100000 bytes of markets, outcomes and their names is reached";
    client.create_market(wide.clone()).await.unwrap();
    let second = betex_proto::v1::CreateMarketRequest { market_id: "second".to_owned(), ..wide };
    let message =
        refused(client.create_market(second).await, tonic::Code::ResourceExhausted, "LIMIT_REACHED");
    assert!(message.contains(words), "{message}");
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    let words = "user_id: the limit of 1 users with an account is reached";
    exhausted(&mut client, limit("BACK", 2.5, 100, "ben"), words).await;
}

/// New users and new markets come no faster than the server is told. What is refused does not count.
#[tokio::test]
async fn new_users_and_markets_have_a_rate() {
    let server = Running::with(&["--new-users-per-s", "1", "--new-markets-per-s", "1"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    for user in 0..200 {
        let fok =
            SubmitOrderRequest { time_in_force: 2, ..limit("BACK", 2.5, 100, &format!("refused {user}")) };
        assert_eq!(submit(&mut client, fok).await.rejection_reason, "WOULD_NOT_FILL");
    }
    let refusal = async {
        for user in 0.. {
            if let Err(status) = client.submit_order(limit("BACK", 2.5, 100, &format!("user {user}"))).await {
                return (user, status);
            }
        }
        unreachable!("there is an end")
    };
    let (users, status) =
        tokio::time::timeout(crate::harness::PATIENCE, refusal).await.expect("it is refused");
    assert!(users >= 50, "half of a hundred at once, not {users}");
    let message = refused::<()>(Err(status), tonic::Code::ResourceExhausted, "TOO_MANY_NEW_USERS");
    assert!(message.contains("1 new users a second"), "{message}");
    // Those who are there go on.
    assert_eq!(submit(&mut client, limit("BACK", 2.5, 100, "user 0")).await.status, "RESTING");
    let refusal = async {
        for market in 0.. {
            let spec = crate::harness::market(&format!("market {market}"), &["A", "B"]);
            if let Err(status) = client.create_market(spec).await {
                return status;
            }
        }
        unreachable!("there is an end")
    };
    let status = tokio::time::timeout(crate::harness::PATIENCE, refusal).await.expect("it is refused");
    refused::<()>(Err(status), tonic::Code::ResourceExhausted, "TOO_MANY_NEW_MARKETS");
}
