//! The WebSocket on sets, quarter lines, binary markets and what happens to markets, to the letter.

use betex_proto::v1::{
    AddOutcomesRequest, CancelOrdersRequest, CreateMarketRequest, MarketKind, MarketLifecycleRequest,
    MarketModel, RemoveOutcomeRequest, SetMarketPhaseRequest, VoidTradesRequest,
};
use serde_json::{Value, json};

use crate::harness::{
    MARKET, Running, lifecycle, limit, market, on, open, open_market, open_market_named, shares, submit,
};
use crate::sockets::{connect, texts, unmarked};

fn of_market(event: Value) -> Value {
    let mut all = json!({ "market_id": MARKET }).as_object().unwrap().clone();
    all.extend(event.as_object().unwrap().clone());
    Value::Object(all)
}

/// What is said live, and what the journal tells of it.
async fn hears(server: &Running, from_sequence: u64, live: Vec<String>, expected: Vec<Value>) {
    let expected: Vec<Value> = expected.into_iter().map(of_market).collect();
    assert_eq!(unmarked(live), expected);
    let query = format!("?market_id={MARKET}&events=all&from_sequence={from_sequence}");
    let past = texts(&mut connect(server, &query).await, expected.len()).await;
    assert_eq!(unmarked(past), expected);
}

#[tokio::test]
async fn the_legs_of_a_set_are_cross_matches() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, on("Draw", limit("BACK", 4.0, 5_000, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 4.0, 6_000, "carol"))).await;
    let mut socket = connect(&server, &format!("?market_id={MARKET}")).await;
    let taker = submit(&mut client, limit("BACK", 2.0, 10_000, "anna")).await;
    let first = taker.fills[0].trade_id;
    let said = texts(&mut socket, 6).await;
    let leg = |sequence: u64, outcome: &str, maker: u64, price: u64, quantity: u64| {
        let stake = 100 * quantity;
        format!(
            r#"{{"type":"match","sequence":{sequence},"market_id":"{MARKET}","outcome_id":"{outcome}","maker_order_id":{maker},"taker_order_id":3,"maker_side":"Long","taker_side":"Long","price":{price},"quantity":{quantity},"timestamp":0,"is_synthetic":true,"is_cross_match":true,"stake":{stake}}}"#
        )
    };
    let filled = |order: u64, outcome: &str, sequence: u64| {
        format!(
            r#"{{"type":"order_filled","order_id":{order},"market_id":"{MARKET}","outcome_id":"{outcome}","sequence":{sequence}}}"#
        )
    };
    let expected = [
        leg(first, "Liverpool", 0, 500_000, 10_000),
        leg(first + 1, "Draw", 1, 250_000, 5_000),
        filled(1, "Draw", first + 1),
        leg(first + 2, "Arsenal", 2, 250_000, 5_000),
        filled(3, "Liverpool", first + 2),
    ];
    assert!(said[0].starts_with(r#"{"type":"order_submit","order_id":3,"#), "{said:?}");
    assert_eq!(said[1..], expected);
}

#[tokio::test]
async fn a_quarter_line_is_the_submission_of_its_halves() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, MARKET, &["Home_0.0", "Away_0.0", "Home_-0.5", "Away_+0.5"]).await;
    let mut six = connect(&server, &format!("?market_id={MARKET}")).await;
    let mut all = connect(&server, &format!("?market_id={MARKET}&events=all")).await;
    let placed = submit(&mut client, on("Home_-0.25", limit("LAY", 2.0, 101, "anna"))).await;
    let first = placed.sequence - 2;
    let half = |id: u64, outcome: &str, size: u64, sequence: u64| {
        json!({"type": "order_submit", "order_id": id, "outcome_id": outcome, "side": "lay", "price": 500_000,
            "size": size, "user_id": "anna", "expiry_ms": null, "sequence": sequence})
    };
    let level = |outcome: &str, quantity: u64, sequence: u64| {
        json!({"type": "book_update", "outcome_id": outcome, "side": "lay", "price": 500_000, "odds": 2.0,
            "quantity": quantity, "order_count": 1, "sequence": sequence})
    };
    let (near, far) = (half(2, "Home_0.0", 51, first + 1), half(3, "Home_-0.5", 50, first + 2));
    let expected = vec![
        json!({"type": "order_split", "order_id": 1, "leg_order_ids": [2, 3], "outcome_id": "Home_-0.25",
            "side": "lay", "price": 500_000, "size": 101, "user_id": "anna", "sequence": first}),
        near.clone(),
        level("Home_0.0", 51, first + 1),
        far.clone(),
        level("Home_-0.5", 50, first + 2),
    ];
    let said = texts(&mut all, expected.len()).await;
    hears(&server, first, said, expected).await;
    let said: Vec<Value> =
        texts(&mut six, 2).await.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(said, [of_market(near), of_market(far)]);
}

