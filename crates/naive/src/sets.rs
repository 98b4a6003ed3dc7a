//! Complete sets at odds: one BACK, or one LAY, on every outcome of a group, all with the same payout,
//! which the stakes add up to. Amounts are in quanta, odds are x 10 000.

use crate::{Order, Side};

/// One in units of 10^-18, in which probabilities are summed up.
const ONE: i128 = 1_000_000_000_000_000_000;
/// Odds of 1 in the units of odds: stake times odds is the payout times this.
const SCALE: i128 = 10_000;
/// Odds of 1.01 and of 1000: what is beyond them is no price.
const ODDS: (i128, i128) = (10_100, 10_000_000);
/// The part of a set's smaller side that rounding may cost the taker is one of these.
const TOLERANCE: i128 = 1_024;
/// A set for a virtual level has a taker's stake of this at least.
const VIRTUAL_STAKE_MIN: i128 = 8_192;
/// More than any payout, and than any period of payouts that a price of virtual levels may need.
const PERIOD_MAX: i128 = 100_000_000_000_000_000_000;

/// What a taker wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) side: Side,
    /// What it has left, in quanta or shares; none: it is endless, and looks at virtual levels.
    pub(crate) left: Option<i128>,
    /// The worst price it takes.
    pub(crate) limit: i128,
    /// The price of the direct order that it would meet; a set has to be better.
    pub(crate) direct: Option<i128>,
}

/// The first in the queue of another outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker {
    pub(crate) number: u64,
    pub(crate) outcome: usize,
    pub(crate) price: i128,
    /// In quanta, or shares.
    pub(crate) left: i128,
}

impl Maker {
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            number: order.number,
            outcome: order.outcome,
            price: order.price.into(),
            left: order.left.into(),
        }
    }
}

/// What each is in for, in quanta, or shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    /// The taker's price, cut (BACK) or raised (LAY).
    pub(crate) price: i128,
    /// What is paid whichever outcome wins, at odds the sum of all stakes.
    pub(crate) payout: i128,
    pub(crate) taker: i128,
    /// By maker.
    pub(crate) makers: Vec<i128>,
}

/// What a look for a set found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Set(Set),
    /// This maker, by its place, is in the way.
    PassOver(usize),
    Nothing,
}

/// A look for a set with these makers: one on every other outcome.
pub(crate) fn look(wanted: &Wanted, makers: &[Maker]) -> Found {
    if is_too_good(wanted.side, makers) {
        return Found::PassOver(scarcest(wanted.side, makers));
    }
    if is_out_of_reach(wanted, makers) {
        return Found::Nothing;
    }
    let set = payouts(wanted, makers).into_iter().find_map(|payout| acceptable(wanted, makers, payout));
    match set {
        Some(set) => Found::Set(set),
        None if takers_bound(wanted, makers)
            .is_none_or(|bound| makers_bound(wanted.side, makers) <= bound) =>
        {
            Found::PassOver(scarcest(wanted.side, makers))
        }
        None => Found::Nothing,
    }
}

/// Whether the implied price is above 1000, or for a LAY below 1.01.
pub(crate) fn is_too_good(side: Side, makers: &[Maker]) -> bool {
    let q = probability_left(makers);
    match side {
        Side::Back => ODDS.1 * q < SCALE * ONE,
        Side::Lay => ODDS.0 * q > SCALE * ONE,
    }
}

/// Whether no set of these makers can be within the limit and better than the direct order. The exact
/// price is between `1 / q` and `1 / (q + count)`.
fn is_out_of_reach(wanted: &Wanted, makers: &[Maker]) -> bool {
    let (q, count) = (probability_left(makers), count(makers));
    let one = SCALE * ONE;
    match wanted.side {
        Side::Back => {
            wanted.limit * q > one || wanted.direct.is_some_and(|direct| direct * (q + count) >= one)
        }
        Side::Lay => {
            q <= 0
                || wanted.limit * (q + count) < one
                || wanted.direct.is_some_and(|direct| direct * q <= one)
        }
    }
}

/// The payouts that are tried, in turn.
pub(crate) fn payouts(wanted: &Wanted, makers: &[Maker]) -> Vec<i128> {
    let (q, count) = (probability_left(makers), count(makers));
    let makers_bound = makers_bound(wanted.side, makers);
    let bound = takers_bound(wanted, makers).map_or(makers_bound, |takers| takers.min(makers_bound));
    // What is surely within what the taker has left, however the makers' stakes are rounded.
    let surely = wanted.left.map(|left| match wanted.side {
        Side::Back => ONE * (left - count).max(0) / (q + count),
        Side::Lay => ONE * left / (q + count),
    });
    let mut payouts = vec![bound, surely.map_or(makers_bound, |surely| surely.min(makers_bound))];
    let period = period(makers);
    if period <= bound {
        payouts.push(bound / period * period);
    }
    payouts
}

