//! Kinds of orders: fill or kill, post-only, and what becomes of those that meet their own.

use super::{back, lay, market, met, on};
use crate::{
    Answer, FILLS_MAX, Lasting, NewOrder, OWN_ORDERS_SKIPPED_MAX, Price, Reason, Refusal, SelfTrade, Status,
};

fn fok(least: i64, order: NewOrder) -> NewOrder {
    NewOrder { lasting: Lasting::AtLeast(least), ..order }
}

fn post(order: NewOrder) -> NewOrder {
    NewOrder { post_only: true, ..order }
}

fn with(self_trade: SelfTrade, order: NewOrder) -> NewOrder {
    NewOrder { self_trade, ..order }
}

/// What is filled, what rests, and why not more.
fn told(answer: &Answer) -> (Status, i64, i64, Option<Reason>) {
    (answer.status, answer.filled, answer.remaining, answer.reason)
}

#[test]
fn fill_or_kill_is_at_least_its_minimum_or_nothing() {
    use Reason::NeverRests;
    let book = [lay(1, 26_000, 300), on(1, back(2, 16_000, 500)), lay(4, 26_000, 200)];
    // 500 directly, and 300 by a set at 2.667, where own orders do not count.
    for (order, answer) in [
        (fok(0, back(3, 25_000, 800)), Ok((Status::Filled, 800, 0, None))),
        (fok(0, back(3, 25_000, 900)), Err(Refusal::WouldNotFill)),
        (fok(800, back(3, 25_000, 900)), Ok((Status::Cancelled, 800, 0, Some(NeverRests)))),
        (fok(900, back(3, 25_000, 1_000)), Err(Refusal::WouldNotFill)),
        (fok(800, back(4, 25_000, 900)), Err(Refusal::WouldNotFill)),
        (fok(600, back(4, 25_000, 900)), Ok((Status::Cancelled, 600, 0, Some(NeverRests)))),
        (fok(0, NewOrder { price: Price::Market(None), ..back(3, 0, 900) }), Err(Refusal::WouldNotFill)),
        (fok(-100, back(3, 25_000, 900)), Err(Refusal::InvalidField)),
        (fok(750, back(3, 25_000, 900)), Ok((Status::Cancelled, 800, 0, Some(NeverRests)))),
        (fok(850, back(3, 25_000, 900)), Err(Refusal::WouldNotFill)),
        (fok(1_000, back(3, 25_000, 900)), Err(Refusal::InvalidField)),
    ] {
        let mut market = market(&book);
        let before = market.orders.clone();
        let taken = market.submit(0, &order);
        assert_eq!(taken.as_ref().map(told).map_err(|refusal| *refusal), answer, "{order:?}");
        if answer.is_err() {
            assert_eq!(market.orders, before);
        }
    }
}

#[test]
fn the_bound_may_keep_an_order_from_its_minimum() {
    let market = market(&vec![lay(1, 25_000, 100); FILLS_MAX + 1]);
    let all = back(2, 25_000, 409_700);
    assert_eq!(market.clone().submit(0, &fok(0, all.clone())), Err(Refusal::OrderLimit));
    let answer = market.clone().submit(0, &fok(409_600, all)).expect("enough");
    assert_eq!(told(&answer), (Status::Cancelled, 409_600, 0, Some(Reason::OrderLimit)));
}

#[test]
fn post_only_never_matches() {
    let cross = || back(1, 25_000, 1_000);
    // Directly, and by a set.
    assert_eq!(market(&[lay(2, 25_000, 100)]).submit(0, &post(cross())), Err(Refusal::WouldMatch));
    assert_eq!(market(&[on(1, back(2, 16_000, 500))]).submit(0, &post(cross())), Err(Refusal::WouldMatch));
    // After an own order there is another.
    let book = [lay(1, 25_000, 100), lay(2, 25_000, 100)];
    assert_eq!(market(&book).submit(0, &post(cross())), Err(Refusal::WouldMatch));
    assert_eq!(market(&book[..1]).submit(0, &post(cross())), Err(Refusal::SelfTrade));
    let answer = market(&[lay(2, 24_000, 100)]).submit(0, &post(cross())).expect("rests");
    assert_eq!(told(&answer), (Status::Resting, 0, 1_000, None));
    for order in [
        NewOrder { lasting: Lasting::Immediate, ..cross() },
        NewOrder { price: Price::Market(None), ..cross() },
        fok(0, cross()),
    ] {
        assert_eq!(market(&[]).submit(0, &post(order)), Err(Refusal::InvalidField));
    }
}

