//! What the levels of a market held at some point of the past, and what each event made of them: for
//! streams that begin in the journal.

use std::collections::BTreeMap;

use betex_core::LevelAfter;
use betex_core::event::{Event, OutcomeIndex};
use betex_core::types::{Price, Quantity, Side};
use betex_core::view::MarketView;

/// What the levels of a market hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    levels: BTreeMap<(OutcomeIndex, Side, Price), Held>,
}

/// Signed, since on the way back things are taken out before they are put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    quantity: i64,
    orders: i64,
}

impl Levels {
    /// As they are now.
    pub(crate) fn of(market: &MarketView<'_>) -> Self {
        let mut levels = BTreeMap::new();
        for outcome in (0..).take(market.spec().runners.len()).map(OutcomeIndex) {
            for side in [Side::Yes, Side::No] {
                levels.extend(market.levels(outcome, side).map(|level| {
                    let held = Held { quantity: level.quantity.0, orders: i64::from(level.orders) };
                    ((outcome, side, level.price), held)
                }));
            }
        }
        Self { levels }
    }

    /// As if the event had not happened. The order in which events are taken back does not matter.
    pub(crate) fn take_back(&mut self, event: &Event) {
        if let Some((level, change)) = change(event) {
            self.add(level, Held { quantity: -change.quantity, orders: -change.orders });
        }
    }

    /// As the event makes them; and what the level then holds that it touched, if it touched one.
    pub(crate) fn apply(&mut self, event: &Event) -> Option<LevelAfter> {
        let (level, change) = change(event)?;
        let held = self.add(level, change);
        let (outcome, side, price) = level;
        let orders = u32::try_from(held.orders).unwrap_or(0);
        Some(LevelAfter { outcome, side, price, quantity: Quantity(held.quantity), orders })
    }

    fn add(&mut self, level: (OutcomeIndex, Side, Price), change: Held) -> Held {
        let held = self.levels.entry(level).or_default();
        held.quantity += change.quantity;
        held.orders += change.orders;
        let after = *held;
        if after == Held::default() {
            self.levels.remove(&level);
        }
        after
    }
}

/// Which level an event touches, and how.
fn change(event: &Event) -> Option<((OutcomeIndex, Side, Price), Held)> {
    let leaves = |remaining: Quantity| i64::from(remaining == Quantity::ZERO);
    match event {
        Event::OrderAccepted(order) if order.resting > Quantity::ZERO => {
            let level = (order.outcome, order.side, order.price);
            Some((level, Held { quantity: order.resting.0, orders: 1 }))
        }
        Event::TradeMatched(trade) => {
            let level = (trade.outcome, trade.maker_side, trade.price);
            Some((level, Held { quantity: -trade.quantity.0, orders: -leaves(trade.maker_remaining) }))
        }
        Event::OrderCancelled(order) if !order.never_rested() => {
            let level = (order.outcome, order.side, order.price);
            Some((level, Held { quantity: -order.cancelled.0, orders: -leaves(order.remaining) }))
        }
        _ => None,
    }
}
