//! Orders of every kind, one by one.

use betex_core::command::{CommandKind, NewOrder, OrderPrice};
use betex_core::decide::Receipt;
use betex_core::event::CancelReason;
use betex_core::ladder::Ladder;
use betex_core::reject::Rejection;
use betex_core::types::{AccountId, Money, OddsX10000, Persistence, Price, Quantity, Side, TimeInForce};

use crate::exchange::{Exchange, HOME, MARKET};
use crate::script::check;

#[test]
fn price_then_time() {
    check(
        "a lay Home 2.50 100    => #1 RESTING rests 100.00
         b lay Home 2.54 100    => #2 RESTING rests 100.00
         c lay Home 2.50 100    => #3 RESTING rests 100.00
         book Home              => lay 2.54: 100.00 of 1, lay 2.50: 200.00 of 2
         d back Home 2.50 250   => #4 FILLED 100.00@2.54#2 100.00@2.50#1 50.00@2.50#3
         book Home              => lay 2.50: 50.00 of 1
         e back Draw 2.50 10    => #5 RESTING rests 10.00
         e back Home 2.50 60    => #6 PARTIALLY_FILLED 50.00@2.50#3 rests 10.00
         f lay Home 3.05 10     => #7 FILLED 10.00@2.50#6
         book Home              => empty",
    );
}

#[test]
fn a_layer_takes_low_odds_first() {
    check(
        "a back Home 3.05 10    => #1 RESTING rests 10.00
         a back Home 3.00 10    => #2 RESTING rests 10.00
         a back Home 3.10 10    => #3 RESTING rests 10.00
         b lay Home 3.05 30     => #4 PARTIALLY_FILLED 10.00@3.00#2 10.00@3.05#1 rests 10.00
         book Home              => back 3.10: 10.00 of 1, lay 3.05: 10.00 of 1",
    );
}

#[test]
fn the_ends_of_the_ladder_trade() {
    check(
        "a lay Home 1.01 10     => #1 RESTING rests 10.00
         a back Home 1000 10    => #2 RESTING rests 10.00
         b back Home mkt 5      => #3 FILLED 5.00@1.01#1
         b lay Home mkt 5       => #4 FILLED 5.00@1000.00#2
         b back Home 1.01 5     => #5 FILLED 5.00@1.01#1
         b lay Home 1000 5      => #6 FILLED 5.00@1000.00#2",
    );
}

#[test]
fn market_orders_never_rest() {
    check(
        "b back Home mkt 10     => #1 CANCELLED cancelled 10.00
         a lay Home 2.60 10     => #2 RESTING rests 10.00
         a lay Home 2.50 10     => #3 RESTING rests 10.00
         b back Home mkt:2.60 20 => #4 CANCELLED 10.00@2.60#2 cancelled 10.00
         b back Home mkt:2.55 5 => INVALID_PRICE
         b back Home mkt 20     => #5 CANCELLED 10.00@2.50#3 cancelled 10.00
         b back Home mkt 20 gtd:9 => #6 CANCELLED cancelled 20.00
         book Home              => empty",
    );
}

#[test]
fn ioc_orders_take_what_is_there() {
    check(
        "a lay Home 2.60 10     => #1 RESTING rests 10.00
         b back Home 2.60 4 ioc => #2 FILLED 4.00@2.60#1
         b back Home 2.60 9 ioc => #3 CANCELLED 6.00@2.60#1 cancelled 3.00
         b back Home 2.60 9 ioc => #4 CANCELLED cancelled 9.00",
    );
}

#[test]
fn own_orders_are_passed_over() {
    check(
        "a lay Home 2.60 10     => #1 RESTING rests 10.00
         b lay Home 2.50 10     => #2 RESTING rests 10.00
         a back Home 2.50 15    => #3 CANCELLED SELF_TRADE 10.00@2.50#2 cancelled 5.00
         a back Home 2.50 15    => SELF_TRADE
         a back Home 2.60 15    => SELF_TRADE
         a back Home 2.62 15    => #4 RESTING rests 15.00
         a back Draw 2.50 15    => #5 RESTING rests 15.00
         a back Home mkt 15     => #6 CANCELLED cancelled 15.00
         a back Home 2.50 15 ioc => #7 CANCELLED cancelled 15.00
         a back Home 2.50 15 gtd:9 => SELF_TRADE
         b back Home 2.50 10    => #8 FILLED 10.00@2.60#1",
    );
}

