//! What the levels of a market held at some point of the past, and what each event made of them: for
//! streams that begin in the journal.

use std::collections::BTreeMap;

use betex_core::LevelAfter;
use betex_core::event::{Event, OutcomeIndex};
use betex_core::types::{Price, Quantity, Side};
use betex_core::view::MarketView;

use crate::wire::terms::Terms;

/// What the levels of a market hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Where two outcomes are one ladder: only those of the first.
    levels: BTreeMap<Level, Held>,
    /// The ticks of a currency unit, where two outcomes are one ladder.
    paired: Option<u32>,
}

type Level = (OutcomeIndex, Side, Price);

/// The first and the second outcome of a pair.
const PAIR: [OutcomeIndex; 2] = [OutcomeIndex(0), OutcomeIndex(1)];

/// Signed, since on the way back things are taken out before they are put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    quantity: i64,
    orders: i64,
}

impl Levels {
    /// As they are now.
    pub(crate) fn of(market: &MarketView<'_>) -> Self {
        let paired = Terms::of(market.spec().ladder).max_ticks().filter(|_| market.is_mirror(PAIR[1]));
        let mut levels = BTreeMap::new();
        let outcomes = if paired.is_some() { 1 } else { market.spec().runners.len() };
        for outcome in (0..).take(outcomes).map(OutcomeIndex) {
            for side in [Side::Yes, Side::No] {
                levels.extend(market.levels(outcome, side).map(|level| {
                    let held = Held { quantity: level.quantity.0, orders: i64::from(level.orders) };
                    ((outcome, side, level.price), held)
                }));
            }
        }
        Self { levels, paired }
    }

    /// Of a market in which nothing rests.
    pub(crate) fn empty(paired: Option<u32>) -> Self {
        Self { levels: BTreeMap::new(), paired }
    }

    /// As if the event had not happened. The order in which events are taken back does not matter.
    pub(crate) fn take_back(&mut self, event: &Event) {
        if let Some((level, change)) = change(event) {
            self.add(self.first(level), Held { quantity: -change.quantity, orders: -change.orders });
        }
    }

    /// As the event makes them; and what the level then holds that it touched, if it touched one.
    pub(crate) fn apply(&mut self, event: &Event) -> Option<LevelAfter> {
        let (level, change) = change(event)?;
        let level = self.first(level);
        let held = self.add(level, change);
        let (outcome, side, price) = level;
        let orders = u32::try_from(held.orders).unwrap_or(0);
        let mirror = self.paired.map(|max| mirrored(level, max));
        Some(LevelAfter { outcome, side, price, quantity: Quantity(held.quantity), orders, mirror })
    }

    /// The level as it looks from the first outcome of a pair.
    fn first(&self, level: Level) -> Level {
        match self.paired {
            Some(max) if level.0 == PAIR[1] => mirrored(level, max),
            _ => level,
        }
    }

    fn add(&mut self, level: Level, change: Held) -> Held {
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

/// A level of a pair, as it looks from the other outcome: to buy the one is to sell the other.
fn mirrored((outcome, side, price): Level, max: u32) -> Level {
    let other = if outcome == PAIR[0] { PAIR[1] } else { PAIR[0] };
    (other, side.opposite(), Price(max.saturating_sub(price.0)))
}

/// Which level an event touches, and how. Levels add whole pennies, so they change by quantities and not by
/// exact stakes; an order leaves its level with the last whole penny, whatever fraction is left of it.
fn change(event: &Event) -> Option<(Level, Held)> {
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

#[cfg(test)]
mod tests {
    use betex_core::event::TradeMatched;
    use betex_core::types::{AccountId, Money, OrderId};

    use super::*;

    fn fill(outcome: u16, maker_side: Side, price: u32, quantity: i64, remaining: i64) -> Event {
        Event::TradeMatched(TradeMatched {
            taker_order_id: OrderId(9),
            maker_order_id: OrderId(1),
            maker_account: AccountId(1),
            outcome: OutcomeIndex(outcome),
            maker_side,
            price: Price(price),
            quantity: Quantity(quantity),
            stake: Quantity(quantity),
            maker_quantity: Quantity(10),
            maker_filled: Quantity(10 - remaining),
            maker_remaining: Quantity(remaining),
            maker_fraction: 0,
            payout: Money(quantity * 10_000),
            leg: 0,
        })
    }

    #[test]
    fn the_two_outcomes_of_a_pair_share_their_levels() {
        let mut levels = Levels { paired: Some(100), ..Levels::default() };
        let (no, yes) = (fill(1, Side::Yes, 45, 4, 0), fill(0, Side::No, 55, 3, 7));
        levels.take_back(&no);
        levels.take_back(&yes);
        let expected = |quantity, orders| LevelAfter {
            outcome: OutcomeIndex(0),
            side: Side::No,
            price: Price(55),
            quantity: Quantity(quantity),
            orders,
            mirror: Some((OutcomeIndex(1), Side::Yes, Price(45))),
        };
        assert_eq!(levels.apply(&no), Some(expected(3, 0)));
        assert_eq!(levels.apply(&yes), Some(expected(0, 0)));
        assert!(levels.levels.is_empty());
    }

    /// A leg at odds: its quantity, its exact stake, and what it leaves.
    fn leg(quantity: i64, stake: i64, remaining: i64, fraction: u8) -> Event {
        let Event::TradeMatched(plain) = fill(0, Side::Yes, 34_000, quantity, remaining) else {
            unreachable!("a fill is a trade")
        };
        let stake = Quantity(stake);
        Event::TradeMatched(TradeMatched { stake, maker_fraction: fraction, leg: 1, ..plain })
    }

    #[test]
    fn levels_change_by_whole_pennies_and_orders_leave_with_the_last_one() {
        let mut levels = Levels::default();
        // Three pennies: first half a penny, then less than the other half, then all but dust.
        let legs = [leg(100, 50, 200, 50), leg(0, 40, 200, 10), leg(200, 150, 0, 60)];
        legs.iter().for_each(|leg| levels.take_back(leg));
        let held = legs.each_ref().map(|leg| levels.apply(leg).map(|after| (after.quantity.0, after.orders)));
        assert_eq!(held, [Some((200, 1)), Some((200, 1)), Some((0, 0))]);
        assert!(levels.levels.is_empty());
    }
}
