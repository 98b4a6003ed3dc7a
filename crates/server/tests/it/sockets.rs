//! The WebSocket: each event to the letter, filters, resuming, and readers that are too slow.

use betex_proto::v1::{CancelOrderRequest, CreateMarketRequest, SubmitOrderRequest};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::harness::{MARKET, PATIENCE, Running, lifecycle, limit, market, open_market, submit};

pub(crate) type Socket<S> = WebSocketStream<S>;

pub(crate) async fn connect(server: &Running, query: &str) -> Socket<MaybeTlsStream<TcpStream>> {
    connect_async(format!("ws://{}/ws{query}", server.http)).await.unwrap().0
}

/// The next event, as text.
async fn text<S>(socket: &mut Socket<S>) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("an event within a minute");
        match message.unwrap().unwrap() {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

/// The next events, with every timestamp replaced by 0.
pub(crate) async fn texts<S>(socket: &mut Socket<S>, count: usize) -> Vec<String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut texts = Vec::new();
    for _ in 0..count {
        let text = text(socket).await;
        let value: Value = serde_json::from_str(&text).unwrap();
        let timestamp = value["timestamp"].as_u64();
        assert!(timestamp.is_none_or(|timestamp| timestamp > 1_600_000_000_000_000_000), "{text}");
        texts.push(match timestamp {
            Some(timestamp) => text.replace(&timestamp.to_string(), "0"),
            None => text,
        });
    }
    texts
}

/// The events without the marks at the ends of transactions, which are where they must be: the last of them has one,
/// and each says where to go on.
pub(crate) fn unmarked(texts: Vec<String>) -> Vec<Value> {
    let mut events: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(events.last().unwrap()["ends_transaction"], true, "{texts:?}");
    for event in &mut events {
        let sequence = event["sequence"].as_u64().unwrap();
        let event = event.as_object_mut().unwrap();
        let marks = (event.remove("ends_transaction"), event.remove("resume_from"));
        let mark = (Some(json!(true)), Some(json!(sequence + 1)));
        assert!(marks == mark || marks == (None, None), "{marks:?} of {event:?}");
    }
    events
}

