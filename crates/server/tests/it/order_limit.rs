//! The bound on the work of one order: 4,096 resting orders are met, and no more.

use betex_proto::v1::{SubmitOrderRequest, TimeInForce};

use crate::harness::{Running, book, ladder, limit, open_market, submit, submit_many};

#[tokio::test]
async fn an_order_meets_4096_orders_and_is_told_if_there_are_more() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let pennies = submit_many(&client, 4_097, &limit("LAY", 2.5, 1, "ben")).await;
    assert!(pennies.iter().all(|penny| penny.status == "RESTING"));
    let lived = |time_in_force: TimeInForce, order| SubmitOrderRequest {
        time_in_force: time_in_force.into(),
        ..order
    };
    let taker = limit("BACK", 2.5, 4_097, "anna");
    // There is enough, but not within the bound: it is refused, and nothing is traded.
    let fok = submit(&mut client, lived(TimeInForce::Fok, taker.clone())).await;
    assert_eq!((fok.status.as_str(), fok.rejection_reason.as_str()), ("REJECTED", "ORDER_LIMIT"));
    assert_eq!((fok.order_id, fok.filled_quantity, fok.fills.len()), (0, 0, 0));
    let shown = book(&mut client, "Liverpool").await;
    assert_eq!((ladder(&shown.asks), shown.traded_quantity), (vec![(2.5, 4_097, 4_097)], 0));
    // Where there is too little anyway, that is the reason.
    let short = lived(TimeInForce::Fok, limit("BACK", 2.52, 4_097, "anna"));
    assert_eq!(submit(&mut client, short).await.rejection_reason, "WOULD_NOT_FILL");

    let ioc = submit(&mut client, lived(TimeInForce::Ioc, taker.clone())).await;
    assert_eq!((ioc.status.as_str(), ioc.rejection_reason.as_str()), ("CANCELLED", "ORDER_LIMIT"));
    assert!(ioc.message.contains("met the bound on work for one order"), "{}", ioc.message);
    assert_eq!((ioc.filled_quantity, ioc.cancelled_quantity, ioc.remaining_quantity), (4_096, 1, 0));
    assert_eq!(ioc.fills.len(), 4_096);
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.asks), [(2.5, 1, 1)]);
    // The next one goes on where it stopped, and has nothing to be told of.
    let again = submit(&mut client, lived(TimeInForce::Ioc, taker)).await;
    assert_eq!((again.status.as_str(), again.rejection_reason.as_str()), ("CANCELLED", ""));
    assert_eq!((again.filled_quantity, again.cancelled_quantity), (1, 4_096));
}
