//! Handlers, as slow as the dice want them, which hang now and then, keep their position and come back to it.

use betex::engine::rig::{Rig, Tap, Turn};
use betex_journal::ReadError;

use crate::dice::Dice;
use crate::failure::{Check, Checked, Failure, ensure};
use crate::truth::Truth;

/// A handler, and what it has promised itself.
pub(crate) struct Listener {
    queue_events: usize,
    /// Whether it comes back to where it was, or begins with what happens then.
    recovers: bool,
    tap: Option<Tap>,
    /// The number of the event that is due.
    next: u64,
    /// The position that it would find after a crash.
    kept: u64,
    /// Whether it keeps every position, or only now and then one.
    is_careful: bool,
    /// It does nothing before this time, also if the engine is started again: it hangs in the same event.
    hangs_until_ns: u64,
    /// It has hung for so long that the journal does not wait for it, and has not caught up since.
    is_let_go: bool,
    pub(crate) let_go: u64,
    /// What it still had to see was removed.
    pub(crate) cut_off: u64,
    pub(crate) heard: u64,
    pub(crate) caught_up: u64,
}

impl Listener {
    pub(crate) const fn new(queue_events: usize, recovers: bool, is_careful: bool) -> Self {
        Self {
            queue_events,
            recovers,
            tap: None,
            next: 1,
            kept: 0,
            is_careful,
            hangs_until_ns: 0,
            is_let_go: false,
            let_go: 0,
            cut_off: 0,
            heard: 0,
            caught_up: 0,
        }
    }

    /// What it will ask for when it comes back has been removed: it begins with this event.
    pub(crate) fn come_too_late(&mut self, first: u64) -> bool {
        let is_waited_for = self.is_careful && !self.is_let_go;
        let is_too_late = self.recovers && !is_waited_for && self.kept + 1 < first;
        if is_too_late {
            self.kept = first - 1;
        }
        is_too_late
    }

    /// The engine has started; `late` is a bug on purpose.
    pub(crate) fn begin(&mut self, rig: &Rig, late: bool) -> Checked {
        let sequence = rig.read().sequence();
        let kept = if self.recovers { self.kept } else { sequence };
        ensure(kept <= sequence, Check::Gate, || {
            format!("a handler heard of event {kept}, and the restarted engine is at {sequence}")
        })?;
        self.next = kept + 1;
        self.is_let_go = false;
        let after = if late { kept + 1 } else { kept };
        self.tap = Some(rig.follow(self.recovers.then_some(after), self.queue_events));
        Ok(())
    }

    /// The engine is gone.
    pub(crate) fn end(&mut self) {
        self.tap = None;
    }

    pub(crate) fn hang(&mut self, until_ns: u64) {
        self.hangs_until_ns = until_ns;
    }

    /// It was looked at whether it hangs.
    pub(crate) fn was_looked_at(&mut self) {
        if !self.is_let_go && self.tap.as_ref().is_some_and(Tap::is_stuck) {
            self.is_let_go = true;
            self.let_go += 1;
        }
    }

    /// Hears of what has come, unless it hangs; whether it was something.
    pub(crate) fn step(&mut self, truth: &Truth, dice: &mut Dice, now_ns: u64) -> Result<bool, Failure> {
        let Some(tap) = self.tap.as_mut().filter(|_| now_ns >= self.hangs_until_ns) else {
            return Ok(false);
        };
        let (mut next, mut caught_up, mut result) = (self.next, 0, Ok(()));
        let turn = tap.step(|event| {
            let (due, is) = (next, &event.record);
            next += 1;
            caught_up += u64::from(event.caught_up);
            if result.is_ok() {
                let right = truth.event(due).is_some_and(|shown| shown == is);
                let words = || format!("event {} where {due} was due, or not as it was shown", is.sequence);
                result = ensure(right, Check::Handler, words);
            }
        });
        result?;
        self.heard += next - self.next;
        self.caught_up += caught_up;
        self.next = next;
        if self.is_careful {
            self.kept = self.next - 1;
        } else if dice.chance(4) {
            // Anywhere, also in the middle of a transaction.
            self.kept = self.kept.max((self.next - 1).saturating_sub(dice.below(4)));
        }
        match turn {
            Err(ReadError::Pruned { .. }) if self.is_let_go => {
                self.cut_off += 1;
                self.tap = None;
                Ok(false)
            }
            Err(error) => Err(Failure::new(Check::Handler, format!("a handler is stopped: {error}"))),
            Ok(turn) => {
                self.is_let_go &= turn == Turn::Worked;
                Ok(turn == Turn::Worked)
            }
        }
    }

    /// Hears of all there is.
    pub(crate) fn finish(&mut self, truth: &Truth, dice: &mut Dice) -> Checked {
        while self.step(truth, dice, u64::MAX)? {}
        ensure(self.tap.is_none() || self.next == truth.sequence() + 1, Check::Handler, || {
            format!("a handler waits for event {}, of {}", self.next, truth.sequence())
        })
    }
}
