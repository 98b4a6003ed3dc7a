//! Handlers that hang: the journal waits for them as long as a claim lasts, and not for ever.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use betex::error::PositionProblem;
use betex::prelude::*;
use parking_lot::Mutex;

use crate::ear::{counted, listen, said};
use crate::shop::{Latch, market, order, placed};
use crate::snapshots::{eager, files, trade, wait_until};

const CLAIM: Duration = Duration::from_secs(1);
/// The event that handlers hang in.
const HANGS_IN: u64 = 20;

/// Notes every event, and hangs in one of them until it is let go on.
#[derive(Clone, Default)]
struct Hanging {
    seen: Arc<Mutex<Vec<u64>>>,
    latch: Arc<Latch>,
}

impl EventHandler for Hanging {
    fn on_event(&mut self, event: &EngineEvent) {
        if event.record.sequence == HANGS_IN {
            self.latch.hold();
        }
        self.seen.lock().push(event.record.sequence);
    }
}

impl Hanging {
    /// The last event that it has seen, after all those before.
    fn has_seen_all_to(&self) -> u64 {
        let seen = self.seen.lock();
        assert!(seen.iter().copied().eq(1..=seen.len() as u64), "it has seen a gap");
        seen.len() as u64
    }

    /// Its queue is short, so that it reads what it missed from the journal.
    fn start(&self, config: Config, path: &Path, name: &str, recovery: HandlerRecovery) -> Engine {
        listen();
        let options = HandlerOptions { name: name.into(), queue_events: 16 };
        EngineBuilder::with_markets(Config { handler_claim: CLAIM, ..config }, [market(1)], path)
            .unwrap()
            .register_handler(self.clone(), recovery, Some(options))
            .build()
            .unwrap()
    }
}

const KEPT: HandlerRecovery = HandlerRecovery::Kept { new_after: 0 };

fn state(engine: &Engine) -> HandlerState {
    engine.handlers().remove(0).state
}

/// Trades until the first segment has gone, which it may not before the handler has lost its claim.
fn trade_until_the_first_segment_goes(engine: &Engine, path: &Path) {
    let begun = Instant::now();
    loop {
        trade(engine, 1_000);
        // Looked at in this order: first it loses its claim, then the segment goes.
        let is_there = files(path, ".segment")[0].ends_with("00000001.segment");
        let is_stuck = state(engine) == HandlerState::Stuck;
        assert!(is_there || is_stuck, "removed while the handler held it");
        if !is_there {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the first segment stays");
    }
}

#[test]
fn one_that_hangs_too_long_loses_its_claim_with_an_alarm_and_ends_in_words_if_it_comes_too_late() {
    let directory = tempfile::tempdir().unwrap();
    let (path, hanging, begun) = (directory.path(), Hanging::default(), Instant::now());
    let lost = counted(betex::metrics::HANDLER_CLAIMS_LOST);
    let engine = hanging.start(eager(), path, "poisoned", KEPT);
    // One by one, so that it hangs in what came to it live, and opens the journal too late.
    while engine.durable_sequence() < HANGS_IN {
        placed(&engine, order(Side::No, 250, 1, 9));
        wait_until("it sees that", || {
            hanging.has_seen_all_to() + 1 >= engine.durable_sequence().min(HANGS_IN)
        });
    }
    trade_until_the_first_segment_goes(&engine, path);
    assert!(begun.elapsed() > CLAIM, "it was not waited for");

    let status = engine.handlers().remove(0);
    assert!(status.next_sequence <= HANGS_IN && status.behind > 1_000, "{status:?}");
    let Health::Degraded(words) = engine.health() else { panic!("nobody says so") };
    let expected = format!("handler \"poisoned\" hangs before event {}", status.next_sequence);
    assert!(words.contains(&expected), "{words}");
    let position = format!("next={HANGS_IN} ");
    assert_eq!(said(&["ERROR", "handler=\"poisoned\"", &position, "a handler hangs"]), 1);
    assert_eq!(said(&["handler=\"poisoned\"", "has not come back"]), 0, "one alarm is enough");
    assert!(counted(betex::metrics::HANDLER_CLAIMS_LOST) > lost);
    assert_eq!(engine.handlers_floor(), None);
    placed(&engine, order(Side::No, 250, 1, 9));

    hanging.latch.release();
    wait_until("it ends", || matches!(state(&engine), HandlerState::Stopped(_)));
    let HandlerState::Stopped(why) = state(&engine) else { unreachable!() };
    assert!(why.contains("what was before has been removed"), "{why}");
    let last = hanging.has_seen_all_to();
    assert!(last >= HANGS_IN);
    // It ends in the middle of a batch, which it has not confirmed.
    let confirmed = engine.handlers()[0].next_sequence - 1;
    assert!(confirmed <= last);
    placed(&engine, order(Side::No, 250, 1, 9));
    engine.stop();
    drop(engine);

    let again = EngineBuilder::new(eager(), path).unwrap();
    let options = HandlerOptions { name: "poisoned".into(), queue_events: 16 };
    let refused = again.register_handler(Hanging::default(), KEPT, Some(options)).build().err().unwrap();
    let EngineError::Handler { after, problem: PositionProblem::Pruned { .. }, .. } = refused else {
        panic!("{refused}")
    };
    assert_eq!(after, confirmed);
}

#[test]
fn one_that_goes_on_while_everything_is_there_misses_nothing_and_has_its_claim_again() {
    let directory = tempfile::tempdir().unwrap();
    let (path, hanging) = (directory.path(), Hanging::default());
    // All that is written stays, so that it is not too late.
    let config = Config { retention_bytes: 1 << 30, ..eager() };
    let engine = hanging.start(config, path, "patient", KEPT);
    trade(&engine, 1_000);
    wait_until("it loses its claim", || state(&engine) == HandlerState::Stuck);
    assert_eq!(engine.handlers_floor(), None);
    trade(&engine, 1_000);
    hanging.latch.release();
    wait_until("it has caught up", || hanging.has_seen_all_to() == engine.durable_sequence());
    wait_until("it has its claim again", || engine.handlers_floor().is_some());
    wait_until("all is well", || engine.health() == Health::Serving);
    assert!(said(&["handler=\"patient\"", "goes on"]) >= 1);
    engine.stop();
    assert_eq!(hanging.has_seen_all_to(), engine.durable_sequence());
    assert_eq!(state(&engine), HandlerState::Finished);
}

#[test]
fn one_that_does_not_recover_does_not_hold_the_journal_for_ever_either_and_a_stop_leaves_it_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (path, hanging) = (directory.path(), Hanging::default());
    let config = Config { handler_patience: Duration::from_millis(50), ..eager() };
    let engine = hanging.start(config, path, "live", HandlerRecovery::LiveOnly);
    trade_until_the_first_segment_goes(&engine, path);
    assert_eq!(said(&["ERROR", "handler=\"live\"", "a handler hangs: "]), 1);
    let asked = Instant::now();
    engine.stop();
    assert!(asked.elapsed() < Duration::from_secs(20));
    assert_eq!(said(&["handler=\"live\"", "is left behind"]), 1);
    hanging.latch.release();
    wait_until("it ends", || Arc::strong_count(&hanging.seen) == 1);
    assert!(hanging.has_seen_all_to() >= HANGS_IN);
}