#[test]
fn a_taker_that_own_orders_do_not_stop_is_filled() {
    check(
        "a back Home 2.00 10    => #1 RESTING rests 10.00
         b back Home 2.02 10    => #2 RESTING rests 10.00
         a lay Home 2.02 10     => #3 FILLED 10.00@2.02#2
         book Home              => back 2.00: 10.00 of 1",
    );
}

#[test]
fn orders_of_nobody_meet() {
    check(
        "- lay Home 2.60 10     => #1 RESTING rests 10.00
         - back Home 2.60 10    => #2 FILLED 10.00@2.60#1",
    );
}

#[test]
fn a_reduction_keeps_the_place() {
    check(
        "a lay Home 2.50 10     => #1 RESTING rests 10.00
         b lay Home 2.50 10     => #2 RESTING rests 10.00
         a cancel 1 keep 4      => #1 RESTING rests 4.00 cancelled 6.00
         a cancel 1 keep 4      => #1 RESTING rests 4.00
         a cancel 1 keep 99     => #1 RESTING rests 4.00
         book Home              => lay 2.50: 14.00 of 2
         c back Home 2.50 5     => #3 FILLED 4.00@2.50#1 1.00@2.50#2
         a cancel 1             => OrderNotFound
         b cancel 2 keep 3      => #2 PARTIALLY_FILLED rests 3.00 cancelled 6.00
         b cancel 2             => #2 CANCELLED cancelled 3.00
         b cancel 2             => OrderNotFound
         book Home              => empty",
    );
}

#[test]
fn only_the_owner_cancels_and_only_by_increments() {
    check(
        "a lay Home 2.50 10     => #1 RESTING rests 10.00
         b cancel 1             => NotTheOwner
         a cancel 1 keep 0.001  => InvalidKeep
         a cancel 1 keep -1     => InvalidKeep
         a cancel 2             => OrderNotFound
         - cancel 1             => #1 CANCELLED cancelled 10.00",
    );
}

#[test]
fn an_order_of_another_market_is_not_found() {
    let mut exchange = check("a lay Home 2.50 10 => #1 RESTING rests 10.00");
    let other = exchange.create(crate::exchange::open_market("other"));
    let kind = CommandKind::CancelOrder {
        order: betex_core::command::OrderRef::Id(1.into()),
        account_id: AccountId::NONE,
        keep: Quantity::ZERO,
    };
    assert_eq!(exchange.run(other, &kind), Err(Rejection::OrderNotFound(1.into())));
    assert_eq!(exchange.run(9.into(), &kind), Err(Rejection::MarketNotFound(9.into())));
    assert_eq!(exchange.resting(MARKET), 1);
}

#[test]
fn client_ids_are_used_once() {
    check(
        "a lay Home 2.50 10 id:x   => #1 RESTING rests 10.00
         a lay Home 2.50 10 id:x   => DUPLICATE_CLIENT_ID #1 RESTING filled 0.00 rests 10.00
         a back Draw 9 10 id:x     => DUPLICATE_CLIENT_ID #1 RESTING filled 0.00 rests 10.00
         b back Home 2.50 4 id:x   => #2 FILLED 4.00@2.50#1
         b back Home 2.50 4 id:x   => DUPLICATE_CLIENT_ID #2 FILLED filled 4.00
         a lay Home 7.77 0 id:x    => DUPLICATE_CLIENT_ID #1 PARTIALLY_FILLED filled 4.00 rests 6.00
         a cancel id:x keep 2      => #1 PARTIALLY_FILLED rests 2.00 cancelled 4.00
         - cancel id:x             => ClientIdNotFound
         a cancel id:y             => ClientIdNotFound
         a cancel id:x             => #1 CANCELLED cancelled 2.00
         a cancel id:x             => OrderNotFound
         a lay Home 2.50 10 id:x   => DUPLICATE_CLIENT_ID #1 CANCELLED filled 4.00 cancelled 6.00
         - lay Home 2.50 10 id:x   => #3 RESTING rests 10.00
         - lay Home 2.50 10 id:x   => DUPLICATE_CLIENT_ID #3 RESTING filled 0.00 rests 10.00
         a back Home 2.50 99 id:z ioc => #4 CANCELLED 10.00@2.50#3 cancelled 89.00
         a back Home 2.50 99 id:z  => DUPLICATE_CLIENT_ID #4 CANCELLED filled 10.00 cancelled 89.00
         suspend                   => SUSPENDED
         a lay Home 2.50 10 id:x   => DUPLICATE_CLIENT_ID #1 CANCELLED filled 4.00 cancelled 6.00
         a lay Home 2.50 10 id:new => MARKET_NOT_OPEN",
    );
}

