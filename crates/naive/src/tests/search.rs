//! Single looks for a set at odds, worked out by hand. Amounts are in quanta.

use crate::Side;
use crate::sets::{Found, Maker, Set, Wanted, acceptable, look, payouts, period};

/// Makers with these odds and stakes, on outcomes 1, 2, ...
pub(super) fn makers(makers: &[(i128, i128)]) -> Vec<Maker> {
    let maker = |(outcome, &(price, left)): (usize, &(i128, i128))| Maker {
        number: outcome as u64,
        outcome,
        price,
        left,
    };
    (1..).zip(makers).map(maker).collect()
}

fn wanted(side: Side, left: i128, limit: i128) -> Wanted {
    Wanted { side, left: Some(left), limit, direct: None }
}

fn set(price: i128, payout: i128, taker: i128, makers: &[i128]) -> Found {
    Found::Set(Set { price, payout, taker, makers: makers.to_vec() })
}

/// At 2.50 and 3.75 the implied price is 3. Payouts of 15 have whole stakes.
const THIRD: [(i128, i128); 2] = [(25_000, 1_000_000), (37_500, 1_000_000)];

#[test]
fn three_payouts_are_tried() {
    let makers = makers(&THIRD);
    // Three times 1003; surely within it are three times 1001 less the rest of q, or of 1003.
    assert_eq!(payouts(&wanted(Side::Back, 1_003, 30_000), &makers), [3_009, 3_002, 3_000]);
    assert_eq!(payouts(&wanted(Side::Lay, 1_003, 30_000), &makers), [3_009, 3_008, 3_000]);
    // Nothing is certain of two quanta with two makers, and 15 is too much for four.
    assert_eq!(payouts(&wanted(Side::Back, 2, 30_000), &makers), [6, 0]);
    // 2.5 times 401 is 1002.5.
    let makers = self::makers(&[(25_000, 401), (37_500, 1_000_000)]);
    assert_eq!(payouts(&wanted(Side::Back, 1_003, 30_000), &makers), [1_003, 1_003, 990]);
    assert_eq!(payouts(&wanted(Side::Lay, 1_003, 30_000), &makers), [1_002, 1_002, 990]);
    let endless = Wanted { left: None, ..wanted(Side::Back, 0, 30_000) };
    assert_eq!(payouts(&endless, &makers), [1_003, 1_003, 990]);
}

#[test]
fn the_first_acceptable_payout_is_taken() {
    let makers = makers(&THIRD);
    // Of 3009 the stakes are 1203, 802 and 1004: one too many. Of 3002 they are 1200, 800 and 1002: 2.996.
    let found = |limit| look(&wanted(Side::Back, 1_003, limit), &makers);
    assert_eq!(found(30_000), set(30_000, 3_000, 1_000, &[1_200, 800]));
    assert_eq!(found(29_900), set(29_960, 3_002, 1_002, &[1_200, 800]));
    // Of 3009 the stakes are 1204, 803 and 1002: 3.003.
    let found = |limit| look(&wanted(Side::Lay, 1_003, limit), &makers);
    assert_eq!(found(30_000), set(30_000, 3_000, 1_000, &[1_200, 800]));
    assert_eq!(found(30_500), set(30_030, 3_009, 1_002, &[1_204, 803]));
}

#[test]
fn a_direct_order_has_to_be_beaten() {
    let makers = makers(&THIRD);
    let found = |side, direct| {
        let limit = if side == Side::Back { 10_100 } else { 10_000_000 };
        look(&Wanted { direct: Some(direct), ..wanted(side, 1_003, limit) }, &makers)
    };
    // 3002 of 1002 is 2.99600...; 3000 of 1000 beats 2.9961. A tie with what is implied passes nothing over.
    assert_eq!(found(Side::Back, 29_960), set(29_960, 3_002, 1_002, &[1_200, 800]));
    assert_eq!(found(Side::Back, 29_961), set(30_000, 3_000, 1_000, &[1_200, 800]));
    assert_eq!(found(Side::Back, 29_999), set(30_000, 3_000, 1_000, &[1_200, 800]));
    assert_eq!(found(Side::Back, 30_000), Found::Nothing);
    // 3009 of 1002 is 3.00299..., 3008 of 1001 is 3.00499....
    assert_eq!(found(Side::Lay, 30_030), set(30_030, 3_009, 1_002, &[1_204, 803]));
    assert_eq!(found(Side::Lay, 30_029), set(30_000, 3_000, 1_000, &[1_200, 800]));
    assert_eq!(found(Side::Lay, 30_000), Found::Nothing);
}