#[test]
fn post_only_meets_its_own_as_it_says() {
    use SelfTrade::{CancelResting, CancelTaker, Reject};
    let book = [lay(1, 25_000, 100), lay(2, 25_000, 100)];
    let try_on = |book: &[NewOrder], self_trade| {
        let mut market = market(book);
        let answer = market.submit(0, &post(with(self_trade, back(1, 25_000, 100))));
        (answer.as_ref().map(told).map_err(|refusal| *refusal), market.queue(0, crate::Side::Lay).len())
    };
    assert_eq!(try_on(&book, Reject), (Err(Refusal::SelfTrade), 2));
    let cancelled = (Status::Cancelled, 0, 0, Some(Reason::SelfTrade));
    assert_eq!(try_on(&book, CancelTaker), (Ok(cancelled), 2));
    // Its own leaves only if it then rests.
    assert_eq!(try_on(&book, CancelResting), (Err(Refusal::WouldMatch), 2));
    assert_eq!(try_on(&book[..1], CancelResting), (Ok((Status::Resting, 0, 100, None)), 0));
}

#[test]
fn an_order_meets_its_own_as_it_says() {
    use SelfTrade::{CancelResting, CancelTaker, Reject, Skip};
    let book = [lay(2, 26_000, 100), lay(1, 25_600, 100), lay(3, 25_000, 100)];
    for (self_trade, answer, own_cancelled) in [
        (Skip, Ok((Status::Cancelled, 200, 0, Some(Reason::SelfTrade))), vec![]),
        (Reject, Err(Refusal::SelfTrade), vec![]),
        (CancelTaker, Ok((Status::Cancelled, 100, 0, Some(Reason::SelfTrade))), vec![]),
        (CancelResting, Ok((Status::PartiallyFilled, 200, 300, None)), vec![2]),
    ] {
        let mut market = market(&book);
        let taken = market.submit(0, &with(self_trade, back(1, 25_000, 500)));
        assert_eq!(taken.as_ref().map(told).map_err(|refusal| *refusal), answer, "{self_trade:?}");
        assert_eq!(taken.map_or(vec![], |answer| answer.own_cancelled), own_cancelled);
        // Who does not reach its own order does not meet it, nor who has no account.
        let mut market = super::market(&book);
        assert_eq!(met(&mut market, &with(self_trade, back(1, 25_000, 100))), [(1, 26_000, 100)]);
        let mut market = super::market(&book);
        assert!(market.submit(0, &with(self_trade, back(1, 26_000, 500))).is_ok());
        let mut market = super::market(&[lay(0, 25_000, 100)]);
        assert_eq!(met(&mut market, &with(self_trade, back(0, 25_000, 100))), [(1, 25_000, 100)]);
    }
}

#[test]
fn the_price_to_beat_is_that_of_the_order_that_would_be_met() {
    // The set at 2.50 beats the others' 2.40, not the own 2.60.
    let book = [lay(1, 26_000, 100), lay(2, 24_000, 10_000), on(1, back(3, 16_600, 100_000))];
    let first = |self_trade| {
        let answer = market(&book).submit(0, &with(self_trade, back(1, 20_000, 1_000)));
        answer.map(|answer| (answer.own_cancelled, answer.trades.first().map(|trade| trade.set)))
    };
    assert_eq!(first(SelfTrade::Skip), Ok((vec![], Some(true))));
    assert_eq!(first(SelfTrade::Reject), Err(Refusal::SelfTrade));
    assert_eq!(first(SelfTrade::CancelTaker), Ok((vec![], None)));
    assert_eq!(first(SelfTrade::CancelResting), Ok((vec![1], Some(true))));
}

