//! An order's own transaction: what it may be, whom it met, and what became of the rest.

use betex_core::event::{CancelReason, Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp};
use betex_core::ladder::Ladder;
use betex_core::types::{
    BookMarketState, MarketId, OrderId, Price, Quantity, SelfTradePrevention, TimeInForce,
};

use super::foresight::Next;
use super::{End, Entry, InHand, Ledger};

impl Ledger {
    pub(super) fn take_order(&mut self, stamp: &Stamp, events: &[Event]) {
        let mut hand = InHand::default();
        let mut reason = None;
        let mut rest = events;
        while let [event, later @ ..] = rest {
            rest = later;
            assert!(
                reason.is_none() || matches!(event, Event::OrderCancelled(_)),
                "{event:?} comes too late"
            );
            match event {
                Event::OrderSplit { order, far } => {
                    assert!(hand.split.is_none() && hand.parts.is_empty());
                    self.accept_split(stamp, order, *far);
                    hand.split = Some((*order, *far));
                }
                Event::OrderAccepted(accepted) => self.accept(stamp, accepted, &mut hand),
                Event::SetMatched(set) => {
                    let (legs, later) = rest.split_at(set.makers.into());
                    rest = later;
                    self.set(set, legs, stamp, &mut hand);
                }
                Event::TradeMatched(trade) => self.direct(trade, stamp, &mut hand),
                Event::OrderCancelled(order) if order.never_rested() => {
                    self.end_part(&mut hand);
                    assert!(reason.is_none_or(|reason| reason == order.reason));
                    reason = Some(order.reason);
                    assert!(hand.parts.contains(&order.order_id) && order.remaining == Quantity::ZERO);
                    self.cancel(order);
                }
                Event::OrderCancelled(order) => self.gives_way(order, &mut hand),
                other => panic!("{other:?} in an order's transaction"),
            }
        }
        self.end_part(&mut hand);
        self.conclude(&hand, reason);
    }

    fn accept_split(&mut self, stamp: &Stamp, order: &OrderAccepted, far: OutcomeIndex) {
        assert_eq!((order.order_id.0, order.half), (self.last_order_id + 1, Half::Whole));
        self.last_order_id += 3;
        self.check_terms(stamp, order);
        let market = &self.markets[&stamp.market_id];
        assert!(market.are_halves(order.outcome, far), "{order:?}");
    }

    fn accept(&mut self, stamp: &Stamp, accepted: &OrderAccepted, hand: &mut InHand) {
        match &hand.split {
            None => {
                assert!(hand.parts.is_empty(), "one order, one transaction");
                assert_eq!((accepted.order_id.0, accepted.half), (self.last_order_id + 1, Half::Whole));
                self.last_order_id += 1;
                self.check_terms(stamp, accepted);
            }
            Some((order, far)) => {
                let spec = &self.markets[&stamp.market_id].spec;
                let increment = spec.increment.0;
                let further = order.quantity.0 / increment / 2 * increment;
                let (half, outcome, quantity) = match hand.parts.len() {
                    0 => (Half::Near, order.outcome, order.quantity.0 - further),
                    1 => (Half::Far, *far, further),
                    _ => panic!("{accepted:?} is a third half"),
                };
                assert!(quantity == 0 || quantity >= spec.min_quantity.0, "half of {order:?} is too small");
                let half = OrderAccepted {
                    order_id: OrderId(order.order_id.0 + half as u64),
                    client_order_id: None,
                    outcome,
                    quantity: Quantity(quantity),
                    resting: accepted.resting,
                    fraction: accepted.fraction,
                    half,
                    ..*order
                };
                assert_eq!(*accepted, half);
            }
        }
        self.end_part(hand);
        hand.looks.begin_half();
        hand.parts.push(accepted.order_id);
        let entry = Entry {
            market: stamp.market_id,
            accepted: *accepted,
            accepted_ns: stamp.time_ns,
            unit: self.markets[&stamp.market_id].unit(),
            left: accepted.quantity.0,
            filled: 0,
            cancelled: 0,
            rests: false,
        };
        self.orders.insert(accepted.order_id, entry);
    }

