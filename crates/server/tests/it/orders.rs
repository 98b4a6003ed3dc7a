//! Prices, lifetimes, client ids, self-trade prevention, cancelling.

use std::time::{SystemTime, UNIX_EPOCH};

use betex_proto::v1::{
    CancelOrderRequest, CreateMarketRequest, Ladder, PriceType, SubmitOrderRequest, TimeInForce,
};

use crate::harness::{
    Client, MARKET, PATIENCE, Running, book, ladder, lifecycle, limit, market, open_market, submit,
};

#[tokio::test]
async fn prices_in_parts_per_million() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let at = |ppm: f64| SubmitOrderRequest {
        price_type: PriceType::BasisPoints.into(),
        ..limit("BACK", ppm, 100, "")
    };
    // 2.50, 1.01, 1000, and 640, whose image is a half that some round down.
    for ppm in [400_000.0, 990_099.0, 1_000.0, 1_563.0, 1_562.0] {
        assert_eq!(submit(&mut client, at(ppm)).await.status, "RESTING", "{ppm}");
    }
    let shown = book(&mut client, "Liverpool").await;
    assert_eq!(ladder(&shown.bids), [(1.01, 100, 1), (2.5, 100, 1), (640.0, 200, 2), (1_000.0, 100, 1)]);
    let ppm: Vec<_> = shown.bids.iter().map(|level| level.price).collect();
    assert_eq!(ppm, [990_099, 400_000, 1_563, 1_000]);
    for ppm in [399_999.0, 400_000.4, 0.0, -400_000.0, 1e18] {
        let answer = submit(&mut client, at(ppm)).await;
        assert_eq!(
            (answer.status.as_str(), answer.rejection_reason.as_str()),
            ("REJECTED", "INVALID_PRICE"),
            "{ppm}"
        );
    }
}

#[tokio::test]
async fn the_finest_ladder() {
    let server = Running::start();
    let mut client = server.client().await;
    let finest =
        CreateMarketRequest { ladder: Ladder::Finest.into(), ..market(MARKET, &["Liverpool", "Arsenal"]) };
    client.create_market(finest).await.unwrap();
    client.open_market(lifecycle(MARKET)).await.unwrap();
    for odds in [2.51, 499.99, 500.0, 999.99] {
        assert_eq!(submit(&mut client, limit("LAY", odds, 100, "")).await.status, "RESTING", "{odds}");
    }
    let off = submit(&mut client, limit("LAY", 2.515, 100, "")).await;
    assert!(off.message.contains("the nearest are 2.51 and 2.52"), "{off:?}");
    let ppm = |ppm| SubmitOrderRequest { price_type: 0, ..limit("LAY", ppm, 100, "") };
    let ambiguous = submit(&mut client, ppm(2_000.0)).await;
    assert_eq!(ambiguous.rejection_reason, "INVALID_PRICE");
    assert!(
        ambiguous.message.contains("send the odds themselves, with price_type DECIMAL_ODDS"),
        "{ambiguous:?}"
    );
    assert_eq!(submit(&mut client, ppm(400_000.0)).await.status, "RESTING");
    // Two levels of one image: the odds tell them apart.
    let asks = book(&mut client, "Liverpool").await.asks;
    let image: Vec<_> = asks.iter().filter(|level| level.price == 2_000).map(|level| level.odds).collect();
    assert_eq!(image, [500.0, 499.99]);
}

