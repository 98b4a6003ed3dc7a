//! What a stream tells of amounts, checked event by event: that quantities are what exact stakes leave, in whole
//! pennies, and that legs add up.

use std::collections::{BTreeMap, BTreeSet};

use betex_proto::v1::market_update::Update;
use betex_proto::v1::{MarketUpdate, MatchEvent, OrderUpdateEvent};

use crate::trading::Replica;

/// An order as its updates and its legs tell of it.
#[derive(Clone, Debug)]
struct Told {
    last: OrderUpdateEvent,
    /// Quantities and exact stakes of its legs so far.
    legs: u64,
    stakes: i64,
    /// What reductions have released: whole, and exactly.
    reduced: u64,
    released: i64,
    /// Its last leg as a maker.
    met_at: u64,
    /// Whether it is an order on a quarter line, of which only its halves rest.
    split: bool,
}

impl Told {
    /// How much of a stake is one of a quantity.
    fn unit(&self) -> i64 {
        if self.last.ticks > 0 { 1 } else { 100 }
    }

    /// What it has left exactly, dust included.
    fn exact(&self) -> i64 {
        i64::try_from(self.last.quantity).unwrap() * self.unit() - self.stakes - self.released
    }

    fn rests(&self) -> bool {
        self.last.remaining_quantity > 0 && !self.split
    }

    /// The last update against the legs so far.
    fn check(&self) {
        let (said, unit, exact) = (&self.last, self.unit(), self.exact());
        assert_eq!(said.filled_quantity, self.legs, "{self:?}");
        match said.status.as_str() {
            "RESTING" | "PARTIALLY_FILLED" => {
                assert_eq!(said.remaining_stake, exact, "{self:?}");
                assert_eq!(i64::try_from(said.remaining_quantity).unwrap(), exact / unit, "{self:?}");
                assert_eq!(said.status == "RESTING", self.stakes == 0, "{self:?}");
            }
            over => {
                assert_eq!((said.remaining_quantity, said.remaining_stake), (0, 0), "{self:?}");
                if over == "FILLED" {
                    assert!((0..unit).contains(&exact), "{self:?}");
                    assert_eq!(self.legs + self.reduced, said.quantity, "{self:?}");
                } else {
                    assert!(exact >= unit, "what has less than a penny left is filled: {self:?}");
                }
            }
        }
    }
}

/// Follows a market's stream from before its first order.
#[derive(Default)]
pub(crate) struct Audit {
    orders: BTreeMap<u64, Told>,
    /// Orders that this transaction has brought in: their updates tell how they stand at its end.
    arrived: BTreeSet<u64>,
    /// This transaction's.
    legs: Vec<MatchEvent>,
    /// Legs that took a fraction of a penny.
    pub(crate) fractions: usize,
    /// Orders that were filled but for a fraction of a penny.
    pub(crate) dusty: usize,
}

impl Audit {
    pub(crate) fn hear(&mut self, update: &MarketUpdate) {
        match &update.update {
            Some(Update::MatchEvent(leg)) => self.leg(leg),
            Some(Update::OrderUpdate(order)) => self.order(order),
            _ => (),
        }
        if update.ends_transaction {
            self.end();
        }
    }

    fn leg(&mut self, leg: &MatchEvent) {
        let whole = i64::try_from(leg.quantity).unwrap() * if leg.ticks > 0 { 1 } else { 100 };
        assert!(leg.stake > 0, "{leg:?}");
        if !leg.synthetic || leg.ticks > 0 {
            assert_eq!(leg.stake, whole, "only a set at odds takes fractions: {leg:?}");
        }
        self.fractions += usize::from(leg.stake != whole);
        let is_of_taker = leg.maker_order_id == 0 || !leg.synthetic;
        for id in [Some(leg.maker_order_id), is_of_taker.then_some(leg.taker_order_id)] {
            let Some(told) = id.and_then(|id| self.orders.get_mut(&id)) else { continue };
            told.legs += leg.quantity;
            told.stakes += leg.stake;
        }
        if let Some(maker) = self.orders.get_mut(&leg.maker_order_id) {
            maker.met_at = leg.sequence;
        }
        self.legs.push(leg.clone());
    }

