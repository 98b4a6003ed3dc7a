//! Fill or kill, post-only, and the four ways of self-trade prevention.

use crate::script::check_market;

#[test]
fn fill_or_kill_is_all_or_nothing() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.60 10      => #1 RESTING rests 10.00
         a lay Home 2.50 10      => #2 RESTING rests 10.00
         b back Home 2.50 21 fok => WOULD_NOT_FILL
         b back Home 2.60 11 fok => WOULD_NOT_FILL
         b back Home 2.50 15 fok => #3 FILLED 10.00@2.60#1 5.00@2.50#2
         a back Home mkt 6 fok   => WOULD_NOT_FILL
         b back Home mkt 6 fok   => WOULD_NOT_FILL
         b back Home mkt 5 fok   => #4 FILLED 5.00@2.50#2
         book Home               => empty",
    );
}

#[test]
fn fill_or_kill_with_a_minimum() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.60 10      => #1 RESTING rests 10.00
         b back Home 2.60 20 fok:10.01 => WOULD_NOT_FILL
         b back Home 2.60 20 fok:10 => #2 CANCELLED 10.00@2.60#1 cancelled 10.00
         b back Home 2.60 20 fok:21 => InvalidField",
    );
}

#[test]
fn fill_or_kill_counts_sets() {
    check_market(
        "market odds Home Draw Away
         a back Draw 4.00 10     => #1 RESTING rests 10.00
         b back Away 4.00 10     => #2 RESTING rests 10.00
         c lay Home 1.95 10      => #3 RESTING rests 10.00
         b back Home 1.95 30 fok => WOULD_NOT_FILL
         d back Home 2.00 21 fok => WOULD_NOT_FILL
         d back Home 1.95 30 fok => #4 FILLED set 20.00@2.00 pays 40.00 (10.00@4.00#1 10.00@4.00#2) 10.00@1.95#3",
    );
}

#[test]
fn post_only_never_matches() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.60 10      => #1 RESTING rests 10.00
         b back Home 2.60 10 post => WOULD_MATCH
         b back Home 2.62 10 post => #2 RESTING rests 10.00
         a back Home 2.60 5 post => SELF_TRADE
         c back Draw 4.00 10     => #3 RESTING rests 10.00
         c back Away 4.00 10 post => #4 RESTING rests 10.00
         d back Home 2.00 1 post => WOULD_MATCH
         d back Home 3.00 5 post ioc => InvalidField
         d back Home mkt 5 post  => InvalidField",
    );
}

#[test]
fn reject_refuses_what_would_meet_an_own_order() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.50 10      => #1 RESTING rests 10.00
         b lay Home 2.60 10      => #2 RESTING rests 10.00
         a back Home 2.50 10 stp:reject => #3 FILLED 10.00@2.60#2
         a back Home 2.60 9 stp:reject => #4 RESTING rests 9.00
         a back Home 2.50 2 stp:reject => SELF_TRADE
         a back Home 2.60 2 stp:reject => #5 RESTING rests 2.00",
    );
}

#[test]
fn the_resting_order_can_give_way() {
    check_market(
        "market odds Home Draw Away
         a lay Home 2.60 10      => #1 RESTING rests 10.00
         b lay Home 2.50 10      => #2 RESTING rests 10.00
         a lay Home 2.50 10      => #3 RESTING rests 10.00
         a back Home 2.50 15 stp:cancel-resting => #4 PARTIALLY_FILLED gone #1 10.00@2.50#2 gone #3 rests 5.00
         book Home               => back 2.50: 5.00 of 1",
    );
}

#[test]
fn the_taker_can_give_way() {
    check_market(
        "market odds Home Draw Away
         b lay Home 2.60 10      => #1 RESTING rests 10.00
         a lay Home 2.50 10      => #2 RESTING rests 10.00
         a back Home 2.50 15 stp:cancel-taker => #3 CANCELLED SELF_TRADE 10.00@2.60#1 cancelled 5.00
         a back Home 2.50 15 stp:cancel-taker => #4 CANCELLED SELF_TRADE cancelled 15.00
         book Home               => lay 2.50: 10.00 of 1",
    );
}

#[test]
fn a_set_is_met_by_its_own_legs_too() {
    check_market(
        "market odds Home Draw Away
         a back Draw 4.00 10     => #1 RESTING rests 10.00
         b back Draw 3.90 10     => #2 RESTING rests 10.00
         b back Away 4.00 20     => #3 RESTING rests 20.00
         a back Home 1.90 10 stp:reject => #4 FILLED set 9.9999@2.0259 pays 20.2593 (5.1946@3.90#2 5.0648@4.00#3) dust 0.0001
         a back Home 1.90 10 stp:cancel-taker => #5 CANCELLED SELF_TRADE set 9.2505@2.0259 pays 18.7411 (4.8054@3.90#2 4.6852@4.00#3) cancelled 0.74 dust 0.0095
         a back Home 1.90 10 stp:cancel-resting => #6 RESTING gone #1 rests 10.00
         book Draw               => virtual lay 4.40: 4.25",
    );
}
