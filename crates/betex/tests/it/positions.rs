//! Handlers that come back: from their own position, or from the one that the engine keeps.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use betex::engine::journal::JournalReader;
use betex::error::PositionProblem;
use betex::prelude::*;
use parking_lot::Mutex;

use crate::shop::{builder, config, copy, market, open, order, placed};

/// Dice of its own, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Notes every event, now and then slowly, and panics where the test wants it.
struct Diary {
    seen: Arc<Mutex<Vec<EngineEvent>>>,
    held: Arc<AtomicBool>,
    dice: Dice,
    /// One event in so many takes up to 2 ms; 0: none.
    slow_one_in: u64,
    panics_at: u64,
}

impl Diary {
    fn new() -> Self {
        Self { seen: Arc::default(), held: Arc::default(), dice: Dice(1), slow_one_in: 0, panics_at: 0 }
    }

    fn seen(&self) -> Arc<Mutex<Vec<EngineEvent>>> {
        Arc::clone(&self.seen)
    }
}

impl EventHandler for Diary {
    fn on_event(&mut self, event: &EngineEvent) {
        assert!(event.record.sequence != self.panics_at, "as the test wants it");
        while self.held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.slow_one_in > 0 && self.dice.below(self.slow_one_in) == 0 {
            std::thread::sleep(Duration::from_micros(self.dice.below(2_000)));
        }
        self.seen.lock().push(event.clone());
    }
}

fn numbers(seen: &Mutex<Vec<EngineEvent>>) -> Vec<u64> {
    seen.lock().iter().map(|event| event.record.sequence).collect()
}

fn named(name: &str) -> Option<HandlerOptions> {
    Some(HandlerOptions { name: name.to_owned(), queue_events: 1_024 })
}

const KEPT: HandlerRecovery = HandlerRecovery::Kept { new_after: 0 };

fn with_diary(path: &Path, diary: Diary, recovery: HandlerRecovery) -> Result<Engine, EngineError> {
    builder(path).register_handler(diary, recovery, named("diary")).build()
}

#[test]
fn from_the_journal_to_live_under_load_without_gap_or_repeat() {
    const RUNS: u64 = 40;
    let (mut events, mut caught_up, mut switches) = (0, 0, 0);
    for run in 1..=RUNS {
        let mut dice = Dice(run.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let directory = tempfile::tempdir().unwrap();
        let engine = open(&directory);
        for _ in 0..dice.below(300) {
            engine.submit(order(Side::No, 250, 1, 1)).unwrap();
        }
        drop(engine);
        let before = open(&directory).durable_sequence();
        let after = dice.below(before + 1);
        let mut diary = Diary::new();
        diary.slow_one_in = 20 + dice.below(200);
        diary.dice = Dice(run);
        let seen = diary.seen();
        let queue_events = usize::try_from(1 + dice.below(200)).unwrap();
        let options = Some(HandlerOptions { name: "diary".to_owned(), queue_events });
        let engine = builder(directory.path())
            .register_handler(diary, HandlerRecovery::AfterSeq(after), options)
            .build()
            .unwrap();
        for _ in 0..200 + dice.below(800) {
            // Back and lay at one price: transactions of one, two and three events.
            let side = if dice.below(2) == 0 { Side::Yes } else { Side::No };
            let pennies = 1 + i64::try_from(dice.below(3)).unwrap();
            while engine.submit(order(side, 250, pennies, dice.below(50))).is_err() {
                std::thread::yield_now();
            }
            if dice.below(30) == 0 {
                std::thread::sleep(Duration::from_micros(dice.below(1_000)));
            }
        }
        engine.stop();
        let seen = seen.lock();
        let mut reader = JournalReader::open_dir(directory.path()).unwrap();
        reader.seek(after + 1).unwrap();
        let written: Vec<JournalEvent> = reader.events().collect::<Result<_, _>>().unwrap();
        assert_eq!(seen.len(), written.len(), "run {run}");
        assert!(seen.iter().map(|event| &event.record).eq(&written), "run {run}");
        assert_eq!(written.last().unwrap().sequence, engine.durable_sequence());
        events += seen.len();
        caught_up += seen.iter().filter(|event| event.caught_up).count();
        switches += seen.windows(2).filter(|pair| pair[0].caught_up != pair[1].caught_up).count();
    }
    println!("proof: {RUNS} runs, {events} events, {caught_up} from the journal, {switches} switches");
    assert!(
        switches > 40 && caught_up > 1_000 && events - caught_up > 1_000,
        "{switches} {caught_up} {events}"
    );
}

#[test]
fn a_kept_position_is_gone_on_from_exactly_after_a_clean_stop() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for _ in 0..4 {
        let (diary, last) = (Diary::new(), expected.last().copied().unwrap_or(0));
        let seen = diary.seen();
        let engine = with_diary(directory.path(), diary, KEPT).unwrap();
        for _ in 0..50 {
            placed(&engine, order(Side::No, 250, 1, 1));
        }
        engine.stop();
        let status = &engine.handlers()[0];
        assert_eq!(
            (status.name.as_str(), status.behind, &status.state),
            ("diary", 0, &HandlerState::Finished)
        );
        assert_eq!(status.next_sequence, engine.durable_sequence() + 1);
        assert_eq!(engine.handlers_floor(), Some(status.next_sequence));
        let seen = numbers(&seen);
        assert_eq!(seen, (last + 1..=engine.durable_sequence()).collect::<Vec<_>>());
        expected = seen;
        drop(engine);
    }
}

