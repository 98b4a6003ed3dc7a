//! Pennies and fractions of them: what is filled, what rests, what is released, and what may be kept.

use super::{back, filled, lay, on};
use crate::{Answer, Lasting, Market, NewOrder, Price, Reason, Refusal, Status};

/// A set that takes 417 of order 3, 500 of order 1 and 333 of order 2: payouts are within 1250, of which 2.50
/// and 3.75 leave a third.
fn fractions(market: Market) -> (Market, Answer) {
    let mut market = filled(market, &[on(1, back(1, 25_000, 500)), on(2, back(2, 37_500, 10_000))]);
    let answer = market.submit(0, &back(3, 29_000, 100_000)).expect("valid");
    (market, answer)
}

/// What is filled, what rests in whole pennies and exactly.
fn amounts(market: &Market, number: u64) -> (i64, i64, i64) {
    let report = market.report(number).expect("it is there");
    (report.filled, report.remaining, market.order(number).expect("it is there").left)
}

#[test]
fn fractions_rest_and_are_told_as_whole_pennies() {
    let (market, answer) = fractions(Market::new(3));
    let trade = &answer.trades[0];
    assert_eq!((trade.price, trade.payout, trade.stake, trade.quantity), (29_976, 1_250, 417, 500));
    let legs: Vec<_> = trade.makers.iter().map(|leg| (leg.stake, leg.quantity, leg.left)).collect();
    assert_eq!(legs, [(500, 500, 0), (333, 400, 9_667)]);
    assert_eq!((answer.status, answer.filled, answer.remaining), (Status::PartiallyFilled, 500, 99_500));
    assert_eq!((answer.left, answer.dust), (99_583, 0));
    assert_eq!(amounts(&market, 1), (500, 0, 0));
    assert_eq!(amounts(&market, 2), (400, 9_600, 9_667));
    assert_eq!(amounts(&market, 3), (500, 99_500, 99_583));
}

#[test]
fn a_direct_trade_is_of_whole_pennies_and_dust_is_released() {
    let (mut market, _) = fractions(Market::new(3));
    let answer = market.submit(0, &lay(4, 29_000, 99_600)).expect("valid");
    let trade = &answer.trades[0];
    assert_eq!((trade.stake, trade.quantity, trade.payout), (99_500, 99_500, 288_550));
    assert_eq!((trade.makers[0].quantity, trade.makers[0].left), (99_500, 83));
    assert_eq!(
        (answer.status, answer.remaining, answer.left, answer.dust),
        (Status::PartiallyFilled, 100, 100, 0)
    );
    assert_eq!(amounts(&market, 3), (100_000, 0, 0));
    assert_eq!(market.report(3).map(|report| report.status), Some(Status::Filled));
    assert_eq!(market.cancel(3, 0, 0), Err(Refusal::NotFound));
}

#[test]
fn a_leg_may_be_less_than_a_penny_and_a_taker_leave_dust() {
    let (mut market, _) = fractions(Market::new(3));
    market.cancel(3, 0, 0).expect("it rests");
    // A payout of 250: 100, 66 and 84, which leaves 16.
    market = filled(market, &[on(1, back(1, 25_000, 100))]);
    for (lasting, left) in [(Lasting::UntilCancelled, 9_601), (Lasting::AtLeast(0), 9_601)] {
        let mut market = market.clone();
        let answer = market.submit(0, &NewOrder { lasting, ..back(4, 29_000, 100) }).expect("all of it");
        let trade = &answer.trades[0];
        assert_eq!((trade.stake, trade.quantity, trade.payout), (84, 100, 250));
        let legs: Vec<_> = trade.makers.iter().map(|leg| (leg.stake, leg.quantity, leg.left)).collect();
        assert_eq!(legs, [(100, 100, 0), (66, 0, left)]);
        assert_eq!((answer.status, answer.filled, answer.remaining), (Status::Filled, 100, 0));
        assert_eq!((answer.left, answer.dust, answer.reason), (0, 16, None));
        assert_eq!(amounts(&market, 2), (400, 9_600, 9_601));
    }
}

