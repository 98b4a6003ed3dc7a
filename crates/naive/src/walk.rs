//! How an order meets what rests: at every step a set is looked for first, then the direct order is met.

use std::collections::BTreeSet;

use crate::sets::{self, Found, Maker, Set, Wanted};
use crate::{
    FILLS_MAX, Ladder, Leg, Market, OWN_ORDERS_SKIPPED_MAX, Order, Refusal, SelfTrade, Side, Status, Trade,
    WORK_MAX, ticks,
};

/// An order, or both halves of one, on its way through the market; the bounds are on all of it.
pub(crate) struct Walk<'a> {
    market: &'a mut Market,
    account: u64,
    side: Side,
    limit: u32,
    self_trade: SelfTrade,
    post_only: bool,
    pub(crate) trades: Vec<Trade>,
    pub(crate) own_cancelled: Vec<u64>,
    fills: usize,
    /// The orders of its own account that it has passed over or cancelled.
    own_orders: BTreeSet<u64>,
    /// Makers that sets pass over, for now.
    passed_over: BTreeSet<u64>,
    /// The work of all looks for sets.
    work: usize,
    /// Whether a bound ended sets: there is no further look.
    pub(crate) sets_ended: bool,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All is filled, or there is no other order to meet.
    Through,
    /// There is an order to meet, but the bound on its work is met.
    BoundMet,
    /// It met an order of its own account that ends it.
    OwnOrderMet,
}

impl<'a> Walk<'a> {
    pub(crate) const fn new(
        market: &'a mut Market,
        account: u64,
        side: Side,
        limit: u32,
        self_trade: SelfTrade,
        post_only: bool,
    ) -> Self {
        Self {
            market,
            account,
            side,
            limit,
            self_trade,
            post_only,
            trades: Vec::new(),
            own_cancelled: Vec::new(),
            fills: 0,
            own_orders: BTreeSet::new(),
            passed_over: BTreeSet::new(),
            work: 0,
            sets_ended: false,
        }
    }

    /// Meets what there is to meet on this outcome for the order with this number; says what is left,
    /// exactly.
    pub(crate) fn meet(&mut self, taker: u64, outcome: usize, stake: i64) -> Result<(i64, End), Refusal> {
        let mut left = stake;
        let mut price_before = None;
        while self.market.ladder.whole(left) > 0 {
            let Ok(direct) = self.direct(outcome) else { return Ok((left, End::BoundMet)) };
            let direct_price = direct.as_ref().map(|(_, price)| i128::from(*price));
            if direct_price != price_before {
                // With another price to beat, sets look again at the makers that they passed over.
                self.passed_over.clear();
                price_before = direct_price;
            }
            let Ok((makers, found)) = self.set(outcome, left, direct_price) else {
                return Ok((left, End::BoundMet));
            };
            if let Found::PassOver(place) = found {
                self.passed_over.insert(makers[place].number);
                continue;
            }
            if matches!(found, Found::Set(_)) && self.fills + makers.len() > FILLS_MAX {
                self.sets_ended = true;
                continue;
            }
            let maker_numbers: Vec<_> = match (&found, &direct) {
                (Found::Set(_), _) => makers.iter().map(|maker| maker.number).collect(),
                (_, Some((order, _))) => vec![order.number],
                (_, None) => return Ok((left, End::Through)),
            };

            // There is an order to meet.
            let own: Vec<_> = maker_numbers.iter().copied().filter(|number| self.is_own(*number)).collect();
            if self.bound_is_met(own.len()) {
                return Ok((left, End::BoundMet));
            }
            if !own.is_empty() {
                match self.self_trade {
                    SelfTrade::Skip => unreachable!("own orders are left out"),
                    SelfTrade::Reject => return Err(Refusal::SelfTrade),
                    SelfTrade::CancelTaker => return Ok((left, End::OwnOrderMet)),
                    SelfTrade::CancelResting => own.iter().for_each(|number| self.cancel_own(*number)),
                }
                continue;
            }
            if self.post_only {
                return Err(Refusal::WouldMatch);
            }
            let trade = match (found, direct) {
                (Found::Set(set), _) => self.set_trade(taker, left, &makers, &set),
                (_, Some((order, price))) => self.direct_trade(taker, left, &order, price),
                (_, None) => unreachable!("an order is met"),
            };
            for leg in &trade.makers {
                self.market.fill(leg.maker, leg.stake);
            }
            if trade.set {
                let group = self.market.group_of(outcome);
                self.market.set_traded.extend(group);
            }
            self.fills += trade.makers.len();
            left -= trade.stake;
            self.trades.push(trade);
        }
        Ok((left, End::Through))
    }

    /// Whether an order of its own account still rests where this would cross it.
    pub(crate) fn crosses_own(&self, outcome: usize) -> bool {
        let queue = self.market.queue(outcome, self.side.other());
        queue.into_iter().any(|order| self.accepts(outcome, order) && self.is_own(order.number))
    }

    /// The direct order that can be met, as the market sees it from the taker's outcome: the first in its
    /// queue, or the first that is not its own. `Err`: it would have to pass over too many.
    fn direct(&mut self, outcome: usize) -> Result<Option<(Order, u32)>, TooMany> {
        let queue = self.market.queue(outcome, self.side.other());
        let within: Vec<_> = queue.into_iter().take_while(|order| self.accepts(outcome, order)).collect();
        let numbers: Vec<_> = within.into_iter().map(|order| order.number).collect();
        for number in numbers {
            if !self.passes_own(number)? {
                let order = self.market.order(number).expect("it is in the queue").clone();
                let (_, price) = self.market.seen_from(outcome, &order).expect("it is in the queue");
                return Ok(Some((order, price)));
            }
        }
        Ok(None)
    }