#[test]
fn what_happened_while_a_kept_handler_was_away_is_caught_up() {
    let directory = tempfile::tempdir().unwrap();
    drop(with_diary(directory.path(), Diary::new(), KEPT).unwrap());
    let away = open(&directory);
    placed(&away, order(Side::No, 250, 1, 1));
    assert_eq!(away.handlers_floor(), Some(3), "the journal waits for who is away");
    drop(away);
    let diary = Diary::new();
    let seen = diary.seen();
    with_diary(directory.path(), diary, KEPT).unwrap().stop();
    assert_eq!(numbers(&seen), [3]);
}

#[test]
fn who_panics_in_the_middle_goes_on_from_what_was_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let mut diary = Diary::new();
    diary.panics_at = 57;
    let first = diary.seen();
    let engine = with_diary(directory.path(), diary, KEPT).unwrap();
    assert_eq!(engine.health(), Health::Serving);
    for _ in 0..100 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    let stopped = loop {
        let status = engine.handlers().remove(0);
        if let HandlerState::Stopped(why) = &status.state {
            assert!(why.contains("as the test wants it"), "{why}");
            break status;
        }
        std::thread::yield_now();
    };
    assert!(stopped.next_sequence <= 57);
    let Health::Degraded(words) = engine.health() else { panic!("a handler is stopped, and nobody says so") };
    let expected =
        format!("handler \"diary\" is stopped before event {}: it panicked", stopped.next_sequence);
    assert!(words.contains(&expected), "{words}");
    assert!(engine.call(order(Side::No, 250, 1, 1)).unwrap().result.is_ok(), "the exchange goes on");
    engine.stop();
    assert_eq!(numbers(&first), (1..57).collect::<Vec<_>>());
    assert_eq!(engine.handlers()[0].behind, engine.durable_sequence() + 1 - stopped.next_sequence);
    drop(engine);

    let diary = Diary::new();
    let second = diary.seen();
    let engine = with_diary(directory.path(), diary, KEPT).unwrap();
    engine.stop();
    assert_eq!(numbers(&second), (stopped.next_sequence..=engine.durable_sequence()).collect::<Vec<_>>());
}

#[test]
fn after_a_crash_a_kept_handler_sees_the_last_events_again_and_misses_none() {
    let directory = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let diary = Diary::new();
    let before = diary.seen();
    let engine = with_diary(directory.path(), diary, KEPT).unwrap();
    let begun = Instant::now();
    // For long enough that the position was written while it ran.
    while begun.elapsed() < Duration::from_millis(1_500) {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    // The positions first: those of a crash are never ahead of the journal.
    let kept = engine.handlers_floor().unwrap();
    copy(directory.path(), crashed.path());
    let seen_before = numbers(&before).len() as u64;
    drop(engine);
    let diary = Diary::new();
    let after = diary.seen();
    let engine = with_diary(crashed.path(), diary, KEPT).unwrap();
    engine.stop();
    let after = numbers(&after);
    assert!(kept > 2, "its position was written while it ran");
    assert!(kept - 1 <= seen_before && after[0] >= kept && after[0] <= seen_before + 1);
    assert_eq!(after, (after[0]..=engine.durable_sequence()).collect::<Vec<_>>());
}

#[test]
fn a_position_beyond_the_end_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    for recovery in [HandlerRecovery::AfterSeq(3), HandlerRecovery::Kept { new_after: 3 }] {
        let Err(refused) = with_diary(directory.path(), Diary::new(), recovery) else {
            panic!("{recovery:?}")
        };
        let EngineError::Handler { after: 3, problem: PositionProblem::Beyond { last: 2 }, .. } = refused
        else {
            panic!("{refused}")
        };
        let words = refused.to_string();
        assert!(words.contains("\"diary\"") && words.contains("ends with event 2"), "{words}");
    }
    with_diary(directory.path(), Diary::new(), HandlerRecovery::AfterSeq(2)).unwrap().stop();
}

