//! Complete sets at odds: one BACK, or one LAY, on every outcome of a group, all with the same payout,
//! which the stakes add up to. Everything is in whole increments here, never in quanta.

use crate::Side;

/// One in units of 10^-18, in which probabilities are summed up.
const ONE: i128 = 1_000_000_000_000_000_000;
/// How many payouts one search looks at.
const PAYOUTS_A_SEARCH: usize = 256;
/// The part of the payout that rounding may cost the taker is one of these.
const TOLERANCE: i128 = 1_024;

/// What a taker wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) side: Side,
    /// What of it is not matched, in increments, or shares.
    pub(crate) left: i128,
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
    /// In increments, or shares.
    pub(crate) left: i128,
}

/// What each is in for, in increments, or shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    /// The taker's price, cut (BACK) or raised (LAY).
    pub(crate) price: i128,
    /// What is paid whoever wins, at odds the sum of all stakes.
    pub(crate) payout: i128,
    pub(crate) taker: i128,
    /// By maker.
    pub(crate) makers: Vec<i128>,
}

/// What a search for a set found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Set(Set),
    /// This maker, by its place, is in the way.
    PassOver(usize),
    Nothing,
}

/// Rules 2 to 6, for these makers: one on every other outcome. `payouts_left` is what may be looked at yet.
pub(crate) fn search(wanted: &Wanted, makers: &[Maker], payouts_left: &mut usize) -> Found {
    if makers.is_empty() {
        return Found::Nothing;
    }
    let count = count(makers);
    let q = probability_left(makers);

    // Rule 2: the implied price is 1 / q; odds are between 1.01 and 1000.
    match wanted.side {
        Side::Back if q * 1_000 < ONE => return Found::PassOver(scarcest(wanted.side, makers)),
        Side::Lay if q <= 0 => return Found::Nothing,
        Side::Lay if q * 101 > ONE * 100 => return Found::PassOver(scarcest(wanted.side, makers)),
        _ => (),
    }

    // Rule 3: a price p (x 10 000) is reached by 1 / q if p q is at most 1, or at least 1 for a LAY.
    let prices = [Some(wanted.limit), wanted.direct];
    let out_of_reach = match wanted.side {
        Side::Back => prices.iter().flatten().any(|price| price * q > ONE * 10_000),
        Side::Lay => prices.iter().flatten().any(|price| price * (q + count) < ONE * 10_000),
    };
    if out_of_reach {
        return Found::Nothing;
    }

    // Rule 5.
    let makers_bound = makers.iter().map(|maker| most(wanted.side, maker)).min().expect("there are some");
    let takers_bound = match wanted.side {
        Side::Back => wanted.left * ONE / q,
        Side::Lay => (wanted.left + count) * ONE / q,
    };
    let step = 1.max(div_ceil(count * ONE, 200 * q));
    let from = makers_bound.min(takers_bound);
    let mut first = None;
    for place in (0..).take(PAYOUTS_A_SEARCH.min(*payouts_left)) {
        let payout = from - place * step;
        if payout < 1 {
            break;
        }
        *payouts_left -= 1;
        let Some(set) = acceptable(wanted, makers, payout) else { continue };
        if makers_bound <= takers_bound || set.taker == wanted.left {
            return Found::Set(set);
        }
        first = first.or(Some(set));
    }
    match first {
        Some(set) => Found::Set(set),
        None if makers_bound <= takers_bound => Found::PassOver(scarcest(wanted.side, makers)),
        None => Found::Nothing,
    }
}

/// Rule 4: the set with this payout, if it is acceptable.
pub(crate) fn acceptable(wanted: &Wanted, makers: &[Maker], payout: i128) -> Option<Set> {
    let stake_of = |maker: &Maker| match wanted.side {
        Side::Back => payout * 10_000 / maker.price,
        Side::Lay => div_ceil(payout * 10_000, maker.price),
    };
    let stakes: Vec<_> = makers.iter().map(stake_of).collect();
    let taker = payout - stakes.iter().sum::<i128>();
    let fits = |stake: i128, left: i128| 1 <= stake && stake <= left;
    if !fits(taker, wanted.left) || !stakes.iter().zip(makers).all(|(stake, maker)| fits(*stake, maker.left))
    {
        return None;
    }
    // The taker's price is payout / stake; a price p (x 10 000) is compared by p x stake.
    let worth = payout * 10_000;
    let q = probability_left(makers);
    let (reached, lost) = match wanted.side {
        Side::Back => (
            worth >= wanted.limit * taker && wanted.direct.is_none_or(|direct| worth > direct * taker),
            taker * ONE - payout * q,
        ),
        Side::Lay => (
            worth <= wanted.limit * taker && wanted.direct.is_none_or(|direct| worth < direct * taker),
            payout * q - taker * ONE,
        ),
    };
    let price = match wanted.side {
        Side::Back => worth / taker,
        Side::Lay => div_ceil(worth, taker),
    };
    let small_loss = lost * TOLERANCE <= payout * ONE;
    let all_of_it = taker == wanted.left;
    (reached && (small_loss || all_of_it)).then_some(Set { price, payout, taker, makers: stakes })
}

/// What the makers leave of a probability of one.
pub(crate) fn probability_left(makers: &[Maker]) -> i128 {
    ONE - makers.iter().map(|maker| div_ceil(ONE * 10_000, maker.price)).sum::<i128>()
}

/// The largest payout that a maker allows.
pub(crate) fn most(side: Side, maker: &Maker) -> i128 {
    match side {
        Side::Back => div_ceil(maker.left * maker.price, 10_000),
        Side::Lay => maker.left * maker.price / 10_000,
    }
}

/// The place of the maker that allows the smallest payout; makers are in the order of their outcomes.
fn scarcest(side: Side, makers: &[Maker]) -> usize {
    // Of several, `min_by_key` takes the first.
    (0..makers.len()).min_by_key(|place| most(side, &makers[*place])).expect("there are some")
}

fn count(makers: &[Maker]) -> i128 {
    i128::try_from(makers.len()).expect("a market has few outcomes")
}

/// Both positive, but for a sum that may be 0.
fn div_ceil(a: i128, b: i128) -> i128 {
    assert!(a >= 0 && b > 0);
    a / b + i128::from(a % b > 0)
}
