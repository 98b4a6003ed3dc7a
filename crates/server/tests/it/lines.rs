//! Handicap and total lines; orders on quarter lines are two in one.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrderRequest, GetOrderBookRequest, SubmitOrderRequest};
use tonic::Code;

use crate::harness::{
    Client, MARKET, Running, book, ladder, limit, next, on, open_market_named, refused, submit, subscribe,
};

const LINES: [&str; 6] = ["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0", "Over_2.5", "Under_2.5"];

async fn open_lines(client: &mut Client) {
    open_market_named(client, MARKET, &LINES).await;
}

fn cancel(order_id: u64) -> CancelOrderRequest {
    CancelOrderRequest { market_id: MARKET.to_owned(), order_id, ..CancelOrderRequest::default() }
}

#[tokio::test]
async fn an_order_on_a_quarter_line_is_two_and_one() {
    let server = Running::start();
    let mut client = server.client().await;
    open_lines(&mut client).await;
    let order = SubmitOrderRequest {
        client_order_id: "c-1".to_owned(),
        ..on("Home_-0.25", limit("BACK", 2.0, 1_001, "anna"))
    };
    let placed = submit(&mut client, order.clone()).await;
    assert_eq!(
        (placed.status.as_str(), placed.order_id, &placed.leg_order_ids[..]),
        ("RESTING", 1, &[2, 3][..])
    );
    assert_eq!(placed.remaining_quantity, 1_001);
    // The odd penny is on the line nearer to zero.
    assert_eq!(ladder(&book(&mut client, "Home_0.0").await.bids), [(2.0, 501, 1)]);
    assert_eq!(ladder(&book(&mut client, "Home_-0.5").await.bids), [(2.0, 500, 1)]);

    let taken = submit(&mut client, on("Home_0.0", limit("LAY", 2.0, 200, "ben"))).await;
    let [fill] = &taken.fills[..] else { panic!("{taken:?}") };
    assert_eq!((fill.maker_order_id, fill.order_id, taken.leg_order_ids.len()), (2, 0, 0));
    let again = submit(&mut client, order).await;
    assert_eq!(again.rejection_reason, "DUPLICATE_CLIENT_ID");
    assert_eq!((again.order_id, &again.leg_order_ids[..]), (1, &[2, 3][..]));
    assert_eq!((again.filled_quantity, again.remaining_quantity), (200, 801));

    let half = refused(client.cancel_order(cancel(2)).await, Code::NotFound, "ORDER_NOT_FOUND");
    assert!(half.contains("2 is half of order 1; cancel that"), "{half}");
    let cancelled = client.cancel_order(cancel(1)).await.unwrap().into_inner();
    assert_eq!((cancelled.order_id, cancelled.cancelled_quantity, cancelled.remaining_quantity), (1, 801, 0));
    for outcome in ["Home_0.0", "Home_-0.5"] {
        assert!(book(&mut client, outcome).await.bids.is_empty());
    }
}

#[tokio::test]
async fn fills_name_the_half_and_the_outcome_and_updates_tell_of_all_three() {
    let server = Running::start();
    let mut client = server.client().await;
    open_lines(&mut client).await;
    submit(&mut client, on("Home_0.0", limit("LAY", 2.0, 300, "ben"))).await;
    submit(&mut client, on("Home_-0.5", limit("LAY", 2.2, 900, "ben"))).await;
    // BACKs of the other side of a line make sets with it.
    submit(&mut client, on("Away_0.0", limit("BACK", 2.0, 1_000, "carol"))).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let placed = submit(&mut client, on("Home_-0.25", limit("BACK", 2.0, 1_200, "anna"))).await;
    assert_eq!(
        (placed.status.as_str(), placed.order_id, &placed.leg_order_ids[..]),
        ("FILLED", 4, &[5, 6][..])
    );
    let fills: Vec<_> = placed
        .fills
        .iter()
        .map(|fill| (fill.order_id, fill.outcome_id.as_str(), fill.synthetic, fill.odds, fill.taker_quantity))
        .collect();
    let expected = [
        (5, "Home_0.0", false, 2.0, 300),
        (5, "Away_0.0", true, 2.0, 300),
        (6, "Home_-0.5", false, 2.2, 600),
    ];
    assert_eq!(fills, expected);
    let mut arrived = Vec::new();
    loop {
        let update = next(&mut stream).await.unwrap();
        if let Some(Update::OrderUpdate(order)) = update.update
            && order.user_id == "anna"
        {
            arrived.push((
                order.order_id,
                order.outcome_id,
                order.status,
                order.filled_quantity,
                order.whole_order_id,
            ));
        }
        if update.sequence == placed.sequence && update.ends_transaction {
            break;
        }
    }
    let told =
        |id, outcome: &str, filled, whole| (id, outcome.to_owned(), "FILLED".to_owned(), filled, whole);
    let expected =
        [told(4, "Home_-0.25", 1_200, 0), told(5, "Home_0.0", 600, 4), told(6, "Home_-0.5", 600, 4)];
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn what_has_no_book_says_who_has() {
    let server = Running::start();
    let mut client = server.client().await;
    open_lines(&mut client).await;
    let request = |outcome: &str| GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..GetOrderBookRequest::default()
    };
    let quarter = client.get_order_book(request("Away_+0.25")).await;
    let words = refused(quarter, Code::InvalidArgument, "INVALID_OUTCOME_ID");
    assert!(words.contains("has no book of its own"), "{words}");
    assert!(words.contains("half on \"Away_0.0\" and half on \"Away_+0.5\""), "{words}");
    // A quarter line of which one half is not listed, and a line that is written wrongly.
    for outcome in ["Home_-0.75", "Home_0.5", "Over_2.75"] {
        refused(client.get_order_book(request(outcome)).await, Code::NotFound, "OUTCOME_NOT_FOUND");
        let answer = submit(&mut client, on(outcome, limit("BACK", 2.0, 100, ""))).await;
        assert_eq!(answer.rejection_reason, "INVALID_OUTCOME", "{answer:?}");
        assert!(answer.message.contains("it has \"Home_-0.5\", \"Away_+0.5\""), "{answer:?}");
    }
    // In a market without lines such a name is just unknown.
    open_market_named(&mut client, "plain", &["Home", "Away"]).await;
    let plain = GetOrderBookRequest { market_id: "plain".to_owned(), ..request("Home_-0.25") };
    refused(client.get_order_book(plain).await, Code::NotFound, "OUTCOME_NOT_FOUND");
}
