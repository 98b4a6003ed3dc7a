//! Holds: a held market is suspended, and afterwards what it was or was told to be.

use betex_core::command::{CommandKind, NewMarket, REASON_BYTES_MAX};
use betex_core::event::Event;
use betex_core::reject::Rejection;
use betex_core::types::{BookMarketState, Hold};

use crate::exchange::{Exchange, MARKET};
use crate::script::{check, play};

#[test]
fn a_held_market_takes_no_orders_and_lets_them_go() {
    let mut exchange = check(
        "a back Home 2 10            => #1 RESTING rests 10.00
         b lay Home 1.90 10 gtd:2000 => #2 RESTING rests 10.00
         hold halted                 => SUSPENDED
         b lay Home 2 10             => MARKET_NOT_OPEN
         a cancel 1 keep 4           => #1 RESTING rests 4.00 cancelled 6.00
         at 2000                     => expired #2
         open                        => Held
         lift halted                 => OPEN
         b lay Home 2 10             => #3 PARTIALLY_FILLED 4.00@2.00#1 rests 6.00",
    );
    exchange.work_off();
    assert_eq!(exchange.state.market(MARKET).expect("it is there").holds().count(), 0);
}

#[test]
fn a_hold_is_set_once_and_lifted_once() {
    check(
        "lift halted       => HoldUnchanged
         hold halted       => SUSPENDED
         hold halted       => HoldUnchanged
         lift deactivated  => HoldUnchanged
         hold deactivated  => SUSPENDED
         hold deactivated  => HoldUnchanged
         lift halted       => SUSPENDED
         lift halted       => HoldUnchanged
         open              => Held
         a back Home 2 10  => MARKET_NOT_OPEN
         lift deactivated  => OPEN
         a back Home 2 10  => #1 RESTING rests 10.00",
    );
}

#[test]
fn after_the_last_hold_a_market_is_what_it_was_or_was_told_to_be() {
    check(
        "suspend           => SUSPENDED
         hold halted       => SUSPENDED
         lift halted       => SUSPENDED
         a back Home 2 10  => MARKET_NOT_OPEN
         open              => OPEN
         hold halted       => SUSPENDED
         suspend           => SUSPENDED
         suspend           => InvalidTransition
         open              => Held
         lift halted       => SUSPENDED
         open              => OPEN",
    );
    let mut exchange = Exchange { suspicious: true, ..Exchange::default() };
    exchange.create(NewMarket::new("cup", ["Home", "Away"]));
    play(
        &mut exchange,
        "hold deactivated => SUSPENDED
         suspend          => InvalidTransition
         open             => Held
         lift deactivated => CREATED
         open             => OPEN",
    );
}

#[test]
fn a_held_market_may_close_and_stays_closed() {
    check(
        "a back Home 2 10 => #1 RESTING rests 10.00
         hold halted      => SUSPENDED
         close            => CLOSED
         hold deactivated => InvalidTransition
         lift halted      => InvalidTransition
         open             => InvalidTransition
         work             => cancelled #1
         work             => nothing
         remove           => REMOVED",
    );
}

#[test]
fn turning_in_play_is_the_engines_own() {
    let mut exchange = Exchange::open();
    for kind in [
        CommandKind::HoldMarket { hold: Hold::TurningInPlay, reason: None },
        CommandKind::LiftHold { hold: Hold::TurningInPlay, reason: None },
    ] {
        let refused = exchange.run(MARKET, &kind);
        assert!(matches!(refused, Err(Rejection::InvalidField { field: "hold", .. })), "{refused:?}");
    }
}

#[test]
fn a_hold_says_why_and_what_the_market_is() {
    let mut exchange = Exchange::open();
    let mut hold = |hold, on, reason: &str| {
        let (reason, hold_on) = (Some(reason.into()), CommandKind::HoldMarket { hold, reason: None });
        let kind = match hold_on {
            CommandKind::HoldMarket { hold, .. } if on => CommandKind::HoldMarket { hold, reason },
            _ => CommandKind::LiftHold { hold, reason },
        };
        let (_, events) = exchange.run(MARKET, &kind).expect("it is taken");
        let market = exchange.state.market(MARKET).expect("it is there");
        (events, market.reason().map(str::to_owned), market.holds().collect::<Vec<_>>())
    };
    let event =
        |hold, on, to, reason: &str| vec![Event::HoldChanged { hold, on, to, reason: Some(reason.into()) }];
    use BookMarketState::{Open, Suspended};
    use Hold::{Deactivated, Halted};
    for (which, on, reason, to, left) in [
        (Deactivated, true, "upkeep", Suspended, vec![Deactivated]),
        (Halted, true, "odd bets", Suspended, vec![Halted, Deactivated]),
        (Deactivated, false, "done", Suspended, vec![Halted]),
        (Halted, false, "explained", Open, vec![]),
    ] {
        let expected = (event(which, on, to, reason), Some(reason.to_owned()), left);
        assert_eq!(hold(which, on, reason), expected);
    }
    let long = Some("r".repeat(REASON_BYTES_MAX + 1).into());
    for kind in [
        CommandKind::HoldMarket { hold: Halted, reason: long.clone() },
        CommandKind::LiftHold { hold: Halted, reason: long },
    ] {
        let refused = exchange.run(MARKET, &kind);
        assert!(matches!(refused, Err(Rejection::InvalidText { field: "reason", .. })), "{refused:?}");
    }
}

/// A hold that changes nothing to see leaves the reason for what there is to see.
#[test]
fn a_hold_without_a_word_keeps_the_reason_of_a_suspension() {
    let exchange = check(
        "suspend goal => SUSPENDED
         hold halted  => SUSPENDED
         lift halted  => SUSPENDED",
    );
    assert_eq!(exchange.state.market(MARKET).and_then(|market| market.reason()), Some("goal"));
}