#[tokio::test]
async fn the_six_events_of_the_reference_to_the_letter() {
    let server = Running::start();
    let mut client = server.client().await;
    let mut socket = connect(&server, "").await;
    let request =
        CreateMarketRequest { name: "The \"match\"".to_owned(), ..market("match_123", &["Home", "Away"]) };
    client.create_market(request).await.unwrap();
    client.open_market(lifecycle("match_123")).await.unwrap();
    let order = |side, quantity, user| SubmitOrderRequest {
        market_id: "match_123".to_owned(),
        outcome_id: "Home".to_owned(),
        ..limit(side, 2.5, quantity, user)
    };
    submit(&mut client, order("BACK", 10_000, "user_abc")).await;
    submit(&mut client, order("LAY", 5_000, "")).await;
    submit(&mut client, order("LAY", 5_000, "")).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let expiry_ms = u64::try_from(now).unwrap() + 500;
    submit(&mut client, SubmitOrderRequest { time_in_force: 3, expiry_ms, ..order("LAY", 700, "") }).await;
    submit(&mut client, order("LAY", 800, "")).await;
    let request = CancelOrderRequest { market_id: "match_123".to_owned(), order_id: 5, ..Default::default() };
    client.cancel_order(request).await.unwrap();
    let expected = [
        r#"{"type":"market_created","market_id":"match_123","name":"The \"match\"","model":"EXCHANGE_ODDS","outcomes":["Home","Away"],"sequence":2}"#.to_owned(),
        r#"{"type":"order_submit","order_id":1,"market_id":"match_123","outcome_id":"Home","side":"back","price":400000,"size":10000,"user_id":"user_abc","expiry_ms":null,"sequence":5}"#.to_owned(),
        r#"{"type":"order_submit","order_id":2,"market_id":"match_123","outcome_id":"Home","side":"lay","price":400000,"size":5000,"user_id":"","expiry_ms":null,"sequence":6}"#.to_owned(),
        r#"{"type":"match","sequence":7,"market_id":"match_123","outcome_id":"Home","maker_order_id":1,"taker_order_id":2,"maker_side":"Long","taker_side":"Short","price":400000,"quantity":5000,"timestamp":0,"is_synthetic":false,"is_cross_match":false,"stake":500000}"#.to_owned(),
        r#"{"type":"order_filled","order_id":2,"market_id":"match_123","outcome_id":"Home","sequence":7}"#.to_owned(),
        r#"{"type":"order_submit","order_id":3,"market_id":"match_123","outcome_id":"Home","side":"lay","price":400000,"size":5000,"user_id":"","expiry_ms":null,"sequence":8}"#.to_owned(),
        r#"{"type":"match","sequence":9,"market_id":"match_123","outcome_id":"Home","maker_order_id":1,"taker_order_id":3,"maker_side":"Long","taker_side":"Short","price":400000,"quantity":5000,"timestamp":0,"is_synthetic":false,"is_cross_match":false,"stake":500000}"#.to_owned(),
        r#"{"type":"order_filled","order_id":1,"market_id":"match_123","outcome_id":"Home","sequence":9}"#.to_owned(),
        r#"{"type":"order_filled","order_id":3,"market_id":"match_123","outcome_id":"Home","sequence":9}"#.to_owned(),
        format!(r#"{{"type":"order_submit","order_id":4,"market_id":"match_123","outcome_id":"Home","side":"lay","price":400000,"size":700,"user_id":"","expiry_ms":{expiry_ms},"sequence":10}}"#),
        r#"{"type":"order_submit","order_id":5,"market_id":"match_123","outcome_id":"Home","side":"lay","price":400000,"size":800,"user_id":"","expiry_ms":null,"sequence":11}"#.to_owned(),
        r#"{"type":"order_cancelled","order_id":5,"market_id":"match_123","outcome_id":"Home","sequence":12}"#.to_owned(),
        r#"{"type":"order_expired","order_id":4,"market_id":"match_123","outcome_id":"Home","sequence":13}"#.to_owned(),
    ];
    assert_eq!(texts(&mut socket, expected.len()).await, expected);
    // The journal tells the same.
    let mut past = connect(&server, "?from_sequence=1").await;
    assert_eq!(texts(&mut past, expected.len()).await, expected);
    let mut past = connect(&server, "?market_id=match_123&from_sequence=9").await;
    assert_eq!(texts(&mut past, 7).await, expected[6..]);
}

#[tokio::test]
async fn all_events_for_who_asks() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut socket = connect(&server, &format!("?market_id={MARKET}&events=all")).await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let cancel = CancelOrderRequest {
        market_id: MARKET.to_owned(),
        order_id: 1,
        keep_quantity: 300,
        ..Default::default()
    };
    client.cancel_order(cancel).await.unwrap();
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    client.open_market(lifecycle(MARKET)).await.unwrap();
    client.close_market(lifecycle(MARKET)).await.unwrap();
    let about = json!({"market_id": MARKET, "outcome_id": "Liverpool"});
    let with = |more: Value| {
        let mut all = about.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let level = |quantity: u64, order_count: u32, sequence: u64| {
        with(
            json!({"type": "book_update", "side": "back", "price": 400_000, "odds": 2.5, "quantity": quantity,
            "order_count": order_count, "sequence": sequence}),
        )
    };
    let moved = |kind: &str, sequence: u64| json!({"type": kind, "market_id": MARKET, "reason": "", "timestamp": 0, "sequence": sequence});
    let expected = [
        with(json!({"type": "order_submit", "order_id": 1, "side": "back", "price": 400_000, "size": 1_000,
            "user_id": "anna", "expiry_ms": null, "sequence": 5})),
        level(1_000, 1, 5),
        with(
            json!({"type": "order_reduced", "order_id": 1, "cancelled_quantity": 700, "remaining_quantity": 300, "remaining_stake": 30_000,
            "sequence": 6}),
        ),
        level(300, 1, 6),
        moved("market_suspended", 7),
        moved("market_opened", 8),
        moved("market_closed", 9),
        with(json!({"type": "order_cancelled", "order_id": 1, "sequence": 10})),
        level(0, 0, 10),
    ];
    let said = unmarked(texts(&mut socket, expected.len()).await);
    assert_eq!(said, expected);
    let mut past = connect(&server, &format!("?market_id={MARKET}&events=all&from_sequence=5")).await;
    assert_eq!(unmarked(texts(&mut past, expected.len()).await), expected);
}

#[tokio::test]
async fn a_market_is_filtered() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    crate::harness::open_market_named(&mut client, "other", &["A", "B"]).await;
    let mut socket = connect(&server, "?market_id=other").await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let other = SubmitOrderRequest {
        market_id: "other".to_owned(),
        outcome_id: "A".to_owned(),
        ..limit("LAY", 3.0, 5, "")
    };
    submit(&mut client, other).await;
    let first: Value = serde_json::from_str(&text(&mut socket).await).unwrap();
    assert_eq!((&first["market_id"], &first["outcome_id"]), (&json!("other"), &json!("A")));
}

