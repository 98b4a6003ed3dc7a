//! Streams of markets in which everything happens that can: joined and resumed anywhere, and over a restart.

use std::time::Duration;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    AddOutcomesRequest, CancelOrdersRequest, CreateMarketRequest, GetOrderBookRequest, MarketKind,
    MarketModel, RemoveOutcomeRequest, SetMarketPhaseRequest, VoidTradesRequest,
};
use futures::StreamExt as _;
use tokio_tungstenite::connect_async;

use crate::audit::Audit;
use crate::harness::{
    Client, MARKET, PATIENCE, Running, lifecycle, limit, market, next, on, open, submit, subscribe,
};
use crate::streams::{always, from, hear, hear_until};
use crate::trading::{Arena, Replica, trade};

const PAIR: Arena = Arena { outcomes: &["Yes", "No"], quarters: &[], binary: true };
const GROUP: Arena = Arena { outcomes: &["A", "B", "C", "D"], quarters: &[], binary: true };
const LINES: Arena = Arena {
    outcomes: &["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0"],
    quarters: &["Home_-0.25", "Away_+0.25"],
    binary: false,
};
const FIELD: Arena = Arena { outcomes: &["One", "Two", "Three", "Four"], quarters: &[], binary: false };

fn request(arena: Arena, outcomes: &[&str]) -> CreateMarketRequest {
    let model = if arena.binary { MarketModel::BinaryYes } else { MarketModel::ExchangeOdds };
    CreateMarketRequest {
        model: model.into(),
        max_price_ticks: if arena.binary { 100 } else { 0 },
        market_kind: MarketKind::InPlayCapable.into(),
        ..market(MARKET, outcomes)
    }
}

/// What is done to a market while others trade in it.
async fn meddle(mut client: Client, arena: Arena) {
    let pause = || tokio::time::sleep(Duration::from_millis(25));
    let cancel = |user: &str, outcome: &str| CancelOrdersRequest {
        market_id: MARKET.to_owned(),
        user_id: user.to_owned(),
        outcome_id: outcome.to_owned(),
        ..CancelOrdersRequest::default()
    };
    let phase = |phase: &str| SetMarketPhaseRequest {
        market_id: MARKET.to_owned(),
        phase: phase.to_owned(),
        ..SetMarketPhaseRequest::default()
    };
    traded(&mut client, arena).await;
    client.halt_market(lifecycle(MARKET)).await.unwrap();
    pause().await;
    client.cancel_orders(cancel("user-1", "")).await.unwrap();
    client.resume_market(lifecycle(MARKET)).await.unwrap();
    traded(&mut client, arena).await;
    client.cancel_orders(cancel("", arena.outcomes[1])).await.unwrap();
    client.set_market_phase(phase("PRE_AWAIT_LIVE")).await.unwrap();
    let void = VoidTradesRequest {
        market_id: MARKET.to_owned(),
        from_ns: 978_307_200_000_000_005,
        until_ns: 978_307_200_000_000_006,
        ..Default::default()
    };
    client.void_trades(void).await.unwrap();
    traded(&mut client, arena).await;
    client.set_market_phase(phase("LIVE")).await.unwrap();
    // Everything lapses; then trading goes on.
    pause().await;
}

