//! Binary markets, by hand: 100 ticks to a currency unit unless said otherwise.

use super::{filled, met};
use crate::{Ladder, Market, NewOrder, Price, Reason, Refusal, Side, Status};

fn buy(account: u64, outcome: usize, ticks: u32, shares: i64) -> NewOrder {
    NewOrder::limit(account, outcome, Side::Back, ticks, shares)
}

fn sell(account: u64, outcome: usize, ticks: u32, shares: i64) -> NewOrder {
    NewOrder::limit(account, outcome, Side::Lay, ticks, shares)
}

#[test]
fn a_buyer_meets_the_lowest_offers_and_a_seller_the_highest_bids() {
    let book =
        [sell(1, 0, 56, 10), sell(2, 0, 55, 10), sell(3, 0, 57, 10), buy(4, 0, 50, 10), buy(5, 0, 51, 10)];
    let mut market = filled(Market::binary(1, 100), &book);
    assert_eq!(met(&mut market, &buy(6, 0, 56, 15)), [(2, 55, 10), (1, 56, 5)]);
    assert_eq!(met(&mut market, &sell(6, 0, 50, 15)), [(5, 51, 10), (4, 50, 5)]);
    let any = NewOrder { price: Price::Market(None), ..buy(6, 0, 0, 50) };
    assert_eq!(met(&mut market, &any), [(1, 56, 5), (3, 57, 10)]);
    let trade = &market.submit(0, &sell(7, 0, 1, 5)).expect("valid").trades[0];
    assert_eq!((trade.price, trade.payout, trade.makers[0].payout), (50, 50_000, 50_000));
}

#[test]
fn prices_are_ticks_of_the_unit() {
    let mut market = Market::binary(1, 100);
    for ticks in [0, 100, 101] {
        assert_eq!(market.submit(0, &buy(1, 0, ticks, 1)), Err(Refusal::InvalidPrice));
    }
    for ticks in [1, 99] {
        assert!(market.submit(0, &buy(0, 0, ticks, 1)).is_ok());
    }
    assert!((0..200).filter(|ticks| Ladder::Ticks(100).has(*ticks)).eq(1..100));
}

#[test]
fn buyers_of_all_mint_a_set() {
    let book = [buy(1, 1, 25, 100), buy(2, 2, 30, 40), buy(3, 2, 24, 100)];
    let mut market = filled(Market::binary(3, 100), &book);
    let answer = market.submit(0, &buy(4, 0, 51, 60)).expect("valid");
    let told: Vec<_> =
        answer.trades.iter().map(|trade| (trade.set, trade.price, trade.stake, trade.payout)).collect();
    assert_eq!(told, [(true, 45, 40, 400_000), (true, 51, 20, 200_000)]);
    assert!(answer.trades.iter().all(|trade| trade.makers.iter().all(|leg| leg.payout == trade.payout)));
    assert_eq!(answer.status, Status::Filled);
    // 50 is short of the whole.
    assert_eq!(met(&mut market, &buy(4, 0, 50, 60)), []);
}

#[test]
fn sellers_of_all_redeem_a_set() {
    let book = [sell(1, 1, 25, 100), sell(2, 2, 30, 40), buy(3, 0, 45, 10), buy(5, 0, 46, 10)];
    let mut market = filled(Market::binary(3, 100), &book);
    // The direct 46 is better, and 45 wins the tie.
    let order = sell(4, 0, 45, 60);
    assert_eq!(met(&mut market, &order), [(4, 46, 10), (3, 45, 10), (1, 25, 40), (2, 30, 40)]);
}

#[test]
fn an_absurd_bid_is_passed_over_and_absurd_offers_are_no_match() {
    let book = [buy(1, 1, 99, 1), buy(2, 2, 30, 40), buy(3, 1, 25, 40)];
    let mut market = filled(Market::binary(3, 100), &book);
    assert_eq!(met(&mut market, &buy(4, 0, 45, 10)), [(3, 25, 10), (2, 30, 10)]);
    let mut market = filled(Market::binary(3, 100), &[sell(1, 1, 60, 1), sell(2, 2, 40, 40)]);
    assert_eq!(met(&mut market, &sell(4, 0, 1, 10)), []);
}

#[test]
fn a_pair_is_one_ladder() {
    // BUY NO at 40 is SELL YES at 60.
    let mut market =
        filled(Market::binary(2, 100), &[buy(1, 1, 40, 10), sell(2, 0, 61, 10), buy(3, 1, 40, 5)]);
    let seen: Vec<_> = market.queue(0, Side::Lay).iter().map(|order| order.number).collect();
    assert_eq!(seen, [1, 3, 2]);
    assert_eq!(market.queue(1, Side::Back).len(), 3);
    assert_eq!(market.queue(1, Side::Lay).len() + market.queue(0, Side::Back).len(), 0);
    let answer = market.submit(0, &buy(4, 0, 61, 20)).expect("valid");
    let told: Vec<_> = answer
        .trades
        .iter()
        .map(|trade| (trade.set, trade.price, trade.makers[0].outcome, trade.makers[0].price, trade.stake))
        .collect();
    assert_eq!(told, [(false, 60, 1, 40, 10), (false, 60, 1, 40, 5), (false, 61, 0, 61, 5)]);
    // SELL NO at 39 is BUY YES at 61, also for an account that is not to meet its own.
    assert_eq!(market.submit(0, &sell(2, 1, 39, 5)), Err(Refusal::SelfTrade));
    assert_eq!(met(&mut market, &sell(4, 1, 39, 5)), [(2, 61, 5)]);
}

#[test]
fn independent_runners_are_ladders_of_their_own() {
    for outcomes in [2, 3] {
        let market = Market { independent: true, ..Market::binary(outcomes, 100) };
        let mut market = filled(market, &[buy(1, 1, 50, 10), buy(1, 2 % outcomes, 50, 10)]);
        let answer = market.submit(0, &buy(2, 0, 50, 10)).expect("valid");
        assert_eq!((answer.status, answer.reason), (Status::Resting, None));
    }
}

#[test]
fn what_is_left_of_a_group_still_makes_sets() {
    let mut market = filled(Market::binary(3, 100), &[buy(1, 1, 50, 10), buy(1, 2, 10, 10)]);
    assert_eq!(market.remove_outcome(2), Ok(vec![(2, 10)]));
    assert_eq!(met(&mut market, &buy(2, 0, 50, 5)), [(1, 50, 5)]);
    // One alone makes none.
    market.remove_outcome(1).expect("it is there");
    assert_eq!(met(&mut market, &sell(2, 0, 1, 5)), []);
}

#[test]
fn a_market_order_is_cancelled_where_sets_end() {
    let mut market = filled(Market::binary(3, 100), &[buy(1, 1, 25, 10), buy(1, 2, 25, 10)]);
    let order = NewOrder { price: Price::Market(Some(50)), ..buy(2, 0, 0, 50) };
    let answer = market.submit(0, &order).expect("valid");
    assert_eq!((answer.filled, answer.remaining, answer.reason), (10, 0, Some(Reason::NeverRests)));
}
