//! Complete sets at odds, one by one.

use betex_core::command::{CommandKind, NewMarket, NewOrder};
use betex_core::decide::decide;
use betex_core::event::Event;
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{BookMarketState, Price, Quantity, Side};

use crate::exchange::{Exchange, MARKET};
use crate::script::check_market;

#[test]
fn backers_of_all_outcomes_fund_each_other() {
    check_market(
        "market odds Home Draw Away
         a back Draw 4.00 10     => #1 RESTING rests 10.00
         b back Away 4.00 10     => #2 RESTING rests 10.00
         book Home               => virtual lay 2.00: 20.00
         c back Home 2.00 30     => #3 PARTIALLY_FILLED set 20.00@2.00 pays 40.00 (10.00@4.00#1 10.00@4.00#2) rests 10.00
         book Home               => back 2.00: 10.00 of 1",
    );
}

#[test]
fn layers_of_all_outcomes_sell_a_set() {
    check_market(
        "market odds Home Draw Away
         a lay Draw 4.00 10      => #1 RESTING rests 10.00
         b lay Away 4.00 10      => #2 RESTING rests 10.00
         book Home               => virtual back 2.00: 20.00
         c back Home 2.00 30     => #3 RESTING rests 30.00
         c cancel 3              => #3 CANCELLED cancelled 30.00
         d lay Home 2.00 30      => #4 PARTIALLY_FILLED set 20.00@2.00 pays 40.00 (10.00@4.00#1 10.00@4.00#2) rests 10.00",
    );
}

#[test]
fn the_better_price_is_met_first_at_every_step() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.10 10      => #1 RESTING rests 10.00
         a lay Home 1.95 10      => #2 RESTING rests 10.00
         b back Draw 4.00 10     => #3 RESTING rests 10.00
         b back Away 4.00 5      => #4 RESTING rests 5.00
         b back Away 3.90 5      => #5 RESTING rests 5.00
         book Home               => lay 2.10: 10.00 of 1, lay 1.95: 10.00 of 1, virtual lay 2.02: 9.62, virtual lay 2.00: 10.00
         c back Home 1.90 40     => #6 PARTIALLY_FILLED 10.00@2.10#1 set 9.6250@2.0259 pays 19.50 (4.8750@4.00#3 5.00@3.90#5) set 10.00@2.00 pays 20.00 (5.00@4.00#3 5.00@4.00#4) 10.00@1.95#2 rests 0.37 and 0.0050",
    );
}

#[test]
fn nobody_meets_himself_in_a_set() {
    check_market(
        "market odds Home Draw Away
         a back Draw 4.00 10     => #1 RESTING rests 10.00
         b back Draw 3.80 10     => #2 RESTING rests 10.00
         b back Away 4.00 20     => #3 RESTING rests 20.00
         a back Home 1.90 30     => #4 PARTIALLY_FILLED set 18.50@2.0540 pays 38.00 (10.00@3.80#2 9.50@4.00#3) rests 11.50
         - back Home 1.80 30     => #5 PARTIALLY_FILLED set 20.00@2.00 pays 40.00 (10.00@4.00#1 10.00@4.00#3) rests 10.00",
    );
}

#[test]
fn a_market_can_do_without_sets() {
    for market in ["odds no-sets", "odds independent"] {
        check_market(&format!(
            "market {market} Home Away
             a back Home 2.00 10     => #1 RESTING rests 10.00
             b back Away 2.00 10     => #2 RESTING rests 10.00
             book Home               => back 2.00: 10.00 of 1"
        ));
    }
}

fn all_prices() -> impl Iterator<Item = Price> {
    (0..Ladder::Classic.len()).map(|tick| Ladder::Classic.price(Tick(tick)))
}

/// Every price of a maker against every limit of a taker, both directions, for two outcomes: what comes in
/// is what goes out, whichever outcome wins, and every order gets its price or better. Takers whose limit the
/// implied price does not reach are not matched; those whose limit it reaches are, but for the smallest amounts.
#[test]
fn every_pair_of_prices_is_conserved_or_not_matched() {
    for (side, quantity) in [(Side::Yes, 100_000), (Side::No, 100_000), (Side::Yes, 100), (Side::No, 700)] {
        let mut matched = 0;
        for maker in all_prices() {
            let mut exchange = Exchange::default();
            let state = BookMarketState::Open;
            exchange.create(NewMarket { state, ..NewMarket::new("pair", ["Home", "Away"]) });
            exchange
                .submit(NewOrder::limit(2.into(), side, maker, Quantity(quantity)))
                .expect("the maker rests");
            for limit in all_prices() {
                matched += u32::from(check_pair(&exchange, side, maker, quantity, limit));
            }
        }
        assert!(
            matched > if quantity > 10_000 { 20_000 } else { 10_000 },
            "only {matched} pairs of prices meet"
        );
    }
}

/// What a taker in [`check_pair`] asks for.
const TAKER: i128 = 1_000_000;

