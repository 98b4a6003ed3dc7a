//! What the events alone tell of the orders, and every event held against it: the rules of the house, checked
//! without looking at the book.

mod foresight;
mod life;
mod market;
mod odds;
mod order;
mod trade;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use betex_core::event::{Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp};
use betex_core::types::{AccountId, MarketId, OrderId, Price, Quantity, Side};

use self::foresight::{Looks, Next};
use self::market::Market;

#[derive(Default)]
pub(crate) struct Ledger {
    orders: BTreeMap<OrderId, Entry>,
    /// What rests, by how bad its price is for whoever meets it, then by arrival.
    queues: BTreeMap<Queue, BTreeSet<(i64, OrderId)>>,
    markets: BTreeMap<MarketId, Market>,
    client_ids: BTreeSet<(MarketId, AccountId, String)>,
    last_order_id: u64,
    sequence: u64,
    market_sequences: BTreeMap<MarketId, u64>,
    /// Direct ones.
    pub(crate) trades: u64,
    pub(crate) sets: u64,
    /// Sets before which makers were passed over.
    pub(crate) sets_after_passing_over: u64,
    /// Orders that a bound on work kept from more sets.
    pub(crate) bounded: u64,
    /// Legs of sets that left their maker a fraction of a penny beyond whole ones.
    pub(crate) fractions: u64,
    /// Legs of sets that left their maker, or their taker, nothing but dust.
    pub(crate) dust: u64,
    /// The last price, and all stakes, exact.
    pub(crate) traded: BTreeMap<(MarketId, OutcomeIndex), (Price, i128)>,
}

/// One side of an outcome's book. The second outcome of a pair is the first, seen from the other side.
type Queue = (MarketId, OutcomeIndex, Side);

/// An order, or half of one, and what the events so far have done to it.
struct Entry {
    market: MarketId,
    accepted: OrderAccepted,
    accepted_ns: u64,
    /// The smallest amount that trades directly: a penny, or a share. Less than that is dust.
    unit: i64,
    /// What it has left, exactly: 0 once it is over.
    left: i64,
    /// What left it by trades and by cancelling, in whole pennies or shares.
    filled: i64,
    cancelled: i64,
    /// Whether it may be met: from the end of its own transaction.
    rests: bool,
}

impl Entry {
    /// What it has left in whole pennies, or shares.
    const fn remaining(&self) -> i64 {
        self.left / self.unit * self.unit
    }

    /// What it has left beyond that.
    const fn fraction(&self) -> i64 {
        self.left % self.unit
    }

    /// Trades an exact stake. By how many whole pennies that reduced what it has left is what the leg says.
    fn fill(&mut self, stake: Quantity, quantity: Quantity) {
        let before = self.remaining();
        assert!(0 < stake.0 && stake.0 <= self.left, "{:?} has less than {stake} left", self.accepted);
        self.left -= stake.0;
        assert_eq!(quantity.0, before - self.remaining(), "{:?}", self.accepted);
        self.filled += quantity.0;
        self.adds_up();
    }

    /// Releases the dust of an order that is filled; answers whether there was some.
    fn release_dust(&mut self) -> bool {
        let is_dust = 0 < self.left && self.left < self.unit;
        if is_dust {
            self.left = 0;
        }
        is_dust
    }

    /// Takes out so many whole pennies, and the fraction beyond them.
    fn cancel(&mut self, quantity: Quantity) {
        self.left = self.remaining() - quantity.0;
        self.cancelled += quantity.0;
        assert!(self.left >= 0, "{:?} never had so much left", self.accepted);
        self.adds_up();
    }

    /// On the wire all amounts are whole, and add up to what was asked for.
    fn adds_up(&self) {
        let all = self.filled + self.cancelled + self.remaining();
        assert_eq!(all, self.accepted.quantity.0, "{:?}", self.accepted);
    }
}

/// The order of a transaction, on its way.
#[derive(Default)]
struct InHand {
    /// The order on a quarter line, and its further outcome.
    split: Option<(OrderAccepted, OutcomeIndex)>,
    /// The order, or the halves of it.
    parts: Vec<OrderId>,
    /// What became of each of them at its end.
    ends: Vec<End>,
    looks: Looks,
    /// The own orders that give way next, in turn.
    giving_way: VecDeque<OrderId>,
}

/// What an order, or half of one, could have met when it had met all that it did.
struct End {
    next: Next,
    direct: Option<OrderId>,
}

