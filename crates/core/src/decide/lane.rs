//! The way of sets through the queue of one outcome: past the taker's own orders, past makers that are used
//! up, and past makers that no set could take at the present price, to which it comes back.

use smallvec::SmallVec;

use super::queue::{Queue, Spot};
use super::taker::{Taker, Work};
use crate::book::Order;
use crate::ladder::Tick;
use crate::limits::OWN_ORDERS_SKIPPED_MAX;

/// What this command did to orders to which a lane may come back, for all lanes. Few commands have any, so
/// the first few need no memory of their own; there are at most as many as fills and own orders.
pub(super) type Marks = SmallVec<[Mark; 64]>;

/// The lane of one outcome: a cursor in its queue.
pub(super) struct Lane<'a> {
    queue: Queue<'a>,
    /// The first order that can be a maker. Nothing before it can.
    head: Option<Spot>,
    /// The order at the cursor: the maker of the next set.
    at: Option<Spot>,
    /// What this command has left of it, if the lane is settled.
    left: i64,
    /// Whether the order at the cursor is known to be one that can be a maker.
    settled: bool,
    /// Whether makers between the head and the cursor were passed over.
    passed_over: bool,
    /// The first mark of the lane, the last one before the cursor, and the first one at or after it.
    first: MarkPlace,
    before: MarkPlace,
    after: MarkPlace,
}

/// What this command did to an order.
pub(super) struct Mark {
    spot: Spot,
    /// What is left of it.
    left: i64,
    /// Where the cursor goes from an order that is no maker any more: past all those like it.
    resume: Option<Spot>,
    next: MarkPlace,
}

/// The place of a mark among all marks.
type MarkPlace = Option<u16>;

/// More of the taker's own orders are in the way than one command may pass over.
pub(super) struct TooManyOwn;

impl<'a> Lane<'a> {
    /// A lane at the head of its queue, once [`Lane::settle`] was called.
    pub(super) fn new(queue: Queue<'a>) -> Self {
        let first = queue.first();
        Self {
            queue,
            head: first,
            at: first,
            left: 0,
            settled: false,
            passed_over: false,
            first: None,
            before: None,
            after: None,
        }
    }

    /// Moves the head to the first order at or after the tick that is `wanted` of a queue that begins at a tick.
    /// Only of a new lane.
    pub(super) fn begin_at(&mut self, wanted: impl Fn(Tick) -> Tick) {
        let first = self.at.and_then(|first| self.queue.first_from(wanted(first.tick)));
        (self.head, self.at) = (first, first);
    }

    /// The maker at the cursor, and what this command has left of it.
    pub(super) fn maker(&self) -> Option<(&'a Order, i64)> {
        self.at.map(|spot| (self.queue.order(spot), self.left))
    }

    /// The same in numbers, without a look at the order: its tick, and what is left of it.
    pub(super) fn numbers(&self) -> Option<(Tick, i64)> {
        self.at.map(|spot| (spot.tick, self.left))
    }

    pub(super) const fn has_passed_over(&self) -> bool {
        self.passed_over
    }

    /// Passes the maker at the cursor over, until [`Lane::return_to_head`].
    pub(super) fn pass_over(&mut self, marks: &mut Marks) {
        let Some(spot) = self.at else { return };
        if !self.passed_over {
            (self.head, self.passed_over) = (Some(spot), true);
        }
        self.note_left(spot, marks);
        (self.at, self.settled) = (self.queue.after(spot), false);
    }

    /// Takes this much of the maker at the cursor. One with less than a unit left is used up.
    pub(super) fn take(&mut self, stake: i64, unit: i64, marks: &mut Marks) {
        self.left -= stake;
        if self.left < unit {
            self.remove(marks);
        }
    }

