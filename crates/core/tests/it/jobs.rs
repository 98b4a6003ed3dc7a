//! Long jobs: where they go on while others trade, whose turn it is, and that none is ever left behind.

use betex_core::command::{CommandKind, NewOrder};
use betex_core::event::{CancelReason, Event};
use betex_core::limits::Limits;
use betex_core::reject::Rejection;
use betex_core::state::Work;
use betex_core::types::{AccountId, MarketId, MarketPhase, OrderId, Quantity, RunnerId, Side, TimeInForce};

use crate::crowd::{crowd, everything, go, in_play_market, jobs, member, only, taken, taken_out, turning};
use crate::exchange::{Exchange, MARKET, open_market, queues};
use crate::ledger::Ledger;
use crate::script::play;

const REASON: CancelReason = CancelReason::MassCancelled;

/// 1,500 orders of which a job takes out those of account 1, three in seven: it stops at the 513th of them.
fn under_way() -> Exchange {
    let mut exchange = crowd(open_market("cup"), (0..1_500).map(member));
    taken(&mut exchange, &only(1));
    assert_eq!(jobs(&exchange).len(), 1);
    exchange
}

/// The orders in the order of the walk: outcomes, then sides, then as a taker meets them.
fn walk(exchange: &Exchange) -> Vec<OrderId> {
    queues(&exchange.state).iter().map(|order| order.id).collect()
}

fn behind(exchange: &Exchange, id: OrderId) -> OrderId {
    let walk = walk(exchange);
    let place = walk.iter().position(|other| *other == id).expect("it rests");
    walk.get(place + 1).copied().unwrap_or_default()
}

#[test]
fn a_job_begins_with_the_first_and_ends_after_the_last() {
    let mut exchange = crowd(open_market("cup"), (0..1_500).map(member));
    let mine = |id: &OrderId| exchange.state.order(*id).is_some_and(|order| order.account == AccountId(1));
    let expected: Vec<_> = walk(&exchange).into_iter().filter(mine).collect();
    let started = exchange.log.len();
    taken(&mut exchange, &only(1));
    assert_eq!(jobs(&exchange)[0].next, expected[512], "it goes on with the first that it has to take out");
    exchange.work_off();
    let went: Vec<_> =
        exchange.log[started..].iter().flat_map(|(_, events)| taken_out(events, REASON)).collect();
    assert_eq!(went, expected, "each once, in the order of the walk");
}

#[test]
fn an_order_that_is_cancelled_hands_over_to_the_one_behind() {
    let mut exchange = under_way();
    for _ in 0..5 {
        let next = jobs(&exchange)[0].next;
        let after = behind(&exchange, next);
        exchange.cancel(next.0, 0).expect("it rests");
        assert_eq!(jobs(&exchange)[0].next, after);
    }
    // Neighbours of the order that it goes on with change nothing.
    let next = jobs(&exchange)[0].next;
    let after = behind(&exchange, next);
    exchange.cancel(after.0, 0).expect("it rests");
    assert_eq!(jobs(&exchange)[0].next, next);
    exchange.work_off();
    assert!(queues(&exchange.state).iter().all(|order| order.account != AccountId(1)));
}

#[test]
fn an_order_that_is_only_reduced_stays_the_one() {
    let big = |n| NewOrder { quantity: Quantity(300), ..member(n) };
    let mut exchange = crowd(open_market("cup"), (0..1_500).map(big));
    taken(&mut exchange, &only(1));
    let next = jobs(&exchange)[0].next;
    exchange.cancel(next.0, 100).expect("it rests");
    assert_eq!(jobs(&exchange)[0].next, next);
    let (_, events) = exchange.work().expect("a step");
    assert_eq!(taken_out(&events, REASON)[0], next);
}

