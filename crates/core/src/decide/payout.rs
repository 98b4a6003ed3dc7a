//! What a set at odds pays, to the last increment. Amounts count the market's increments, odds are
//! x 10 000, probabilities are in units of 10^-18.

use super::sets::{Look, Set, Sets};
use super::taker::Work;
use crate::ladder::{Ladder, Tick};
use crate::market::Place;
use crate::types::{Money, Price, Side};

/// Certainty.
const ONE: u64 = 1_000_000_000_000_000_000;
/// Odds of 1, times certainty.
const UNIT: u128 = 10_000_000_000_000_000_000_000;
/// The probability of the highest odds there are, 1000.
const LONGEST: i128 = (ONE / 1_000) as i128;
/// How many payouts are looked at for one set.
const LOOKS: u64 = 256;

/// The probability that odds stand for, rounded up: `ceil(10^22 / odds)`.
const fn probability(odds: u64) -> u64 {
    // In two steps, so that nothing leaves 64 bits: odds are at most 10^7.
    let (whole, rest) = (ONE / odds, ONE % odds);
    whole * 10_000 + (rest * 10_000).div_ceil(odds)
}

/// A maker's probability, and the highest payout that what it has left can carry.
pub(super) const fn of_maker(side: Side, left: u64, odds: u64) -> (u64, u64) {
    // At most 10^12 increments at odds of at most 10^7.
    let payout_max = match side {
        Side::Yes => (left * odds).div_ceil(10_000),
        Side::No => left * odds / 10_000,
    };
    (probability(odds), payout_max)
}

/// How a taker's implied price stands to the prices there are.
enum Implied {
    /// The probability that is left for the taker's outcome.
    Left(u64),
    /// It is too good to be a price.
    TooGood,
    /// There is none.
    Never,
}

/// What the others' probabilities together leave for the taker's outcome.
fn implied(side: Side, others: u128) -> Implied {
    // 256 probabilities of at most 1.
    let left = i128::from(ONE) - i128::try_from(others).unwrap_or(i128::MAX);
    match side {
        Side::Yes if left < LONGEST => Implied::TooGood,
        Side::No if left <= 0 => Implied::Never,
        // Below 1.01.
        Side::No if left * 101 > i128::from(ONE) * 100 => Implied::TooGood,
        _ => u64::try_from(left).map_or(Implied::Never, Implied::Left),
    }
}

/// Whether an implied price reaches this price. For a layer what rounding up `makers` probabilities may
/// have cost is given back.
fn reaches(side: Side, left: u64, makers: u64, price: u64) -> bool {
    match side {
        Side::Yes => u128::from(price) * u128::from(left) <= UNIT,
        Side::No => u128::from(price) * u128::from(left + makers) >= UNIT,
    }
}

/// Whether the best prices of the others could serve a taker.
#[inline]
pub(super) fn could_serve(ladder: Ladder, taker: Place, best: impl Iterator<Item = Tick>) -> bool {
    let (mut makers, mut others) = (0, 0);
    for tick in best {
        makers += 1;
        others += u128::from(probability(u64::from(ladder.price(tick).0)));
    }
    match implied(taker.side, others) {
        Implied::Left(left) => reaches(taker.side, left, makers, u64::from(ladder.price(taker.tick).0)),
        Implied::TooGood => true,
        Implied::Never => false,
    }
}

/// What a payout has to do for the taker.
struct Terms {
    side: Side,
    /// What the taker has left.
    left: u64,
    /// The probability that is left for its outcome.
    implied: u64,
    /// Odds that must be reached.
    limit: u64,
    /// Odds that must be beaten.
    direct: Option<u64>,
}

impl Terms {
    /// Whether the taker may put `stake` into a set that pays `payout`.
    fn accept(&self, payout: u64, stake: u64) -> bool {
        // Odds of at most 10^7, stakes of at most 10^12, payouts of at most 10^15 increments.
        let paid = payout * 10_000;
        let price = match self.side {
            Side::Yes => paid >= self.limit * stake && self.direct.is_none_or(|odds| paid > odds * stake),
            Side::No => paid <= self.limit * stake && self.direct.is_none_or(|odds| paid < odds * stake),
        };
        price && (stake == self.left || self.rounding_is_small(payout, stake))
    }