    /// What an order may be, and when.
    fn check_terms(&mut self, stamp: &Stamp, order: &OrderAccepted) {
        let market = &self.markets[&stamp.market_id];
        assert_eq!(market.shows(), BookMarketState::Open, "orders are taken in an open market only");
        assert!(
            order.outcome.index() < market.spec.runners.len() && !market.removed.contains(&order.outcome)
        );
        assert!(is_price(market.spec.ladder, order.price), "{order:?}");
        let (quantity, increment) = (order.quantity.0, market.spec.increment.0);
        assert!(market.spec.min_quantity.0 <= quantity && quantity % increment == 0, "{order:?}");
        assert!(order.quantity <= Quantity::MAX, "{order:?}");
        if let TimeInForce::Gtd { expiry_ms } = order.time_in_force.get() {
            assert!(expiry_ms > stamp.time_ns / 1_000_000, "{order:?}");
        }
        assert!(!order.post_only || may_rest(order), "{order:?}");
        if let Some(id) = order.client_order_id {
            let key = (stamp.market_id, order.account, id.as_str().to_owned());
            assert!(self.client_ids.insert(key), "{id:?} is used twice");
        }
    }

    /// An order of the taker's own account gives way, where the taker would have met it: in a set all its own
    /// orders, in turn.
    fn gives_way(&mut self, order: &OrderCancelled, hand: &mut InHand) {
        let taker = *hand.parts.last().expect("an order comes first");
        assert_eq!(order.reason, CancelReason::OwnOrder);
        assert_eq!(self.orders[&taker].accepted.self_trade, SelfTradePrevention::CancelResting);
        assert!(self.is_own(taker, order.order_id) && order.remaining == Quantity::ZERO);
        if hand.giving_way.is_empty() {
            hand.giving_way = match self.foresee(taker, &mut hand.looks) {
                Next::Own(orders) => orders.into(),
                Next::Nothing => self.next_direct(taker).into_iter().collect(),
                Next::Set { makers, .. } => panic!("{order:?} where a set with {makers:?} is better"),
            };
        }
        assert_eq!(hand.giving_way.pop_front(), Some(order.order_id), "{order:?} was in no way");
        self.cancel(order);
    }

    /// Notes what an order, or half of one, that has met all it did could have met then.
    fn end_part(&self, hand: &mut InHand) {
        if hand.ends.len() == hand.parts.len() {
            return;
        }
        assert!(hand.giving_way.is_empty(), "{:?} did not give way", hand.giving_way);
        let part = *hand.parts.last().expect("there is one more than ends");
        let entry = &self.orders[&part];
        let end = if entry.left < entry.unit {
            End { next: Next::Nothing, direct: None }
        } else {
            End { next: self.foresee(part, &mut hand.looks), direct: self.next_direct(part) }
        };
        hand.ends.push(end);
    }

    /// What became of the order, and what it left alone.
    fn conclude(&mut self, hand: &InHand, reason: Option<CancelReason>) {
        let first = &self.orders[&hand.parts[0]];
        let whole = hand.split.map_or(first.accepted, |(order, _)| order);
        let sum = |of: fn(&Entry) -> i64| hand.parts.iter().map(|part| of(&self.orders[part])).sum::<i64>();
        let (filled, left) = (sum(|entry| entry.filled), sum(Entry::remaining));
        let market = first.market;
        let fraction = sum(Entry::fraction);
        assert_eq!(sum(|entry| entry.accepted.quantity.0), whole.quantity.0);
        assert_eq!(whole.resting.0, left, "resting is what rests in the end");
        assert!(hand.split.is_some() || i64::from(whole.fraction) == fraction, "{whole:?} and {fraction}");
        assert!(left == 0 || reason.is_none(), "all of the rest is cancelled, or nothing");
        assert!(left == 0 || may_rest(&whole), "{whole:?} rests");
        assert!(!whole.post_only || filled == 0, "{whole:?} traded at once");
        if let TimeInForce::Fok { min_fill } = whole.time_in_force.get() {
            let least = if min_fill == Quantity::ZERO { whole.quantity } else { min_fill };
            assert!(filled >= least.0, "{whole:?} has only {filled}");
        }
        match (reason, whole.self_trade) {
            (Some(CancelReason::Unfilled), _) => assert!(!may_rest(&whole)),
            (Some(CancelReason::SelfTrade), SelfTradePrevention::Skip) => {
                assert!(filled > 0 && may_rest(&whole), "nothing of it was filled: it is refused");
            }
            (Some(CancelReason::SelfTrade), mode) => assert_eq!(mode, SelfTradePrevention::CancelTaker),
            _ => (),
        }
        let ended = reason == Some(CancelReason::OrderLimit)
            || reason == Some(CancelReason::SelfTrade) && whole.self_trade != SelfTradePrevention::Skip;
        for part in &hand.parts {
            let entry = &self.orders[part];
            assert_eq!(entry.accepted.resting.0, entry.remaining());
            assert_eq!(i64::from(entry.accepted.fraction), entry.fraction());
        }
        self.met_all(hand, ended, reason == Some(CancelReason::SelfTrade));
        self.bounded += u64::from(hand.looks.over);
        self.through(market, hand);
    }