#[test]
fn a_tie_with_the_direct_order_passes_nothing_over() {
    // The taker carries more than the makers, and no payout beats the direct order. A half is exact in units of
    // 10^-18; a third is rounded down, which is made up for.
    let found = |side, others: &[(i128, i128)], direct| {
        let limit = if side == Side::Back { 10_100 } else { 10_000_000 };
        look(&Wanted { direct: Some(direct), ..wanted(side, 10_000_000, limit) }, &makers(others))
    };
    let half = [(20_000, 1_000)];
    for side in [Side::Back, Side::Lay] {
        assert_eq!(found(side, &half, 20_000), Found::Nothing, "{side:?}");
        assert_eq!(found(side, &THIRD, 30_000), Found::Nothing, "{side:?}");
    }
    assert_eq!(found(Side::Back, &half, 19_900), set(20_000, 2_000, 1_000, &[1_000]));
    assert_eq!(found(Side::Lay, &half, 20_200), set(20_000, 2_000, 1_000, &[1_000]));
}

#[test]
fn what_is_implied_has_to_reach_the_limit() {
    // Half is exact in units of 10^-18, and so is its price.
    let half = makers(&[(20_000, 1_000)]);
    for (side, limit, reached) in [
        (Side::Back, 20_000, true),
        (Side::Back, 20_100, false),
        (Side::Lay, 20_000, true),
        (Side::Lay, 19_900, false),
    ] {
        let found = look(&wanted(side, 500, limit), &half);
        let all = if reached { set(20_000, 1_000, 500, &[500]) } else { Found::Nothing };
        assert_eq!(found, all, "{side:?} {limit}");
    }
    // For a LAY the others may leave nothing at all.
    assert_eq!(look(&wanted(Side::Lay, 500, 10_000_000), &makers(&[(20_000, 10); 2])), Found::Nothing);
}

#[test]
fn rounding_costs_little_or_is_the_last_of_the_taker() {
    // All of 199 pays 397, whose 197.5 cost 198: more than 1/1024 of it. A payout of 199 costs nothing.
    let makers = makers(&[(19_900, 199)]);
    let whole = set(20_101, 199, 99, &[100]);
    // With one maker it may leave 100.
    assert_eq!(look(&wanted(Side::Back, 298, 15_000), &makers), set(20_050, 397, 198, &[199]));
    assert_eq!(look(&wanted(Side::Back, 299, 15_000), &makers), whole);
    // 2.005 is not enough.
    assert_eq!(look(&wanted(Side::Back, 298, 20_100), &makers), whole);
    // Another maker may leave one more: of 100 at 3.80 and 2.12 they are 26, 47 and 27; 26.5 are due.
    let makers = self::makers(&[(38_000, 1_000), (21_200, 1_000)]);
    let meets = |left| acceptable(&wanted(Side::Back, left, 30_000), &makers, 100).map(|set| set.taker);
    assert_eq!((meets(27 + 101), meets(27 + 102)), (Some(27), None));
}

#[test]
fn rounding_is_measured_against_the_smaller_side() {
    // At 50 the maker's 20.98 are 20. That is less than 1/1024 of the taker's 1029, but not of the 20.
    let makers = makers(&[(500_000, 1_000)]);
    let wanted = wanted(Side::Back, 100_000, 10_100);
    assert_eq!(acceptable(&wanted, &makers, 1_049), None);
    let exact = Set { price: 10_204, payout: 1_050, taker: 1_029, makers: vec![21] };
    assert_eq!(acceptable(&wanted, &makers, 1_050), Some(exact));
    // The other way round: the taker's 9.9 are 10, with 990 of the maker.
    let makers = self::makers(&[(10_100, 100_000)]);
    assert_eq!(acceptable(&wanted, &makers, 1_000), None);
    assert!(acceptable(&wanted, &makers, 1_010).is_some());
}

