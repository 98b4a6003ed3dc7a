//! Orders on quarter lines: one order over two books.

use crate::script::check_market;

#[test]
fn a_quarter_line_is_split() {
    check_market(
        "market odds Home_0.0 Home_-0.5 Away_0.0 Away_+0.5
         a back Home_-0.25 1.90 10.01 id:x => #1 RESTING rests 10.01
         book Home_0.0           => back 1.90: 5.01 of 1
         book Home_-0.5          => back 1.90: 5.00 of 1
         b lay Home_0.0 1.90 2   => #4 FILLED 2.00@1.90#2
         a back Home_-0.25 1.90 7 id:x => DUPLICATE_CLIENT_ID #1 PARTIALLY_FILLED filled 2.00 rests 8.01
         a cancel 1 keep 6       => #1 PARTIALLY_FILLED rests 6.00 cancelled 2.01
         book Home_0.0           => back 1.90: 3.00 of 1
         book Home_-0.5          => back 1.90: 3.00 of 1
         a cancel 2              => HalfOfOrder
         c cancel 1              => NotTheOwner
         a cancel id:x           => #1 CANCELLED cancelled 6.00
         a cancel 1              => OrderNotFound
         a back Home_-0.75 1.90 7 => INVALID_OUTCOME
         a back Away_+0.25 1.90 0.01 => #5 RESTING rests 0.01",
    );
}

#[test]
fn the_checks_work_on_the_whole() {
    check_market(
        "market odds Home_0.0 Home_-0.5 Away_0.0 Away_+0.5
         a lay Home_0.0 1.90 5   => #1 RESTING rests 5.00
         b back Home_-0.25 1.90 10 fok => WOULD_NOT_FILL
         b back Home_-0.25 1.90 10 fok:5 => #2 CANCELLED 5.00@1.90#1 cancelled 5.00
         a lay Home_0.0 1.90 5   => #5 RESTING rests 5.00
         b back Home_-0.25 1.90 10 post => WOULD_MATCH
         b lay Home_-0.5 1.90 5  => #6 RESTING rests 5.00
         b back Home_-0.25 1.90 10 stp:reject => SELF_TRADE
         b back Home_-0.25 1.90 12 => #7 CANCELLED SELF_TRADE 5.00@1.90#5 cancelled 7.00
         b back Home_-0.25 1.90 12 stp:cancel-resting => #10 RESTING gone #6 rests 12.00
         c back Away_+0.25 1.90 4 => #13 FILLED set 2.00@2.1111 pays 4.2222 (2.2222@1.90#11) set 2.00@2.1111 pays 4.2222 (2.2222@1.90#12)
         book Away_0.0           => virtual lay 2.10: 3.40",
    );
}

#[test]
fn what_ends_the_nearer_half_ends_the_order() {
    check_market(
        "market odds Home_0.0 Home_-0.5 Away_0.0 Away_+0.5
         a lay Home_0.0 2.00 5   => #1 RESTING rests 5.00
         b lay Home_-0.5 2.00 5  => #2 RESTING rests 5.00
         a back Home_-0.25 2.00 8 stp:cancel-taker => #3 CANCELLED SELF_TRADE cancelled 8.00
         c lay Home_-0.5 2.02 1  => #6 RESTING rests 1.00
         c back Home_-0.25 2.00 2 stp:reject post => WOULD_MATCH",
    );
}
