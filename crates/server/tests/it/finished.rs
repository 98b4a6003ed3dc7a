//! Cancelling an order that rests no more: the answer says what became of it.

use betex_proto::v1::{CancelOrderRequest, SubmitOrderRequest};
use tonic::Code;

use crate::harness::{Client, MARKET, Running, limit, on, open_market, open_market_named, refused, submit};

fn cancel(market_id: &str, order_id: u64, user_id: &str) -> CancelOrderRequest {
    CancelOrderRequest {
        market_id: market_id.to_owned(),
        order_id,
        user_id: user_id.to_owned(),
        ..CancelOrderRequest::default()
    }
}

/// What a cancel is told of an order that has finished.
async fn told(client: &mut Client, request: CancelOrderRequest) -> String {
    let message = refused(client.cancel_order(request).await, Code::NotFound, "ORDER_FINISHED");
    message.split_once("order_id: ").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_cancel_tells_a_finished_order_from_one_that_never_was() {
    let directory = tempfile::tempdir().unwrap();
    let server = Running::on(directory.path(), &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let lines = ["Home_0.0", "Away_0.0", "Home_-0.5", "Away_+0.5"];
    open_market_named(&mut client, "lines", &lines).await;
    let named = SubmitOrderRequest { client_order_id: "c-1".to_owned(), ..limit("BACK", 2.5, 100, "anna") };
    let filled = submit(&mut client, named).await.order_id;
    let taker = submit(&mut client, limit("LAY", 2.5, 300, "ben")).await.order_id;
    client.cancel_order(cancel(MARKET, taker, "ben")).await.unwrap();
    let at_once = submit(&mut client, limit("BACK", 3.0, 50, "anna")).await.order_id;
    submit(&mut client, limit("LAY", 3.0, 50, "cleo")).await;
    let ioc = SubmitOrderRequest { time_in_force: 1, ..on("Draw", limit("BACK", 3.0, 70, "anna")) };
    let ioc = submit(&mut client, ioc).await.order_id;
    let reduced = submit(&mut client, on("Draw", limit("BACK", 3.0, 80, "anna"))).await.order_id;
    let keep = CancelOrderRequest { keep_quantity: 30, ..cancel(MARKET, reduced, "") };
    client.cancel_order(keep).await.unwrap();
    submit(&mut client, on("Draw", limit("LAY", 3.0, 30, "ben"))).await;
    let quarter = |quantity| SubmitOrderRequest {
        market_id: "lines".to_owned(),
        ..on("Home_-0.25", limit("BACK", 2.0, quantity, "anna"))
    };
    let half_filled = submit(&mut client, quarter(200)).await.order_id;
    let layer = |outcome, quantity| SubmitOrderRequest {
        market_id: "lines".to_owned(),
        ..on(outcome, limit("LAY", 2.0, quantity, "ben"))
    };
    submit(&mut client, layer("Home_0.0", 100)).await;
    client.cancel_order(cancel("lines", half_filled, "")).await.unwrap();
    let rests = submit(&mut client, on("Arsenal", limit("BACK", 9.0, 80, "anna"))).await.order_id;

    let expected = [
        (MARKET, filled, "is FILLED: 100 of 100 pennies were filled, 0 were cancelled"),
        (MARKET, taker, "is CANCELLED: 100 of 300 pennies were filled, 200 were cancelled"),
        (MARKET, at_once, "is FILLED: 50 of 50"),
        (MARKET, ioc, "is CANCELLED: 0 of 70 pennies were filled, 70 were cancelled"),
        (MARKET, reduced, "is FILLED: 30 of 80 pennies were filled, 50 were cancelled"),
        ("lines", half_filled, "is CANCELLED: 100 of 200 pennies were filled, 100 were cancelled"),
    ];
    let mut server = server;
    for restart in [false, true] {
        for (market, order, words) in expected {
            let told = told(&mut client, cancel(market, order, "")).await;
            assert!(told.contains(words), "{order}: {told}");
        }
        let by_name = CancelOrderRequest { client_order_id: "c-1".to_owned(), ..cancel(MARKET, 0, "anna") };
        assert!(told(&mut client, by_name).await.contains(&format!("order {filled} is FILLED")));
        // Of other markets, of others' orders and of orders that never were there is nothing to tell.
        for request in [
            cancel("lines", filled, ""),
            cancel(MARKET, filled, "ben"),
            cancel(MARKET, rests + 1, ""),
            cancel(MARKET, u64::MAX, ""),
        ] {
            refused(client.cancel_order(request).await, Code::NotFound, "ORDER_NOT_FOUND");
        }
        if restart {
            break;
        }
        server.kill();
        server = Running::on(directory.path(), &[]);
        client = server.client().await;
        // The states of orders are read again beside the first requests.
        let known = async {
            while let Err(status) = client.cancel_order(cancel("lines", half_filled, "")).await
                && !status.message().starts_with("ORDER_FINISHED")
            {}
        };
        tokio::time::timeout(crate::harness::PATIENCE, known).await.expect("it is read again");
    }
    client.cancel_order(cancel(MARKET, rests, "anna")).await.unwrap();
}
