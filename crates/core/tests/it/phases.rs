//! Phases: where a market may go, and what becomes of its orders when it turns in-play.

use betex_core::command::{CommandKind, NewMarket, REASON_BYTES_MAX};
use betex_core::event::{CancelReason, Event};
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, Hold, MarketId, MarketKind, MarketPhase, OrderStatus, TransitionPolicy,
};

use crate::crowd::{crowd, go, in_play_market, jobs, member, taken, taken_out, turning};
use crate::exchange::{Exchange, MARKET, open_market};
use crate::script::play;

const PHASES: [MarketPhase; 3] = [MarketPhase::Pre, MarketPhase::PreAwaitLive, MarketPhase::Live];

fn market(transition: TransitionPolicy) -> Exchange {
    let mut exchange = Exchange { suspicious: true, ..Exchange::default() };
    exchange.create(NewMarket { transition, ..in_play_market("cup") });
    exchange
}

#[test]
fn the_way_of_the_phases() {
    use MarketPhase::{Live, Pre, PreAwaitLive};
    for state in [BookMarketState::Created, BookMarketState::Open, BookMarketState::Suspended] {
        for from in PHASES {
            for to in PHASES {
                let mut exchange = Exchange::default();
                exchange.create(NewMarket { state, phase: from, ..in_play_market("cup") });
                let answer = exchange.run(MARKET, &go(to)).map(|(_, events)| events);
                let phase = exchange.state.market(MARKET).expect("it is there").phase();
                if matches!((from, to), (Pre, PreAwaitLive | Live) | (PreAwaitLive, Pre | Live)) {
                    assert_eq!((answer, phase), (Ok(vec![Event::PhaseChanged { to, reason: None }]), to));
                } else {
                    assert_eq!((answer, phase), (Err(Rejection::InvalidPhase { from, to }), from));
                }
            }
        }
    }
}

#[test]
fn a_pre_event_market_stays_in_pre() {
    let mut exchange = Exchange::default();
    exchange.create(open_market("cup"));
    play(
        &mut exchange,
        "phase await => NotPossible
         phase live  => NotPossible
         phase pre   => InvalidPhase",
    );
    for phase in [MarketPhase::PreAwaitLive, MarketPhase::Live] {
        let kind = MarketKind::PreEventOnly;
        let market = Box::new(NewMarket { kind, phase, ..open_market("final") });
        let refused = exchange.run(MarketId::NONE, &CommandKind::CreateMarket(market));
        assert!(
            matches!(refused, Err(Rejection::InvalidMarket { field: "market_phase", .. })),
            "{refused:?}"
        );
    }
    let mut exchange = market(TransitionPolicy::KeepAll);
    play(&mut exchange, "close => CLOSED\n phase live => NotPossible\n phase pre => NotPossible");
    let mut exchange = market(TransitionPolicy::KeepAll);
    let long = Some("r".repeat(REASON_BYTES_MAX + 1).into());
    let refused = exchange.run(MARKET, &CommandKind::SetPhase { phase: MarketPhase::Live, reason: long });
    assert!(matches!(refused, Err(Rejection::InvalidText { field: "reason", .. })), "{refused:?}");
}

const ORDERS: &str = "
    a back Home 2 10 id:x         => #1 RESTING rests 10.00
    a back Home 3 10 persist id:y => #2 RESTING rests 10.00
    b lay Draw 2 10 persist       => #3 RESTING rests 10.00
    b lay Draw 1.5 10             => #4 RESTING rests 10.00
    c back Draw 2 4               => #5 FILLED 4.00@2.00#3";

#[test]
fn going_live_applies_the_policy() {
    for (policy, answer) in [
        (TransitionPolicy::KeepAll, "Live"),
        (TransitionPolicy::CancelAll, "Live, cancelled #1 #2 #3 #4"),
        (TransitionPolicy::RespectPersistence, "Live, cancelled #1 #4"),
    ] {
        let mut exchange = market(policy);
        play(&mut exchange, ORDERS);
        play(&mut exchange, &format!("phase live => {answer}\n a back Home 4 10 => #6 RESTING rests 10.00"));
        let market = exchange.state.market(MARKET).expect("it is there");
        let status = |name| market.client_order(AccountId(1), name).map(|order| order.status);
        let lapsed = |yes| Some(if yes { OrderStatus::Lapsed } else { OrderStatus::Resting });
        assert_eq!(status("x"), lapsed(policy != TransitionPolicy::KeepAll));
        assert_eq!(status("y"), lapsed(policy == TransitionPolicy::CancelAll));
        assert_eq!((exchange.state.jobs().count(), exchange.state.next_work(0)), (0, None));
        assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
    }
}

#[test]
fn only_the_suspension_before_going_live_is_for_it() {
    let mut exchange = market(TransitionPolicy::RespectPersistence);
    play(&mut exchange, ORDERS);
    play(
        &mut exchange,
        "suspend           => SUSPENDED
         open              => OPEN
         phase await       => PreAwaitLive
         hold halted       => SUSPENDED
         lift halted       => OPEN
         suspend           => SUSPENDED, cancelled #1 #4
         open              => OPEN
         a back Home 4 10  => #6 RESTING rests 10.00
         phase pre         => Pre
         suspend           => SUSPENDED
         open              => OPEN
         phase await       => PreAwaitLive
         hold halted       => SUSPENDED
         suspend           => SUSPENDED, cancelled #6
         lift halted       => SUSPENDED
         phase live        => Live
         open              => OPEN
         a back Home 4 10  => #7 RESTING rests 10.00
         suspend           => SUSPENDED
         phase live        => InvalidPhase",
    );
}