#[test]
fn a_refused_order_uses_no_client_id() {
    check(
        "a lay Home 2.50 10     => #1 RESTING rests 10.00
         a back Home 2.50 5 id:x => SELF_TRADE
         a back Home 2.51 5 id:x => INVALID_PRICE
         a back Home 2.60 5 id:x => #2 RESTING rests 5.00",
    );
}

#[test]
fn a_reduced_order_that_is_filled_is_filled() {
    check(
        "a lay Home 2.50 10 id:x => #1 RESTING rests 10.00
         a cancel 1 keep 4      => #1 RESTING rests 4.00 cancelled 6.00
         b back Home 2.50 4     => #2 FILLED 4.00@2.50#1
         a lay Home 2.50 10 id:x => DUPLICATE_CLIENT_ID #1 FILLED filled 4.00 cancelled 6.00",
    );
}

#[test]
fn what_is_due_expires_before_the_next_command() {
    check(
        "at 1000                      => nothing
         a lay Home 2.60 10 gtd:1000  => INVALID_EXPIRY
         a lay Home 2.60 10 gtd:0     => INVALID_EXPIRY
         a lay Home 2.60 10 gtd:3000 id:x => #1 RESTING rests 10.00
         a lay Home 2.50 10 gtd:2000  => #2 RESTING rests 10.00
         a lay Home 2.50 10 gtd:3000  => #3 RESTING rests 10.00
         a lay Home 2.40 10 gtd:18446744073709551615 => #4 RESTING rests 10.00
         b back Home 2.60 4           => #5 FILLED 4.00@2.60#1
         at 1999                      => nothing
         at 2000                      => expired #2
         at 2999                      => nothing
         at 9999                      => expired #1 #3
         b back Home 2.50 4           => #6 RESTING rests 4.00
         a cancel 1                   => OrderNotFound
         a lay Home 2.60 10 id:x      => DUPLICATE_CLIENT_ID #1 EXPIRED filled 4.00 cancelled 6.00
         book Home                    => back 2.50: 4.00 of 1, lay 2.40: 10.00 of 1",
    );
}

#[test]
fn a_cancelled_or_filled_order_expires_no_more() {
    check(
        "a lay Home 2.60 10 gtd:2000  => #1 RESTING rests 10.00
         a lay Home 2.60 10 gtd:1000  => #2 RESTING rests 10.00
         a lay Home 2.60 10 gtd:3000  => #3 RESTING rests 10.00
         a cancel 2                   => #2 CANCELLED cancelled 10.00
         b back Home 2.60 10          => #4 FILLED 10.00@2.60#1
         at 2500                      => nothing
         at 3000                      => expired #3",
    );
}

/// No command is needed: the engine's timer asks for work, and so does a restart.
#[test]
fn an_order_expires_after_a_restart() {
    let mut exchange = check(
        "a lay Home 2.60 10 gtd:2000  => #1 RESTING rests 10.00
         a lay Home 2.60 10           => #2 RESTING rests 10.00",
    );
    assert_eq!(exchange.state.next_due_ns(), Some(2_000_000_000));
    exchange.state = exchange.replay(exchange.log.len());
    exchange.now_ms = 2_000;
    exchange.work_off();
    assert_eq!(exchange.resting(MARKET), 1);
    assert_eq!(exchange.state.next_due_ns(), None);
}

#[test]
fn a_bad_order_is_refused_with_what_is_valid() {
    let good = NewOrder::limit(HOME, Side::Yes, Price(25_000), Quantity(10_000));
    let limit = |odds| NewOrder { price: OrderPrice::Limit(Price(odds)), ..good };
    let stake = |stake| NewOrder { quantity: Quantity(stake), ..good };
    let bad_price = |price, below: Option<u32>, above: Option<u32>| Rejection::InvalidPrice {
        ladder: Ladder::Classic,
        price: Price(price),
        below: below.map(Price),
        above: above.map(Price),
    };
    let bad_stake = |quantity| Rejection::InvalidQuantity {
        quantity: Quantity(quantity),
        min: Quantity(100),
        max: Quantity::MAX,
        increment: Quantity(100),
    };
    let mut exchange = Exchange::open();
    let before = exchange.state.digest();
    for (order, rejection) in [
        (NewOrder { runner_id: 4.into(), ..good }, Rejection::InvalidOutcome(4.into())),
        (NewOrder { runner_id: 0.into(), ..good }, Rejection::InvalidOutcome(0.into())),
        (limit(25_100), bad_price(25_100, Some(25_000), Some(25_200))),
        (limit(25_001), bad_price(25_001, Some(25_000), Some(25_200))),
        (limit(0), bad_price(0, None, Some(10_100))),
        (limit(10_000), bad_price(10_000, None, Some(10_100))),
        (limit(10_010_000), bad_price(10_010_000, Some(10_000_000), None)),
        (limit(u32::MAX), bad_price(u32::MAX, Some(10_000_000), None)),
        (stake(0), bad_stake(0)),
        (stake(-100), bad_stake(-100)),
        (stake(150), bad_stake(150)),
        (stake(99), bad_stake(99)),
        (stake(Quantity::MAX.0 + 100), bad_stake(Quantity::MAX.0 + 100)),
        (stake(i64::MAX), bad_stake(i64::MAX)),
        (stake(i64::MIN), bad_stake(i64::MIN)),
    ] {
        assert_eq!(exchange.submit(order), Err(rejection));
    }
    assert_eq!(exchange.state.digest(), before);
    assert!(exchange.submit(stake(Quantity::MAX.0)).is_ok());
}

