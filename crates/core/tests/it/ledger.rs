//! What somebody who sees only the events knows of the orders, and holds every event against it: the
//! rules of the house, checked without looking at the book.

use std::collections::BTreeMap;

use betex_core::event::{Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp, TradeMatched};
use betex_core::types::{AccountId, MarketId, OrderId, Price, Quantity, Side};

#[derive(Default)]
pub(crate) struct Ledger {
    orders: BTreeMap<OrderId, Entry>,
    sequence: u64,
    market_sequences: BTreeMap<MarketId, u64>,
    pub(crate) trades: u64,
    /// The last price, and all stakes.
    pub(crate) traded: BTreeMap<(MarketId, OutcomeIndex), (Price, i128)>,
}

/// An order, and what the events so far have done to it.
struct Entry {
    market: MarketId,
    accepted: OrderAccepted,
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
        let mut taker = None;
        for (place, event) in events.iter().enumerate() {
            match event {
                Event::OrderAccepted(accepted) => {
                    assert_eq!(place, 0, "an order is the first of its transaction");
                    taker = Some(accepted.order_id);
                    self.accept(stamp.market_id, accepted);
                }
                Event::TradeMatched(trade) => {
                    assert_eq!(taker, Some(trade.taker_order_id));
                    self.trade(trade);
                }
                Event::OrderCancelled(cancelled) => {
                    assert_eq!(cancelled.never_rested(), taker.is_some(), "{cancelled:?}");
                    assert!(
                        taker.is_none_or(|taker| taker == cancelled.order_id && place + 1 == events.len())
                    );
                    self.cancel(cancelled);
                }
                // Orders may be taken out because of these, and a job goes on with the rest.
                Event::MarketStatusChanged { .. }
                | Event::PhaseChanged { .. }
                | Event::RunnerRemoved { .. }
                | Event::OrdersCancelled(_) => assert_eq!(place, 0, "{event:?}"),
                Event::HoldChanged { .. } | Event::JobStarted(_) | Event::JobAdvanced { .. } => {
                    assert_eq!(taker, None);
                }
                _ => assert_eq!(count, 1),
            }
        }
        if let Some(taker) = taker {
            let entry = self.orders.get_mut(&taker).expect("it was accepted above");
            entry.rests = entry.remaining() > 0;
            assert_eq!(entry.accepted.resting.0, entry.remaining(), "resting is what rests in the end");
        }
        self.nothing_crosses(stamp.market_id);
    }

    fn accept(&mut self, market: MarketId, accepted: &OrderAccepted) {
        assert_eq!(accepted.order_id.0, self.orders.len() as u64 + 1, "order ids are counted");
        let entry = Entry { market, accepted: *accepted, filled: 0, cancelled: 0, rests: false };
        self.orders.insert(accepted.order_id, entry);
    }

    fn trade(&mut self, trade: &TradeMatched) {
        self.trades += 1;
        let quantity = trade.quantity.0;
        let (taker, maker) = (&self.orders[&trade.taker_order_id], &self.orders[&trade.maker_order_id]);
        let place = |entry: &Entry| (entry.market, entry.accepted.outcome, entry.accepted.side);
        let met = (taker.market, trade.outcome, trade.maker_side);
        assert_eq!((met, taker.accepted.outcome), (place(maker), trade.outcome));
        assert_eq!(taker.accepted.side, trade.maker_side.opposite());
        // Nobody beyond the limit: the maker gets its own price, the taker its own or a better one.
        assert_eq!(maker.accepted.price, trade.price);
        match taker.accepted.side {
            Side::Yes => assert!(trade.price >= taker.accepted.price),
            Side::No => assert!(trade.price <= taker.accepted.price),
        }
        // Nobody against themselves.
        assert!(self.may_meet(trade.taker_order_id, trade.maker_order_id), "{trade:?} is a self-trade");
        // Price, then time: nobody whom the taker may meet is in front of the maker.
        let first = self.queue(maker.market, maker).find(|id| self.may_meet(trade.taker_order_id, *id));
        assert_eq!(first, Some(trade.maker_order_id), "{trade:?} jumps the queue");
        // Money is conserved to the last quantum: the payout is exactly stake times odds.
        let exact = i128::from(quantity) * i128::from(trade.price.0);
        assert_eq!(i128::from(trade.payout.0) * 10_000, exact);
        let traded = self.traded.entry((taker.market, trade.outcome)).or_default();
        *traded = (trade.price, traded.1 + i128::from(quantity));
        assert!(quantity > 0 && quantity % 100 == 0 && trade.payout.0 > quantity);

        let taker = self.orders.get_mut(&trade.taker_order_id).expect("looked up above");
        taker.filled += quantity;
        assert!(taker.remaining() >= 0);
        let maker = self.orders.get_mut(&trade.maker_order_id).expect("looked up above");
        maker.filled += quantity;
        maker.rests = maker.remaining() > 0;
        assert_eq!(maker.accepted.account, trade.maker_account);
        assert_eq!(maker.accepted.quantity, trade.maker_quantity);
        assert_eq!(
            (maker.filled, maker.remaining()),
            (trade.maker_filled.0, trade.maker_remaining.0),
            "{trade:?}"
        );
    }

    fn cancel(&mut self, cancelled: &OrderCancelled) {
        let entry = self.orders.get_mut(&cancelled.order_id).expect("what is cancelled was accepted");
        let accepted = &entry.accepted;
        assert_eq!((cancelled.account, cancelled.outcome), (accepted.account, accepted.outcome));
        assert_eq!((cancelled.side, cancelled.price), (accepted.side, accepted.price));
        assert_eq!(cancelled.quantity, accepted.quantity);
        assert!(cancelled.cancelled > Quantity::ZERO);
        entry.cancelled += cancelled.cancelled.0;
        assert_eq!((cancelled.filled.0, cancelled.remaining.0), (entry.filled, entry.remaining()));
        entry.rests = entry.remaining() > 0;
    }

    fn may_meet(&self, taker: OrderId, maker: OrderId) -> bool {
        let account = self.orders[&taker].accepted.account;
        account == AccountId::NONE || account != self.orders[&maker].accepted.account
    }

    /// What rests on the side of this order, as a taker meets it.
    fn queue(&self, market: MarketId, like: &Entry) -> impl Iterator<Item = OrderId> + use<> {
        let (outcome, side) = (like.accepted.outcome, like.accepted.side);
        let mut queue: Vec<_> = self
            .orders
            .iter()
            .filter(|(_, entry)| entry.rests && entry.market == market)
            .filter(|(_, entry)| entry.accepted.outcome == outcome && entry.accepted.side == side)
            .map(|(id, entry)| (entry.accepted.price.0, *id))
            .collect();
        if side == Side::No {
            queue.sort_by_key(|(price, id)| (std::cmp::Reverse(*price), *id));
        } else {
            queue.sort();
        }
        queue.into_iter().map(|(_, id)| id)
    }

    /// Nobody lays at odds at which somebody backs: whoever it is, they would have met.
    fn nothing_crosses(&self, market: MarketId) {
        let mut lowest_back = BTreeMap::new();
        let mut highest_lay = BTreeMap::new();
        for entry in self.orders.values().filter(|entry| entry.rests && entry.market == market) {
            let OrderAccepted { outcome, side, price, .. } = entry.accepted;
            match side {
                Side::Yes => {
                    let best = lowest_back.entry(outcome).or_insert(price);
                    *best = price.min(*best);
                }
                Side::No => {
                    let best = highest_lay.entry(outcome).or_insert(price);
                    *best = price.max(*best);
                }
            }
        }
        for (outcome, lay) in highest_lay {
            assert!(lowest_back.get(&outcome).is_none_or(|back| lay < *back), "{outcome:?} is crossed");
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
