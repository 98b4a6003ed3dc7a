//! What was acknowledged is there, however the program ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{CancelOrderRequest, MarketUpdate, SubmitOrderRequest};
use rustix::process::Signal;

use crate::harness::{MARKET, Running, book, failing, ladder, limit, next, open_market, submit, subscribe};

#[tokio::test]
async fn a_restart_keeps_the_book() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    assert!(server.greeting.contains("fresh, empty journal"), "{}", server.greeting);
    let mut client = server.client().await;
    open_market(&mut client).await;
    for (odds, quantity) in [(2.5, 1_000), (2.5, 2_000), (3.0, 500)] {
        submit(&mut client, limit("BACK", odds, quantity, "anna")).await;
    }
    let named = SubmitOrderRequest { client_order_id: "c-1".to_owned(), ..limit("LAY", 2.5, 1_200, "ben") };
    assert_eq!(submit(&mut client, named.clone()).await.status, "FILLED");
    let before = book(&mut client, "Liverpool").await;
    server.stop();
    assert!(data.join("journal.log").is_file());

    let server = Running::on(&data, &[]);
    assert!(server.greeting.contains("Recovered"), "{}", server.greeting);
    let mut client = server.client().await;
    assert_eq!(book(&mut client, "Liverpool").await, before);
    let again = submit(&mut client, named).await;
    assert_eq!((again.rejection_reason.as_str(), again.order_id), ("DUPLICATE_CLIENT_ID", 4));
    // The place in the queue, too: the second order at 2.50 has 1800 left and is met first.
    let taken = submit(&mut client, limit("LAY", 2.5, 100, "ben")).await;
    assert_eq!((taken.order_id, taken.fills[0].maker_order_id), (5, 2));
    server.stop();

    // Without journal.log it is a fresh exchange, and it says so.
    std::fs::remove_file(data.join("journal.log")).unwrap();
    let server = Running::on(&data, &[]);
    assert!(server.greeting.contains("ATTENTION"), "{}", server.greeting);
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert!(book(&mut client, "Liverpool").await.bids.is_empty());
    server.stop();
}

#[tokio::test]
async fn a_second_server_on_the_directory_is_refused() {
    let server = Running::start();
    let data = server.data().to_str().unwrap();
    let (code, said) = failing(&["--data-dir", data, "--grpc-port", "0", "--http-port", "0"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is in use by another process") && said.contains("stop that one first"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // The first one does not mind.
    open_market(&mut server.client().await).await;
    server.stop();
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    open_market(&mut server.client().await).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut traders = Vec::new();
    for trader in 0..8 {
        let (mut client, stop) = (server.client().await, Arc::clone(&stop));
        traders.push(tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            let user = format!("user-{trader}");
            while !stop.load(Ordering::Relaxed) {
                match client.submit_order(limit("BACK", 2.5, 100 + trader, &user)).await {
                    Ok(answer) => acknowledged.push(answer.into_inner().order_id),
                    Err(_) => break,
                }
            }
            acknowledged
        }));
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.kill();
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for trader in traders {
        acknowledged.extend(trader.await.unwrap());
    }
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    // Each is there: cancelling finds it. What was not acknowledged may be there, too, one per trader.
    let resting = usize::try_from(book(&mut client, "Liverpool").await.bids[0].order_count).unwrap();
    assert!(
        (acknowledged.len()..=acknowledged.len() + 8).contains(&resting),
        "{resting} of {}",
        acknowledged.len()
    );
    for order_id in acknowledged {
        let request = CancelOrderRequest { market_id: MARKET.to_owned(), order_id, ..Default::default() };
        client.cancel_order(request).await.unwrap();
    }
    server.signal(Signal::INT);
    assert_eq!(server.end().code(), Some(0));
}

#[tokio::test]
async fn a_stream_resumes_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut stream = subscribe(&mut client, 0, true).await;
    let placed = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|update: &MarketUpdate| update.sequence < placed.sequence) {
        heard.push(next(&mut stream).await.unwrap());
    }
    // What happens elsewhere after it.
    crate::harness::open_market_named(&mut client, "other", &["A", "B"]).await;
    let last = book(&mut client, "Draw").await.sequence;
    server.stop();
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    let mut stream = subscribe(&mut client, placed.sequence, false).await;
    // The order, its level, and then that there is nothing more up to the end.
    let again = next(&mut stream).await.unwrap();
    assert!(matches!(&again.update, Some(Update::OrderUpdate(order)) if order.order_id == placed.order_id));
    assert!(matches!(next(&mut stream).await.unwrap().update, Some(Update::BookUpdate(_))));
    let heartbeat = next(&mut stream).await.unwrap();
    assert!(matches!(heartbeat.update, Some(Update::Heartbeat(_))), "{heartbeat:?}");
    assert_eq!(heartbeat.sequence, last);
}

#[tokio::test]
async fn markets_stay_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "")).await;
    client.close_market(crate::harness::lifecycle(MARKET)).await.unwrap();
    server.kill();
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    let shown = book(&mut client, "Liverpool").await;
    assert_eq!((shown.status.as_str(), ladder(&shown.bids)), ("CLOSED", vec![]));
}
