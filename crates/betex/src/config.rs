//! How an engine is set up: its bounds and its durability.

use std::sync::Arc;
use std::time::Duration;

use betex_core::limits::Limits;
use betex_journal::{Durability, Retention, SnapshotOptions};

use crate::error::EngineError;

/// How an engine is set up. Every queue has its bound here.
#[derive(Clone)]
pub struct Config {
    /// How much the engine holds at most. Journaled: a replay decides as the engine did.
    pub limits: Limits,
    /// Whether an answer waits for the disk.
    pub durability: Durability,
    /// The size of a journal segment in bytes: 1 MiB to 1 GiB, a multiple of 64.
    pub segment_bytes: u64,
    /// A snapshot is made when so many segments were sealed behind the last one, 0 to 1 024; 0: never, and
    /// then nothing of the journal is removed, and a start reads all of it.
    pub snapshot_every_segments: u32,
    /// Bytes of sealed segments that stay at least, the newest ones, although no snapshot needs them: for
    /// whoever reads the journal later.
    pub retention_bytes: u64,
    /// How long what was written stays at least, although no snapshot needs it: up to 3 650 days, by the time
    /// of the events, so that an exchange that rests keeps what it has.
    pub retention_age: Duration,
    /// Transactions between the writer and the disk: a power of two, 64 to 1 048 576.
    pub ring_slots: usize,
    /// Commands that wait in [`CommandLane::Normal`](crate::CommandLane): 1 to 1 048 576.
    pub normal_lane: usize,
    /// Commands that wait in [`CommandLane::Priority`](crate::CommandLane): 1 to 1 048 576.
    pub priority_lane: usize,
    /// Events that wait for one handler: beyond, it is fed from the journal. 1 024 to 1 048 576.
    pub handler_queue_events: usize,
    /// Orders a second that long jobs (closing, lapsing, mass cancels) take out, so that streams can follow
    /// them; 0: as fast as possible. The first step of a mass cancel, of up to 512 orders, waits for nothing.
    pub job_orders_per_s: u32,
    /// How long a handler that recovers may stay away, and any handler may hang - come back from no event
    /// though there are some - before the journal no longer waits for it and may be pruned of what it has
    /// not seen: 1 s to 3650 days. One that is slow and moves is waited for.
    pub handler_claim: Duration,
    /// How long a stop waits for handlers that have not seen everything, or hang: 0 s to 1 day.
    pub handler_patience: Duration,
    /// Whether the engine's time is set back to the clock's at the start, if the journal is ahead of it. An order of the
    /// operator, for one start: events that follow then have earlier times than events before.
    pub set_time_back: bool,
    /// What is done when the journal fails, before the process is aborted: the last words.
    pub last_words: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            durability: Durability::Always,
            segment_bytes: 64 << 20,
            snapshot_every_segments: 4,
            retention_bytes: 1 << 30,
            retention_age: DAY,
            ring_slots: 16_384,
            normal_lane: 16_384,
            priority_lane: 16_384,
            handler_queue_events: 65_536,
            job_orders_per_s: 20_000,
            handler_claim: Duration::from_secs(7 * 86_400),
            handler_patience: Duration::from_secs(30),
            set_time_back: false,
            last_words: Arc::new(|words| tracing::error!("{words}")),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("limits", &self.limits)
            .field("durability", &self.durability)
            .field("segment_bytes", &self.segment_bytes)
            .field("snapshot_every_segments", &self.snapshot_every_segments)
            .field("retention_bytes", &self.retention_bytes)
            .field("retention_age", &self.retention_age)
            .field("ring_slots", &self.ring_slots)
            .field("normal_lane", &self.normal_lane)
            .field("priority_lane", &self.priority_lane)
            .field("handler_queue_events", &self.handler_queue_events)
            .field("handler_claim", &self.handler_claim)
            .field("handler_patience", &self.handler_patience)
            .field("set_time_back", &self.set_time_back)
            .finish_non_exhaustive()
    }
}

const DAY: Duration = Duration::from_secs(86_400);

impl Config {
    /// When snapshots are made, and what stays of the journal, in the words of the journal.
    pub(crate) fn snapshots(&self) -> SnapshotOptions {
        let retention = Retention {
            bytes: self.retention_bytes,
            // Ten years are less than 2^64 nanoseconds.
            age_ns: u64::try_from(self.retention_age.as_nanos()).unwrap_or(u64::MAX),
        };
        SnapshotOptions { every_segments: self.snapshot_every_segments, retention }
    }

    /// Refuses what is out of range, naming the field and what is valid.
    pub fn check(&self) -> Result<(), EngineError> {
        const QUEUE_MAX: usize = 1 << 20;
        let wrong = |field, problem| Err(EngineError::Invalid { field, problem });
        if !(1 << 20..=1 << 30).contains(&self.segment_bytes) || !self.segment_bytes.is_multiple_of(64) {
            return wrong("segment_bytes", "1 MiB to 1 GiB, a multiple of 64");
        }
        if self.snapshot_every_segments > 1_024 {
            return wrong("snapshot_every_segments", "0 (never) to 1024");
        }
        if self.retention_age > DAY * 3_650 {
            return wrong("retention_age", "up to 3650 days");
        }
        if !self.ring_slots.is_power_of_two() || !(64..=QUEUE_MAX).contains(&self.ring_slots) {
            return wrong("ring_slots", "a power of two, 64 to 1048576");
        }
        if !(1..=QUEUE_MAX).contains(&self.normal_lane) {
            return wrong("normal_lane", "1 to 1048576");
        }
        if !(1..=QUEUE_MAX).contains(&self.priority_lane) {
            return wrong("priority_lane", "1 to 1048576");
        }
        if !(1_024..=QUEUE_MAX).contains(&self.handler_queue_events) {
            return wrong("handler_queue_events", "1024 to 1048576");
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(3_650 * 86_400)).contains(&self.handler_claim) {
            return wrong("handler_claim", "1 s to 3650 days");
        }
        if self.handler_patience > Duration::from_secs(86_400) {
            return wrong("handler_patience", "0 s to 1 day");
        }
        Ok(())
    }
}
