//! Reducing orders that have fractions, the smallest orders there are, and increments larger than a penny.

use betex_core::command::NewMarket;
use betex_core::decide::Receipt;
use betex_core::reject::{OrderReport, Rejection};
use betex_core::types::{AccountId, OrderStatus, Quantity, TimeInForce};

use super::*;

/// Reduces an order; answers with what was cancelled and where the order stands.
fn keep(exchange: &mut Exchange, order: u64, keep: i64) -> Result<(i64, OrderReport), Rejection> {
    match exchange.cancel(order, keep)? {
        (Receipt::Cancelled { report, cancelled }, events) => {
            assert_eq!(cancels(&events).iter().map(|order| order.cancelled.0).sum::<i64>(), cancelled.0);
            assert_eq!(events.is_empty(), cancelled == Quantity::ZERO);
            Ok((cancelled.0, report))
        }
        other => panic!("{other:?}"),
    }
}

/// A reduction is refused, and changes nothing.
#[track_caller]
fn refuse(exchange: &mut Exchange, order: u64, amount: i64) {
    let before = exchange.state.digest();
    let refused = keep(exchange, order, amount);
    assert!(matches!(refused, Err(Rejection::InvalidKeep { .. })), "{amount}: {refused:?}");
    assert_eq!(exchange.state.digest(), before);
}

/// A reduction to what the order has, or more, is taken and changes nothing.
#[track_caller]
fn leave(exchange: &mut Exchange, order: u64, amount: i64) {
    let before = exchange.state.digest();
    let kept = keep(exchange, order, amount);
    assert!(matches!(kept, Ok((0, _))), "{amount}: {kept:?}");
    assert_eq!(exchange.state.digest(), before);
}

#[test]
fn reducing_drops_the_fraction() {
    let mut exchange = with_fractions(cup(), TimeInForce::Gtc);
    let (cancelled, report) = keep(&mut exchange, 1, 20_000).expect("reduced");
    assert_eq!((cancelled, report.remaining, report.filled), (28_000, Quantity(20_000), Quantity(52_000)));
    assert_eq!((report.status, left(&exchange, 1)), (OrderStatus::PartiallyFilled, Some((20_000, 0))));
    // By a single penny, too.
    let (cancelled, _) = keep(&mut exchange, 2, 149_200).expect("reduced");
    assert_eq!((cancelled, left(&exchange, 2)), (100, Some((149_200, 0))));
    check_events(&exchange);
}

#[test]
fn keeping_as_much_as_rests_changes_nothing_and_less_obeys_the_minimum() {
    let market = NewMarket { min_quantity: Quantity(100_000), ..cup() };
    let mut exchange = with_fractions(market, TimeInForce::Gtc);
    // #1 has less than the minimum, which fills may leave.
    for amount in [48_000, 48_001, 48_054, 48_100, 99_950, i64::MAX] {
        leave(&mut exchange, 1, amount);
    }
    for amount in [47_999, 47_900, 100, 1, -1, i64::MIN] {
        refuse(&mut exchange, 1, amount);
    }
    refuse(&mut exchange, 2, 99_900);
    assert_eq!(keep(&mut exchange, 2, 100_000).map(|(cancelled, _)| cancelled), Ok(49_300));
    assert_eq!(left(&exchange, 2), Some((100_000, 0)));
    let (cancelled, report) = keep(&mut exchange, 1, 0).expect("cancelled");
    assert_eq!((cancelled, report.status, report.filled), (48_000, OrderStatus::Cancelled, Quantity(52_000)));
    let small = exchange.submit(back(4, HOME, 20_000, 99_900));
    assert!(matches!(small, Err(Rejection::InvalidQuantity { .. })), "{small:?}");
    check_events(&exchange);
}