#[test]
fn an_order_that_is_filled_hands_over_to_the_one_behind() {
    // All on one side at one price: takers eat them from the front.
    let same = |n: u32| NewOrder { runner_id: RunnerId(2), side: Side::No, ..member(n % 5 * 30) };
    let orders = (0..2_000).map(|n| same(n).by(AccountId(if n % 1_000 < 300 { 5 } else { 1 })));
    let mut exchange = crowd(open_market("cup"), orders);
    taken(&mut exchange, &only(5));
    let next = jobs(&exchange)[0].next;
    let ahead = walk(&exchange).iter().position(|id| *id == next).expect("it rests");
    let taker = |count: usize| {
        let quantity = Quantity(i64::try_from(count).expect("few") * 100);
        NewOrder::market(RunnerId(2), Side::Yes, quantity).by(AccountId(8))
    };
    exchange.submit(taker(ahead)).expect("filled");
    assert_eq!(jobs(&exchange)[0].next, next, "all but the one that it goes on with");
    for _ in 0..3 {
        let (next, after) = (jobs(&exchange)[0].next, behind(&exchange, jobs(&exchange)[0].next));
        exchange.submit(taker(1)).expect("filled");
        assert!(exchange.state.order(next).is_none());
        assert_eq!(jobs(&exchange)[0].next, after);
    }
    // The whole book goes: the job is at its end and says so when its turn comes.
    exchange.submit(taker(2_000)).expect("filled as far as it goes");
    assert_eq!((exchange.resting(MARKET), jobs(&exchange)[0].next), (0, OrderId::NONE));
    let (_, events) = exchange.work().expect("a step");
    assert!(matches!(events[..], [Event::JobAdvanced { next: OrderId::NONE, .. }]));
    assert_eq!((jobs(&exchange).len(), exchange.work()), (0, None));
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn an_order_that_expires_hands_over_to_the_one_behind() {
    let passing = |n: u32| member(n).lasting(TimeInForce::Gtd { expiry_ms: 1_000 + u64::from(n) });
    let mut exchange = crowd(open_market("cup"), (0..1_500).map(passing));
    taken(&mut exchange, &only(1));
    let next = jobs(&exchange)[0].next;
    let mut after = next;
    exchange.now_ms = 999 + next.0;
    // Older orders expire with it; the first of the walk that does not is the one.
    while exchange.state.order(after).is_some_and(|order| order.id <= next) {
        after = behind(&exchange, after);
    }
    exchange.expire();
    assert_eq!((exchange.state.order(next), jobs(&exchange)[0].next), (None, after));
    exchange.now_ms = 9_999;
    exchange.expire();
    assert_eq!((exchange.resting(MARKET), jobs(&exchange)[0].next), (0, OrderId::NONE));
    exchange.work_off();
    assert_eq!(jobs(&exchange).len(), 0);
}

/// Both are at orders that the other takes out.
#[test]
fn two_jobs_over_the_same_orders_both_end() {
    let mut exchange = crowd(in_play_market("cup"), (0..5_000).map(member));
    taken(&mut exchange, &everything());
    taken(&mut exchange, &only(2));
    taken(&mut exchange, &go(MarketPhase::Live));
    taken(&mut exchange, &everything());
    let numbers: Vec<_> = exchange.state.jobs().map(|(number, _, _)| number).collect();
    assert_eq!(numbers.len(), 4);
    let mut ended = Vec::new();
    while let Some((_, events)) = exchange.work() {
        let cancelled = events.iter().filter(|event| matches!(event, Event::OrderCancelled(_))).count();
        assert!(cancelled <= 512);
        for event in &events {
            if let Event::JobAdvanced { job, next: OrderId::NONE } = event {
                ended.push(*job);
            }
        }
    }
    ended.sort_unstable();
    assert_eq!((ended, exchange.resting(MARKET), turning(&exchange)), (numbers, 0, false));
    let mut ledger = Ledger::default();
    exchange.log.iter().for_each(|(stamp, events)| ledger.take(stamp, events));
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn jobs_and_closing_markets_take_turns() {
    let mut exchange = crowd(open_market("cup"), (0..3_000).map(member));
    let markets = ["two", "three"].map(|key| exchange.create(open_market(key)));
    for market in markets {
        for n in 0..1_200 {
            exchange.run(market, &CommandKind::SubmitOrder(member(n))).expect("rests");
        }
    }
    let number = |exchange: &Exchange| exchange.state.sequence();
    exchange.run(markets[0], &CommandKind::CloseMarket { reason: None }).expect("it was open");
    taken(&mut exchange, &only(1));
    let first = number(&exchange);
    exchange.run(markets[1], &everything()).expect("it is open");
    let second = number(&exchange);
    taken(&mut exchange, &only(2));
    let third = number(&exchange);
    assert_eq!(exchange.state.next_work(0), Some(Work::AdvanceJob));
    assert_eq!(exchange.state.next_due_ns(), Some(exchange.state.time_ns()), "there is work now");
    // Who took each step: a job by its number, closing by 0.
    let turns: Vec<_> = std::iter::from_fn(|| exchange.work())
        .map(|(market, events)| match events.last() {
            Some(Event::JobAdvanced { job, .. }) => (market, *job),
            _ => (market, 0),
        })
        .collect();
    // Mass cancels in turn, and as long as there is one closing in between.
    let (closing, cancels) = ((markets[0], 0), [(MARKET, first), (markets[1], second), (MARKET, third)]);
    let between = [closing, cancels[0], closing, cancels[1], closing, cancels[2]];
    assert_eq!(turns, [&between[..], &cancels[..2]].concat());
    assert_eq!(exchange.state.next_due_ns(), None);
}

#[test]
fn a_market_is_not_forgotten_before_its_jobs_have_ended() {
    let limits = Limits { closed_market_ttl_ms: 1_000, ..Limits::default() };
    let mut exchange = Exchange::limited(limits);
    exchange.now_ms = 1_000;
    exchange.create(open_market("cup"));
    // Orders that expire, so that the market may be empty while the job is there.
    for n in 0..1_500 {
        exchange.submit(member(n).lasting(TimeInForce::Gtd { expiry_ms: 2_000 })).expect("rests");
    }
    taken(&mut exchange, &only(1));
    play(&mut exchange, "close => CLOSED\n remove => NotRemovable");
    exchange.now_ms = 2_000;
    exchange.expire();
    let refused = exchange.run(MARKET, &CommandKind::RemoveMarket);
    assert!(matches!(refused, Err(Rejection::NotPossible(_))), "{refused:?}");
    // Its time is over, and the job still goes first.
    let (_, events) = exchange.work().expect("a step");
    assert!(matches!(events[..], [Event::JobAdvanced { next: OrderId::NONE, .. }]), "{events:?}");
    let mut removed = exchange.clone();
    assert!(removed.run(MARKET, &CommandKind::RemoveMarket).is_ok());
    let (_, events) = exchange.work().expect("a step");
    assert_eq!(events, [Event::MarketRemoved]);
    assert_eq!(exchange.work(), None);
}

/// The last order leaves by the job's own hand, not by closing.
#[test]
fn closing_takes_over_from_jobs() {
    let mut exchange = under_way();
    taken(&mut exchange, &CommandKind::CloseMarket { reason: None });
    let closed = exchange.log.len();
    exchange.work_off();
    let after = || exchange.log[closed..].iter().flat_map(|(_, events)| events);
    assert_eq!(after().filter(|event| matches!(event, Event::JobAdvanced { .. })).count(), 1);
    let reasons =
        after().filter(|event| matches!(event, Event::OrderCancelled(order) if order.reason == REASON));
    assert_eq!(reasons.count(), 0, "what rests in a closed market is cancelled because of that");
    assert_eq!((exchange.resting(MARKET), jobs(&exchange).len()), (0, 0));
}

#[test]
fn a_crash_at_any_transaction_goes_on_where_it_was() {
    let mut whole = crowd(in_play_market("cup"), (0..5_000).map(member));
    let other = whole.create(open_market("other"));
    for n in 0..1_200 {
        whole.run(other, &CommandKind::SubmitOrder(member(n))).expect("rests");
    }
    let begun = whole.log.len();
    taken(&mut whole, &go(MarketPhase::Live));
    taken(&mut whole, &only(1));
    whole.run(other, &everything()).expect("it is open");
    let withdraw = CommandKind::RemoveRunner { runner_id: RunnerId(3), reduction: 9, reason: None };
    taken(&mut whole, &withdraw);
    whole.run(other, &CommandKind::CloseMarket { reason: None }).expect("it is open");
    let asked = whole.log.len();
    whole.work_off();
    assert!(whole.log.len() > asked + 8);
    let mut state = whole.replay(begun);
    for crash in begun..=whole.log.len() {
        // Jobs, marks and turns are in the state that the log makes.
        assert_eq!(state.digest(), whole.replay(crash).digest());
        if crash >= asked {
            let log = whole.log[..crash].to_vec();
            let mut restarted = Exchange { state: whole.replay(crash), log, ..Exchange::default() };
            restarted.work_off();
            assert_eq!(restarted.log, whole.log, "after {crash} transactions");
            assert_eq!(restarted.state.digest(), whole.state.digest());
        }
        if let Some((stamp, events)) = whole.log.get(crash) {
            state.apply(stamp, events);
        }
    }
    assert_eq!(whole.state.market(MarketId(2)).map(|market| market.resting_orders()), Some(0));
}
