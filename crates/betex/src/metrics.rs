//! What an engine counts, through the `metrics` facade: install a recorder, or pay next to nothing.

/// Commands that were decided.
pub const COMMANDS: &str = "betex_commands_total";
/// Commands that were refused at the door: a full lane, a full disk, a stopped engine.
pub const REFUSED: &str = "betex_refused_total";
/// Batches that a handler had no room for: it was then fed from the journal.
pub const HANDLER_OVERFLOWS: &str = "betex_handler_overflows_total";
/// Handlers that were stopped because they panicked, or because the journal could not be read.
pub const HANDLERS_STOPPED: &str = "betex_handlers_stopped_total";
/// The first event that a handler has not confirmed; by `handler`.
pub const HANDLER_NEXT: &str = "betex_handler_next_sequence";
/// Durable events that a handler has not confirmed; by `handler`. Moves when the engine is asked for its
/// health or its handlers.
pub const HANDLER_BEHIND: &str = "betex_handler_behind_events";
/// Handlers that have not come back, or have hung, for so long that the journal no longer waits for them.
pub const HANDLER_CLAIMS_LOST: &str = "betex_handler_claims_lost_total";
/// Frames that were written and synced.
pub const FRAMES: &str = "betex_journal_frames_total";
/// Bytes that were written to the journal.
pub const JOURNAL_BYTES: &str = "betex_journal_bytes_total";
/// Snapshots of the state that were made.
pub const SNAPSHOTS: &str = "betex_snapshots_total";
/// Snapshots that failed, and segments that could not be removed: the journal grows until one succeeds.
pub const SNAPSHOTS_FAILED: &str = "betex_snapshots_failed_total";
/// The number of the last event in the newest snapshot that was made.
pub const SNAPSHOT_SEQUENCE: &str = "betex_snapshot_sequence";
/// Seconds that the last snapshot took, all of it in the background.
pub const SNAPSHOT_SECONDS: &str = "betex_snapshot_seconds";
/// Segments of the journal that were removed because a snapshot stands for them.
pub const SEGMENTS_PRUNED: &str = "betex_segments_pruned_total";
/// Times that the machine's clock was set by a second or more at once.
pub const CLOCK_STEPS: &str = "betex_clock_steps_total";
/// Seconds by which the engine's time is ahead of the machine's clock; negative: behind it.
pub const CLOCK_AHEAD: &str = "betex_clock_ahead_seconds";

/// Whether a metric only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises, from 0 at the start of the process.
    Counter,
    /// It rises and falls.
    Gauge,
}

/// Every metric that has no labels, with what it says. Those by handler begin with their handlers.
const ALL: [(&str, Kind, &str); 12] = [
    (COMMANDS, Kind::Counter, "Commands that were decided"),
    (
        REFUSED,
        Kind::Counter,
        "Commands that were refused at the door: a full lane, a full disk, a stopped engine",
    ),
    (
        HANDLER_OVERFLOWS,
        Kind::Counter,
        "Batches that a handler had no room for and then read from the journal",
    ),
    (
        HANDLERS_STOPPED,
        Kind::Counter,
        "Handlers that were stopped because they panicked or could not read the journal",
    ),
    (HANDLER_CLAIMS_LOST, Kind::Counter, "Handlers that the journal no longer waits for"),
    (FRAMES, Kind::Counter, "Frames that were written to the journal and synced"),
    (JOURNAL_BYTES, Kind::Counter, "Bytes that were written to the journal"),
    (SNAPSHOTS, Kind::Counter, "Snapshots of the state that were made"),
    (SNAPSHOTS_FAILED, Kind::Counter, "Snapshots that failed and segments that could not be removed"),
    (
        SNAPSHOT_SEQUENCE,
        Kind::Gauge,
        "Sequence number of the last event in the newest snapshot that was made",
    ),
    (SNAPSHOT_SECONDS, Kind::Gauge, "Seconds that the last snapshot took in the background"),
    (SEGMENTS_PRUNED, Kind::Counter, "Segments of the journal that were removed"),
];

/// Tells the recorder what each metric says, and lets each be there from the start.
pub fn describe() {
    for (name, kind, help) in ALL {
        announce(name, kind, help);
    }
    ::metrics::describe_gauge!(HANDLER_NEXT, "The first event that a handler has not confirmed");
    ::metrics::describe_gauge!(HANDLER_BEHIND, "Durable events that a handler has not confirmed");
}

/// Tells the recorder what a metric without labels says, and lets it be there from the start.
pub fn announce(name: &'static str, kind: Kind, help: &'static str) {
    match kind {
        Kind::Counter => {
            ::metrics::describe_counter!(name, help);
            ::metrics::counter!(name).increment(0);
        }
        Kind::Gauge => {
            ::metrics::describe_gauge!(name, help);
            ::metrics::gauge!(name).increment(0.0);
        }
    }
}
