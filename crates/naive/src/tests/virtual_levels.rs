//! Virtual levels, worked out by hand.

use super::search::makers;
use super::{back, filled, lay, on};
use crate::sets::virtual_price;
use crate::{Ladder, Market, NewOrder, Side, VIRTUAL_WORK_MAX};

/// Price, quantity and number of sets.
fn levels(market: &Market, outcome: usize, shown: Side) -> Vec<(u32, i128, usize)> {
    let levels = market.virtual_levels(outcome, shown);
    levels.iter().map(|level| (level.price, level.quantity, level.sets)).collect()
}

#[test]
fn a_price_of_whole_stakes_is_shown_as_it_is() {
    let shown = |side, odds: [i128; 2]| {
        let makers = makers(&odds.map(|odds| (odds, 1)));
        virtual_price(side, &makers, &Ladder::Classic.prices())
    };
    // Payouts of 3 have whole stakes.
    assert_eq!(shown(Side::Back, [30_000, 30_000]), Some(30_000));
    assert_eq!(shown(Side::Lay, [30_000, 30_000]), Some(30_000));
    // 1.61 and 46 leave exactly 2.80, but only payouts of 322 have whole stakes, of which 115 are the taker's.
    assert_eq!(shown(Side::Back, [16_100, 460_000]), Some(27_800));
    assert_eq!(shown(Side::Lay, [16_100, 460_000]), Some(28_200));
    // 3.50 and 5.40 leave 1.89, and 100 of 189; the rounding of q is on the safe side.
    assert_eq!(shown(Side::Back, [35_000, 54_000]), Some(18_800));
    assert_eq!(shown(Side::Lay, [35_000, 54_000]), Some(19_000));
    // 1.40 and 65 leave 3.69919: 3.70 is nearer than two of 8192.
    assert_eq!(shown(Side::Lay, [14_000, 650_000]), Some(37_500));
    // Nothing is left, more than 1000 is left, and less than 1.01.
    assert_eq!(shown(Side::Lay, [20_000, 20_000]), None);
    assert_eq!(shown(Side::Lay, [10_100, 1_010_100]), None);
    assert_eq!(shown(Side::Back, [10_000_000, 10_000_000]), None);
}

#[test]
fn levels_are_what_an_endless_taker_would_meet() {
    // 4.00 and 4.00 leave 2.00, then 4.00 and 5.00 leave 1.81... of which 1.81 is on the ladder.
    let book =
        [on(1, back(1, 40_000, 100_000)), on(2, back(2, 40_000, 60_000)), on(2, back(3, 50_000, 90_000))];
    let market = filled(Market::new(3), &book);
    // The payout of the first is 240 000, of which 120 000 are the taker's. The other's 4 x 40 000 pay
    // 160 000, of which 32 000 are staked at 5.00 and 88 000 by the taker.
    assert_eq!(levels(&market, 0, Side::Lay), [(20_000, 120_000, 1), (18_100, 88_000, 1)]);
    assert_eq!(levels(&market, 0, Side::Back), []);
    // Direct orders and accounts do not matter.
    let direct = [lay(1, 20_000, 100)];
    assert_eq!(levels(&filled(market, &direct), 0, Side::Lay).len(), 2);
    // LAYs: 2.50 and 4.00 leave 2.857, which is 2.86.
    let book = [on(1, lay(1, 25_000, 400_000)), on(2, lay(2, 40_000, 250_000))];
    assert_eq!(levels(&filled(Market::new(3), &book), 0, Side::Back), [(28_600, 350_000, 1)]);
}

