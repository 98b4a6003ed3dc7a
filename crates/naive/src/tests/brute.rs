//! What the rules find against a search through everything: for small books, every payout there is,
//! with the first in every queue.

use super::dice::Dice;
use crate::sets::{Found, Maker, Set, Wanted, acceptable, most, probability_left, search};
use crate::{Ladder, Side, ticks};

const ONE: i128 = 1_000_000_000_000_000_000;

/// Makers with small orders, most of them at middling odds.
fn makers(dice: &mut Dice, prices: &[u32], stakes: usize) -> Vec<Maker> {
    let count = dice.roll(4) + 1;
    let maker = |outcome| {
        let place = if dice.roll(3) == 0 { dice.roll(350) } else { 50 + dice.roll(200) };
        let left = dice.roll(stakes) as i128 + 1;
        Maker { number: outcome as u64, outcome, price: i128::from(prices[place]), left }
    };
    (1..=count).map(maker).collect()
}

/// A price around this one, anywhere between the ends of the ladder.
fn near(dice: &mut Dice, implied: i128) -> i128 {
    let by = dice.roll(400) as i128 - 200;
    let price = match dice.roll(3) {
        0 => implied + by,
        1 => implied + implied * by / 10_000,
        _ => implied * (by + 200) / 100,
    };
    price.clamp(10_100, 10_000_000)
}

/// What the taker gains against the price it has to beat, in increments of its stake times that price:
/// of a BACK what the same payout would have cost beyond its stake, of a LAY the other way round.
fn gain(wanted: &Wanted, bar: i128, set: &Set) -> i128 {
    let gain = set.payout * 10_000 - bar * set.taker;
    if wanted.side == Side::Back { gain } else { -gain }
}

/// The rules look at 256 payouts from the largest down and take the largest that is acceptable. What they
/// miss is rounding: the best set of all gains the taker less than one increment a maker more than theirs,
/// or than nothing where they find none. (A maker's stake is rounded by less than one.) That holds from
/// payouts of 1024 increments a maker on; below, rounding may be more than it is allowed to cost, in all
/// that is looked at, and a set with a smaller payout that happens to round well be missed. Prices that are
/// too good to be one are not looked at, whatever there is.
#[test]
fn what_the_rules_miss_is_rounding() {
    let prices: Vec<u32> = (10_100..=10_000_000).filter(|price| Ladder::Classic.has(*price)).collect();
    let mut dice = Dice(7);
    let (mut sets, mut missed, mut none, mut small) = (0, 0, 0, 0);
    while sets < 6_000 {
        let side = [Side::Back, Side::Lay][dice.roll(2)];
        let stakes = [10, 100, 1_000, 5_000][dice.roll(4)];
        let makers = makers(&mut dice, &prices, stakes);
        let q = probability_left(&makers);
        let makers_bound = makers.iter().map(|maker| most(side, maker)).min().expect("there are some");
        if makers_bound > 10_000 || q * 1_000 < ONE || (side == Side::Lay && q * 101 > ONE * 100) {
            continue;
        }
        let implied = ONE * 10_000 / q;
        let wanted = Wanted {
            side,
            left: dice.roll(stakes) as i128 + 1,
            limit: near(&mut dice, implied),
            direct: if dice.roll(2) == 0 { None } else { Some(near(&mut dice, implied)) },
        };
        let bar = match side {
            Side::Back => wanted.direct.map_or(wanted.limit, |direct| direct.max(wanted.limit)),
            Side::Lay => wanted.direct.map_or(wanted.limit, |direct| direct.min(wanted.limit)),
        };
        let all = (1..=makers_bound).filter_map(|payout| acceptable(&wanted, &makers, payout));
        let all: Vec<_> = all.collect();
        let best = all.iter().map(|set| gain(&wanted, bar, set)).max();
        let told = format!("{wanted:?} {makers:?}");
        let found = match search(&wanted, &makers, &mut 256) {
            Found::Set(set) => {
                assert!(all.contains(&set), "{set:?} {told}");
                assert_eq!(set.payout, set.taker + set.makers.iter().sum::<i128>(), "{told}");
                sets += 1;
                Some(gain(&wanted, bar, &set))
            }
            Found::PassOver(_) | Found::Nothing => None,
        };
        assert!(best >= found, "{told}");
        if let Some(best) = best {
            let count = makers.len() as i128;
            // Of the taker's bound, give or take one increment a maker.
            let largest = makers_bound.min((wanted.left - count) * ONE / q);
            let is_rounding = best - found.unwrap_or(0) < bar * count;
            assert!(best >= 0 && (is_rounding || largest < 1_024 * count), "{best} {found:?} {told}");
            missed += i32::from(found.is_none());
            small += i32::from(!is_rounding);
        } else {
            none += 1;
        }
    }
    // Each of them does happen, the last hardly ever.
    assert!(missed > 20 && none > 1_000 && (1..20).contains(&small), "{missed} {none} {small}");
}

/// In ticks nothing is rounded, and nothing is missed.
#[test]
fn in_ticks_nothing_is_missed() {
    let mut dice = Dice(3);
    let mut sets = 0;
    for _ in 0..20_000 {
        let side = [Side::Back, Side::Lay][dice.roll(2)];
        let count = dice.roll(4) + 2;
        let mut amount = |sides: usize| dice.roll(sides) as i128 + 1;
        let maker = |outcome| Maker { number: 1, outcome, price: amount(50), left: amount(9) };
        let makers: Vec<_> = (0..count).map(maker).collect();
        let (left, limit) = (amount(9), amount(99));
        let direct = Some(amount(99)).filter(|direct| direct % 2 == 0);
        let wanted = Wanted { side, left, limit, direct };
        let price = 100 - makers.iter().map(|maker| maker.price).sum::<i128>();
        let good = |price: i128, than: i128| if side == Side::Back { than - price } else { price - than };
        let most = makers.iter().map(|maker| maker.left).min().expect("there are some").min(left);
        let acceptable =
            price >= 1 && good(price, limit) >= 0 && direct.is_none_or(|direct| good(price, direct) > 0);
        match ticks::search(100, &wanted, &makers) {
            Found::Set(set) => {
                assert!(acceptable);
                assert_eq!((set.price, set.taker, set.payout), (price, most, most));
                assert_eq!(set.makers, vec![most; count]);
                sets += 1;
            }
            Found::PassOver(place) => {
                assert!(side == Side::Back && price < 1);
                assert!(makers.iter().all(|maker| maker.left >= makers[place].left));
            }
            Found::Nothing => assert!(!acceptable && (side == Side::Lay || price >= 1)),
        }
    }
    assert!(sets > 1_000, "{sets}");
}