#[test]
fn what_never_rests_is_cancelled_in_whole_pennies() {
    let book = [on(1, back(1, 25_000, 500)), on(2, back(2, 37_500, 10_000))];
    let taker = NewOrder { price: Price::Market(None), ..back(3, 0, 100_000) };
    let answer = filled(Market::new(3), &book).submit(0, &taker).expect("valid");
    // 99 583 are left, of which 99 500 are cancelled.
    assert_eq!((answer.status, answer.filled), (Status::Cancelled, 500));
    assert_eq!((answer.remaining, answer.left, answer.dust), (0, 0, 0));
    assert_eq!(answer.reason, Some(Reason::NeverRests));
    // A minimum is of what is filled, rounded up.
    let fok = |least| {
        let order = NewOrder { lasting: Lasting::AtLeast(least), ..taker.clone() };
        filled(Market::new(3), &book).submit(0, &order).map(|answer| answer.filled)
    };
    assert_eq!((fok(500), fok(501)), (Ok(500), Err(Refusal::WouldNotFill)));
}

#[test]
fn a_reduction_drops_the_fraction_but_keeping_all_changes_nothing() {
    let (market, _) = fractions(Market::new(3));
    for (keep, cancelled, left) in [
        (9_600, Ok(0), 9_667),
        (9_650, Ok(0), 9_667),
        (10_000, Ok(0), 9_667),
        (9_599, Err(Refusal::InvalidStake), 9_667),
        (50, Err(Refusal::InvalidStake), 9_667),
        (-100, Err(Refusal::InvalidStake), 9_667),
        (9_500, Ok(100), 9_500),
        (0, Ok(9_600), 0),
    ] {
        let mut market = market.clone();
        assert_eq!(market.cancel(2, 2, keep), cancelled, "{keep}");
        let rests = left / 100 * 100;
        assert_eq!(amounts(&market, 2), (400, rests, left), "{keep}");
    }
    // Who else asks is refused, whatever is kept.
    assert_eq!(market.clone().cancel(2, 1, 9_600), Err(Refusal::NotTheOwner));
}

#[test]
fn an_increment_binds_what_is_asked_for_but_not_what_is_filled() {
    let (mut market, answer) = fractions(Market { increment: 500, ..Market::new(3) });
    assert_eq!((answer.trades[0].stake, answer.left), (417, 99_583));
    assert_eq!(market.submit(0, &lay(4, 29_000, 600)), Err(Refusal::InvalidStake));
    // 99 500 of 100 000 are met, and 500 rest; of 9 667 not 9 600, but 9 500 may be kept.
    let answer = market.submit(0, &lay(4, 29_000, 100_000)).expect("valid");
    assert_eq!((answer.trades[0].stake, answer.left), (99_500, 500));
    assert_eq!(market.cancel(2, 0, 9_400), Err(Refusal::InvalidStake));
    assert_eq!(market.cancel(2, 0, 9_600), Ok(0));
    assert_eq!(market.cancel(2, 0, 9_500), Ok(100));
    // Direct orders meet by the penny, too.
    let mut market = filled(market, &[on(2, lay(5, 37_500, 1_000))]);
    assert_eq!(amounts(&market, 2), (1_400, 8_500, 8_500));
    market.increment = 100;
    market = filled(market, &[on(2, lay(5, 37_500, 100))]);
    market.increment = 500;
    assert_eq!(market.cancel(2, 0, 8_400), Ok(0));
    assert_eq!(market.cancel(2, 0, 8_000), Ok(400));
}

#[test]
fn the_smallest_size_holds_for_orders_and_for_what_is_kept() {
    let mut market = Market { min_stake: 600, ..Market::new(3) };
    assert_eq!(market.submit(0, &back(1, 25_000, 500)), Err(Refusal::InvalidStake));
    market = filled(market, &[back(1, 25_000, 1_000), lay(2, 25_000, 600)]);
    // What fills leave may be smaller, and be kept.
    assert_eq!(amounts(&market, 1), (600, 400, 400));
    assert_eq!(market.cancel(1, 0, 400), Ok(0));
    assert_eq!(market.cancel(1, 0, 300), Err(Refusal::InvalidStake));
    assert_eq!(market.cancel(1, 0, 0), Ok(400));
    market = filled(market, &[back(1, 25_000, 1_000)]);
    assert_eq!(market.cancel(3, 0, 500), Err(Refusal::InvalidStake));
    assert_eq!(amounts(&market, 3), (0, 1_000, 1_000));
    assert_eq!(market.cancel(3, 0, 600), Ok(400));
}