#[tokio::test]
async fn a_stop_is_told_and_says_where_to_resume() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut socket = connect(&server, "").await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    text(&mut socket).await;
    server.signal(rustix::process::Signal::TERM);
    let begun = std::time::Instant::now();
    let notice: Value = serde_json::from_str(&text(&mut socket).await).unwrap();
    let expected =
        json!({"type": "error", "code": "STOPPING", "message": "the server is stopping", "from_sequence": 6});
    assert_eq!(notice, expected);
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("no close frame") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "STOPPING from_sequence=6"));
    while socket.next().await.is_some() {}
    assert_eq!(server.end().code(), Some(0));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_told_and_can_resume() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    // Long names, so that not too much fits between the server and the reader.
    let (market_id, outcome) = ("m".repeat(128), "o".repeat(128));
    crate::harness::open_market_named(&mut client, &market_id, &[&outcome, "other"]).await;
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4_096).unwrap();
    let tcp = tcp.connect(server.http).await.unwrap();
    let url = format!("ws://{}/ws?events=all&market_id={market_id}", server.http);
    let (mut socket, _) = client_async(url, tcp).await.unwrap();
    let order = SubmitOrderRequest {
        market_id: market_id.clone(),
        outcome_id: outcome.clone(),
        ..limit("BACK", 2.5, 100, &"u".repeat(128))
    };
    let mut orders = 0;
    while !server.has_cut_a_stream().await {
        let round = (0..250).map(|_| {
            let (mut client, order) = (client.clone(), order.clone());
            async move { submit(&mut client, order).await }
        });
        orders += futures::future::join_all(round).await.len() as u64;
    }
    let mut heard = Vec::new();
    let notice = loop {
        let event: Value = serde_json::from_str(&text(&mut socket).await).unwrap();
        if event["type"] == "error" {
            break event;
        }
        heard.push(event);
    };
    assert_eq!(notice["code"], "TOO_SLOW", "{notice}");
    let resume = notice["from_sequence"].as_u64().unwrap();
    assert!(heard.len() > 10 && (heard.len() as u64) < 2 * orders, "{}", heard.len());
    assert_eq!(heard.last().unwrap()["sequence"].as_u64().unwrap() + 1, resume);
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("no close frame") };
    assert_eq!(
        (u16::from(frame.code), frame.reason.to_string()),
        (1013, format!("TOO_SLOW from_sequence={resume}"))
    );
    let mut rest =
        connect(&server, &format!("?events=all&market_id={market_id}&from_sequence={resume}")).await;
    while (heard.len() as u64) < 2 * orders {
        heard.push(serde_json::from_str(&text(&mut rest).await).unwrap());
    }
    let sequences: Vec<_> = heard.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted(), "in order");
    let submits =
        heard.iter().filter(|event| event["type"] == "order_submit").map(|event| event["order_id"].as_u64());
    assert!(submits.eq((1..=orders).map(Some)), "each order once");
}
