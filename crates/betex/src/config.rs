//! How an engine is set up: its bounds and its durability.

use std::sync::Arc;
use std::time::Duration;

use betex_core::limits::Limits;
use betex_journal::Durability;

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
    /// How long a handler that recovers may stay away, or stand still, before the journal no longer waits
    /// for it and may be pruned of what it has not seen: 1 s to 3650 days.
    pub handler_claim: Duration,
    /// How long a stop waits for handlers that have not seen everything, or hang: 0 s to 1 day.
    pub handler_patience: Duration,
    /// What is done when the journal fails, before the process is aborted: the last words.
    pub last_words: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            durability: Durability::Always,
            segment_bytes: 64 << 20,
            ring_slots: 16_384,
            normal_lane: 16_384,
            priority_lane: 16_384,
            handler_queue_events: 65_536,
            job_orders_per_s: 20_000,
            handler_claim: Duration::from_secs(7 * 86_400),
            handler_patience: Duration::from_secs(30),
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
            .field("ring_slots", &self.ring_slots)
            .field("normal_lane", &self.normal_lane)
            .field("priority_lane", &self.priority_lane)
            .field("handler_queue_events", &self.handler_queue_events)
            .field("handler_claim", &self.handler_claim)
            .field("handler_patience", &self.handler_patience)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Refuses what is out of range, naming the field and what is valid.
    pub fn check(&self) -> Result<(), EngineError> {
        const QUEUE_MAX: usize = 1 << 20;
        let wrong = |field, problem| Err(EngineError::Invalid { field, problem });
        if !(1 << 20..=1 << 30).contains(&self.segment_bytes) || !self.segment_bytes.is_multiple_of(64) {
            return wrong("segment_bytes", "1 MiB to 1 GiB, a multiple of 64");
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
