//! Complete sets: a taker on one outcome, and a resting order of the same side on every other outcome of
//! its group. The rules are in docs/matching.md; what a set at odds may pay is in `payout.rs`, what one in
//! ticks costs in `shares.rs`.

use arrayvec::ArrayVec;

use super::make_room;
use super::queue::Queue;
use super::taker::{Taker, Work};
use crate::book::Order;
use crate::command::RUNNERS_MAX;
use crate::event::{Event, OutcomeIndex};
use crate::ladder::{Ladder, Tick};
use crate::limits::{FILLS_MAX, OWN_ORDERS_SKIPPED_MAX, PASSED_OVER_MAX, PAYOUTS_MAX};
use crate::market::{Market, Place};
use crate::state::State;
use crate::types::{Money, Price};

/// One lane for every other outcome of the group, in the order of the outcomes.
pub(super) type Lanes<'a> = ArrayVec<Lane<'a>, RUNNERS_MAX>;

/// The makers that sets have passed over, of all lanes. There are no more of them than may be passed over.
pub(super) type PassedOver<'a> = ArrayVec<Held<'a>, { PASSED_OVER_MAX as usize }>;

/// The way of a set's makers on one outcome: first those that were passed over and are looked at again,
/// then the queue.
pub(super) struct Lane<'a> {
    queue: Queue<'a>,
    /// What this command has left of the order at the queue's front.
    left: i64,
    /// The first and the last maker that was passed over and has something left.
    first: Option<u16>,
    last: Option<u16>,
    /// Which of them it stands at; `None`: it stands in the queue.
    at: Option<u16>,
    /// The maker that it stands at.
    pub(super) maker: Option<Maker<'a>>,
}

/// An order that may be a maker.
#[derive(Clone, Copy)]
struct Front<'a> {
    order: &'a Order,
    /// What this command has left of it.
    left: i64,
}

/// A maker that was passed over.
pub(super) struct Held<'a> {
    front: Front<'a>,
    previous: Option<u16>,
    next: Option<u16>,
}

/// A maker of the next set. Amounts count the market's increments.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    front: Front<'a>,
    /// What it has left.
    pub(super) left: u64,
    /// Its odds x 10 000, or its ticks.
    pub(super) price: u64,
    /// The probability that its odds stand for, in units of 10^-18, rounded up.
    pub(super) probability: u64,
    /// The highest payout that it can carry; of shares, how many.
    pub(super) payout_max: u64,
    /// What it puts into the set that was found.
    pub(super) stake: u64,
}

/// A set that was found. What each maker puts in is noted with it.
#[derive(Clone, Copy)]
pub(super) struct Set {
    /// The taker's stake in quanta, or its shares.
    pub(super) quantity: i64,
    pub(super) payout: Money,
    pub(super) price: Price,
}

/// What one look at the makers gives.
pub(super) enum Look {
    Found(Set),
    /// No set can be had.
    Nothing,
    /// Not with the scarcest maker, but perhaps with the next behind it.
    PassOverScarcest,
}

/// Looks for sets on behalf of one taker.
pub(super) struct Sets<'a, 's> {
    market: &'a Market,
    pub(super) taker: Taker,
    pub(super) lanes: &'s mut Lanes<'a>,
    passed_over: &'s mut PassedOver<'a>,
    /// What amounts are counted in.
    increment: i64,
    /// Whether no more sets are looked for.
    over: bool,
    /// Whether that is because there are too many own orders in front of the makers.
    pub(super) behind_own: bool,
}

impl<'a> Lane<'a> {
    fn new(queue: Queue<'a>) -> Self {
        let left = queue.front().map_or(0, |order| order.remaining);
        Self { queue, left, first: None, last: None, at: None, maker: None }
    }

    /// The order at the queue's front.
    fn front(&self) -> Option<Front<'a>> {
        self.queue.front().map(|order| Front { order, left: self.left })
    }

    fn pass(&mut self) {
        self.queue.pass();
        self.left = self.queue.front().map_or(0, |order| order.remaining);
    }
}

/// The outcomes that the makers of sets are on.
fn others(market: &Market, own: OutcomeIndex) -> impl Iterator<Item = OutcomeIndex> + use<'_> {
    market.topology.members(own).iter().copied().filter(move |outcome| *outcome != own)
}

