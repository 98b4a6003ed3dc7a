//! Events change the state; nothing else does. Applying never refuses: what is not possible here was
//! not decided, so a failed assertion is a bug or a foreign journal, and the process must end.

use std::num::NonZeroU64;

use crate::book::{Links, NO_CLIENT_ID, Order};
use crate::event::{
    Event, Half, OrderAccepted, OrderCancelled, OrderSplit, OutcomeIndex, SetMatched, Stamp, TradeMatched,
};
use crate::ladder::Tick;
use crate::market::{ClientEntry, Market};
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::{BookMarketState, MarketId, OrderId, Price, Quantity, Side, TimeInForce};

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
        // The order that came in, while its transaction lasts.
        let mut taker = InHand::NOBODY;
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
                Event::MarketStatusChanged { to, reason } => {
                    self.change_status(known(slot, stamp.market_id), *to, reason.as_deref());
                    None
                }
                Event::MarketRemoved => {
                    self.markets.remove(known(slot, stamp.market_id));
                    self.last_removed_id = self.last_removed_id.max(stamp.market_id.0);
                    self.closed.retain(|(_, id)| *id != stamp.market_id);
                    slot = None;
                    None
                }
                Event::HoldChanged { .. }
                | Event::PhaseChanged { .. }
                | Event::RunnersAdded(_)
                | Event::RunnerRemoved { .. }
                | Event::TradesVoided { .. }
                | Event::OrdersCancelled(_)
                | Event::JobStarted(_)
                | Event::JobAdvanced { .. } => panic!("not written yet"),
                Event::OrderSplit(split) => {
                    taker = self.split(known(slot, stamp.market_id), split);
                    None
                }
                Event::SetMatched(set) => {
                    self.take_set(known(slot, stamp.market_id), set, taker);
                    None
                }
                Event::OrderAccepted(order) => self.accept(known(slot, stamp.market_id), order, &mut taker),
                Event::TradeMatched(trade) => self.fill(known(slot, stamp.market_id), trade, taker),
                Event::OrderCancelled(order) => self.cancel(known(slot, stamp.market_id), order, taker),
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

    fn change_status(&mut self, slot: u32, to: BookMarketState, reason: Option<&str>) {
        let market = self.markets.get_mut(slot);
        market.own_state = to;
        market.reason = reason.map(Into::into);
        if to == BookMarketState::Closed {
            self.closed.push_back((self.time_ns, market.id));
            if market.resting > 0 {
                self.closing.push_back(slot);
            }
        }
    }

    /// An order on a quarter line came in; its halves follow.
    fn split(&mut self, slot: u32, split: &OrderSplit) -> InHand {
        let order = &split.order;
        let report = OrderReport::new(order.order_id, order.quantity, true);
        // All three ids are taken, also where the further half would be of nothing.
        self.last_order_id = order.order_id.0 + Half::Far as u64;
        self.splits.insert(order.order_id, report);
        InHand { client: self.markets.get_mut(slot).remember(order, report), whole: order.order_id }
    }

    fn accept(&mut self, slot: u32, accepted: &OrderAccepted, in_hand: &mut InHand) -> Option<Touched> {
        let market = self.markets.get_mut(slot);
        if accepted.half == Half::Whole {
            self.last_order_id = accepted.order_id.0;
            let report = OrderReport::new(accepted.order_id, accepted.quantity, false);
            *in_hand = InHand { client: market.remember(accepted, report), whole: OrderId::NONE };
        }
        if accepted.resting == Quantity::ZERO {
            return None;
        }
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
            remaining: accepted.resting.0,
            expiry_ms: match accepted.time_in_force {
                TimeInForce::Gtd { expiry_ms } => NonZeroU64::new(expiry_ms),
                TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok { .. } => None,
            },
            market: slot,
            tick: place.tick,
            client: in_hand.client,
            outcome: place.outcome,
            side: place.side,
            mirrored: place.mirrored,
            half: accepted.half,
            persistence: accepted.persistence,
            links: Links::default(),
        };
        market.resting += 1;
        let side = market.runners[place.outcome.index()].side_mut(place.side);
        self.store.rest(side, ladder.len(), order);
        Some((place.outcome, place.side, place.tick))
    }

    /// The taker's leg of a set.
    fn take_set(&mut self, slot: u32, set: &SetMatched, in_hand: InHand) {
        let market = self.markets.get_mut(slot);
        market.trade(set.outcome, set.price, set.quantity);
        if let Some(group) = market.topology.group_mut(set.outcome) {
            group.set_traded = true;
        }
        self.note(slot, in_hand, |report| report.fill(set.quantity));
    }

    fn fill(&mut self, slot: u32, trade: &TradeMatched, in_hand: InHand) -> Option<Touched> {
        let (order_slot, _) = self.store.find(trade.maker_order_id).expect("a maker rests");
        let order = &mut self.store.orders[order_slot];
        order.filled += trade.quantity.0;
        let touched = (order.outcome, order.side, order.tick);
        let maker = InHand::of(order);
        assert!(order.filled == trade.maker_filled.0, "order {} has {} filled", order.id, order.filled);
        let market = self.markets.get_mut(slot);
        let side = market.runners[touched.0.index()].side_mut(touched.1);
        self.store.take(side, order_slot, trade.quantity.0);
        market.resting -= u32::from(trade.maker_remaining == Quantity::ZERO);
        market.trade(trade.outcome, trade.price, trade.quantity);
        self.note(slot, maker, |report| report.fill(trade.quantity));
        // Of a set the taker's part was told with its own leg.
        if !trade.is_synthetic() {
            self.note(slot, in_hand, |report| report.fill(trade.quantity));
        }
        Some(touched)
    }

    fn cancel(&mut self, slot: u32, order: &OrderCancelled, in_hand: InHand) -> Option<Touched> {
        let end = order.reason.status();
        if order.never_rested() {
            self.note(slot, in_hand, |report| report.leave(order.cancelled, end));
            return None;
        }
        let (order_slot, resting) = self.store.find(order.order_id).expect("what is cancelled rests");
        let touched = (resting.outcome, resting.side, resting.tick);
        let owner = InHand::of(resting);
        let market = self.markets.get_mut(slot);
        let side = market.runners[touched.0.index()].side_mut(touched.1);
        self.store.take(side, order_slot, order.cancelled.0);
        market.resting -= u32::from(order.remaining == Quantity::ZERO);
        if market.own_state == BookMarketState::Closed && market.resting == 0 {
            self.closing.retain(|closing| *closing != slot);
        }
        self.note(slot, owner, |report| report.leave(order.cancelled, end));
        Some(touched)
    }

    /// Notes what has become of an order, wherever somebody may ask for it.
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

    fn level_after(&self, slot: u32, (outcome, side, tick): Touched) -> LevelAfter {
        let market = self.markets.get(slot);
        let ladder = market.spec.ladder;
        let level = market.runners[outcome.index()].side(side).level(&self.store.pages, tick);
        let (quantity, orders) = level.map_or((0, 0), |level| (level.total, level.count));
        LevelAfter {
            outcome,
            side,
            price: ladder.price(tick),
            quantity: Quantity(quantity),
            orders,
            mirror: market
                .topology
                .pair
                .then(|| (OutcomeIndex(1), side.opposite(), ladder.price(ladder.mirrored(tick)))),
        }
    }
}

/// Where it is noted what becomes of an order.
#[derive(Clone, Copy)]
struct InHand {
    /// Its client order id, or [`NO_CLIENT_ID`].
    client: u32,
    /// The order that it is half of.
    whole: OrderId,
}

impl InHand {
    const NOBODY: Self = Self { client: NO_CLIENT_ID, whole: OrderId::NONE };

    fn of(order: &Order) -> Self {
        let whole = if order.half == Half::Whole { OrderId::NONE } else { order.half.whole_of(order.id) };
        Self { client: order.client, whole }
    }
}

impl Market {
    /// Remembers an order's client id, if it has one; says where.
    fn remember(&mut self, order: &OrderAccepted, report: OrderReport) -> u32 {
        let entry = |id| ClientEntry { account: order.account, id, report };
        order.client_order_id.map_or(NO_CLIENT_ID, |id| self.clients.insert(entry(id)))
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

fn known(slot: Option<u32>, market: MarketId) -> u32 {
    slot.unwrap_or_else(|| panic!("an event of market {market}, which there is not"))
}
