//! What happened in a run, in numbers.

use std::fmt;

use betex::error::EngineError;

/// What happened in a run, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last step.
    pub step: u64,
    /// A hash of all that happened, in order: the same seed, the same hash.
    pub trace: u64,
    /// Starts of an engine.
    pub lives: u64,
    /// Processes that died.
    pub kills: u64,
    /// Times the power went.
    pub power_cuts: u64,
    /// Stops that let everything flow through.
    pub stops: u64,
    /// Writes and syncs of the log that failed, each the end of an engine.
    pub journal_failures: u64,
    /// Times that the machine stood still in the middle of a call of the disk.
    pub deaths: u64,
    /// Starts that the disk did not let through.
    pub failed_starts: u64,
    /// Starts that found half a write.
    pub torn_tails: u64,
    /// Segments that the disk had no room for, or failed to make.
    pub unprepared: u64,
    /// Snapshots that were made.
    pub snapshots: u64,
    /// Snapshots that the disk did not take.
    pub snapshots_failed: u64,
    /// Starts from a snapshot.
    pub from_snapshots: u64,
    /// Snapshots that a start could not use.
    pub passed_over: u64,
    /// Segments that were removed because a snapshot stands for them.
    pub pruned: u64,
    /// Handlers that came back to what had been removed.
    pub came_too_late: u64,
    /// Handlers that hung for so long that the journal did not wait for them.
    pub let_go: u64,
    /// And found what they had not seen removed, when they went on.
    pub cut_off: u64,
    /// Times that it was asked what a power cut would leave.
    pub gate_looks: u64,
    /// Times that state, ledger, twins and events were compared.
    pub comparisons: u64,
    /// Bits that turned over, and how many of them were refused; the others did no harm.
    pub bits_turned: u64,
    /// See there.
    pub bits_refused: u64,
    /// Events that were shown.
    pub events: u64,
    /// Transactions that were there after a restart though nobody had seen them.
    pub unseen: u64,
    /// Direct trades.
    pub trades: u64,
    /// Complete sets.
    pub sets: u64,
    /// Answers.
    pub answered: u64,
    /// Answers that were rejections.
    pub rejected: u64,
    /// Commands whose answers a crash took.
    pub lost: u64,
    /// Commands that the door refused because a lane was full.
    pub lane_full: u64,
    /// And because the disk was.
    pub disk_full: u64,
    /// Events that handlers heard, and how many of them they read from the journal.
    pub heard: u64,
    /// See there.
    pub caught_up: u64,
}

impl Report {
    /// What happened goes into the trace.
    pub(crate) fn note(&mut self, what: &impl std::hash::Hash) {
        let mut hasher = Fnv(self.trace);
        what.hash(&mut hasher);
        self.trace = hasher.0;
    }

    pub(crate) fn refused(&mut self, error: &EngineError) {
        match error {
            EngineError::QueueFull { .. } => self.lane_full += 1,
            EngineError::JournalFull => self.disk_full += 1,
            _ => (),
        }
    }

    /// Adds a run to many.
    pub fn add(&mut self, other: &Self) {
        let trace = self.trace;
        *self = Self {
            step: self.step + other.step,
            trace: trace ^ other.trace,
            lives: self.lives + other.lives,
            kills: self.kills + other.kills,
            power_cuts: self.power_cuts + other.power_cuts,
            stops: self.stops + other.stops,
            journal_failures: self.journal_failures + other.journal_failures,
            deaths: self.deaths + other.deaths,
            failed_starts: self.failed_starts + other.failed_starts,
            torn_tails: self.torn_tails + other.torn_tails,
            unprepared: self.unprepared + other.unprepared,
            snapshots: self.snapshots + other.snapshots,
            snapshots_failed: self.snapshots_failed + other.snapshots_failed,
            from_snapshots: self.from_snapshots + other.from_snapshots,
            passed_over: self.passed_over + other.passed_over,
            pruned: self.pruned + other.pruned,
            came_too_late: self.came_too_late + other.came_too_late,
            let_go: self.let_go + other.let_go,
            cut_off: self.cut_off + other.cut_off,
            gate_looks: self.gate_looks + other.gate_looks,
            comparisons: self.comparisons + other.comparisons,
            bits_turned: self.bits_turned + other.bits_turned,
            bits_refused: self.bits_refused + other.bits_refused,
            events: self.events + other.events,
            unseen: self.unseen + other.unseen,
            trades: self.trades + other.trades,
            sets: self.sets + other.sets,
            answered: self.answered + other.answered,
            rejected: self.rejected + other.rejected,
            lost: self.lost + other.lost,
            lane_full: self.lane_full + other.lane_full,
            disk_full: self.disk_full + other.disk_full,
            heard: self.heard + other.heard,
            caught_up: self.caught_up + other.caught_up,
        };
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let r = self;
        writeln!(
            f,
            "{} steps, {} lives: {} kills, {} power cuts, {} of them in the middle of a call, {} journal \
             failures, {} stops, {} starts that the \
             disk refused, {} torn tails",
            r.step,
            r.lives,
            r.kills,
            r.power_cuts,
            r.deaths,
            r.journal_failures,
            r.stops,
            r.failed_starts,
            r.torn_tails
        )?;
        writeln!(
            f,
            "{} answers ({} rejections), {} answers lost; refused at the door: {} by full lanes, {} by full \
             disks; {} segments not prepared",
            r.answered, r.rejected, r.lost, r.lane_full, r.disk_full, r.unprepared
        )?;
        writeln!(
            f,
            "{} snapshots made, {} failed, {} starts from one, {} passed over; {} segments removed, {} handlers \
             came too late for them; {} hung too long, {} of them were cut off",
            r.snapshots,
            r.snapshots_failed,
            r.from_snapshots,
            r.passed_over,
            r.pruned,
            r.came_too_late,
            r.let_go,
            r.cut_off
        )?;
        writeln!(
            f,
            "{} events, {} trades, {} sets; {} transactions durable but never shown",
            r.events, r.trades, r.sets, r.unseen
        )?;
        write!(
            f,
            "{} looks at the gate, {} comparisons, {} bits turned over ({} refused); handlers heard {} events, \
             {} of them from the journal; trace {:016x}",
            r.gate_looks, r.comparisons, r.bits_turned, r.bits_refused, r.heard, r.caught_up, r.trace
        )
    }
}

/// FNV-1a, which is the same everywhere.
struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}
