//! More comes than can be done: what goes first, what is refused, and that nothing taken is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use betex::prelude::*;
use parking_lot::Mutex;

use crate::shop::{Latch, MARKET, cancel, config, market, order, placed};

/// Fills the normal lane behind a dispatcher that stands still, until it refuses; how many were taken.
fn fill(engine: &Engine, answers: &Arc<Mutex<Vec<(&'static str, u64)>>>) -> u64 {
    let (mut taken, mut refused) = (0, 0);
    // Refused again and again, so that nothing moves any more: the ring is full, and so is the lane.
    while refused < 20 {
        let answers = Arc::clone(answers);
        match engine.submit_with(order(Side::No, 250, 1, 1), move |response| {
            answers.lock().push(("order", response.sequence));
        }) {
            Ok(()) => (taken, refused) = (taken + 1, 0),
            Err(EngineError::QueueFull { lane: CommandLane::Normal }) => {
                refused += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(other) => panic!("{other}"),
        }
    }
    taken
}

#[test]
fn cancels_and_lifecycle_go_before_the_orders_that_wait_and_a_full_lane_refuses_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { ring_slots: 64, normal_lane: 1_024, priority_lane: 32, ..config() };
    let markets = [market(1), market(2)];
    let engine = EngineBuilder::with_markets(config, markets, directory.path()).unwrap().build().unwrap();
    let resting: Vec<OrderId> =
        (0..30).map(|_| placed(&engine, order(Side::No, 240, 1, 1)).order_id).collect();
    let (latch, answers) = (Arc::new(Latch::default()), Arc::new(Mutex::new(Vec::new())));
    let held = Arc::clone(&latch);
    engine.submit_with(order(Side::No, 250, 1, 1), move |_| held.hold()).unwrap();
    let orders = fill(&engine, &answers);
    let note = |what| {
        let answers = Arc::clone(&answers);
        move |response: &Response<'_>| {
            assert!(response.result.is_ok(), "{response:?}");
            answers.lock().push((what, response.sequence));
        }
    };
    for id in &resting {
        engine.submit_with(cancel(*id), note("cancel")).unwrap();
    }
    let suspend =
        |reason: &str| Command::new(MarketId(2), CommandKind::SuspendMarket { reason: Some(reason.into()) });
    engine.submit_with(suspend("goal"), note("lifecycle")).unwrap();
    let begun = Instant::now();
    let refused = loop {
        match engine.submit(suspend("again")) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EngineError::QueueFull { lane: CommandLane::Priority }), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(5), "a full lane says so, and does not hang");
    latch.release();
    engine.stop();
    let answers = answers.lock();
    let of = |wanted| answers.iter().filter(move |(what, _)| *what == wanted).map(|(_, sequence)| *sequence);
    assert_eq!((of("order").count() as u64, of("cancel").count(), of("lifecycle").count()), (orders, 30, 1));
    let last_urgent = of("cancel").chain(of("lifecycle")).max().unwrap();
    // Before them only what was in the ring already, and the command that the writer held in its hand.
    let before = of("order").filter(|sequence| *sequence < last_urgent).count();
    assert!(before <= 64 + 1, "{before} orders went before");
    let there = engine.read().market(MARKET).unwrap().resting_orders() as u64;
    assert_eq!(there, orders + 1, "what was taken is there, less what was cancelled");
}

#[test]
fn a_flood_from_all_sides_loses_nothing_that_was_taken_and_hangs_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { ring_slots: 64, normal_lane: 64, priority_lane: 64, ..config() };
    let build =
        || EngineBuilder::with_markets(config.clone(), [market(1)], directory.path()).unwrap().build();
    let engine = build().unwrap();
    let (taken, answered, refused) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
    let slowest_cancel = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let count = Arc::clone(&answered);
                    let submitted = engine.submit_with(order(Side::No, 250, 1, 1), move |_| {
                        count.fetch_add(1, Ordering::SeqCst);
                    });
                    match submitted {
                        Ok(()) => taken.fetch_add(1, Ordering::SeqCst),
                        Err(EngineError::QueueFull { .. }) => refused.fetch_add(1, Ordering::SeqCst),
                        Err(other) => panic!("{other}"),
                    };
                }
            });
        }
        let cancelled = (0..200).filter(|n| {
            let begun = Instant::now();
            let gone = engine.call(cancel(OrderId(n + 1))).is_ok_and(|answer| answer.result.is_ok());
            slowest_cancel.fetch_max(u64::try_from(begun.elapsed().as_millis()).unwrap(), Ordering::SeqCst);
            gone
        });
        let cancelled = cancelled.count() as u64;
        // On a busy machine the flood may not have begun yet.
        let patience = Instant::now() + Duration::from_secs(30);
        while refused.load(Ordering::SeqCst) == 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        over.store(true, Ordering::SeqCst);
        taken.fetch_sub(cancelled, Ordering::SeqCst);
        answered.fetch_sub(cancelled, Ordering::SeqCst);
    });
    engine.stop();
    assert!(refused.load(Ordering::SeqCst) > 0, "there was no overload");
    assert!(slowest_cancel.load(Ordering::SeqCst) < 2_000, "{slowest_cancel:?} ms for a cancel");
    let taken = taken.load(Ordering::SeqCst);
    assert_eq!(answered.load(Ordering::SeqCst), taken);
    drop(engine);
    assert_eq!(build().unwrap().read().market(MARKET).unwrap().resting_orders() as u64, taken);
}
