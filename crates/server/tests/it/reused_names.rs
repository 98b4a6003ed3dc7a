//! A name that is free again, and streams that begin when it meant another market.

use std::path::Path;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{GetOrderBookRequest, MarketUpdate, SubscribeMarketRequest};
use tonic::{Code, Streaming};

use crate::harness::{
    Client, MARKET, PATIENCE, Running, lifecycle, limit, on, open_market, open_market_named, submit,
    subscribe,
};
use crate::socket_ends::end;
use crate::sockets::{connect, texts};

const TTL: &[&str] = &["--closed-market-ttl-s", "1"];

/// Until it is forgotten.
async fn gone(client: &mut Client, market_id: &str) {
    let book = GetOrderBookRequest {
        market_id: market_id.to_owned(),
        outcome_id: "x".to_owned(),
        ..Default::default()
    };
    let gone = async {
        while client
            .get_order_book(book.clone())
            .await
            .is_err_and(|status| !status.message().contains("MARKET_NOT_FOUND"))
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
}

/// What a stream tells until it is simply over.
async fn until_over(mut stream: Streaming<MarketUpdate>) -> Vec<MarketUpdate> {
    let mut told = Vec::new();
    while let Some(update) = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap() {
        if !matches!(update.update, Some(Update::Heartbeat(_))) {
            told.push(update);
        }
    }
    told
}

/// The first life of [`MARKET`], heard live from its creation on, and the first event after it; then its second life,
/// which an order begins. Another market lives and goes meanwhile.
async fn two_lives(server: &Running) -> (Vec<MarketUpdate>, u64, u64) {
    let mut client = server.client().await;
    open_market(&mut client).await;
    let live = subscribe(&mut client, 0, false).await;
    open_market_named(&mut client, "other", &["A", "B"]).await;
    let first = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await.sequence;
    submit(&mut client, limit("LAY", 2.5, 400, "ben")).await;
    submit(&mut client, on("Draw", limit("LAY", 3.0, 400, "ben"))).await;
    for market in ["other", MARKET] {
        client.close_market(lifecycle(market)).await.unwrap();
    }
    for market in ["other", MARKET] {
        gone(&mut client, market).await;
    }
    let told = until_over(live).await;
    let after = told.last().unwrap().sequence + 1;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 7.0, 7_000, "carol")).await;
    (told, first, after)
}

fn from(told: &[MarketUpdate], sequence: u64) -> Vec<MarketUpdate> {
    told.iter().filter(|update| update.sequence >= sequence).cloned().collect()
}

async fn second_life(client: &mut Client, from_sequence: u64) {
    let mut stream = subscribe(client, from_sequence, false).await;
    let first = crate::harness::next(&mut stream).await.unwrap();
    let Some(Update::MarketStatus(status)) = first.update else { panic!("{first:?}") };
    assert_eq!((status.status.as_str(), first.market_sequence), ("CREATED", 1));
}

#[tokio::test]
async fn the_end_of_the_first_life_is_told_whole() {
    let server = Running::with(TTL);
    let (told, first, after) = two_lives(&server).await;
    let mut client = server.client().await;
    assert!(
        matches!(&told.last().unwrap().update, Some(Update::MarketStatus(end)) if end.status == "REMOVED")
    );
    let mut sequence = first;
    while sequence < after {
        let resumed = until_over(subscribe(&mut client, sequence, false).await).await;
        assert_eq!(resumed, from(&told, sequence), "from {sequence}");
        sequence += 1;
    }
    second_life(&mut client, after).await;
    // The same over the WebSocket, which says where the next life can be.
    let query = format!("?market_id={MARKET}&events=all&from_sequence={first}");
    let (said, code, reason) = end(&mut connect(&server, &query).await).await;
    assert_eq!(
        (said["code"].as_str(), said["from_sequence"].as_u64(), code),
        (Some("MARKET_REMOVED"), Some(after), 1001)
    );
    assert_eq!(reason, format!("MARKET_REMOVED from_sequence={after}"));
    let query = format!("?market_id={MARKET}&from_sequence={after}");
    assert!(texts(&mut connect(&server, &query).await, 1).await[0].contains("market_created"));
    server.stop();
}

async fn after_a_restart(data: &Path) {
    let server = Running::on(data, TTL);
    let (told, first, after) = two_lives(&server).await;
    server.stop();
    // What was lately is in memory again.
    let server = Running::on(data, TTL);
    let mut client = server.client().await;
    for sequence in [first, first + 1, after - 1] {
        let resumed = until_over(subscribe(&mut client, sequence, false).await).await;
        assert_eq!(resumed, from(&told, sequence), "from {sequence}");
    }
    second_life(&mut client, after).await;
    server.stop();
    let server = Running::on(data, &[TTL, &["--resume-memory-bytes", "0"]].concat());
    let mut client = server.client().await;
    // From before its creation on, the journal tells which market it is.
    let whole = until_over(subscribe(&mut client, 1, false).await).await;
    assert_eq!(from(&whole, first), from(&told, first));
    assert!(whole.len() > from(&told, first).len());
    // From the middle of its life, it cannot be known which market had the name: that is said, and where to go on.
    let request =
        SubscribeMarketRequest { market_id: MARKET.to_owned(), from_sequence: first, snapshot: false };
    let mut stream = client.subscribe_market(request).await.unwrap().into_inner();
    let status = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(status.message().starts_with("NAME_REUSED: from_sequence: "), "{status:?}");
    assert!(status.message().ends_with(&format!("ask from {after} on")), "{status:?}");
    second_life(&mut client, after).await;
    for form in ["", "&events=all"] {
        let query = format!("?market_id={MARKET}{form}&from_sequence={first}");
        let (said, code, _) = end(&mut connect(&server, &query).await).await;
        assert_eq!(
            (said["code"].as_str(), said["from_sequence"].as_u64(), code),
            (Some("NAME_REUSED"), Some(after), 1008)
        );
    }
    // Of all markets, removed ones have the names that the journal gives them.
    let all = texts(&mut connect(&server, "?from_sequence=1").await, 8).await;
    assert!(
        all.iter().any(|text| text.contains("order_submit") && text.contains("\"outcome_id\":\"Draw\"")),
        "{all:?}"
    );
    server.stop();
}

#[tokio::test]
async fn after_a_restart_it_is_told_or_refused_and_never_skipped() {
    let directory = tempfile::tempdir().unwrap();
    after_a_restart(&directory.path().join("data")).await;
}
