//! Fractions of a penny, which only complete sets at odds leave: dust, reducing, cancelling, and what is told
//! of them.

mod leaving;
mod reducing;

use betex_core::command::{CommandKind, MassCancel, NewMarket, NewOrder};
use betex_core::decide::Receipt;
use betex_core::event::{
    CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, SetMatched, TradeMatched,
};
use betex_core::image::Piece;
use betex_core::reject::{OrderReport, Rejection};
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketKind, MarketPhase, OrderId, OrderStatus, Price,
    Quantity, RunnerId, Side, TimeInForce,
};

use crate::exchange::{Exchange, MARKET, made_of, pieces, queues, remade};
use crate::invariants::check_events;

const HOME: u64 = 1;
const DRAW: u64 = 2;
const AWAY: u64 = 3;

/// Three outcomes, in whole pennies.
fn cup() -> NewMarket {
    let (state, kind) = (BookMarketState::Open, MarketKind::InPlayCapable);
    NewMarket { state, kind, ..NewMarket::new("cup", ["Home", "Draw", "Away"]) }
}

/// Four outcomes of two lines: the halves of -0.25 and +0.25.
fn lines() -> NewMarket {
    let state = BookMarketState::Open;
    NewMarket { state, ..NewMarket::new("lines", ["Home_0.0", "Home_-0.5", "Away_0.0", "Away_+0.5"]) }
}

fn order(account: u64, side: Side, outcome: u64, price: u32, quantity: i64) -> NewOrder {
    NewOrder::limit(RunnerId(outcome), side, Price(price), Quantity(quantity)).by(AccountId(account))
}

fn back(account: u64, outcome: u64, price: u32, quantity: i64) -> NewOrder {
    order(account, Side::Yes, outcome, price, quantity)
}

fn lay(account: u64, outcome: u64, price: u32, quantity: i64) -> NewOrder {
    order(account, Side::No, outcome, price, quantity)
}

/// The same order on the quarter line between its outcome and the next one.
fn quarter(order: NewOrder) -> NewOrder {
    NewOrder { far_runner_id: RunnerId(order.runner_id.0 + 1), ..order }
}

fn named(order: NewOrder, name: &str) -> NewOrder {
    order.named(ClientOrderId::new(name).expect("a short name"))
}

fn exchange(market: NewMarket) -> Exchange {
    let mut exchange = Exchange { suspicious: true, ..Exchange::default() };
    exchange.create(market);
    exchange
}

/// Submits an order that is taken in; answers where it stands, and with its events.
#[track_caller]
fn submit(exchange: &mut Exchange, order: NewOrder) -> (OrderReport, Vec<Event>) {
    match exchange.submit(order) {
        Ok((Receipt::Order { report, .. }, events)) => (report, events),
        other => panic!("{other:?}"),
    }
}

/// A set has left #1, on Draw, 4.8054 of 10.00 and #2, on Away, 14.9352 of 20.00.
fn with_fractions(market: NewMarket, lasting: TimeInForce) -> Exchange {
    let mut exchange = exchange(market);
    submit(&mut exchange, named(back(2, DRAW, 39_000, 100_000), "draw").lasting(lasting));
    submit(&mut exchange, named(back(3, AWAY, 40_000, 200_000), "away").lasting(lasting));
    let (report, _) = submit(&mut exchange, named(back(1, HOME, 19_000, 100_000), "home"));
    assert_eq!((report.status, report.filled), (OrderStatus::Filled, Quantity(100_000)));
    assert_eq!([left(&exchange, 1), left(&exchange, 2)], [Some((48_000, 54)), Some((149_300, 52))]);
    exchange
}

/// What a resting order has left: whole pennies, and the fraction beyond them.
fn left(exchange: &Exchange, order: u64) -> Option<(i64, u8)> {
    exchange.state.order(OrderId(order)).map(|order| (order.remaining.0, order.fraction))
}

fn accepted(events: &[Event]) -> &OrderAccepted {
    match &events[0] {
        Event::OrderAccepted(order) => order,
        other => panic!("{other:?}"),
    }
}

fn sets(events: &[Event]) -> Vec<&SetMatched> {
    let sets =
        events.iter().filter_map(|event| if let Event::SetMatched(set) = event { Some(set) } else { None });
    sets.collect()
}

fn legs(events: &[Event]) -> Vec<&TradeMatched> {
    let legs =
        events.iter().filter_map(|event| if let Event::TradeMatched(leg) = event { Some(leg) } else { None });
    legs.collect()
}

