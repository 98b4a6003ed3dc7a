//! A disk that is full, and the last segment too: every call is answered.

use std::sync::atomic::Ordering;
use std::time::Duration;

use betex::prelude::*;

use crate::faults::{Faults, engine_on};
use crate::shop::{MARKET, cancel, market, open, order, placed};

fn named(pennies: i64, id: &str) -> Command {
    let CommandKind::SubmitOrder(new) = order(Side::No, 250, pennies, 1).kind else { unreachable!() };
    let client_order_id = Some(ClientOrderId::new(id).unwrap());
    Command::new(MARKET, CommandKind::SubmitOrder(NewOrder { client_order_id, ..new }))
}

#[test]
fn with_the_last_segment_full_cancels_are_refused_and_what_is_known_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let engine = engine_on(directory.path(), &faults);
    let first = placed(&engine, named(100, "first"));
    let mut resting: Vec<OrderId> =
        (0..6_000).map(|_| placed(&engine, order(Side::No, 250, 1, 1)).order_id).collect();
    faults.full.store(true, Ordering::SeqCst);
    // The segment that lay ready is taken into use, and the next one finds no room.
    let refused = loop {
        match engine.call(order(Side::No, 250, 1, 1)) {
            Ok(answer) => resting.extend(answer.result.ok().map(|receipt| match receipt {
                Receipt::Order { report, .. } => report.order_id,
                other => panic!("{other:?}"),
            })),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EngineError::JournalFull), "{refused}");
    // Cancels use up what is left, and the first that finds none is refused. None is waited for.
    let mut cancelled = 0;
    let refused = loop {
        match engine.call(cancel(resting[cancelled])) {
            Ok(answer) => assert!(answer.result.is_ok(), "{answer:?}"),
            Err(error) => break error,
        }
        cancelled += 1;
    };
    assert!(matches!(refused, EngineError::JournalFull), "{refused}");
    assert!(cancelled > 100, "only {cancelled} cancels had room");
    for kind in [CommandKind::SuspendMarket { reason: None }, CommandKind::CloseMarket { reason: None }] {
        let answer = engine.call(Command::new(MARKET, kind));
        assert!(matches!(answer, Err(EngineError::JournalFull)), "{answer:?}");
    }
    // What would add nothing is answered as ever: a retry, a mistake, a name that is taken.
    let retry = engine.call(named(100, "first")).unwrap().result.unwrap_err();
    assert!(
        matches!(&retry, Rejection::DuplicateClientId(report) if report.order_id == first.order_id),
        "{retry}"
    );
    let mistake = engine.call(cancel(OrderId(1 << 40))).unwrap().result.unwrap_err();
    assert!(matches!(mistake, Rejection::OrderNotFound(_)), "{mistake}");
    let taken = engine.call(market(1).into_command());
    assert!(!matches!(&taken, Ok(answer) if answer.result.is_ok()), "{taken:?}");
    assert!(engine.read().market(MARKET).is_some());
    let left = engine.read().market(MARKET).unwrap().resting_orders() as usize;
    assert_eq!(left, resting.len() + 1 - cancelled);
    // It recovers by itself.
    faults.full.store(false, Ordering::SeqCst);
    while engine.health() != Health::Serving {
        std::thread::sleep(Duration::from_millis(10));
    }
    placed(&engine, named(1, "second"));
    assert!(engine.call(cancel(resting[cancelled])).unwrap().result.is_ok());
    engine.stop();
    drop(engine);
    assert_eq!(open(&directory).read().market(MARKET).unwrap().resting_orders() as usize, left);
}

/// The same while it stops: what was taken is answered, and nothing hangs.
#[test]
fn an_exchange_without_room_stops_at_once_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let engine = engine_on(directory.path(), &faults);
    faults.full.store(true, Ordering::SeqCst);
    let mut ids = Vec::new();
    while let Ok(answer) = engine.call(order(Side::No, 250, 1, 1)) {
        let Ok(Receipt::Order { report, .. }) = answer.result else { panic!("{answer:?}") };
        ids.push(report.order_id);
    }
    let cancelled = ids.iter().take_while(|id| engine.call(cancel(**id)).is_ok()).count();
    engine.stop();
    drop(engine);
    assert_eq!(
        open(&directory).read().market(MARKET).unwrap().resting_orders() as usize,
        ids.len() - cancelled
    );
}
