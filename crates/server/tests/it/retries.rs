//! The same order once more: whoever lost the answer learns what became of the first one.

use std::time::{SystemTime, UNIX_EPOCH};

use betex_proto::v1::{RemoveOutcomeRequest, SubmitOrderRequest, SubmitOrderResponse};

use crate::harness::{
    Client, MARKET, PATIENCE, Running, lifecycle, limit, on, open_market, open_market_named, submit,
};

fn named(id: &str, order: SubmitOrderRequest) -> SubmitOrderRequest {
    SubmitOrderRequest { client_order_id: id.to_owned(), ..order }
}

async fn remove(client: &mut Client, outcome: &str) {
    let request = RemoveOutcomeRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..RemoveOutcomeRequest::default()
    };
    client.remove_outcome(request).await.unwrap();
}

/// A refusal that tells of the first order.
#[track_caller]
fn is_told_of(first: &SubmitOrderResponse, status: &str, again: &SubmitOrderResponse) {
    assert_eq!((again.status.as_str(), again.rejection_reason.as_str()), ("REJECTED", "DUPLICATE_CLIENT_ID"));
    assert_eq!((again.order_id, &again.leg_order_ids), (first.order_id, &first.leg_order_ids));
    assert_eq!(again.first_status, status, "{again:?}");
    let words = format!("is used already, by order {}, which is {status}", first.order_id);
    assert!(again.message.contains(&words), "{again:?}");
}

#[tokio::test]
async fn whatever_else_would_be_wrong_with_it_by_now() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let order = named("c1", on("Draw", limit("BACK", 3.0, 1_000, "anna")));
    let first = submit(&mut client, order.clone()).await;
    assert_eq!(first.first_status, "");
    submit(&mut client, on("Draw", limit("LAY", 3.0, 400, "ben"))).await;
    let dear = SubmitOrderRequest { price: 3.01, ..order.clone() };
    is_told_of(&first, "PARTIALLY_FILLED", &submit(&mut client, dear).await);
    remove(&mut client, "Draw").await;
    let again = submit(&mut client, order.clone()).await;
    is_told_of(&first, "CANCELLED", &again);
    assert_eq!((again.filled_quantity, again.remaining_quantity, again.cancelled_quantity), (400, 0, 600));
    // Somebody else's id is another one.
    let other = submit(&mut client, SubmitOrderRequest { user_id: "ben".to_owned(), ..order.clone() }).await;
    assert_eq!((other.rejection_reason.as_str(), other.order_id), ("INVALID_OUTCOME", 0));
    client.close_market(lifecycle(MARKET)).await.unwrap();
    is_told_of(&first, "CANCELLED", &submit(&mut client, on("Nobody", order.clone())).await);
    let new = submit(&mut client, on("Nobody", named("c2", order))).await;
    assert_eq!((new.rejection_reason.as_str(), new.order_id), ("MARKET_NOT_OPEN", 0));
}

#[tokio::test]
async fn on_a_quarter_line_of_which_one_half_is_gone() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, MARKET, &["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0"]).await;
    let order = named("c1", on("Home_-0.25", limit("BACK", 2.0, 1_001, "anna")));
    let first = submit(&mut client, order.clone()).await;
    assert_eq!(first.leg_order_ids, [2, 3]);
    // Of a single penny there is no other half.
    let penny = named("p1", on("Home_-0.25", limit("BACK", 2.0, 1, "anna")));
    let small = submit(&mut client, penny.clone()).await;
    assert_eq!((small.order_id, &small.leg_order_ids[..]), (4, &[5][..]));
    remove(&mut client, "Home_-0.5").await;
    let again = submit(&mut client, order).await;
    is_told_of(&first, "RESTING", &again);
    assert_eq!((again.remaining_quantity, again.cancelled_quantity), (501, 500));
    is_told_of(&small, "RESTING", &submit(&mut client, penny).await);
}

#[tokio::test]
async fn one_that_has_expired_says_so() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + 500;
    let order = SubmitOrderRequest {
        time_in_force: 3,
        expiry_ms: u64::try_from(soon).unwrap(),
        ..named("c1", limit("BACK", 2.5, 100, "anna"))
    };
    let first = submit(&mut client, order.clone()).await;
    assert_eq!(first.status, "RESTING");
    let expired = async {
        loop {
            let again = submit(&mut client, order.clone()).await;
            if again.first_status != "RESTING" {
                break again;
            }
        }
    };
    let again = tokio::time::timeout(PATIENCE, expired).await.expect("it expires");
    is_told_of(&first, "EXPIRED", &again);
}
