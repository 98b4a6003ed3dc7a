//! Bounds: what would go beyond is refused, and nothing that was there is lost.

use betex_core::command::{CommandKind, NewMarket, NewOrder, NewRunner};
use betex_core::event::Event;
use betex_core::limits::{Limits, MARKET_BYTES, OUTCOME_BYTES};
use betex_core::reject::Rejection;
use betex_core::types::{AccountId, BookMarketState, MarketId, Price, Quantity, Side, TimeInForce};

use crate::exchange::{Exchange, HOME, MARKET, open_market, queues};

fn reached(what: &'static str, limit: u64) -> Rejection {
    Rejection::LimitReached { what, limit }
}

fn back(price: u32, quantity: i64) -> NewOrder {
    NewOrder::limit(HOME, Side::Yes, Price(price), Quantity(quantity)).by(AccountId(1))
}

fn lay(price: u32, quantity: i64) -> NewOrder {
    NewOrder { side: Side::No, ..back(price, quantity) }.by(AccountId(2))
}

#[test]
fn markets_are_bounded() {
    let mut exchange = Exchange::limited(Limits { markets: 2, ..Limits::default() });
    exchange.create(open_market("one"));
    exchange.create(open_market("two"));
    let third = CommandKind::CreateMarket(Box::new(open_market("three")));
    assert_eq!(exchange.run(MarketId::NONE, &third), Err(reached("markets", 2)));
    assert!(exchange.run(MARKET, &CommandKind::CloseMarket { reason: None }).is_ok());
    assert_eq!(exchange.run(MarketId::NONE, &third), Err(reached("markets", 2)));
    assert!(exchange.run(MARKET, &CommandKind::RemoveMarket).is_ok());
    assert!(exchange.run(MarketId::NONE, &third).is_ok());
}

#[test]
fn accounts_are_bounded() {
    let mut exchange = Exchange::limited(Limits { accounts: 1, ..Limits::default() });
    let mut register = |name: &str| {
        exchange.run(MarketId::NONE, &CommandKind::RegisterAccount { name: name.into() }).map(|_| ())
    };
    assert_eq!(register("ann"), Ok(()));
    assert_eq!(register("ben"), Err(reached("users with an account", 1)));
    assert_eq!(register("ann"), Ok(()));
}

#[test]
fn resting_orders_are_bounded_over_all_markets() {
    let mut exchange = Exchange::limited(Limits { resting_orders: 2, ..Limits::default() });
    exchange.create(open_market("one"));
    let other = exchange.create(open_market("two"));
    assert!(exchange.submit(back(30_000, 100)).is_ok());
    assert!(exchange.submit(back(31_000, 100)).is_ok());
    let full = Err(reached("resting orders", 2));
    assert_eq!(exchange.submit(back(32_000, 100)), full);
    assert_eq!(exchange.run(other, &CommandKind::SubmitOrder(back(32_000, 100))), full);
    // What would not rest is welcome; what would rest in part is refused whole.
    assert!(exchange.submit(back(32_000, 100).lasting(TimeInForce::Ioc)).is_ok());
    let before = exchange.state.digest();
    assert_eq!(exchange.submit(lay(31_000, 300)), full);
    assert_eq!(exchange.state.digest(), before);
    assert!(exchange.submit(lay(31_000, 100)).is_ok());
    assert!(exchange.submit(lay(20_000, 100)).is_ok());
}

#[test]
fn client_ids_are_bounded_and_never_evicted() {
    let mut exchange = Exchange::limited(Limits { client_ids_per_market: 2, ..Limits::default() });
    exchange.create(open_market("one"));
    let other = exchange.create(open_market("two"));
    let named = |id: &str| back(30_000, 100).named(id.try_into().expect("an id"));
    assert!(exchange.submit(named("a")).is_ok());
    assert!(exchange.submit(named("b")).is_ok());
    assert!(exchange.cancel(1, 0).is_ok());
    assert_eq!(exchange.submit(named("c")), Err(reached("client order ids in one market", 2)));
    assert!(matches!(exchange.submit(named("a")), Err(Rejection::DuplicateClientId(_))));
    assert!(exchange.submit(back(30_000, 100)).is_ok());
    assert!(exchange.run(other, &CommandKind::SubmitOrder(named("c"))).is_ok());
}

#[test]
fn limits_are_part_of_the_state_and_can_be_raised() {
    let mut exchange = Exchange::limited(Limits { resting_orders: 1, ..Limits::default() });
    exchange.create(open_market("one"));
    assert!(exchange.submit(back(30_000, 100)).is_ok());
    assert_eq!(exchange.submit(back(30_000, 100)), Err(reached("resting orders", 1)));
    exchange.state = exchange.replay(exchange.log.len());
    assert_eq!(exchange.state.limits().resting_orders, 1);
    assert_eq!(exchange.submit(back(30_000, 100)), Err(reached("resting orders", 1)));
    let raised = Limits { resting_orders: 2, ..*exchange.state.limits() };
    exchange.state.apply_next(MarketId::NONE, 0, &[Event::LimitsSet(raised)]);
    assert!(exchange.submit(back(30_000, 100)).is_ok());
}

