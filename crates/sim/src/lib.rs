//! The simulator of BetEx: the engine's own stages - sequencer, journaler, gate, dispatcher, feeds - on one
//! thread, in virtual time, on a disk that forgets, fails and fills up; with clients who send every kind of
//! command, processes that die and power that goes at every step, and handlers that are slow. What the world
//! was told is held against what is there, again and again. All of it comes from one seed.
//!
//! `docs/simulator.md` tells what is checked, and which check finds which bug.

mod clock;
mod desk;
mod dice;
mod disk;
mod ends;
mod failure;
mod limits;
mod listener;
mod markets;
mod report;
mod restart;
mod sabotage;
mod traffic;
mod truth;
mod twin;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crate::failure::{Check, Checked, Failure};
pub use crate::report::Report;
pub use crate::sabotage::Sabotage;
use crate::world::World;

/// Steps of a run, unless another number is asked for.
pub const STEPS: u64 = 4_000;

/// Plays one seed; what happened, or which promise was not kept, and at which step. A rule of the ledger that
/// is broken panics where panics unwind, and is told as [`Check::Rules`].
///
/// # Errors
/// The failure, and the step.
pub fn run(seed: u64, steps: u64, sabotage: Option<Sabotage>) -> Result<Report, (Failure, u64)> {
    let mut world = World::new(seed, sabotage);
    let ended = catch_unwind(AssertUnwindSafe(|| world.run(steps))).unwrap_or_else(|panic| {
        let words = panic.downcast::<String>().map_or_else(
            |panic| {
                panic.downcast::<&str>().map_or_else(|_| "a panic".to_owned(), |words| (*words).to_owned())
            },
            |words| *words,
        );
        Err(Failure::new(Check::Rules, words))
    });
    match ended {
        Ok(()) => Ok(world.reported()),
        Err(failure) => Err((failure, world.reported().step)),
    }
}
