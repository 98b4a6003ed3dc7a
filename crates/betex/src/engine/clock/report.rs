//! How the clocks are, in figures and in words.

use betex_journal::utc;

use super::source::signed;
use super::steady::SLEW;

/// How the engine's time and the wall clock are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReport {
    /// The engine's time, in nanoseconds since the Unix epoch.
    pub engine_ns: u64,
    /// The wall clock's.
    pub wall_ns: u64,
    /// By how much the engine's time is ahead of the wall clock.
    pub ahead_ns: i64,
    /// Whether that is a second or more, either way: an alarm.
    pub is_apart: bool,
    /// How often the wall clock was set by a second or more at once since the start.
    pub steps: u64,
    /// The last time it was.
    pub last_step: Option<ClockStep>,
    /// By how much the journal was ahead of the wall clock at the start; 0 for less than a second.
    pub journal_ahead_ns: u64,
}

/// The wall clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// By how much.
    pub set_by_ns: i64,
    /// What it said then.
    pub to_ns: u64,
}

impl ClockReport {
    /// What an operator should know: `None` if the engine's time and the wall clock agree.
    pub fn warning(&self) -> Option<String> {
        if !self.is_apart {
            return None;
        }
        let Self { engine_ns, wall_ns, ahead_ns, .. } = *self;
        let apart_ns = ahead_ns.unsigned_abs();
        let (to, advice) = if ahead_ns > 0 {
            let advice = "GTD orders that expire before the engine's time are refused. To set the engine's time back \
                          to the clock, stop the server and start it once with --set-time-back";
            ("ahead of", advice)
        } else {
            let advice = "GTD orders expire by the engine's time. If the clock is right, restart the server: it \
                          then begins with the clock's time";
            ("behind", advice)
        };
        let cause = match (self.journal_ahead_ns, self.last_step) {
            (1.., None) => "the journal was written with a clock that was ahead",
            (_, Some(_)) => "the clock was set",
            (0, None) => "the clock was corrected again and again",
        };
        Some(format!(
            "clock: the engine's time, {}, is {} {to} this machine's clock, {}, because {cause}. The engine approaches the clock by \
             at most 10 ms a second and reaches it in {}. {advice}",
            utc(engine_ns),
            duration(apart_ns),
            utc(wall_ns),
            duration(apart_ns.saturating_mul(SLEW)),
        ))
    }
}

impl std::fmt::Display for ClockStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = if self.set_by_ns > 0 { "forward" } else { "back" };
        let from_ns = u64::try_from(signed(self.to_ns).saturating_sub(self.set_by_ns)).unwrap_or(0);
        let by = duration(self.set_by_ns.unsigned_abs());
        write!(f, "the machine's clock was set {way} by {by}, from {} to {}", utc(from_ns), utc(self.to_ns))
    }
}

/// A duration for people: rounded to the second of the two largest units that it has.
fn duration(ns: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    const UNITS: [(u64, &str); 5] =
        [(365 * 86_400, "years"), (86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")];
    for ((unit, name), (smaller, smaller_name)) in UNITS.into_iter().zip(UNITS.into_iter().skip(1)) {
        let rounded = ns.saturating_add(smaller * SECOND / 2) / (smaller * SECOND);
        let (whole, rest) = (rounded / (unit / smaller), rounded % (unit / smaller));
        match (whole, rest) {
            (0, _) => (),
            (_, 0) => return format!("{whole} {name}"),
            (_, _) => return format!("{whole} {name} {rest} {smaller_name}"),
        }
    }
    format!("{}.{:03} s", ns / SECOND, ns % SECOND / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        let second = 1_000_000_000;
        for (ns, text) in [
            (1_500_000_000, "1.500 s"),
            (3_600 * second, "1 h"),
            (3_661 * second, "1 h 1 min"),
            (61 * second, "1 min 1 s"),
            (3_600 * second - 1_000, "1 h"),
            (59_400 * second / 1_000, "59.400 s"),
            (4 * 365 * 86_400 * second - 3 * second, "4 years"),
            (1_461 * 86_400 * second, "4 years 1 days"),
        ] {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn a_step_says_from_when_to_when() {
        let step = ClockStep { set_by_ns: -3_600_000_000_000, to_ns: 1_791_030_600_000_000_000 };
        let words =
            "the machine's clock was set back by 1 h, from 2026-10-03T13:30:00Z to 2026-10-03T12:30:00Z";
        assert_eq!(step.to_string(), words);
    }

    #[test]
    fn a_warning_says_what_to_do() {
        let hour = 3_600_000_000_000;
        let now_ns = 1_791_030_600_000_000_000;
        let report = |ahead_ns: i64| ClockReport {
            engine_ns: now_ns,
            wall_ns: now_ns.saturating_add_signed(-ahead_ns),
            ahead_ns,
            is_apart: ahead_ns != 0,
            steps: 0,
            last_step: None,
            journal_ahead_ns: ahead_ns.max(0).unsigned_abs(),
        };
        assert_eq!(report(0).warning(), None);
        let ahead = report(hour).warning().unwrap();
        for words in ["1 h ahead of", "2026-10-03T11:30:00Z", "journal", "4 days 4 h", "--set-time-back"] {
            assert!(ahead.contains(words), "{words} in {ahead}");
        }
        let behind = report(-hour).warning().unwrap();
        assert!(behind.contains("1 h behind") && behind.contains("restart the server"), "{behind}");
    }
}