/// The total of a level is an `i64`: 92,233 of the largest orders fit, the next would overflow it.
#[test]
fn a_level_never_overflows() {
    let mut exchange = Exchange::open();
    let count = i64::MAX / Quantity::MAX.0;
    for _ in 0..count {
        exchange.submit(back(30_000, Quantity::MAX.0)).expect("rests");
    }
    let full = Err(reached("quanta resting at one price", i64::MAX.unsigned_abs()));
    assert_eq!(exchange.submit(back(30_000, Quantity::MAX.0)), full);
    let room = i64::MAX - count * Quantity::MAX.0;
    assert_eq!(exchange.submit(back(30_000, room - room % 100 + 100)), full);
    assert!(exchange.submit(back(30_000, room - room % 100)).is_ok());
    assert!(exchange.submit(back(31_000, Quantity::MAX.0)).is_ok());
    // The largest order meets another at the highest odds: the payout is exact.
    assert!(exchange.submit(back(10_000_000, Quantity::MAX.0)).is_ok());
    let (_, events) = exchange.submit(lay(30_000, Quantity::MAX.0)).expect("filled");
    let Some(Event::TradeMatched(trade)) = events.get(1) else { panic!("{events:?}") };
    assert_eq!(trade.payout.0, Quantity::MAX.0 * 3);
}

#[test]
fn the_largest_payout_fits() {
    let mut exchange = Exchange::open();
    exchange.submit(back(10_000_000, Quantity::MAX.0)).expect("rests");
    let (_, events) = exchange.submit(lay(10_000_000, Quantity::MAX.0)).expect("filled");
    let Some(Event::TradeMatched(trade)) = events.get(1) else { panic!("{events:?}") };
    assert_eq!(trade.payout.0, Quantity::MAX.0 * 1_000);
    assert_eq!(queues(&exchange.state), []);
}

/// One account uses up its own share and nobody else's.
#[test]
fn client_ids_are_bounded_per_account_and_over_all_markets() {
    let limits = Limits { client_ids_per_account: 2, client_ids: 5, ..Limits::default() };
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::limited(limits) };
    exchange.create(open_market("one"));
    let other = exchange.create(open_market("two"));
    // Orders that meet nobody leave their ids, too.
    let named = |account, id: &str| {
        let order = back(30_000, 100).by(AccountId(account)).named(id.try_into().expect("an id"));
        CommandKind::SubmitOrder(order.lasting(TimeInForce::Ioc))
    };
    for id in ["a", "b"] {
        exchange.run(MARKET, &named(1, id)).expect("accepted");
    }
    let full = Err(reached("client order ids of one user in one market", 2));
    assert_eq!(exchange.run(MARKET, &named(1, "c")), full);
    exchange.run(MARKET, &named(2, "c")).expect("it is another account");
    exchange.run(other, &named(1, "c")).expect("it is another market");
    exchange.submit(back(30_000, 100)).expect("it has no id");
    exchange.run(other, &named(1, "d")).expect("accepted");
    assert_eq!(exchange.run(other, &named(3, "e")), Err(reached("client order ids over all markets", 5)));
    assert_eq!(exchange.state.client_ids(), 5);
    // What a market remembered goes with it.
    exchange.run(other, &CommandKind::CloseMarket { reason: None }).expect("closed");
    exchange.run(other, &CommandKind::RemoveMarket).expect("removed");
    assert_eq!(exchange.state.client_ids(), 3);
    exchange.run(MARKET, &named(3, "e")).expect("there is room again");
}

#[test]
fn resting_orders_are_bounded_per_account() {
    let limits = Limits { resting_orders_per_account: 2, ..Limits::default() };
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::limited(limits) };
    exchange.create(open_market("one"));
    let other = exchange.create(open_market("two"));
    exchange.submit(back(30_000, 100)).expect("rests");
    exchange.run(other, &CommandKind::SubmitOrder(back(31_000, 100))).expect("rests");
    let full = Err(reached("resting orders of one user", 2));
    assert_eq!(exchange.submit(back(32_000, 100)), full);
    assert_eq!(exchange.submit(back(32_000, 100).by(AccountId::NONE)).map(|_| ()), Ok(()));
    exchange.submit(back(32_000, 100).lasting(TimeInForce::Ioc)).expect("it would not rest");
    // Each way out of the book makes room: filled, cancelled, reduced to nothing.
    exchange.submit(lay(30_000, 100)).expect("fills the first one");
    exchange.submit(back(32_000, 200)).expect("there is room again");
    assert_eq!(exchange.submit(back(33_000, 100)), full);
    let id = exchange.state.market(MARKET).and_then(|market| {
        let outcome = market.outcome_named("Home")?;
        market.orders(outcome, Side::Yes).find(|order| order.account == AccountId(1)).map(|order| order.id.0)
    });
    let id = id.expect("it rests");
    exchange.cancel(id, 100).expect("reduced");
    assert_eq!(exchange.submit(back(33_000, 100)), full);
    exchange.cancel(id, 0).expect("cancelled");
    exchange.submit(back(33_000, 100)).expect("there is room again");
}

