//! Orders on quarter lines. Outcomes 0 and 1 are the two sides of one line, 2 and 3 those of the next.

use super::{back, filled, lay, on};
use crate::{
    FILLS_MAX, Filter, Lasting, Market, NewOrder, Part, Reason, Refusal, Report, SelfTrade, Side, Status,
};

fn lines(orders: &[NewOrder]) -> Market {
    let groups = vec![vec![0, 1], vec![2, 3]];
    filled(Market { groups, quarters: vec![(0, 2), (1, 3)], ..Market::new(4) }, orders)
}

/// On outcomes 0 and 2.
fn split(order: NewOrder) -> NewOrder {
    NewOrder { far: Some(2), ..order }
}

fn report(market: &Market, number: u64) -> (Status, i64, i64) {
    let Report { status, filled, remaining, .. } = market.report(number).expect("it is there");
    (status, filled, remaining)
}

#[test]
fn the_nearer_half_gets_the_odd_increment_and_comes_first() {
    let mut market = lines(&[lay(1, 25_000, 1_000), on(2, lay(1, 26_000, 1_000))]);
    let answer = market.submit(0, &split(back(2, 25_000, 700))).expect("valid");
    assert_eq!((answer.number, answer.status, answer.filled), (3, Status::Filled, 700));
    let told: Vec<_> = answer.trades.iter().map(|trade| (trade.taker, trade.price, trade.stake)).collect();
    assert_eq!(told, [(4, 25_000, 400), (5, 26_000, 300)]);
    let parts: Vec<_> = market.orders[2..].iter().map(|order| (order.part, order.known_as())).collect();
    assert_eq!(parts, [(Part::Split, 3), (Part::Near, 3), (Part::Far, 3)]);
    assert_eq!(market.submit(0, &back(2, 25_000, 100)).expect("valid").number, 6);
}

#[test]
fn halves_match_sets_of_their_own_lines() {
    let mut market = lines(&[on(1, back(1, 20_000, 1_000)), on(3, back(1, 20_000, 100))]);
    let answer = market.submit(0, &split(back(2, 20_000, 1_000))).expect("valid");
    let told: Vec<_> = answer.trades.iter().map(|trade| (trade.taker, trade.set, trade.stake)).collect();
    assert_eq!(told, [(4, true, 500), (5, true, 100)]);
    assert_eq!(report(&market, 3), (Status::PartiallyFilled, 600, 400));
    assert_eq!((report(&market, 4).0, report(&market, 5).0), (Status::Filled, Status::PartiallyFilled));
}

#[test]
fn fill_or_kill_looks_at_the_whole() {
    let fok = |least, stake| {
        let lasting = Lasting::AtLeast(least);
        let order = split(NewOrder { lasting, ..back(2, 25_000, stake) });
        let mut market = lines(&[lay(1, 25_000, 500), on(2, lay(1, 25_000, 100))]);
        market.submit(0, &order).map(|answer| (answer.filled, answer.reason))
    };
    assert_eq!(fok(0, 200), Ok((200, None)));
    assert_eq!(fok(0, 400), Err(Refusal::WouldNotFill));
    assert_eq!(fok(300, 400), Ok((300, Some(Reason::NeverRests))));
    assert_eq!(fok(400, 400), Err(Refusal::WouldNotFill));
}

#[test]
fn post_only_looks_at_the_whole() {
    let post = |book: &[NewOrder]| {
        let order = split(NewOrder { post_only: true, ..back(2, 25_000, 1_000) });
        lines(book).submit(0, &order).map(|answer| answer.remaining)
    };
    assert_eq!(post(&[]), Ok(1_000));
    assert_eq!(post(&[lay(1, 25_000, 100)]), Err(Refusal::WouldMatch));
    assert_eq!(post(&[on(2, lay(1, 25_000, 100))]), Err(Refusal::WouldMatch));
    // A match of the far half goes before an own order on the near one, which it would pass over.
    assert_eq!(post(&[lay(2, 25_000, 100), on(2, lay(1, 25_000, 100))]), Err(Refusal::WouldMatch));
    assert_eq!(post(&[lay(2, 25_000, 100)]), Err(Refusal::SelfTrade));
}