/// The best tick of each of them on the taker's side, if anybody is there.
fn best_of_others(market: &Market, taker: Place) -> impl Iterator<Item = Option<Tick>> + use<'_> {
    others(market, taker.outcome).map(move |outcome| market.runners[outcome.index()].side(taker.side).best())
}

impl<'a, 's> Sets<'a, 's> {
    /// Whether sets could serve this taker at all: with the best price of every other outcome, whoever is
    /// there. Later makers only make the taker's price worse.
    #[inline(always)]
    pub(super) fn could_serve(market: &Market, taker: Place) -> bool {
        // Most often somebody is missing, so that is looked at first.
        let mut best = best_of_others(market, taker);
        let has_others = best.next().is_some_and(|best| best.is_some());
        has_others && best.all(|best| best.is_some()) && Self::would_serve(market, taker)
    }

    /// Whether the best of the others, who are there, could serve a taker.
    #[inline(never)]
    fn would_serve(market: &Market, taker: Place) -> bool {
        let ladder = market.spec.ladder;
        let best = best_of_others(market, taker).flatten();
        match ladder {
            Ladder::Classic | Ladder::Finest => super::payout::could_serve(ladder, taker, best),
            Ladder::Binary { .. } => super::shares::could_serve(ladder, taker, best),
        }
    }

    pub(super) fn new(
        state: &'a State,
        market: &'a Market,
        taker: &Taker,
        lanes: &'s mut Lanes<'a>,
        passed_over: &'s mut PassedOver<'a>,
        work: &mut Work,
    ) -> Self {
        for outcome in others(market, taker.place.outcome) {
            let queue = Queue::new(state, market.runners[outcome.index()].side(taker.side()));
            lanes.push(Lane::new(queue));
        }
        let (increment, over) = (market.spec.increment.0, work.passed_over >= PASSED_OVER_MAX);
        let mut sets = Self { market, taker: *taker, lanes, passed_over, increment, over, behind_own: false };
        for lane in 0..sets.lanes.len() {
            sets.settle(lane, work);
        }
        sets
    }

    /// The set that the taker would take next: better than the direct order at this tick, if there is one.
    pub(super) fn find(&mut self, direct: Option<Tick>, left: i64, work: &mut Work) -> Option<Set> {
        while !self.over && self.lanes.iter().all(|lane| lane.maker.is_some()) {
            let look = match self.market.spec.ladder {
                Ladder::Classic | Ladder::Finest => self.look_at_odds(direct, left, work),
                Ladder::Binary { .. } => self.look_at_shares(direct, left),
            };
            match look {
                Look::Found(set) => return Some(set),
                Look::Nothing => return None,
                Look::PassOverScarcest => self.pass_over_scarcest(work),
            }
        }
        None
    }

    /// How many makers of the set that was found are of the taker's account.
    pub(super) fn own_legs(&self) -> u32 {
        self.makers().map(|maker| u32::from(self.taker.owns(maker.front.order))).sum()
    }

    /// Whether meeting the set that was found stays within the bounds: taking it, or cancelling the own
    /// orders among its makers.
    pub(super) fn fits(&self, work: &Work) -> bool {
        match self.own_legs() {
            0 => work.fills as usize + self.lanes.len() <= FILLS_MAX as usize,
            own => work.own_orders + own <= OWN_ORDERS_SKIPPED_MAX,
        }
    }

    /// Takes the set that was found.
    pub(super) fn take(&mut self, set: &Set, work: &mut Work, out: &mut Vec<Event>) {
        let makers = u16::try_from(self.lanes.len()).expect("RUNNERS_MAX is small");
        make_room(out);
        out.push(self.taker.set(set.price, set.quantity, set.payout, makers));
        work.fills += u32::from(makers);
        for (lane, leg) in (0..self.lanes.len()).zip(1..) {
            let Some(Maker { front, stake, .. }) = self.lanes[lane].maker else { continue };
            let quantity = self.quantity(stake);
            let left = front.left - quantity;
            make_room(out);
            out.push(self.taker.leg(self.market, front.order, quantity, left, set.payout, leg));
            self.use_up(lane, quantity, work);
        }
    }

    /// Cancels the makers of the set that was found that are of the taker's account.
    pub(super) fn cancel_own(&mut self, work: &mut Work, out: &mut Vec<Event>) {
        for lane in 0..self.lanes.len() {
            let Some(Maker { front, .. }) = self.lanes[lane].maker else { continue };
            if self.taker.owns(front.order) {
                work.own_orders += 1;
                Taker::cancel_own(self.market, front.order, out);
                self.use_up(lane, front.left, work);
            }
        }
    }

