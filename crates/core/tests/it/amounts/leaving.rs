//! Orders that have fractions leave the book.

use super::*;

/// All that rests was taken out, in whole pennies, and nothing of it is left anywhere.
#[track_caller]
fn check_taken_out<'a>(
    exchange: &Exchange,
    events: impl Iterator<Item = &'a Event>,
    reason: CancelReason,
    status: OrderStatus,
) {
    let events: Vec<_> = events.cloned().collect();
    let mut told = cancels(&events);
    told.sort_by_key(|order| order.order_id);
    let told: Vec<_> = told
        .iter()
        .map(|order| (order.order_id.0, order.cancelled.0, order.filled.0, order.remaining.0))
        .collect();
    assert_eq!(told, [(1, 48_000, 52_000, 0), (2, 149_300, 50_700, 0)]);
    assert!(cancels(&events).iter().all(|order| order.reason == reason));
    assert_eq!((exchange.resting(MARKET), exchange.state.resting_orders()), (0, 0));
    let market = exchange.state.market(MARKET).expect("it is there");
    for outcome in [1, 2].map(OutcomeIndex) {
        assert_eq!(market.levels(outcome, Side::Yes).next(), None);
    }
    let report = market.client_order(AccountId(2), "draw").expect("it is known");
    assert_eq!((report.status, report.filled, report.remaining), (status, Quantity(52_000), Quantity::ZERO));
    assert_eq!(report.cancelled(), Quantity(48_000));
    check_events(exchange);
}

#[test]
fn whatever_takes_orders_out_releases_their_fractions() {
    use CancelReason::{Expired, Lapsed, MarketClosed, MassCancelled, Requested};
    let gtc = TimeInForce::Gtc;

    let mut exchange = with_fractions(cup(), gtc);
    let mut events = Vec::new();
    for (id, whole) in [(1, 48_000), (2, 149_300)] {
        let (receipt, cancelled) = exchange.cancel(id, 0).expect("cancelled");
        assert!(matches!(receipt, Receipt::Cancelled { cancelled, .. } if cancelled == Quantity(whole)));
        events.extend(cancelled);
    }
    check_taken_out(&exchange, events.iter(), Requested, OrderStatus::Cancelled);

    let mut exchange = with_fractions(cup(), gtc);
    let all = CommandKind::CancelOrders(MassCancel::default());
    let (receipt, events) = exchange.run(MARKET, &all).expect("cancelled");
    assert_eq!(receipt, Receipt::OrdersCancelled { orders: 2, quantity: 197_300, done: true });
    check_taken_out(&exchange, events.iter(), MassCancelled, OrderStatus::Cancelled);

    let mut exchange = with_fractions(cup(), TimeInForce::Gtd { expiry_ms: 1_000 });
    exchange.now_ms = 1_000;
    let events: Vec<_> = exchange.expire().into_iter().map(|(_, event)| event).collect();
    check_taken_out(&exchange, events.iter(), Expired, OrderStatus::Expired);

    let mut exchange = with_fractions(cup(), gtc);
    let live = CommandKind::SetPhase { phase: MarketPhase::Live, reason: None };
    let (_, events) = exchange.run(MARKET, &live).expect("live");
    exchange.work_off();
    check_taken_out(&exchange, events.iter(), Lapsed, OrderStatus::Lapsed);

    let mut exchange = with_fractions(cup(), gtc);
    let before = exchange.log.len();
    exchange.run(MARKET, &CommandKind::CloseMarket { reason: None }).expect("closed");
    exchange.work_off();
    let events = exchange.log[before..].iter().flat_map(|(_, events)| events);
    check_taken_out(&exchange, events, MarketClosed, OrderStatus::Cancelled);
}
