//! Accounts come with the first accepted order of their user, in its transaction, and a refused order leaves
//! none.

use betex_core::command::{CommandKind, NAME_BYTES_MAX, NewMarket, NewOrder, OrderPrice, UserOrder};
use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::limits::Limits;
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderStatus, Price, Quantity, RunnerId, Side, TimeInForce,
};

use crate::exchange::{Exchange, HOME, MARKET, open_market};

fn back(quantity: i64) -> NewOrder {
    NewOrder::limit(HOME, Side::Yes, Price(30_000), Quantity(quantity))
}

type Answer = Result<(Receipt, Vec<Event>), Rejection>;

fn submit_as(exchange: &mut Exchange, user: &str, order: NewOrder) -> Answer {
    let asked = UserOrder { user: user.into(), order };
    exchange.run(MARKET, &CommandKind::SubmitOrderAs(Box::new(asked)))
}

fn suspicious(market: NewMarket) -> Exchange {
    let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::default() };
    exchange.create(market);
    exchange
}

fn registered(events: &[Event]) -> Option<(AccountId, &str)> {
    match events.first()? {
        Event::AccountRegistered { account, name } => Some((*account, name)),
        _ => None,
    }
}

#[test]
fn the_first_accepted_order_registers_its_user_in_its_transaction() {
    let mut exchange = suspicious(open_market("cup"));
    // The account that the order names is not the one that counts.
    let (_, events) = submit_as(&mut exchange, "ann", back(100).by(AccountId(77))).expect("rests");
    assert_eq!(registered(&events), Some((AccountId(1), "ann")));
    let Event::OrderAccepted(accepted) = &events[1] else { panic!("{events:?}") };
    assert_eq!((accepted.account, events.len()), (AccountId(1), 2));
    // The second order, and one of somebody who was registered, bring no account.
    exchange.run(MarketId::NONE, &CommandKind::RegisterAccount { name: "ben".into() }).expect("a name");
    for (user, account) in [("ann", 1), ("ben", 2)] {
        let (_, events) = submit_as(&mut exchange, user, back(100)).expect("rests");
        let [Event::OrderAccepted(accepted)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(accepted.account, AccountId(account));
    }
    let lay = NewOrder { side: Side::No, ..back(200) };
    let (receipt, events) = submit_as(&mut exchange, "cat", lay).expect("fills");
    let Receipt::Order { report, .. } = receipt else { panic!("{receipt:?}") };
    assert_eq!((report.status, events.len()), (OrderStatus::Filled, 4));
    assert_eq!(registered(&events), Some((AccountId(3), "cat")));
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn a_refused_order_leaves_no_account() {
    let mut exchange = suspicious(open_market("cup"));
    let resting = NewOrder { side: Side::No, ..back(100) }.by(AccountId(9));
    exchange.submit(resting).expect("rests");
    let before = (exchange.state.digest(), exchange.state.sequence());
    let fok = TimeInForce::Fok { min_fill: Quantity::ZERO };
    for order in [
        NewOrder { runner_id: RunnerId(99), ..back(100) },
        NewOrder { far_runner_id: RunnerId(2), ..back(100) },
        NewOrder { price: OrderPrice::Limit(Price(30_001)), ..back(100) },
        back(150),
        back(0),
        back(100).lasting(TimeInForce::Gtd { expiry_ms: 0 }),
        back(200).lasting(fok),
        NewOrder { post_only: true, ..back(100) },
        NewOrder { post_only: true, ..back(100).lasting(TimeInForce::Ioc) },
    ] {
        submit_as(&mut exchange, "ann", order).expect_err("it cannot be taken");
    }
    for len in [0, NAME_BYTES_MAX + 1] {
        let refused = Rejection::InvalidText { field: "account name", len, min: 1, max: NAME_BYTES_MAX };
        assert_eq!(submit_as(&mut exchange, &"x".repeat(len), back(100)), Err(refused));
    }
    exchange.run(MARKET, &CommandKind::SuspendMarket { reason: None }).expect("suspended");
    submit_as(&mut exchange, "ann", back(100)).expect_err("the market is suspended");
    exchange.run(MARKET, &CommandKind::OpenMarket { reason: None }).expect("open");
    assert_eq!(exchange.state.account_named("ann"), None);
    assert_eq!(exchange.state.sequence(), before.1 + 2);
    // The next one gets the first number: none was used up.
    let (_, events) = submit_as(&mut exchange, "ben", back(100)).expect("fills");
    assert_eq!(registered(&events), Some((AccountId(1), "ben")));
}

/// An order that is accepted and cancelled at once leaves events, and its user.
#[test]
fn an_order_that_meets_nobody_and_is_cancelled_registers_its_user() {
    let mut exchange = suspicious(open_market("cup"));
    for (user, order) in [
        ("ann", back(100).lasting(TimeInForce::Ioc)),
        ("ben", NewOrder::market(HOME, Side::Yes, Quantity(100))),
        ("cat", back(100).lasting(TimeInForce::Gtd { expiry_ms: 5 })),
    ] {
        let (_, events) = submit_as(&mut exchange, user, order).expect("accepted");
        assert_eq!(registered(&events).map(|(_, name)| name), Some(user));
    }
}

#[test]
fn in_every_kind_of_market() {
    let open = |market| NewMarket { state: BookMarketState::Open, ..market };
    let mut lines =
        suspicious(open(NewMarket::new("lines", ["Home_-0.5", "Away_+0.5", "Home_0.0", "Away_0.0"])));
    let quarter = NewOrder { runner_id: RunnerId(3), far_runner_id: RunnerId(1), ..back(200) };
    let (receipt, events) = submit_as(&mut lines, "ann", quarter).expect("rests");
    let Receipt::Order { report, .. } = receipt else { panic!("{receipt:?}") };
    assert_eq!((report.remaining, report.split, events.len()), (Quantity(200), true, 4));
    let Event::OrderSplit { order, .. } = &events[1] else { panic!("{events:?}") };
    assert_eq!((order.resting, order.account), (Quantity(200), AccountId(1)));
    let cancelled = lines.cancel(1, 0).expect("cancelled");
    assert_eq!(cancelled.1.len(), 2);
    let mut pair = suspicious(open(NewMarket::binary("pair", 100, ["YES", "NO"])));
    let buy = |runner, price| NewOrder::limit(RunnerId(runner), Side::Yes, Price(price), Quantity(10));
    submit_as(&mut pair, "ann", buy(1, 40)).expect("rests");
    let (_, events) = submit_as(&mut pair, "ben", buy(2, 60)).expect("fills");
    assert_eq!((registered(&events), events.len()), (Some((AccountId(2), "ben")), 3));
}

/// Streams promise that a market's own numbers have no gap, and an account is no event of a market.
#[test]
fn an_account_takes_no_number_of_the_market() {
    let mut exchange = suspicious(open_market("cup"));
    for user in ["ann", "ben", "ann", "cat"] {
        submit_as(&mut exchange, user, back(100)).expect("rests");
    }
    let mut expected = 1;
    for (stamp, events) in exchange.log.iter().filter(|(stamp, _)| stamp.market_id == MARKET) {
        for (number, event) in (stamp.market_sequence..).zip(events) {
            if matches!(event, Event::AccountRegistered { .. }) {
                assert_eq!(number, expected - 1);
            } else {
                assert_eq!(number, expected, "{event:?}");
                expected += 1;
            }
        }
    }
    assert_eq!(exchange.state.market(MARKET).map(|market| market.sequence()), Some(expected - 1));
}

#[test]
fn a_full_table_of_accounts_refuses_new_users_only() {
    let mut exchange = Exchange::limited(Limits { accounts: 1, ..Limits::default() });
    exchange.create(open_market("cup"));
    submit_as(&mut exchange, "ann", back(100)).expect("rests");
    let full = Err(Rejection::LimitReached { what: "users with an account", limit: 1 });
    assert_eq!(submit_as(&mut exchange, "ben", back(100)), full);
    assert!(submit_as(&mut exchange, "ann", back(100)).is_ok());
}