#[test]
fn a_garbled_file_of_positions_is_refused_by_name_and_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let engine = with_diary(directory.path(), Diary::new(), KEPT).unwrap();
    let file = engine.recovery().folder.join("handlers.positions");
    drop(engine);
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.contains(" diary\n"), "{whole}");
    std::fs::write(&file, whole.replace(" diary", " dairy")).unwrap();
    let Err(refused) = with_diary(directory.path(), Diary::new(), KEPT) else { panic!("a changed file") };
    let words = refused.to_string();
    assert!(words.contains(&file.display().to_string()) && words.contains("checksum"), "{words}");
    std::fs::remove_file(&file).unwrap();
    let diary = Diary::new();
    let seen = diary.seen();
    with_diary(directory.path(), diary, KEPT).unwrap().stop();
    assert_eq!(numbers(&seen), [1, 2]);
}

#[test]
fn a_handler_whose_events_have_been_removed_is_stopped_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let diary = Diary::new();
    let held = Arc::clone(&diary.held);
    held.store(true, Ordering::SeqCst);
    let options = Some(HandlerOptions { name: "late".to_owned(), queue_events: 16 });
    let engine = EngineBuilder::with_markets(config(), [market(1)], directory.path())
        .unwrap()
        .register_handler(diary, HandlerRecovery::LiveOnly, options)
        .build()
        .unwrap();
    let folder = engine.recovery().folder.clone();
    while !folder.join("00000004.segment").exists() {
        let _ = engine.submit(order(Side::No, 250, 1, 1));
    }
    while engine.call(order(Side::No, 250, 1, 1)).is_err() {
        std::thread::yield_now();
    }
    std::fs::remove_file(folder.join("00000001.segment")).unwrap();
    held.store(false, Ordering::SeqCst);
    while engine.health() == Health::Serving {
        std::thread::sleep(Duration::from_millis(1));
    }
    let HandlerState::Stopped(why) = &engine.handlers()[0].state else { panic!("{:?}", engine.handlers()) };
    assert!(why.contains("what was before has been removed"), "{why}");
    placed(&engine, order(Side::No, 250, 1, 1));
}

#[test]
fn names_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let build = |names: &[Option<&str>], recovery| {
        let handlers = names.iter().fold(builder(directory.path()), |builder, name| {
            builder.register_handler(Diary::new(), recovery, name.and_then(named))
        });
        handlers.build().map(drop).map_err(|error| error.to_string())
    };
    let refused = |names: &[Option<&str>], words: &str| {
        let error = build(names, KEPT).unwrap_err();
        assert!(error.contains("HandlerOptions::name") && error.contains(words), "{error}");
    };
    refused(&[None], "a name of its own");
    refused(&[Some("a"), Some("a")], "no other handler has");
    refused(&[Some("")], "1 to 64 bytes");
    refused(&[Some("a\nb")], "in one line");
    refused(&[Some(" a")], "without spaces around it");
    refused(&[Some(&"x".repeat(65))], "1 to 64 bytes");
    build(&[Some("a"), Some("b")], KEPT).unwrap();
    build(&[None, None], HandlerRecovery::AfterSeq(0)).unwrap();
}

#[test]
fn a_stop_does_not_wait_for_ever_for_a_handler_that_hangs_and_none_of_its_events_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let diary = Diary::new();
    let (held, hung) = (Arc::clone(&diary.held), diary.seen());
    held.store(true, Ordering::SeqCst);
    let impatient = Config { handler_patience: Duration::from_millis(50), ..config() };
    let engine = EngineBuilder::with_markets(impatient, [market(1)], directory.path())
        .unwrap()
        .register_handler(diary, KEPT, named("diary"))
        .build()
        .unwrap();
    for _ in 0..100 {
        placed(&engine, order(Side::No, 250, 1, 1));
    }
    let begun = Instant::now();
    engine.stop();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!((engine.handlers()[0].next_sequence, engine.handlers()[0].behind), (1, 102));
    drop(engine);
    let diary = Diary::new();
    let seen = diary.seen();
    with_diary(directory.path(), diary, KEPT).unwrap().stop();
    assert_eq!(numbers(&seen), (1..=102).collect::<Vec<_>>());
    assert!(hung.lock().is_empty());
    held.store(false, Ordering::SeqCst);
}
