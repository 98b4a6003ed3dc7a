//! SubscribeMarket: joined anywhere, resumed anywhere, too slow.

use std::time::Duration;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_proto::v1::{CancelOrderRequest, MarketUpdate, SubmitOrderRequest, SubscribeMarketRequest};
use tokio::sync::watch;
use tonic::{Code, Streaming};

use crate::harness::{
    Client, MARKET, PATIENCE, Running, book, lifecycle, limit, next, open_market, submit, subscribe,
};
use crate::trading::{MATCH, Replica, trade};

/// All updates up to an event, which a heartbeat says has been reached. Numbers have no gaps.
pub(crate) async fn hear_until(
    mut stream: Streaming<MarketUpdate>,
    last: watch::Receiver<u64>,
) -> Vec<MarketUpdate> {
    let mut updates: Vec<MarketUpdate> = Vec::new();
    loop {
        let update = next(&mut stream).await.unwrap();
        if let Some(Update::Heartbeat(heartbeat)) = &update.update {
            if heartbeat.sequence >= *last.borrow() {
                return updates;
            }
            continue;
        }
        if let Some(before) = updates.last() {
            let steps = update.market_sequence - before.market_sequence;
            let same = update.sequence == before.sequence;
            assert!(steps == u64::from(!same), "{before:?} and then {update:?}");
            assert!(update.sequence >= before.sequence);
        }
        updates.push(update);
    }
}

/// An event that is known from the beginning.
pub(crate) fn always(last: u64) -> watch::Receiver<u64> {
    watch::channel(last).1
}

/// All updates of a stretch of the past.
pub(crate) async fn hear(client: &mut Client, from_sequence: u64, last: u64) -> Vec<MarketUpdate> {
    hear_until(subscribe(client, from_sequence, false).await, always(last)).await
}

pub(crate) fn from(updates: &[MarketUpdate], sequence: u64) -> Vec<MarketUpdate> {
    updates.iter().filter(|update| update.sequence >= sequence).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_joined_anywhere_is_the_book() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    // Another market, whose events are in between.
    crate::harness::open_market_named(&mut client, "other", &["A", "B"]).await;

    let live = subscribe(&mut client, 0, false).await;
    let mut traders = Vec::new();
    for seed in 0..4 {
        traders.push(tokio::spawn(trade(server.client().await, MATCH, seed, 500)));
    }
    let mut noise = server.client().await;
    traders.push(tokio::spawn(async move {
        for _ in 0..200 {
            let other = SubmitOrderRequest {
                market_id: "other".to_owned(),
                outcome_id: "A".to_owned(),
                ..limit("BACK", 2.0, 100, "noise")
            };
            submit(&mut noise, other).await;
        }
    }));
    let (reached, last) = watch::channel(u64::MAX);
    let mut joined = Vec::new();
    while traders.iter().any(|trader| !trader.is_finished()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let so_far = book(&mut client, "Draw").await.sequence;
        let from_sequence = [0, 1, so_far / 2, so_far][joined.len() % 4];
        let stream = subscribe(&mut client, from_sequence, from_sequence == 0).await;
        joined.push((from_sequence, tokio::spawn(hear_until(stream, last.clone()))));
    }
    for trader in traders {
        trader.await.unwrap();
    }
    let (truth, last) = Replica::of(&mut client, MATCH).await;
    reached.send(last).unwrap();
    assert!(truth.0.len() > 10 && joined.len() > 10, "{} {truth:?}", joined.len());

    let everything = hear(&mut client, 1, last).await;
    let mut replica = Replica::default();
    everything.iter().for_each(|update| replica.hear(update));
    assert_eq!(replica, truth);

    // What was heard as it happened is what the journal tells, to the letter.
    let live = hear_until(live, always(last)).await;
    assert_eq!(live, from(&everything, live[0].sequence));
    for (from_sequence, heard) in joined {
        let heard = heard.await.unwrap();
        if from_sequence > 0 {
            assert_eq!(heard, from(&everything, from_sequence));
            continue;
        }
        let mut replica = Replica::default();
        heard.iter().for_each(|update| replica.hear(update));
        assert_eq!(replica, truth);
        let Some(Update::Snapshot(snapshot)) = &heard[0].update else { panic!("{:?}", heard[0]) };
        assert_eq!((snapshot.status.as_str(), snapshot.phase.as_str()), ("OPEN", "PRE"));
        assert_eq!(heard[1..], from(&everything, heard[0].sequence + 1));
    }
    // And resumed anywhere, in the middle of transactions, too.
    let mut sequence = 1;
    while sequence <= last + 1 {
        assert_eq!(hear(&mut client, sequence, last).await, from(&everything, sequence), "from {sequence}");
        sequence += 1 + sequence % 61;
    }
    server.stop();
}

