//! Markets: what is valid, where they may go, and that nothing of a removed one stays.

use betex_core::command::{CommandKind, NAME_BYTES_MAX, NewMarket, NewOrder, NewRunner, REASON_BYTES_MAX};
use betex_core::decide::Receipt;
use betex_core::event::{Event, Stamp};
use betex_core::reject::Rejection;
use betex_core::types::{AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, Side};

use crate::exchange::{Exchange, HOME, MARKET, open_market, remade};
use crate::script::{check, play};

#[test]
fn the_life_of_a_market() {
    let script = "
        suspend            => InvalidTransition
        a back Home 2 10   => MARKET_NOT_OPEN
        remove             => NotRemovable
        open               => OPEN
        open               => InvalidTransition
        a back Home 2 10   => #1 RESTING rests 10.00
        a back Home 3 10   => #2 RESTING rests 10.00
        suspend goal       => SUSPENDED
        suspend            => InvalidTransition
        b lay Home 2 10    => MARKET_NOT_OPEN
        a cancel 1 keep 4  => #1 RESTING rests 4.00 cancelled 6.00
        open               => OPEN
        b lay Home 2 2     => #3 FILLED 2.00@2.00#1
        remove             => NotRemovable
        close full-time    => CLOSED
        b lay Home 2 2     => MARKET_NOT_OPEN
        a cancel 1         => MarketClosed
        remove             => NotRemovable
        work               => cancelled #1 #2
        work               => nothing
        open               => InvalidTransition
        suspend            => InvalidTransition
        close              => InvalidTransition
        book Home          => empty
        remove             => REMOVED
        remove             => MarketNotFound
        a back Home 2 10   => MarketNotFound";
    let mut exchange = Exchange { suspicious: true, ..Exchange::default() };
    exchange.create(NewMarket::new("cup", ["Home", "Draw", "Away"]));
    // The last line asks for an outcome of a market that is no more.
    let (lines, _) = script.rsplit_once('\n').expect("lines");
    play(&mut exchange, lines);
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn any_market_that_is_not_closed_may_close() {
    for state in [BookMarketState::Created, BookMarketState::Open, BookMarketState::Suspended] {
        let mut exchange = Exchange::default();
        exchange.create(NewMarket { state, ..NewMarket::new("cup", ["Home", "Away"]) });
        play(&mut exchange, "close => CLOSED\n work => nothing\n remove => REMOVED");
    }
}

#[test]
fn a_reason_is_kept_and_bounded() {
    let mut exchange = check("suspend goal => SUSPENDED");
    assert_eq!(exchange.state.market(MARKET).and_then(|market| market.reason()), Some("goal"));
    let reason = |len: usize| CommandKind::OpenMarket { reason: Some("r".repeat(len).into()) };
    let (len, max) = (REASON_BYTES_MAX + 1, REASON_BYTES_MAX);
    let refused = Rejection::InvalidText { field: "reason", len, min: 0, max };
    assert_eq!(exchange.run(MARKET, &reason(len)), Err(refused));
    assert!(exchange.run(MARKET, &reason(max)).is_ok());
}

#[test]
fn a_bad_market_is_refused_with_what_is_valid() {
    let good = || NewMarket::new("cup", ["Home", "Away"]);
    let runner = |id, name: &str| NewRunner { id: RunnerId(id), name: name.into() };
    let long = || "x".repeat(NAME_BYTES_MAX + 1);
    let runners = |runners: Vec<NewRunner>| NewMarket { runners, ..good() };
    let many = |count: u64| (1..=count).map(|id| runner(id, "")).collect::<Vec<_>>();
    let step =
        |increment, min| NewMarket { increment: Quantity(increment), min_quantity: Quantity(min), ..good() };
    let mut exchange = Exchange::default();
    for (field, market) in [
        ("max_price_ticks", NewMarket::binary("cup", 1, ["Yes"])),
        ("max_price_ticks", NewMarket::binary("cup", 10_001, ["Yes"])),
        ("outcomes", runners(vec![])),
        ("outcomes", runners(vec![runner(1, "Home")])),
        ("outcomes", runners(many(257))),
        ("outcomes", runners(vec![runner(0, "Home"), runner(1, "Away")])),
        ("outcomes", runners(vec![runner(1, "Home"), runner(1, "Away")])),
        ("outcomes", runners(vec![runner(1, "Home"), runner(2, "Home")])),
        ("state", NewMarket { state: BookMarketState::Closed, ..good() }),
        ("increment", step(0, 100)),
        ("increment", step(-100, 100)),
        ("increment", step(150, 150)),
        ("increment", step(i64::MAX - i64::MAX % 100, 100)),
        ("min_quantity", step(200, 0)),
        ("min_quantity", step(200, -200)),
        ("min_quantity", step(200, 300)),
        ("min_quantity", step(200, i64::MAX - i64::MAX % 200)),
    ] {
        let kind = CommandKind::CreateMarket(Box::new(market));
        match exchange.run(MarketId::NONE, &kind) {
            Err(Rejection::InvalidMarket { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    for (field, market) in [
        ("market_id", NewMarket { key: long(), ..good() }),
        ("name", NewMarket { name: long(), ..good() }),
        ("outcomes", runners(vec![runner(1, "Home"), runner(2, &long())])),
    ] {
        let kind = CommandKind::CreateMarket(Box::new(market));
        let (len, max) = (NAME_BYTES_MAX + 1, NAME_BYTES_MAX);
        let refused = Rejection::InvalidText { field, len, min: 0, max };
        assert_eq!(exchange.run(MarketId::NONE, &kind), Err(refused));
    }
    assert_eq!(exchange.log.len(), 0);
    // At the bounds all is well.
    let name = "x".repeat(NAME_BYTES_MAX);
    exchange.create(NewMarket { key: name.clone(), name, ..runners(many(256)) });
    exchange.create(step(Quantity::MAX.0, Quantity::MAX.0));
}

#[test]
fn ids_and_keys_are_taken_once() {
    let mut exchange = Exchange::default();
    let create = |key: &str| CommandKind::CreateMarket(Box::new(open_market(key)));
    let id_of = |exchange: &Exchange, key| exchange.state.market_named(key).map(|market| market.id());
    assert!(exchange.run(MarketId(7), &create("cup")).is_ok());
    assert_eq!(exchange.run(MarketId(7), &create("final")), Err(Rejection::MarketExists("number")));
    assert_eq!(exchange.run(MarketId(8), &create("cup")), Err(Rejection::MarketExists("name")));
    assert!(matches!(
        exchange.run(MarketId(u64::MAX), &create("last")),
        Err(Rejection::InvalidMarket { field: "market_id", .. })
    ));
    assert!(exchange.run(MarketId(3), &create("early")).is_ok());
    // The next one counts on from the highest; without a key nobody clashes and nobody is found.
    assert_eq!(exchange.create(open_market("")), MarketId(8));
    assert_eq!(exchange.create(open_market("")), MarketId(9));
    assert_eq!((id_of(&exchange, "cup"), id_of(&exchange, "")), (Some(MarketId(7)), None));
    // A removed market leaves its key, but its id is not given again.
    for id in [7, 9] {
        assert!(exchange.run(MarketId(id), &CommandKind::CloseMarket { reason: None }).is_ok());
        assert!(exchange.run(MarketId(id), &CommandKind::RemoveMarket).is_ok());
    }
    assert_eq!(id_of(&exchange, "cup"), None);
    for id in [7, 9] {
        let again = exchange.run(MarketId(id), &create("again"));
        assert!(matches!(again, Err(Rejection::InvalidMarket { field: "market_id", .. })), "{again:?}");
    }
    assert_eq!(exchange.create(open_market("cup")), MarketId(10));
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn a_new_market_in_a_removed_ones_place_is_new() {
    let mut exchange = check(
        "a lay Home 2 10 id:x => #1 RESTING rests 10.00
         b back Home 2 4      => #2 FILLED 4.00@2.00#1
         close                => CLOSED
         work                 => cancelled #1
         remove               => REMOVED",
    );
    let id = exchange.create(open_market("cup"));
    let market = exchange.state.market(id).expect("the market is there");
    let home = market.outcome_of(HOME).expect("the outcome is there");
    assert_eq!((market.last_price(home), market.traded(home), market.sequence()), (None, 0, 1));
    assert_eq!(market.client_order(AccountId(1), "x"), None);
    assert_eq!(market.levels(home, Side::No).count(), 0);
    let order = NewOrder::limit(HOME, Side::No, Price(20_000), Quantity(100)).by(AccountId(1));
    let named = order.named("x".try_into().expect("an id"));
    assert!(exchange.run(id, &CommandKind::SubmitOrder(named)).is_ok());
}

#[test]
fn a_closed_market_goes_by_itself_when_its_time_is_over() {
    let limits = betex_core::limits::Limits { closed_market_ttl_ms: 1_000, ..Default::default() };
    let mut exchange = Exchange::limited(limits);
    exchange.now_ms = 5_000;
    exchange.create(open_market("cup"));
    exchange.create(open_market("next"));
    play(
        &mut exchange,
        "a back Home 2 10 => #1 RESTING rests 10.00
         close            => CLOSED
         work             => cancelled #1
         work             => nothing",
    );
    assert_eq!(exchange.state.next_due_ns(), Some(6_000_000_000));
    // Another one closes at the same time and is removed by hand: there is nothing to do about it later.
    let gone = exchange.create(open_market("gone"));
    for kind in [CommandKind::CloseMarket { reason: None }, CommandKind::RemoveMarket] {
        assert!(exchange.run(gone, &kind).is_ok());
    }
    play(&mut exchange, "at 5999 => nothing\n work => nothing\n at 6000 => nothing");
    exchange.work_off();
    assert_eq!(exchange.state.markets().count(), 1);
    assert_eq!(exchange.state.next_due_ns(), None);
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn time_that_is_set_back_is_the_time_of_everything_that_follows() {
    let limits = betex_core::limits::Limits { closed_market_ttl_ms: 1_000, ..Default::default() };
    let mut exchange = Exchange::limited(limits);
    exchange.now_ms = 500_000;
    exchange.create(open_market("cup"));
    let closed = exchange.create(open_market("closed"));
    assert!(exchange.run(closed, &CommandKind::CloseMarket { reason: None }).is_ok());
    play(
        &mut exchange,
        "a back Home 2 10            => #1 RESTING rests 10.00
         b back Home 2 10 gtd:600000 => #2 RESTING rests 10.00",
    );
    exchange.set_time_back(5_000);
    assert_eq!(exchange.state.time_ns(), 5_000_000_000);
    // Orders are older than the time, and a snapshot has them all the same.
    assert_eq!(remade(&exchange.state).digest(), exchange.state.digest());
    // A market that was closed is there for as long as if it had closed now.
    assert_eq!(exchange.state.next_due_ns(), Some(6_000_000_000));
    play(
        &mut exchange,
        "c back Home 2 10 gtd:5500 => #3 RESTING rests 10.00
         at 5500                   => expired #3
         at 6000                   => nothing",
    );
    exchange.work_off();
    assert!(exchange.state.market(closed).is_none());
    assert!(exchange.state.order(OrderId(2)).is_some());
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
#[should_panic(expected = "time runs backwards")]
fn time_is_set_back_from_where_it_is_and_alone() {
    let mut exchange = Exchange { now_ms: 5_000, ..Exchange::open() };
    exchange.create(open_market("next"));
    exchange.state.apply_next(MarketId::NONE, 1, &[Event::TimeSetBack { from_ns: 4_999 }]);
}

#[test]
fn accounts_have_one_name_and_one_id() {
    let mut exchange = Exchange::default();
    let mut register = |name: &str| exchange.run(MARKET, &CommandKind::RegisterAccount { name: name.into() });
    let account = |id| Receipt::Account(AccountId(id));
    assert_eq!(register("ann").map(|(receipt, events)| (receipt, events.len())), Ok((account(1), 1)));
    assert_eq!(register("ben").map(|(receipt, events)| (receipt, events.len())), Ok((account(2), 1)));
    assert_eq!(register("ann").map(|(receipt, events)| (receipt, events.len())), Ok((account(1), 0)));
    for len in [0, NAME_BYTES_MAX + 1] {
        let refused = Rejection::InvalidText { field: "account name", len, min: 1, max: NAME_BYTES_MAX };
        assert_eq!(register(&"x".repeat(len)), Err(refused));
    }
    assert_eq!(exchange.state.account_named("ben"), Some(AccountId(2)));
    assert_eq!(exchange.state.account_name(AccountId(2)), Some("ben"));
    assert_eq!(exchange.state.account_name(AccountId(3)), None);
    assert_eq!(exchange.state.account_name(AccountId::NONE), None);
}

#[test]
fn what_was_traded_is_told() {
    let exchange = check(
        "a lay Home 2.50 10   => #1 RESTING rests 10.00
         a lay Home 2.60 10   => #2 RESTING rests 10.00
         b back Home mkt 15   => #3 FILLED 10.00@2.60#2 5.00@2.50#1",
    );
    let market = exchange.state.market(MARKET).expect("the market is there");
    let [home, draw] = ["Home", "Draw"].map(|name| market.outcome_named(name).expect("the outcome is there"));
    assert_eq!((market.last_price(home), market.traded(home)), (Some(Price(25_000)), 150_000));
    assert_eq!((market.last_price(draw), market.traded(draw)), (None, 0));
    let level = market.level(home, Side::No, Price(25_000)).expect("the level is there");
    assert_eq!((level.quantity, level.orders), (Quantity(50_000), 1));
    for price in [26_000, 25_200, 25_100] {
        assert_eq!(market.level(home, Side::No, Price(price)), None);
    }
    let order = exchange.state.order(1.into()).expect("it rests");
    assert_eq!((order.quantity.0, order.filled.0, order.remaining.0), (100_000, 50_000, 50_000));
    assert_eq!(exchange.state.order(2.into()), None);
}

/// A journal is believed: names that no market would get today were taken once, and their market goes on, as
/// it did, without sets.
#[test]
fn a_market_with_names_of_before_is_still_there() {
    for outcomes in [["Home_0.5", "Away"], ["Over_2.25", "Under_2.25"], ["Home", "Over_2.5"]] {
        let refused = NewMarket::new("old", outcomes);
        let create = CommandKind::CreateMarket(Box::new(refused.clone()));
        let mut exchange = Exchange::default();
        assert!(matches!(exchange.run(MarketId::NONE, &create), Err(Rejection::InvalidLine(_))));
        let taken = NewMarket { synthetic: false, state: BookMarketState::Open, ..refused };
        let stamp = Stamp { market_id: MARKET, time_ns: 0, sequence: 1, market_sequence: 1 };
        exchange.state.apply(&stamp, &[Event::MarketCreated(Box::new(taken))]);
        let order = NewOrder::limit(1.into(), Side::Yes, Price(20_000), Quantity(100));
        exchange.submit(order).expect("rests");
        exchange.submit(NewOrder { side: Side::No, ..order }).expect("filled");
    }
}
