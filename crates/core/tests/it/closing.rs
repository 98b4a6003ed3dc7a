//! Closing a market of many orders, in steps between other commands, with a crash in the middle.

use betex_core::command::{CommandKind, NewOrder};
use betex_core::event::{CancelReason, Event};
use betex_core::reject::Rejection;
use betex_core::state::Work;
use betex_core::types::{AccountId, BookMarketState, MarketId, Price, Quantity, Side, TimeInForce};

use crate::exchange::{Exchange, HOME, MARKET, open_market, queues};
use crate::ledger::Ledger;

const OTHER: MarketId = MarketId(2);

/// A market of 2,000 orders, half of them with an expiry, and another one.
fn crowded() -> Exchange {
    let mut exchange = Exchange::open();
    assert_eq!(exchange.create(open_market("other")), OTHER);
    for n in 0..2_000_u32 {
        let (side, price) = if n % 2 == 0 { (Side::Yes, 30_000) } else { (Side::No, 15_000) };
        let order = NewOrder::limit(HOME, side, Price(price + n % 5 * 500), Quantity(100)).by(AccountId(9));
        let expiry_ms = 10_000 + u64::from(n);
        let order = if n % 4 < 2 { order.lasting(TimeInForce::Gtd { expiry_ms }) } else { order };
        exchange.submit(order).expect("rests");
    }
    exchange
}

fn close(exchange: &mut Exchange, market: MarketId) {
    exchange.run(market, &CommandKind::CloseMarket { reason: None }).expect("it was open");
}

fn place(exchange: &mut Exchange, market: MarketId, side: Side) -> Result<(), Rejection> {
    let order = NewOrder::limit(HOME, side, Price(25_000), Quantity(100)).by(AccountId(side as u64 + 1));
    exchange.run(market, &CommandKind::SubmitOrder(order)).map(|_| ())
}

#[test]
fn a_crowd_goes_in_steps_between_other_commands() {
    let mut exchange = crowded();
    close(&mut exchange, MARKET);
    assert_eq!(exchange.resting(MARKET), 2_000, "closing itself touches no order");
    let mut left = 2_000;
    for step in [512, 512, 512, 464] {
        assert_eq!(exchange.state.next_work(0), Some(Work::AdvanceJob));
        assert_eq!(exchange.state.next_due_ns(), Some(exchange.state.time_ns()), "there is work now");
        // Others trade meanwhile; this market takes nothing more, and cancels by itself.
        assert_eq!(place(&mut exchange, OTHER, Side::Yes), Ok(()));
        assert_eq!(place(&mut exchange, OTHER, Side::No), Ok(()));
        assert_eq!(
            place(&mut exchange, MARKET, Side::Yes),
            Err(Rejection::MarketNotOpen(BookMarketState::Closed))
        );
        assert_eq!(exchange.cancel(2_000, 0), Err(Rejection::MarketClosed));
        let (market, events) = exchange.work().expect("there is work");
        assert_eq!((market, events.len()), (MARKET, step));
        assert!(events.iter().all(|event| matches!(
            event,
            Event::OrderCancelled(order) if order.reason == CancelReason::MarketClosed && order.remaining.0 == 0
        )));
        left -= u32::try_from(step).expect("few");
        assert_eq!(exchange.resting(MARKET), left);
    }
    assert_eq!(exchange.work(), None);
    assert_eq!(exchange.state.next_due_ns(), None);
    let mut ledger = Ledger::default();
    exchange.log.iter().for_each(|(stamp, events)| ledger.take(stamp, events));
    assert_eq!(ledger.trades, 4, "one between every two steps");
}

#[test]
fn a_crash_in_the_middle_goes_on_where_it_was() {
    let mut whole = crowded();
    close(&mut whole, MARKET);
    let closed = whole.log.len();
    whole.work_off();
    assert_eq!(whole.log.len(), closed + 4);
    for crash in closed..=whole.log.len() {
        let mut restarted =
            Exchange { state: whole.replay(crash), log: whole.log[..crash].to_vec(), ..Exchange::default() };
        restarted.work_off();
        assert_eq!(restarted.log, whole.log, "after {crash} transactions");
        assert_eq!(restarted.state.digest(), whole.state.digest());
    }
}

#[test]
fn markets_that_close_together_are_all_emptied() {
    let mut exchange = crowded();
    let third = exchange.create(open_market("third"));
    assert_eq!(place(&mut exchange, OTHER, Side::Yes), Ok(()));
    assert_eq!(place(&mut exchange, third, Side::Yes), Ok(()));
    for market in [MARKET, third, OTHER] {
        close(&mut exchange, market);
    }
    let markets: Vec<_> = std::iter::from_fn(|| exchange.work()).map(|(market, _)| market).collect();
    assert_eq!(markets, [MARKET, third, OTHER, MARKET, MARKET, MARKET], "they take turns");
    assert_eq!(queues(&exchange.state), []);
}

/// The last orders of a closing market may leave by their expiry; then nothing is left to do.
#[test]
fn orders_expire_while_their_market_is_emptied() {
    let mut exchange = crowded();
    close(&mut exchange, MARKET);
    exchange.work();
    exchange.now_ms = 60_000;
    let expired = exchange.expire();
    assert!(!expired.is_empty() && expired.len() <= 1_000);
    assert_eq!(exchange.resting(MARKET), 2_000 - 512 - u32::try_from(expired.len()).expect("few"));
    exchange.work_off();
    assert_eq!(exchange.resting(MARKET), 0);

    // Only orders with an expiry, all of them due.
    let mut exchange = Exchange::open();
    let order = NewOrder::limit(HOME, Side::Yes, Price(25_000), Quantity(100));
    exchange.submit(order.lasting(TimeInForce::Gtd { expiry_ms: 5 })).expect("rests");
    close(&mut exchange, MARKET);
    exchange.now_ms = 5;
    assert_eq!(exchange.expire().len(), 1);
    assert_eq!(exchange.state.next_work(u64::MAX), None);
    assert!(exchange.run(MARKET, &CommandKind::RemoveMarket).is_ok());
    assert_eq!(exchange.replay(exchange.log.len()).digest(), exchange.state.digest());
}

#[test]
fn an_order_that_is_due_expires_before_a_step_of_closing() {
    let mut exchange = crowded();
    close(&mut exchange, MARKET);
    assert_eq!(exchange.state.next_work(10_000_000_000), Some(Work::ExpireOrder));
    assert!(exchange.state.expiry_is_due(10_000_000_000));
    assert!(!exchange.state.expiry_is_due(9_999_999_999));
}