/// Outcomes 0 and 1 are the two sides of one line, 2 and 3 those of the next.
fn lines(min_stake: i64) -> Market {
    let groups = vec![vec![0, 1], vec![2, 3]];
    Market { groups, quarters: vec![(0, 2), (1, 3)], min_stake, ..Market::new(4) }
}

fn split(order: NewOrder) -> NewOrder {
    NewOrder { far: Some(2), ..order }
}

#[test]
fn the_smallest_size_holds_for_halves() {
    let mut market = lines(500);
    assert_eq!(market.submit(0, &split(back(1, 25_000, 900))), Err(Refusal::InvalidStake));
    market = filled(market, &[split(back(1, 25_000, 2_000))]);
    for keep in [500, 900] {
        assert_eq!(market.cancel(1, 0, keep), Err(Refusal::InvalidStake), "{keep}");
    }
    assert_eq!((amounts(&market, 2), amounts(&market, 3)), ((0, 1_000, 1_000), (0, 1_000, 1_000)));
    // A half that keeps all it has may have less.
    market = filled(market, &[lay(2, 25_000, 700)]);
    assert_eq!(market.cancel(1, 0, 700), Err(Refusal::InvalidStake), "350, and 300 is all there is");
    assert_eq!(market.cancel(1, 0, 900), Ok(400));
    assert_eq!((amounts(&market, 2), amounts(&market, 3)), ((700, 300, 300), (0, 600, 600)));
    assert_eq!(market.cancel(1, 0, 0), Ok(900));
    // A half of nothing is none.
    assert!(lines(100).submit(0, &split(back(1, 25_000, 100))).is_ok());
    assert_eq!(lines(200).submit(0, &split(back(1, 25_000, 200))), Err(Refusal::InvalidStake));
}

#[test]
fn halves_have_fractions_and_dust_of_their_own() {
    // 3.40 leaves 1.41666...: of a payout of 170 (P) that is 120, and 50 of the maker's.
    let book = [on(1, back(1, 34_000, 10_000)), on(3, back(1, 34_000, 100))];
    let mut market = filled(lines(100), &book);
    let answer = market.submit(0, &split(back(2, 14_000, 2_000))).expect("valid");
    // The near half's 1000 are of 1416, with 416 of the maker. The far one's payout is 340, with 100.
    let told: Vec<_> = answer
        .trades
        .iter()
        .map(|trade| (trade.taker, trade.payout, trade.stake, trade.quantity, trade.makers[0].stake))
        .collect();
    assert_eq!(told, [(4, 1_416, 1_000, 1_000, 416), (5, 340, 240, 300, 100)]);
    assert_eq!((answer.status, answer.filled), (Status::PartiallyFilled, 1_300));
    assert_eq!((answer.remaining, answer.left, answer.dust), (700, 760, 0));
    // Where one half is changed and the other is not, that one keeps its fraction.
    market = filled(market, &[split(back(3, 20_000, 1_000))]);
    assert_eq!(market.cancel(3, 0, 700), Ok(0));
    assert_eq!(amounts(&market, 5), (300, 700, 760));
    assert_eq!(market.cancel(3, 0, 600), Ok(100));
    assert_eq!(amounts(&market, 5), (300, 600, 600));
}

#[test]
fn a_half_that_keeps_all_keeps_its_fraction() {
    let mut market = filled(lines(100), &[on(3, back(1, 34_000, 100)), split(back(2, 14_000, 2_000))]);
    // 1000 of the near half, and 760 of the far one, of which 700 are told. Of 1600 the far half keeps all.
    assert_eq!((amounts(&market, 3), amounts(&market, 4)), ((0, 1_000, 1_000), (300, 700, 760)));
    assert_eq!(market.cancel(2, 0, 1_600), Ok(100));
    assert_eq!((amounts(&market, 3), amounts(&market, 4)), ((0, 900, 900), (300, 700, 760)));
    assert_eq!(market.cancel(2, 0, 1_300), Ok(300));
    assert_eq!((amounts(&market, 3), amounts(&market, 4)), ((0, 700, 700), (300, 600, 600)));
}