#[tokio::test]
async fn updates_tell_of_orders_levels_and_status() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let stream = subscribe(&mut client, 0, true).await;
    let order = SubmitOrderRequest { client_order_id: "c-1".to_owned(), ..limit("BACK", 2.5, 1_000, "anna") };
    submit(&mut client, order).await;
    submit(&mut client, limit("LAY", 2.5, 400, "ben")).await;
    let request = CancelOrderRequest { market_id: MARKET.to_owned(), order_id: 1, ..Default::default() };
    client.cancel_order(request).await.unwrap();
    let market_order =
        SubmitOrderRequest { order_type: "MARKET".to_owned(), ..limit("LAY", 0.0, 100, "ben") };
    submit(&mut client, market_order).await;
    submit(&mut client, limit("BACK", 3.0, 500, "anna")).await;
    let closing =
        betex_proto::v1::MarketLifecycleRequest { reason: "full time".to_owned(), ..lifecycle(MARKET) };
    let closed = client.close_market(closing).await.unwrap().into_inner();
    let said = hear_until(stream, always(closed.sequence + 1)).await;
    let said: Vec<_> = said.iter().map(|update| (words(update), update.ends_transaction)).collect();
    let expected = [
        ("snapshot OPEN 3 books", true),
        ("order 1 BACK RESTING 0/1000 rests 1000 of anna c-1 ", false),
        ("level BACK 2.5 1000 in 1", true),
        ("order 2 LAY FILLED 400/400 rests 0 of ben  ", false),
        ("match 1 BACK with 2 LAY 400 at 2.5 pays 100000", false),
        ("order 1 BACK PARTIALLY_FILLED 400/1000 rests 600 of anna  ", false),
        ("level BACK 2.5 600 in 1", true),
        ("order 1 BACK CANCELLED 400/1000 rests 0 of anna  ", false),
        ("level BACK 2.5 0 in 0", true),
        ("order 3 LAY CANCELLED 0/100 rests 0 of ben  ", false),
        ("order 3 LAY CANCELLED 0/100 rests 0 of ben  ", true),
        ("order 4 BACK RESTING 0/500 rests 500 of anna  ", false),
        ("level BACK 3 500 in 1", true),
        ("status CLOSED  full time", true),
        ("order 4 BACK CANCELLED 0/500 rests 0 of anna  MARKET_CLOSED", false),
        ("level BACK 3 0 in 0", true),
    ];
    let said: Vec<_> = said.iter().map(|(words, ends)| (words.as_str(), *ends)).collect();
    assert_eq!(said, expected);
}

fn words(update: &MarketUpdate) -> String {
    match update.update.as_ref().unwrap() {
        Update::Snapshot(snapshot) => format!("snapshot {} {} books", snapshot.status, snapshot.books.len()),
        Update::OrderUpdate(order) => format!(
            "order {} {} {} {}/{} rests {} of {} {} {}",
            order.order_id,
            order.side,
            order.status,
            order.filled_quantity,
            order.quantity,
            order.remaining_quantity,
            order.user_id,
            order.client_order_id,
            order.reason
        ),
        Update::BookUpdate(level) => {
            format!("level {} {} {} in {}", level.side, level.odds, level.quantity, level.order_count)
        }
        Update::MatchEvent(trade) => format!(
            "match {} {} with {} {} {} at {} pays {}",
            trade.maker_order_id,
            trade.maker_side,
            trade.taker_order_id,
            trade.taker_side,
            trade.quantity,
            trade.odds,
            trade.payout
        ),
        Update::MarketStatus(status) => {
            format!("status {} {} {}", status.status, status.phase, status.reason)
        }
        Update::OutcomeChange(_) | Update::TradesVoided(_) | Update::MassCancel(_) => panic!("{update:?}"),
        Update::Heartbeat(_) => "heartbeat".to_owned(),
    }
}