#[tokio::test]
async fn a_pair_tells_of_each_level_twice() {
    let server = Running::start();
    let mut client = server.client().await;
    let pair = CreateMarketRequest {
        model: MarketModel::BinaryYes.into(),
        max_price_ticks: 100,
        ..market(MARKET, &["Yes", "No"])
    };
    open(&mut client, pair).await;
    let mut socket = connect(&server, &format!("?market_id={MARKET}&events=all")).await;
    let placed = submit(&mut client, shares("No", "BUY", 45, 100, "anna")).await;
    let first = placed.sequence;
    submit(&mut client, shares("Yes", "BUY", 60, 100, "ben")).await;
    let submitted = |id: u64, outcome: &str, price: u64, user: &str, sequence: u64| {
        json!({"type": "order_submit", "order_id": id, "outcome_id": outcome, "side": "buy", "price": price,
            "size": 100, "user_id": user, "expiry_ms": null, "sequence": sequence})
    };
    let level = |outcome: &str, side: &str, ticks: u64, quantity: u64, orders: u64, sequence: u64| {
        json!({"type": "book_update", "outcome_id": outcome, "side": side, "price": ticks * 10_000, "odds": 0.0,
            "ticks": ticks, "quantity": quantity, "order_count": orders, "sequence": sequence})
    };
    let filled = |id: u64, outcome: &str| json!({"type": "order_filled", "order_id": id, "outcome_id": outcome, "sequence": first + 3});
    let expected = vec![
        submitted(1, "No", 450_000, "anna", first),
        level("Yes", "sell", 55, 100, 1, first),
        level("No", "buy", 45, 100, 1, first),
        submitted(2, "Yes", 600_000, "ben", first + 2),
        json!({"type": "match", "sequence": first + 3, "outcome_id": "No", "maker_order_id": 1,
            "taker_order_id": 2, "maker_side": "Long", "taker_side": "Short", "price": 450_000, "quantity": 100,
            "timestamp": 0, "is_synthetic": false, "is_cross_match": false, "stake": 100}),
        filled(1, "No"),
        filled(2, "Yes"),
        level("Yes", "sell", 55, 0, 0, first + 3),
        level("No", "buy", 45, 0, 0, first + 3),
    ];
    let said = texts(&mut socket, expected.len()).await;
    hears(&server, first, said, expected).await;
}

