//! Flows that never got anywhere would prove nothing: together, some of them meet every answer and every event
//! that there is.

use std::collections::BTreeMap;

use betex_core::decide::Receipt;
use betex_core::event::{Event, Half};
use betex_core::reject::Rejection;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::flow::flow;
use crate::invariants::{advance, check_events};

#[test]
fn flows_get_everywhere() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeMap::new();
    let mut count = |name: String, times: u64| *met.entry(name).or_insert(0) += times;
    for _ in 0..160 {
        let flow = flow(240).new_tree(&mut runner).expect("a flow").current();
        let mut exchange = flow.exchange();
        let mut taken = Vec::new();
        for step in &flow.steps {
            for answer in advance(&mut exchange, &flow, step, &mut taken) {
                count(named(answer), 1);
            }
        }
        exchange.work_off();
        let ledger = check_events(&exchange);
        count("sets".to_owned(), ledger.sets);
        count("sets-after-passing-over".to_owned(), ledger.sets_after_passing_over);
        count("legs-that-leave-a-fraction".to_owned(), ledger.fractions);
        count("legs-that-leave-dust".to_owned(), ledger.dust);
        for event in exchange.log.iter().flat_map(|(_, events)| events) {
            count(event_named(event), 1);
        }
    }
    let missing: Vec<_> = EVERYWHERE.iter().filter(|name| !met.contains_key(**name)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}; met: {met:#?}");
    for (name, least) in [
        ("event-trade", 2_000),
        ("sets", 1_000),
        ("sets-after-passing-over", 10),
        ("legs-that-leave-a-fraction", 300),
        ("legs-that-leave-dust", 100),
    ] {
        assert!(met[name] > least, "{name}: {met:#?}");
    }
}

fn named(answer: Result<Receipt, Rejection>) -> String {
    match answer {
        Ok(Receipt::Order { report, reason }) => format!("{:?}-{reason:?}", report.status),
        Ok(Receipt::Cancelled { report, .. }) => format!("Cancel-{:?}", report.status),
        Ok(Receipt::OrdersCancelled { done, .. }) => format!("OrdersCancelled-{done}"),
        Ok(receipt) => format!("{receipt:?}"),
        Err(Rejection::InvalidField { field, .. }) => format!("InvalidField-{field}"),
        Err(Rejection::NotPossible(why)) => {
            format!("NotPossible-{}", why.split([',', ';']).next().unwrap_or_default())
        }
        Err(rejection @ Rejection::MarketNotOpen(_)) => format!("{rejection:?}"),
        Err(rejection) => {
            format!("{rejection:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned()
        }
    }
}

fn event_named(event: &Event) -> String {
    match event {
        Event::OrderCancelled(order) => format!("event-{:?}", order.reason),
        Event::TradeMatched(trade) if trade.is_synthetic() => "event-leg".to_owned(),
        Event::TradeMatched(_) => "event-trade".to_owned(),
        Event::SetMatched(set) => format!("event-set-of-{}", set.makers),
        Event::OrderAccepted(order) if order.half != Half::Whole => format!("event-{:?}", order.half),
        Event::HoldChanged { hold, on, .. } => format!("event-{hold:?}-{on}"),
        Event::JobAdvanced { next, .. } => format!("event-JobAdvanced-{}", next.is_some()),
        other => format!("event-{}", format!("{other:?}").split([' ', '(', '{']).next().unwrap_or_default()),
    }
}

const EVERYWHERE: &[&str] = &[
    "Cancel-Cancelled",
    "Cancel-PartiallyFilled",
    "Cancel-Resting",
    "Cancelled-Some(SelfTrade)",
    "Cancelled-Some(Unfilled)",
    "ClientIdNotFound",
    "DuplicateClientId",
    "Filled-None",
    "HalfOfOrder",
    "Held",
    "HoldUnchanged",
    "InvalidExpiry",
    "InvalidField-far_runner_id",
    "InvalidField-hold",
    "InvalidField-min_fill",
    "InvalidField-post_only",
    "InvalidField-reduction",
    "InvalidField-trade_id",
    "InvalidField-until_ns",
    "InvalidOutcome",
    "InvalidPhase",
    "InvalidPrice",
    "InvalidQuantity",
    "InvalidTransition",
    "MarketClosed",
    "MarketNotOpen(Closed)",
    "MarketNotOpen(Suspended)",
    "MarketPhase(Live)",
    "MarketPhase(Pre)",
    "MarketPhase(PreAwaitLive)",
    "MarketStatus(Closed)",
    "MarketStatus(Open)",
    "MarketStatus(Suspended)",
    "NotPossible-outcome_id: a YES/NO market is complete",
    "NotPossible-outcomes: a YES/NO market is complete",
    "NotPossible-outcomes: a complete set of the group has traded",
    "NotPossible-phase: the market is PRE_EVENT_ONLY",
    "NotPossible-the market is CLOSED",
    "NotTheOwner",
    "OrderNotFound",
    "OrdersCancelled-false",
    "OrdersCancelled-true",
    "PartiallyFilled-None",
    "Resting-None",
    "RunnerRemoved",
    "RunnersAdded",
    "SelfTrade",
    "TradesVoided",
    "WouldMatch",
    "WouldNotFill",
    "event-Deactivated-false",
    "event-Deactivated-true",
    "event-Expired",
    "event-Far",
    "event-Halted-false",
    "event-Halted-true",
    "event-JobAdvanced-false",
    "event-JobStarted",
    "event-Lapsed",
    "event-MarketClosed",
    "event-MarketStatusChanged",
    "event-MassCancelled",
    "event-Near",
    "event-OrderSplit",
    "event-OrdersCancelled",
    "event-OwnOrder",
    "event-PhaseChanged",
    "event-Requested",
    "event-RunnerRemoved",
    "event-RunnersAdded",
    "event-SelfTrade",
    "event-TradesVoided",
    "event-TurningInPlay-false",
    "event-TurningInPlay-true",
    "event-Unfilled",
    "event-leg",
    "event-set-of-1",
    "event-set-of-11",
    "event-set-of-2",
    "event-set-of-4",
];
