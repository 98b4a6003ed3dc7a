//! An order that has passed its checks and goes looking for others.

use crate::book::Order;
use crate::event::{CancelReason, Event, SetMatched, TradeMatched};
use crate::ladder::{Ladder, Tick};
use crate::limits::{FILLS_MAX, MAKERS_LOOKED_AT_MAX, OWN_ORDERS_SKIPPED_MAX};
use crate::market::{Market, Place};
use crate::types::{AccountId, Money, OrderId, Price, Quantity, SelfTradePrevention, Side};

use super::sets::Set;

/// An order that has passed its checks: a whole one, or half of one on a quarter line.
#[derive(Clone, Copy)]
pub(super) struct Taker {
    pub(super) id: OrderId,
    pub(super) account: AccountId,
    /// Where it would rest. Its tick is the worst that it takes.
    pub(super) place: Place,
    pub(super) quantity: i64,
    pub(super) post_only: bool,
    pub(super) self_trade: SelfTradePrevention,
}

/// What a command has done so far, against the bounds on its work.
#[derive(Default)]
pub(super) struct Work {
    /// Makers' legs.
    pub(super) fills: u32,
    /// Resting orders of its own account, passed over or cancelled.
    pub(super) own_orders: u32,
    /// Makers that sets have looked at.
    pub(super) looked_at: u32,
    /// Whether a bound keeps the command from looking for more sets.
    pub(super) sets_ended: bool,
}

impl Work {
    /// Whether this command may fill, pass over or cancel no more orders.
    pub(super) const fn is_used_up(&self) -> bool {
        self.fills >= FILLS_MAX || self.own_orders >= OWN_ORDERS_SKIPPED_MAX
    }

    /// Counts so many makers as looked at, if so many may be.
    pub(super) const fn count(&mut self, makers: u32) {
        self.sets_ended |= makers > MAKERS_LOOKED_AT_MAX - self.looked_at;
        if !self.sets_ended {
            self.looked_at += makers;
        }
    }

    /// Counts one more look at so many makers, if there may be one.
    #[inline(always)]
    pub(super) const fn may_look(&mut self, makers: u32) -> bool {
        self.sets_ended |= self.looked_at + makers > MAKERS_LOOKED_AT_MAX;
        if !self.sets_ended {
            self.looked_at += makers;
        }
        !self.sets_ended
    }
}

impl Place {
    /// Whether a taker that would rest here takes this price: backers want high ticks, layers low ones.
    pub(super) fn takes(&self, tick: Tick) -> bool {
        match self.side {
            Side::Yes => tick >= self.tick,
            Side::No => tick <= self.tick,
        }
    }
}

impl Taker {
    pub(super) const fn side(&self) -> Side {
        self.place.side
    }

    /// Whether a resting order is of the same account.
    pub(super) fn owns(&self, order: &Order) -> bool {
        self.account.is_some() && order.account == self.account
    }

    /// Whether it passes a resting order over because it is of the same account.
    pub(super) fn skips(&self, order: &Order) -> bool {
        self.self_trade == SelfTradePrevention::Skip && self.owns(order)
    }

    /// A direct trade of so many whole pennies, or shares, with this maker.
    #[inline(always)]
    pub(super) fn direct(&self, market: &Market, maker: &Order, quantity: i64) -> Event {
        let price = market.spec.ladder.price(maker.tick);
        let payout = payout(market.spec.ladder, price, quantity);
        self.leg(market, maker, quantity, maker.left - quantity, payout, 0)
    }

    /// A maker's leg of a trade, after which so much of it is left.
    #[inline(always)]
    pub(super) fn leg(
        &self,
        market: &Market,
        maker: &Order,
        stake: i64,
        left: i64,
        payout: Money,
        leg: u16,
    ) -> Event {
        let ladder = market.spec.ladder;
        let (outcome, maker_side, price) = market.told(maker.place());
        let remaining = ladder.whole(left);
        Event::TradeMatched(TradeMatched {
            taker_order_id: self.id,
            maker_order_id: maker.id,
            maker_account: maker.account,
            outcome,
            maker_side,
            price,
            quantity: Quantity(ladder.whole(left + stake) - remaining),
            stake: Quantity(stake),
            maker_quantity: Quantity(maker.quantity),
            // Nothing but fills has taken from it in this command.
            maker_filled: Quantity(maker.filled + ladder.whole(maker.left) - remaining),
            maker_remaining: Quantity(remaining),
            maker_fraction: ladder.fraction(left),
            payout,
            leg,
        })
    }

    /// The taker's own leg of a set, before which it had so much left.
    pub(super) fn set(&self, ladder: Ladder, set: &Set, left: i64, makers: u16) -> Event {
        Event::SetMatched(SetMatched {
            taker_order_id: self.id,
            outcome: self.place.outcome,
            side: self.side(),
            price: set.price,
            quantity: Quantity(ladder.whole(left) - ladder.whole(left - set.stake)),
            stake: Quantity(set.stake),
            payout: set.payout,
            makers,
        })
    }

    /// An own order gives way.
    #[cold]
    pub(super) fn cancel_own(market: &Market, own: &Order, out: &mut Vec<Event>) {
        out.push(super::cancel::take_out(market, own, CancelReason::OwnOrder));
    }
}

/// What a direct trade pays if its outcome wins. Exact: odds have two decimals and stakes are whole
/// pennies; a share pays a currency unit. The largest order at the highest odds pays 10^17, as many shares
/// 10^18.
const fn payout(ladder: Ladder, price: Price, quantity: i64) -> Money {
    match ladder {
        Ladder::Classic | Ladder::Finest => Money((quantity / 100) * (price.0 / 100) as i64),
        Ladder::Binary { .. } => Money(quantity * Money::UNIT.0),
    }
}
