//! Time that runs evenly, whatever happens to the wall clock.

use super::source::{Reading, signed};

/// A correction changes the pace by one part in so many at most: 10 ms a second.
pub(super) const SLEW: u64 = 100;
/// A wall clock that is set by this much or more was stepped. The small corrections of NTP are less.
pub(super) const STEP_NS: u64 = 1_000_000_000;

/// What the time is as a function of the running clock. It begins where the wall clock is and then approaches the wall
/// clock at a bounded pace: a wall clock that is wrong for a moment moves it by a hundredth of that moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    /// The running clock at the last correction, and the time then.
    at_ns: u64,
    then_ns: u64,
    /// By how much the wall clock is ahead of the running one.
    wall_offset_ns: i64,
}

impl Steady {
    /// Begins with the wall clock's time, or with `floor_ns` if that is later.
    pub(super) fn new(reading: &Reading, floor_ns: u64) -> Self {
        let (wall_offset_ns, _) = reading.offsets();
        Self { at_ns: reading.after_ns, then_ns: reading.wall_ns.max(floor_ns), wall_offset_ns }
    }

    /// The time when the running clock says this.
    pub(super) fn now_ns(&self, running_ns: u64) -> u64 {
        let passed_ns = running_ns.saturating_sub(self.at_ns);
        let slew_ns = signed(passed_ns / SLEW);
        let own_offset_ns = signed(self.then_ns).saturating_sub(signed(self.at_ns));
        let missing_ns = self.wall_offset_ns.saturating_sub(own_offset_ns);
        self.then_ns.saturating_add(passed_ns).saturating_add_signed(missing_ns.clamp(-slew_ns, slew_ns))
    }

    /// By how much the time is ahead of the wall clock.
    pub(super) fn ahead_ns(&self, running_ns: u64) -> i64 {
        signed(self.now_ns(running_ns)).saturating_sub(self.wall_ns(running_ns))
    }

    /// What the wall clock should say.
    fn wall_ns(&self, running_ns: u64) -> i64 {
        signed(running_ns).saturating_add(self.wall_offset_ns)
    }