#[tokio::test]
async fn a_quiet_market_has_a_heartbeat() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    crate::harness::open_market_named(&mut client, "other", &["A", "B"]).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    // At once, so that whoever subscribes knows from where on; then every second.
    let first = next(&mut stream).await.unwrap();
    let begun = std::time::Instant::now();
    let Some(Update::Heartbeat(heartbeat)) = &first.update else { panic!("{first:?}") };
    let last = book(&mut client, "Draw").await.sequence;
    assert_eq!((heartbeat.sequence, first.market_sequence, first.ends_transaction), (last, 0, true));
    // What happens elsewhere counts.
    let other = client.suspend_market(lifecycle("other")).await.unwrap().into_inner();
    let second = next(&mut stream).await.unwrap();
    assert_eq!(second.sequence, other.sequence);
    let elapsed = begun.elapsed();
    assert!((Duration::from_millis(500)..Duration::from_secs(3)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn what_is_still_to_come_is_out_of_range() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let last = book(&mut client, "Draw").await.sequence;
    let ahead =
        SubscribeMarketRequest { market_id: MARKET.to_owned(), from_sequence: last + 2, snapshot: false };
    let status = client.subscribe_market(ahead).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().starts_with("SEQUENCE_AHEAD: from_sequence: "), "{status:?}");
    // The very next one is not.
    let stream = subscribe(&mut client, last + 1, false).await;
    let placed = submit(&mut client, limit("BACK", 2.5, 100, "")).await;
    assert_eq!(hear_until(stream, always(placed.sequence)).await[0].sequence, last + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_cut_off_and_can_resume() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    // As little as possible on its way to the reader.
    let endpoint =
        server.endpoint().initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let mut slow = OrderBookServiceClient::new(endpoint.connect().await.unwrap());
    let mut stream = subscribe(&mut slow, 0, false).await;
    let mut seed = 0;
    while !server.has_cut_a_stream().await {
        let traders: Vec<_> = (0..4).map(|trader| trade(client.clone(), MATCH, seed + trader, 100)).collect();
        futures::future::join_all(traders).await;
        seed += 4;
    }
    let (_, last) = Replica::of(&mut client, MATCH).await;
    let everything = hear(&mut client, 1, last).await;
    let mut heard = Vec::new();
    let status = loop {
        match next(&mut stream).await {
            Ok(update) if matches!(update.update, Some(Update::Heartbeat(_))) => (),
            Ok(update) => heard.push(update),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().starts_with("TOO_SLOW: more than 4096 updates waited"), "{status:?}");
    let (_, resume) = status.message().rsplit_once(' ').unwrap();
    let cut = heard.len();
    heard.extend(hear(&mut client, resume.parse().unwrap(), last).await);
    assert!(cut > 100 && cut + 4_096 <= heard.len(), "{cut} of {}", heard.len());
    assert_eq!(heard, from(&everything, heard[0].sequence));
}

#[tokio::test]
async fn a_thousand_streams_and_no_more() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut streams = Vec::new();
    for _ in 0..1_000 {
        streams.push(subscribe(&mut client, 0, false).await);
    }
    let request = SubscribeMarketRequest { market_id: MARKET.to_owned(), ..Default::default() };
    let status = client.subscribe_market(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().starts_with("TOO_MANY_STREAMS: 1000 streams"), "{status:?}");
    // All of them hear.
    let placed = submit(&mut client, limit("BACK", 2.5, 100, "")).await;
    for stream in &mut streams {
        while next(stream).await.unwrap().sequence < placed.sequence {}
    }
    // One that ends makes room.
    streams.pop();
    let again = async { while client.subscribe_market(request.clone()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("a place is free again");
}
