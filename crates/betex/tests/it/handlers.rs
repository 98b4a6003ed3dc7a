use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use betex::engine::Response;
use betex::prelude::*;
use std::sync::Mutex;

use crate::shop::{builder, open, order, placed};

/// Notes the number of every event, slowly if asked to.
#[derive(Clone, Default)]
struct Notes {
    seen: Arc<Mutex<Vec<(u64, bool)>>>,
    slow: Arc<AtomicBool>,
    panics_at: u64,
}

impl EventHandler for Notes {
    fn on_event(&mut self, event: &EngineEvent) {
        assert!(event.record.sequence != self.panics_at, "as the test wants it");
        while self.slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.seen.lock().unwrap().push((event.record.sequence, event.caught_up));
    }
}

impl Notes {
    fn sequences(&self) -> Vec<u64> {
        self.seen.lock().unwrap().iter().map(|(sequence, _)| *sequence).collect()
    }
}

#[test]
fn a_handler_recovers_from_where_it_was_and_goes_live_without_gap_or_repeat() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(&directory);
    for _ in 0..100 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    drop(engine);
    let (all, some, live) = (Notes::default(), Notes::default(), Notes::default());
    let engine = builder(directory.path())
        .register_handler(all.clone(), HandlerRecovery::AfterSeq(0), None)
        .register_handler(some.clone(), HandlerRecovery::AfterSeq(57), None)
        .register_handler(live.clone(), HandlerRecovery::LiveOnly, None)
        .build()
        .unwrap();
    for _ in 0..100 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    engine.stop();
    assert_eq!(all.sequences(), (1..=202).collect::<Vec<_>>());
    assert_eq!(some.sequences(), (58..=202).collect::<Vec<_>>());
    assert_eq!(live.sequences(), (103..=202).collect::<Vec<_>>());
}

#[test]
fn a_slow_handler_delays_nobody_and_is_fed_from_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let notes = Notes::default();
    notes.slow.store(true, Ordering::SeqCst);
    let options = HandlerOptions { name: "slow".to_owned(), queue_events: 16 };
    let engine = builder(directory.path())
        .register_handler(notes.clone(), HandlerRecovery::LiveOnly, Some(options))
        .build()
        .unwrap();
    for _ in 0..500 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    assert!(notes.sequences().is_empty(), "it stands still, and 500 orders were answered");
    notes.slow.store(false, Ordering::SeqCst);
    engine.stop();
    assert_eq!(notes.sequences(), (1..=502).collect::<Vec<_>>());
    let caught_up = notes.seen.lock().unwrap().iter().filter(|(_, caught_up)| *caught_up).count();
    assert!(caught_up > 400, "{caught_up} events came from the journal past a queue of 16");
}

#[test]
fn a_handler_that_panics_is_stopped_and_the_exchange_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (broken, sound) = (Notes { panics_at: 5, ..Notes::default() }, Notes::default());
    let engine = builder(directory.path())
        .register_handler(broken.clone(), HandlerRecovery::LiveOnly, None)
        .register_handler(sound.clone(), HandlerRecovery::LiveOnly, None)
        .build()
        .unwrap();
    for _ in 0..10 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    engine.stop();
    assert_eq!(broken.sequences(), [1, 2, 3, 4]);
    assert_eq!(sound.sequences(), (1..=12).collect::<Vec<_>>());
}

/// Somebody else's stop waits for the thread that calls, and holds what a stop needs.
#[test]
fn a_stop_in_an_answer_does_not_wait_for_the_stop_that_waits_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Arc::new(open(&directory));
    let ((entered, is_in), (go, gone)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let same = Arc::clone(&engine);
    let answer = move |_: &Response<'_>| {
        entered.send(()).unwrap();
        gone.recv().unwrap();
        same.stop();
    };
    engine.submit_with(order(Side::No, 250, 1, 1), answer).unwrap();
    is_in.recv().unwrap();
    let other = Arc::clone(&engine);
    let stopping = std::thread::spawn(move || other.stop());
    while engine.health() != Health::Stopping {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Long enough for it to have what it needs; if not, there is nothing to see, and nothing fails.
    std::thread::sleep(Duration::from_millis(100));
    go.send(()).unwrap();
    let asked = std::time::Instant::now();
    while !stopping.is_finished() {
        assert!(asked.elapsed() < Duration::from_secs(60), "they wait for each other");
        std::thread::sleep(Duration::from_millis(1));
    }
}