    /// Whether rounding the makers' stakes costs the taker no more than 1/1024 of the payout.
    fn rounding_is_small(&self, payout: u64, stake: u64) -> bool {
        let exact = i128::from(payout) * i128::from(self.implied);
        let real = i128::from(stake) * i128::from(ONE);
        let cost = match self.side {
            Side::Yes => real - exact,
            Side::No => exact - real,
        };
        cost * 1_024 <= i128::from(payout) * i128::from(ONE)
    }
}

impl Sets<'_, '_> {
    /// The best set with the makers that the lanes stand at.
    pub(super) fn look_at_odds(&mut self, direct: Option<Tick>, left: i64, work: &mut Work) -> Look {
        let (side, ladder) = (self.taker.side(), self.ladder());
        let implied = match implied(side, self.makers().map(|maker| u128::from(maker.probability)).sum()) {
            Implied::Left(left) => left,
            Implied::TooGood => return Look::PassOverScarcest,
            Implied::Never => return Look::Nothing,
        };
        let odds = |tick| u64::from(ladder.price(tick).0);
        let terms = Terms {
            side,
            left: self.increments(left),
            implied,
            limit: odds(self.taker.place.tick),
            direct: direct.map(odds),
        };
        let to_beat = match side {
            Side::Yes => terms.limit.max(terms.direct.unwrap_or(0)),
            Side::No => terms.limit.min(terms.direct.unwrap_or(u64::MAX)),
        };
        let makers = self.lanes.len() as u64;
        if !reaches(side, implied, makers, to_beat) {
            return Look::Nothing;
        }
        let makers_bound = self.makers().map(|maker| maker.payout_max).min().unwrap_or(0);
        let stake_max = match side {
            Side::Yes => terms.left,
            Side::No => terms.left + makers,
        };
        let takers_bound = u128::from(stake_max) * u128::from(ONE) / u128::from(implied);
        let takers_bound = u64::try_from(takers_bound).unwrap_or(u64::MAX);
        let step = (makers * (ONE / 200)).div_ceil(implied).max(1);
        let scarce = makers_bound <= takers_bound;
        let mut best = None;
        let mut payout = makers_bound.min(takers_bound);
        // Of less than this the longest odds would get no stake. It is not worked out, but it is looked at.
        let payout_min = match side {
            Side::Yes => self.makers().map(|maker| maker.price).max().unwrap_or(0).div_ceil(10_000),
            Side::No => 1,
        };
        for _ in 0..LOOKS {
            if payout == 0 || !self.may_look(work) {
                break;
            }
            if payout < payout_min {
                payout = payout.saturating_sub(step);
                continue;
            }
            if let Some(stake) = self.stakes(&terms, payout) {
                if scarce || stake == terms.left {
                    return self.found(side, payout, stake);
                }
                best = best.or(Some(payout));
            }
            payout = payout.saturating_sub(step);
        }
        if let Some(payout) = best
            && let Some(stake) = self.stakes(&terms, payout)
        {
            return self.found(side, payout, stake);
        }
        if scarce { Look::PassOverScarcest } else { Look::Nothing }
    }

    /// What everybody puts into a set that pays this: noted for the makers, answered for the taker, if it
    /// is acceptable.
    fn stakes(&mut self, terms: &Terms, payout: u64) -> Option<u64> {
        let mut rest = payout;
        for maker in self.lanes.iter_mut().filter_map(|lane| lane.maker.as_mut()) {
            // In the maker's favour: its odds or better.
            maker.stake = match terms.side {
                Side::Yes => payout * 10_000 / maker.price,
                Side::No => (payout * 10_000).div_ceil(maker.price),
            };
            if maker.stake == 0 || maker.stake > maker.left {
                return None;
            }
            rest = rest.checked_sub(maker.stake)?;
        }
        (rest >= 1 && rest <= terms.left && terms.accept(payout, rest)).then_some(rest)
    }

    fn found(&self, side: Side, payout: u64, stake: u64) -> Look {
        // Against the taker, to four decimals.
        let price = match side {
            Side::Yes => payout * 10_000 / stake,
            Side::No => (payout * 10_000).div_ceil(stake),
        };
        Look::Found(Set {
            quantity: self.quantity(stake),
            payout: Money(self.quantity(payout)),
            price: Price(u32::try_from(price).expect("within the odds there are")),
        })
    }
}