/// Each half of #1 has 3.7778 left of 6.00.
fn with_fractions_on_a_quarter_line(min: i64) -> Exchange {
    let mut exchange = exchange(NewMarket { min_quantity: Quantity(min), ..lines() });
    submit(&mut exchange, named(quarter(back(2, 1, 19_000, 120_000)), "quarter"));
    let (report, _) = submit(&mut exchange, quarter(back(3, 3, 19_000, 40_000)));
    assert_eq!((report.status, report.filled), (OrderStatus::Filled, Quantity(40_000)));
    assert_eq!([left(&exchange, 2), left(&exchange, 3)], [Some((37_700, 78)); 2]);
    let market = exchange.state.market(MARKET).expect("it is there");
    let report = market.client_order(AccountId(2), "quarter").expect("it is known");
    assert_eq!((report.filled, report.remaining), (Quantity(44_600), Quantity(75_400)));
    exchange
}

#[test]
fn halves_have_their_own_fractions_and_each_obeys_the_minimum() {
    let mut exchange = with_fractions_on_a_quarter_line(20_000);
    for amount in [75_400, 75_401, 75_556, i64::MAX] {
        leave(&mut exchange, 1, amount);
    }
    // The further half of 3.99 is too small, and so are both of 3.00.
    for amount in [75_399, 39_900, 30_000, 100, 50] {
        refuse(&mut exchange, 1, amount);
    }
    let (cancelled, report) = keep(&mut exchange, 1, 40_000).expect("reduced");
    assert_eq!((cancelled, report.remaining, report.filled), (35_400, Quantity(40_000), Quantity(44_600)));
    assert_eq!([left(&exchange, 2), left(&exchange, 3)], [Some((20_000, 0)); 2]);
    check_events(&exchange);

    // What fills left of both may be less than the minimum.
    let mut exchange = with_fractions_on_a_quarter_line(20_000);
    submit(&mut exchange, lay(4, 1, 19_000, 30_000));
    assert_eq!([left(&exchange, 2), left(&exchange, 3)], [Some((7_700, 78)), Some((37_700, 78))]);
    leave(&mut exchange, 1, 45_400);
    refuse(&mut exchange, 1, 7_700);
    // The nearer half keeps what it has, and its fraction.
    assert_eq!(keep(&mut exchange, 1, 30_000).map(|(cancelled, _)| cancelled), Ok(15_400));
    assert_eq!([left(&exchange, 2), left(&exchange, 3)], [Some((7_700, 78)), Some((22_300, 0))]);
    assert_eq!(keep(&mut exchange, 1, 0).map(|(cancelled, _)| cancelled), Ok(30_000));
    assert_eq!(exchange.resting(MARKET), 0);
    check_events(&exchange);
}

#[test]
fn halves_of_new_orders_are_no_smaller_than_the_minimum() {
    let mut exchange = exchange(NewMarket { min_quantity: Quantity(20_000), ..lines() });
    for quantity in [20_000, 20_100, 39_900] {
        let refused = exchange.submit(quarter(back(2, 1, 19_000, quantity)));
        assert!(matches!(refused, Err(Rejection::InvalidQuantity { .. })), "{quantity}: {refused:?}");
    }
    submit(&mut exchange, quarter(back(2, 1, 19_000, 40_000)));
    submit(&mut exchange, back(2, 1, 19_000, 20_000));
    check_events(&exchange);
}

#[test]
fn increments_bind_orders_and_reductions_but_not_trades() {
    let unit = Quantity(10_000);
    let market = NewMarket { increment: unit, min_quantity: unit, ..cup() };
    let mut exchange = with_fractions(market, TimeInForce::Gtc);
    let odd = exchange.submit(back(4, HOME, 20_000, 15_000));
    assert!(matches!(odd, Err(Rejection::InvalidQuantity { .. })), "{odd:?}");
    refuse(&mut exchange, 2, 145_000);
    leave(&mut exchange, 2, 149_300);
    // The direct trade is for the 4.80 that the maker has.
    let (report, events) = submit(&mut exchange, lay(4, DRAW, 39_000, 100_000));
    assert_eq!((legs(&events)[0].quantity, report.remaining), (Quantity(48_000), Quantity(52_000)));
    assert_eq!((legs(&events)[0].maker_fraction, left(&exchange, 1)), (54, None));
    assert_eq!(keep(&mut exchange, 2, 140_000).map(|(cancelled, _)| cancelled), Ok(9_300));
    check_events(&exchange);
}
