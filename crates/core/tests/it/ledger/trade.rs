//! Trades: at which prices, with whom, and whose money it is in the end.

use betex_core::event::{Event, OutcomeIndex, SetMatched, Stamp, TradeMatched};
use betex_core::types::{Money, OrderId, Price, Quantity, SelfTradePrevention, Side};

use super::foresight::{Next, Terms};
use super::{InHand, Ledger};

/// What somebody has in a trade.
struct Stake {
    outcome: OutcomeIndex,
    side: Side,
    price: Price,
    quantity: Quantity,
    payout: Money,
}

impl Ledger {
    /// The order of the transaction met a resting one.
    pub(super) fn direct(&mut self, trade: &TradeMatched, stamp: &Stamp, hand: &mut InHand) {
        self.trades += 1;
        let taker_id = *hand.parts.last().expect("an order comes first");
        assert_eq!((trade.taker_order_id, trade.leg), (taker_id, 0));
        let (taker, maker) = (&self.orders[&taker_id], &self.orders[&trade.maker_order_id]);
        let market = &self.markets[&taker.market];
        // Price, then time: nobody whom the taker may meet is in front of the maker. Only who skips its own
        // orders may pass them over.
        let skips = taker.accepted.self_trade == SelfTradePrevention::Skip;
        let first = self.direct_queue(taker_id).find(|id| !skips || !self.is_own(taker_id, *id));
        assert_eq!(first, Some(trade.maker_order_id), "{trade:?} jumps the queue");
        // Nobody beyond the limit: the maker gets its own price, the taker its own or a better one.
        assert_eq!(maker.accepted.price, trade.price);
        assert!(self.accepts(taker_id, trade.maker_order_id), "{trade:?} is beyond the limit");
        let seen = market.on_its_ladder(trade.outcome, trade.maker_side, trade.price);
        let (own, _, _) =
            market.on_its_ladder(taker.accepted.outcome, taker.accepted.side, taker.accepted.price);
        assert_eq!(seen.0, own, "{trade:?} is of another outcome");
        // Money is conserved to the last quantum: the payout is exactly stake times odds.
        assert_eq!(i128::from(trade.payout.0), self.exact_payout(trade));
        let (price, quantity, payout) = (trade.price, trade.quantity, trade.payout);
        let theirs = Stake { outcome: trade.outcome, side: trade.maker_side, price, quantity, payout };
        let (outcome, side) = (taker.accepted.outcome, taker.accepted.side);
        let price = match market.whole() {
            Some(whole) if outcome != trade.outcome => Price(whole - price.0),
            _ => price,
        };
        self.conserves(taker_id, &[theirs, Stake { outcome, side, price, quantity, payout }]);
        // A set is taken only where it is better, and then it must be.
        let mut passed_over = std::mem::take(&mut hand.passed_over);
        match self.foresee(taker_id, taker.remaining(), &mut passed_over) {
            Next::Set { makers, .. } if !hand.murky => {
                panic!("a set with {makers:?} is better than {trade:?}")
            }
            Next::Own if !hand.murky => panic!("a set with an own order is better than {trade:?}"),
            Next::TooGood => hand.murky = true,
            _ => (),
        }
        // Whoever was passed over may be looked at again.
        hand.passed_over.clear();

        self.note_trade(stamp, trade.outcome, trade.price, trade.quantity);
        self.fill_maker(trade, taker_id, stamp);
        self.fill_taker(taker_id, trade.quantity);
    }