#[test]
fn place_order_is_a_limit_order() {
    let mut exchange = Exchange::open();
    let kind = CommandKind::PlaceOrder {
        runner_id: HOME,
        account_id: AccountId(7),
        client_order_id: None,
        side: Side::Yes,
        odds: OddsX10000(20_000),
        stake: Money(10_000),
        persistence: Persistence::Persist,
        time_in_force: TimeInForce::Gtc,
    };
    let placed = exchange.run(MARKET, &kind);
    let mut twin = Exchange::open();
    let order = NewOrder::limit(HOME, Side::Yes, Price(20_000), Quantity(10_000)).by(AccountId(7));
    assert_eq!(placed, twin.submit(NewOrder { persistence: Persistence::Persist, ..order }));
    assert_eq!(exchange.state.digest(), twin.state.digest());
}

/// Whoever takes `filled` of 4,097 lays of a penny, with this many of its own in front.
fn sweep(own: u64, pennies: i64) -> Result<(i64, i64, Option<CancelReason>), Rejection> {
    let mut exchange = Exchange::open();
    let (taker, maker) = (AccountId(1), AccountId(2));
    let penny = |price| NewOrder::limit(HOME, Side::No, Price(price), Quantity(100));
    for _ in 0..own {
        exchange.submit(penny(26_000).by(taker)).expect("rests");
    }
    for _ in 0..4_097 {
        exchange.submit(penny(25_000).by(maker)).expect("rests");
    }
    let order = NewOrder::limit(HOME, Side::Yes, Price(25_000), Quantity(pennies * 100)).by(taker);
    exchange.submit(order).map(|(receipt, events)| {
        let Receipt::Order { report, reason } = receipt else { panic!("{receipt:?}") };
        assert!(events.len() <= 4_098);
        assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
        (report.filled.0 / 100, report.remaining.0 / 100, reason)
    })
}

#[test]
fn work_per_command_is_bounded() {
    use CancelReason::{OrderLimit, SelfTrade};
    for (own, pennies, expected) in [
        (0, 4_096, Ok((4_096, 0, None))),
        (0, 4_097, Ok((4_096, 0, Some(OrderLimit)))),
        (0, 9_999, Ok((4_096, 0, Some(OrderLimit)))),
        (4_095, 4_096, Ok((4_096, 0, None))),
        (4_095, 1, Ok((1, 0, None))),
        (1, 4_097, Ok((4_096, 0, Some(OrderLimit)))),
        (4_096, 1, Ok((0, 0, Some(OrderLimit)))),
        (5_000, 1, Ok((0, 0, Some(OrderLimit)))),
    ] {
        assert_eq!(sweep(own, pennies), expected, "{own} own orders in front, {pennies} pennies");
    }
    // Short of the bound it is the self-trade that keeps the rest from resting.
    let mut exchange = Exchange::open();
    let own = NewOrder::limit(HOME, Side::No, Price(26_000), Quantity(100)).by(AccountId(1));
    (0..4_095).for_each(|_| assert!(exchange.submit(own).is_ok()));
    let order = NewOrder { side: Side::Yes, quantity: Quantity(200), ..own };
    assert_eq!(exchange.submit(order), Err(Rejection::SelfTrade));
    assert!(exchange.submit(own.by(AccountId(2))).is_ok());
    let (receipt, _) = exchange.submit(order).expect("a penny is filled");
    assert!(matches!(receipt, Receipt::Order { reason: Some(SelfTrade), .. }), "{receipt:?}");
}