    /// The order at the cursor is no maker any more. The cursor goes on to the next order.
    pub(super) fn remove(&mut self, marks: &mut Marks) {
        let Some(spot) = self.at else { return };
        let marked = self.mark_of(spot, marks);
        let (resume, next) = match marked.map(|place| &marks[usize::from(place)]) {
            Some(mark) if mark.left == 0 => (mark.resume, mark.next),
            Some(mark) => (self.queue.after(spot), mark.next),
            None => (self.queue.after(spot), self.after),
        };
        if !self.passed_over {
            // The lane never comes back here.
            (self.head, self.first, self.before) = (resume, next, None);
        } else if let Some(run) = self.run_before(spot, marks) {
            // However many such orders are neighbours, the next walk passes them in one step.
            (run.resume, run.next) = (resume, next);
        } else if let Some(place) = marked {
            let mark = &mut marks[usize::from(place)];
            (mark.left, mark.resume) = (0, resume);
            self.before = marked;
        } else {
            self.insert(Mark { spot, left: 0, resume, next }, marks);
        }
        (self.at, self.after, self.settled) = (resume, next, false);
    }

    /// Goes back to the first maker that was passed over.
    pub(super) fn return_to_head(&mut self, marks: &mut Marks) {
        if let Some(spot) = self.at {
            self.note_left(spot, marks);
        }
        (self.at, self.passed_over, self.settled) = (self.head, false, false);
        (self.before, self.after) = (None, self.first);
    }

    /// Moves the cursor on to the next order that can be a maker, if it is not at one.
    pub(super) fn settle(
        &mut self,
        taker: &Taker,
        work: &mut Work,
        marks: &mut Marks,
    ) -> Result<(), TooManyOwn> {
        while let Some(spot) = self.at.filter(|_| !self.settled) {
            #[cfg(test)]
            STEPS.set(STEPS.get() + 1);
            let queued = self.queue.queued(spot);
            if let Some(place) = self.mark_of(spot, marks) {
                self.left = marks[usize::from(place)].left;
                self.settled = self.left > 0;
            } else if queued.may_be_of(taker.account) && taker.skips(self.queue.order(spot)) {
                // It gets a mark, or the head moves past it: so it counts once.
                if work.own_orders >= OWN_ORDERS_SKIPPED_MAX {
                    return Err(TooManyOwn);
                }
                work.own_orders += 1;
            } else {
                (self.left, self.settled) = (queued.left, true);
            }
            if !self.settled {
                self.remove(marks);
            }
        }
        Ok(())
    }

    /// Notes what is left of the maker at the cursor, which is about to leave it.
    fn note_left(&mut self, spot: Spot, marks: &mut Marks) {
        if let Some(place) = self.mark_of(spot, marks) {
            let mark = &mut marks[usize::from(place)];
            mark.left = self.left;
            (self.before, self.after) = (Some(place), mark.next);
        } else if self.left != self.queue.queued(spot).left {
            self.insert(Mark { spot, left: self.left, resume: None, next: self.after }, marks);
        }
    }

    /// The place of the mark of the order at the cursor.
    fn mark_of(&self, spot: Spot, marks: &Marks) -> MarkPlace {
        self.after.filter(|place| marks[usize::from(*place)].spot == spot)
    }

    /// The mark before the cursor, if it is of a run of orders that are no makers and that ends where this
    /// order, at the cursor, begins.
    fn run_before<'m>(&self, spot: Spot, marks: &'m mut Marks) -> Option<&'m mut Mark> {
        let mark = &mut marks[usize::from(self.before?)];
        (mark.left == 0 && mark.resume == Some(spot)).then_some(mark)
    }

    /// Inserts a mark at the cursor, before the one that comes next.
    fn insert(&mut self, mark: Mark, marks: &mut Marks) {
        let new = u16::try_from(marks.len()).ok();
        marks.push(mark);
        match self.before {
            Some(before) => marks[usize::from(before)].next = new,
            None => self.first = new,
        }
        self.before = new;
    }
}

#[cfg(test)]
thread_local! {
    /// How many orders cursors came to.
    pub(super) static STEPS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}
