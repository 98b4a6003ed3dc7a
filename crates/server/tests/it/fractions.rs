//! Sets at odds take fractions of a penny: exact stakes beside whole quantities, in answers, streams and JSON.

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    CancelOrderRequest, Fill, MarketUpdate, MatchEvent, OrderUpdateEvent, SubmitOrderResponse,
};
use serde_json::Value;

use crate::audit::Audit;
use crate::harness::{
    Client, MARKET, Running, book, ladder, limit, on, open_market, open_market_named, submit, subscribe,
};
use crate::sockets::{connect, texts};
use crate::streams::{always, from, hear, hear_until};
use crate::trading::{MATCH, Replica, trade};

/// Two pennies are first in their queue, and a large order meets them, then the order after them.
async fn meet_two_pennies(client: &mut Client) -> [SubmitOrderResponse; 4] {
    let small = submit(client, on("Draw", limit("BACK", 3.4, 2, "ben"))).await;
    let big = submit(client, on("Draw", limit("BACK", 3.4, 100_000, "carol"))).await;
    let arsenal = submit(client, on("Arsenal", limit("BACK", 4.2, 100_000, "dora"))).await;
    let taker = submit(client, limit("BACK", 2.1, 10_000, "anna")).await;
    [small, big, arsenal, taker]
}

fn orders<'a>(updates: &'a [MarketUpdate]) -> Vec<&'a OrderUpdateEvent> {
    let order = |update: &'a MarketUpdate| match &update.update {
        Some(Update::OrderUpdate(order)) => Some(order),
        _ => None,
    };
    updates.iter().filter_map(order).collect()
}

fn legs<'a>(updates: &'a [MarketUpdate]) -> Vec<&'a MatchEvent> {
    let leg = |update: &'a MarketUpdate| match &update.update {
        Some(Update::MatchEvent(leg)) => Some(leg),
        _ => None,
    };
    updates.iter().filter_map(leg).collect()
}

#[tokio::test]
async fn an_answer_has_exact_stakes_beside_whole_quantities() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let [small, big, arsenal, taker] = meet_two_pennies(&mut client).await;
    assert_eq!((taker.status.as_str(), taker.filled_quantity), ("FILLED", 10_000));
    assert_eq!((taker.remaining_quantity, taker.cancelled_quantity), (0, 0));
    let amounts = |fill: &Fill| {
        let taken = (fill.taker_quantity, fill.taker_stake);
        (fill.maker_order_id, fill.quantity, fill.stake, taken, fill.payout)
    };
    let told: Vec<_> = taker.fills.iter().map(amounts).collect();
    let (small, big, arsenal) = (small.order_id, big.order_id, arsenal.order_id);
    assert_eq!(
        told,
        [
            (small, 2, 105, (2, 167), 357),
            (arsenal, 1, 85, (0, 0), 357),
            (big, 6_287, 628_636, (9_998, 999_832), 2_137_363),
            (arsenal, 5_089, 508_895, (0, 0), 2_137_363),
        ]
    );
    // Levels lose the quantities; what was traded adds the exact stakes, of which 5089.80 are shown as 5089.
    for (outcome, left, orders, traded) in
        [("Draw", 93_713, (3.4, 1), 6_287), ("Arsenal", 94_910, (4.2, 1), 5_089)]
    {
        let shown = book(&mut client, outcome).await;
        assert_eq!(ladder(&shown.bids), [(orders.0, left, orders.1)]);
        assert_eq!(shown.traded_quantity, traded, "{outcome}");
    }
    // The taker has staked 99.9999: the last hundredth of a penny is released.
    let shown = book(&mut client, "Liverpool").await;
    assert_eq!((shown.bids.len(), shown.traded_quantity), (0, 9_999));
}

