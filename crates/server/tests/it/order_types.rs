//! Fill or kill, post-only, and what becomes of who would meet themselves.

use betex_proto::v1::{SelfTradePrevention, SubmitOrderRequest, SubmitOrderResponse, TimeInForce};

use crate::harness::{Running, book, ladder, limit, on, open_market, submit};

fn fok(min_fill_quantity: u64, order: SubmitOrderRequest) -> SubmitOrderRequest {
    SubmitOrderRequest { time_in_force: TimeInForce::Fok.into(), min_fill_quantity, ..order }
}

fn post_only(order: SubmitOrderRequest) -> SubmitOrderRequest {
    SubmitOrderRequest { post_only: true, ..order }
}

#[track_caller]
fn rejected(answer: &SubmitOrderResponse, reason: &str, words: &str) {
    assert_eq!(
        (answer.status.as_str(), answer.rejection_reason.as_str()),
        ("REJECTED", reason),
        "{answer:?}"
    );
    assert!(answer.message.contains(words) && answer.fills.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn fill_or_kill() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("LAY", 2.5, 1_000, "ben")).await;
    submit(&mut client, limit("LAY", 2.4, 500, "anna")).await;
    // Own orders do not count.
    let all = submit(&mut client, fok(0, limit("BACK", 2.4, 1_200, "anna"))).await;
    rejected(&all, "WOULD_NOT_FILL", "min_fill_quantity: 1000 of at least 1200 pennies would be filled");
    let most = submit(&mut client, fok(1_100, limit("BACK", 2.5, 1_200, "anna"))).await;
    rejected(&most, "WOULD_NOT_FILL", "1000 of at least 1100 pennies");
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.asks), [(2.5, 1_000, 1), (2.4, 500, 1)]);
    // What is over the least is cancelled, and does not rest.
    let enough = submit(&mut client, fok(400, limit("BACK", 2.5, 1_200, "anna"))).await;
    assert_eq!((enough.status.as_str(), enough.rejection_reason.as_str()), ("CANCELLED", ""));
    assert_eq!((enough.filled_quantity, enough.cancelled_quantity), (1_000, 200));
    // Sets do count.
    for outcome in ["Draw", "Arsenal"] {
        submit(&mut client, on(outcome, limit("LAY", 4.0, 500, "carol"))).await;
    }
    let set = submit(&mut client, fok(0, limit("LAY", 2.0, 1_000, "anna"))).await;
    assert_eq!((set.status.as_str(), set.fills.len()), ("FILLED", 2), "{set:?}");
}

#[tokio::test]
async fn post_only_orders_take_nothing() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert_eq!(submit(&mut client, post_only(limit("LAY", 2.5, 1_000, "ben"))).await.status, "RESTING");
    let would = submit(&mut client, post_only(limit("BACK", 2.5, 100, "anna"))).await;
    rejected(&would, "WOULD_MATCH", "would match at once, and is post-only");
    assert_eq!(submit(&mut client, post_only(limit("BACK", 2.52, 100, "anna"))).await.status, "RESTING");
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.asks), [(2.5, 1_000, 1)]);
    // Nor of a set.
    for outcome in ["Draw", "Arsenal"] {
        submit(&mut client, on(outcome, limit("LAY", 4.0, 500, "carol"))).await;
    }
    rejected(
        &submit(&mut client, post_only(limit("LAY", 2.0, 100, "anna"))).await,
        "WOULD_MATCH",
        "post-only",
    );
}

#[tokio::test]
async fn each_way_of_not_meeting_oneself() {
    for mode in [
        SelfTradePrevention::Skip,
        SelfTradePrevention::Reject,
        SelfTradePrevention::CancelResting,
        SelfTradePrevention::CancelTaker,
    ] {
        let server = Running::start();
        let mut client = server.client().await;
        open_market(&mut client).await;
        submit(&mut client, limit("LAY", 2.6, 300, "ben")).await;
        submit(&mut client, limit("LAY", 2.5, 400, "anna")).await;
        submit(&mut client, limit("LAY", 2.4, 500, "ben")).await;
        let order =
            SubmitOrderRequest { self_trade_prevention: mode.into(), ..limit("BACK", 2.4, 1_000, "anna") };
        let taken = submit(&mut client, order).await;
        let answer = (
            taken.status.as_str(),
            taken.rejection_reason.as_str(),
            taken.filled_quantity,
            taken.remaining_quantity,
        );
        let asks = ladder(&book(&mut client, "Liverpool").await.asks);
        let (expected, left) = match mode {
            // Past its own, and it may not rest across that.
            SelfTradePrevention::Skip => (("CANCELLED", "SELF_TRADE", 800, 0), vec![(2.5, 400, 1)]),
            SelfTradePrevention::Reject => {
                (("REJECTED", "SELF_TRADE", 0, 0), vec![(2.6, 300, 1), (2.5, 400, 1), (2.4, 500, 1)])
            }
            SelfTradePrevention::CancelResting => (("PARTIALLY_FILLED", "", 800, 200), vec![]),
            SelfTradePrevention::CancelTaker => {
                (("CANCELLED", "SELF_TRADE", 300, 0), vec![(2.5, 400, 1), (2.4, 500, 1)])
            }
        };
        assert_eq!((answer, asks), (expected, left), "{mode:?}");
    }
}
