//! Complete sets: a taker on one outcome, and a resting order of the same side on every other outcome of
//! its group. The rules are in docs/matching.md; what a set at odds may pay is in `payout.rs`, what one in
//! ticks costs in `shares.rs`, how makers are passed over in `lane.rs`.

use arrayvec::ArrayVec;

use super::lane::{Lane, Marks};
use super::make_room;
use super::payout::{self, Wanted};
use super::prices::Prices;
use super::queue::Queue;
use super::taker::{Taker, Work};
use crate::command::RUNNERS_MAX;
use crate::event::{Event, OutcomeIndex};
use crate::ladder::{Ladder, Tick};
use crate::limits::{FILLS_MAX, OWN_ORDERS_SKIPPED_MAX};
use crate::market::{Market, Place};
use crate::state::State;
use crate::types::{Money, Price, SelfTradePrevention};

/// What a search for sets needs besides the market: a lane for every other outcome of the group, in the
/// order of the outcomes, and the makers that they are at.
pub(super) struct Lanes<'a> {
    lanes: ArrayVec<Lane<'a>, { RUNNERS_MAX - 1 }>,
    makers: ArrayVec<Maker, { RUNNERS_MAX - 1 }>,
    marks: Marks,
    /// What the makers' prices come to.
    prices: Prices,
}

impl Lanes<'_> {
    pub(super) const fn new() -> Self {
        Self {
            lanes: ArrayVec::new_const(),
            makers: ArrayVec::new_const(),
            marks: Marks::new_const(),
            prices: Prices::new(),
        }
    }
}

/// A maker of the next set, in numbers. Amounts are quanta, or shares.
#[derive(Clone, Copy)]
pub(super) struct Maker {
    /// What it has left; 0: there is no maker on this outcome.
    pub(super) left: u64,
    /// Its odds x 10 000, or its ticks.
    pub(super) price: u64,
    /// The probability that its odds stand for, in units of 10^-18, rounded up.
    pub(super) probability: u64,
    /// The highest payout that it can carry; of shares, how many.
    pub(super) bound: u64,
    /// What it puts into the set that was found.
    pub(super) stake: u64,
}

impl Maker {
    const MISSING: Self = Self { left: 0, price: 0, probability: 0, bound: 0, stake: 0 };
}

/// A set that was found. What each maker puts in is noted with it.
#[derive(Clone, Copy)]
pub(super) struct Set {
    /// The taker's stake in quanta, or its shares.
    pub(super) stake: i64,
    pub(super) payout: Money,
    pub(super) price: Price,
    /// The price of the ladder that had to be reached.
    pub(super) level: Price,
}

/// What one look at the makers gives.
pub(super) enum Look {
    Found(Set),
    /// No set can be had.
    Nothing,
    /// Not with the maker of this lane, but perhaps with the next in its queue.
    PassOver(usize, Why),
}

/// Why a maker is passed over: whether a look at the same makers would end so again.
#[derive(Clone, Copy, Default)]
pub(super) struct Why {
    /// Another price to beat could change it.
    pub(super) direct: bool,
    /// What the taker must have left, in units of 10^-18 quanta, so that it does not change it.
    pub(super) left: u128,
}

/// Looks for sets on behalf of one taker.
pub(super) struct Sets<'a, 's> {
    market: &'a Market,
    taker: Taker,
    lanes: &'s mut Lanes<'a>,
    /// How many lanes are at no maker.
    missing: usize,
    /// The direct order that makers were passed over for.
    direct: Option<Tick>,
    passed_over: PassedOver,
    /// Whether too many of the taker's own orders are before the makers.
    pub(super) blocked_by_own: bool,
}

/// What was passed over since the lanes were at their heads.
#[derive(Clone, Copy, Default)]
struct PassedOver {
    /// How many looks ended so.
    looks: u32,
    /// Whether other looks would be made now: a lane has moved for another reason.
    moved: bool,
    why: Why,
}

/// The outcomes that the makers of sets are on.
fn others(market: &Market, own: OutcomeIndex) -> impl Iterator<Item = OutcomeIndex> + use<'_> {
    market.topology.members(own).iter().copied().filter(move |outcome| *outcome != own)
}

/// The best tick of each of them on the taker's side, if there is an order.
fn best_of_others(market: &Market, taker: Place) -> impl Iterator<Item = Option<Tick>> + use<'_> {
    others(market, taker.outcome).map(move |outcome| market.runners[outcome.index()].side(taker.side).best())
}