/// Whether a taker is matched.
fn check_pair(exchange: &Exchange, side: Side, maker: Price, rests: i64, limit: Price) -> bool {
    let taker = NewOrder::limit(1.into(), side, limit, Quantity(1_000_000));
    let mut events = Vec::new();
    let kind = CommandKind::SubmitOrder(taker);
    decide(&exchange.state, MARKET, &kind, 0, &mut events).expect("taken");
    let (odds, rests) = (i128::from(maker.0), i128::from(rests));
    let expected = expected(side, odds, rests, limit.0.into());
    let Some(Event::SetMatched(set)) = events.get(1) else {
        assert_ne!(expected, Some(true), "{maker:?} and {limit:?} should have met");
        return false;
    };
    assert_ne!(expected, Some(false), "{maker:?} and {limit:?} should not have met");
    let Some(Event::TradeMatched(leg)) = events.get(2) else { panic!("a set without its maker") };
    assert_eq!(set.payout.0, set.stake.0 + leg.stake.0, "the payout is the stakes");
    assert!((1..=TAKER).contains(&set.stake.0.into()) && (1..=rests).contains(&leg.stake.0.into()));
    let at = |price: Price, stake: Quantity| i128::from(price.0) * i128::from(stake.0);
    let payout = i128::from(set.payout.0) * 10_000;
    match side {
        Side::Yes => assert!(payout >= at(maker, leg.stake) && payout >= at(limit, set.stake)),
        Side::No => assert!(payout <= at(maker, leg.stake) && payout <= at(limit, set.stake)),
    }
    true
}

/// Whether a maker and a taker must meet; `None`: it depends on how amounts are rounded.
fn expected(side: Side, odds: i128, rests: i128, limit: i128) -> Option<bool> {
    // The implied price is this, over `less`.
    let (implied, less) = (odds * 10_000, odds - 10_000);
    let reaches = |with: i128, without: i128| match side {
        Side::Yes => implied * without >= limit * less * with,
        Side::No => implied * with <= limit * less * without,
    };
    let is_a_price = 10_100 * less <= implied && implied <= 10_000_000 * less;
    if !reaches(1, 1) || !is_a_price {
        return Some(false);
    }
    // Of multiples of this nothing is rounded.
    let exact = odds
        / if odds % 100 == 0 { (1..=10_000).rfind(|by| 10_000 % by == 0 && odds % by == 0)? } else { 1 };
    let payout = (rests * odds / 10_000).min(TAKER * odds / less);
    // Rounding costs the taker less than one quantum: less than a thousandth of amounts like these.
    let (leg, taker) = (payout * 10_000 / odds, payout * less / odds);
    let is_large = leg.min(taker) > 1_100 && reaches(1_100, 1_099);
    (exact <= payout || is_large).then_some(true)
}

#[test]
fn an_outcome_joins_a_group_before_its_first_set_only() {
    check_market(
        "market odds Home Draw
         a back Draw 2.00 10     => #1 RESTING rests 10.00
         add Away                => ADDED
         c back Home 2.00 5      => #2 RESTING rests 5.00
         b back Away 4.00 10     => #3 RESTING rests 10.00
         c back Home 3.00 2      => #4 FILLED set 2.00@4.00 pays 8.00 (4.00@2.00#1 2.00@4.00#3)
         add Ghost               => NotPossible
         withdraw Away 0         => WITHDRAWN, cancelled #3
         book Home               => back 2.00: 5.00 of 1, virtual lay 2.00: 6.00",
    );
}

/// Two makers on A and B are as scarce: the one on the first outcome is passed over. Without it the set has a price
/// that uses the taker up.
#[test]
fn of_two_makers_as_scarce_the_first_is_passed_over() {
    check_market(
        "market finest Home A B C
         a back A 5.00 0.01      => #1 RESTING rests 0.01
         a back A 10.00 1        => #2 RESTING rests 1.00
         a back B 5.00 0.01      => #3 RESTING rests 0.01
         a back C 3.33 10        => #4 RESTING rests 10.00
         b back Home 1.01 0.03   => #5 PARTIALLY_FILLED set 0.02@2.50 pays 0.05 (0.0050@10.00#2 0.01@5.00#3 0.0150@3.33#4) rests 0.01",
    );
}

/// Rounding may take too much of a set of less than 0.8192: two that would come first are not shown.
#[test]
fn the_smallest_sets_are_not_shown() {
    check_market(
        "market finest A B C D Home
         a lay A 46.00 188.45    => #1 RESTING rests 188.45
         a lay B 2.38 99.42      => #2 RESTING rests 99.42
         a lay C 2.65 2          => #3 RESTING rests 2.00
         a lay C 2.64 128.56     => #4 RESTING rests 128.56
         a lay D 7.68 2          => #5 RESTING rests 2.00
         a lay D 7.66 11.11      => #6 RESTING rests 11.11
         book Home               => virtual back 20.53: 4.14",
    );
}

/// A maker that is passed over beside one maker is looked at again beside another one, once the price to beat
/// is another one, too.
#[test]
fn a_maker_that_was_passed_over_is_looked_at_beside_others() {
    check_market(
        "market odds Home Draw Away
         a back Draw 1.47 0.01   => #1 RESTING rests 0.01
         b back Draw 1.47 50     => #2 RESTING rests 50.00
         c back Away 4.10 1      => #3 RESTING rests 1.00
         c back Away 4.90 50     => #4 RESTING rests 50.00
         e lay Home 9.00 1       => #5 RESTING rests 1.00
         d back Home mkt 3       => #6 FILLED set 0.3109@13.1875 pays 4.10 (2.7891@1.47#2 1.00@4.10#3) 1.00@9.00#5 set 0.0017@8.6470 pays 0.0147 (0.01@1.47#1 0.0030@4.90#4) set 1.6873@8.6465 pays 14.5893 (9.9246@1.47#2 2.9774@4.90#4) dust 0.0001",
    );
}
