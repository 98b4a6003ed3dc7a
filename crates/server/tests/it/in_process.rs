//! The library entries: a server inside this process, and what no call over the wire can do yet.

use betex::prelude::{Command, CommandKind, MarketId};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_server::{Options, Server, run};
use futures::StreamExt as _;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{MARKET, PATIENCE, lifecycle, limit, next, open_market, submit, subscribe};

fn options(directory: &tempfile::TempDir) -> Options {
    let loopback = std::net::Ipv4Addr::LOCALHOST.into();
    Options {
        grpc_port: 0,
        http_port: 0,
        bind: loopback,
        data_dir: directory.path().join("data"),
        ..Options::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_market_ends_its_streams() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&options(&directory)).await.unwrap();
    assert!(server.recovery().fresh);
    let mut client = OrderBookServiceClient::connect(format!("http://{}", server.grpc_addr())).await.unwrap();
    open_market(&mut client).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let url = format!("ws://{}/ws?market_id={MARKET}", server.http_addr());
    let (mut socket, _) = connect_async(url).await.unwrap();
    let placed = submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    client.close_market(lifecycle(MARKET)).await.unwrap();
    // Until what rested is cancelled.
    let mut last = placed.sequence;
    while last < placed.sequence + 2 {
        last = next(&mut stream).await.unwrap().sequence;
    }
    let removed =
        server.engine().request(Command::new(MarketId(1), CommandKind::RemoveMarket)).await.unwrap();
    removed.result.unwrap();
    let status = loop {
        if let Some(Update::MarketStatus(status)) = next(&mut stream).await.unwrap().update {
            break status;
        }
    };
    assert_eq!((status.market_id.as_str(), status.status.as_str()), (MARKET, "REMOVED"));
    let rest = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap();
    assert!(matches!(rest, Ok(None)), "{rest:?}");
    let mut notices = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            notices.push(text.to_string());
        }
    }
    assert!(notices.last().unwrap().contains("\"code\":\"MARKET_REMOVED\""), "{notices:?}");
    // Its past is told with its names.
    let url = format!("ws://{}/ws?from_sequence=1", server.http_addr());
    let (mut socket, _) = connect_async(url).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 3 {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            told.push(text.to_string());
        }
    }
    let names =
        [("market_created", "outcomes\":["), ("order_submit", "Liverpool"), ("order_cancelled", "Liverpool")];
    for (text, (kind, name)) in told.iter().zip(names) {
        assert!(text.contains(kind) && text.contains(MARKET) && text.contains(name), "{told:?}");
    }
    // The name is free again.
    open_market(&mut client).await;
    server.stop().await;
    assert!(submit_fails(&mut client).await);
}

async fn submit_fails(client: &mut crate::harness::Client) -> bool {
    client.submit_order(limit("BACK", 2.5, 100, "anna")).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_in_one_process() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = Server::start(&options(&first)).await.unwrap();
    let other = Server::start(&options(&second)).await.unwrap();
    assert_ne!(one.grpc_addr(), other.grpc_addr());
    one.stop().await;
    other.stop().await;
    // And one that runs until it is told to stop.
    run(&options(&first), std::future::ready(())).await.unwrap();
}
