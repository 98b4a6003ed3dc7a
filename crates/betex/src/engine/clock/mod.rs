//! What the time is.
//!
//! The engine's time runs with a clock that nobody can set, begins with the wall clock, and approaches it by at most
//! 10 ms a second afterwards. It never goes back and never jumps, whatever becomes of the wall clock: an order does
//! not expire because somebody has set the clock for a moment.

mod report;
mod source;
mod steady;
mod time;
mod watch;

pub use report::{ClockReport, ClockStep};
pub use source::{MachineTime, TimeSource};
pub(crate) use time::{EngineTime, SteadyClock};
pub(crate) use watch::watch;

/// The engine's time, in nanoseconds since the Unix epoch. A parameter, so that tests and backtests can hold it.
pub trait Clock: Send + 'static {
    /// Now. The engine takes no notice of a time that is before the last one.
    fn now_ns(&mut self) -> u64;
}

/// The wall clock of the machine, with its jumps. An engine without another clock does not use it as it is: see
/// [`ClockReport`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ns(&mut self) -> u64 {
        MachineTime.wall_ns()
    }
}
