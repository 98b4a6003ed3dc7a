use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use betex::idempotency::{Begun, Bounds, Claim, Freed, Idempotency, IdempotencyError, Joined};
use betex::prelude::*;

use crate::shop::{Latch, MARKET, config, market, open, order};

const BOUNDS: Bounds = Bounds { keys: 3, key_bytes: 8, joined: 2, age: Duration::from_nanos(100) };

fn first<A>(answers: &Idempotency<A>, key: &str, now_ns: u64) -> Claim<A> {
    let Ok(Begun::First(claim)) = answers.begin(key, now_ns) else { panic!("{key} is not new") };
    claim
}

fn joined<A>(answers: &Idempotency<A>, key: &str) -> Joined<A> {
    let Ok(Begun::Joined(joined)) = answers.begin(key, 0) else { panic!("{key} is not under way") };
    joined
}

fn known<A>(answers: &Idempotency<A>, key: &str, now_ns: u64) -> Option<Arc<A>> {
    match answers.begin(key, now_ns) {
        Ok(Begun::Known(answer)) => Some(answer),
        _ => None,
    }
}

#[test]
fn keys_are_bounded_by_length_number_and_age_and_so_are_those_who_wait() {
    let answers = Idempotency::new(BOUNDS);
    for key in ["", "nine byte"] {
        let Err(refused) = answers.begin(key, 0) else { panic!("{key:?} is no key") };
        assert_eq!(refused.to_string(), "idempotency key: valid are 1 to 8 bytes");
    }
    let under_way = [first(&answers, "a", 0), first(&answers, "b", 0), first(&answers, "c", 0)];
    assert!(
        matches!(answers.begin("d", 0), Err(IdempotencyError::Full)),
        "what is under way is not forgotten"
    );
    let (one, two) = (joined(&answers, "a"), joined(&answers, "a"));
    assert!(matches!(answers.begin("a", 0), Err(IdempotencyError::Full)), "two may wait");
    for (answer, claim) in under_way.into_iter().enumerate() {
        claim.answer(answer);
    }
    assert_eq!((one.wait(), two.wait()), (Ok(Arc::new(0)), Ok(Arc::new(0))));
    assert_eq!(known(&answers, "a", 99), Some(Arc::new(0)));
    drop(first(&answers, "d", 99));
    assert_eq!(answers.len(), 2, "the oldest made room, and the new one was not taken");
    assert_eq!(known(&answers, "b", 99), Some(Arc::new(1)));
    drop(first(&answers, "b", 100));
    assert!(answers.is_empty(), "their time is over");
}

#[test]
fn a_claim_that_is_dropped_frees_its_key_and_tells_who_joined() {
    let answers = Idempotency::<()>::new(BOUNDS);
    let claim = first(&answers, "a", 0);
    let (blocking, asynchronous) = (joined(&answers, "a"), joined(&answers, "a"));
    let waits = std::thread::spawn(move || blocking.wait());
    drop(claim);
    assert_eq!(waits.join().unwrap(), Err(Freed));
    let mut told = asynchronous.into_future();
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(told.as_mut().poll(&mut context), Poll::Ready(Err(Freed)));
    drop(first(&answers, "a", 0));
    let again = [first(&answers, "a", 0), first(&answers, "b", 0)];
    let (_one, _two) = (joined(&answers, "a"), joined(&answers, "b"));
    drop(again);
    assert!(answers.is_empty());
}

#[test]
fn many_submits_of_one_key_are_one_order() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    let answers = Idempotency::new(Bounds::default());
    let submit = |key: &str| {
        answers.call(&engine, key, 0, order(Side::No, 250, 1, 1), |response| response.sequence).unwrap()
    };
    for round in 0..20 {
        let key = format!("key {round}");
        let sequences: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| *submit(&key))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(sequences.iter().all(|sequence| *sequence == *submit(&key)), "{sequences:?}");
    }
    assert_eq!(engine.read().market(MARKET).unwrap().resting_orders(), 20);
}

#[test]
fn what_was_not_taken_frees_the_key_and_a_client_that_hangs_up_takes_nothing_back() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { normal_lane: 1, ring_slots: 64, ..config() };
    let engine = EngineBuilder::with_markets(config, [market(1)], directory.path()).unwrap().build().unwrap();
    let (latch, held) = (Arc::new(Latch::default()), AtomicU64::new(0));
    let holding = Arc::clone(&latch);
    engine.submit_with(order(Side::No, 250, 1, 1), move |_| holding.hold()).unwrap();
    let answers = Idempotency::new(Bounds::default());
    let mut context = Context::from_waker(Waker::noop());
    let ask = |key: String| {
        let (answers, engine) = (&answers, &engine);
        async move { answers.request(engine, &key, 0, order(Side::No, 250, 1, 1), |_| ()).await }
    };
    // Every future is dropped after its first poll, with its command on the way - until there is no room.
    let mut refused = 0;
    while refused < 20 {
        let asked = Box::pin(ask(format!("key {}", held.load(Ordering::SeqCst))));
        match { asked }.as_mut().poll(&mut context) {
            Poll::Pending => {
                held.fetch_add(1, Ordering::SeqCst);
                refused = 0;
            }
            Poll::Ready(Err(IdempotencyError::Engine(EngineError::QueueFull { .. }))) => refused += 1,
            Poll::Ready(other) => panic!("{other:?}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let held = held.load(Ordering::SeqCst);
    assert!(held > 0);
    assert_eq!(answers.len() as u64, held, "the key that was refused is free");
    latch.release();
    // The read state shows an order before its answer is there, so asking again may join it. A key that was freed
    // would place its order a second time.
    for key in 0..=held {
        answers.call(&engine, &format!("key {key}"), 0, order(Side::No, 250, 1, 1), |_| ()).unwrap();
    }
    engine.stop();
    assert_eq!(engine.read().market(MARKET).unwrap().resting_orders() as u64, held + 2);
}
