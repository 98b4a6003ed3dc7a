//! What somebody who sees only the events knows of the orders, and holds every event against it: the
//! rules of the house, checked without looking at the book.

mod foresight;
mod life;
mod market;
mod order;
mod trade;

use std::collections::{BTreeMap, BTreeSet};

use betex_core::event::{Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp};
use betex_core::types::{AccountId, MarketId, OrderId, Price, Quantity, Side};

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
    /// Sets of which the ledger knew beforehand which makers it would have, and what it would pay.
    pub(crate) foreseen: u64,
    /// The last price, and all stakes.
    pub(crate) traded: BTreeMap<(MarketId, OutcomeIndex), (Price, i128)>,
}

/// One side of an outcome's book. The second outcome of a pair is the first, seen from the other side.
type Queue = (MarketId, OutcomeIndex, Side);

/// An order, or half of one, and what the events so far have done to it.
struct Entry {
    market: MarketId,
    accepted: OrderAccepted,
    accepted_ns: u64,
    filled: i64,
    cancelled: i64,
    /// Whether it may be met: from the end of its own transaction.
    rests: bool,
}

impl Entry {
    fn remaining(&self) -> i64 {
        self.accepted.quantity.0 - self.filled - self.cancelled
    }
}

/// The order of a transaction, on its way.
#[derive(Default)]
struct InHand {
    /// The order on a quarter line, and its further outcome.
    split: Option<(OrderAccepted, OutcomeIndex)>,
    /// The order, or the halves of it.
    parts: Vec<OrderId>,
    /// Makers that sets of shares have passed over.
    passed_over: BTreeSet<OrderId>,
    /// Whether makers may have been passed over for other reasons than their size, or before own orders gave
    /// way: then what comes next cannot be foreseen.
    murky: bool,
}

impl Ledger {
    /// Takes in one transaction.
    pub(crate) fn take(&mut self, stamp: &Stamp, events: &[Event]) {
        let count = events.len() as u64;
        assert_eq!(stamp.sequence, self.sequence + 1, "sequence numbers have no gap");
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
            Event::LimitsSet(_) | Event::AccountRegistered { .. } => assert_eq!(count, 1),
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
        assert!(cancelled.cancelled > Quantity::ZERO);
        assert_eq!(entry.rests, !cancelled.never_rested(), "{cancelled:?}");
        entry.cancelled += cancelled.cancelled.0;
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
        assert!(entry.remaining() >= 0, "{id} is filled beyond what it asked for");
        entry.rests = rests && entry.remaining() > 0;
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

    /// Nobody lays at odds at which somebody backs: whoever it is, they would have met. A pair is one ladder.
    fn nothing_crosses(&self, market: MarketId) {
        let Some(Market { spec, .. }) = self.markets.get(&market) else { return };
        for outcome in (0..).map(OutcomeIndex).take(spec.runners.len()) {
            let best = |side| self.queues.get(&(market, outcome, side)).and_then(BTreeSet::first);
            if let (Some((backed, _)), Some((laid, _))) = (best(Side::Yes), best(Side::No)) {
                assert!(-laid < *backed, "{outcome:?} is crossed");
            }
        }
    }

    /// What should rest, by id: market, account, price, filled and remaining.
    pub(crate) fn resting(&self) -> Vec<(OrderId, MarketId, AccountId, u32, i64, i64)> {
        let resting = self.orders.iter().filter(|(_, entry)| entry.rests);
        resting
            .map(|(id, entry)| {
                let OrderAccepted { account, price, .. } = entry.accepted;
                (*id, entry.market, account, price.0, entry.filled, entry.remaining())
            })
            .collect()
    }
}