    /// The order of the transaction met a set.
    pub(super) fn set(&mut self, set: &SetMatched, legs: &[Event], stamp: &Stamp, hand: &mut InHand) {
        self.sets += 1;
        let taker_id = *hand.parts.last().expect("an order comes first");
        let taker = &self.orders[&taker_id];
        assert_eq!((set.taker_order_id, set.outcome), (taker_id, taker.accepted.outcome));
        assert_eq!(set.side, taker.accepted.side);
        let legs: Vec<_> = legs
            .iter()
            .map(|event| match event {
                Event::TradeMatched(leg) => leg,
                other => panic!("{other:?} is no leg of a set"),
            })
            .collect();
        // A leg on every other outcome, of the same side, with the same payout, of nobody's own.
        let others = self.markets[&taker.market].others(set.outcome);
        assert_eq!(legs.iter().map(|leg| leg.outcome).collect::<Vec<_>>(), others);
        assert!(!others.is_empty());
        for (leg, place) in legs.iter().zip(1..) {
            assert_eq!((leg.taker_order_id, leg.leg), (taker_id, place));
            assert_eq!((leg.maker_side, leg.payout), (set.side, set.payout));
            let maker = &self.orders[&leg.maker_order_id].accepted;
            assert_eq!((maker.outcome, maker.side, maker.price), (leg.outcome, leg.maker_side, leg.price));
        }
        let makers: Vec<_> = legs.iter().map(|leg| leg.maker_order_id).collect();
        let mut stakes = vec![Stake {
            outcome: set.outcome,
            side: set.side,
            price: set.price,
            quantity: set.quantity,
            payout: set.payout,
        }];
        stakes.extend(legs.iter().map(|leg| Stake {
            outcome: leg.outcome,
            side: leg.maker_side,
            price: leg.price,
            quantity: leg.quantity,
            payout: leg.payout,
        }));
        self.conserves(taker_id, &stakes);
        match self.markets[&taker.market].whole() {
            Some(whole) => check_shares(whole, set, &legs),
            None => self.check_odds(taker_id, set, &legs),
        }
        match self.foresee(taker_id, taker.remaining(), &mut hand.passed_over) {
            Next::Set { makers: expected, payout } => {
                let known = hand.murky || (makers == expected && i128::from(set.payout.0) == payout);
                assert!(known, "{set:?} of {makers:?} should be of {expected:?} and pay {payout}");
                self.foreseen += u64::from(!hand.murky);
            }
            Next::Nothing if !hand.murky => panic!("{set:?} cannot be, or is not better than a direct order"),
            Next::Own if !hand.murky => panic!("{set:?} passes an own order"),
            Next::TooGood => hand.murky = true,
            Next::Nothing | Next::Own | Next::Unknown => (),
        }

        let taker_market = self.orders[&taker_id].market;
        let market = self.markets.get_mut(&taker_market).expect("looked up above");
        market.in_sets.extend(others);
        market.in_sets.insert(set.outcome);
        self.note_trade(stamp, set.outcome, set.price, set.quantity);
        for leg in legs {
            self.note_trade(stamp, leg.outcome, leg.price, leg.quantity);
            self.fill_maker(leg, taker_id, stamp);
        }
        self.fill_taker(taker_id, set.quantity);
    }

    /// A set at odds: everybody has their price or a better one, and nobody gets more than rounding gives.
    fn check_odds(&self, taker_id: OrderId, set: &SetMatched, legs: &[&TradeMatched]) {
        let taker = &self.orders[&taker_id];
        let increment = i128::from(self.markets[&taker.market].spec.increment.0);
        let (payout, stake) = (i128::from(set.payout.0), i128::from(set.quantity.0));
        for leg in legs {
            let (stake, odds) = (i128::from(leg.quantity.0), i128::from(leg.price.0));
            // BACKs get their odds or better, but by less than one increment of stake; LAYs likewise.
            let (low, high) = match set.side {
                Side::Yes => (stake * odds, (stake + increment) * odds),
                Side::No => ((stake - increment) * odds, stake * odds),
            };
            let paid = payout * 10_000;
            let within = match set.side {
                Side::Yes => low <= paid && paid < high,
                Side::No => low < paid && paid <= high,
            };
            assert!(within, "{leg:?}");
        }
        let limit = i128::from(taker.accepted.price.0);
        let better_than_direct = |odds: i128| match set.side {
            Side::Yes => payout * 10_000 > odds * stake,
            Side::No => payout * 10_000 < odds * stake,
        };
        let mut direct = self.direct_queue(taker_id).filter(|maker| !self.is_own(taker_id, *maker));
        let direct = direct.next().map(|maker| i128::from(self.orders[&maker].accepted.price.0));
        assert!(direct.is_none_or(better_than_direct), "{set:?} is no better than {direct:?}");
        let (within, shown) = match set.side {
            Side::Yes => (payout * 10_000 >= limit * stake, payout * 10_000 / stake),
            Side::No => (payout * 10_000 <= limit * stake, (payout * 10_000 + stake - 1) / stake),
        };
        assert!(within, "{set:?} is beyond the limit");
        assert_eq!(i128::from(set.price.0), shown);
        // Rounding costs the taker next to nothing, or else it is through with it.
        let odds: Vec<_> = legs.iter().map(|leg| i128::from(leg.price.0)).collect();
        let cost = Terms::rounding_cost(set.side, &odds, payout, stake);
        let all = stake == i128::from(taker.remaining());
        assert!(all || cost.is_none_or(|cost| cost <= payout / 1_024), "{set:?} costs the taker {cost:?}");
    }

