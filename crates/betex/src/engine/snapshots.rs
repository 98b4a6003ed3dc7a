//! Snapshots, made in the background of what is sealed, so that a start does not read the whole past and the
//! directory does not grow for ever. The line of the engine never waits for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use betex_journal::SnapshotMaker;

use super::clock::EngineTime;
use super::pipeline::{self, Shared};
use super::positions::HandlerPositions;
use crate::error::EngineError;

/// Who still reads the journal, and what time it is there.
pub(crate) struct Readers {
    pub(crate) shared: Shared,
    /// Those who are to come back, where the engine keeps account of them.
    pub(crate) positions: Option<Arc<HandlerPositions>>,
}

impl Readers {
    /// The lowest sequence number that somebody still has to read, [`u64::MAX`] if nobody has to: those who
    /// follow now, and those who are to come back.
    fn floor(&self, claims: ClaimTime) -> u64 {
        // In this order: whether those who follow hang is looked at first.
        let followed = self.shared.feeds.floor(claims.running_ns);
        let claimed = self.positions.as_ref().and_then(|positions| positions.floor(claims.now_ns));
        followed.min(claimed.unwrap_or(u64::MAX))
    }

    /// The engine's time, in nanoseconds since the Unix epoch: ages are counted from it.
    fn now_ns(&self) -> u64 {
        self.shared.read.read().time_ns()
    }
}

/// The times that claims are counted in.
#[derive(Clone, Copy)]
pub(crate) struct ClaimTime {
    /// In nanoseconds since the Unix epoch: of those who are away, also over a restart.
    pub(crate) now_ns: u64,
    /// A time that nobody sets: of those who are here. A machine that was asleep has not seen them hang.
    pub(crate) running_ns: u64,
}

/// How often it is looked whether something has become old enough to go.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a failed snapshot rests before it is tried again: it costs a reading of the last one.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Makes snapshots and removes what they stand for, until the journal is closed. A snapshot that fails is an
/// alarm and not the end: the engine needs none, but its next start takes longer and the directory grows.
pub(crate) fn keep(
    mut maker: SnapshotMaker,
    readers: Readers,
    time: Arc<EngineTime>,
) -> Result<JoinHandle<()>, EngineError> {
    pipeline::spawn("snapshots", move || {
        let (begun, mut failed) = (Instant::now(), None::<Instant>);
        let claims = || ClaimTime {
            now_ns: time.now_ns(),
            running_ns: u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
        };
        while !maker.supply().is_stopped() {
            let is_due = maker.wait(LOOK_AGAIN);
            if failed.is_some_and(|failed| failed.elapsed() < TRY_AGAIN) {
                // Handlers that hang are an alarm all the same.
                readers.floor(claims());
                // What is due stays due, and would not be waited for.
                if is_due {
                    maker.supply().wait_for_change(LOOK_AGAIN);
                }
                continue;
            }
            let all_is_well = catch_unwind(AssertUnwindSafe(|| step(&mut maker, &readers, claims())));
            failed = match all_is_well {
                Ok(true) => None,
                Ok(false) => Some(Instant::now()),
                Err(_) => {
                    fail(
                        &maker,
                        &"it panicked",
                        "no snapshot could be made; the journal is whole without it",
                    );
                    Some(Instant::now())
                }
            };
        }
    })
}

/// Makes the snapshot that is due, and removes what is not needed any more; whether nothing failed.
pub(crate) fn step(maker: &mut SnapshotMaker, readers: &Readers, claims: ClaimTime) -> bool {
    make(maker) && prune(maker, readers, claims)
}

/// Whether nothing failed.
fn make(maker: &mut SnapshotMaker) -> bool {
    let (started, supply) = (Instant::now(), Arc::clone(maker.supply()));
    match maker.step(&|| supply.is_stopped()) {
        Ok(None) => (),
        Ok(Some(made)) => {
            let took = started.elapsed();
            ::metrics::counter!(crate::metrics::SNAPSHOTS).increment(1);
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            ::metrics::gauge!(crate::metrics::SNAPSHOT_SEQUENCE).set(made.sequence as f64);
            ::metrics::gauge!(crate::metrics::SNAPSHOT_SECONDS).set(took.as_secs_f64());
            let (sequence, events, bytes) = (made.sequence, made.events, made.bytes);
            tracing::info!(sequence, events, bytes, ?took, "made a snapshot");
            for problem in made.passed_over {
                tracing::error!(problem, "a snapshot was damaged; another one stands in for it");
            }
        }
        Err(error) => {
            return fail(maker, &error, "no snapshot could be made; the journal is whole without it");
        }
    }
    true
}

/// Whether nothing failed.
fn prune(maker: &mut SnapshotMaker, readers: &Readers, claims: ClaimTime) -> bool {
    match maker.prune(readers.now_ns(), readers.floor(claims)) {
        Ok(pruned) => {
            ::metrics::counter!(crate::metrics::SEGMENTS_PRUNED).increment(pruned.segments);
            if pruned.segments > 0 {
                let (segments, bytes) = (pruned.segments, pruned.bytes);
                tracing::info!(segments, bytes, "removed segments that a snapshot stands for");
            }
            true
        }
        Err(error) => fail(maker, &error, "what is not needed any more could not be removed"),
    }
}

fn fail(maker: &SnapshotMaker, error: &impl std::fmt::Display, what: &'static str) -> bool {
    ::metrics::counter!(crate::metrics::SNAPSHOTS_FAILED).increment(1);
    tracing::error!(folder = %maker.folder().display(), %error, "{what}");
    false
}
