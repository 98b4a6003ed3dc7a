//! Trades: at which prices, with whom, and whose money it is in the end.

use betex_core::event::{Event, OutcomeIndex, SetMatched, Stamp, TradeMatched};
use betex_core::limits::FILLS_MAX;
use betex_core::types::{Money, OrderId, Price, Quantity, Side, TimeInForce};

use super::foresight::Next;
use super::odds::{ONE, is_fair, maker_stake, probability_left, rounding_cost};
use super::{InHand, Ledger};

/// What one order has in a trade.
struct Stake {
    outcome: OutcomeIndex,
    side: Side,
    price: Price,
    stake: Quantity,
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
        // Price, then time: no order that the taker may meet is in front of the maker.
        assert_eq!(self.next_direct(taker_id), Some(trade.maker_order_id), "{trade:?} jumps the queue");
        // No order beyond the limit: the maker gets its own price, the taker its own or a better one.
        assert_eq!(maker.accepted.price, trade.price);
        assert!(self.accepts(taker_id, trade.maker_order_id), "{trade:?} is beyond the limit");
        let seen = market.on_its_ladder(trade.outcome, trade.maker_side, trade.price);
        let (own, _, _) =
            market.on_its_ladder(taker.accepted.outcome, taker.accepted.side, taker.accepted.price);
        assert_eq!(seen.0, own, "{trade:?} is of another outcome");
        // As many whole pennies, or shares, as both have. Fractions stay where they are.
        assert_eq!(trade.quantity.0, taker.remaining().min(maker.remaining()), "{trade:?}");
        assert_eq!(trade.stake, trade.quantity, "{trade:?}");
        // Money is conserved to the last quantum: the payout is exactly stake times odds.
        assert_eq!(i128::from(trade.payout.0), self.exact_payout(trade));
        let (price, stake, payout) = (trade.price, trade.stake, trade.payout);
        let theirs = Stake { outcome: trade.outcome, side: trade.maker_side, price, stake, payout };
        let (outcome, side) = (taker.accepted.outcome, taker.accepted.side);
        let price = match market.whole() {
            Some(whole) if outcome != trade.outcome => Price(whole - price.0),
            _ => price,
        };
        self.conserves(taker_id, &[theirs, Stake { outcome, side, price, stake, payout }]);
        // A set is taken only where it is better, and then it must be.
        assert!(hand.giving_way.is_empty(), "{trade:?} comes before {:?}", hand.giving_way);
        match self.foresee(taker_id, &mut hand.looks) {
            Next::Nothing => (),
            better => panic!("{better:?} is better than {trade:?}"),
        }
        hand.looks.fills += 1;
        assert!(hand.looks.fills <= FILLS_MAX as usize);
        self.note_trade(stamp, trade.outcome, trade.price, trade.stake);
        self.fill_maker(trade, taker_id, stamp);
        self.fill_taker(taker_id, trade.stake, trade.quantity);
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
        // A leg on every other outcome, of the same side, with the same payout.
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
            stake: set.stake,
            payout: set.payout,
        }];
        stakes.extend(legs.iter().map(|leg| Stake {
            outcome: leg.outcome,
            side: leg.maker_side,
            price: leg.price,
            stake: leg.stake,
            payout: leg.payout,
        }));
        self.conserves(taker_id, &stakes);
        match self.markets[&taker.market].whole() {
            Some(whole) => check_shares(whole, set, &legs),
            None => self.check_odds(taker_id, set, &legs),
        }
        assert!(hand.giving_way.is_empty(), "{set:?} comes before {:?}", hand.giving_way);
        match self.foresee(taker_id, &mut hand.looks) {
            Next::Set { makers: expected, stakes } => {
                assert_eq!(makers, expected, "{set:?}");
                assert_eq!(i128::from(set.payout.0), stakes.payout, "{set:?}");
                assert_eq!(i128::from(set.stake.0), stakes.taker, "{set:?}");
                let legs = legs.iter().map(|leg| i128::from(leg.stake.0));
                assert_eq!(legs.collect::<Vec<_>>(), stakes.makers, "{set:?}");
            }
            other => panic!("{set:?} of {makers:?} should be {other:?} after {:?}", hand.looks),
        }
        hand.looks.fills += legs.len();
        self.sets_after_passing_over += u64::from(!hand.looks.passed_over.is_empty());

        let taker_market = self.orders[&taker_id].market;
        let market = self.markets.get_mut(&taker_market).expect("looked up above");
        market.in_sets.extend(others);
        market.in_sets.insert(set.outcome);
        self.note_trade(stamp, set.outcome, set.price, set.stake);
        for leg in legs {
            self.note_trade(stamp, leg.outcome, leg.price, leg.stake);
            self.fill_maker(leg, taker_id, stamp);
        }
        self.fill_taker(taker_id, set.stake, set.quantity);
    }

    /// A set at odds: every order has its price or a better one, and gets no more than rounding gives.
    fn check_odds(&self, taker_id: OrderId, set: &SetMatched, legs: &[&TradeMatched]) {
        let taker = &self.orders[&taker_id];
        let (payout, stake) = (i128::from(set.payout.0), i128::from(set.stake.0));
        let paid = payout * 10_000;
        for leg in legs {
            let (stake, odds) = (i128::from(leg.stake.0), i128::from(leg.price.0));
            assert_eq!(stake, maker_stake(set.side, odds, payout), "{leg:?}");
            // BACKs get their odds or better, but by less than one quantum of stake; LAYs likewise.
            let within = match set.side {
                Side::Yes => stake * odds <= paid && paid < (stake + 1) * odds,
                Side::No => (stake - 1) * odds < paid && paid <= stake * odds,
            };
            assert!(within && stake >= 1, "{leg:?}");
        }
        let makers: i128 = legs.iter().map(|leg| i128::from(leg.stake.0)).sum();
        assert_eq!(stake, payout - makers, "{set:?}");
        assert!(1 <= stake && stake <= i128::from(taker.left), "{set:?}");
        let limit = i128::from(taker.accepted.price.0);
        let better_than_direct = |odds: i128| match set.side {
            Side::Yes => paid > odds * stake,
            Side::No => paid < odds * stake,
        };
        // Not even an order beyond the limit is better.
        let mut direct = self.direct_queue(taker_id).filter(|maker| !self.is_own(taker_id, *maker));
        let direct = direct.next().map(|maker| i128::from(self.orders[&maker].accepted.price.0));
        assert!(direct.is_none_or(better_than_direct), "{set:?} is no better than {direct:?}");
        let (within, shown) = match set.side {
            Side::Yes => (paid >= limit * stake, paid / stake),
            Side::No => (paid <= limit * stake, (paid + stake - 1) / stake),
        };
        assert!(within, "{set:?} is beyond the limit");
        assert_eq!(i128::from(set.price.0), shown);
        // Rounding costs the taker next to nothing, or else it is through with it. It never costs it as much as
        // one quantum for each maker.
        let q = probability_left(legs.iter().map(|leg| i128::from(leg.price.0)));
        let count = i128::from(set.makers);
        let cost = rounding_cost(set.side, q, payout, stake);
        assert!(is_fair(set.side, q, payout, stake, taker.left.into(), count), "{set:?} costs {cost}");
        assert!(cost < count * (ONE + payout), "{set:?} costs {cost}");
        assert!(cost > -count * payout, "{set:?} gives the taker {cost}");
    }

    /// Whichever outcome wins, what some lose is what the others win.
    fn conserves(&self, taker: OrderId, stakes: &[Stake]) {
        let entry = &self.orders[&taker];
        let market = &self.markets[&entry.market];
        let mut winners: Vec<_> = stakes.iter().map(|stake| Some(stake.outcome)).collect();
        match (market.is_pair(), stakes) {
            (true, _) => winners = vec![Some(OutcomeIndex(0)), Some(OutcomeIndex(1))],
            // The outcome loses, too, in favour of one that is not in the trade.
            (false, [_, other]) if other.outcome == stakes[0].outcome => winners.push(None),
            _ => (),
        }
        for winner in winners {
            let results = stakes.iter().map(|stake| {
                // Odds pay stake and profit; a share costs its price in ticks, of which it pays all.
                let (cost, paid) = match market.whole() {
                    None => (i128::from(stake.stake.0), i128::from(stake.payout.0)),
                    Some(whole) => {
                        assert_eq!(i128::from(stake.payout.0), i128::from(stake.stake.0) * 10_000);
                        let shares = i128::from(stake.stake.0);
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

    fn fill_taker(&mut self, taker: OrderId, stake: Quantity, quantity: Quantity) {
        let entry = self.orders.get_mut(&taker).expect("it was accepted");
        entry.fill(stake, quantity);
        self.dust += u64::from(entry.release_dust());
    }

    fn fill_maker(&mut self, trade: &TradeMatched, taker: OrderId, stamp: &Stamp) {
        let id = trade.maker_order_id;
        assert!(!self.is_own(taker, id), "{trade:?} is a self-trade");
        self.unlink(id);
        let entry = self.orders.get_mut(&id).expect("a maker was accepted");
        assert!(entry.rests && entry.market == stamp.market_id, "{trade:?}");
        if let TimeInForce::Gtd { expiry_ms } = entry.accepted.time_in_force.get() {
            assert!(expiry_ms > stamp.time_ns / 1_000_000, "{trade:?} is with an order that is over");
        }
        assert!(trade.is_synthetic() || trade.quantity.0 > 0, "{trade:?}");
        entry.fill(trade.stake, trade.quantity);
        assert_eq!(
            (entry.accepted.account, entry.accepted.quantity),
            (trade.maker_account, trade.maker_quantity)
        );
        assert_eq!(
            (entry.filled, entry.remaining(), entry.fraction()),
            (trade.maker_filled.0, trade.maker_remaining.0, trade.maker_fraction.into()),
            "{trade:?}"
        );
        let is_dust = entry.release_dust();
        self.dust += u64::from(is_dust);
        self.fractions += u64::from(entry.fraction() > 0);
        self.link(id, true);
    }

    fn note_trade(&mut self, stamp: &Stamp, outcome: OutcomeIndex, price: Price, stake: Quantity) {
        let market = &self.markets[&stamp.market_id];
        let mut told = vec![(outcome, price)];
        if let Some(whole) = market.whole()
            && market.is_pair()
        {
            told.push((OutcomeIndex(1 - outcome.0), Price(whole - price.0)));
        }
        for (outcome, price) in told {
            let traded = self.traded.entry((stamp.market_id, outcome)).or_default();
            *traded = (price, traded.1 + i128::from(stake.0));
        }
    }
}

/// A set of shares: all the same, and the prices add up to the whole.
fn check_shares(whole: u32, set: &SetMatched, legs: &[&TradeMatched]) {
    let makers: u32 = legs.iter().map(|leg| leg.price.0).sum();
    assert_eq!(makers + set.price.0, whole, "{set:?}");
    assert!(set.price.0 > 0);
    assert_eq!(set.stake, set.quantity, "{set:?}");
    assert!(legs.iter().all(|leg| leg.quantity == set.quantity && leg.stake == leg.quantity), "{set:?}");
}
