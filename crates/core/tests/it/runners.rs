//! Outcomes that are added and removed while the market goes on.

use betex_core::command::{
    CommandKind, MarketConfig, NAME_BYTES_MAX, NewMarket, NewRunner, REASON_BYTES_MAX, REDUCTION_MAX,
};
use betex_core::decide::Receipt;
use betex_core::event::{CancelReason, Event, OutcomeIndex};
use betex_core::ladder::Ladder;
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, MarketKind, MarketPhase, Quantity, RunnerId, Side,
};

use crate::crowd::{crowd, jobs, member, taken, taken_out};
use crate::exchange::{Exchange, MARKET, open_market};
use crate::script::{check, play};

fn runner(id: u64, name: &str) -> NewRunner {
    NewRunner { id: RunnerId(id), name: name.into() }
}

fn add(runners: Vec<NewRunner>) -> CommandKind {
    CommandKind::AddRunners { runners }
}

fn withdraw(id: u64, reduction: u16) -> CommandKind {
    CommandKind::RemoveRunner { runner_id: RunnerId(id), reduction, reason: None }
}

#[test]
fn outcomes_come_and_go_while_others_trade() {
    let exchange = check(
        "a back Home 2 10      => #1 RESTING rests 10.00
         b back Ghost 2 10     => INVALID_OUTCOME
         add Ghost Outsider    => ADDED
         b back Ghost 2 10     => #2 RESTING rests 10.00
         c lay Ghost 2 4       => #3 FILLED 4.00@2.00#2
         c lay Ghost 1.5 4     => #4 RESTING rests 4.00
         b back Outsider 2 10  => #5 RESTING rests 10.00
         withdraw Ghost 1500   => WITHDRAWN, cancelled #2 #4
         b back Ghost 2 10     => INVALID_OUTCOME
         book Ghost            => empty
         withdraw Ghost 1500   => NotPossible
         b cancel 2            => OrderNotFound
         add Ghost             => InvalidMarket
         add Late              => ADDED
         a back Late 2 10      => #6 RESTING rests 10.00
         withdraw Home 0       => WITHDRAWN, cancelled #1
         withdraw Draw 0       => WITHDRAWN
         withdraw Away 10000   => WITHDRAWN
         withdraw Late 10000   => WITHDRAWN, cancelled #6
         withdraw Outsider 0   => NotPossible
         suspend               => SUSPENDED
         add Later             => ADDED
         withdraw Outsider 7   => WITHDRAWN, cancelled #5
         close                 => CLOSED
         add Latest            => NotPossible
         withdraw Later 0      => NotPossible",
    );
    let market = exchange.state.market(MARKET).expect("it is there");
    let removed: Vec<_> = (0..7).map(|outcome| market.removed(OutcomeIndex(outcome))).collect();
    let (home, ghost, late) = (Some(0), Some(1_500), Some(10_000));
    assert_eq!(removed, [home, Some(0), late, ghost, Some(7), late, None]);
    assert_eq!(market.spec().runners[3], runner(4, "Ghost"));
    assert_eq!((market.outcome_of(RunnerId(4)), market.selection("Ghost")), (Some(OutcomeIndex(3)), None));
    assert_eq!(market.traded(OutcomeIndex(3)), 40_000, "the book is not wound back");
}

