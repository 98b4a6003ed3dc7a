//! The matching sweep: who a taker meets, in which order, and for how much.

use super::order::Taker;
use crate::book::Order;
use crate::event::{Event, TradeMatched};
use crate::ladder::Tick;
use crate::limits::{FILLS_MAX, OWN_ORDERS_SKIPPED_MAX};
use crate::market::Market;
use crate::state::State;
use crate::types::{Money, Quantity, Side};

/// How a sweep ended.
pub(super) struct Sweep {
    /// What was not filled.
    pub(super) left: i64,
    /// Resting orders of the taker's own account that it passed over, within its limit.
    pub(super) own_orders: u32,
    /// Whether it ended at the bound on work per command.
    pub(super) limit_met: bool,
}

/// Whether a taker with this limit takes this price: backers want high odds, layers low ones.
fn within(side: Side, limit: Tick, tick: Tick) -> bool {
    match side {
        Side::Yes => tick >= limit,
        Side::No => tick <= limit,
    }
}

/// Meets resting orders, best price first, then by arrival, until the taker is filled or nothing is
/// within its limit. The trades go to `out`.
pub(super) fn sweep(state: &State, market: &Market, taker: &Taker, out: &mut Vec<Event>) -> Sweep {
    let book = market.runners[taker.outcome.index()].side(taker.side.opposite());
    let mut swept = Sweep { left: taker.quantity, own_orders: 0, limit_met: false };
    let mut fills = 0;
    let mut tick = book.best();
    while let Some(level) = tick.filter(|tick| within(taker.side, taker.limit, *tick)) {
        let mut slot = book.level(&state.store.pages, level).and_then(|level| level.first());
        while let Some(order) = slot.map(|slot| &state.store.orders[slot]) {
            if swept.left == 0 {
                return swept;
            }
            if fills == FILLS_MAX || swept.own_orders == OWN_ORDERS_SKIPPED_MAX {
                swept.limit_met = true;
                return swept;
            }
            if taker.account.is_some() && order.account == taker.account {
                swept.own_orders += 1;
            } else {
                let quantity = swept.left.min(order.remaining);
                swept.left -= quantity;
                fills += 1;
                out.push(trade(market, taker, order, quantity));
            }
            slot = order.next();
        }
        tick = book.worse_than(level);
    }
    swept
}

fn trade(market: &Market, taker: &Taker, maker: &Order, quantity: i64) -> Event {
    let price = market.spec.ladder.price(maker.tick);
    Event::TradeMatched(TradeMatched {
        taker_order_id: taker.id,
        maker_order_id: maker.id,
        maker_account: maker.account,
        outcome: taker.outcome,
        maker_side: maker.side,
        price,
        quantity: Quantity(quantity),
        maker_quantity: Quantity(maker.quantity),
        maker_filled: Quantity(maker.filled + quantity),
        maker_remaining: Quantity(maker.remaining - quantity),
        payout: Money(quantity * i64::from(price.0) / 10_000),
        leg: 0,
    })
}