#[test]
fn every_leg_is_at_least_one_quantum_and_within_what_is_left() {
    let makers = |left| makers(&[(10_000_000, left)]);
    // A payout of 999 leaves the maker nothing.
    let wanted = wanted(Side::Back, 999, 10_100);
    assert_eq!(acceptable(&wanted, &makers(1), 999), None);
    let one = Set { price: 10_100, payout: 1_000, taker: 999, makers: vec![1] };
    assert_eq!(
        acceptable(&Wanted { limit: 10_010, ..wanted }, &makers(1), 1_000).map(|set| set.taker),
        Some(999)
    );
    assert_eq!(acceptable(&Wanted { limit: 10_010, left: Some(998), ..wanted }, &makers(1), 1_000), None);
    assert_eq!(acceptable(&Wanted { limit: 10_010, left: Some(9_999), ..wanted }, &makers(1), 2_000), None);
    assert!(one.taker + one.makers[0] == one.payout);
}

#[test]
fn the_makers_bound_says_whether_one_is_passed_over() {
    let found = |stake, left| look(&wanted(Side::Back, left, 20_100), &makers(&[(19_900, stake)]));
    // A payout of 2 is one quantum each: 2.0. Only 199 is 2.01 exactly.
    assert_eq!(found(1, 1), Found::PassOver(0));
    // One maker carries 4, the taker 2.
    assert_eq!(found(2, 1), Found::Nothing);
    assert_eq!(found(2, 2), Found::PassOver(0));
    assert_eq!(found(100, 99), set(20_101, 199, 99, &[100]));
    // An endless taker is never the scarcer one, and takes no less than 8192.
    let endless = |stake| {
        let wanted = Wanted { left: None, ..wanted(Side::Back, 0, 20_000) };
        look(&wanted, &makers(&[(20_000, stake)]))
    };
    assert_eq!(endless(8_191), Found::PassOver(0));
    assert_eq!(endless(8_192), set(20_000, 16_384, 8_192, &[8_192]));
}

#[test]
fn too_good_to_be_a_price() {
    let found = |others: &[(i128, i128)]| look(&wanted(Side::Back, 100_000, 10_100), &makers(others));
    // 1 / (1 - 1/1.01 - 1/110) is 1235; of equals the first is the scarcest.
    assert_eq!(found(&[(10_100, 1_100), (1_100_000, 10)]), Found::PassOver(1));
    assert_eq!(found(&[(10_100, 1_000), (1_010_000, 10)]), Found::PassOver(0));
    // With 112 it is still 1028, with 113 it is 951.
    assert_eq!(found(&[(10_100, 1_000_000), (1_120_000, 100)]), Found::PassOver(1));
    let below = found(&[(10_100, 11_187_000), (1_130_000, 100_000)]);
    assert!(matches!(below, Found::Set(_)), "{below:?}");
    // Too good for a LAY is below 1.01, which is what 101 of the other is.
    let found = |odds| look(&wanted(Side::Lay, 1_000, 10_100), &makers(&[(odds, 10)]));
    assert_eq!(found(1_010_000), set(10_100, 1_010, 1_000, &[10]));
    assert_eq!(found(1_020_000), Found::PassOver(0));
}

#[test]
fn a_period_is_the_smallest_payout_of_whole_stakes() {
    assert_eq!(period(&makers(&THIRD)), 15);
    assert_eq!(period(&makers(&[(20_000, 1), (40_000, 1), (60_000, 1)])), 12);
    assert_eq!(period(&makers(&[(15_000, 1), (10_100, 1)])), 303);
    assert_eq!(period(&makers(&[(10_000_000, 1)])), 1_000);
    // No payout is a multiple of all from 101 to 163.
    let many: Vec<_> = (10_100..16_400).step_by(100).map(|odds| (odds, 1)).collect();
    assert!(period(&makers(&many)) > 10_i128.pow(20));
}
