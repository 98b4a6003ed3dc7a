//! What the reference shows a client doing, step by step.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrderRequest, GetOrderBookRequest, MarketLifecycleRequest, SubmitOrderRequest};

use crate::harness::{MARKET, Running, book, ladder, lifecycle, limit, market, next, submit, subscribe};

#[tokio::test]
async fn the_flow_of_the_reference() {
    let server = Running::start();
    let mut client = server.client().await;

    let created = client.create_market(market(MARKET, &["Liverpool", "Draw", "Arsenal"])).await.unwrap();
    let created = created.into_inner();
    assert_eq!((created.market_id.as_str(), created.status.as_str()), (MARKET, "CREATED"));
    let early = submit(&mut client, limit("BACK", 2.5, 10_000, "user_123")).await;
    assert_eq!((early.status.as_str(), early.rejection_reason.as_str()), ("REJECTED", "MARKET_NOT_OPEN"));
    let request = MarketLifecycleRequest { reason: "Match kicked off".to_owned(), ..lifecycle(MARKET) };
    let opened = client.open_market(request).await.unwrap().into_inner();
    assert_eq!(opened.status, "OPEN");
    assert!(opened.sequence > created.sequence);

    let mut stream = subscribe(&mut client, 0, false).await;
    let back = submit(&mut client, limit("BACK", 2.5, 10_000, "user_123")).await;
    assert_eq!((back.status.as_str(), back.order_id, back.remaining_quantity), ("RESTING", 1, 10_000));
    assert!(back.rejection_reason.is_empty() && back.message.is_empty() && back.fills.is_empty());
    let lay = submit(&mut client, limit("LAY", 2.5, 4_000, "user_456")).await;
    assert_eq!((lay.status.as_str(), lay.order_id, lay.filled_quantity), ("FILLED", 2, 4_000));
    let [fill] = &lay.fills[..] else { panic!("{lay:?}") };
    assert_eq!((fill.maker_order_id, fill.price, fill.odds, fill.quantity), (1, 400_000, 2.5, 4_000));
    // In hundredths of a penny.
    assert_eq!((fill.payout, fill.taker_quantity, fill.outcome_id.as_str()), (1_000_000, 4_000, "Liverpool"));
    assert_eq!((fill.stake, fill.taker_stake), (400_000, 400_000));

    let traded = loop {
        let update = next(&mut stream).await.unwrap();
        if let Some(Update::MatchEvent(traded)) = update.update {
            break traded;
        }
    };
    assert_eq!((traded.maker_order_id, traded.taker_order_id), (1, 2));
    assert_eq!((traded.price, traded.quantity, traded.trade_id), (400_000, 4_000, fill.trade_id));
    assert_eq!((traded.stake, traded.payout), (400_000, 1_000_000));
    assert_eq!((traded.maker_side.as_str(), traded.taker_side.as_str()), ("BACK", "LAY"));
    assert!(traded.timestamp > 1_600_000_000_000_000_000);

    let shown = book(&mut client, "Liverpool").await;
    assert_eq!(ladder(&shown.bids), [(2.5, 6_000, 1)]);
    assert_eq!((shown.bids[0].price, shown.asks.len()), (400_000, 0));
    assert_eq!((shown.status.as_str(), shown.sequence), ("OPEN", lay.sequence));
    assert_eq!(
        (shown.last_traded_price, shown.last_traded_odds, shown.traded_quantity),
        (400_000, 2.5, 4_000)
    );

    let request = CancelOrderRequest { market_id: MARKET.to_owned(), order_id: 1, ..Default::default() };
    let cancelled = client.cancel_order(request).await.unwrap().into_inner();
    assert_eq!((cancelled.order_id, cancelled.status.as_str()), (1, "CANCELLED"));
    assert_eq!((cancelled.cancelled_quantity, cancelled.remaining_quantity), (6_000, 0));

    submit(&mut client, limit("LAY", 3.0, 5_000, "user_456")).await;
    let order = SubmitOrderRequest {
        price: 0.0,
        price_type: 0,
        order_type: "MARKET".to_owned(),
        ..limit("BACK", 0.0, 8_000, "user_123")
    };
    let taken = submit(&mut client, order).await;
    assert_eq!((taken.status.as_str(), taken.rejection_reason.as_str()), ("CANCELLED", ""));
    assert_eq!(
        (taken.filled_quantity, taken.cancelled_quantity, taken.remaining_quantity),
        (5_000, 3_000, 0)
    );

    for (change, status) in [("suspend", "SUSPENDED"), ("open", "OPEN"), ("close", "CLOSED")] {
        let changed = match change {
            "suspend" => client.suspend_market(lifecycle(MARKET)).await,
            "open" => client.open_market(lifecycle(MARKET)).await,
            _ => client.close_market(lifecycle(MARKET)).await,
        };
        assert_eq!(changed.unwrap().into_inner().status, status);
    }
    assert_eq!(book(&mut client, "Liverpool").await.status, "CLOSED");
    server.stop();
}

#[tokio::test]
async fn a_book_shows_the_best_for_the_taker_first() {
    let server = Running::start();
    let mut client = server.client().await;
    crate::harness::open_market(&mut client).await;
    for (side, odds, quantity) in [
        ("LAY", 2.4, 100),
        ("LAY", 2.46, 200),
        ("LAY", 2.3, 300),
        ("LAY", 2.46, 400),
        ("BACK", 2.6, 500),
        ("BACK", 2.54, 600),
        ("BACK", 2.7, 700),
    ] {
        assert_eq!(submit(&mut client, limit(side, odds, quantity, "")).await.status, "RESTING");
    }
    let shown = book(&mut client, "Liverpool").await;
    assert_eq!(ladder(&shown.asks), [(2.46, 600, 2), (2.4, 100, 1), (2.3, 300, 1)]);
    assert_eq!(ladder(&shown.bids), [(2.54, 600, 1), (2.6, 500, 1), (2.7, 700, 1)]);
    // Bids by parts per million downwards, asks upwards.
    assert!(
        shown.bids.is_sorted_by(|a, b| a.price > b.price)
            && shown.asks.is_sorted_by(|a, b| a.price < b.price)
    );
    let request = GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: "Liverpool".to_owned(),
        depth: 2,
        ..GetOrderBookRequest::default()
    };
    let top = client.get_order_book(request).await.unwrap().into_inner();
    assert_eq!((top.asks.len(), top.bids.len()), (2, 2));
    assert_eq!(ladder(&top.asks), [(2.46, 600, 2), (2.4, 100, 1)]);
}

#[tokio::test]
async fn overround_counts_what_a_backer_can_get() {
    let server = Running::start();
    let mut client = server.client().await;
    crate::harness::open_market(&mut client).await;
    assert_eq!(book(&mut client, "Draw").await.overround, 0.0);
    // A resting BACK is nothing that a backer can get.
    submit(&mut client, limit("BACK", 2.6, 500, "")).await;
    assert_eq!(book(&mut client, "Draw").await.overround, 0.0);
    submit(&mut client, limit("LAY", 2.5, 500, "")).await;
    submit(&mut client, limit("LAY", 2.0, 500, "")).await;
    let on_draw = SubmitOrderRequest { outcome_id: "Draw".to_owned(), ..limit("LAY", 4.0, 500, "") };
    submit(&mut client, on_draw).await;
    let overround = book(&mut client, "Arsenal").await.overround;
    assert!((overround - (0.4 + 0.25)).abs() < 1e-12, "{overround}");
}
