//! The gate: writes what the ring holds to the journal, and only then lets it through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use betex_journal::{Log, LogError};

use super::doorbell::Doorbell;
use super::fatal::AbortOnUnwind;
use crate::disruptor::{JournalPoller, Polling};

/// How far the gate has opened.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// The number of the last event behind it.
    durable: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
}

/// What an engine has written to its journal since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalStats {
    /// The number of the last event that is on disk.
    pub durable_sequence: u64,
    /// Frames, and so syncs.
    pub frames: u64,
    /// Bytes, headers and padding included.
    pub bytes: u64,
}

impl Gate {
    pub(crate) fn new(sequence: u64) -> Self {
        Self { durable: AtomicU64::new(sequence), ..Self::default() }
    }

    fn note(&self, log: &dyn Log) {
        self.frames.store(log.frames(), Ordering::Relaxed);
        self.bytes.store(log.bytes(), Ordering::Relaxed);
        self.durable.store(log.durable_sequence(), Ordering::Release);
        ::metrics::counter!(crate::metrics::FRAMES).absolute(log.frames());
        ::metrics::counter!(crate::metrics::JOURNAL_BYTES).absolute(log.bytes());
    }

    pub(crate) fn durable_sequence(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn stats(&self) -> JournalStats {
        let durable_sequence = self.durable.load(Ordering::Acquire);
        let (frames, bytes) = (self.frames.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        JournalStats { durable_sequence, frames, bytes }
    }
}

/// Writes what the ring holds to the journal, one frame and one sync for all that has gathered.
pub(crate) struct Journaler {
    log: Box<dyn Log>,
    poller: JournalPoller,
    gate: Arc<Gate>,
    dispatcher_bell: Arc<Doorbell>,
    /// The journal says that it has begun.
    is_settled: bool,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something was done.
    Worked,
    /// The ring held nothing new.
    Idle,
    /// The ring is at its end.
    Finished,
}

/// Transactions in one turn of the gate. At the usual size they fill a frame; more would only make
/// answers wait for a second one.
const BATCH: u64 = 2_048;

impl Journaler {
    pub(crate) fn new(
        log: Box<dyn Log>,
        poller: JournalPoller,
        gate: Arc<Gate>,
        dispatcher_bell: Arc<Doorbell>,
    ) -> Self {
        Self { log, poller, gate, dispatcher_bell, is_settled: false }
    }

    /// Writes and syncs what the ring holds. After an error the gate never opens again: what was
    /// waiting at it is neither acknowledged nor seen.
    pub(crate) fn step(&mut self) -> Result<Step, LogError> {
        let mut guard = match self.poller.take(BATCH) {
            Ok(guard) => guard,
            Err(Polling::NoEvents) => return Ok(Step::Idle),
            Err(Polling::Shutdown) => {
                if let Err(error) = self.log.close() {
                    tracing::warn!(%error, "the mark of a clean stop cannot be written: the next start takes this for a crash");
                }
                return Ok(Step::Finished);
            }
        };
        // Dropping the guard opens the gate, and unwinding would drop it.
        let bomb = AbortOnUnwind::new("the journal");
        let log = &mut *self.log;
        let written = (&mut guard)
            .filter(|slot| !slot.events.is_empty())
            .try_for_each(|slot| log.append(&slot.stamp, &slot.events))
            .and_then(|()| log.commit())
            .and_then(|()| if self.is_settled { Ok(()) } else { log.settle() });
        bomb.defuse();
        if let Err(error) = written {
            std::mem::forget(guard);
            return Err(error);
        }
        self.is_settled = true;
        self.gate.note(log);
        drop(guard);
        self.dispatcher_bell.ring();
        Ok(Step::Worked)
    }

    pub(crate) fn has_work(&self) -> bool {
        self.poller.has_available()
    }
}
