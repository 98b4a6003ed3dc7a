//! Bounds: what would go beyond is refused, and nothing that was there is lost.

use betex_core::command::{CommandKind, NewOrder};
use betex_core::event::Event;
use betex_core::limits::Limits;
use betex_core::reject::Rejection;
use betex_core::types::{AccountId, MarketId, Price, Quantity, Side, TimeInForce};

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
    assert_eq!(register("ben"), Err(reached("accounts", 1)));
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