#[test]
fn own_orders_are_in_the_way_of_the_whole() {
    use SelfTrade::{CancelResting, CancelTaker, Reject, Skip};
    // Half of it is filled, a quarter could rest, a quarter would cross.
    let book = [lay(1, 25_000, 200), on(2, lay(1, 25_000, 300)), on(2, lay(2, 25_000, 100))];
    let taken = |book: &[NewOrder], self_trade| {
        let mut market = lines(book);
        let answer = market.submit(0, &split(NewOrder { self_trade, ..back(2, 25_000, 1_000) }));
        answer.map(|answer| (answer.status, answer.filled, answer.remaining, answer.reason))
    };
    let cancelled = |filled| Ok((Status::Cancelled, filled, 0, Some(Reason::SelfTrade)));
    assert_eq!(taken(&book, Skip), cancelled(500));
    assert_eq!(taken(&book, Reject), Err(Refusal::SelfTrade));
    assert_eq!(taken(&book, CancelTaker), cancelled(500));
    assert_eq!(taken(&book, CancelResting), Ok((Status::PartiallyFilled, 500, 500, None)));
    // Nothing is filled.
    assert_eq!(taken(&book[2..], Skip), Err(Refusal::SelfTrade));
    assert_eq!(taken(&book[2..], CancelTaker), cancelled(0));
    // Where the near half is filled its own is not in the way of anything.
    let book = [lay(2, 26_000, 100), lay(1, 25_000, 500)];
    assert_eq!(taken(&book, Skip), Ok((Status::PartiallyFilled, 500, 500, None)));
    // The near half meets its own first: the far one meets no order any more.
    let book = [lay(2, 25_000, 100), on(2, lay(1, 25_000, 300))];
    assert_eq!(taken(&book, CancelTaker), cancelled(0));
    assert_eq!(taken(&book, Skip), cancelled(300));
}

#[test]
fn a_cancel_is_of_the_whole() {
    let resting = || lines(&[split(back(1, 25_000, 1_100))]);
    for (keep, kept) in
        [(0, (0, 0)), (100, (100, 0)), (500, (300, 200)), (1_000, (500, 500)), (5_000, (600, 500))]
    {
        let mut market = resting();
        assert_eq!(market.cancel(1, 1, keep), Ok(1_100 - kept.0 - kept.1));
        assert_eq!((market.orders[1].remaining, market.orders[2].remaining), kept, "{keep}");
        assert_eq!(market.report(1).expect("it is there").remaining, kept.0 + kept.1);
    }
    // What one half cannot hold of its share the other keeps.
    for (outcome, kept) in [(0, (100, 400)), (2, (500, 0))] {
        let mut market = resting();
        market.submit(0, &on(outcome, lay(2, 25_000, 500))).expect("valid");
        assert_eq!(market.cancel(1, 0, 500), Ok(100));
        assert_eq!((market.orders[1].remaining, market.orders[2].remaining), kept);
    }
    let mut market = resting();
    assert_eq!(market.cancel(2, 0, 0), Err(Refusal::NotFound));
    assert_eq!(market.cancel(1, 2, 0), Err(Refusal::NotTheOwner));
    assert_eq!(market.cancel(1, 0, 0), Ok(1_100));
    assert_eq!(market.cancel(1, 0, 0), Err(Refusal::NotFound));
    assert_eq!(report(&market, 1), (Status::Cancelled, 0, 0));
}

#[test]
fn the_last_of_it_says_what_became_of_it() {
    let mut market = lines(&[split(back(1, 25_000, 1_000))]);
    let filter = Filter { outcome: Some(0), ..Filter::default() };
    assert_eq!(market.cancel_all(filter), Ok(vec![(2, 500)]));
    assert_eq!(
        (report(&market, 1), report(&market, 2)),
        ((Status::Resting, 0, 500), (Status::Cancelled, 0, 0))
    );
    market.submit(0, &on(2, lay(2, 25_000, 500))).expect("valid");
    assert_eq!(report(&market, 1), (Status::Filled, 500, 0));
}

#[test]
fn it_has_one_client_id_and_one_expiry() {
    let named =
        NewOrder { client_id: Some("mine".into()), lasting: Lasting::Until(5), ..back(1, 25_000, 200) };
    let mut market = lines(&[lay(2, 20_000, 100), split(named.clone())]);
    assert_eq!(market.submit(0, &named), Err(Refusal::DuplicateClientId(2)));
    assert_eq!(market.expire(5_000_000), [(3, 100), (4, 100)]);
    assert_eq!(report(&market, 2), (Status::Expired, 0, 0));
}

#[test]
fn it_needs_both_lines_and_shares_one_bound() {
    let mut market = lines(&[]);
    for (far, refusal) in
        [(4, Refusal::InvalidOutcome), (0, Refusal::InvalidField), (3, Refusal::InvalidField)]
    {
        let order = NewOrder { far: Some(far), ..back(1, 25_000, 200) };
        assert_eq!(market.submit(0, &order), Err(refusal));
    }
    market.remove_outcome(2).expect("it is there");
    assert_eq!(market.submit(0, &split(back(1, 25_000, 200))), Err(Refusal::InvalidOutcome));

    let mut book = vec![lay(1, 25_000, 100); FILLS_MAX / 2];
    book.extend(vec![on(2, lay(1, 25_000, 100)); FILLS_MAX / 2 + 1]);
    let mut market = lines(&book);
    let answer = market.submit(0, &split(back(2, 25_000, 500_000))).expect("valid");
    // It is one order: what is left of the near half does not rest, either.
    assert_eq!((answer.filled, answer.remaining), (409_600, 0));
    assert_eq!(answer.reason, Some(Reason::OrderLimit));
    assert_eq!(market.queue(2, Side::Lay).len(), 1);
}
