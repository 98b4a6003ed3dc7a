//! Events change the state; nothing else does. Applying never refuses: what is not possible here was
//! not decided, so a failed assertion is a bug or a foreign journal, and the process must end.

mod market;

use std::num::NonZeroU64;

use crate::book::{Links, NO_CLIENT_ID, Order};
use crate::event::{CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp, TradeMatched};
use crate::jobs::Turn;
use crate::ladder::Tick;
use crate::market::{ClientEntry, Market};
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::{BookMarketState, MarketId, OrderStatus, Price, Quantity, Side, TimeInForce};

/// What a level holds after an event touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelAfter {
    /// The outcome.
    pub outcome: OutcomeIndex,
    /// The side of the resting orders.
    pub side: Side,
    /// The price.
    pub price: Price,
    /// The sum of what rests; 0: the level is gone.
    pub quantity: Quantity,
    /// How many orders rest.
    pub orders: u32,
    /// Where YES and NO are one ladder: the same level as it looks from the other outcome.
    pub mirror: Option<(OutcomeIndex, Side, Price)>,
}

/// The level that an event touched.
type Touched = (OutcomeIndex, Side, Tick);

impl State {
    /// Applies one whole transaction.
    ///
    /// # Panics
    /// If the transaction does not follow on this state.
    pub fn apply(&mut self, stamp: &Stamp, events: &[Event]) {
        self.apply_each(stamp, events, |_, _| ());
    }

    /// Applies one whole transaction and lets `after` see, event by event, what became of the level
    /// that it touched.
    ///
    /// # Panics
    /// If the transaction does not follow on this state.
    pub fn apply_each(
        &mut self,
        stamp: &Stamp,
        events: &[Event],
        mut after: impl FnMut(&Event, &dyn Fn() -> Option<LevelAfter>),
    ) {
        assert!(
            stamp.sequence == self.sequence + 1,
            "transaction {} after {}",
            stamp.sequence,
            self.sequence
        );
        assert!(stamp.time_ns >= self.time_ns, "time runs backwards at transaction {}", stamp.sequence);
        self.time_ns = stamp.time_ns;
        let mut slot = self.markets.slot(stamp.market_id);
        // The client id of the order that came in, while its transaction lasts.
        let mut taker_client = NO_CLIENT_ID;
        for event in events {
            self.sequence += 1;
            let touched = match event {
                Event::LimitsSet(limits) => {
                    self.limits = *limits;
                    None
                }
                Event::AccountRegistered { account, name } => {
                    assert!(*account == self.accounts.next(), "account {account} registered out of turn");
                    self.accounts.insert(name);
                    None
                }
                Event::MarketCreated(spec) => {
                    assert!(slot.is_none(), "market {} created twice", stamp.market_id);
                    self.last_market_id = self.last_market_id.max(stamp.market_id.0);
                    self.markets.insert(Market::new(stamp.market_id, (**spec).clone()));
                    slot = self.markets.slot(stamp.market_id);
                    None
                }
                Event::MarketRemoved => {
                    self.markets.remove(known(slot, stamp.market_id));
                    self.last_removed_id = self.last_removed_id.max(stamp.market_id.0);
                    self.closed.retain(|(_, id)| *id != stamp.market_id);
                    slot = None;
                    None
                }
                Event::MarketStatusChanged { .. }
                | Event::HoldChanged { .. }
                | Event::PhaseChanged { .. }
                | Event::RunnersAdded(_)
                | Event::RunnerRemoved { .. }
                | Event::TradesVoided { .. }
                | Event::OrdersCancelled(_)
                | Event::JobStarted(_)
                | Event::JobAdvanced { .. } => {
                    self.apply_to_market(known(slot, stamp.market_id), event);
                    None
                }
                Event::OrderSplit(_) | Event::SetMatched(_) => panic!("not written yet"),
                Event::OrderAccepted(order) => {
                    self.accept(known(slot, stamp.market_id), order, &mut taker_client)
                }
                Event::TradeMatched(trade) => self.fill(known(slot, stamp.market_id), trade, taker_client),
                Event::OrderCancelled(order) => {
                    self.cancel(known(slot, stamp.market_id), order, taker_client)
                }
            };
            after(event, &|| touched.zip(slot).map(|(touched, slot)| self.level_after(slot, touched)));
        }
        if let Some(slot) = slot {
            let market = self.markets.get_mut(slot);
            market.sequence += events.len() as u64;
            let last = stamp.market_sequence + events.len() as u64 - 1;
            assert!(market.sequence == last, "market {}: event {last} after {}", market.id, market.sequence);
        }
    }