#[test]
fn a_market_can_be_set_up_piece_by_piece() {
    let mut exchange = Exchange::default();
    exchange.create(NewMarket::new("cup", ["Home", "Away"]));
    let (receipt, events) = taken(&mut exchange, &add(vec![runner(9, "Draw"), runner(7, "")]));
    assert_eq!(receipt, Receipt::RunnersAdded);
    assert_eq!(events, [Event::RunnersAdded([runner(9, "Draw"), runner(7, "")].into())]);
    play(&mut exchange, "open => OPEN\n a back Draw 2 10 => #1 RESTING rests 10.00");
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn outcomes_that_cannot_be_added_are_refused_with_what_is_valid() {
    let mut exchange = Exchange::open();
    taken(&mut exchange, &withdraw(2, 0));
    let before = exchange.state.digest();
    let many = (100..354).map(|id| runner(id, "")).collect::<Vec<_>>();
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    for (added, valid) in [
        (vec![], "at least one"),
        (many.clone(), "256 outcomes"),
        (vec![runner(0, "Ghost")], "not 0"),
        (vec![runner(2, "Ghost")], "not another's"),
        (vec![runner(4, "Ghost"), runner(4, "Late")], "not another's"),
        (vec![runner(4, "Draw")], "the same name"),
        (vec![runner(4, "Ghost"), runner(5, "Ghost")], "the same name"),
        (vec![runner(4, &long)], "129 bytes"),
        (vec![runner(4, "Home_-1")], "Home_-1.0"),
        (vec![runner(4, "Home_-1.0")], "is not a line"),
    ] {
        let refused = exchange.run(MARKET, &add(added)).expect_err("it is not valid").to_string();
        assert!(refused.starts_with("outcomes: ") && refused.contains(valid), "{refused}");
    }
    assert_eq!(exchange.state.digest(), before);
    taken(&mut exchange, &add(many[1..].to_vec()));
    assert!(exchange.run(MARKET, &add(vec![runner(99, "")])).is_err(), "removed ones count");
}

#[test]
fn lines_join_their_other_side() {
    let mut exchange = Exchange::default();
    exchange.create(NewMarket {
        state: BookMarketState::Open,
        ..NewMarket::new("cup", ["Home_-0.5", "Away_+0.5"])
    });
    play(
        &mut exchange,
        "add Home_-0.25          => InvalidLine
         add Ghost               => InvalidLine
         add Other_-1.0          => InvalidLine
         add Home_-1.0 Away_+1.0 => ADDED
         a back Home_-1.0 2 10   => #1 RESTING rests 10.00
         withdraw Away_+0.5 0    => WITHDRAWN",
    );
    let market = exchange.state.market(MARKET).expect("it is there");
    assert!(market.selection("Home_-0.75").is_some() && market.selection("Away_+0.75").is_none());
}

#[test]
fn a_yes_no_market_is_complete() {
    let question = |outcomes: &[&str], independent| NewMarket {
        state: BookMarketState::Open,
        independent,
        ..NewMarket::binary("", 100, outcomes.iter().copied())
    };
    for (outcomes, independent, complete) in [
        (&["Yes"][..], false, true),
        (&["Yes", "No"], false, true),
        (&["A", "B", "C"], false, false),
        (&["A", "B"], true, false),
        (&["A"], true, false),
    ] {
        let mut exchange = Exchange::default();
        exchange.create(question(outcomes, independent));
        let answers = [add(vec![runner(9, "Ghost")]), withdraw(1, 0)].map(|kind| exchange.run(MARKET, &kind));
        let refused = answers.iter().all(|answer| matches!(answer, Err(Rejection::NotPossible(_))));
        assert_eq!(refused, complete, "{outcomes:?}");
        assert_eq!(answers.iter().any(Result::is_err), complete, "{outcomes:?}");
    }
}

#[test]
fn a_removal_that_is_not_valid_is_refused() {
    let mut exchange = Exchange::open();
    let refused =
        |kind: &CommandKind, exchange: &mut Exchange| exchange.run(MARKET, kind).expect_err("not valid");
    assert_eq!(refused(&withdraw(4, 0), &mut exchange), Rejection::InvalidOutcome(RunnerId(4)));
    let answer = refused(&withdraw(1, REDUCTION_MAX + 1), &mut exchange);
    assert!(matches!(answer, Rejection::InvalidField { field: "reduction", .. }), "{answer:?}");
    let reason = Some("r".repeat(REASON_BYTES_MAX + 1).into());
    let long = CommandKind::RemoveRunner { runner_id: RunnerId(1), reduction: 0, reason };
    let answer = refused(&long, &mut exchange);
    assert!(matches!(answer, Rejection::InvalidText { field: "reason", .. }), "{answer:?}");
    let (_, events) = taken(&mut exchange, &withdraw(1, REDUCTION_MAX));
    let (outcome, reduction) = (OutcomeIndex(0), REDUCTION_MAX);
    assert_eq!(events, [Event::RunnerRemoved { outcome, reduction, reason: None }]);
}

/// 2,000 orders on an outcome that is removed: it takes no orders from then on, the others do.
#[test]
fn a_crowded_outcome_is_emptied_in_steps() {
    let on_one = (0..2_000).map(|n| betex_core::command::NewOrder { runner_id: RunnerId(2), ..member(n) });
    let others = (0..600).map(member).filter(|order| order.runner_id != RunnerId(2));
    let mut exchange = crowd(open_market("cup"), on_one.chain(others));
    let left = exchange.resting(MARKET) - 2_000;
    let (_, events) = taken(&mut exchange, &withdraw(2, 100));
    assert_eq!(taken_out(&events, CancelReason::RunnerRemoved).len(), 512);
    assert_eq!(jobs(&exchange).len(), 1);
    for step in [512, 512, 464] {
        play(&mut exchange, "c back Draw 2.50 10 => INVALID_OUTCOME");
        assert!(exchange.submit(member(0)).is_ok(), "the market goes on");
        let (_, events) = exchange.work().expect("a step");
        assert_eq!(taken_out(&events, CancelReason::RunnerRemoved).len(), step);
    }
    assert_eq!((exchange.work(), exchange.resting(MARKET)), (None, left + 3));
    let market = exchange.state.market(MARKET).expect("it is there");
    let sides = [Side::Yes, Side::No].map(|side| market.levels(OutcomeIndex(1), side).count());
    assert_eq!(sides, [0, 0]);
}

#[test]
fn a_binary_market_of_an_embedder() {
    let config = MarketConfig::Binary {
        market_id: MarketId(5),
        name: "Rain?".into(),
        runners: vec![RunnerId(1), RunnerId(2)],
        max_price_ticks: 100,
        independent: true,
        market_kind: MarketKind::InPlayCapable,
        market_state: BookMarketState::Open,
        market_phase: MarketPhase::PreAwaitLive,
    };
    let command = config.into_command();
    let mut exchange = Exchange::default();
    assert!(exchange.run(command.market_id, &command.kind).is_ok());
    let market = exchange.state.market(MarketId(5)).expect("it is there");
    assert_eq!(
        *market.spec(),
        NewMarket {
            key: String::new(),
            name: "Rain?".into(),
            ladder: Ladder::Binary { max_price_ticks: 100 },
            runners: vec![runner(1, ""), runner(2, "")],
            independent: true,
            kind: MarketKind::InPlayCapable,
            state: BookMarketState::Open,
            phase: MarketPhase::PreAwaitLive,
            increment: Quantity(1),
            min_quantity: Quantity(1),
            ..NewMarket::new("", [""; 0])
        }
    );
    let order = member(0).by(AccountId::NONE);
    let order = betex_core::command::NewOrder { quantity: Quantity(1), ..order };
    let price = betex_core::command::OrderPrice::Limit(betex_core::types::Price(37));
    let order = betex_core::command::NewOrder { price, ..order };
    assert!(exchange.run(MarketId(5), &CommandKind::SubmitOrder(order)).is_ok());
}