/// Both halves of an order on a quarter line rest.
#[test]
fn the_halves_of_a_quarter_line_are_two_resting_orders() {
    let limits = Limits { resting_orders_per_account: 1, ..Limits::default() };
    let mut exchange = Exchange::limited(limits);
    let lines = NewMarket::new("lines", ["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0"]);
    exchange.create(NewMarket { state: BookMarketState::Open, ..lines });
    let quarter = |quantity| NewOrder { runner_id: 3.into(), far_runner_id: HOME, ..back(30_000, quantity) };
    assert_eq!(exchange.submit(quarter(200)), Err(reached("resting orders of one user", 1)));
    exchange.submit(quarter(100)).expect("nothing is left for the further half");
}

#[test]
fn accounts_are_bounded_per_market() {
    let limits = Limits { accounts_per_market: 2, ..Limits::default() };
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::limited(limits) };
    exchange.create(open_market("one"));
    let other = exchange.create(open_market("two"));
    let of = |account| back(30_000, 100).by(AccountId(account));
    let named = |account| of(account).lasting(TimeInForce::Ioc).named("a".try_into().expect("an id"));
    exchange.submit(of(1)).expect("rests");
    exchange.submit(named(2)).expect("accepted");
    let full = Err(reached("users with orders or client order ids in one market", 2));
    assert_eq!(exchange.submit(of(3)), full);
    assert_eq!(exchange.submit(named(3)), full);
    exchange.submit(of(3).lasting(TimeInForce::Ioc)).expect("it leaves nothing in the market");
    exchange.submit(of(2)).expect("it is one of the two");
    exchange.run(other, &CommandKind::SubmitOrder(of(3))).expect("it is another market");
    exchange.cancel(1, 0).expect("cancelled");
    exchange.submit(of(3)).expect("there is room again");
    assert_eq!(exchange.submit(of(1)), full);
}

#[test]
fn markets_are_bounded_in_bytes() {
    let spec = |key: &str, outcomes: usize| {
        let names = (0..outcomes).map(|outcome| format!("{outcome:0100}"));
        NewMarket { independent: true, ..NewMarket::new(key, names) }
    };
    let create = |spec| CommandKind::CreateMarket(Box::new(spec));
    let each = MARKET_BYTES + 2 + 20 * (OUTCOME_BYTES + 100);
    let limits = Limits { market_bytes: 2 * each, ..Limits::default() };
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::limited(limits) };
    let first = exchange.create(spec("a", 20));
    let second = exchange.create(spec("b", 18));
    assert_eq!(exchange.state.market_bytes(), 2 * each - 2 * (OUTCOME_BYTES + 100));
    let full = Err(reached("bytes of markets, outcomes and their names", 2 * each));
    assert_eq!(exchange.run(MarketId::NONE, &create(spec("c", 2))), full);
    let add = |count: u64| CommandKind::AddRunners {
        runners: (0..count)
            .map(|id| NewRunner { id: (id + 100).into(), name: format!("{:0100}", id + 100) })
            .collect(),
    };
    assert_eq!(exchange.run(second, &add(3)), full);
    exchange.run(second, &add(2)).expect("that is just what there is room for");
    assert_eq!(exchange.state.market_bytes(), 2 * each);
    exchange.run(first, &CommandKind::CloseMarket { reason: None }).expect("closed");
    exchange.run(first, &CommandKind::RemoveMarket).expect("removed");
    assert_eq!(exchange.state.market_bytes(), each);
    exchange.run(MarketId::NONE, &create(spec("c", 20))).expect("there is room again");
}

/// A journal of before knows of no other bounds than its own, and makes the digest that it made.
#[test]
fn bounds_that_came_later_do_not_bind_a_journal_of_before() {
    let first = Limits { markets: 7, closed_market_ttl_ms: 5, ..Limits::UNBOUNDED };
    assert!(first.are_of_the_first_version() && !Limits::default().are_of_the_first_version());
    let mut digests = Vec::new();
    for limits in [
        first,
        Limits { market_bytes: 1, ..first },
        Limits { accounts_per_market: 1, ..first },
        Limits { resting_orders_per_account: 1, ..first },
        Limits { client_ids: 1, ..first },
        Limits { client_ids_per_account: 1, ..first },
    ] {
        assert_eq!(limits.are_of_the_first_version(), limits == first);
        digests.push(Exchange::limited(limits).state.digest());
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 6);
}
