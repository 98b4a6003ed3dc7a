//! What a suspension and the change to LIVE take out, and how a market is held while they do.

use std::collections::BTreeSet;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    CreateMarketRequest, MarketKind, Persistence, SetMarketPhaseRequest, SubmitOrderRequest,
};

use crate::harness::{
    Client, MARKET, Running, book, ladder, lifecycle, limit, market, next, on, open, submit, submit_many,
    subscribe,
};
use crate::lifecycle::snapshot;

async fn open_in_play(client: &mut Client) {
    let request = CreateMarketRequest {
        market_kind: MarketKind::InPlayCapable.into(),
        ..market(MARKET, &["Liverpool", "Draw", "Arsenal"])
    };
    open(client, request).await;
}

async fn enter(client: &mut Client, phase: &str) {
    let request = SetMarketPhaseRequest {
        market_id: MARKET.to_owned(),
        phase: phase.to_owned(),
        ..SetMarketPhaseRequest::default()
    };
    client.set_market_phase(request).await.unwrap();
}

fn persisting(order: SubmitOrderRequest) -> SubmitOrderRequest {
    SubmitOrderRequest { persistence: Persistence::Persist.into(), ..order }
}

#[tokio::test]
async fn a_market_is_held_while_more_than_a_step_of_orders_lapses() {
    // So slow that there is time to look between two steps.
    let server = Running::with(&["--durability", "none", "--job-orders-per-s", "200"]);
    let mut client = server.client().await;
    open_in_play(&mut client).await;
    // Whether they are in front of those that lapse, among them or on another outcome.
    let front = submit(&mut client, persisting(limit("BACK", 2.4, 300, "ben"))).await;
    let lapsing = submit_many(&client, 1_200, &limit("BACK", 2.5, 100, "anna")).await;
    let lapsing: BTreeSet<_> = lapsing.iter().map(|order| order.order_id).collect();
    let among = submit(&mut client, persisting(limit("BACK", 2.5, 400, "ben"))).await;
    let other = submit(&mut client, persisting(on("Draw", limit("LAY", 3.0, 500, "ben")))).await;
    for kept in [&front, &among, &other] {
        assert_eq!(kept.status, "RESTING");
    }
    let mut stream = subscribe(&mut client, 0, false).await;
    enter(&mut client, "LIVE").await;
    let held = snapshot(&mut client).await;
    assert_eq!((held.status.as_str(), held.phase.as_str()), ("SUSPENDED", "LIVE"));
    assert_eq!(held.holds, ["TURNING_IN_PLAY"]);
    let early = submit(&mut client, limit("LAY", 2.5, 100, "carol")).await;
    assert_eq!((early.status.as_str(), early.rejection_reason.as_str()), ("REJECTED", "MARKET_NOT_OPEN"));

    let (mut said, mut steps, mut gone) = (Vec::new(), Vec::new(), BTreeSet::new());
    loop {
        let update = next(&mut stream).await.unwrap();
        match update.update {
            Some(Update::MarketStatus(status)) => {
                said.push([status.status, status.phase, status.hold_set, status.hold_lifted]);
            }
            Some(Update::MassCancel(progress)) => steps.push(progress.status),
            Some(Update::OrderUpdate(order)) => {
                assert_eq!((order.status.as_str(), order.reason.as_str()), ("LAPSED", "LAPSED"), "{order:?}");
                assert!(gone.insert(order.order_id), "{order:?} is told twice");
            }
            _ => (),
        }
        if said.last().is_some_and(|[.., lifted]| !lifted.is_empty()) {
            assert!(update.ends_transaction, "the last step and the end of the hold are one");
            break;
        }
    }
    let expected =
        [["", "LIVE", "", ""], ["SUSPENDED", "", "TURNING_IN_PLAY", ""], ["OPEN", "", "", "TURNING_IN_PLAY"]];
    assert_eq!(said, expected);
    assert_eq!(steps, ["STARTED", "ADVANCED", "DONE"]);
    assert_eq!(gone, lapsing);

    let over = snapshot(&mut client).await;
    assert_eq!((over.status.as_str(), over.phase.as_str(), over.holds.len()), ("OPEN", "LIVE", 0));
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.4, 300, 1), (2.5, 400, 1)]);
    assert_eq!(ladder(&book(&mut client, "Draw").await.asks), [(3.0, 500, 1)]);
    let taker = submit(&mut client, limit("LAY", 2.5, 500, "carol")).await;
    let makers: Vec<_> = taker.fills.iter().map(|fill| (fill.maker_order_id, fill.quantity)).collect();
    assert_eq!(makers, [(front.order_id, 300), (among.order_id, 200)]);
}

#[tokio::test]
async fn suspending_lapses_only_when_live_is_awaited() {
    let server = Running::start();
    let mut client = server.client().await;
    open_in_play(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    submit(&mut client, persisting(limit("BACK", 2.6, 200, "ben"))).await;
    let both = [(2.5, 100, 1), (2.6, 200, 1)];
    // Not before that.
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    client.open_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), both);
    // Nor does the phase by itself, or a hold.
    enter(&mut client, "PRE_AWAIT_LIVE").await;
    client.halt_market(lifecycle(MARKET)).await.unwrap();
    client.resume_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), both);

    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    let shown = snapshot(&mut client).await;
    assert_eq!((shown.status.as_str(), shown.phase.as_str()), ("SUSPENDED", "PRE_AWAIT_LIVE"));
    assert!(shown.holds.is_empty(), "few lapse at once, without a hold: {:?}", shown.holds);
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.6, 200, 1)]);
    // What came after that lapses with the change to LIVE.
    client.open_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(submit(&mut client, limit("BACK", 2.7, 300, "anna")).await.status, "RESTING");
    enter(&mut client, "LIVE").await;
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.6, 200, 1)]);
    // And nothing does any more.
    assert_eq!(submit(&mut client, limit("BACK", 2.7, 300, "anna")).await.status, "RESTING");
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(ladder(&book(&mut client, "Liverpool").await.bids), [(2.6, 200, 1), (2.7, 300, 1)]);
}

#[tokio::test]
async fn a_suspended_market_is_suspended_after_a_halt_too() {
    let server = Running::start();
    let mut client = server.client().await;
    open_in_play(&mut client).await;
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    client.halt_market(lifecycle(MARKET)).await.unwrap();
    assert_eq!(snapshot(&mut client).await.holds, ["HALTED"]);
    let resumed = client.resume_market(lifecycle(MARKET)).await.unwrap().into_inner();
    assert_eq!(resumed.status, "SUSPENDED");
    let shown = snapshot(&mut client).await;
    assert_eq!((shown.status.as_str(), shown.holds.len()), ("SUSPENDED", 0));
    let early = submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    assert_eq!(early.rejection_reason, "MARKET_NOT_OPEN");
    // Suspended while it was halted: the same.
    client.open_market(lifecycle(MARKET)).await.unwrap();
    client.halt_market(lifecycle(MARKET)).await.unwrap();
    client.suspend_market(lifecycle(MARKET)).await.unwrap();
    let resumed = client.resume_market(lifecycle(MARKET)).await.unwrap().into_inner();
    assert_eq!(resumed.status, "SUSPENDED");
    assert_eq!(client.open_market(lifecycle(MARKET)).await.unwrap().into_inner().status, "OPEN");
}
