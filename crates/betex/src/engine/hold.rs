//! What a follower holds of the journal, and how it loses that.
//!
//! Nothing is removed that a follower has still to read. One that hangs would hold it for ever, and the disk
//! would fill; so one that has work and does not move for as long as a claim lasts
//! ([`Config::handler_claim`](crate::config::Config::handler_claim)) is let go, with an alarm. It holds again as
//! soon as it moves. What was removed meanwhile it is told of by its reader: it never sees a gap.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

/// One follower's. The follower says where it is, and looks at no clock; whoever prunes looks at it now and then.
#[derive(Debug)]
pub(crate) struct Hold {
    name: String,
    /// The number of the first event that it has not come back from.
    next: AtomicU64,
    /// The follower is no more.
    gone: AtomicBool,
    /// Where it was seen first at the place where it is, with work waiting.
    seen: Mutex<Option<Seen>>,
    stuck: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    next: u64,
    since_ns: u64,
}

impl Hold {
    pub(crate) fn new(name: &str, next: u64) -> Self {
        Self {
            name: name.to_owned(),
            next: AtomicU64::new(next),
            gone: AtomicBool::new(false),
            seen: Mutex::new(None),
            stuck: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// The follower has come back from everything before `next`.
    pub(crate) fn moved(&self, next: u64) {
        self.next.store(next, Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.gone.store(true, Ordering::Release);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Whether it was let go when it was looked at last.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Acquire)
    }

    /// The number of the first event that it holds; `None` if it holds nothing. `shown` is the last event that
    /// it could have seen.
    pub(crate) fn look(&self, shown: u64, now_ns: u64, claim_ns: u64) -> Option<u64> {
        if self.is_gone() {
            return None;
        }
        let (next, mut seen) = (self.next(), self.seen.lock());
        // Counted from a look that found work waiting, and not from when it moved last: a handler that rested
        // for a week is not late with the first event after it.
        match &*seen {
            _ if next > shown => *seen = None,
            Some(seen) if seen.next == next => (),
            _ => *seen = Some(Seen { next, since_ns: now_ns }),
        }
        let is_stuck = seen.is_some_and(|seen| now_ns.saturating_sub(seen.since_ns) > claim_ns);
        drop(seen);
        if self.stuck.swap(is_stuck, Ordering::AcqRel) != is_stuck {
            self.tell(is_stuck, next);
        }
        (!is_stuck).then_some(next)
    }

    fn tell(&self, is_stuck: bool, next: u64) {
        let handler = self.name();
        if is_stuck {
            ::metrics::counter!(crate::metrics::HANDLER_CLAIMS_LOST).increment(1);
            tracing::error!(
                handler,
                next,
                "a handler hangs: the journal no longer waits for it, and what it has not seen may be removed. Find out \
                 what it waits for; if it does not go on by itself, restart before that is removed"
            );
        } else {
            tracing::info!(handler, next, "a handler that hung goes on: the journal waits for it again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: u64 = 100;

    #[test]
    fn one_that_does_not_move_is_let_go_and_holds_again_when_it_moves() {
        let hold = Hold::new("diary", 5);
        for (now, held) in [(0, Some(5)), (100, Some(5)), (101, None), (9_000, None)] {
            assert_eq!((hold.look(7, now, CLAIM), hold.is_stuck()), (held, held.is_none()), "at {now}");
        }
        hold.moved(6);
        assert_eq!((hold.look(7, 9_001, CLAIM), hold.is_stuck()), (Some(6), false));
        assert_eq!(hold.look(7, 9_101, CLAIM), Some(6));
        assert_eq!(hold.look(7, 9_102, CLAIM), None);
        hold.moved(8);
        assert_eq!(hold.look(7, 9_103, CLAIM), Some(8), "it has seen everything");
    }

    #[test]
    fn one_that_moves_however_slowly_is_waited_for() {
        let hold = Hold::new("diary", 1);
        for now in (0..100_000).step_by(90) {
            assert_eq!(hold.look(1 << 40, now, CLAIM), Some(hold.next()));
            if now % 180 == 0 {
                hold.moved(hold.next() + 1);
            }
        }
    }

    #[test]
    fn one_that_has_nothing_to_do_is_waited_for_and_is_not_late_with_what_comes_then() {
        let hold = Hold::new("diary", 5);
        assert_eq!(hold.look(4, 0, CLAIM), Some(5));
        assert_eq!(hold.look(4, 1_000, CLAIM), Some(5));
        assert_eq!(hold.look(5, 2_000, CLAIM), Some(5));
        assert_eq!(hold.look(5, 2_101, CLAIM), None);
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nobody_go() {
        let hold = Hold::new("diary", 5);
        assert_eq!(hold.look(5, 1_000, CLAIM), Some(5));
        assert_eq!(hold.look(5, 10, CLAIM), Some(5));
    }

    #[test]
    fn one_that_has_ended_holds_nothing_and_is_not_stuck() {
        let hold = Hold::new("diary", 5);
        assert_eq!(hold.look(9, 0, CLAIM), Some(5));
        hold.end();
        assert_eq!((hold.look(9, 1_000, CLAIM), hold.is_stuck()), (None, false));
    }
}