impl Ledger {
    /// Takes in one transaction.
    pub(crate) fn take(&mut self, stamp: &Stamp, events: &[Event]) {
        assert_eq!(stamp.sequence, self.sequence + 1, "sequence numbers have no gap");
        if let [Event::AccountRegistered { account, .. }, order, ..] = events {
            // The account of a new user, with the first order, which is of the market.
            let (Event::OrderAccepted(order) | Event::OrderSplit { order, .. }) = order else {
                panic!("an account with {order:?}")
            };
            assert_eq!(order.account, *account);
            self.sequence += 1;
            let (sequence, market_sequence) = (stamp.sequence + 1, stamp.market_sequence + 1);
            return self.take(&Stamp { sequence, market_sequence, ..*stamp }, &events[1..]);
        }
        let count = events.len() as u64;
        self.sequence += count;
        if stamp.market_id.is_some() {
            let last = self.market_sequences.entry(stamp.market_id).or_default();
            assert_eq!(stamp.market_sequence, *last + 1, "nor have a market's own");
            *last += count;
        } else {
            assert_eq!(stamp.market_sequence, 0);
        }
        match &events[0] {
            Event::OrderSplit { .. } | Event::OrderAccepted(_) => self.take_order(stamp, events),
            Event::MarketCreated(spec) => {
                self.markets.insert(stamp.market_id, Market::new(spec));
            }
            Event::MarketRemoved => {
                let removed = self.markets.remove(&stamp.market_id).expect("only what is there is removed");
                assert!(removed.jobs.is_empty());
                self.client_ids.retain(|(market, ..)| *market != stamp.market_id);
            }
            Event::LimitsSet(_) | Event::TimeSetBack { .. } | Event::AccountRegistered { .. } => {
                assert_eq!(count, 1);
            }
            _ => self.take_life(stamp, events),
        }
        self.nothing_crosses(stamp.market_id);
    }

    /// Takes in that something left the book, or never came there.
    fn cancel(&mut self, cancelled: &OrderCancelled) {
        self.unlink(cancelled.order_id);
        let entry = self.orders.get_mut(&cancelled.order_id).expect("what is cancelled was accepted");
        let accepted = &entry.accepted;
        assert_eq!((cancelled.account, cancelled.outcome), (accepted.account, accepted.outcome));
        assert_eq!((cancelled.side, cancelled.price), (accepted.side, accepted.price));
        assert_eq!(cancelled.quantity, accepted.quantity);
        let unit = entry.unit;
        assert!(cancelled.cancelled > Quantity::ZERO && cancelled.cancelled.0 % unit == 0, "{cancelled:?}");
        assert_eq!(entry.rests, !cancelled.never_rested(), "{cancelled:?}");
        entry.cancel(cancelled.cancelled);
        assert_eq!((cancelled.filled.0, cancelled.remaining.0), (entry.filled, entry.remaining()));
        let rests = entry.rests;
        self.link(cancelled.order_id, rests);
    }

    /// Takes an order out of its queue, if it is in one.
    fn unlink(&mut self, id: OrderId) {
        let entry = &self.orders[&id];
        let (queue, bad) = self.place(entry);
        if let Some(orders) = self.queues.get_mut(&queue) {
            orders.remove(&(bad, id));
        }
    }

    /// Puts an order into its queue if it rests, and something is left of it.
    fn link(&mut self, id: OrderId, rests: bool) {
        let (queue, bad) = self.place(&self.orders[&id]);
        let entry = self.orders.get_mut(&id).expect("looked up above");
        assert!(entry.left == 0 || entry.left >= entry.unit, "{id} has dust left");
        entry.rests = rests && entry.left > 0;
        if entry.rests {
            self.queues.entry(queue).or_default().insert((bad, id));
        }
    }

    /// The queue that an order is in, and how bad its price is there.
    fn place(&self, entry: &Entry) -> (Queue, i64) {
        let OrderAccepted { outcome, side, price, .. } = entry.accepted;
        let market = &self.markets[&entry.market];
        let (outcome, side, price) = market.on_its_ladder(outcome, side, price);
        let worth = market.worth(price);
        // Layers offer backers what they want to be much, backers offer layers what they want to be little.
        ((entry.market, outcome, side), if side == Side::No { -worth } else { worth })
    }

    /// What a taker for this outcome, on the other side of this one, meets.
    fn queue(&self, queue: Queue) -> impl Iterator<Item = OrderId> + '_ {
        self.queues.get(&queue).into_iter().flatten().map(|(_, id)| *id)
    }

    fn is_own(&self, taker: OrderId, maker: OrderId) -> bool {
        let account = self.orders[&taker].accepted.account;
        account != AccountId::NONE && account == self.orders[&maker].accepted.account
    }

    /// No order lays at odds at which another backs: they would have met. A pair is one ladder.
    fn nothing_crosses(&self, market: MarketId) {
        let Some(Market { spec, .. }) = self.markets.get(&market) else { return };
        for outcome in (0..).map(OutcomeIndex).take(spec.runners.len()) {
            let best = |side| self.queues.get(&(market, outcome, side)).and_then(BTreeSet::first);
            if let (Some((backed, _)), Some((laid, _))) = (best(Side::Yes), best(Side::No)) {
                assert!(-laid < *backed, "{outcome:?} is crossed");
            }
        }
    }

    /// What should rest, by id: market, account, price, filled, remaining and the fraction beyond it.
    pub(crate) fn resting(&self) -> Vec<(OrderId, MarketId, AccountId, u32, i64, i64, i64)> {
        let resting = self.orders.iter().filter(|(_, entry)| entry.rests);
        resting
            .map(|(id, entry)| {
                let OrderAccepted { account, price, .. } = entry.accepted;
                let (remaining, fraction) = (entry.remaining(), entry.fraction());
                (*id, entry.market, account, price.0, entry.filled, remaining, fraction)
            })
            .collect()
    }
}
