//! What a set at odds pays, exact to the quantum. Odds are x 10 000, stakes and payouts are in quanta,
//! probabilities in units of 10^-18. The rules and their reasons are in docs/matching.md.

use std::cell::Cell;

use super::prices::Prices;
use super::sets::{Look, Maker, Set, Why};
use crate::ladder::{Ladder, Tick};
use crate::market::Place;
use crate::types::{Money, Price, Side};

/// Certainty.
const ONE: u128 = 1_000_000_000_000_000_000;
/// Odds of 1, times certainty.
const UNIT: u128 = 10_000 * ONE;
/// The probability of the highest odds there are, 1000.
const LONGEST: i128 = (ONE / 1_000).cast_signed();
/// Rounding may cost the taker one part in so many of the smaller of its stake and its profit.
const TOLERANCE: u128 = 1_024;
/// The smallest stake of a taker that a virtual level counts on. A taker of one unit has 10 000 quanta, and
/// one that is cut off by its makers' bound tries other payouts.
const VIRTUAL_STAKE_MIN: u64 = 8_192;
/// What a taker has left that nothing can use up.
const ENDLESS: u64 = u64::MAX;
/// A penny, in quanta.
const PENNY: u64 = 100;

/// The highest payout that what a maker has left can carry: stake times odds, rounded up for a BACK.
pub(super) const fn bound(side: Side, left: u64, odds: u64) -> u64 {
    // In two parts, so that nothing leaves 64 bits: at most 10^14 quanta at odds of at most 10^7.
    let (whole, rest) = (left / 10_000 * odds, left % 10_000 * odds);
    match side {
        Side::Yes => whole + rest.div_ceil(10_000),
        Side::No => whole + rest / 10_000,
    }
}

/// A maker's stake in a set that pays this, in the maker's favour: its odds or better.
const fn stake(side: Side, payout: u64, odds: u64) -> u64 {
    // Odds have two decimals, and a payout is at most 10^17: 64 bits are enough.
    match side {
        Side::Yes => payout * 100 / (odds / 100),
        Side::No => (payout * 100).div_ceil(odds / 100),
    }
}

/// What the makers' probabilities leave for the taker's outcome.
#[derive(Clone, Copy)]
enum Implied {
    /// So much.
    Left(u64),
    /// More or less than any odds stand for: some maker's odds are absurd.
    TooGood,
    /// Nothing.
    Nothing,
}

impl Implied {
    fn of(side: Side, makers: u128) -> Self {
        // At most 255 probabilities of at most 1.
        let left = ONE.cast_signed() - makers.cast_signed();
        match side {
            Side::Yes if left < LONGEST => Self::TooGood,
            Side::No if left <= 0 => Self::Nothing,
            // Below 1.01.
            Side::No if left * 10_100 > UNIT.cast_signed() => Self::TooGood,
            _ => u64::try_from(left).map_or(Self::Nothing, Self::Left),
        }
    }
}

/// Whether the implied price can reach this limit. Rounding up so many probabilities may have cost a layer a
/// little, which is given back.
fn reaches(side: Side, left: u64, makers: u64, limit: u64) -> bool {
    match side {
        Side::Yes => u128::from(limit) * u128::from(left) <= UNIT,
        Side::No => u128::from(limit) * u128::from(left + makers) >= UNIT,
    }
}

/// Whether no set can be better than a direct order at these odds, however it is rounded.
fn is_no_better(side: Side, left: u64, makers: u64, direct: u64) -> bool {
    match side {
        Side::Yes => u128::from(direct) * u128::from(left + makers) >= UNIT,
        Side::No => u128::from(direct) * u128::from(left) <= UNIT,
    }
}

/// Whether the best prices of the others could serve a taker.
#[inline]
pub(super) fn could_serve(ladder: Ladder, taker: Place, best: impl Iterator<Item = Tick>) -> bool {
    let (mut makers, mut others) = (0, 0);
    for tick in best {
        makers += 1;
        others += u128::from(ladder.probability(tick));
    }
    match Implied::of(taker.side, others) {
        Implied::Left(left) => reaches(taker.side, left, makers, u64::from(ladder.price(taker.tick).0)),
        Implied::TooGood => true,
        Implied::Nothing => false,
    }
}