    fn order(&mut self, order: &OrderUpdateEvent) {
        let id = order.order_id;
        let Some(told) = self.orders.get_mut(&id) else {
            let last = order.clone();
            let (legs, stakes, reduced, released, met_at, split) = (0, 0, 0, 0, 0, false);
            self.orders.insert(id, Told { last, legs, stakes, reduced, released, met_at, split });
            self.arrived.insert(id);
            if let Some(whole) = self.orders.get_mut(&order.whole_order_id) {
                whole.split = true;
            }
            return;
        };
        if self.arrived.contains(&id) {
            // The part that was not matched has an update of its own.
            assert_eq!(
                (&order.status, order.remaining_stake),
                (&told.last.status, 0),
                "{told:?} and {order:?}"
            );
            return;
        }
        let is_reduction = told.met_at != order.sequence && order.remaining_quantity > 0;
        if is_reduction {
            // It drops the fraction.
            let left = i64::try_from(order.remaining_quantity).unwrap() * told.unit();
            assert!(left < told.exact(), "{told:?} and {order:?}");
            told.reduced += told.last.remaining_quantity - order.remaining_quantity;
            told.released += told.exact() - left;
        }
        told.last = order.clone();
        told.check();
        self.dusty += usize::from(order.status == "FILLED" && told.exact() > 0);
    }

    /// At the end of a transaction.
    fn end(&mut self) {
        for id in std::mem::take(&mut self.arrived) {
            let told = &self.orders[&id];
            if told.split {
                self.check_split(id);
            } else {
                told.check();
                self.dusty += usize::from(told.last.status == "FILLED" && told.exact() > 0);
            }
        }
        let legs = std::mem::take(&mut self.legs);
        for set in legs.chunk_by(|one, next| one.trade_id == next.trade_id).filter(|legs| legs[0].synthetic) {
            assert_eq!(set[0].maker_order_id, 0, "{set:?}");
            assert!(set.iter().all(|leg| leg.payout == set[0].payout), "{set:?}");
            if set[0].ticks == 0 {
                let stakes: i64 = set.iter().map(|leg| leg.stake).sum();
                assert_eq!(u64::try_from(stakes).unwrap(), set[0].payout, "{set:?}");
            }
        }
    }

    /// An order on a quarter line is what its halves are together.
    fn check_split(&self, id: u64) {
        let whole = &self.orders[&id].last;
        let halves = self.orders.range(id + 1..=id + 2).map(|(_, told)| &told.last);
        let halves: Vec<_> = halves.filter(|half| half.whole_order_id == id).collect();
        let sum = |of: fn(&OrderUpdateEvent) -> u64| halves.iter().map(|half| of(half)).sum::<u64>();
        assert_eq!(whole.quantity, sum(|order| order.quantity), "{whole:?}");
        assert_eq!(whole.filled_quantity, sum(|order| order.filled_quantity), "{whole:?}");
        assert_eq!(whole.remaining_quantity, sum(|order| order.remaining_quantity), "{whole:?}");
        let left: i64 = halves.iter().map(|half| half.remaining_stake).sum();
        assert_eq!(whole.remaining_stake, left, "{whole:?}");
    }

    /// What an order has left exactly, as its last update says it.
    pub(crate) fn left(&self, id: u64) -> u64 {
        self.orders.get(&id).map_or(0, |told| u64::try_from(told.last.remaining_stake).unwrap())
    }

    /// What an order that is FILLED had left.
    pub(crate) fn dust(&self, id: u64) -> u64 {
        let filled = self.orders.get(&id).filter(|told| told.last.status == "FILLED");
        filled.map_or(0, |told| u64::try_from(told.exact()).unwrap())
    }

    /// The book that the resting orders add up to. Not of a pair, whose levels are shown twice.
    pub(crate) fn book(&self) -> Replica {
        let mut book = Replica::default();
        for told in self.orders.values().filter(|told| told.rests()) {
            book.add(&told.last);
        }
        book
    }
}
