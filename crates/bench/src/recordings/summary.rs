//! How far a replay is, and what came of it.

use std::cell::RefCell;
use std::fmt;
use std::ops::AddAssign;

use serde_json::{Value, json};

/// Counted while replaying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines replayed.
    pub lines: u64,
    /// Orders placed to rest.
    pub placed: u64,
    /// Takers.
    pub taken: u64,
    /// Cancellations.
    pub cancelled: u64,
    /// Maker orders that takers met.
    pub fills: u64,
    /// Books compared with the recording.
    pub checks: u64,
    /// Levels of those books.
    pub levels: u64,
}

impl Counts {
    /// All that was asked of the exchange and journaled there.
    pub const fn commands(&self) -> u64 {
        self.placed + self.taken + self.cancelled
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.placed += other.placed;
        self.taken += other.taken;
        self.cancelled += other.cancelled;
        self.fills += other.fills;
        self.checks += other.checks;
        self.levels += other.levels;
    }
}

/// What several replays have done so far.
#[derive(Debug, Default)]
pub struct Progress {
    counts: RefCell<Counts>,
    lines_total: RefCell<u64>,
}

impl Progress {
    /// As many lines are still to come.
    pub fn expect_lines(&self, lines: u64) {
        *self.lines_total.borrow_mut() += lines;
    }

    /// This was done.
    pub fn add(&self, counts: Counts) {
        *self.counts.borrow_mut() += counts;
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// All lines, those to come included.
    pub fn lines_total(&self) -> u64 {
        *self.lines_total.borrow()
    }
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What was replayed on: `core`, `engine`, or a server.
    pub exchange: String,
    /// How many recordings.
    pub files: usize,
    /// What was done.
    pub counts: Counts,
    /// Answers that were lost and asked for again.
    pub retries: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Summary {
    /// Commands in a second.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn commands_per_second(&self) -> f64 {
        self.counts.commands() as f64 / self.seconds
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        let Counts { lines, placed, taken, cancelled, fills, checks, levels } = self.counts;
        json!({
            "exchange": self.exchange, "files": self.files, "lines": lines, "commands": self.counts.commands(),
            "placed": placed, "taken": taken, "cancelled": cancelled, "fills": fills, "checks": checks,
            "levels": levels, "retries": self.retries, "seconds": self.seconds,
            "commands_per_second": self.commands_per_second(),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { lines, placed, taken, cancelled, fills, checks, levels } = self.counts;
        writeln!(
            f,
            "{} recordings on {}: after every line the ladders are equal",
            self.files, self.exchange
        )?;
        writeln!(f, "  lines     {lines}")?;
        let commands = self.counts.commands();
        writeln!(f, "  commands  {commands} ({placed} placed, {taken} taken, {cancelled} cancelled)")?;
        writeln!(f, "  fills     {fills}")?;
        writeln!(f, "  checks    {checks} books, {levels} levels")?;
        if self.retries > 0 {
            writeln!(f, "  retries   {} answers were lost and asked for again", self.retries)?;
        }
        write!(f, "  seconds   {:.1} ({:.0} commands/s)", self.seconds, self.commands_per_second())
    }
}
