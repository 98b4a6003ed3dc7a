//! Markets of more orders than one step takes out.

use betex_core::command::{CommandKind, MassCancel, NewMarket, NewOrder};
use betex_core::decide::Receipt;
use betex_core::event::{CancelReason, Event, Job};
use betex_core::types::{
    AccountId, Hold, MarketKind, MarketPhase, OrderId, Persistence, Price, Quantity, RunnerId, Side,
};

use crate::exchange::{Exchange, MARKET, open_market};

/// An open market that may go in-play.
pub(crate) fn in_play_market(key: &str) -> NewMarket {
    NewMarket { kind: MarketKind::InPlayCapable, ..open_market(key) }
}

/// The `n`th order of a crowd: of account 1 to 3, on an outcome and a side of its own, at one of five prices
/// that do not meet, every second one to lapse.
pub(crate) fn member(n: u32) -> NewOrder {
    let (side, price) = if (n / 3).is_multiple_of(2) { (Side::Yes, 30_000) } else { (Side::No, 15_000) };
    let price = Price(price + n % 5 * 500);
    let persistence = if n.is_multiple_of(2) { Persistence::Lapse } else { Persistence::Persist };
    let runner = RunnerId(u64::from(n % 3) + 1);
    let account = AccountId(u64::from(n % 7 % 3) + 1);
    NewOrder { persistence, ..NewOrder::limit(runner, side, price, Quantity(100)) }.by(account)
}

/// An exchange with one market, in which these orders rest.
pub(crate) fn crowd(market: NewMarket, orders: impl IntoIterator<Item = NewOrder>) -> Exchange {
    let mut exchange = Exchange::default();
    exchange.create(market);
    for order in orders {
        exchange.submit(order).expect("rests");
    }
    exchange
}

pub(crate) fn everything() -> CommandKind {
    CommandKind::CancelOrders(MassCancel::default())
}

pub(crate) fn only(account: u64) -> CommandKind {
    CommandKind::CancelOrders(MassCancel { account_id: AccountId(account), ..MassCancel::default() })
}

pub(crate) fn go(phase: MarketPhase) -> CommandKind {
    CommandKind::SetPhase { phase, reason: None }
}

/// The market takes this command; answers with its events.
#[track_caller]
pub(crate) fn taken(exchange: &mut Exchange, kind: &CommandKind) -> (Receipt, Vec<Event>) {
    exchange.run(MARKET, kind).expect("it is taken")
}

/// The orders that a transaction took out for this reason.
pub(crate) fn taken_out(events: &[Event], reason: CancelReason) -> Vec<OrderId> {
    let orders = events.iter().filter_map(|event| match event {
        Event::OrderCancelled(order) if order.reason == reason => Some(order.order_id),
        _ => None,
    });
    orders.collect()
}

/// The jobs there are.
pub(crate) fn jobs(exchange: &Exchange) -> Vec<Job> {
    exchange.state.jobs().map(|(_, _, job)| job).collect()
}

pub(crate) fn turning(exchange: &Exchange) -> bool {
    let market = exchange.state.market(MARKET).expect("the market is there");
    market.holds().any(|hold| hold == Hold::TurningInPlay)
}