#[tokio::test]
async fn a_client_order_id_is_used_once() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let named =
        |user| SubmitOrderRequest { client_order_id: "c-1".to_owned(), ..limit("BACK", 2.5, 1_000, user) };
    let first = submit(&mut client, named("anna")).await;
    submit(&mut client, limit("LAY", 2.5, 400, "ben")).await;
    let again = submit(&mut client, named("anna")).await;
    assert_eq!((again.status.as_str(), again.rejection_reason.as_str()), ("REJECTED", "DUPLICATE_CLIENT_ID"));
    assert_eq!((again.order_id, again.filled_quantity, again.remaining_quantity), (first.order_id, 400, 600));
    // Somebody else's is another one.
    assert_eq!(submit(&mut client, named("ben")).await.status, "RESTING");
    let cancel = |user_id: &str, keep_quantity| CancelOrderRequest {
        market_id: MARKET.to_owned(),
        client_order_id: "c-1".to_owned(),
        user_id: user_id.to_owned(),
        keep_quantity,
        ..CancelOrderRequest::default()
    };
    // A reduction may be repeated.
    for cancelled in [350, 0] {
        let reduced = client.cancel_order(cancel("anna", 250)).await.unwrap().into_inner();
        assert_eq!((reduced.order_id, reduced.status.as_str()), (first.order_id, "PARTIALLY_FILLED"));
        assert_eq!((reduced.cancelled_quantity, reduced.remaining_quantity), (cancelled, 250));
    }
    let cancelled = client.cancel_order(cancel("anna", 0)).await.unwrap().into_inner();
    assert_eq!((cancelled.status.as_str(), cancelled.cancelled_quantity), ("CANCELLED", 250));
    let again = submit(&mut client, named("anna")).await;
    assert_eq!((again.order_id, again.filled_quantity, again.cancelled_quantity), (first.order_id, 400, 600));
}

#[tokio::test]
async fn nobody_is_matched_against_themselves() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let ben = submit(&mut client, limit("BACK", 2.5, 300, "ben")).await;
    // Passes over its own, takes ben's, and what would then rest across its own is cancelled.
    let taken = submit(&mut client, limit("LAY", 2.5, 1_000, "anna")).await;
    assert_eq!((taken.status.as_str(), taken.rejection_reason.as_str()), ("CANCELLED", "SELF_TRADE"));
    assert_eq!((taken.filled_quantity, taken.cancelled_quantity), (300, 700));
    assert_eq!(taken.fills[0].maker_order_id, ben.order_id);
    assert!(taken.message.contains("of the same user"), "{taken:?}");
    // Without a name there is no such protection.
    submit(&mut client, limit("BACK", 2.4, 100, "")).await;
    assert_eq!(submit(&mut client, limit("LAY", 2.4, 100, "")).await.status, "FILLED");
}

#[tokio::test]
async fn orders_that_do_not_stay() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("LAY", 2.5, 300, "")).await;
    let ioc = |order| SubmitOrderRequest { time_in_force: TimeInForce::Ioc.into(), ..order };
    let taken = submit(&mut client, ioc(limit("BACK", 2.5, 1_000, ""))).await;
    assert_eq!((taken.status.as_str(), taken.rejection_reason.as_str()), ("CANCELLED", ""));
    assert_eq!((taken.filled_quantity, taken.cancelled_quantity), (300, 700));
    // A MARKET order with a price takes nothing worse.
    submit(&mut client, limit("LAY", 2.5, 300, "")).await;
    let market_order =
        |price| SubmitOrderRequest { order_type: "MARKET".to_owned(), ..limit("BACK", price, 100, "") };
    assert_eq!(submit(&mut client, market_order(2.6)).await.status, "CANCELLED");
    assert_eq!(submit(&mut client, market_order(2.5)).await.status, "FILLED");
    assert_eq!(submit(&mut client, market_order(0.0)).await.status, "FILLED");
    assert_eq!(submit(&mut client, market_order(2.51)).await.rejection_reason, "INVALID_PRICE");

    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let expiry_ms = u64::try_from(now_ms).unwrap() + 700;
    let gtd = SubmitOrderRequest {
        time_in_force: TimeInForce::Gtd.into(),
        expiry_ms,
        ..limit("BACK", 3.0, 1_000, "")
    };
    assert_eq!(submit(&mut client, gtd).await.status, "RESTING");
    assert_eq!(book(&mut client, "Liverpool").await.bids.len(), 1);
    until_empty(&mut client).await;
}

async fn until_empty(client: &mut Client) {
    let empty = async { while !book(client, "Liverpool").await.bids.is_empty() {} };
    tokio::time::timeout(PATIENCE, empty).await.expect("the order expires");
}
