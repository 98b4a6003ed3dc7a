//! Holds, phases, outcomes that come and go.

use std::time::Duration;

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    AddOutcomesRequest, CreateMarketRequest, MarketKind, MarketLifecycleRequest, Persistence,
    RemoveOutcomeRequest, RemovedOutcome, SetMarketPhaseRequest, Snapshot, SubmitOrderRequest,
    TransitionPolicy,
};
use tonic::Code;

use crate::harness::{
    Client, MARKET, Running, book, ladder, lifecycle, limit, market, next, on, open, open_market, refused,
    submit, subscribe,
};
use crate::streams::{always, hear_until};

const OUTCOMES: [&str; 3] = ["Liverpool", "Draw", "Arsenal"];

fn because(reason: &str) -> MarketLifecycleRequest {
    MarketLifecycleRequest { reason: reason.to_owned(), ..lifecycle(MARKET) }
}

fn phase(phase: &str) -> SetMarketPhaseRequest {
    SetMarketPhaseRequest { market_id: MARKET.to_owned(), phase: phase.to_owned(), reason: String::new() }
}

fn adding(outcomes: &[&str]) -> AddOutcomesRequest {
    let outcomes = outcomes.iter().map(ToString::to_string).collect();
    AddOutcomesRequest { market_id: MARKET.to_owned(), outcomes }
}

fn removing(outcome: &str, reduction_factor: u32) -> RemoveOutcomeRequest {
    RemoveOutcomeRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        reduction_factor,
        reason: "lame".to_owned(),
    }
}

