//! Direct matching, and what goes with every order.

use super::{back, lay, market, met};
use crate::{Ladder, Lasting, Market, MarketState, NewOrder, Price, Reason, Refusal, Side, Status};

/// The time in nanoseconds.
const fn ms(ms: u64) -> u64 {
    ms * 1_000_000
}

#[test]
fn a_backer_meets_the_highest_lays_first_then_arrival() {
    let mut market = market(&[lay(1, 20_000, 100), lay(2, 21_000, 100), lay(3, 21_000, 100)]);
    assert_eq!(
        met(&mut market, &back(4, 20_000, 300)),
        [(2, 21_000, 100), (3, 21_000, 100), (1, 20_000, 100)]
    );
}

#[test]
fn a_layer_meets_the_lowest_backs_first_up_to_its_limit() {
    let mut market =
        market(&[back(1, 21_000, 100), back(2, 20_000, 100), back(3, 22_000, 100), back(4, 20_000, 100)]);
    let makers = [(2, 20_000, 100), (4, 20_000, 100), (1, 21_000, 100)];
    assert_eq!(met(&mut market, &lay(5, 21_000, 500)), makers);
    assert_eq!(market.queue(0, Side::Lay)[0].remaining, 200);
}

#[test]
fn the_payout_is_stake_and_profit() {
    let mut market = market(&[lay(1, 25_000, 10_000)]);
    let answer = market.submit(0, &back(2, 20_000, 10_000)).expect("valid");
    assert_eq!(answer.trades[0].payout, 25_000);
    assert_eq!(answer.status, Status::Filled);
}

#[test]
fn own_orders_are_skipped_and_never_rested_across() {
    let mut market = market(&[lay(1, 26_000, 100), lay(2, 25_000, 100)]);
    let answer = market.submit(0, &back(1, 25_000, 300)).expect("valid");
    assert_eq!((answer.filled, answer.remaining, answer.reason), (100, 0, Some(Reason::SelfTrade)));
    assert_eq!(market.submit(0, &back(1, 25_000, 300)), Err(Refusal::SelfTrade));
    // Beside its own order it may rest, and orders of no account may meet.
    assert!(market.submit(0, &back(1, 27_000, 300)).is_ok());
    let mut market = super::market(&[lay(0, 26_000, 100)]);
    assert_eq!(met(&mut market, &back(0, 26_000, 100)), [(1, 26_000, 100)]);
}

#[test]
fn market_and_ioc_orders_never_rest() {
    for (price, lasting) in [
        (Price::Market(None), Lasting::UntilCancelled),
        (Price::Market(Some(25_000)), Lasting::UntilCancelled),
        (Price::Limit(25_000), Lasting::Immediate),
    ] {
        let mut market = market(&[lay(1, 26_000, 100), lay(1, 24_000, 100)]);
        let answer = market.submit(0, &NewOrder { price, lasting, ..back(2, 0, 500) }).expect("valid");
        let filled = if price == Price::Market(None) { 200 } else { 100 };
        assert_eq!((answer.filled, answer.remaining, answer.reason), (filled, 0, Some(Reason::NeverRests)));
    }
}

#[test]
fn a_reduction_keeps_the_place() {
    let mut market = market(&[lay(1, 25_000, 500), lay(2, 25_000, 500)]);
    assert_eq!(market.cancel(1, 0, 200), Ok(300));
    assert_eq!(market.cancel(1, 0, 200), Ok(0));
    assert_eq!(market.cancel(1, 0, 900), Ok(0));
    assert_eq!(market.cancel(1, 2, 0), Err(Refusal::NotTheOwner));
    assert_eq!(met(&mut market, &back(3, 25_000, 300)), [(1, 25_000, 200), (2, 25_000, 100)]);
    assert_eq!(market.cancel(1, 0, 0), Err(Refusal::NotFound));
    assert_eq!(market.report(1).expect("it is there").status, Status::Filled);
}

