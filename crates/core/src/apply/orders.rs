//! What events do to orders: they come in, are filled, and leave.

use std::num::NonZeroU64;

use super::Touched;
use crate::book::{Links, NO_CLIENT_ID, Order};
use crate::event::{
    CancelReason, Half, OrderAccepted, OrderCancelled, OutcomeIndex, SetMatched, TradeMatched,
};
use crate::jobs::Turn;
use crate::market::{ClientEntry, Market};
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::{AccountId, BookMarketState, OrderId, Price, Quantity, TimeInForce};

impl State {
    /// An order on a quarter line came in; its halves follow.
    pub(super) fn split(&mut self, slot: u32, order: &OrderAccepted) -> InHand {
        let report = OrderReport::new(order.order_id, order.quantity, true);
        // All three ids are taken, also where the further half would be of nothing.
        self.last_order_id = order.order_id.0 + Half::Far as u64;
        self.splits.insert(order.order_id, report);
        InHand { client: self.remember(slot, order, true), whole: order.order_id }
    }

    pub(super) fn accept(
        &mut self,
        slot: u32,
        accepted: &OrderAccepted,
        in_hand: &mut InHand,
    ) -> Option<Touched> {
        if accepted.half == Half::Whole {
            self.last_order_id = accepted.order_id.0;
            *in_hand = InHand { client: self.remember(slot, accepted, false), whole: OrderId::NONE };
        }
        if accepted.resting == Quantity::ZERO {
            return None;
        }
        let market = self.markets.get_mut(slot);
        let ladder = market.spec.ladder;
        let tick = ladder.tick(accepted.price).expect("an accepted price is on the ladder");
        let place = market.place(accepted.outcome, accepted.side, tick);
        let order = Order {
            id: accepted.order_id,
            account: accepted.account,
            quantity: accepted.quantity.0,
            // Either all of the remainder rests or none of it, so what does not rest of an order that does
            // is filled.
            filled: accepted.quantity.0 - accepted.resting.0,
            left: accepted.resting.0 + i64::from(accepted.fraction),
            accepted_ns: self.time_ns,
            market: slot,
            tick: place.tick,
            client: in_hand.client,
            outcome: place.outcome,
            side: place.side,
            mirrored: place.mirrored,
            half: accepted.half,
            persistence: accepted.persistence,
            awaited: false,
            links: Links::default(),
        };
        market.resting += 1;
        market.members.rest(accepted.account);
        self.members.rest(accepted.account);
        let side = market.runners[place.outcome.index()].side_mut(place.side);
        let expiry_ms = match accepted.time_in_force.get() {
            TimeInForce::Gtd { expiry_ms } => NonZeroU64::new(expiry_ms),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok { .. } => None,
        };
        self.store.rest(side, ladder, order, expiry_ms);
        Some((place.outcome, place.side, place.tick))
    }

    /// The taker's leg of a set.
    pub(super) fn take_set(&mut self, slot: u32, set: &SetMatched, in_hand: InHand) {
        let market = self.markets.get_mut(slot);
        market.trade(set.outcome, set.price, set.stake);
        if let Some(group) = market.topology.group_mut(set.outcome) {
            group.set_traded = true;
        }
        self.note(slot, in_hand, |report| report.fill(set.quantity));
    }

    pub(super) fn fill(&mut self, slot: u32, trade: &TradeMatched, in_hand: InHand) -> Option<Touched> {
        let (order_slot, maker) = self.store.find(trade.maker_order_id).expect("a maker rests");
        if maker.awaited && trade.maker_remaining == Quantity::ZERO {
            self.jobs.hand_over(self.markets.get(slot), &mut self.store, order_slot);
        }
        let order = &mut self.store.orders[order_slot];
        order.filled += trade.quantity.0;
        let touched = (order.outcome, order.side, order.tick);
        let (maker, account) = (InHand::of(order), order.account);
        let left = trade.maker_remaining.0 + i64::from(trade.maker_fraction);
        let follows = order.filled == trade.maker_filled.0 && order.left - left == trade.stake.0;
        assert!(follows, "order {} has {} filled and {} left: {trade:?}", order.id, order.filled, order.left);
        let market = self.markets.get_mut(slot);
        let side = market.runners[touched.0.index()].side_mut(touched.1);
        let remains = trade.maker_remaining > Quantity::ZERO;
        self.store.leave(side, order_slot, left, trade.quantity.0, remains);
        if !remains {
            market.leave(account);
            self.members.leave(account);
        }
        market.trade(trade.outcome, trade.price, trade.stake);
        self.note(slot, maker, |report| report.fill(trade.quantity));
        // Of a set the taker's part was told with its own leg.
        if !trade.is_synthetic() {
            self.note(slot, in_hand, |report| report.fill(trade.quantity));
        }
        Some(touched)
    }