    /// What an order with something left could have met was not left alone, but for what ended it.
    fn met_all(&self, hand: &InHand, ended: bool, by_own: bool) {
        for (part, end) in hand.parts.iter().zip(&hand.ends) {
            let is_own = |maker: &OrderId| self.is_own(*part, *maker);
            match end {
                End { next: Next::Nothing, direct: None } => continue,
                // An order of its own ends it, in a set or as the next direct one.
                End { next: Next::Own(_), .. } if ended && by_own => return,
                End { next: Next::Nothing, direct: Some(maker) } if ended && by_own && is_own(maker) => {
                    return;
                }
                // The bound on work does.
                _ if ended && !by_own => return,
                End { next, direct } => {
                    panic!("{:?} could have had {next:?}, or met {direct:?}", self.orders[part].accepted)
                }
            }
        }
        assert!(!ended, "nothing ended {:?}", hand.parts);
    }

    /// From now on the order rests, with what is left of it.
    fn through(&mut self, market: MarketId, hand: &InHand) {
        for part in &hand.parts {
            assert_eq!(self.orders[part].market, market);
            self.link(*part, true);
        }
    }

    /// Whether a taker takes the price of a direct maker.
    pub(super) fn accepts(&self, taker: OrderId, maker: OrderId) -> bool {
        let ((_, _, side), bad) = self.place(&self.orders[&taker]);
        let (_, maker_bad) = self.place(&self.orders[&maker]);
        // Seen from the two sides, good and bad change places.
        assert_ne!(side, self.place(&self.orders[&maker]).0.2);
        -maker_bad >= bad
    }

    /// What a taker meets directly, in turn.
    pub(super) fn direct_queue(&self, taker: OrderId) -> impl Iterator<Item = OrderId> + '_ {
        let ((market, outcome, side), _) = self.place(&self.orders[&taker]);
        self.queue((market, outcome, side.opposite()))
    }
}

fn may_rest(order: &OrderAccepted) -> bool {
    !order.market_order && matches!(order.time_in_force.get(), TimeInForce::Gtc | TimeInForce::Gtd { .. })
}

/// Whether there is such a price.
fn is_price(ladder: Ladder, price: Price) -> bool {
    let classic = |step: u32| price.0.is_multiple_of(step);
    match (ladder, price.0) {
        (Ladder::Binary { max_price_ticks }, ticks) => 0 < ticks && ticks < u32::from(max_price_ticks),
        (_, 0..10_100 | 10_000_001..) => false,
        (Ladder::Finest, _) | (_, ..20_000) => classic(100),
        (_, ..30_000) => classic(200),
        (_, ..40_000) => classic(500),
        (_, ..60_000) => classic(1_000),
        (_, ..100_000) => classic(2_000),
        (_, ..200_000) => classic(5_000),
        (_, ..300_000) => classic(10_000),
        (_, ..500_000) => classic(20_000),
        (_, ..1_000_000) => classic(50_000),
        _ => classic(100_000),
    }
}