/// The first tick at which a single maker's price is not too good to be one, on the way of a taker through a
/// queue that begins at this tick.
pub(super) fn first_credible(side: Side, ladder: Ladder, first: Tick) -> Tick {
    let is_too_good = |tick| matches!(Implied::of(side, ladder.probability(tick).into()), Implied::TooGood);
    if !is_too_good(first) {
        return first;
    }
    // Backers are met from the lowest odds up, layers from the highest down.
    let (mut low, mut high) = (0, ladder.len() - 1);
    while low < high {
        let middle = low.midpoint(high + u32::from(side == Side::No));
        match (is_too_good(Tick(middle)), side) {
            (true, Side::Yes) => low = middle + 1,
            (false, Side::Yes) => high = middle,
            (true, Side::No) => high = middle - 1,
            (false, Side::No) => low = middle,
        }
    }
    Tick(low)
}

/// An amount in units of 10^-18 quanta.
pub(super) fn precise(amount: i64) -> u128 {
    u128::from(amount.unsigned_abs()) * ONE
}

/// What a taker has and takes.
pub(super) struct Wanted {
    side: Side,
    /// What it has left.
    left: u64,
    /// Odds that have to be reached; of virtual levels the best of the ladder that the makers leave.
    limit: Limit,
    /// Odds of the direct order that has to be beaten; 0: there is none.
    direct: u64,
}

enum Limit {
    Odds(u64),
    BestOf(Ladder),
}

impl Wanted {
    /// By a taker with this limit.
    pub(super) fn by(side: Side, left: i64, limit: Price, direct: Option<Price>) -> Self {
        let direct = direct.map_or(0, |price| u64::from(price.0));
        Self { side, left: left.unsigned_abs(), limit: Limit::Odds(u64::from(limit.0)), direct }
    }

    /// By a taker without end at every price of a ladder.
    pub(super) const fn endlessly(side: Side, ladder: Ladder) -> Self {
        Self { side, left: ENDLESS, limit: Limit::BestOf(ladder), direct: 0 }
    }

    /// The best set with these makers at these prices. Notes with each of them what it puts in.
    pub(super) fn look(&self, prices: &mut Prices, makers: &mut [Maker]) -> Look {
        let (mut bound, mut scarcest) = (u64::MAX, 0);
        for (place, maker) in makers.iter().enumerate() {
            if maker.bound < bound {
                (bound, scarcest) = (maker.bound, place);
            }
        }
        let left = match Implied::of(self.side, prices.probability()) {
            Implied::Left(left) => left,
            Implied::TooGood => return Look::PassOver(scarcest, Why::default()),
            Implied::Nothing => return Look::Nothing,
        };
        let count = makers.len() as u64;
        let limit = match self.limit {
            Limit::Odds(limit) => Some(limit),
            Limit::BestOf(ladder) => best_limit(self.side, ladder, left, prices, makers),
        };
        let Some(limit) = limit else { return Look::Nothing };
        let direct = self.direct;
        if !reaches(self.side, left, count, limit)
            || direct > 0 && is_no_better(self.side, left, count, direct)
        {
            return Look::Nothing;
        }
        let terms = Terms { wanted: self, implied: left, limit, beaten: Cell::new(false) };
        // The makers' bound, unless the taker cannot carry it.
        let largest = self.carried(bound, self.left, left);
        match terms.choose(makers, largest, bound, prices) {
            Some(set) => Look::Found(set),
            None if largest == bound => {
                // With as much left and more, the same payouts are tried, and none nearly uses the taker up.
                let needed = u128::from(bound) * u128::from(left + count);
                let left = needed + u128::from(PENNY + 2 * count) * ONE;
                Look::PassOver(scarcest, Why { direct: terms.beaten.get(), left })
            }
            None => Look::Nothing,
        }
    }

    /// The largest payout up to `most` that this stake of the taker can carry where its part of certainty is
    /// `part`.
    fn carried(&self, most: u64, stake: u64, part: u64) -> u64 {
        let certain = u128::from(stake) * ONE;
        // Nearly always it can: then there is nothing to divide.
        if self.left == ENDLESS || u128::from(most) * u128::from(part) <= certain {
            return most;
        }
        u64::try_from(certain / u128::from(part)).map_or(most, |carried| carried.min(most))
    }
}

/// One look's terms.
struct Terms<'a> {
    wanted: &'a Wanted,
    implied: u64,
    limit: u64,
    /// Whether a payout would be acceptable but for the price to beat.
    beaten: Cell<bool>,
}

