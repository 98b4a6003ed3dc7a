//! Complete sets at odds, by hand. Amounts are in quanta: 100 is a penny.

use super::{back, filled, lay, met, on};
use crate::{Leg, Market, NewOrder, Reason, SelfTrade, Side, Status, Trade};

/// Prices, stakes and payout of every trade: the taker's, then its makers'.
type Told = Vec<(u32, i64, i128, Vec<(u64, i64)>)>;

fn trades(market: &mut Market, order: &NewOrder) -> Told {
    let told = |trade: Trade| {
        let makers = trade.makers.iter().map(|leg| (leg.maker, leg.stake)).collect();
        (trade.price, trade.stake, trade.payout, makers)
    };
    market.submit(0, order).expect("a valid order").trades.into_iter().map(told).collect()
}

#[test]
fn backers_of_every_outcome_fund_each_other() {
    let market = Market { groups: vec![vec![2, 0, 1]], ..Market::new(3) };
    let mut market = filled(market, &[on(2, back(1, 30_000, 90_000)), on(1, back(2, 30_000, 120_000))]);
    let answer = market.submit(0, &back(3, 30_000, 100_000)).expect("valid");
    let leg = |maker, outcome, left| Leg {
        maker,
        outcome,
        side: Side::Back,
        price: 30_000,
        stake: 90_000,
        quantity: 90_000,
        left,
        payout: 270_000,
    };
    let makers = vec![leg(2, 1, 30_000), leg(1, 2, 0)];
    let (price, stake, payout) = (30_000, 90_000, 270_000);
    assert_eq!(answer.trades, [Trade { taker: 3, set: true, price, stake, quantity: stake, payout, makers }]);
    assert_eq!((answer.status, answer.remaining), (Status::PartiallyFilled, 10_000));
    assert_eq!(market.report(2).map(|report| (report.filled, report.remaining)), Some((90_000, 30_000)));
}

#[test]
fn layers_of_every_outcome_sell_one() {
    // 1 / (1 - 1/2.5 - 1/4) = 2.857: the price is raised.
    let mut market =
        filled(Market::new(3), &[on(1, lay(1, 25_000, 400_000)), on(2, lay(2, 40_000, 250_000))]);
    let order = lay(3, 30_000, 1_000_000);
    assert_eq!(trades(&mut market, &order), [(28_572, 350_000, 1_000_000, vec![(1, 400_000), (2, 250_000)])]);
}

#[test]
fn a_layer_is_not_met_by_backers_nor_a_backer_by_layers() {
    let mut market = filled(Market::new(2), &[on(1, lay(1, 20_000, 1_000))]);
    assert_eq!(trades(&mut market, &back(2, 20_000, 1_000)), []);
    let mut market = filled(Market::new(2), &[on(1, back(1, 20_000, 1_000))]);
    assert_eq!(trades(&mut market, &lay(2, 20_000, 1_000)), []);
}

#[test]
fn sets_are_for_exclusive_outcomes_of_a_market_that_has_them() {
    let meets = |market: Market| {
        !met(&mut filled(market, &[on(1, back(1, 20_000, 1_000))]), &back(2, 20_000, 1_000)).is_empty()
    };
    assert!(meets(Market::new(2)));
    assert!(!meets(Market { synthetic: false, ..Market::new(2) }));
    assert!(!meets(Market { independent: true, ..Market::new(2) }));
    // A third outcome is missing, but not where it is of another line.
    assert!(!meets(Market::new(3)));
    assert!(meets(Market { groups: vec![vec![3, 2], vec![1, 0]], ..Market::new(4) }));
    assert!(!meets(Market { groups: vec![vec![2, 0], vec![1, 3]], ..Market::new(4) }));
}

#[test]
fn a_set_has_to_beat_the_direct_order() {
    let book = [on(1, back(1, 20_000, 1_000)), lay(2, 20_000, 1_000), lay(3, 19_900, 1_000)];
    let mut market = filled(Market::new(2), &book);
    let walk = [(20_000, 1_000, 2_000, vec![(2, 1_000)]), (20_000, 1_000, 2_000, vec![(1, 1_000)])];
    assert_eq!(trades(&mut market, &back(4, 19_000, 2_000)), walk);
    assert_eq!(met(&mut market, &back(4, 19_000, 100)), [(3, 19_900, 100)]);
}

