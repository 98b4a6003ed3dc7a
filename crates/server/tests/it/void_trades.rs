//! Trades that are declared void.

use std::time::{SystemTime, UNIX_EPOCH};

use betex_proto::v1::VoidTradesRequest;
use betex_proto::v1::market_update::Update;
use tonic::Code;

use crate::harness::{
    Client, MARKET, PATIENCE, Running, book, ladder, lifecycle, limit, next, on, open_market,
    open_market_named, refused, submit, subscribe,
};
use crate::streams::{always, hear_until};

const YEAR_2001_NS: u64 = 978_307_200_000_000_000;

fn voiding(trade_ids: &[u64], from_ns: u64, until_ns: u64) -> VoidTradesRequest {
    let (market_id, reason) = (MARKET.to_owned(), "an error of the feed".to_owned());
    VoidTradesRequest { market_id, trade_ids: trade_ids.to_vec(), from_ns, until_ns, reason }
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

/// The ids of the trades that a stream says are void, up to an event.
async fn heard_void(stream: tonic::Streaming<betex_proto::v1::MarketUpdate>, last: u64) -> Vec<u64> {
    let heard = hear_until(stream, always(last)).await.into_iter();
    let voided = heard.filter_map(|update| match update.update {
        Some(Update::TradesVoided(voided)) => Some(voided.trade_id),
        _ => None,
    });
    voided.collect()
}

async fn trade(client: &mut Client) -> u64 {
    submit(client, limit("BACK", 2.5, 100, "anna")).await;
    submit(client, limit("LAY", 2.5, 100, "ben")).await.fills[0].trade_id
}

#[tokio::test]
async fn trades_are_declared_void_by_id_or_window() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let stream = subscribe(&mut client, 0, false).await;
    let mut trades = Vec::new();
    for _ in 0..3 {
        trades.push(submit(&mut client, limit("LAY", 2.5, 100, "ben")).await.fills[0].trade_id);
    }
    let by_id = client.void_trades(voiding(&trades[..2], 0, 0)).await.unwrap().into_inner();
    assert_eq!(by_id.market_id, MARKET);
    let now = now_ns();
    let window = client.void_trades(voiding(&[], YEAR_2001_NS, now)).await.unwrap().into_inner();
    assert_eq!(window.sequence, by_id.sequence + 1);
    let heard = hear_until(stream, always(window.sequence)).await;
    let voided: Vec<_> = heard
        .iter()
        .filter_map(|update| match &update.update {
            Some(Update::TradesVoided(voided)) => {
                Some((voided.trade_id, voided.from_ns, voided.until_ns, voided.reason.as_str()))
            }
            _ => None,
        })
        .collect();
    let reason = "an error of the feed";
    assert_eq!(
        voided,
        [(trades[0], 0, 0, reason), (trades[1], 0, 0, reason), (0, YEAR_2001_NS, now, reason)]
    );
    // The book is not wound back.
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.5, 700, 1)]);
    for (request, word, words) in [
        (voiding(&[], 0, 0), "INVALID_TRADE_IDS", "are missing"),
        (
            voiding(&[1], YEAR_2001_NS, YEAR_2001_NS + 1),
            "INVALID_TRADE_IDS",
            "not valid together with from_ns and until_ns",
        ),
        (voiding(&[0], 0, 0), "INVALID_TRADE_IDS", "0 is not a trade"),
        (voiding(&[5; 1_001], 0, 0), "INVALID_TRADE_IDS", "1001 of them; at most 1000"),
        (
            voiding(&[], YEAR_2001_NS, YEAR_2001_NS),
            "INVALID_UNTIL_NS",
            "is not valid; more than from_ns, 978307200",
        ),
        (voiding(&[], YEAR_2001_NS, 0), "INVALID_UNTIL_NS", "0 is not valid"),
        (
            voiding(&[], YEAR_2001_NS, u64::MAX),
            "INVALID_UNTIL_NS",
            "18446744073709551615 is after the year 2199",
        ),
        (voiding(&[], now_ns() / 1_000_000, now_ns()), "INVALID_FROM_NS", "it looks like milliseconds"),
        (voiding(&[], 0, now_ns() / 1_000), "INVALID_UNTIL_NS", "it looks like microseconds"),
        (voiding(&[], 0, now_ns() / 1_000_000_000), "INVALID_UNTIL_NS", "it looks like seconds"),
        (voiding(&[], YEAR_2001_NS, now_ns() + 60_000_000_000), "INVALID_UNTIL_NS", "is in the future"),
    ] {
        let message = refused(client.void_trades(request).await, Code::InvalidArgument, word);
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn what_is_no_trade_of_the_market_voids_nothing() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, "other", &["Liverpool", "Arsenal"]).await;
    let elsewhere = |order| betex_proto::v1::SubmitOrderRequest { market_id: "other".to_owned(), ..order };
    submit(&mut client, elsewhere(limit("BACK", 2.5, 100, "anna"))).await;
    let foreign = submit(&mut client, elsewhere(limit("LAY", 2.5, 100, "ben"))).await.fills[0].trade_id;
    open_market(&mut client).await;
    let direct = trade(&mut client).await;
    for outcome in ["Draw", "Arsenal"] {
        submit(&mut client, on(outcome, limit("BACK", 4.0, 5_000, "ben"))).await;
    }
    let set = submit(&mut client, limit("BACK", 2.0, 1_000, "anna")).await;
    let trade_id = set.fills[0].trade_id;
    assert!(set.fills[0].synthetic);
    let stream = subscribe(&mut client, 0, false).await;
    // An order, a leg of a set, a trade of another market, what is still to come, what never will.
    for wrong in [direct - 1, trade_id + 1, foreign, set.sequence + 1, 1 << 60] {
        let answer = client.void_trades(voiding(&[direct, trade_id, wrong], 0, 0)).await;
        let message = refused(answer, Code::NotFound, "TRADE_NOT_FOUND");
        let words = format!("trade_ids: {wrong} is no trade of market \"match_liverpool_arsenal\"");
        assert!(message.contains(&words), "{message}");
    }
    client.close_market(lifecycle(MARKET)).await.unwrap();
    let voided = client.void_trades(voiding(&[trade_id, direct, trade_id], 0, 0)).await.unwrap().into_inner();
    assert_eq!(heard_void(stream, voided.sequence).await, [trade_id, direct, trade_id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_begun_is_done_though_the_client_goes_away() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let id = trade(&mut client).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let mut impatient = client.clone();
    let call = tokio::spawn(async move { impatient.void_trades(voiding(&[id; 1_000], 0, 0)).await });
    let all = async {
        let mut voided = 0;
        while voided < 1_000 {
            if let Some(Update::TradesVoided(_)) = next(&mut stream).await.unwrap().update {
                voided += 1;
                call.abort();
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("all are declared void");
    assert!(call.await.unwrap_err().is_cancelled());
}