#[tokio::test]
async fn a_stream_tells_what_orders_have_left_to_the_hundredth_of_a_penny() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let stream = subscribe(&mut client, 0, false).await;
    let [small, big, arsenal, taker] = meet_two_pennies(&mut client).await;
    let told = hear_until(stream, always(taker.sequence)).await;
    let mut audit = Audit::default();
    told.iter().for_each(|update| audit.hear(update));
    let set: Vec<_> = legs(&told).iter().map(|leg| (leg.maker_order_id, leg.quantity, leg.stake)).collect();
    let (small, big, arsenal) = (small.order_id, big.order_id, arsenal.order_id);
    assert_eq!(set[..3], [(0, 2, 167), (small, 2, 105), (arsenal, 1, 85)]);
    assert_eq!(set[3..], [(0, 9_998, 999_832), (big, 6_287, 628_636), (arsenal, 5_089, 508_895)]);
    let stands = |order: &OrderUpdateEvent| {
        let amounts = (order.filled_quantity, order.remaining_quantity, order.remaining_stake);
        (order.order_id, order.status.clone(), amounts)
    };
    let after: Vec<_> = orders(&from(&told, taker.sequence - 5)).into_iter().map(stands).collect();
    let filled = |id, quantity| (id, "FILLED".to_owned(), (quantity, 0, 0));
    let partly = |id, amounts| (id, "PARTIALLY_FILLED".to_owned(), amounts);
    let expected = [
        filled(small, 2),
        partly(arsenal, (1, 99_999, 9_999_915)),
        partly(big, (6_287, 93_713, 9_371_364)),
        partly(arsenal, (5_090, 94_910, 9_491_020)),
    ];
    assert_eq!(after[..], expected);
    assert_eq!((audit.dust(small), audit.dust(taker.order_id), audit.dusty), (95, 1, 2));
    server.stop();
}

#[tokio::test]
async fn a_fraction_rests_is_not_matched_directly_and_goes_with_a_cancel() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let stream = subscribe(&mut client, 0, false).await;
    submit(&mut client, on("Draw", limit("BACK", 3.4, 333, "ben"))).await;
    submit(&mut client, on("Arsenal", limit("BACK", 4.2, 100_000, "carol"))).await;
    let taker = submit(&mut client, limit("BACK", 2.0, 5_000, "anna")).await;
    assert_eq!((taker.filled_quantity, taker.remaining_quantity), (530, 4_470));
    assert_eq!((taker.fills[0].taker_quantity, taker.fills[0].taker_stake), (530, 52_963));
    let direct = submit(&mut client, limit("LAY", 2.0, 1_000, "dora")).await;
    let [fill] = &direct.fills[..] else { panic!("{direct:?}") };
    assert_eq!(
        (fill.quantity, fill.stake, fill.taker_stake, fill.payout),
        (1_000, 100_000, 100_000, 200_000)
    );
    let cancel = |keep_quantity| CancelOrderRequest {
        market_id: MARKET.to_owned(),
        order_id: taker.order_id,
        keep_quantity,
        ..CancelOrderRequest::default()
    };
    // It has 3470.37 left: 3470 is no reduction, 3469 is one that drops the fraction too.
    let mut last = 0;
    for (keep, cancelled, remaining) in [(3_470, 0, 3_470), (3_469, 1, 3_469), (0, 3_469, 0)] {
        let answer = client.cancel_order(cancel(keep)).await.unwrap().into_inner();
        assert_eq!(
            (answer.cancelled_quantity, answer.remaining_quantity),
            (cancelled, remaining),
            "keep {keep}"
        );
        last = answer.sequence;
    }
    let told = hear_until(stream, always(last)).await;
    let mut audit = Audit::default();
    told.iter().for_each(|update| audit.hear(update));
    let left: Vec<_> = orders(&told)
        .iter()
        .filter(|order| order.order_id == taker.order_id)
        .map(|order| (order.remaining_quantity, order.remaining_stake))
        .collect();
    assert_eq!(left, [(4_470, 447_037), (3_470, 347_037), (3_469, 346_900), (0, 0)]);
}

