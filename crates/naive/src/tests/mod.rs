//! The rules, one by one.

mod amounts;
mod bounds;
mod brute;
mod dice;
mod direct;
mod flows;
mod halves;
mod life;
mod orders;
mod search;
mod sets;
mod ticks;
mod virtual_levels;

use crate::{Market, NewOrder, Side};

fn back(account: u64, odds: u32, stake: i64) -> NewOrder {
    NewOrder::limit(account, 0, Side::Back, odds, stake)
}

fn lay(account: u64, odds: u32, stake: i64) -> NewOrder {
    NewOrder::limit(account, 0, Side::Lay, odds, stake)
}

/// The same order on another outcome.
fn on(outcome: usize, order: NewOrder) -> NewOrder {
    NewOrder { outcome, ..order }
}

/// A market of two outcomes with these orders, which must have been taken.
fn market(orders: &[NewOrder]) -> Market {
    filled(Market::new(2), orders)
}

/// This market with these orders, which must have been taken.
fn filled(mut market: Market, orders: &[NewOrder]) -> Market {
    for order in orders {
        market.submit(0, order).expect("a valid order");
    }
    market
}

/// The orders that an order meets, at what price, for how much.
fn met(market: &mut Market, order: &NewOrder) -> Vec<(u64, u32, i64)> {
    let answer = market.submit(0, order).expect("a valid order");
    let legs = answer.trades.iter().flat_map(|trade| &trade.makers);
    legs.map(|leg| (leg.maker, leg.price, leg.stake)).collect()
}