impl<'a, 's> Sets<'a, 's> {
    /// Whether sets could serve this taker at all: with the best price of every other outcome, of
    /// whatever account. Later makers only make the taker's price worse.
    #[inline(always)]
    pub(super) fn could_serve(market: &Market, taker: Place) -> bool {
        // Most often a maker is missing, so that is looked at first.
        let mut best = best_of_others(market, taker);
        let has_others = best.next().is_some_and(|best| best.is_some());
        has_others && best.all(|best| best.is_some()) && Self::would_serve(market, taker)
    }

    /// Whether the best of the others, which are there, could serve a taker.
    #[inline(never)]
    fn would_serve(market: &Market, taker: Place) -> bool {
        let ladder = market.spec.ladder;
        let best = best_of_others(market, taker).flatten();
        match ladder {
            Ladder::Classic | Ladder::Finest => payout::could_serve(ladder, taker, best),
            Ladder::Binary { .. } => super::shares::could_serve(ladder, taker, best),
        }
    }

    /// How many makers a set has that a taker on this outcome takes; 0: there are no sets.
    #[inline(always)]
    pub(super) fn others_of(market: &Market, own: OutcomeIndex) -> u32 {
        let members = market.topology.members(own).len();
        u32::try_from(members.saturating_sub(1)).expect("RUNNERS_MAX is small")
    }

    pub(super) fn new(
        state: &'a State,
        market: &'a Market,
        taker: &Taker,
        lanes: &'s mut Lanes<'a>,
        work: &mut Work,
    ) -> Self {
        for outcome in others(market, taker.place.outcome) {
            let queue = Queue::new(state, market.runners[outcome.index()].side(taker.side()));
            lanes.lanes.push(Lane::new(queue));
            lanes.makers.push(Maker::MISSING);
        }
        let missing = lanes.lanes.len();
        if let ([lane], Ladder::Classic | Ladder::Finest) = (&mut lanes.lanes[..], market.spec.ladder) {
            // With a single maker its odds alone say that its price is too good, whatever it has left.
            lane.begin_at(|first| payout::first_credible(taker.side(), market.spec.ladder, first));
        }
        let mut sets = Self {
            market,
            taker: *taker,
            lanes,
            missing,
            direct: None,
            passed_over: PassedOver::default(),
            blocked_by_own: false,
        };
        for lane in 0..missing {
            sets.settle(lane, work);
        }
        sets
    }

    /// How many makers a set has.
    pub(super) fn makers(&self) -> u32 {
        u32::try_from(self.lanes.lanes.len()).expect("RUNNERS_MAX is small")
    }

    /// The set that the taker would take next: better than the direct order at this tick, if there is one.
    pub(super) fn find(&mut self, direct: Option<Tick>, left: i64, work: &mut Work) -> Option<Set> {
        self.look_again(direct, left, work);
        let ladder = self.market.spec.ladder;
        let wanted = Wanted::by(
            self.taker.side(),
            left,
            ladder.price(self.taker.place.tick),
            direct.map(|tick| ladder.price(tick)),
        );
        self.search(work, |prices, makers, taker| match ladder {
            Ladder::Classic | Ladder::Finest => wanted.look(prices, makers),
            Ladder::Binary { .. } => super::shares::look(ladder, taker.place, direct, left, makers),
        })
    }

    /// The set that a taker without end would take next at any price.
    pub(super) fn find_endless(&mut self, work: &mut Work) -> Option<Set> {
        let ladder = self.market.spec.ladder;
        let wanted = Wanted::endlessly(self.taker.side(), ladder);
        self.search(work, |prices, makers, taker| match ladder {
            Ladder::Classic | Ladder::Finest => wanted.look(prices, makers),
            Ladder::Binary { .. } => super::shares::look(ladder, taker.place, None, i64::MAX, makers),
        })
    }

    fn search(
        &mut self,
        work: &mut Work,
        look: impl Fn(&mut Prices, &mut [Maker], &Taker) -> Look,
    ) -> Option<Set> {
        while !self.blocked_by_own && work.may_look(self.makers()) {
            if self.missing > 0 {
                return None;
            }
            let Lanes { makers, prices, .. } = &mut *self.lanes;
            match look(prices, makers, &self.taker) {
                Look::Found(set) => return Some(set),
                Look::Nothing => return None,
                Look::PassOver(lane, why) => {
                    let Lanes { lanes, marks, .. } = &mut *self.lanes;
                    lanes[lane].pass_over(marks);
                    let passed = &mut self.passed_over;
                    passed.looks += 1;
                    passed.why.direct |= why.direct;
                    passed.why.left = passed.why.left.max(why.left);
                    self.settle(lane, work);
                }
            }
        }
        None
    }