/// Waits until some orders have come in: on a busy machine that takes its time.
async fn traded(client: &mut Client, arena: Arena) {
    const EVENTS: u64 = 100;
    let mut sequence = async || {
        let request = GetOrderBookRequest {
            market_id: MARKET.to_owned(),
            outcome_id: arena.outcomes[0].to_owned(),
            ..GetOrderBookRequest::default()
        };
        client.get_order_book(request).await.unwrap().into_inner().sequence
    };
    let until = sequence().await + EVENTS;
    let enough = async {
        while sequence().await < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("the others trade");
}

/// A market with traders and meddlers in it, told of live, from the journal, and after a restart.
async fn everything_is_told(arena: Arena) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &["--durability", "none"]);
    let mut client = server.client().await;
    open(&mut client, request(arena, arena.outcomes)).await;
    let live = subscribe(&mut client, 0, false).await;
    let mut joined = Vec::new();
    let (reached, last) = tokio::sync::watch::channel(u64::MAX);
    let mut traders = vec![tokio::spawn(meddle(server.client().await, arena))];
    for seed in 0..4 {
        traders.push(tokio::spawn(trade(server.client().await, arena, seed, 300)));
    }
    while traders.iter().any(|trader| !trader.is_finished()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        joined.push(tokio::spawn(hear_until(subscribe(&mut client, 0, true).await, last.clone())));
    }
    for trader in traders {
        trader.await.unwrap();
    }
    // Something to lose.
    trade(client.clone(), arena, 99, 100).await;
    let (truth, last) = Replica::of(&mut client, arena).await;
    assert!(truth.0.len() > 4, "{truth:?}");
    reached.send(last).unwrap();
    let everything = hear(&mut client, 1, last).await;
    let (mut replica, mut audit) = (Replica::default(), Audit::default());
    for update in &everything {
        replica.hear(update);
        audit.hear(update);
    }
    assert_eq!(replica, truth);
    // Fractions of a penny are only of sets at odds.
    assert_eq!((audit.fractions > 0, audit.dusty > 0), (!arena.binary, !arena.binary));
    if !arena.binary {
        assert_eq!(audit.book(), truth);
    }
    let has = |found: fn(&Update) -> bool| {
        everything.iter().any(|update| update.update.as_ref().is_some_and(found))
    };
    assert!(has(|update| matches!(update, Update::MassCancel(_))));
    assert!(has(|update| matches!(update, Update::TradesVoided(_))));
    assert!(has(|update| matches!(update, Update::OrderUpdate(order) if order.status == "LAPSED")));
    let sets = has(|update| matches!(update, Update::MatchEvent(leg) if leg.synthetic));
    assert_eq!(sets, arena.outcomes.len() > 2);
    let halves = has(|update| matches!(update, Update::OrderUpdate(order) if order.whole_order_id > 0));
    assert_eq!(halves, !arena.quarters.is_empty());

    let live = hear_until(live, always(last)).await;
    assert_eq!(live, from(&everything, live[0].sequence));
    for heard in joined {
        let heard = heard.await.unwrap();
        let mut replica = Replica::default();
        heard.iter().for_each(|update| replica.hear(update));
        assert_eq!(replica, truth);
        let mut then = heard.iter().skip_while(|update| matches!(update.update, Some(Update::Snapshot(_))));
        let after = from(&everything, heard[0].sequence + 1);
        assert!(after.iter().all(|update| then.next() == Some(update)), "from {}", heard[0].sequence);
    }
    server.stop();
    let server = Running::on(&data, &["--durability", "none"]);
    let mut client = server.client().await;
    assert_eq!(Replica::of(&mut client, arena).await, (truth, last));
    let mut sequence = 1;
    while sequence <= last + 1 {
        assert_eq!(hear(&mut client, sequence, last).await, from(&everything, sequence), "from {sequence}");
        sequence += 1 + sequence % 61;
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_pair() {
    everything_is_told(PAIR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_group_in_ticks() {
    everything_is_told(GROUP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_lines() {
    everything_is_told(LINES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_field_at_odds() {
    everything_is_told(FIELD).await;
}

#[tokio::test]
async fn a_stream_goes_on_over_outcomes_that_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open(&mut client, request(FIELD, &["One", "Two"])).await;
    let stream = subscribe(&mut client, 0, true).await;
    submit(&mut client, on("One", limit("BACK", 5.0, 100, "anna"))).await;
    let outcomes = vec!["Three".to_owned(), "Four".to_owned()];
    client.add_outcomes(AddOutcomesRequest { market_id: MARKET.to_owned(), outcomes }).await.unwrap();
    submit(&mut client, on("Three", limit("BACK", 5.0, 200, "anna"))).await;
    let removal = RemoveOutcomeRequest {
        market_id: MARKET.to_owned(),
        outcome_id: "Three".to_owned(),
        reduction_factor: 1_234,
        ..RemoveOutcomeRequest::default()
    };
    client.remove_outcome(removal).await.unwrap();
    submit(&mut client, on("Four", limit("LAY", 5.0, 300, "ben"))).await;
    let (truth, last) = Replica::of(&mut client, FIELD).await;
    let live = hear_until(stream, always(last)).await;
    let mut replica = Replica::default();
    live.iter().for_each(|update| replica.hear(update));
    assert_eq!(replica, truth);
    server.stop();
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    for sequence in 1..=last + 1 {
        let told = hear(&mut client, sequence, last).await;
        // The first was the snapshot.
        assert_eq!(from(&told, live[0].sequence + 1), from(&live[1..], sequence), "from {sequence}");
    }
    // By WebSocket, too, with everything in its place.
    let url = format!("ws://{}/ws?market_id={MARKET}&events=all&from_sequence=1", server.http);
    let (mut socket, _) = connect_async(url).await.unwrap();
    let mut types = Vec::new();
    loop {
        let text = socket.next().await.unwrap().unwrap();
        let event: serde_json::Value = serde_json::from_str(text.to_text().unwrap()).unwrap();
        types.push(event["type"].as_str().unwrap().to_owned());
        if types.last().is_some_and(|kind| kind == "book_update") && event["outcome_id"] == "Four" {
            break;
        }
    }
    let expected = [
        "market_created",
        "market_opened",
        "order_submit",
        "book_update",
        "outcomes_added",
        "order_submit",
        "book_update",
        "outcome_removed",
        "order_cancelled",
        "book_update",
        "order_submit",
        "book_update",
    ];
    assert_eq!(types, expected);
    assert!(next(&mut subscribe(&mut client, 0, true).await).await.is_ok());
}