#[test]
fn sets_at_one_price_are_one_level() {
    let book =
        [on(1, back(1, 20_000, 10_000)), on(1, back(2, 20_000, 20_000)), on(1, back(3, 30_000, 10_000))];
    let market = filled(Market::new(2), &book);
    assert_eq!(levels(&market, 0, Side::Lay), [(20_000, 30_000, 2), (15_000, 20_000, 1)]);
    // Less than 8192 of the taker is no set: that order is passed over.
    let book = [on(1, back(1, 20_000, 8_100)), on(1, back(1, 30_000, 10_000))];
    assert_eq!(levels(&filled(Market::new(2), &book), 0, Side::Lay), [(15_000, 20_000, 1)]);
    let book = [on(1, back(1, 20_000, 8_200)), on(1, back(1, 30_000, 10_000))];
    assert_eq!(levels(&filled(Market::new(2), &book), 0, Side::Lay).len(), 2);
}

#[test]
fn levels_show_whole_pennies() {
    let market = filled(Market::new(2), &[on(1, back(1, 19_700, 70_100))]);
    // 1.97 x 70 100 is 138 097: 67 997 for the taker, at 2.0309. That is 679 pennies.
    assert_eq!(levels(&market, 0, Side::Lay), [(20_200, 67_900, 1)]);
}

#[test]
fn an_absurd_price_is_passed_over() {
    let book =
        [on(1, back(1, 10_100, 100_000)), on(1, back(2, 40_000, 50_000)), on(2, back(3, 20_000, 100_000))];
    let market = filled(Market::new(3), &book);
    assert_eq!(levels(&market, 0, Side::Lay), [(40_000, 50_000, 1)]);
    // Below 1.01 for a LAY.
    let book = [on(1, lay(1, 10_000_000, 100_000)), on(1, lay(2, 30_000, 20_000))];
    assert_eq!(levels(&filled(Market::new(2), &book), 0, Side::Back), [(15_000, 40_000, 1)]);
}

#[test]
fn only_so_much_is_looked_at() {
    // Pennies are passed over. With fifty others there are 327 looks.
    let shown = |pennies: usize| {
        let mut book = vec![on(1, back(1, 1_000_000, 100)); pennies];
        book.push(on(1, back(1, 1_000_000, 1_000_000)));
        book.extend((2..51).map(|outcome| on(outcome, back(1, 1_000_000, 1_000_000))));
        levels(&filled(Market { synthetic: false, ..Market::new(51) }, &book).with_sets(), 0, Side::Lay).len()
    };
    assert_eq!(VIRTUAL_WORK_MAX / 50, 327);
    assert_eq!((shown(326), shown(327)), (1, 0));
}

impl Market {
    /// The same, from now on with sets.
    pub(super) fn with_sets(self) -> Self {
        Self { synthetic: true, ..self }
    }
}

#[test]
fn there_are_none_without_sets() {
    let book = [on(1, back(1, 20_000, 100_000))];
    assert_eq!(levels(&filled(Market::new(3), &book), 0, Side::Lay), [], "an outcome is missing");
    let market = filled(Market { synthetic: false, ..Market::new(2) }, &book);
    assert_eq!(levels(&market, 0, Side::Lay), []);
    assert_eq!(levels(&market.with_sets(), 0, Side::Lay).len(), 1);
}

#[test]
fn in_ticks_they_are_exact() {
    let buy = |outcome, ticks, shares| NewOrder::limit(1, outcome, Side::Back, ticks, shares);
    let book = [buy(1, 99, 1), buy(1, 25, 100), buy(2, 30, 40), buy(2, 24, 30), buy(2, 24, 100)];
    let market = filled(Market::binary(3, 100), &book);
    // 99 and 30 are too much: the single share is passed over.
    assert_eq!(levels(&market, 0, Side::Lay), [(45, 40, 1), (51, 60, 2)]);
    let sell = |outcome, ticks, shares| NewOrder::limit(1, outcome, Side::Lay, ticks, shares);
    let market = filled(Market::binary(3, 100), &[sell(1, 25, 10), sell(2, 30, 4), sell(2, 75, 10)]);
    // The others then leave nothing.
    assert_eq!(levels(&market, 0, Side::Back), [(45, 4, 1)]);
    let market = filled(Market::binary(2, 100), &[buy(1, 25, 100)]);
    assert_eq!(levels(&market, 0, Side::Lay), [], "a pair has no sets");
}
