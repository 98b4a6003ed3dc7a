//! Streams that begin in the past: from memory, from the journal, from both; fairly, and to the letter.

use std::time::Duration;

use betex_proto::v1::SubscribeMarketRequest;
use betex_proto::v1::market_update::Update;
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use futures::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tonic::Code;

use crate::harness::{
    Client, MARKET, PATIENCE, Running, limit, on, open_market, open_market_named, refused, submit,
    submit_many, subscribe,
};
use crate::sockets::{connect, texts};
use crate::streams::{always, from, hear, hear_until};
use crate::trading::{MATCH, Replica, trade};

/// All messages of a WebSocket until the sequence number of the last event, whose transaction must be whole.
async fn events(server: &Running, query: &str, count: usize) -> Vec<String> {
    texts(&mut connect(server, query).await, count).await
}

/// How many streams began there.
async fn resumes(server: &Running, source: &str) -> u64 {
    let (_, page) = server.get("/metrics").await;
    let line = format!("betex_server_resumes_total{{source=\"{source}\"}} ");
    page.lines().find_map(|found| found.strip_prefix(&line)).unwrap().parse().unwrap()
}

fn sequence(text: &str) -> u64 {
    serde_json::from_str::<Value>(text).unwrap()["sequence"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_the_journal_tell_what_was_heard_live() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let live = subscribe(&mut client, 0, false).await;
    let (mut six, mut all) =
        (connect(&server, "").await, connect(&server, &format!("?market_id={MARKET}&events=all")).await);
    let traders: Vec<_> = (0..3).map(|seed| trade(client.clone(), MATCH, 90 + seed, 150)).collect();
    futures::future::join_all(traders).await;
    let (_, last) = Replica::of(&mut client, MATCH).await;
    let live = hear_until(live, always(last)).await;
    // The same end on all streams.
    let closing = submit(&mut client, on("Draw", limit("BACK", 990.0, 100, "end"))).await.sequence;
    let mut heard = [Vec::new(), Vec::new()];
    for (socket, heard) in [&mut six, &mut all].into_iter().zip(&mut heard) {
        while heard.last().is_none_or(|text: &String| sequence(text) < closing) {
            heard.extend(texts(socket, 1).await);
        }
    }
    heard[1].extend(texts(&mut all, 1).await);
    let first = live[0].sequence;
    let check = async |server: &Running, client: &mut Client| {
        let mut sequence_ = first;
        while sequence_ <= last {
            let mut told = hear(client, sequence_, last).await;
            told.retain(|update| update.sequence <= last);
            assert_eq!(told, from(&live, sequence_), "from {sequence_}");
            for (query, heard) in [
                ("?from_sequence=", &heard[0]),
                (&*format!("?market_id={MARKET}&events=all&from_sequence="), &heard[1]),
            ] {
                let expected: Vec<_> =
                    heard.iter().filter(|text| sequence(text) >= sequence_).cloned().collect();
                let told = events(server, &format!("{query}{sequence_}"), expected.len()).await;
                assert_eq!(told, expected, "{query}{sequence_}");
            }
            sequence_ += 1 + (last - first) / 23;
        }
    };
    check(&server, &mut client).await;
    server.stop();
    // Memory is filled from the journal.
    let server = Running::on(&data, &["--durability", "none"]);
    let mut client = server.client().await;
    check(&server, &mut client).await;
    assert!(resumes(&server, "memory").await > 10);
    server.stop();
    // There is none.
    let server = Running::on(&data, &["--durability", "none", "--resume-memory-bytes", "0"]);
    let mut client = server.client().await;
    check(&server, &mut client).await;
    assert!(resumes(&server, "journal").await > 10);
    server.stop();
    // There is too little of it, so that streams find some of it gone while they are told.
    let server = Running::on(&data, &["--durability", "none", "--resume-memory-bytes", "60000"]);
    let mut client = server.client().await;
    check(&server, &mut client).await;
    // The journal up to here, memory from here on.
    let more = submit(&mut client, limit("BACK", 980.0, 100, "more")).await.sequence;
    let told = hear(&mut client, first, more).await;
    assert_eq!(told[..live.len()], live);
    server.stop();
}

#[tokio::test]
async fn a_transaction_says_where_it_ends_and_a_client_that_resumes_there_misses_nothing() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let begun = submit(&mut client, limit("LAY", 2.0, 100, "ben")).await.sequence;
    for odds in [2.0, 2.5, 2.5, 3.0] {
        submit(&mut client, limit("LAY", odds, 1_000, "ben")).await;
    }
    // One transaction of five events and many messages.
    let swept = submit(&mut client, limit("BACK", 2.0, 10_000, "anna")).await;
    assert_eq!(swept.fills.len(), 5);
    let query = format!("?market_id={MARKET}&events=all&from_sequence=");
    let mut whole = Vec::new();
    let mut socket = connect(&server, &format!("{query}{begun}")).await;
    while whole.last().is_none_or(|event: &Value| event["resume_from"] != swept.sequence + 1) {
        whole.push(serde_json::from_str::<Value>(&texts(&mut socket, 1).await[0]).unwrap());
    }
    let marks = whole.iter().filter(|event| event["ends_transaction"] == true).count();
    assert_eq!(marks, 6, "one a transaction: {whole:?}");
    // A client that was cut off after any message goes on after the last mark it saw, and forgets what came after that.
    for cut in 1..whole.len() {
        let mark = whole[..cut].iter().rposition(|event| event["ends_transaction"] == true);
        let (kept, resume) = match mark {
            Some(place) => (place + 1, whole[place]["resume_from"].as_u64().unwrap()),
            None => (0, begun),
        };
        let mut heard = whole[..kept].to_vec();
        let rest = texts(&mut connect(&server, &format!("{query}{resume}")).await, whole.len() - kept).await;
        heard.extend(rest.iter().map(|text| {
            let event: Value = serde_json::from_str(text).unwrap();
            event
        }));
        let bare = |events: &[Value]| -> Vec<Value> {
            events
                .iter()
                .cloned()
                .map(|mut event| {
                    if event["timestamp"].is_u64() {
                        event["timestamp"] = 0.into();
                    }
                    event
                })
                .collect()
        };
        assert_eq!(bare(&heard), bare(&whole), "cut after {cut}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_resumes_that_come_and_go_hold_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    open_market_named(&mut client, "busy", &["A", "B"]).await;
    submit_many(&client, 10_000, &limit("BACK", 2.5, 100, "")).await;
    server.stop();
    // So that the past is in the journal, and what follows in memory.
    let server = Running::on(&data, &["--durability", "none", "--resume-memory-bytes", "2000000"]);
    let mut client = server.client().await;
    let begun = submit(&mut client, limit("BACK", 2.5, 100, "")).await.sequence;
    let mut busy = on("A", limit("BACK", 2.0, 100, ""));
    busy.market_id = "busy".to_owned();
    submit_many(&client, 1_900, &busy).await;
    let last = submit_many(&client, 100, &limit("BACK", 2.5, 100, "")).await.last().unwrap().sequence;
    // Hundreds of deep resumes on one connection, dropped and asked for again; and readers that do not read.
    let mut hostile = Vec::new();
    for _ in 0..4 {
        let endpoint = server.endpoint();
        hostile.push(tokio::spawn(async move {
            loop {
                let Ok(channel) = endpoint.connect().await else { continue };
                let mut client = OrderBookServiceClient::new(channel);
                let request = SubscribeMarketRequest {
                    market_id: MARKET.to_owned(),
                    from_sequence: 1,
                    snapshot: false,
                };
                let streams: Vec<_> = (0..50).map(|_| client.clone()).collect();
                let asked = streams.into_iter().map(|mut client| {
                    let request = request.clone();
                    async move { client.subscribe_market(request).await.map(drop) }
                });
                let _ =
                    tokio::time::timeout(Duration::from_millis(500), futures::future::join_all(asked)).await;
                drop(client.subscribe_market(request).await);
            }
        }));
    }
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(connect(&server, "?from_sequence=1").await);
    }
    let honest = (0..50).map(|_| {
        let mut client = client.clone();
        async move { hear(&mut client, begun, last).await.len() }
    });
    let heard = tokio::time::timeout(PATIENCE, futures::future::join_all(honest)).await.unwrap();
    assert!(heard.iter().all(|updates| *updates == 2 * 101), "{heard:?}");
    // And one that needs the journal gets its share of it.
    let mut deep = server.client().await;
    let heard = tokio::time::timeout(PATIENCE, hear(&mut deep, 5_000, last)).await.unwrap();
    assert!(heard.len() > 10_000, "{}", heard.len());
    hostile.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn how_far_back_a_stream_may_go_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    for _ in 0..20 {
        submit(&mut client, limit("BACK", 2.5, 100, "")).await;
    }
    server.stop();
    let server = Running::on(&data, &["--resume-max-events", "10", "--resume-memory-bytes", "0"]);
    let mut client = server.client().await;
    let last = submit(&mut client, limit("BACK", 2.5, 100, "")).await.sequence;
    let earliest = last + 1 - 10;
    let request = |from_sequence| SubscribeMarketRequest {
        market_id: MARKET.to_owned(),
        from_sequence,
        snapshot: false,
    };
    let asked = client.subscribe_market(request(earliest - 1)).await.map(drop);
    let said = refused(asked, Code::OutOfRange, "SEQUENCE_TOO_OLD");
    assert!(said.contains(&format!("ask from {earliest} on")) && said.contains("snapshot"), "{said}");
    assert_eq!(hear(&mut client, earliest, last).await.first().unwrap().sequence, earliest);
    let (said, code, _) =
        crate::socket_ends::end(&mut connect(&server, &format!("?from_sequence={}", earliest - 1)).await)
            .await;
    assert_eq!(
        (said["code"].as_str(), said["from_sequence"].as_u64(), code),
        (Some("SEQUENCE_TOO_OLD"), Some(earliest), 1008)
    );
    server.stop();
    // Memory may reach back further.
    let server = Running::with(&["--resume-max-events", "1"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let last = submit(&mut client, limit("BACK", 2.5, 100, "")).await.sequence;
    assert!(hear(&mut client, 1, last).await.len() > 2);
}

#[tokio::test]
async fn a_socket_that_leaves_while_it_waits_is_forgotten() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    for _ in 0..1_100 {
        drop(connect(&server, "?from_sequence=1").await);
    }
    // The places of all of them come free.
    let free = async {
        loop {
            let mut socket = connect(&server, "?from_sequence=1").await;
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) if text.contains("TOO_MANY_STREAMS") => (),
                _ => break,
            }
        }
    };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
    let Some(Update::Heartbeat(_)) =
        crate::harness::next(&mut subscribe(&mut client, 0, false).await).await.unwrap().update
    else {
        panic!("a stream begins with a heartbeat")
    };
}