fn cancels(events: &[Event]) -> Vec<&OrderCancelled> {
    let all = events.iter();
    all.filter_map(|event| if let Event::OrderCancelled(order) = event { Some(order) } else { None })
        .collect()
}

#[test]
fn the_dust_of_a_taker_is_released() {
    let mut exchange = exchange(cup());
    submit(&mut exchange, back(2, DRAW, 39_000, 100_000));
    submit(&mut exchange, back(3, AWAY, 40_000, 200_000));
    let (report, events) = submit(&mut exchange, back(1, HOME, 19_000, 100_000));
    // One quantum less than it asked for.
    assert_eq!((sets(&events)[0].stake, sets(&events)[0].quantity), (Quantity(99_999), Quantity(100_000)));
    assert_eq!((report.status, report.remaining), (OrderStatus::Filled, Quantity::ZERO));
    assert_eq!((report.filled, report.cancelled()), (Quantity(100_000), Quantity::ZERO));
    assert_eq!((accepted(&events).resting, accepted(&events).fraction), (Quantity::ZERO, 0));
    assert_eq!((left(&exchange, 3), cancels(&events).len()), (None, 0));
    let market = exchange.state.market(MARKET).expect("it is there");
    assert_eq!([0, 1, 2].map(|outcome| market.traded(OutcomeIndex(outcome))), [99_999, 51_946, 50_648]);
    check_events(&exchange);
}

#[test]
fn the_dust_of_a_maker_is_released() {
    let mut exchange = exchange(cup());
    submit(&mut exchange, named(back(2, DRAW, 39_000, 52_000), "draw"));
    submit(&mut exchange, back(3, AWAY, 40_000, 200_000));
    let (_, events) = submit(&mut exchange, back(1, HOME, 19_000, 100_000));
    let [leg, _] = legs(&events)[..] else { panic!("two makers") };
    assert_eq!(
        (leg.stake, leg.quantity, leg.maker_filled),
        (Quantity(51_946), Quantity(52_000), Quantity(52_000))
    );
    assert_eq!((leg.maker_remaining, leg.maker_fraction), (Quantity::ZERO, 54));
    assert_eq!((left(&exchange, 1), exchange.resting(MARKET)), (None, 1));
    let market = exchange.state.market(MARKET).expect("it is there");
    assert_eq!(market.levels(OutcomeIndex(1), Side::Yes).next(), None);
    let report = market.client_order(AccountId(2), "draw").expect("it is known");
    assert_eq!((report.status, report.filled), (OrderStatus::Filled, Quantity(52_000)));
    assert_eq!(exchange.cancel(1, 0), Err(Rejection::OrderNotFound(OrderId(1))));
    check_events(&exchange);
}

/// A taker that rests with a fraction. Direct trades are whole pennies, so that the fraction is dust in the end.
#[test]
fn a_fraction_rests_and_never_trades_directly() {
    let mut exchange = exchange(cup());
    submit(&mut exchange, back(2, DRAW, 39_000, 50_000));
    submit(&mut exchange, back(3, AWAY, 40_000, 200_000));
    let (report, events) = submit(&mut exchange, back(1, HOME, 19_000, 200_000));
    assert_eq!((report.filled, report.remaining), (Quantity(96_300), Quantity(103_700)));
    assert_eq!((accepted(&events).resting, accepted(&events).fraction), (Quantity(103_700), 50));
    assert_eq!(left(&exchange, 3), Some((103_700, 50)));
    let (report, events) = submit(&mut exchange, lay(4, HOME, 19_000, 100));
    assert_eq!((report.status, left(&exchange, 3)), (OrderStatus::Filled, Some((103_600, 50))));
    assert_eq!((legs(&events)[0].maker_remaining, legs(&events)[0].maker_fraction), (Quantity(103_600), 50));
    let (report, events) = submit(&mut exchange, lay(4, HOME, 19_000, 200_000));
    assert_eq!((report.filled, report.remaining), (Quantity(103_600), Quantity(96_400)));
    assert_eq!((legs(&events)[0].quantity, legs(&events)[0].stake), (Quantity(103_600), Quantity(103_600)));
    assert_eq!((legs(&events)[0].maker_remaining, legs(&events)[0].maker_fraction), (Quantity::ZERO, 50));
    assert_eq!(left(&exchange, 3), None);
    check_events(&exchange);
}