    /// Whoever wins, what some lose is what the others win.
    fn conserves(&self, taker: OrderId, stakes: &[Stake]) {
        let entry = &self.orders[&taker];
        let market = &self.markets[&entry.market];
        let mut winners: Vec<_> = stakes.iter().map(|stake| Some(stake.outcome)).collect();
        match (market.is_pair(), stakes) {
            (true, _) => winners = vec![Some(OutcomeIndex(0)), Some(OutcomeIndex(1))],
            // The outcome loses, too, in favour of one that nobody here has traded.
            (false, [_, other]) if other.outcome == stakes[0].outcome => winners.push(None),
            _ => (),
        }
        for winner in winners {
            let results = stakes.iter().map(|stake| {
                // Odds pay stake and profit; a share costs its price in ticks, of which it pays all.
                let (cost, paid) = match market.whole() {
                    None => (i128::from(stake.quantity.0), i128::from(stake.payout.0)),
                    Some(whole) => {
                        assert_eq!(i128::from(stake.payout.0), i128::from(stake.quantity.0) * 10_000);
                        let shares = i128::from(stake.quantity.0);
                        (shares * i128::from(stake.price.0), shares * i128::from(whole))
                    }
                };
                let result = if winner == Some(stake.outcome) { paid - cost } else { -cost };
                if stake.side == Side::Yes { result } else { -result }
            });
            assert_eq!(results.sum::<i128>(), 0, "{:?} if {winner:?} wins", entry.accepted);
        }
    }

    fn exact_payout(&self, trade: &TradeMatched) -> i128 {
        let quantity = i128::from(trade.quantity.0);
        match self.markets[&self.orders[&trade.taker_order_id].market].whole() {
            Some(_) => quantity * 10_000,
            None => {
                let payout = quantity * i128::from(trade.price.0);
                assert_eq!(payout % 10_000, 0);
                payout / 10_000
            }
        }
    }

    fn fill_taker(&mut self, taker: OrderId, quantity: Quantity) {
        let entry = self.orders.get_mut(&taker).expect("it was accepted");
        entry.filled += quantity.0;
        assert!(entry.remaining() >= 0, "{taker} has more than it asked for");
    }

    fn fill_maker(&mut self, trade: &TradeMatched, taker: OrderId, stamp: &Stamp) {
        let id = trade.maker_order_id;
        assert!(!self.is_own(taker, id), "{trade:?} is a self-trade");
        self.unlink(id);
        let entry = self.orders.get_mut(&id).expect("a maker was accepted");
        assert!(entry.rests && entry.market == stamp.market_id, "{trade:?}");
        let increment = self.markets[&stamp.market_id].spec.increment.0;
        assert!(trade.quantity.0 > 0 && trade.quantity.0 % increment == 0, "{trade:?}");
        if let betex_core::types::TimeInForce::Gtd { expiry_ms } = entry.accepted.time_in_force.get() {
            assert!(expiry_ms > stamp.time_ns / 1_000_000, "{trade:?} is with an order that is over");
        }
        entry.filled += trade.quantity.0;
        assert_eq!(
            (entry.accepted.account, entry.accepted.quantity),
            (trade.maker_account, trade.maker_quantity)
        );
        assert_eq!(
            (entry.filled, entry.remaining()),
            (trade.maker_filled.0, trade.maker_remaining.0),
            "{trade:?}"
        );
        self.link(id, true);
    }

    fn note_trade(&mut self, stamp: &Stamp, outcome: OutcomeIndex, price: Price, quantity: Quantity) {
        let market = &self.markets[&stamp.market_id];
        let mut told = vec![(outcome, price)];
        if let Some(whole) = market.whole()
            && market.is_pair()
        {
            told.push((OutcomeIndex(1 - outcome.0), Price(whole - price.0)));
        }
        for (outcome, price) in told {
            let traded = self.traded.entry((stamp.market_id, outcome)).or_default();
            *traded = (price, traded.1 + i128::from(quantity.0));
        }
    }
}

/// A set of shares: all the same, and the prices add up to the whole.
fn check_shares(whole: u32, set: &SetMatched, legs: &[&TradeMatched]) {
    let makers: u32 = legs.iter().map(|leg| leg.price.0).sum();
    assert_eq!(makers + set.price.0, whole, "{set:?}");
    assert!(set.price.0 > 0);
    assert!(legs.iter().all(|leg| leg.quantity == set.quantity), "{set:?}");
}
