//! The bounds on the work of one command.

use super::{back, filled, lay, on};
use crate::{
    FILLS_MAX, Lasting, Market, NewOrder, Price, Reason, Refusal, SelfTrade, Side, Status, WORK_MAX,
};

/// On this outcome so many pennies that are passed over, whatever is on the others.
fn wall(outcome: usize, pennies: usize) -> Vec<NewOrder> {
    vec![on(outcome, back(1, 10_100, 100)); pennies]
}

/// Orders at 2.00 on this outcome and at 1000 on the others: together they leave something.
fn makers(outcome: usize, others: impl Iterator<Item = usize>) -> Vec<NewOrder> {
    let mut makers = vec![on(outcome, back(1, 20_000, 1_000_000))];
    makers.extend(others.map(|other| on(other, back(1, 10_000_000, 1_000_000))));
    makers
}

/// The same orders, which have not met in sets.
fn resting(market: Market, book: &[NewOrder]) -> Market {
    filled(Market { synthetic: false, ..market }, book).with_sets()
}

#[test]
fn so_much_is_looked_at_for_sets() {
    // With 200 others there are 655 looks.
    let looks = WORK_MAX / 200;
    assert_eq!(looks, 655);
    let with_pennies = |pennies: usize| {
        let mut book = wall(1, pennies);
        book.extend(makers(1, 2..201));
        resting(Market::new(201), &book)
    };
    // Together they leave 0.301: this pays 100 000.
    let taker = back(2, 10_100, 30_100);
    let fok = NewOrder { lasting: Lasting::AtLeast(100), ..taker.clone() };
    let mut market = with_pennies(looks - 1);
    assert_eq!(market.submit(0, &fok).map(|answer| answer.filled), Ok(30_100));
    // One penny more, and there is no look at the set. What is left rests, or is missing.
    let mut market = with_pennies(looks);
    assert_eq!(market.submit(0, &fok), Err(Refusal::OrderLimit));
    let never = NewOrder { price: Price::Market(None), ..taker.clone() };
    let answer = market.submit(0, &never).expect("valid");
    assert_eq!((answer.status, answer.reason), (Status::Cancelled, Some(Reason::NeverRests)));
    let answer = market.clone().submit(0, &taker).expect("valid");
    assert_eq!((answer.status, answer.reason), (Status::Resting, None));
    // Direct orders are met all the same. That their prices differ changes nothing.
    market = filled(market, &[lay(3, 12_000, 100), lay(3, 11_000, 100)]);
    let answer = market.clone().submit(0, &taker).expect("valid");
    assert_eq!((answer.status, answer.filled, answer.reason), (Status::PartiallyFilled, 200, None));
    assert_eq!(
        market.submit(0, &NewOrder { lasting: Lasting::AtLeast(300), ..taker }),
        Err(Refusal::OrderLimit)
    );
}

#[test]
fn a_look_counts_even_where_a_maker_is_missing() {
    // Each direct order is a step with a look of 128, and so is the end: the 1025th look is one too many.
    assert_eq!(WORK_MAX, 1_024 * 128);
    let missing = |direct: i64| {
        let mut market =
            filled(Market::new(129), &(0..direct).map(|_| lay(1, 20_000, 100)).collect::<Vec<_>>());
        let lasting = Lasting::AtLeast(0);
        market.submit(0, &NewOrder { lasting, ..back(2, 10_100, direct * 100 + 100) })
    };
    assert_eq!(missing(1_023), Err(Refusal::WouldNotFill));
    assert_eq!(missing(1_024), Err(Refusal::OrderLimit));
}

#[test]
fn both_halves_of_a_quarter_line_share_the_work() {
    // On each line a hundred others: 1310 looks in all.
    let near = || (2..102).collect::<Vec<_>>();
    let far = || (102..202).collect::<Vec<_>>();
    let group = |first, others: Vec<usize>| [vec![first], others].concat();
    let empty = Market {
        groups: vec![group(0, near()), group(1, far())],
        quarters: vec![(0, 1)],
        ..Market::new(202)
    };
    let filled_of = |pennies| {
        // Of the near half all are passed over, with the look that finds no more.
        let mut book = wall(2, 1_000);
        book.extend(makers(3, near().into_iter().skip(2)));
        book.extend(wall(102, pennies));
        book.extend(makers(102, far().into_iter().skip(1)));
        let order = NewOrder { far: Some(1), ..back(2, 10_100, 1_000) };
        let answer = resting(empty.clone(), &book).submit(0, &order).expect("valid");
        assert!(answer.trades.iter().all(|trade| trade.taker == answer.number + 2));
        answer.filled
    };
    assert_eq!(WORK_MAX / 100, 1_310);
    assert_eq!((filled_of(1_310 - 1_001 - 1), filled_of(1_310 - 1_001)), (500, 0));
}