#[test]
fn levels_add_up_whole_pennies() {
    let mut exchange = with_fractions(cup(), TimeInForce::Gtc);
    submit(&mut exchange, back(4, DRAW, 39_000, 100_000));
    // The owner of #1 passes it over.
    submit(&mut exchange, back(2, HOME, 19_000, 100_000));
    assert_eq!([left(&exchange, 1), left(&exchange, 4)], [Some((48_000, 54)); 2]);
    let market = exchange.state.market(MARKET).expect("it is there");
    let level = market.level(OutcomeIndex(1), Side::Yes, Price(39_000)).expect("two orders");
    assert_eq!((level.quantity, level.orders), (Quantity(96_000), 2));
    check_events(&exchange);
}

#[test]
fn fill_or_kill_counts_whole_pennies() {
    let fok = |min_fill| TimeInForce::Fok { min_fill: Quantity(min_fill) };
    // One quantum short of all of it.
    let mut exchange = exchange(cup());
    submit(&mut exchange, back(2, DRAW, 39_000, 100_000));
    submit(&mut exchange, back(3, AWAY, 40_000, 200_000));
    let (report, events) = submit(&mut exchange, back(1, HOME, 19_000, 100_000).lasting(fok(0)));
    assert_eq!((report.status, sets(&events)[0].stake), (OrderStatus::Filled, Quantity(99_999)));
    // What rests of the two gives 9.2505: 9.26 are filled.
    let refused = exchange.submit(back(1, HOME, 19_000, 100_000).lasting(fok(92_700)));
    assert!(matches!(refused, Err(Rejection::WouldNotFill { .. })), "{refused:?}");
    let (report, events) = submit(&mut exchange, back(1, HOME, 19_000, 100_000).lasting(fok(92_600)));
    assert_eq!((report.filled, report.cancelled()), (Quantity(92_600), Quantity(7_400)));
    assert_eq!((sets(&events)[0].stake, sets(&events)[0].quantity), (Quantity(92_505), Quantity(92_600)));
    check_events(&exchange);
}

#[test]
fn clients_are_told_whole_pennies() {
    let exchange = with_fractions(cup(), TimeInForce::Gtc);
    let market = exchange.state.market(MARKET).expect("it is there");
    let told = |account, name| {
        let report = market.client_order(AccountId(account), name).expect("it is known");
        assert_eq!(report.cancelled(), Quantity::ZERO);
        (report.status, report.filled.0, report.remaining.0)
    };
    assert_eq!(told(2, "draw"), (OrderStatus::PartiallyFilled, 52_000, 48_000));
    assert_eq!(told(3, "away"), (OrderStatus::PartiallyFilled, 50_700, 149_300));
    assert_eq!(told(1, "home"), (OrderStatus::Filled, 100_000, 0));
}

#[test]
fn an_image_keeps_fractions() {
    let mut exchange = with_fractions(cup(), TimeInForce::Gtc);
    let mut again = Exchange { state: remade(&exchange.state), ..exchange.clone() };
    assert_eq!([left(&again, 1), left(&again, 2)], [Some((48_000, 54)), Some((149_300, 52))]);
    // Another fraction is another state, and one of a whole penny is none.
    for fraction in [0, 53, 55, 99, 100, 154, u8::MAX] {
        let mut pieces = pieces(&exchange.state);
        let order = pieces.iter_mut().find_map(|piece| match piece {
            Piece::Order(order) if order.fraction == 54 => Some(order),
            _ => None,
        });
        order.expect("#1 is there").fraction = fraction;
        match made_of(pieces) {
            Ok(other) => assert!(fraction < 100 && other.digest() != exchange.state.digest(), "{fraction}"),
            Err(_) => assert!(fraction >= 100, "{fraction}"),
        }
    }
    // Both go on alike, to the last quantum.
    for exchange in [&mut exchange, &mut again] {
        let (_, events) = submit(exchange, back(1, HOME, 19_000, 100_000));
        assert_eq!(legs(&events)[0].stake, Quantity(48_054));
    }
    assert_eq!(exchange.log, again.log);
    assert_eq!(exchange.state.digest(), again.state.digest());
    // So does a replay of the log.
    let replayed = exchange.replay(exchange.log.len());
    assert_eq!(replayed.digest(), exchange.state.digest());
    assert_eq!(queues(&replayed), queues(&exchange.state));
}
