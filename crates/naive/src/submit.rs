//! An order comes in: it is checked, meets what it can, and what is left rests or is cancelled.

use crate::walk::{End, Walk};
use crate::{
    Answer, Lasting, Market, MarketState, NewOrder, Order, Part, Price, Reason, Refusal, STAKE_MAX,
    SelfTrade, Status,
};

/// What is matched as one: an order, or a half of it.
struct Share {
    number: u64,
    part: Part,
    outcome: usize,
    stake: i64,
    /// Exactly, with whatever is less than a penny.
    left: i64,
}

impl Market {
    /// Takes an order: it meets what it can, and what is left rests or is cancelled. The caller has
    /// let expire what is due.
    pub fn submit(&mut self, now_ns: u64, order: &NewOrder) -> Result<Answer, Refusal> {
        if let Some(first) = self.find_client_id(order.account, order.client_id.as_deref()) {
            return Err(Refusal::DuplicateClientId(first.number));
        }
        self.check(now_ns, order)?;
        let limit = match order.price {
            Price::Limit(price) | Price::Market(Some(price)) => price,
            Price::Market(None) => self.ladder.worst(order.side),
        };
        // All is tried in a copy, so that a refusal changes nothing.
        let mut after = self.clone();
        let mut shares = self.shares(order);
        let mut walk =
            Walk::new(&mut after, order.account, order.side, limit, order.self_trade, order.post_only);
        let mut end = End::Through;
        for share in &mut shares {
            if end == End::Through {
                (share.left, end) = walk.meet(share.number, share.outcome, share.stake)?;
            }
        }
        // What is less than a penny is released.
        let dust = |share: &Share| if self.ladder.whole(share.left) == 0 { share.left } else { 0 };
        let dust = shares.iter().map(dust).sum();
        let left: i64 = shares.iter().map(|share| self.ladder.whole(share.left)).sum();
        let filled = order.stake - left;
        let crosses_own = order.self_trade == SelfTrade::Skip
            && shares
                .iter()
                .any(|share| self.ladder.whole(share.left) > 0 && walk.crosses_own(share.outcome));
        let reason = reason(order, filled, left, end, walk.sets_ended, crosses_own)?;
        let (trades, own_cancelled) = (walk.trades, walk.own_cancelled);
        let number = after.enter(now_ns, order, limit, &shares, reason);
        *self = after;
        let report = self.report(number).expect("just taken");
        let exact = shares.iter().filter_map(|share| self.order(share.number));
        let left = exact.map(|order| order.left).sum();
        Ok(Answer {
            number,
            status: report.status,
            filled,
            remaining: report.remaining,
            left,
            dust,
            reason,
            trades,
            own_cancelled,
        })
    }

    fn check(&self, now_ns: u64, order: &NewOrder) -> Result<(), Refusal> {
        if self.state_now() != MarketState::Open {
            return Err(Refusal::MarketNotOpen);
        }
        if !self.has(order.outcome) || order.far.is_some_and(|far| !self.has(far)) {
            return Err(Refusal::InvalidOutcome);
        }
        if order.far.is_some_and(|far| !self.quarters.contains(&(order.outcome, far))) {
            return Err(Refusal::InvalidField);
        }
        if let Price::Limit(price) | Price::Market(Some(price)) = order.price
            && !self.ladder.has(price)
        {
            return Err(Refusal::InvalidPrice);
        }
        if order.stake < self.min_stake || order.stake > STAKE_MAX || order.stake % self.increment != 0 {
            return Err(Refusal::InvalidStake);
        }
        // An order of one increment leaves nothing for the further half.
        if self.shares(order).iter().any(|share| !self.is_size(share.stake)) {
            return Err(Refusal::InvalidStake);
        }
        match order.lasting {
            Lasting::Until(expiry_ms) if expiry_ms <= now_ns / 1_000_000 => Err(Refusal::InvalidExpiry),
            Lasting::AtLeast(least) if least < 0 || least > order.stake => Err(Refusal::InvalidField),
            _ if order.post_only && !order.may_rest() => Err(Refusal::InvalidField),
            _ => Ok(()),
        }
    }

    /// What is matched for an order. On a quarter line it is two halves, of which the nearer one gets the
    /// odd increment.
    fn shares(&self, order: &NewOrder) -> Vec<Share> {
        let number = self.orders.len() as u64 + 1;
        let share = |number, part, outcome, stake| Share { number, part, outcome, stake, left: stake };
        let Some(far) = order.far else {
            return vec![share(number, Part::Whole, order.outcome, order.stake)];
        };
        let far_stake = order.stake / self.increment / 2 * self.increment;
        vec![
            share(number + 1, Part::Near, order.outcome, order.stake - far_stake),
            share(number + 2, Part::Far, far, far_stake),
        ]
    }

    /// Puts an order into the list, with its halves if it has some; says its number.
    fn enter(
        &mut self,
        now_ns: u64,
        order: &NewOrder,
        limit: u32,
        shares: &[Share],
        reason: Option<Reason>,
    ) -> u64 {
        let end = if reason.is_none() { Status::Filled } else { Status::Cancelled };
        let whole = Order {
            number: self.orders.len() as u64 + 1,
            part: Part::Split,
            account: order.account,
            client_id: order.client_id.clone(),
            outcome: order.outcome,
            side: order.side,
            price: limit,
            stake: order.stake,
            filled: 0,
            remaining: 0,
            left: 0,
            arrived_ns: now_ns,
            expiry_ms: match order.lasting {
                Lasting::Until(expiry_ms) => Some(expiry_ms),
                Lasting::UntilCancelled | Lasting::Immediate | Lasting::AtLeast(_) => None,
            },
            persists: order.persists,
            end,
        };
        if shares.len() > 1 {
            self.orders.push(whole.clone());
        }
        for share in shares {
            let unfilled = self.ladder.whole(share.left);
            let rests = reason.is_none() && unfilled > 0;
            self.orders.push(Order {
                number: share.number,
                part: share.part,
                client_id: whole.client_id.clone().filter(|_| share.part == Part::Whole),
                outcome: share.outcome,
                stake: share.stake,
                filled: share.stake - unfilled,
                remaining: if rests { unfilled } else { 0 },
                left: if rests { share.left } else { 0 },
                end: if unfilled == 0 { Status::Filled } else { end },
                ..whole.clone()
            });
        }
        whole.number
    }
}

/// Why what is left of an order is cancelled, if it is; or why all of it is refused.
fn reason(
    order: &NewOrder,
    filled: i64,
    left: i64,
    end: End,
    sets_ended: bool,
    crosses_own: bool,
) -> Result<Option<Reason>, Refusal> {
    if left == 0 {
        return Ok(None);
    }
    if let Lasting::AtLeast(least) = order.lasting
        && filled < if least == 0 { order.stake } else { least }
    {
        let bound_met = end == End::BoundMet || sets_ended;
        return Err(if bound_met { Refusal::OrderLimit } else { Refusal::WouldNotFill });
    }
    match end {
        End::BoundMet => Ok(Some(Reason::OrderLimit)),
        End::OwnOrderMet => Ok(Some(Reason::SelfTrade)),
        End::Through if !order.may_rest() => Ok(Some(Reason::NeverRests)),
        End::Through if crosses_own && filled == 0 => Err(Refusal::SelfTrade),
        End::Through if crosses_own => Ok(Some(Reason::SelfTrade)),
        End::Through => Ok(None),
    }
}