    pub(super) fn cancel(&mut self, slot: u32, order: &OrderCancelled, in_hand: InHand) -> Option<Touched> {
        let end = order.reason.status();
        if order.never_rested() {
            self.note(slot, in_hand, |report| report.leave(order.cancelled, end));
            return None;
        }
        let (order_slot, resting) = self.store.find(order.order_id).expect("what is cancelled rests");
        let touched = (resting.outcome, resting.side, resting.tick);
        let (owner, account) = (InHand::of(resting), resting.account);
        if resting.awaited && order.remaining == Quantity::ZERO {
            self.jobs.hand_over(self.markets.get(slot), &mut self.store, order_slot);
        }
        let market = self.markets.get_mut(slot);
        let side = market.runners[touched.0.index()].side_mut(touched.1);
        // A fraction of a penny goes with what is cancelled.
        let remains = order.remaining > Quantity::ZERO;
        self.store.leave(side, order_slot, order.remaining.0, order.cancelled.0, remains);
        if !remains {
            market.leave(account);
            self.members.leave(account);
        }
        if market.own_state == BookMarketState::Closed && market.resting == 0 {
            self.jobs.emptied(slot);
        } else if order.reason == CancelReason::MarketClosed {
            self.jobs.took_turn(Turn::Closing(slot));
        }
        self.note(slot, owner, |report| report.leave(order.cancelled, end));
        Some(touched)
    }

    /// Remembers an order's client id, if it has one; says where.
    #[inline]
    fn remember(&mut self, slot: u32, order: &OrderAccepted, split: bool) -> u32 {
        let Some(id) = order.client_order_id else { return NO_CLIENT_ID };
        let report = OrderReport::new(order.order_id, order.quantity, split);
        self.client_ids += 1;
        self.markets.get_mut(slot).remember(ClientEntry { account: order.account, id, report })
    }

    /// Notes what has become of an order, wherever somebody may ask for it.
    #[inline(always)]
    fn note(&mut self, slot: u32, order: InHand, change: impl Fn(&mut OrderReport)) {
        if order.client != NO_CLIENT_ID {
            change(&mut self.markets.get_mut(slot).clients.entries[order.client as usize].report);
        }
        if order.whole.is_some()
            && let Some(report) = self.splits.get_mut(&order.whole)
        {
            change(report);
            if report.remaining == Quantity::ZERO {
                self.splits.remove(&order.whole);
            }
        }
    }
}

/// Where it is noted what becomes of an order.
#[derive(Clone, Copy)]
pub(super) struct InHand {
    /// Its client order id, or [`NO_CLIENT_ID`].
    client: u32,
    /// The order that it is half of.
    whole: OrderId,
}

impl InHand {
    pub(super) const NOBODY: Self = Self { client: NO_CLIENT_ID, whole: OrderId::NONE };

    fn of(order: &Order) -> Self {
        let whole = if order.half == Half::Whole { OrderId::NONE } else { order.half.whole_of(order.id) };
        Self { client: order.client, whole }
    }
}

impl Market {
    /// An order of this account rests no more.
    fn leave(&mut self, account: AccountId) {
        self.resting -= 1;
        self.members.leave(account);
    }

    /// Notes a trade on an outcome; on a pair it is one on the other, too.
    fn trade(&mut self, outcome: OutcomeIndex, price: Price, quantity: Quantity) {
        let runner = &mut self.runners[outcome.index()];
        runner.last_price = Some(price);
        runner.traded += i128::from(quantity.0);
        if self.topology.pair {
            let ladder = self.spec.ladder;
            let tick = ladder.tick(price).expect("a traded price is on the ladder");
            let runner = &mut self.runners[1 - outcome.index()];
            runner.last_price = Some(ladder.price(ladder.mirrored(tick)));
            runner.traded += i128::from(quantity.0);
        }
    }
}
