//! The engine's time, as its threads share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Clock;
use super::report::{ClockReport, ClockStep};
use super::source::{Reading, TimeSource, signed};
use super::steady::{STEP_NS, Steady};

/// The engine's time. One thread looks at the wall clock; everybody else only asks what the time is.
pub(crate) struct EngineTime {
    source: Box<dyn TimeSource>,
    shared: Mutex<Known>,
    /// Counts the corrections, so that the writer takes the lock only after one.
    version: AtomicU64,
}

#[derive(Clone, Copy)]
struct Known {
    steady: Steady,
    steps: u64,
    last_step: Option<ClockStep>,
    is_apart: bool,
    journal_ahead_ns: u64,
}

/// What a look at the clocks found that an operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing new.
    Nothing,
    /// The wall clock was set by so much at once.
    Stepped(ClockStep),
    /// Small corrections have added up.
    Apart,
    /// The time and the wall clock are together again.
    Together,
}

impl EngineTime {
    /// Begins with the wall clock's time, or with the last time of the journal if that is later.
    pub(crate) fn new(source: Box<dyn TimeSource>, journal_ns: u64) -> Self {
        let reading = Reading::of(&*source);
        let steady = Steady::new(&reading, journal_ns);
        let ahead_ns = steady.ahead_ns(reading.after_ns).unsigned_abs();
        let is_apart = ahead_ns >= STEP_NS;
        let journal_ahead_ns = if is_apart { ahead_ns } else { 0 };
        let known = Known { steady, steps: 0, last_step: None, is_apart, journal_ahead_ns };
        Self { source, shared: Mutex::new(known), version: AtomicU64::new(0) }
    }

    /// The time, in nanoseconds since the Unix epoch.
    pub(crate) fn now_ns(&self) -> u64 {
        let steady = self.shared.lock().steady;
        steady.now_ns(self.source.running_ns())
    }

    /// Looks at the wall clock.
    pub(super) fn look(&self) -> Found {
        let reading = Reading::of(&*self.source);
        let mut known = self.shared.lock();
        let set_by_ns = known.steady.look(&reading);
        if set_by_ns != 0 {
            self.version.fetch_add(1, Ordering::Release);
        }
        let was_apart = known.is_apart;
        known.is_apart = known.steady.ahead_ns(reading.after_ns).unsigned_abs() >= STEP_NS;
        if set_by_ns.unsigned_abs() >= STEP_NS {
            let step = ClockStep { set_by_ns, to_ns: reading.wall_ns };
            known.steps += 1;
            known.last_step = Some(step);
            return Found::Stepped(step);
        }
        match (was_apart, known.is_apart) {
            (false, true) => Found::Apart,
            (true, false) => Found::Together,
            _ => Found::Nothing,
        }
    }

    /// How the clocks are.
    pub(crate) fn report(&self) -> ClockReport {
        let known = *self.shared.lock();
        let running_ns = self.source.running_ns();
        let (engine_ns, ahead_ns) = (known.steady.now_ns(running_ns), known.steady.ahead_ns(running_ns));
        ClockReport {
            engine_ns,
            wall_ns: u64::try_from(signed(engine_ns).saturating_sub(ahead_ns)).unwrap_or(0),
            ahead_ns,
            is_apart: known.is_apart,
            steps: known.steps,
            last_step: known.last_step,
            journal_ahead_ns: known.journal_ahead_ns,
        }
    }
}

impl std::fmt::Debug for EngineTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineTime").field("report", &self.report()).finish_non_exhaustive()
    }
}

/// The writer's view of the engine's time: one reading of the running clock, and no lock between corrections.
pub(crate) struct SteadyClock {
    time: Arc<EngineTime>,
    steady: Steady,
    version: u64,
}

impl SteadyClock {
    pub(crate) fn new(time: Arc<EngineTime>) -> Self {
        // In this order: a correction in between is taken in once more.
        let version = time.version.load(Ordering::Acquire);
        let steady = time.shared.lock().steady;
        Self { time, steady, version }
    }
}

impl Clock for SteadyClock {
    fn now_ns(&mut self) -> u64 {
        let version = self.time.version.load(Ordering::Acquire);
        if version != self.version {
            self.version = version;
            self.steady = self.time.shared.lock().steady;
        }
        self.steady.now_ns(self.time.source.running_ns())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const BEGINNING: u64 = 1_800_000_000_000_000_000;

    #[derive(Clone, Default)]
    struct Told(Arc<[AtomicI64; 2]>);

    impl Told {
        fn pass(&self, ns: i64) {
            self.0[0].fetch_add(ns, Ordering::Relaxed);
        }

        fn set_by(&self, ns: i64) {
            self.0[1].fetch_add(ns, Ordering::Relaxed);
        }
    }

    impl TimeSource for Told {
        fn running_ns(&self) -> u64 {
            self.0[0].load(Ordering::Relaxed).unsigned_abs()
        }

        fn wall_ns(&self) -> u64 {
            (BEGINNING + self.running_ns()).saturating_add_signed(self.0[1].load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_step_is_found_once_and_it_is_found_when_the_clocks_are_together_again() {
        let told = Told::default();
        let time = EngineTime::new(Box::new(told.clone()), 0);
        assert_eq!(time.look(), Found::Nothing);
        told.pass(SECOND);
        told.set_by(5 * SECOND);
        let step = ClockStep { set_by_ns: 5 * SECOND, to_ns: told.wall_ns() };
        assert_eq!(time.look(), Found::Stepped(step));
        assert_eq!(time.look(), Found::Nothing);
        let report = time.report();
        assert_eq!((report.ahead_ns, report.steps, report.is_apart), (-5 * SECOND, 1, true));
        assert_eq!(report.last_step, Some(step));
        told.pass(500 * SECOND);
        assert_eq!(time.look(), Found::Together);
        let report = time.report();
        assert_eq!((report.ahead_ns, report.steps, report.is_apart), (0, 1, false));
        assert_eq!(report.warning(), None);
    }

    #[test]
    fn small_corrections_are_no_step_until_they_add_up() {
        let told = Told::default();
        let time = EngineTime::new(Box::new(told.clone()), 0);
        told.set_by(-SECOND * 6 / 10);
        assert_eq!(time.look(), Found::Nothing);
        told.set_by(-SECOND * 6 / 10);
        assert_eq!(time.look(), Found::Apart);
        assert_eq!((time.report().steps, time.report().is_apart), (0, true));
    }

    #[test]
    fn a_journal_that_is_ahead_is_known_from_the_start() {
        let told = Told::default();
        let hour = 3_600 * SECOND.unsigned_abs();
        let report = EngineTime::new(Box::new(told.clone()), BEGINNING + hour).report();
        assert_eq!(
            (report.journal_ahead_ns, report.is_apart, report.engine_ns),
            (hour, true, BEGINNING + hour)
        );
        let report = EngineTime::new(Box::new(told), BEGINNING + 1_000).report();
        assert_eq!((report.journal_ahead_ns, report.is_apart), (0, false));
    }

    #[test]
    fn the_writer_and_everybody_else_have_one_time() {
        let told = Told::default();
        let time = Arc::new(EngineTime::new(Box::new(told.clone()), 0));
        let mut clock = SteadyClock::new(Arc::clone(&time));
        for set_by in [0, 3_600, -7_200, 0, 3_600] {
            told.set_by(set_by * SECOND);
            time.look();
            told.pass(SECOND / 3);
            assert_eq!(clock.now_ns(), time.now_ns());
        }
    }
}