    /// A look for a set, if there may be one more. `Err`: it would have to pass over too many of its own.
    fn set(
        &mut self,
        outcome: usize,
        left: i64,
        direct: Option<i128>,
    ) -> Result<(Vec<Maker>, Found), TooMany> {
        let mut makers = Vec::new();
        let others = self.market.others(outcome);
        self.sets_ended |= self.work + others.len() > WORK_MAX;
        if others.is_empty() || self.sets_ended {
            return Ok((makers, Found::Nothing));
        }
        self.work += others.len();
        for other in others {
            let queue = self.market.queue(other, self.side);
            let numbers: Vec<_> = queue.into_iter().map(|order| order.number).collect();
            let mut first = None;
            for number in numbers {
                if !self.passed_over.contains(&number) && !self.passes_own(number)? {
                    first = self.market.order(number);
                    break;
                }
            }
            let Some(first) = first else { return Ok((makers, Found::Nothing)) };
            makers.push(Maker::of(first));
        }
        let (left, limit) = (Some(i128::from(left)), i128::from(self.limit));
        let wanted = Wanted { side: self.side, left, limit, direct };
        let found = match self.market.ladder {
            Ladder::Classic | Ladder::Finest => sets::look(&wanted, &makers),
            Ladder::Ticks(max) => ticks::look(max, &wanted, &makers),
        };
        Ok((makers, found))
    }

    fn accepts(&self, outcome: usize, order: &Order) -> bool {
        let good = |price| self.market.ladder.good(self.side, price);
        self.market.seen_from(outcome, order).is_some_and(|(_, price)| good(price) >= good(self.limit))
    }

    fn is_own(&self, number: u64) -> bool {
        self.account != 0 && self.market.order(number).is_some_and(|order| order.account == self.account)
    }

    /// Passes this order over if it is of its own account and that is what becomes of them. Each counts
    /// once.
    fn passes_own(&mut self, number: u64) -> Result<bool, TooMany> {
        if self.self_trade != SelfTrade::Skip || !self.is_own(number) {
            return Ok(false);
        }
        if !self.own_orders.contains(&number) && self.own_orders.len() == OWN_ORDERS_SKIPPED_MAX {
            return Err(TooMany);
        }
        self.own_orders.insert(number);
        Ok(true)
    }

    /// Whether one more fill, or so many more of its own orders, are more than is allowed.
    fn bound_is_met(&self, own: usize) -> bool {
        self.fills == FILLS_MAX
            || self.own_orders.len() == OWN_ORDERS_SKIPPED_MAX
            || self.own_orders.len() + own > OWN_ORDERS_SKIPPED_MAX
    }

    fn cancel_own(&mut self, number: u64) {
        let remaining = self.market.order(number).map_or(0, |order| order.remaining);
        self.market.take_out(number, remaining, Status::Cancelled);
        self.own_orders.insert(number);
        self.own_cancelled.push(number);
    }

    fn direct_trade(&self, taker: u64, left: i64, maker: &Order, price: u32) -> Trade {
        let ladder = self.market.ladder;
        // Of whole pennies the payout is whole.
        let stake = ladder.whole(left.min(maker.left));
        let leg = self.leg(maker, stake, payout(ladder, stake, maker.price));
        let (quantity, payout) = (self.quantity(left, stake), payout(ladder, stake, price));
        Trade { taker, set: false, price, stake, quantity, payout, makers: vec![leg] }
    }

    fn set_trade(&self, taker: u64, left: i64, makers: &[Maker], set: &Set) -> Trade {
        let exact = |stake: i128| i64::try_from(stake).expect("it fits its order");
        let payout = match self.market.ladder {
            Ladder::Classic | Ladder::Finest => set.payout,
            // In shares: each winning one pays a currency unit.
            Ladder::Ticks(_) => set.payout * 10_000,
        };
        let legs = makers.iter().zip(&set.makers).map(|(maker, stake)| {
            let order = self.market.order(maker.number).expect("it was found");
            assert_eq!(order.outcome, maker.outcome);
            self.leg(order, exact(*stake), payout)
        });
        let stake = exact(set.taker);
        Trade {
            taker,
            set: true,
            price: u32::try_from(set.price).expect("between the prices there are"),
            stake,
            quantity: self.quantity(left, stake),
            payout,
            makers: legs.collect(),
        }
    }

    fn leg(&self, maker: &Order, stake: i64, payout: i128) -> Leg {
        assert!(0 < stake && stake <= maker.left);
        Leg {
            maker: maker.number,
            outcome: maker.outcome,
            side: maker.side,
            price: maker.price,
            stake,
            quantity: self.quantity(maker.left, stake),
            left: maker.left - stake,
            payout,
        }
    }

    /// By how much the whole pennies of what is left fall.
    const fn quantity(&self, left: i64, stake: i64) -> i64 {
        self.market.ladder.whole(left) - self.market.ladder.whole(left - stake)
    }
}

/// Of its own orders, to pass over.
struct TooMany;

/// Stake and profit together: stake times odds, or a currency unit a share.
fn payout(ladder: Ladder, stake: i64, price: u32) -> i128 {
    match ladder {
        Ladder::Classic | Ladder::Finest => i128::from(stake) * i128::from(price) / 10_000,
        Ladder::Ticks(_) => i128::from(stake) * 10_000,
    }
}
