//! A closed market is forgotten after its time, and its name is free again.

use std::time::{Duration, Instant};

use betex_proto::v1::GetOrderBookRequest;
use betex_proto::v1::market_update::Update;
use tonic::Code;

use crate::harness::{
    Client, MARKET, Running, lifecycle, limit, market, next, open_market, refused, submit, subscribe,
};

async fn is_there(client: &mut Client) -> bool {
    let asked = GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: "Home".to_owned(),
        ..GetOrderBookRequest::default()
    };
    match client.get_order_book(asked).await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(status.code(), Code::NotFound, "{status:?}");
            false
        }
    }
}

#[tokio::test]
async fn a_closed_market_is_forgotten_after_its_time_and_can_be_created_again() {
    let server = Running::with(&["--closed-market-ttl-s", "1"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let first = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    client.close_market(lifecycle(MARKET)).await.unwrap();
    let again = client.create_market(market(MARKET, &["Home", "Away"])).await;
    refused(again, Code::AlreadyExists, "MARKET_EXISTS");
    let asked = Instant::now();
    while is_there(&mut client).await {
        assert!(asked.elapsed() < Duration::from_secs(60), "it is remembered for a second");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let last = loop {
        if let Some(Update::MarketStatus(status)) = next(&mut stream).await.unwrap().update
            && status.status == "REMOVED"
        {
            break status;
        }
    };
    assert_eq!(last.market_id, MARKET);
    open_market(&mut client).await;
    let second = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    assert!(second.order_id > first.order_id, "a new market, the same exchange");
}
