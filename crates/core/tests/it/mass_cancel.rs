//! Mass cancels: which orders go, and what is refused.

use betex_core::command::{CommandKind, MassCancel, NewMarket, NewOrder, OrderPrice};
use betex_core::decide::Receipt;
use betex_core::event::{CancelReason, Event, OrderFilter, OutcomeIndex};
use betex_core::limits::{MASS_CANCELS_MAX, MASS_CANCELS_PER_MARKET_MAX, ORDERS_SEEN_PER_STEP_MAX};
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, MarketKind, MarketPhase, OrderId, Price, Quantity, RunnerId, Side,
};

use crate::crowd::{crowd, everything, go, jobs, member, only, taken, taken_out};
use crate::exchange::{Exchange, MARKET, open_market};
use crate::script::{check, play};

const ORDERS: &str = "
    at 10                 => nothing
    a back Home 3 10      => #1 RESTING rests 10.00
    b back Home 2 10 id:x => #2 RESTING rests 10.00
    at 20                 => nothing
    a lay Draw 2 10       => #3 RESTING rests 10.00
    b lay Draw 2 5        => #4 RESTING rests 5.00
    at 30                 => nothing
    a back Away 2 10      => #5 RESTING rests 10.00
    - back Away 2 10      => #6 RESTING rests 10.00
    c lay Away 2 4        => #7 FILLED 4.00@2.00#5";

#[test]
fn every_part_of_the_filter_restricts() {
    for (asked, answer) in [
        ("- mass", "6 for 51.00, cancelled #2 #1 #3 #4 #5 #6"),
        ("a mass", "3 for 26.00, cancelled #1 #3 #5"),
        ("z mass", "0 for 0.00"),
        ("- mass Home", "2 for 20.00, cancelled #2 #1"),
        ("b mass Draw", "1 for 5.00, cancelled #4"),
        ("- mass from:20", "4 for 31.00, cancelled #3 #4 #5 #6"),
        ("- mass until:20", "2 for 20.00, cancelled #2 #1"),
        ("- mass from:20 until:30", "2 for 15.00, cancelled #3 #4"),
        ("a mass Away from:30 until:31", "1 for 6.00, cancelled #5"),
        ("a mass Away from:31", "0 for 0.00"),
        ("- mass Nobody", "INVALID_OUTCOME"),
        ("- mass from:20 until:20", "InvalidField"),
        ("- mass from:21 until:20", "InvalidField"),
    ] {
        check(&format!(
            "{ORDERS}\n {asked} => {answer}\n {asked} => {}",
            match answer {
                refused if refused.starts_with('I') => refused,
                _ => "0 for 0.00",
            }
        ));
    }
}

#[test]
fn it_says_what_was_asked_before_what_goes() {
    let mut exchange = check(ORDERS);
    let asked =
        MassCancel { account_id: AccountId(1), runner_id: RunnerId(3), from_ns: 5, until_ns: 1 << 60 };
    let (receipt, events) = taken(&mut exchange, &CommandKind::CancelOrders(asked));
    let filter = OrderFilter {
        account: AccountId(1),
        outcome: Some(OutcomeIndex(2)),
        from_ns: 5,
        until_ns: 1 << 60,
        ..OrderFilter::all(CancelReason::MassCancelled)
    };
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 1, quantity: 60_000, done: true });
    assert_eq!((events.len(), &events[0]), (2, &Event::OrdersCancelled(filter)));
    assert_eq!(taken_out(&events, CancelReason::MassCancelled), [OrderId(5)]);
}

#[test]
fn a_market_that_is_not_closed_takes_it() {
    check(
        "a back Home 2 10    => #1 RESTING rests 10.00
         suspend             => SUSPENDED
         hold halted         => SUSPENDED
         a mass              => 1 for 10.00, cancelled #1
         a cancel 1          => OrderNotFound
         close               => CLOSED
         a mass              => MarketClosed",
    );
}

/// What rests on a removed outcome may still be on its way out.
#[test]
fn a_removed_outcome_may_be_named() {
    check(
        "a back Home 2 10    => #1 RESTING rests 10.00
         withdraw Home 0     => WITHDRAWN, cancelled #1
         - mass Home         => 0 for 0.00
         a back Home 2 10    => INVALID_OUTCOME",
    );
}