#[test]
fn a_backers_limit_is_the_least_and_a_layers_the_most() {
    for (limit, meets) in [(30_000, true), (30_500, false)] {
        let mut market = filled(Market::new(2), &[on(1, back(1, 15_000, 10_000))]);
        assert_eq!(!met(&mut market, &back(2, limit, 5_000)).is_empty(), meets);
    }
    for (limit, meets) in [(15_000, true), (14_900, false)] {
        let mut market = filled(Market::new(2), &[on(1, lay(1, 30_000, 10_000))]);
        assert_eq!(!met(&mut market, &lay(2, limit, 5_000)).is_empty(), meets);
    }
}

#[test]
fn own_orders_are_no_makers() {
    let book = [on(1, back(1, 19_500, 1_000)), on(1, back(2, 20_000, 1_000))];
    let mut market = filled(Market::new(2), &book);
    assert_eq!(met(&mut market, &back(1, 20_000, 1_000)), [(2, 20_000, 1_000)]);
    // On another outcome they are not in the way of resting, either.
    let answer = market.submit(0, &back(1, 20_000, 1_000)).expect("valid");
    assert_eq!((answer.status, answer.reason), (Status::Resting, None));
}

#[test]
fn a_maker_is_passed_over_until_the_direct_price_changes() {
    // 2.58 and 3.75 imply 2.8923. A penny's payout of 258 leaves 90 where 89.2 are due: too much for a taker
    // of 10 pennies, but not for the last one of them.
    let told = |second| {
        let book = [
            on(1, back(1, 25_800, 100)),
            on(2, back(1, 37_500, 100_000)),
            lay(3, 28_600, 900),
            lay(4, second, 50_000),
        ];
        trades(&mut filled(Market::new(3), &book), &back(5, 28_000, 1_000))
    };
    let first = (28_600, 900, 2_574, vec![(3, 900)]);
    assert_eq!(told(28_600), [first.clone(), (28_600, 100, 286, vec![(4, 100)])]);
    assert_eq!(told(28_400), [first, (28_666, 90, 258, vec![(1, 100), (2, 68)])]);
}

#[test]
fn an_absurd_price_is_passed_over() {
    // 1 / (1 - 1/1.01 - 1/2) is no price; the penny is the scarcest.
    let book =
        [on(1, back(1, 10_100, 100)), on(1, back(2, 40_000, 100_000)), on(2, back(3, 20_000, 100_000))];
    let mut market = filled(Market::new(3), &book);
    assert_eq!(
        trades(&mut market, &back(4, 40_000, 10_000)),
        [(40_000, 10_000, 40_000, vec![(2, 10_000), (3, 20_000)])]
    );
    // A layer has no set if the others leave nothing; below 1.01 an order is in the way.
    let book = [on(1, lay(1, 10_000_000, 100)), on(1, lay(2, 30_000, 100_000))];
    let mut market = filled(Market::new(2), &book);
    assert_eq!(met(&mut market, &lay(3, 15_000, 20_000)), [(2, 30_000, 10_000)]);
    let mut market = filled(Market::new(3), &[on(1, lay(1, 20_000, 100)), on(2, lay(2, 20_000, 100))]);
    assert_eq!(met(&mut market, &lay(3, 10_000_000, 100)), []);
}

#[test]
fn own_makers_are_met_where_they_are_not_passed_over() {
    let book = [on(1, back(1, 30_000, 1_000)), on(2, back(2, 30_000, 1_000)), on(1, back(3, 30_000, 500))];
    let answer = |self_trade| {
        let mut market = filled(Market::new(3), &book);
        market.submit(0, &NewOrder { self_trade, ..back(1, 30_000, 1_000) })
    };
    assert_eq!(answer(SelfTrade::Reject), Err(crate::Refusal::SelfTrade));
    let taken = answer(SelfTrade::CancelTaker).expect("valid");
    assert_eq!((taken.status, taken.reason), (Status::Cancelled, Some(Reason::SelfTrade)));
    let taken = answer(SelfTrade::CancelResting).expect("valid");
    assert_eq!((taken.filled, taken.own_cancelled, taken.trades[0].makers[0].maker), (500, vec![1], 3));
    let taken = answer(SelfTrade::Skip).expect("valid");
    assert_eq!((taken.filled, taken.own_cancelled.len(), taken.trades[0].makers[0].maker), (500, 0, 3));
}