#[test]
fn fill_or_kill_with_its_own_in_the_way() {
    use SelfTrade::{CancelResting, CancelTaker, Reject};
    let book = [lay(2, 26_000, 100), lay(1, 25_600, 100), lay(3, 25_000, 100)];
    let taken = |self_trade, least| {
        let mut market = market(&book);
        let answer = market.submit(0, &with(self_trade, fok(least, back(1, 25_000, 500))));
        (answer.as_ref().map(told).map_err(|refusal| *refusal), market.queue(0, crate::Side::Lay).len())
    };
    assert_eq!(taken(Reject, 100), (Err(Refusal::SelfTrade), 3));
    let cancelled = |filled, reason| Ok((Status::Cancelled, filled, 0, Some(reason)));
    assert_eq!(taken(CancelTaker, 100), (cancelled(100, Reason::SelfTrade), 2));
    assert_eq!(taken(CancelTaker, 200), (Err(Refusal::WouldNotFill), 3));
    assert_eq!(taken(CancelResting, 200), (cancelled(200, Reason::NeverRests), 0));
    // A refusal leaves its own where they were.
    assert_eq!(taken(CancelResting, 300), (Err(Refusal::WouldNotFill), 3));
}

#[test]
fn own_orders_count_once_and_are_bounded() {
    let own = OWN_ORDERS_SKIPPED_MAX;
    let mut orders = vec![on(1, back(1, 30_000, 100)); own];
    orders.push(on(1, back(2, 30_000, 10_000)));
    // Passed over by a set, they count; more than once they do not.
    let answer = |orders: &[NewOrder], order: &NewOrder| {
        let answer = market(orders).submit(0, order).expect("valid");
        (answer.filled, answer.reason, answer.own_cancelled.len())
    };
    let taker = back(1, 14_000, 500);
    assert_eq!(answer(&orders, &taker), (0, Some(Reason::OrderLimit), 0));
    assert_eq!(answer(&orders[1..], &taker), (500, None, 0));
    // Cancelled, likewise.
    let orders = vec![lay(1, 25_000, 100); own + 1];
    let taker = with(SelfTrade::CancelResting, back(1, 25_000, 500));
    assert_eq!(answer(&orders, &taker), (0, Some(Reason::OrderLimit), own));
    assert_eq!(answer(&orders[1..], &taker), (0, None, own));
}

#[test]
fn own_orders_of_a_set_are_within_the_bound_or_it_is_not_met() {
    let legs = [on(1, back(1, 30_000, 1_000)), on(2, back(1, 30_000, 1_000)), on(2, back(3, 30_000, 1_000))];
    let taker = with(SelfTrade::CancelResting, back(1, 15_000, 1_000_000));
    let taken = |direct: NewOrder, legs: &[NewOrder]| {
        let mut book = vec![direct; OWN_ORDERS_SKIPPED_MAX - 1];
        book.extend_from_slice(legs);
        // At first without sets, in which the legs would be met as they come.
        let mut market = super::filled(crate::Market { synthetic: false, ..crate::Market::new(3) }, &book);
        market.synthetic = true;
        let answer = market.submit(0, &taker).expect("valid");
        (answer.filled, answer.reason, answer.own_cancelled.len())
    };
    // Two own legs are one too many; one is just within.
    let most = OWN_ORDERS_SKIPPED_MAX - 1;
    assert_eq!(taken(lay(1, 40_000, 100), &legs[..2]), (0, Some(Reason::OrderLimit), most));
    assert_eq!(taken(lay(1, 40_000, 100), &legs[..1]), (0, None, most));
    // There is room for one fill: a set of two is not made, and its own order stays.
    assert_eq!(taken(lay(2, 40_000, 100), &legs[1..]), (409_500, None, 0));
    let legs = [legs[1].clone(), legs[2].clone(), on(1, back(3, 30_000, 1_000))];
    assert_eq!(taken(lay(2, 40_000, 100), &legs), (409_500, None, 0));
}

#[test]
fn an_own_order_that_was_counted_is_passed_over_again() {
    let mut book = vec![lay(1, 20_000, 100); OWN_ORDERS_SKIPPED_MAX];
    // With 50.00 a penny at 1.01 is too good: it is passed over, and all is looked at again.
    book.extend([on(1, back(2, 10_100, 100)), on(2, back(2, 500_000, 100_000))]);
    let mut market = super::filled(crate::Market::new(3), &book);
    assert_eq!(market.submit(0, &back(1, 15_000, 1_000)), Err(Refusal::SelfTrade));
}