    /// At another price to beat, makers that were passed over are looked at again.
    fn look_again(&mut self, direct: Option<Tick>, left: i64, work: &mut Work) {
        if self.direct == direct {
            return;
        }
        self.direct = direct;
        let PassedOver { looks, moved, why } = self.passed_over;
        if looks == 0 {
            return;
        }
        if !moved && !why.direct && why.left <= payout::precise(left) {
            // Every look would end as it did, and is counted. Prices to beat only get easier to beat.
            work.count(looks.saturating_mul(self.makers()));
            return;
        }
        self.passed_over = PassedOver::default();
        for lane in 0..self.lanes.lanes.len() {
            let Lanes { lanes, marks, .. } = &mut *self.lanes;
            if lanes[lane].has_passed_over() {
                lanes[lane].return_to_head(marks);
                self.settle(lane, work);
            }
        }
    }

    /// How many makers of the set that was found are of the taker's account.
    pub(super) fn own_makers(&self) -> u32 {
        // Where they are skipped, no lane is at one.
        if !self.taker.account.is_some() || self.taker.self_trade == SelfTradePrevention::Skip {
            return 0;
        }
        let makers = self.lanes.lanes.iter().filter_map(Lane::maker);
        makers.map(|(order, _)| u32::from(self.taker.owns(order))).sum()
    }

    /// Whether the legs of one more set stay within the bound on fills.
    pub(super) fn fit(&self, work: &Work) -> bool {
        work.fills + self.makers() <= FILLS_MAX
    }

    /// Takes the set that was found, of which the taker had so much left before.
    pub(super) fn take(&mut self, set: &Set, left: i64, work: &mut Work, out: &mut Vec<Event>) {
        let ladder = self.market.spec.ladder;
        let makers = self.makers();
        self.passed_over.moved = true;
        make_room(out);
        out.push(self.taker.set(ladder, set, left, u16::try_from(makers).expect("RUNNERS_MAX is small")));
        work.fills += makers;
        for (lane, leg) in (0..self.lanes.lanes.len()).zip(1..) {
            let Lanes { lanes, makers, marks, .. } = &mut *self.lanes;
            let Some((order, left)) = lanes[lane].maker() else { continue };
            let stake = i64::try_from(makers[lane].stake).expect("no more than an order has left");
            make_room(out);
            out.push(self.taker.leg(self.market, order, stake, left - stake, set.payout, leg));
            lanes[lane].take(stake, ladder.unit(), marks);
            self.settle(lane, work);
        }
    }

    /// Cancels the makers of the set that was found that are of the taker's account, if it may cancel so
    /// many.
    pub(super) fn cancel_own(&mut self, work: &mut Work, out: &mut Vec<Event>) -> bool {
        if work.own_orders + self.own_makers() > OWN_ORDERS_SKIPPED_MAX {
            return false;
        }
        self.passed_over.moved = true;
        for lane in 0..self.lanes.lanes.len() {
            let Lanes { lanes, marks, .. } = &mut *self.lanes;
            if let Some((order, left)) = lanes[lane].maker().filter(|(order, _)| self.taker.owns(order)) {
                debug_assert_eq!(order.left, left, "own orders are no makers of a set that is taken");
                work.own_orders += 1;
                make_room(out);
                Taker::cancel_own(self.market, order, out);
                lanes[lane].remove(marks);
                self.settle(lane, work);
            }
        }
        true
    }

    /// Moves a lane on to the next order that can be a maker, and notes its numbers.
    fn settle(&mut self, place: usize, work: &mut Work) {
        let Lanes { lanes, makers, marks, prices } = &mut *self.lanes;
        if lanes[place].settle(&self.taker, work, marks).is_err() {
            self.blocked_by_own = true;
            return;
        }
        let maker = &mut makers[place];
        let was_missing = maker.left == 0;
        match lanes[place].numbers() {
            Some((tick, left)) => {
                maker.left = left.unsigned_abs();
                let (ladder, side) = (self.market.spec.ladder, self.taker.side());
                let price = u64::from(ladder.price(tick).0);
                match ladder {
                    Ladder::Classic | Ladder::Finest => {
                        // Most often the next in the queue has the same price.
                        if maker.price != price {
                            let before = std::mem::replace(&mut maker.probability, ladder.probability(tick));
                            prices.change(before, maker);
                        }
                        maker.bound = payout::bound(side, maker.left, price);
                    }
                    Ladder::Binary { .. } => maker.bound = maker.left,
                }
                maker.price = price;
            }
            None => {
                let before = std::mem::replace(maker, Maker::MISSING);
                prices.change(before.probability, maker);
            }
        }
        let is_missing = maker.left == 0;
        self.missing = self.missing + usize::from(is_missing) - usize::from(was_missing);
    }
}
