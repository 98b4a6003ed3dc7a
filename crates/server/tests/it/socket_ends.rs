//! How a WebSocket ends when something is wrong: with words, a code and a reason that a browser shows.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{MARKET, PATIENCE, Running, limit, open_market, submit, subscribe};
use crate::sockets::{Socket, connect};

/// The last message, and the code and the reason of the frame that closes.
pub(crate) async fn end(socket: &mut Socket<MaybeTlsStream<TcpStream>>) -> (Value, u16, String) {
    let mut last = Value::Null;
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("an end within a minute");
        match message.expect("it closes with words").unwrap() {
            Message::Text(text) => last = serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => {
                let frame = frame.expect("it says why");
                return (last, frame.code.into(), frame.reason.to_string());
            }
            Message::Ping(_) | Message::Pong(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_served_is_said_on_the_socket() {
    let server = Running::start();
    open_market(&mut server.client().await).await;
    let long = format!("?market_id={}", "x".repeat(200));
    let euros = format!("?market_id={}", "%E2%82%AC".repeat(40));
    for (query, code, words) in [
        ("?market_id=nowhere", "MARKET_NOT_FOUND", "there is no market \"nowhere\""),
        ("?market_id=nowhere&from_sequence=2", "MARKET_NOT_FOUND", "there is no market \"nowhere\""),
        ("?market_id=", "INVALID_MARKET_ID", "market_id: is missing"),
        (long.as_str(), "INVALID_MARKET_ID", "market_id: 200 bytes are too many"),
        (euros.as_str(), "MARKET_NOT_FOUND", "there is no market"),
        (
            "?market=x",
            "INVALID_QUERY",
            "\"market\" is not known; market_id, from_sequence (a number) and events=all are valid",
        ),
        ("?events=all&events=all", "INVALID_QUERY", "events is given twice"),
        ("?from_sequence=x", "INVALID_FROM_SEQUENCE", "from_sequence: \"x\" is not valid"),
        ("?from_sequence=-1", "INVALID_FROM_SEQUENCE", "from_sequence: \"-1\" is not valid"),
        ("?from_sequence=", "INVALID_FROM_SEQUENCE", "from_sequence: \"\" is not valid"),
        ("?from_sequence=99999999999999999999", "INVALID_FROM_SEQUENCE", "is not valid"),
        ("?events=some", "INVALID_EVENTS", "events=\"some\" is not valid; events=all is"),
        ("?events=all&from_sequence=1", "INVALID_QUERY", "needs a market_id"),
        ("?from_sequence=99", "SEQUENCE_AHEAD", "99 is still to come, the last event is 3"),
    ] {
        let (said, close, reason) = end(&mut connect(&server, query).await).await;
        assert_eq!(
            (&said["type"], &said["code"], close),
            (&"error".into(), &code.into(), 1008),
            "{query}: {said}"
        );
        assert!(said["message"].as_str().unwrap().contains(words), "{query}: {said}");
        assert!(reason.starts_with(&format!("{code}: ")) && reason.len() <= 123, "{query}: {reason}");
    }
    let (said, ..) = end(&mut connect(&server, "?from_sequence=99").await).await;
    assert_eq!(said["from_sequence"], 4, "where to resume");
    // Without asking for a WebSocket at all.
    assert_eq!(server.get("/ws").await.0, 400);
}

#[tokio::test]
async fn what_a_client_must_not_send_closes_with_a_code() {
    let server = Running::start();
    open_market(&mut server.client().await).await;
    let big = "x".repeat(5_000);
    let huge = "x".repeat(100_000);
    for (message, code, word) in [
        (Message::binary(vec![1, 2, 3]), 1003, "UNSUPPORTED_DATA"),
        (Message::text(big), 1009, "MESSAGE_TOO_BIG"),
        (Message::text(huge), 1009, "MESSAGE_TOO_BIG"),
    ] {
        let mut socket = connect(&server, "").await;
        socket.send(message).await.unwrap();
        let (said, close, reason) = end(&mut socket).await;
        assert_eq!((said["code"].as_str(), close), (Some(word), code), "{said}");
        assert!(reason.starts_with(word), "{reason}");
    }
    // A text of which the bytes are none, and an opcode that there is not; both masked with zeros.
    for (frame, code, word) in [
        (&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28][..], 1007, "INVALID_TEXT"),
        (&[0x83, 0x80, 0, 0, 0, 0][..], 1002, "PROTOCOL_ERROR"),
        // Not masked, as a client must.
        (&[0x81, 0x01, b'a'][..], 1002, "PROTOCOL_ERROR"),
    ] {
        let mut socket = connect(&server, "").await;
        let MaybeTlsStream::Plain(stream) = socket.get_mut() else { panic!("no plain socket") };
        stream.write_all(frame).await.unwrap();
        let (said, close, reason) = end(&mut socket).await;
        assert_eq!((said["code"].as_str(), close), (Some(word), code), "{said}");
        assert!(reason.starts_with(word), "{reason}");
    }
}

#[tokio::test]
async fn small_talk_is_passed_over() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut socket = connect(&server, &format!("?market_id={MARKET}")).await;
    socket.send(Message::text("ping")).await.unwrap();
    socket.send(Message::text("{\"type\":\"subscribe\"}")).await.unwrap();
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let heard = crate::sockets::texts(&mut socket, 1).await;
    assert!(heard[0].starts_with("{\"type\":\"order_submit\""), "{heard:?}");
}

#[tokio::test]
async fn a_socket_for_which_there_is_no_place_is_told_so() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut streams = Vec::new();
    for _ in 0..1_000 {
        streams.push(subscribe(&mut client, 0, false).await);
    }
    let (said, close, reason) = end(&mut connect(&server, "").await).await;
    assert_eq!((said["code"].as_str(), close), (Some("TOO_MANY_STREAMS"), 1013), "{said}");
    assert!(reason.starts_with("TOO_MANY_STREAMS: 1000 streams"), "{reason}");
}