#[tokio::test]
async fn json_has_exact_stakes_and_says_when_dust_leaves_an_order_filled() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut socket = connect(&server, &format!("?market_id={MARKET}")).await;
    let [small, big, arsenal, taker] = meet_two_pennies(&mut client).await;
    let texts = texts(&mut socket, 12).await;
    let said: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let said: Vec<_> = said[3..]
        .iter()
        .map(|event| match event["type"].as_str().unwrap() {
            "match" => format!("{} {} {}", event["maker_order_id"], event["quantity"], event["stake"]),
            kind => format!("{kind} {}", event["order_id"]),
        })
        .collect();
    let (small, big, arsenal, taker) = (small.order_id, big.order_id, arsenal.order_id, taker.order_id);
    let expected = [
        format!("order_submit {taker}"),
        "0 2 167".to_owned(),
        format!("{small} 2 105"),
        format!("order_filled {small}"),
        format!("{arsenal} 1 85"),
        "0 9998 999832".to_owned(),
        format!("{big} 6287 628636"),
        format!("{arsenal} 5089 508895"),
        format!("order_filled {taker}"),
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn an_order_on_a_quarter_line_has_left_what_its_halves_have_left() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market_named(&mut client, MARKET, &["Home_0.0", "Away_0.0", "Home_-0.5", "Away_+0.5"]).await;
    let stream = subscribe(&mut client, 0, false).await;
    submit(&mut client, on("Away_0.0", limit("BACK", 2.14, 333, "ben"))).await;
    submit(&mut client, on("Away_+0.5", limit("BACK", 2.34, 222, "ben"))).await;
    let placed = submit(&mut client, on("Home_-0.25", limit("BACK", 1.5, 1_001, "anna"))).await;
    assert_eq!((placed.status.as_str(), placed.fills.len()), ("PARTIALLY_FILLED", 2));
    let told = hear_until(stream, always(placed.sequence)).await;
    let mut audit = Audit::default();
    told.iter().for_each(|update| audit.hear(update));
    let orders = orders(&told);
    let left = |id| orders.iter().rfind(|order| order.order_id == id).unwrap().remaining_stake;
    let (whole, near, far) =
        (left(placed.order_id), left(placed.leg_order_ids[0]), left(placed.leg_order_ids[1]));
    assert!(near % 100 > 0 && far % 100 > 0, "{near} and {far}");
    assert_eq!(whole, near + far);
    assert_eq!(placed.remaining_quantity, u64::try_from(near / 100 + far / 100).unwrap());
    let exact: i64 = placed.fills.iter().map(|fill| fill.taker_stake).sum();
    assert_eq!(whole + exact, 100_100);
}

/// Live, with a snapshot, and from the journal at any point.
#[tokio::test(flavor = "multi_thread")]
async fn books_that_streams_tell_are_those_that_are_shown_after_sets_with_fractions() {
    let server = Running::with(&["--durability", "none"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let live = subscribe(&mut client, 0, false).await;
    let traders: Vec<_> = (0..3).map(|seed| trade(client.clone(), MATCH, 500 + seed, 150)).collect();
    futures::future::join_all(traders).await;
    let joined = subscribe(&mut client, 0, true).await;
    meet_two_pennies(&mut client).await;
    trade(client.clone(), MATCH, 1_000, 150).await;
    let (truth, last) = Replica::of(&mut client, MATCH).await;
    let live = hear_until(live, always(last)).await;
    let (mut audit, mut replica) = (Audit::default(), Replica::default());
    for update in &live {
        audit.hear(update);
        replica.hear(update);
    }
    assert!(audit.fractions > 20 && audit.dusty > 0, "{} and {}", audit.fractions, audit.dusty);
    assert_eq!(replica, truth);
    assert_eq!(audit.book(), truth);
    let mut replica = Replica::default();
    hear_until(joined, always(last)).await.iter().for_each(|update| replica.hear(update));
    assert_eq!(replica, truth);
    let first = live[0].sequence;
    for sequence in (first..=last).step_by(37) {
        let past = hear(&mut client, sequence, last).await;
        assert!(past == from(&live, sequence), "what the journal tells from {sequence} on");
    }
    server.stop();
}