    /// Takes in what the clocks say; by how much the wall clock was set since the last look. 0 as long as the
    /// reading does not contradict what is known: a thread that is held up between two readings is no correction.
    pub(super) fn look(&mut self, reading: &Reading) -> i64 {
        let (least, most) = reading.offsets();
        let offset_ns = self.wall_offset_ns.clamp(least, most);
        let set_by_ns = offset_ns.saturating_sub(self.wall_offset_ns);
        if set_by_ns != 0 {
            self.then_ns = self.now_ns(reading.after_ns);
            self.at_ns = self.at_ns.max(reading.after_ns);
            self.wall_offset_ns = offset_ns;
        }
        set_by_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: i64 = 3_600 * 1_000_000_000;
    const BEGINNING: u64 = 1_800_000_000 * SECOND;

    /// A machine whose clocks go as a script says.
    struct Script {
        running_ns: u64,
        /// By how much the wall clock is off the truth.
        wrong_ns: i64,
        steady: Steady,
    }

    impl Script {
        fn new() -> Self {
            let reading = Reading { before_ns: 7, wall_ns: BEGINNING, after_ns: 7 };
            Self { running_ns: 7, wrong_ns: 0, steady: Steady::new(&reading, 0) }
        }

        fn true_ns(&self) -> u64 {
            BEGINNING + self.running_ns - 7
        }

        fn now_ns(&self) -> u64 {
            self.steady.now_ns(self.running_ns)
        }

        fn look(&mut self) -> i64 {
            let wall_ns = self.true_ns().saturating_add_signed(self.wrong_ns);
            let running_ns = self.running_ns;
            self.steady.look(&Reading { before_ns: running_ns, wall_ns, after_ns: running_ns })
        }

        /// Lets time pass, with a look every 100 ms, and holds the pace of it.
        fn pass(&mut self, mut ns: u64) {
            while ns > 0 {
                let (before, step) = (self.now_ns(), ns.min(SECOND / 10));
                self.running_ns += step;
                let moved = self.now_ns() - before;
                assert!(
                    (step - step / SLEW - 1..=step + step / SLEW + 1).contains(&moved),
                    "{moved} in {step}"
                );
                let before = self.now_ns();
                self.look();
                assert_eq!(self.now_ns(), before, "a look moves nothing");
                ns -= step;
            }
        }

        fn off_ns(&self) -> u64 {
            self.now_ns().abs_diff(self.true_ns())
        }
    }

    #[test]
    fn a_step_that_is_taken_back_moves_time_by_a_hundredth_of_its_duration() {
        for wrong_ns in [HOUR, -HOUR, 1_000 * 24 * HOUR, 5_000_000, i64::MAX / 2] {
            for lasts_ns in [1, SECOND / 2, 60 * SECOND] {
                let mut script = Script::new();
                script.pass(10 * SECOND);
                script.wrong_ns = wrong_ns;
                assert_eq!(script.look(), wrong_ns);
                script.pass(lasts_ns);
                assert!(script.off_ns() <= lasts_ns / SLEW + 1, "{wrong_ns} for {lasts_ns}");
                script.wrong_ns = 0;
                assert_eq!(script.look(), -wrong_ns);
                script.pass(lasts_ns + SECOND);
                assert_eq!(script.off_ns(), 0, "it is made good in the same time");
            }
        }
    }

    #[test]
    fn a_step_that_stays_is_followed_at_the_bounded_pace_and_reached() {
        for wrong_ns in [2_000_000_000, -2_000_000_000, 300_000_000] {
            let mut script = Script::new();
            script.wrong_ns = wrong_ns;
            script.look();
            let needed = wrong_ns.unsigned_abs() * SLEW;
            script.pass(needed - SECOND);
            assert_ne!(script.steady.ahead_ns(script.running_ns), 0);
            script.pass(2 * SECOND);
            assert_eq!(script.steady.ahead_ns(script.running_ns), 0);
            assert_eq!(script.off_ns(), wrong_ns.unsigned_abs());
        }
    }

    #[test]
    fn it_never_goes_back_under_any_sequence_of_steps() {
        let mut script = Script::new();
        let mut dice = 1_u64;
        for _ in 0..20_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let before = script.now_ns();
            let passed = (dice >> 33) % SECOND;
            script.running_ns += passed;
            if dice >> 60 < 4 {
                script.wrong_ns = signed((dice >> 20) % (48 * 3_600 * SECOND)) - 24 * HOUR;
            }
            script.look();
            let moved = script.now_ns().checked_sub(before).unwrap();
            assert!(moved.abs_diff(passed) <= passed / SLEW + 1);
        }
    }

    #[test]
    fn a_thread_that_is_held_up_between_the_readings_is_no_correction() {
        let mut script = Script::new();
        for held_up_ns in [0, 50_000_000, 3_600 * SECOND] {
            let (before_ns, wall_ns) = (script.running_ns, script.true_ns());
            script.running_ns += held_up_ns;
            let after_ns = script.running_ns;
            assert_eq!(script.steady.look(&Reading { before_ns, wall_ns, after_ns }), 0);
        }
        assert_eq!(script.off_ns(), 0);
    }

    #[test]
    fn it_begins_with_the_later_of_the_clock_and_the_journal() {
        let reading = Reading { before_ns: 7, wall_ns: BEGINNING, after_ns: 7 };
        let ahead = BEGINNING + 4 * 365 * 24 * 3_600 * SECOND;
        let steady = Steady::new(&reading, ahead);
        assert_eq!(steady.now_ns(7), ahead);
        assert_eq!(steady.ahead_ns(7), signed(ahead - BEGINNING));
        // It runs, though slower than the clock, and does not stand still until the clock is there.
        assert_eq!(steady.now_ns(7 + 100 * SECOND), ahead + 99 * SECOND);
        assert_eq!(Steady::new(&reading, BEGINNING - 1).now_ns(7), BEGINNING);
    }

    #[test]
    fn a_machine_that_slept_has_lost_nothing() {
        let mut script = Script::new();
        script.running_ns += 8 * 3_600 * SECOND;
        assert_eq!(script.look(), 0);
        assert_eq!(script.off_ns(), 0);
    }
}