#[tokio::test]
async fn what_happens_to_a_market() {
    let server = Running::start();
    let mut client = server.client().await;
    let kind = MarketKind::InPlayCapable.into();
    open(&mut client, CreateMarketRequest { market_kind: kind, ..market(MARKET, &["A", "B"]) }).await;
    submit(&mut client, on("B", limit("BACK", 4.0, 100, "anna"))).await;
    submit(&mut client, on("A", limit("BACK", 5.0, 100, "anna"))).await;
    let trade_id = submit(&mut client, on("A", limit("LAY", 5.0, 40, "ben"))).await.fills[0].trade_id;
    let mut socket = connect(&server, &format!("?market_id={MARKET}&events=all")).await;
    let (market_id, reason) = (MARKET.to_owned(), "why".to_owned());
    let halt = MarketLifecycleRequest { reason: reason.clone(), ..lifecycle(MARKET) };
    let first = client.halt_market(halt).await.unwrap().into_inner().sequence;
    client.resume_market(lifecycle(MARKET)).await.unwrap();
    let phase = SetMarketPhaseRequest {
        market_id: market_id.clone(),
        phase: "PRE_AWAIT_LIVE".to_owned(),
        reason: reason.clone(),
    };
    client.set_market_phase(phase).await.unwrap();
    let outcomes = vec!["C".to_owned()];
    client.add_outcomes(AddOutcomesRequest { market_id: market_id.clone(), outcomes }).await.unwrap();
    for (trade_ids, from_ns, until_ns) in
        [(vec![trade_id], 0, 0), (vec![], 978_307_200_000_000_005, 978_307_200_000_000_006)]
    {
        let reason = reason.clone();
        let void = VoidTradesRequest { market_id: market_id.clone(), trade_ids, from_ns, until_ns, reason };
        client.void_trades(void).await.unwrap();
    }
    let cancel = CancelOrdersRequest {
        market_id: market_id.clone(),
        user_id: "anna".to_owned(),
        outcome_id: "A".to_owned(),
        entered_from_ns: 978_307_200_000_000_007,
        ..CancelOrdersRequest::default()
    };
    client.cancel_orders(cancel).await.unwrap();
    let outcome_id = "B".to_owned();
    client
        .remove_outcome(RemoveOutcomeRequest { market_id, outcome_id, reduction_factor: 1_500, reason })
        .await
        .unwrap();
    let moved = |sequence: u64, reason: &str, more: Value| {
        let mut event = json!({"reason": reason, "timestamp": 0, "sequence": sequence});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let expected = vec![
        moved(first, "why", json!({"type": "market_held", "hold": "HALTED", "status": "SUSPENDED"})),
        moved(first + 1, "", json!({"type": "market_released", "hold": "HALTED", "status": "OPEN"})),
        moved(first + 2, "why", json!({"type": "market_phase", "phase": "PRE_AWAIT_LIVE"})),
        moved(first + 3, "", json!({"type": "outcomes_added", "outcomes": ["C"]})),
        moved(
            first + 4,
            "why",
            json!({"type": "trades_voided", "trade_id": trade_id, "from_ns": null, "until_ns": null}),
        ),
        moved(
            first + 5,
            "why",
            json!({"type": "trades_voided", "trade_id": null, "from_ns": 978_307_200_000_000_005_u64,
                "until_ns": 978_307_200_000_000_006_u64}),
        ),
        moved(
            first + 6,
            "MASS_CANCELLED",
            json!({"type": "mass_cancel", "status": "ASKED", "job": null, "user_id": "anna", "outcome_id": "A",
                "entered_from_ns": 978_307_200_000_000_007_u64, "entered_until_ns": null}),
        ),
        json!({"type": "order_cancelled", "order_id": 2, "outcome_id": "A", "sequence": first + 7}),
        json!({"type": "book_update", "outcome_id": "A", "side": "back", "price": 200_000, "odds": 5.0,
            "quantity": 0, "order_count": 0, "sequence": first + 7}),
        moved(
            first + 8,
            "why",
            json!({"type": "outcome_removed", "outcome_id": "B", "reduction_factor": 1_500}),
        ),
        json!({"type": "order_cancelled", "order_id": 1, "outcome_id": "B", "sequence": first + 9}),
        json!({"type": "book_update", "outcome_id": "B", "side": "back", "price": 250_000, "odds": 4.0,
            "quantity": 0, "order_count": 0, "sequence": first + 9}),
    ];
    let said = texts(&mut socket, expected.len()).await;
    hears(&server, first, said, expected).await;
}
