//! The clocks of the machine.

/// The two clocks that a machine has.
pub trait TimeSource: Send + Sync + 'static {
    /// Nanoseconds since some moment in the past. Runs while the machine sleeps, never goes back, and nobody can
    /// set it.
    fn running_ns(&self) -> u64;

    /// Nanoseconds since the Unix epoch. It can be set, and then it jumps.
    fn wall_ns(&self) -> u64;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineTime;

impl TimeSource for MachineTime {
    /// `CLOCK_BOOTTIME`. `CLOCK_MONOTONIC` stands still while the machine sleeps, so that waking up would look as if
    /// somebody had set the wall clock.
    #[cfg(target_os = "linux")]
    fn running_ns(&self) -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
        seconds * 1_000_000_000 + nanoseconds
    }

    #[cfg(not(target_os = "linux"))]
    fn running_ns(&self) -> u64 {
        use std::sync::OnceLock;
        use std::time::Instant;
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        u64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wall_ns(&self) -> u64 {
        let since = std::time::UNIX_EPOCH.elapsed();
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Both clocks, read together: the wall clock was read between the two others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) before_ns: u64,
    pub(super) wall_ns: u64,
    pub(super) after_ns: u64,
}

impl Reading {
    pub(super) fn of(source: &dyn TimeSource) -> Self {
        let (before_ns, wall_ns) = (source.running_ns(), source.wall_ns());
        Self { before_ns, wall_ns, after_ns: source.running_ns() }
    }

    /// The least and the most that the wall clock can have been ahead of the running one: the thread may have
    /// been held up between any two of the readings.
    pub(super) fn offsets(&self) -> (i64, i64) {
        let offset = |running_ns| signed(self.wall_ns).saturating_sub(signed(running_ns));
        let (least, most) = (offset(self.after_ns), offset(self.before_ns));
        (least, most.max(least))
    }
}

/// Good until the year 2262.
pub(super) fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}