pub(crate) async fn snapshot(client: &mut Client) -> Snapshot {
    match next(&mut subscribe(client, 0, true).await).await.unwrap().update {
        Some(Update::Snapshot(snapshot)) => snapshot,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_held_market_is_suspended_until_every_hold_is_lifted() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let placed = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    let stream = subscribe(&mut client, 0, false).await;
    let status = |answer: Result<
        tonic::Response<betex_proto::v1::MarketLifecycleResponse>,
        tonic::Status,
    >| { answer.unwrap().into_inner().status };
    assert_eq!(status(client.halt_market(because("a drone")).await), "SUSPENDED");
    let message =
        refused(client.halt_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "HOLD_UNCHANGED");
    assert!(message.contains("is already HALTED"), "{message}");
    assert_eq!(status(client.deactivate_market(lifecycle(MARKET)).await), "SUSPENDED");
    let message =
        refused(client.open_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "MARKET_HELD");
    assert!(message.contains("is HALTED, so it cannot become OPEN; lift the hold first"), "{message}");
    let late = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    assert_eq!(late.rejection_reason, "MARKET_NOT_OPEN");
    assert_eq!(snapshot(&mut client).await.holds, ["HALTED", "DEACTIVATED"]);
    // Cancelling goes on.
    let request = betex_proto::v1::CancelOrderRequest {
        market_id: MARKET.to_owned(),
        order_id: placed.order_id,
        ..Default::default()
    };
    client.cancel_order(request).await.unwrap();
    assert_eq!(status(client.resume_market(lifecycle(MARKET)).await), "SUSPENDED");
    let activated = client.activate_market(because("all clear")).await.unwrap().into_inner();
    assert_eq!(activated.status, "OPEN");
    refused(client.resume_market(lifecycle(MARKET)).await, Code::FailedPrecondition, "HOLD_UNCHANGED");
    assert_eq!(submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await.status, "RESTING");
    let heard = hear_until(stream, always(activated.sequence)).await;
    let statuses: Vec<_> = heard
        .iter()
        .filter_map(|update| match &update.update {
            Some(Update::MarketStatus(status)) => Some([
                status.status.as_str(),
                status.hold_set.as_str(),
                status.hold_lifted.as_str(),
                status.reason.as_str(),
                status.phase.as_str(),
            ]),
            _ => None,
        })
        .collect();
    let expected = [
        ["SUSPENDED", "HALTED", "", "a drone", ""],
        ["SUSPENDED", "DEACTIVATED", "", "", ""],
        ["SUSPENDED", "", "HALTED", "", ""],
        ["OPEN", "", "DEACTIVATED", "all clear", ""],
    ];
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn going_live_is_for_good_and_lapses_what_is_to_lapse() {
    for policy in
        [TransitionPolicy::RespectPersistence, TransitionPolicy::KeepAll, TransitionPolicy::CancelAll]
    {
        let server = Running::start();
        let mut client = server.client().await;
        let request = CreateMarketRequest {
            market_kind: MarketKind::InPlayCapable.into(),
            transition_policy: policy.into(),
            ..market(MARKET, &OUTCOMES)
        };
        open(&mut client, request).await;
        let lapsing = submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
        let persisting = SubmitOrderRequest {
            persistence: Persistence::Persist.into(),
            ..limit("BACK", 2.6, 500, "anna")
        };
        submit(&mut client, persisting).await;
        let stream = subscribe(&mut client, 0, false).await;
        for step in ["PRE_AWAIT_LIVE", "PRE", "PRE_AWAIT_LIVE"] {
            let moved = client.set_market_phase(phase(step)).await.unwrap().into_inner();
            assert_eq!((moved.market_id.as_str(), moved.phase.as_str()), (MARKET, step));
        }
        let live = client.set_market_phase(phase("LIVE")).await.unwrap().into_inner();
        let message =
            refused(client.set_market_phase(phase("PRE")).await, Code::FailedPrecondition, "INVALID_PHASE");
        assert!(message.contains("is LIVE, so it cannot become PRE"), "{message}");
        assert_eq!(snapshot(&mut client).await.phase, "LIVE");
        let left = ladder(&book(&mut client, "Liverpool").await.bids);
        let expected = match policy {
            TransitionPolicy::RespectPersistence => vec![(2.6, 500, 1)],
            TransitionPolicy::KeepAll => vec![(2.5, 1_000, 1), (2.6, 500, 1)],
            TransitionPolicy::CancelAll => vec![],
        };
        assert_eq!(left, expected, "{policy:?}");
        let heard = hear_until(stream, always(live.sequence)).await;
        let phases: Vec<_> = heard
            .iter()
            .filter_map(|update| match &update.update {
                Some(Update::MarketStatus(status)) => Some((status.status.as_str(), status.phase.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(phases, [("", "PRE_AWAIT_LIVE"), ("", "PRE"), ("", "PRE_AWAIT_LIVE"), ("", "LIVE")]);
        let lapsed = heard.iter().any(|update| {
            matches!(&update.update, Some(Update::OrderUpdate(order))
                if (order.order_id, order.status.as_str(), order.reason.as_str()) == (lapsing.order_id, "LAPSED", "LAPSED"))
        });
        assert_eq!(lapsed, policy != TransitionPolicy::KeepAll);
    }
}

#[tokio::test]
async fn outcomes_come_until_a_set_has_traded_and_go_as_non_runners() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let mut stream = subscribe(&mut client, 0, false).await;
    let added = client.add_outcomes(adding(&["Void", "Abandoned"])).await.unwrap().into_inner();
    assert_eq!(added.market_id, MARKET);
    let message =
        refused(client.add_outcomes(adding(&["Draw"])).await, Code::InvalidArgument, "INVALID_OUTCOMES");
    assert!(message.contains("has or had an outcome \"Draw\""), "{message}");
    submit(&mut client, on("Void", limit("BACK", 900.0, 100, "anna"))).await;
    let removed = client.remove_outcome(removing("Void", 250)).await.unwrap().into_inner();
    assert_eq!((removed.outcome_id.as_str(), removed.sequence > added.sequence), ("Void", true));
    client.remove_outcome(removing("Abandoned", 0)).await.unwrap();
    let (mut changes, mut gone) = (Vec::new(), Vec::new());
    while changes.len() < 3 {
        match next(&mut stream).await.unwrap().update {
            Some(Update::OutcomeChange(change)) => {
                changes.push((change.added, change.removed, change.reason))
            }
            Some(Update::OrderUpdate(order)) if order.status == "CANCELLED" => gone.push(order.reason),
            _ => (),
        }
    }
    let factor =
        |outcome: &str, reduction_factor| RemovedOutcome { outcome_id: outcome.to_owned(), reduction_factor };
    assert_eq!(changes[0], (vec!["Void".to_owned(), "Abandoned".to_owned()], None, String::new()));
    assert_eq!(changes[1], (vec![], Some(factor("Void", 250)), "lame".to_owned()));
    assert_eq!(gone, ["OUTCOME_REMOVED"]);
    // It has no orders any more, and gets none.
    let late = submit(&mut client, on("Void", limit("BACK", 900.0, 100, "anna"))).await;
    assert_eq!(late.rejection_reason, "INVALID_OUTCOME");
    assert!(late.message.contains("\"Void\" was removed from market"), "{late:?}");
    let again =
        refused(client.remove_outcome(removing("Void", 0)).await, Code::FailedPrecondition, "NOT_POSSIBLE");
    assert!(again.contains("removed before"), "{again}");
    // The group is what remains: a set of the other three.
    for outcome in ["Draw", "Arsenal"] {
        submit(&mut client, on(outcome, limit("BACK", 4.0, 5_000, "ben"))).await;
    }
    let set = submit(&mut client, limit("BACK", 2.0, 1_000, "anna")).await;
    assert_eq!((set.status.as_str(), set.fills.len()), ("FILLED", 2), "{set:?}");
    let message =
        refused(client.add_outcomes(adding(&["Late"])).await, Code::FailedPrecondition, "NOT_POSSIBLE");
    assert!(message.contains("a complete set of the group has traded"), "{message}");
    let before = snapshot(&mut client).await;
    assert_eq!(before.removed_outcomes, [factor("Void", 250), factor("Abandoned", 0)]);
    assert_eq!(before.books.len(), 5);
    server.stop();
    let server = Running::on(&data, &[]);
    assert_eq!(snapshot(&mut server.client().await).await, before);
}

#[tokio::test]
async fn outcomes_added_at_once_do_not_get_in_each_others_way() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let additions = (0..16).map(|number| {
        let mut client = client.clone();
        async move { client.add_outcomes(adding(&[&format!("late {number}")])).await }
    });
    for added in futures::future::join_all(additions).await {
        added.unwrap();
    }
    assert_eq!(snapshot(&mut client).await.books.len(), 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_those_whose_client_goes_away() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    for round in 0_u64..100 {
        let mut impatient = client.clone();
        let doomed = tokio::spawn(async move {
            let _ = impatient.add_outcomes(adding(&[&format!("doomed {round}")])).await;
        });
        tokio::time::sleep(Duration::from_micros(round * 20)).await;
        doomed.abort();
        client.add_outcomes(adding(&[&format!("kept {round}")])).await.unwrap();
    }
    assert!(snapshot(&mut client).await.books.len() >= 103);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    for name in ["", "live", "POST"] {
        let message =
            refused(client.set_market_phase(phase(name)).await, Code::InvalidArgument, "INVALID_PHASE");
        assert!(message.contains("is not valid; PRE, PRE_AWAIT_LIVE or LIVE"), "{message}");
    }
    // Not an in-play market.
    let message =
        refused(client.set_market_phase(phase("LIVE")).await, Code::FailedPrecondition, "NOT_POSSIBLE");
    assert!(message.contains("PRE_EVENT_ONLY"), "{message}");
    let elsewhere = SetMarketPhaseRequest { market_id: "x".to_owned(), ..phase("LIVE") };
    refused(client.set_market_phase(elsewhere).await, Code::NotFound, "MARKET_NOT_FOUND");
    let long = MarketLifecycleRequest { reason: "r".repeat(257), ..lifecycle(MARKET) };
    refused(client.halt_market(long).await, Code::InvalidArgument, "INVALID_REASON");
    refused(client.halt_market(lifecycle("x")).await, Code::NotFound, "MARKET_NOT_FOUND");
    for (outcomes, words) in [
        (adding(&[]), "0 of them; 1 to 256 are valid"),
        (adding(&["New", ""]), "number 2 of 2 is empty; 1 to 128 bytes"),
        (adding(&["New", "New"]), "\"New\" is there twice"),
    ] {
        let message = refused(client.add_outcomes(outcomes).await, Code::InvalidArgument, "INVALID_OUTCOMES");
        assert!(message.contains(words), "{message}");
    }
    let line = client.add_outcomes(adding(&["Home_0.5"])).await;
    assert_eq!(line.unwrap_err().code(), Code::InvalidArgument);
    let factor = refused(
        client.remove_outcome(removing("Draw", 10_001)).await,
        Code::InvalidArgument,
        "INVALID_REDUCTION_FACTOR",
    );
    assert!(factor.contains("10001 is not valid; 0 to 10000, which is 100 %"), "{factor}");
    refused(client.remove_outcome(removing("Nobody", 0)).await, Code::NotFound, "OUTCOME_NOT_FOUND");
    refused(client.remove_outcome(removing("", 0)).await, Code::InvalidArgument, "INVALID_OUTCOME_ID");
}