#[test]
fn orders_that_come_later_are_not_touched() {
    let mut exchange = crowd(open_market("cup"), (0..1_500).map(member));
    let (receipt, events) = taken(&mut exchange, &everything());
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 512, quantity: 51_200, done: false });
    assert!(matches!(&events[..], [Event::OrdersCancelled(_), .., Event::JobStarted(job)]
        if events.len() == 514 && job.last_order_id == OrderId(1_500)));
    // Better, worse and equal prices, on outcomes that the job has passed and on others.
    let late: Vec<_> =
        (0..60).map(|n| exchange.submit(member(n)).map(|_| OrderId(1_501 + u64::from(n)))).collect();
    exchange.work_off();
    let left: Vec<_> = late.into_iter().collect::<Result<_, _>>().expect("they rest");
    assert_eq!(exchange.resting(MARKET), 60);
    assert!(left.iter().all(|id| exchange.state.order(*id).is_some()));
    let mut ids: Vec<_> =
        exchange.log.iter().flat_map(|(_, e)| taken_out(e, CancelReason::MassCancelled)).collect();
    ids.sort();
    assert!(ids.into_iter().eq((1..=1_500).map(OrderId)), "each once");
}

/// Nothing of account 9 is among 5,000 orders: so many are looked at in a step, and no more.
#[test]
fn a_step_looks_at_a_bounded_number() {
    let mut exchange = crowd(open_market("cup"), (0..5_000).map(member));
    let (receipt, events) = taken(&mut exchange, &only(9));
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 0, quantity: 0, done: false });
    assert!(matches!(events[..], [Event::OrdersCancelled(_), Event::JobStarted(_)]));
    // The walk is best price first, so it is not the order of the ids.
    let walk: Vec<_> = crate::exchange::queues(&exchange.state);
    assert_eq!(jobs(&exchange)[0].next, walk[ORDERS_SEEN_PER_STEP_MAX as usize].id);
    let (_, events) = exchange.work().expect("a step");
    assert!(matches!(events[..], [Event::JobAdvanced { next: OrderId::NONE, .. }]), "{events:?}");
    assert_eq!((exchange.work(), exchange.resting(MARKET)), (None, 5_000));
    // Exactly as many as a step may look at are done at once.
    let mut exchange = crowd(open_market("cup"), (0..ORDERS_SEEN_PER_STEP_MAX).map(member));
    let (receipt, _) = taken(&mut exchange, &only(9));
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 0, quantity: 0, done: true });
    // So are 512 that fit, with others behind them that do not.
    let mine = (0..512).map(|n| member(n).by(AccountId(9)));
    let mut exchange = crowd(open_market("cup"), mine.chain((0..512).map(member)));
    let (receipt, events) = taken(&mut exchange, &only(9));
    assert_eq!((events.len(), exchange.resting(MARKET)), (513, 512));
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 512, quantity: 51_200, done: true });
}

#[test]
fn five_thousand_orders_are_ten_steps() {
    let mut exchange = crowd(open_market("cup"), (0..5_000).map(member));
    taken(&mut exchange, &everything());
    let steps: Vec<_> = std::iter::from_fn(|| exchange.work())
        .map(|(_, events)| taken_out(&events, CancelReason::MassCancelled).len())
        .collect();
    assert_eq!(steps, [512, 512, 512, 512, 512, 512, 512, 512, 392]);
    assert_eq!(exchange.resting(MARKET), 0);
}