/// The set with this payout, if it is acceptable.
pub(crate) fn acceptable(wanted: &Wanted, makers: &[Maker], payout: i128) -> Option<Set> {
    let stake_of = |maker: &Maker| match wanted.side {
        Side::Back => payout * SCALE / maker.price,
        Side::Lay => div_ceil(payout * SCALE, maker.price),
    };
    let stakes: Vec<_> = makers.iter().map(stake_of).collect();
    let others: i128 = stakes.iter().sum();
    let taker = payout - others;
    let least = if wanted.left.is_none() { VIRTUAL_STAKE_MIN } else { 1 };
    let makers_fit = stakes.iter().zip(makers).all(|(stake, maker)| 1 <= *stake && *stake <= maker.left);
    if !makers_fit || taker < least || wanted.left.is_some_and(|left| taker > left) {
        return None;
    }

    // The taker's price is payout / stake; a price is compared by price times stake.
    let (worth, q) = (payout * SCALE, probability_left(makers));
    let (reached, lost, price) = match wanted.side {
        Side::Back => (
            worth >= wanted.limit * taker && wanted.direct.is_none_or(|direct| worth > direct * taker),
            ONE * taker - payout * q,
            worth / taker,
        ),
        Side::Lay => (
            worth <= wanted.limit * taker && wanted.direct.is_none_or(|direct| worth < direct * taker),
            payout * q - ONE * taker,
            div_ceil(worth, taker),
        ),
    };
    let small_loss = TOLERANCE * lost <= ONE * taker.min(others);
    let used_up = wanted.left.is_some_and(|left| left - taker < 100 + count(makers));
    (reached && (small_loss || used_up)).then_some(Set { price, payout, taker, makers: stakes })
}

/// The best of these prices, lowest first, at which virtual levels may show a set of these makers: a unit
/// is not refused there, whatever is rounded.
pub(crate) fn virtual_price(side: Side, makers: &[Maker], prices: &[u32]) -> Option<u32> {
    let (q, count) = (probability_left(makers), count(makers));
    if q <= 0 {
        return None;
    }
    let (one, least) = (SCALE * ONE, VIRTUAL_STAKE_MIN);
    // Where payouts with whole stakes are small, nothing needs to be rounded.
    let nothing_rounded = period(makers) <= 100 * ONE / (q + count);
    let is_safe = |price: &u32| {
        let price = i128::from(*price);
        match side {
            Side::Back => least * price * q <= one * (least - count) || nothing_rounded && price * q <= one,
            Side::Lay => {
                least * price * q >= one * (least + count) || nothing_rounded && price * (q + count) >= one
            }
        }
    };
    match side {
        // The lower a price is, the safer for a backer.
        Side::Back => prices[..prices.partition_point(is_safe)].last(),
        Side::Lay => prices[prices.partition_point(|price| !is_safe(price))..].first(),
    }
    .copied()
}

/// What the makers leave of a probability of one.
pub(crate) fn probability_left(makers: &[Maker]) -> i128 {
    ONE - makers.iter().map(|maker| div_ceil(ONE * SCALE, maker.price)).sum::<i128>()
}

/// The largest payout that all makers allow.
pub(crate) fn makers_bound(side: Side, makers: &[Maker]) -> i128 {
    makers.iter().map(|maker| most(side, maker)).min().expect("there are some")
}

/// The payout that the taker can carry if nothing is rounded; none: there is no end to it.
fn takers_bound(wanted: &Wanted, makers: &[Maker]) -> Option<i128> {
    wanted.left.map(|left| ONE * left / probability_left(makers))
}

/// The largest payout that a maker allows.
fn most(side: Side, maker: &Maker) -> i128 {
    match side {
        Side::Back => div_ceil(maker.left * maker.price, SCALE),
        Side::Lay => maker.left * maker.price / SCALE,
    }
}

/// The place of the maker that allows the smallest payout; makers are in the order of their outcomes.
fn scarcest(side: Side, makers: &[Maker]) -> usize {
    // Of several, `min_by_key` takes the first.
    (0..makers.len()).min_by_key(|place| most(side, &makers[*place])).expect("there are some")
}

/// The smallest payout of which every maker's stake is whole, as it is of its multiples. Beyond
/// `PERIOD_MAX` it does not matter how large it is.
pub(crate) fn period(makers: &[Maker]) -> i128 {
    let mut period = 1;
    for maker in makers {
        let own = maker.price / gcd(maker.price, SCALE);
        period = period / gcd(period, own) * own;
        if period > PERIOD_MAX {
            break;
        }
    }
    period
}

const fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn count(makers: &[Maker]) -> i128 {
    i128::try_from(makers.len()).expect("a market has few outcomes")
}

/// Both positive, but for a sum that may be 0.
fn div_ceil(a: i128, b: i128) -> i128 {
    assert!(a >= 0 && b > 0);
    a / b + i128::from(a % b > 0)
}