    /// After a direct fill, whoever was passed over is looked at again.
    pub(super) fn reconsider(&mut self) {
        if self.passed_over.is_empty() {
            return;
        }
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].first.is_some() {
                self.lanes[lane].at = self.lanes[lane].first;
                self.stand(lane);
            }
        }
    }

    pub(super) const fn increments(&self, quantity: i64) -> u64 {
        (quantity / self.increment).unsigned_abs()
    }

    pub(super) fn quantity(&self, increments: u64) -> i64 {
        i64::try_from(increments).expect("no more than an order has left") * self.increment
    }

    pub(super) const fn ladder(&self) -> Ladder {
        self.market.spec.ladder
    }

    pub(super) fn makers(&self) -> impl Iterator<Item = &Maker<'a>> {
        self.lanes.iter().filter_map(|lane| lane.maker.as_ref())
    }

    /// One more payout is looked at, if that may be.
    pub(super) const fn may_look(&mut self, work: &mut Work) -> bool {
        self.over |= work.payouts >= PAYOUTS_MAX;
        work.payouts += !self.over as u32;
        !self.over
    }

    fn pass_over_scarcest(&mut self, work: &mut Work) {
        work.passed_over += 1;
        if work.passed_over >= PASSED_OVER_MAX {
            self.over = true;
            return;
        }
        // Of several that are the scarcest, the first; and every lane has a maker.
        let payout_max = |lane: &usize| self.lanes[*lane].maker.map_or(u64::MAX, |maker| maker.payout_max);
        let Some(place) = (0..self.lanes.len()).min_by_key(payout_max) else { return };
        let lane = &mut self.lanes[place];
        if let Some(at) = lane.at {
            lane.at = self.passed_over[usize::from(at)].next;
        } else if let Some(front) = lane.front() {
            let new = u16::try_from(self.passed_over.len()).expect("PASSED_OVER_MAX is small");
            self.passed_over.push(Held { front, previous: lane.last, next: None });
            match lane.last {
                Some(last) => self.passed_over[usize::from(last)].next = Some(new),
                None => lane.first = Some(new),
            }
            lane.last = Some(new);
            lane.pass();
        }
        self.settle(place, work);
    }

    /// Takes so much of the maker that a lane stands at.
    fn use_up(&mut self, place: usize, quantity: i64, work: &mut Work) {
        let lane = &mut self.lanes[place];
        let Some(at) = lane.at else {
            lane.left -= quantity;
            if lane.left == 0 {
                lane.pass();
            }
            return self.settle(place, work);
        };
        let held = &mut self.passed_over[usize::from(at)];
        held.front.left -= quantity;
        if held.front.left == 0 {
            let (previous, next) = (held.previous, held.next);
            match previous {
                Some(previous) => self.passed_over[usize::from(previous)].next = next,
                None => lane.first = next,
            }
            match next {
                Some(next) => self.passed_over[usize::from(next)].previous = previous,
                None => lane.last = previous,
            }
            lane.at = next;
        }
        self.settle(place, work);
    }

    /// Leaves out own orders at the front of a lane's queue, and stands at what is there.
    fn settle(&mut self, place: usize, work: &mut Work) {
        let lane = &mut self.lanes[place];
        while lane.at.is_none() && lane.queue.front().is_some_and(|order| self.taker.skips(order)) {
            if work.own_orders >= OWN_ORDERS_SKIPPED_MAX {
                (self.over, self.behind_own) = (true, true);
                return;
            }
            work.own_orders += 1;
            lane.pass();
        }
        self.stand(place);
    }

    fn stand(&mut self, place: usize) {
        let lane = &self.lanes[place];
        let front = match lane.at {
            Some(at) => Some(self.passed_over[usize::from(at)].front),
            None => lane.front(),
        };
        let maker = front.map(|front| {
            let left = self.increments(front.left);
            let price = u64::from(self.ladder().price(front.order.tick).0);
            let (probability, payout_max) = match self.ladder() {
                Ladder::Classic | Ladder::Finest => super::payout::of_maker(self.taker.side(), left, price),
                Ladder::Binary { .. } => (0, left),
            };
            Maker { front, left, price, probability, payout_max, stake: 0 }
        });
        self.lanes[place].maker = maker;
    }
}