/// Mass cancels that wait are bounded; what needs no waiting, and what operators need done, goes on.
#[test]
fn mass_cancels_are_bounded_and_keep_no_operator_waiting() {
    let market = NewMarket { kind: MarketKind::InPlayCapable, ..open_market("cup") };
    let mut exchange = crowd(market, (0..6_000).map(member));
    for account in 0..MASS_CANCELS_PER_MARKET_MAX as u64 {
        taken(&mut exchange, &only(10 + account));
    }
    assert_eq!(jobs(&exchange).len(), MASS_CANCELS_PER_MARKET_MAX);
    let (what, limit) = ("mass cancels under way in one market", MASS_CANCELS_PER_MARKET_MAX as u64);
    let before = exchange.state.digest();
    assert_eq!(exchange.run(MARKET, &only(9)), Err(Rejection::LimitReached { what, limit }));
    assert_eq!(exchange.state.digest(), before);
    // One that needs no second step.
    let few = MassCancel { from_ns: 1 << 60, runner_id: RunnerId(1), ..MassCancel::default() };
    taken(&mut exchange, &CommandKind::CancelOrders(few));
    // Going live and removing an outcome start jobs of their own, and these have every second turn.
    let withdraw = CommandKind::RemoveRunner { runner_id: RunnerId(1), reduction: 0, reason: None };
    taken(&mut exchange, &withdraw);
    taken(&mut exchange, &go(MarketPhase::Live));
    let (mut steps, mut own) = (0, 0);
    while exchange.state.market(MARKET).expect("it is there").holds().next().is_some() {
        let (_, events) = exchange.work().expect("there is a job");
        steps += 1;
        own += u32::from(events.iter().any(|event| {
            matches!(event, Event::OrderCancelled(order) if order.reason != CancelReason::MassCancelled)
        }));
    }
    assert!(steps <= 2 * own + 2, "{steps} steps, of which {own} were for the market's own jobs");
    play(&mut exchange, "close => CLOSED");
    exchange.work_off();
    assert_eq!((jobs(&exchange).len(), exchange.resting(MARKET)), (0, 0));
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

/// So many markets at once that there is no room for one more mass cancel in any.
#[test]
fn mass_cancels_are_bounded_over_all_markets() {
    let mut exchange = Exchange::default();
    let markets = MASS_CANCELS_MAX / MASS_CANCELS_PER_MARKET_MAX;
    let ids = (1..=markets as u64 + 1).map(MarketId);
    for market in ids.clone() {
        exchange.create(open_market(&market.to_string()));
        for order in (0..ORDERS_SEEN_PER_STEP_MAX + 2).map(member) {
            exchange.run(market, &CommandKind::SubmitOrder(order)).expect("rests");
        }
    }
    let nobody = |account: usize| only(10 + account as u64);
    for market in ids.clone().take(markets) {
        for account in 0..MASS_CANCELS_PER_MARKET_MAX {
            exchange.run(market, &nobody(account)).expect("there is room");
        }
    }
    assert_eq!(jobs(&exchange).len(), MASS_CANCELS_MAX);
    let last = MarketId(markets as u64 + 1);
    let (what, limit) = ("mass cancels under way", MASS_CANCELS_MAX as u64);
    assert_eq!(exchange.run(last, &nobody(0)), Err(Rejection::LimitReached { what, limit }));
    // Closing always may, and has the next turn.
    exchange.run(last, &CommandKind::CloseMarket { reason: None }).expect("closing is no mass cancel");
    exchange.work().expect("there is work");
    let (market, _) = exchange.work().expect("there is more");
    assert_eq!(market, last);
    // Each looks at the rest with its second step, and ends.
    while jobs(&exchange).len() == MASS_CANCELS_MAX {
        exchange.work().expect("there is a job");
    }
    let first = MarketId(1);
    exchange.run(first, &nobody(0)).expect("there is room again");
}

/// YES and NO are one ladder: the book of either outcome shows the orders of both, so either name takes all four.
#[test]
fn either_outcome_of_a_pair_may_be_named() {
    let market = || NewMarket { state: BookMarketState::Open, ..NewMarket::binary("", 100, ["Yes", "No"]) };
    let buy = |runner| NewOrder::limit(RunnerId(runner), Side::Yes, Price(40), Quantity(10));
    let sell = |runner| NewOrder { side: Side::No, ..buy(runner) };
    for runner in [1, 2] {
        let mut exchange = Exchange::default();
        exchange.create(market());
        for order in [buy(1), buy(2)] {
            exchange.submit(order).expect("rests");
        }
        for order in [sell(2), sell(1)] {
            let order = NewOrder { price: OrderPrice::Limit(Price(70)), ..order };
            exchange.submit(order).expect("rests");
        }
        let asked = MassCancel { runner_id: RunnerId(runner), ..MassCancel::default() };
        let (_, events) = taken(&mut exchange, &CommandKind::CancelOrders(asked));
        let mut cancelled = taken_out(&events, CancelReason::MassCancelled);
        cancelled.sort();
        assert_eq!(cancelled, [1, 2, 3, 4].map(OrderId));
    }
}

#[test]
fn nothing_is_cancelled_in_other_markets() {
    let mut exchange = Exchange::open();
    let other = exchange.create(open_market("other"));
    for market in [MARKET, other] {
        assert!(exchange.run(market, &CommandKind::SubmitOrder(member(0))).is_ok());
    }
    taken(&mut exchange, &everything());
    assert_eq!((exchange.resting(MARKET), exchange.resting(other)), (0, 1));
}

/// A mass cancel that finds nothing is no event, so that nobody can fill the journal with them.
#[test]
fn where_nothing_fits_nothing_has_happened() {
    let mut exchange = check(ORDERS);
    let before = (exchange.state.digest(), exchange.log.len());
    play(&mut exchange, "z mass => 0 for 0.00");
    assert_eq!((exchange.state.digest(), exchange.log.len()), before);
}
