//! Single searches for a set at odds, with numbers from an independent calculation.

use crate::Side;
use crate::sets::{Found, Maker, Set, Wanted, search};

/// Makers with these odds and stakes, on outcomes 1, 2, ...
fn makers(makers: &[(i128, i128)]) -> Vec<Maker> {
    let maker = |(outcome, &(price, left)): (usize, &(i128, i128))| Maker {
        number: outcome as u64,
        outcome,
        price,
        left,
    };
    (1..).zip(makers).map(maker).collect()
}

/// What is found, and how many payouts were looked at, of at most so many.
fn look(wanted: &Wanted, makers: &[Maker], most: usize) -> (Found, usize) {
    let mut left = most;
    (search(wanted, makers, &mut left), most - left)
}

#[test]
fn so_many_payouts_may_be_looked_at() {
    let makers = makers(&[(19_900, 199)]);
    let wanted = Wanted { side: Side::Back, left: 1_000, limit: 20_000, direct: None };
    // The makers' bound is 397. Below it every payout is 1.99 times no whole stake by more than 1/1024 of
    // itself, until 325 / 1.99 = 163.317.
    let set = Set { price: 20_061, payout: 325, taker: 162, makers: vec![163] };
    assert_eq!(look(&wanted, &makers, 256), (Found::Set(set.clone()), 73));
    assert_eq!(look(&wanted, &makers, 73), (Found::Set(set), 73));
    assert_eq!(look(&wanted, &makers, 72), (Found::PassOver(0), 72));
}

#[test]
fn the_256th_payout_is_the_last() {
    let wanted = Wanted { side: Side::Lay, left: 1_000_000, limit: 830_876, direct: None };
    let (found, looked_at) = look(&wanted, &makers(&[(14_700, 2_774), (32_500, 2_534)]), 1_000);
    let Found::Set(set) = found else { panic!("{found:?}") };
    assert_eq!((set.payout, set.taker, set.makers, looked_at), (3_822, 46, vec![2_600, 1_176], 256));
    // One payout higher up, it is one too many.
    let higher = makers(&[(14_700, 2_775), (32_500, 2_534)]);
    assert_eq!(look(&wanted, &higher, 1_000), (Found::PassOver(0), 256));
}

#[test]
fn at_high_implied_prices_payouts_are_further_apart() {
    for (left, limit, others, payout, taker, stakes, looked_at) in [
        (29, 1_295_960, [(33_000, 856), (33_500, 1_979), (25_600, 2_117)], 2_442, 19, [740, 729, 954], 192),
        (30, 1_222_955, [(35_000, 1_617), (26_600, 717), (30_300, 806)], 1_827, 15, [522, 687, 603], 41),
    ] {
        let wanted = Wanted { side: Side::Lay, left, limit, direct: None };
        let (found, looked) = look(&wanted, &makers(&others), 1_000);
        let Found::Set(set) = found else { panic!("{found:?}") };
        assert_eq!((set.payout, set.taker, set.makers, looked), (payout, taker, stakes.to_vec(), looked_at));
    }
}

#[test]
fn a_set_that_uses_the_taker_up_whole_may_round_badly() {
    let search_for = |left, limit| {
        let wanted = Wanted { side: Side::Back, left, limit, direct: None };
        look(&wanted, &makers(&[(19_900, 199)]), 256)
    };
    // A penny of 2 is 1/199 more than its share, which would be too much in a part of the taker.
    let whole = Set { price: 20_000, payout: 2, taker: 1, makers: vec![1] };
    assert_eq!(search_for(1, 20_000), (Found::Set(whole), 1));
    assert_eq!(search_for(1, 20_001), (Found::Nothing, 2));
}

#[test]
fn whose_bound_is_met_says_what_comes_next() {
    // At 2.0 all sets only tie the direct order. The bounds are 20 and 20, 18, or 22.
    let found = |left| {
        let wanted = Wanted { side: Side::Back, left, limit: 15_000, direct: Some(20_000) };
        look(&wanted, &makers(&[(20_000, 10)]), 256).0
    };
    assert_eq!((found(10), found(11)), (Found::PassOver(0), Found::PassOver(0)));
    assert_eq!(found(9), Found::Nothing);
    let wanted = Wanted { side: Side::Lay, left: 100, limit: 30_000, direct: Some(20_000) };
    assert_eq!(look(&wanted, &makers(&[(20_000, 10)]), 256).0, Found::PassOver(0));
}

#[test]
fn too_good_to_be_a_price() {
    let wanted = Wanted { side: Side::Back, left: 100, limit: 10_100, direct: None };
    // 1 / (1 - 1/1.01 - 1/110) is 1235; of equals the first is the scarcest.
    assert_eq!(look(&wanted, &makers(&[(10_100, 1_100), (1_100_000, 10)]), 256), (Found::PassOver(1), 0));
    assert_eq!(look(&wanted, &makers(&[(10_100, 1_000), (1_010_000, 10)]), 256), (Found::PassOver(0), 0));
    // With 112 it is still 1028, with 113 it is 951.
    assert_eq!(look(&wanted, &makers(&[(10_100, 1_000), (1_120_000, 10)]), 256).1, 0);
    assert_eq!(look(&wanted, &makers(&[(10_100, 1_000), (1_130_000, 10)]), 256).1, 1);
}