#[test]
fn own_orders_are_no_work() {
    let mut book = vec![on(1, back(2, 20_000, 100)); 1_000];
    book.extend(makers(1, 2..201));
    let answer = resting(Market::new(201), &book).submit(0, &back(2, 10_100, 30_100)).expect("valid");
    assert_eq!(answer.filled, 30_100);
}

/// On outcomes 1 and 2 so many pairs of orders that leave 3.00.
fn pairs(count: usize) -> Vec<NewOrder> {
    (0..count).flat_map(|_| [on(1, back(1, 30_000, 1_000)), on(2, back(1, 30_000, 1_000))]).collect()
}

#[test]
fn legs_of_sets_are_fills_and_their_bound_ends_sets() {
    let all = FILLS_MAX / 2;
    let taker = back(2, 28_000, 3_000_000);
    let taken = |book: &[NewOrder], order: &NewOrder| {
        let answer = filled(Market::new(3), book).submit(0, order);
        answer.map(|answer| (answer.filled, answer.trades.len(), answer.remaining, answer.reason))
    };
    // What is left rests, where no direct order could be met.
    assert_eq!(taken(&pairs(all + 1), &taker), Ok((2_048_000, all, 952_000, None)));
    let fok = |least| NewOrder { lasting: Lasting::AtLeast(least), ..taker.clone() };
    assert_eq!(taken(&pairs(all + 1), &fok(2_048_100)), Err(Refusal::OrderLimit));
    assert_eq!(taken(&pairs(all + 1), &fok(2_048_000)), Ok((2_048_000, all, 0, Some(Reason::NeverRests))));
    // One could be met.
    let book = [pairs(all + 1), vec![lay(1, 29_000, 1_000)]].concat();
    assert_eq!(taken(&book, &taker), Ok((2_048_000, all, 0, Some(Reason::OrderLimit))));
    // One fill is left after 2047 sets and the first direct order: not for a set, but for a direct order.
    let book =
        |worse: usize| [pairs(all), vec![lay(1, 40_000, 1_000)], vec![lay(1, 29_000, 1_000); worse]].concat();
    assert_eq!(taken(&book(0), &taker), Ok((2_048_000, all, 952_000, None)));
    assert_eq!(taken(&book(1), &taker), Ok((2_049_000, all + 1, 951_000, None)));
    assert_eq!(taken(&book(2), &taker), Ok((2_049_000, all + 1, 0, Some(Reason::OrderLimit))));
}

#[test]
fn an_own_order_met_after_sets_ended_leaves_too_little_because_of_the_bound() {
    let book = [pairs(FILLS_MAX / 2 + 1), vec![lay(2, 29_000, 1_000)]].concat();
    let fok = NewOrder {
        lasting: Lasting::AtLeast(3_000_000),
        self_trade: SelfTrade::CancelTaker,
        ..back(2, 28_000, 3_000_000)
    };
    assert_eq!(filled(Market::new(3), &book).submit(0, &fok), Err(Refusal::OrderLimit));
}

#[test]
fn in_ticks_the_same_work_counts() {
    let buy = |outcome, ticks, shares| NewOrder::limit(1, outcome, Side::Back, ticks, shares);
    let taken = |absurd: usize| {
        let mut book = vec![buy(1, 9_900, 1); absurd];
        book.push(buy(1, 5_000, 100));
        book.extend((2..201).map(|outcome| buy(outcome, 1, 100)));
        let mut market = resting(Market::binary(201, 10_000), &book);
        market.submit(0, &NewOrder::limit(2, 0, Side::Back, 5_000, 100)).expect("valid").filled
    };
    assert_eq!((taken(654), taken(655)), (100, 0));
}