    fn accept(&mut self, slot: u32, accepted: &OrderAccepted, taker_client: &mut u32) -> Option<Touched> {
        self.last_order_id = accepted.order_id.0;
        let rests = accepted.resting > Quantity::ZERO;
        // Either all of the remainder rests or none of it, so what does not rest of an order that does
        // is filled. Otherwise the fills follow.
        let filled = if rests { accepted.quantity.0 - accepted.resting.0 } else { 0 };
        let market = self.markets.get_mut(slot);
        *taker_client = NO_CLIENT_ID;
        if let Some(id) = accepted.client_order_id {
            let report = OrderReport {
                order_id: accepted.order_id,
                status: OrderStatus::of(Quantity(filled), accepted.resting, OrderStatus::Cancelled),
                quantity: accepted.quantity,
                filled: Quantity(filled),
                remaining: accepted.resting,
                split: false,
            };
            *taker_client = market.clients.insert(ClientEntry { account: accepted.account, id, report });
        }
        if !rests {
            return None;
        }
        let order = Order {
            id: accepted.order_id,
            account: accepted.account,
            quantity: accepted.quantity.0,
            filled,
            remaining: accepted.resting.0,
            expiry_ms: match accepted.time_in_force {
                TimeInForce::Gtd { expiry_ms } => NonZeroU64::new(expiry_ms),
                TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok { .. } => None,
            },
            accepted_ns: self.time_ns,
            market: slot,
            tick: market.spec.ladder.tick(accepted.price).expect("an accepted price is on the ladder"),
            client: *taker_client,
            outcome: accepted.outcome,
            side: accepted.side,
            persistence: accepted.persistence,
            awaited: false,
            links: Links::default(),
        };
        // The client's record of an order that rests is complete: its fills below are counted already.
        *taker_client = NO_CLIENT_ID;
        let touched = (order.outcome, order.side, order.tick);
        let ladder = market.spec.ladder;
        market.resting += 1;
        let side = market.runners[accepted.outcome.index()].side_mut(accepted.side);
        self.store.rest(side, ladder.len(), order);
        Some(touched)
    }

    fn fill(&mut self, slot: u32, trade: &TradeMatched, taker_client: u32) -> Option<Touched> {
        let market = self.markets.get_mut(slot);
        if taker_client != NO_CLIENT_ID {
            let report = &mut market.clients.entries[taker_client as usize].report;
            report.filled.0 += trade.quantity.0;
            let all = report.filled == report.quantity;
            report.status = if all { OrderStatus::Filled } else { OrderStatus::Cancelled };
        }
        let (order_slot, maker) = self.store.find(trade.maker_order_id).expect("a maker rests");
        if maker.awaited && trade.maker_remaining == Quantity::ZERO {
            self.jobs.hand_over(market, &mut self.store, order_slot);
        }
        let runner = &mut market.runners[trade.outcome.index()];
        runner.last_price = Some(trade.price);
        runner.traded += i128::from(trade.quantity.0);
        let order = &mut self.store.orders[order_slot];
        order.filled += trade.quantity.0;
        let (filled, tick, client) = (order.filled, order.tick, order.client);
        assert!(filled == trade.maker_filled.0, "order {} has {filled} filled", trade.maker_order_id);
        self.store.take(runner.side_mut(trade.maker_side), order_slot, trade.quantity.0);
        market.resting -= u32::from(trade.maker_remaining == Quantity::ZERO);
        market.note(client, trade.maker_filled, trade.maker_remaining, OrderStatus::Filled);
        Some((trade.outcome, trade.maker_side, tick))
    }

    fn cancel(&mut self, slot: u32, order: &OrderCancelled, taker_client: u32) -> Option<Touched> {
        let market = self.markets.get_mut(slot);
        if order.never_rested() {
            market.note(taker_client, order.filled, Quantity::ZERO, OrderStatus::Cancelled);
            return None;
        }
        let (order_slot, resting) = self.store.find(order.order_id).expect("what is cancelled rests");
        let (tick, client) = (resting.tick, resting.client);
        if resting.awaited && order.remaining == Quantity::ZERO {
            self.jobs.hand_over(market, &mut self.store, order_slot);
        }
        let side = market.runners[order.outcome.index()].side_mut(order.side);
        self.store.take(side, order_slot, order.cancelled.0);
        market.resting -= u32::from(order.remaining == Quantity::ZERO);
        market.note(client, order.filled, order.remaining, order.reason.status());
        if market.own_state == BookMarketState::Closed && market.resting == 0 {
            self.jobs.emptied(slot);
        } else if order.reason == CancelReason::MarketClosed {
            self.jobs.took_turn(Turn::Closing(slot));
        }
        Some((order.outcome, order.side, tick))
    }

    fn level_after(&self, slot: u32, (outcome, side, tick): Touched) -> LevelAfter {
        let market = self.markets.get(slot);
        let level = market.runners[outcome.index()].side(side).level(&self.store.pages, tick);
        let (quantity, orders) = level.map_or((0, 0), |level| (level.total, level.count));
        LevelAfter {
            outcome,
            side,
            price: market.spec.ladder.price(tick),
            quantity: Quantity(quantity),
            orders,
            mirror: None,
        }
    }
}

impl Market {
    /// Notes what an order has filled and left, and whether it has left the book.
    fn note(&mut self, client: u32, filled: Quantity, remaining: Quantity, end: OrderStatus) {
        if client != NO_CLIENT_ID {
            let report = &mut self.clients.entries[client as usize].report;
            (report.filled, report.remaining) = (filled, remaining);
            report.status = OrderStatus::of(filled, remaining, end);
        }
    }
}

fn known(slot: Option<u32>, market: MarketId) -> u32 {
    slot.unwrap_or_else(|| panic!("an event of market {market}, which there is not"))
}