impl Terms<'_> {
    /// The first acceptable one of the payouts that are tried: the largest that both sides can carry, one
    /// that certainly leaves the taker enough, and the largest at which nothing is rounded.
    fn choose(
        &self,
        makers: &mut [Maker],
        largest: u64,
        makers_bound: u64,
        prices: &mut Prices,
    ) -> Option<Set> {
        if let Some(set) = self.try_payout(makers, largest) {
            return Some(set);
        }
        let count = makers.len() as u64;
        let (wanted, rounded) = (self.wanted, self.implied + count);
        let stake = match wanted.side {
            Side::Yes => wanted.left.saturating_sub(count),
            Side::No => wanted.left,
        };
        let certain = wanted.carried(makers_bound, stake, rounded);
        if certain != largest
            && let Some(set) = self.try_payout(makers, certain)
        {
            return Some(set);
        }
        let even = prices.even(makers, largest)?;
        let even = largest / even * even;
        if even == largest { None } else { self.try_payout(makers, even) }
    }

    /// The set that pays this, if it is acceptable.
    fn try_payout(&self, makers: &mut [Maker], payout: u64) -> Option<Set> {
        let side = self.wanted.side;
        let mut rest = payout;
        for maker in &mut *makers {
            maker.stake = stake(side, payout, maker.price);
            if maker.stake == 0 || maker.stake > maker.left {
                return None;
            }
            rest = rest.checked_sub(maker.stake)?;
        }
        (rest >= 1 && rest <= self.wanted.left && self.accepts(makers.len() as u64, payout, rest))
            .then(|| self.set(payout, rest))
    }

    /// Whether the taker may put this stake into a set that pays this.
    fn accepts(&self, makers: u64, payout: u64, stake: u64) -> bool {
        let Wanted { side, left, direct, .. } = *self.wanted;
        let paid = u128::from(payout) * 10_000;
        let at = |odds: u64| u128::from(odds) * u128::from(stake);
        let within = match side {
            Side::Yes => paid >= at(self.limit),
            Side::No => paid <= at(self.limit),
        };
        let stake_min = if left == ENDLESS { VIRTUAL_STAKE_MIN } else { 1 };
        let acceptable = within
            && stake >= stake_min
            && (left - stake < PENNY + makers || self.rounding_is_small(payout, stake));
        let better = match side {
            _ if direct == 0 => true,
            Side::Yes => paid > at(direct),
            Side::No => paid < at(direct),
        };
        if acceptable && !better {
            self.beaten.set(true);
        }
        acceptable && better
    }

    /// Whether rounding the makers' stakes costs the taker little: against the smaller of its stake and its
    /// profit, whichever of the two the bet is about.
    fn rounding_is_small(&self, payout: u64, stake: u64) -> bool {
        // At most 10^17 times 10^18 times 1 024: within 127 bits.
        let exact = u128::from(payout) * u128::from(self.implied);
        let real = u128::from(stake) * ONE;
        let cost = match self.wanted.side {
            Side::Yes => real.saturating_sub(exact),
            Side::No => exact.saturating_sub(real),
        };
        TOLERANCE * cost <= ONE * u128::from(stake.min(payout - stake))
    }

    fn set(&self, payout: u64, stake: u64) -> Set {
        // Against the taker, to four decimals.
        let (paid, stake_of) = (u128::from(payout) * 10_000, u128::from(stake));
        let odds = match self.wanted.side {
            Side::Yes => paid / stake_of,
            Side::No => paid.div_ceil(stake_of),
        };
        let price = |odds| Price(u32::try_from(odds).expect("within the odds there are"));
        let amount = |quanta| i64::try_from(quanta).expect("no more than an order can carry");
        Set {
            stake: amount(stake),
            payout: Money(amount(payout)),
            price: price(odds),
            level: price(self.limit.into()),
        }
    }
}

/// The best price of a ladder at which a taker of one unit is not refused by rounding.
fn best_limit(side: Side, ladder: Ladder, left: u64, prices: &mut Prices, makers: &[Maker]) -> Option<u64> {
    let count = makers.len() as u64;
    let rounded = u128::from(left + count);
    // At a price at which nothing is rounded, and a unit can have it, rounding is no concern.
    let even_max = u64::try_from(UNIT / 100 / rounded).unwrap_or(u64::MAX);
    let is_even = prices.even(makers, even_max).is_some();
    let (parts, makers) = (u128::from(VIRTUAL_STAKE_MIN), u128::from(count));
    let nearest = match side {
        Side::Yes if is_even => UNIT / u128::from(left),
        Side::Yes => UNIT * (parts - makers) / (parts * u128::from(left)),
        Side::No if is_even => UNIT.div_ceil(rounded),
        Side::No => (UNIT * (parts + makers)).div_ceil(parts * u128::from(left)),
    };
    let nearest = Price(u32::try_from(nearest).unwrap_or(u32::MAX));
    let price = match side {
        Side::Yes => ladder.at_or_below(nearest),
        Side::No => ladder.at_or_above(nearest),
    };
    price.map(|price| u64::from(price.0))
}