/// 5,000 orders, of which half lapse: the market is suspended until the last of them has.
#[test]
fn a_long_transition_keeps_the_market_suspended() {
    let mut exchange = crowd(in_play_market("cup"), (0..5_000).map(member));
    exchange.now_ms = 7;
    let reason = Some("kick-off".into());
    let kind = CommandKind::SetPhase { phase: MarketPhase::Live, reason: reason.clone() };
    let (_, events) = taken(&mut exchange, &kind);
    let (hold, suspended, open) = (Hold::TurningInPlay, BookMarketState::Suspended, BookMarketState::Open);
    assert_eq!(events[0], Event::PhaseChanged { to: MarketPhase::Live, reason: reason.clone() });
    assert_eq!(taken_out(&events, CancelReason::Lapsed).len(), 512);
    let [.., Event::JobStarted(job), held] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*held, Event::HoldChanged { hold, on: true, to: suspended, reason });
    assert_eq!((events.len(), job.filter.lapsing), (515, true));
    for lapsed in [512, 512, 512, 452] {
        play(&mut exchange, "c back Home 2 10 => MARKET_NOT_OPEN");
        assert!(turning(&exchange));
        let (_, events) = exchange.work().expect("a step");
        assert_eq!(taken_out(&events, CancelReason::Lapsed).len(), lapsed);
        if lapsed < 512 {
            let off = Event::HoldChanged { hold, on: false, to: open, reason: None };
            assert_eq!(events.last(), Some(&off), "lifted in the last step's own transaction");
        }
    }
    assert_eq!((exchange.work(), turning(&exchange), exchange.resting(MARKET)), (None, false, 2_500));
    play(&mut exchange, "c back Home 4 10 => #5001 RESTING rests 10.00");
}

#[test]
fn what_is_told_meanwhile_holds_afterwards() {
    for (told, seen, afterwards) in [
        ("suspend", "SUSPENDED", BookMarketState::Suspended),
        ("hold halted", "SUSPENDED", BookMarketState::Suspended),
        ("open", "InvalidTransition", BookMarketState::Open),
    ] {
        let mut exchange = crowd(in_play_market("cup"), (0..2_000).map(member));
        taken(&mut exchange, &go(MarketPhase::Live));
        play(&mut exchange, &format!("{told} => {seen}"));
        exchange.work_off();
        assert_eq!(exchange.state.market(MARKET).map(|market| market.state()), Some(afterwards), "{told}");
        assert!(!turning(&exchange));
    }
    // A suspension for in-play, told to be over before its orders have lapsed.
    let mut exchange = crowd(in_play_market("cup"), (0..2_000).map(member));
    taken(&mut exchange, &go(MarketPhase::PreAwaitLive));
    taken(&mut exchange, &CommandKind::SuspendMarket { reason: None });
    play(&mut exchange, "open => SUSPENDED\n c back Home 4 10 => MARKET_NOT_OPEN");
    exchange.work_off();
    play(&mut exchange, "c back Home 4 10 => #2001 RESTING rests 10.00");
}

/// The suspension starts one job, going live another: the first that ends does not lift the hold.
#[test]
fn two_transitions_are_over_when_both_are() {
    let mut exchange = crowd(in_play_market("cup"), (0..3_000).map(member));
    taken(&mut exchange, &go(MarketPhase::PreAwaitLive));
    taken(&mut exchange, &CommandKind::SuspendMarket { reason: None });
    let (_, events) = taken(&mut exchange, &go(MarketPhase::Live));
    assert!(matches!(events.last(), Some(Event::JobStarted(_))), "the hold is on already");
    assert_eq!(jobs(&exchange).len(), 2);
    play(&mut exchange, "open => SUSPENDED");
    let mut ends = 0;
    while let Some((_, events)) = exchange.work() {
        ends +=
            usize::from(events.iter().any(|e| matches!(e, Event::JobAdvanced { next, .. } if next.0 == 0)));
        assert_eq!(turning(&exchange), ends < 2);
        let lifted = events.iter().any(|event| matches!(event, Event::HoldChanged { on: false, .. }));
        assert_eq!(lifted, ends == 2);
    }
    assert_eq!((ends, exchange.resting(MARKET)), (2, 1_500));
    assert_eq!(exchange.state.market(MARKET).map(|market| market.state()), Some(BookMarketState::Open));
}

#[test]
fn a_market_that_closes_in_transition_ends_its_jobs() {
    let mut exchange = crowd(in_play_market("cup"), (0..3_000).map(member));
    taken(&mut exchange, &go(MarketPhase::PreAwaitLive));
    taken(&mut exchange, &CommandKind::SuspendMarket { reason: None });
    taken(&mut exchange, &go(MarketPhase::Live));
    let started = exchange.log.len();
    taken(&mut exchange, &CommandKind::CloseMarket { reason: None });
    assert!(turning(&exchange));
    exchange.work_off();
    let (hold, to) = (Hold::TurningInPlay, BookMarketState::Closed);
    let after: Vec<_> = exchange.log[started..].iter().flat_map(|(_, events)| events).collect();
    let ended = after.iter().filter(|e| matches!(e, Event::JobAdvanced { next, .. } if next.0 == 0));
    assert_eq!(ended.count(), 2);
    let lifted = after.iter().filter(|e| matches!(e, Event::HoldChanged { .. })).collect::<Vec<_>>();
    assert_eq!(lifted, [&&Event::HoldChanged { hold, on: false, to, reason: None }]);
    assert!(after.iter().all(|e| !matches!(e, Event::OrderCancelled(o) if o.reason == CancelReason::Lapsed)));
    assert_eq!((exchange.resting(MARKET), turning(&exchange)), (0, false));
    play(&mut exchange, "remove => REMOVED");
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}
