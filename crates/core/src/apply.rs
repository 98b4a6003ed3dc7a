//! Events change the state; nothing else does. Applying never refuses: what is not possible here was
//! not decided, so a failed assertion is a bug or a foreign journal, and the process must end.

mod market;
mod orders;

use self::orders::InHand;
use crate::event::{Event, OutcomeIndex, Stamp};
use crate::ladder::Tick;
use crate::market::Market;
use crate::state::State;
use crate::types::{MarketId, Price, Quantity, Side};

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
    /// Applies the next transaction, which [`decide`](crate::decide::decide()) has just made at this time, and
    /// gives it its stamp. Without events nothing happens, and the stamp is that of the next.
    ///
    /// # Panics
    /// If the transaction does not follow on this state.
    pub fn apply_next(&mut self, market_id: MarketId, now_ns: u64, events: &[Event]) -> Stamp {
        let slot = self.markets.slot(market_id);
        let market_sequence = match slot {
            Some(slot) => self.markets.get(slot).sequence + 1 - not_of_market(events),
            None => u64::from(market_id.is_some()),
        };
        let stamp = Stamp { market_id, time_ns: now_ns, sequence: self.sequence + 1, market_sequence };
        if !events.is_empty() {
            self.apply_in(slot, &stamp, events, |_, _| ());
        }
        stamp
    }

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
        after: impl FnMut(&Event, &dyn Fn() -> Option<LevelAfter>),
    ) {
        self.apply_in(self.markets.slot(stamp.market_id), stamp, events, after);
    }

    /// The same in the market of this slot, if there is one yet.
    fn apply_in(
        &mut self,
        mut slot: Option<u32>,
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
        let is_set_back = matches!(events, [Event::TimeSetBack { from_ns }] if *from_ns == self.time_ns);
        assert!(
            stamp.time_ns >= self.time_ns || is_set_back,
            "time runs backwards at transaction {}",
            stamp.sequence
        );
        self.time_ns = stamp.time_ns;
        // The order that came in, while its transaction lasts.
        let mut taker = InHand::NOBODY;
        for event in events {
            self.sequence += 1;
            let touched = match event {
                Event::LimitsSet(limits) => {
                    self.limits = *limits;
                    None
                }
                Event::TimeSetBack { .. } => {
                    // Or they would stay until the time that was is there again.
                    for (closed_ns, _) in &mut self.closed {
                        *closed_ns = stamp.time_ns.min(*closed_ns);
                    }
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
                    let slot_of = known(slot, stamp.market_id);
                    self.client_ids -= self.markets.get(slot_of).clients.entries.len() as u64;
                    self.markets.remove(slot_of);
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
                Event::OrderSplit { order, .. } => {
                    taker = self.split(known(slot, stamp.market_id), order);
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
            market.sequence += events.len() as u64 - not_of_market(events);
            let last = stamp.market_sequence + events.len() as u64 - 1;
            assert!(market.sequence == last, "market {}: event {last} after {}", market.id, market.sequence);
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

/// How many events a market's transaction begins with that do not count among the market's own.
fn not_of_market(events: &[Event]) -> u64 {
    u64::from(events.first().is_some_and(|event| !event.is_of_market()))
}

fn known(slot: Option<u32>, market: MarketId) -> u32 {
    slot.unwrap_or_else(|| panic!("an event of market {market}, which there is not"))
}