#[test]
fn orders_expire_at_their_time_first_to_expire_first() {
    let mut market = Market::new(2);
    for expiry_ms in [20, 10, 30, 10] {
        let lasting = Lasting::Until(expiry_ms);
        market.submit(ms(9), &NewOrder { lasting, ..back(1, 25_000, 100) }).expect("valid");
    }
    let late = NewOrder { lasting: Lasting::Until(10), ..back(1, 25_000, 100) };
    assert_eq!(market.submit(ms(10), &late), Err(Refusal::InvalidExpiry));
    assert_eq!(market.expire(ms(9)), []);
    assert_eq!(market.expire(ms(20)), [(2, 100), (4, 100), (1, 100)]);
    assert_eq!(market.report(1).expect("it is there").status, Status::Expired);
    assert_eq!(market.queue(0, Side::Back).len(), 1);
}

#[test]
fn a_client_id_is_taken_once_per_account() {
    let mut market = Market::new(2);
    let named = |account| NewOrder { client_id: Some("mine".into()), ..back(account, 25_000, 100) };
    assert!(market.submit(0, &named(1)).is_ok());
    assert!(market.submit(0, &named(2)).is_ok());
    market.cancel(2, 0, 0).expect("it rests");
    assert_eq!(market.submit(0, &named(2)), Err(Refusal::DuplicateClientId(2)));
}

#[test]
fn closing_cancels_all_and_is_final() {
    use MarketState::{Closed, Created, Open, Suspended};
    let mut market = market(&[back(1, 25_000, 100)]);
    assert_eq!(market.change_state(Open), Err(Refusal::InvalidTransition));
    assert_eq!(market.change_state(Suspended), Ok(vec![]));
    assert_eq!(market.submit(0, &back(1, 25_000, 100)), Err(Refusal::MarketNotOpen));
    assert_eq!(market.cancel(1, 0, 50 * 2), Ok(0));
    assert_eq!(market.change_state(Closed), Ok(vec![(1, 100)]));
    assert_eq!(market.queue(0, Side::Back).len(), 0);
    assert_eq!(market.cancel(1, 0, 0), Err(Refusal::MarketClosed));
    for state in [Created, Open, Suspended, Closed] {
        assert_eq!(market.change_state(state), Err(Refusal::InvalidTransition));
    }
    let mut market = Market { state: Created, ..Market::new(2) };
    assert_eq!(market.change_state(Suspended), Err(Refusal::InvalidTransition));
    assert_eq!(market.change_state(Open), Ok(vec![]));
}

#[test]
fn work_is_bounded() {
    let makers: Vec<_> = (0..4_097).map(|_| lay(1, 25_000, 100)).collect();
    let mut market = market(&makers);
    // Its own orders come first; another account's order after them is out of reach.
    market.submit(0, &lay(2, 25_000, 100)).expect("valid");
    let answer = market.clone().submit(0, &back(1, 25_000, 100)).expect("valid");
    assert_eq!((answer.filled, answer.reason), (0, Some(Reason::OrderLimit)));
    let answer = market.clone().submit(0, &back(3, 25_000, 409_600)).expect("valid");
    assert_eq!((answer.filled, answer.reason), (409_600, None));
    let answer = market.submit(0, &back(3, 25_000, 409_700)).expect("valid");
    assert_eq!((answer.filled, answer.reason), (409_600, Some(Reason::OrderLimit)));
}

#[test]
fn bad_orders_are_refused() {
    let mut market = Market { min_stake: 500, ..Market::new(2) };
    for (order, refusal) in [
        (NewOrder { outcome: 2, ..back(1, 25_000, 500) }, Refusal::InvalidOutcome),
        (back(1, 20_100, 500), Refusal::InvalidPrice),
        (back(1, 0, 500), Refusal::InvalidPrice),
        (NewOrder { price: Price::Market(Some(10_000)), ..back(1, 0, 500) }, Refusal::InvalidPrice),
        (back(1, 25_000, 400), Refusal::InvalidStake),
        (back(1, 25_000, 550), Refusal::InvalidStake),
        (back(1, 25_000, crate::STAKE_MAX + 500), Refusal::InvalidStake),
    ] {
        assert_eq!(market.submit(0, &order), Err(refusal), "{order:?}");
    }
}

#[test]
fn ladders_have_their_prices() {
    let count = |ladder: Ladder| (0..11_000_000).filter(|odds| ladder.has(*odds)).count();
    assert_eq!((count(Ladder::Classic), count(Ladder::Finest)), (350, 99_900));
}
