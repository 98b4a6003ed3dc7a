use crate::{
    Answer, FILLS_MAX, Ladder, Lasting, MarketState, NewOrder, OWN_ORDERS_SKIPPED_MAX, Order, Price, Reason,
    Refusal, STAKE_MAX, Side, Status, Trade,
};

/// One market with direct matching at odds.
#[derive(Clone, Debug)]
pub struct Market {
    /// How many outcomes.
    pub outcomes: usize,
    /// Its prices.
    pub ladder: Ladder,
    /// Stakes are multiples of this.
    pub increment: i64,
    /// The smallest stake of an order.
    pub min_stake: i64,
    /// Where it is in its life.
    pub state: MarketState,
    /// Every order it ever took, in the order of arrival.
    pub orders: Vec<Order>,
}

/// How a new order's walk through the resting orders ends.
struct Walk {
    trades: Vec<Trade>,
    left: i64,
    own_orders_skipped: usize,
    bound_met: bool,
}

impl Market {
    /// An empty, open market on the classic ladder, in pennies.
    pub fn new(outcomes: usize) -> Self {
        let state = MarketState::Open;
        Self { outcomes, ladder: Ladder::Classic, increment: 100, min_stake: 100, state, orders: Vec::new() }
    }

    /// `Created -> Open <-> Suspended -> Closed`, and closed from anywhere. Closing cancels every
    /// resting order.
    pub fn change_state(&mut self, to: MarketState) -> Result<(), Refusal> {
        use MarketState::{Closed, Created, Open, Suspended};
        let allowed = match to {
            Created => false,
            Open => self.state == Created || self.state == Suspended,
            Suspended => self.state == Open,
            Closed => self.state != Closed,
        };
        if !allowed {
            return Err(Refusal::InvalidTransition);
        }
        self.state = to;
        if to == Closed {
            for order in self.orders.iter_mut().filter(|order| order.remaining > 0) {
                order.remaining = 0;
                order.end = Status::Cancelled;
            }
        }
        Ok(())
    }

    /// Ends every order whose time has come; says which, first to expire first.
    pub fn expire(&mut self, now_ms: u64) -> Vec<u64> {
        let due =
            |order: &Order| order.remaining > 0 && order.expiry_ms.is_some_and(|expiry| expiry <= now_ms);
        let mut expired: Vec<_> = self
            .orders
            .iter()
            .filter(|order| due(order))
            .map(|order| (order.expiry_ms, order.number))
            .collect();
        expired.sort();
        let mut numbers = Vec::new();
        for (_, number) in expired {
            let order = self.order_mut(number);
            order.remaining = 0;
            order.end = Status::Expired;
            numbers.push(number);
        }
        numbers
    }

    /// Takes an order: it meets what it can, and what is left rests or is cancelled. Whoever calls has
    /// let expire what is due.
    pub fn submit(&mut self, now_ms: u64, order: &NewOrder) -> Result<Answer, Refusal> {
        if let Some(first) = self.find_client_id(order.account, order.client_id.as_deref()) {
            return Err(Refusal::DuplicateClientId(first.number));
        }
        self.check(now_ms, order)?;
        let worst_odds = match (order.price, order.side) {
            (Price::Limit(odds) | Price::Market(Some(odds)), _) => odds,
            (Price::Market(None), Side::Back) => 10_100,
            (Price::Market(None), Side::Lay) => 10_000_000,
        };
        let walk = self.walk(order, worst_odds);
        let filled = order.stake - walk.left;
        let may_rest = matches!(order.price, Price::Limit(_)) && order.lasting != Lasting::Immediate;
        let reason = if walk.left == 0 {
            None
        } else if walk.bound_met {
            Some(Reason::OrderLimit)
        } else if !may_rest {
            Some(Reason::NeverRests)
        } else if walk.own_orders_skipped > 0 {
            if filled == 0 {
                return Err(Refusal::SelfTrade);
            }
            Some(Reason::SelfTrade)
        } else {
            None
        };

        for trade in &walk.trades {
            let maker = self.order_mut(trade.maker);
            maker.filled += trade.stake;
            maker.remaining -= trade.stake;
        }
        let taken = Order {
            number: self.orders.len() as u64 + 1,
            account: order.account,
            client_id: order.client_id.clone(),
            outcome: order.outcome,
            side: order.side,
            odds: worst_odds,
            stake: order.stake,
            filled,
            remaining: if reason.is_none() { walk.left } else { 0 },
            expiry_ms: match order.lasting {
                Lasting::Until(expiry_ms) => Some(expiry_ms),
                Lasting::UntilCancelled | Lasting::Immediate => None,
            },
            end: if reason.is_none() { Status::Filled } else { Status::Cancelled },
        };
        let answer = Answer {
            number: taken.number,
            status: taken.status(),
            filled,
            remaining: taken.remaining,
            reason,
            trades: walk.trades,
        };
        self.orders.push(taken);
        Ok(answer)
    }

    fn check(&self, now_ms: u64, order: &NewOrder) -> Result<(), Refusal> {
        if self.state != MarketState::Open {
            return Err(Refusal::MarketNotOpen);
        }
        if order.outcome >= self.outcomes {
            return Err(Refusal::InvalidOutcome);
        }
        if let Price::Limit(odds) | Price::Market(Some(odds)) = order.price
            && !self.ladder.has(odds)
        {
            return Err(Refusal::InvalidPrice);
        }
        if order.stake < self.min_stake || order.stake > STAKE_MAX || order.stake % self.increment != 0 {
            return Err(Refusal::InvalidStake);
        }
        match order.lasting {
            Lasting::Until(expiry_ms) if expiry_ms <= now_ms => Err(Refusal::InvalidExpiry),
            _ => Ok(()),
        }
    }

    /// Meets the resting orders of the other side in turn, up to the worst odds that are acceptable,
    /// each at its own odds. Orders of the same account are passed over.
    fn walk(&self, order: &NewOrder, worst_odds: u32) -> Walk {
        let mut walk = Walk { trades: vec![], left: order.stake, own_orders_skipped: 0, bound_met: false };
        for maker in self.queue(order.outcome, order.side.other()) {
            let acceptable = match order.side {
                Side::Back => maker.odds >= worst_odds,
                Side::Lay => maker.odds <= worst_odds,
            };
            if walk.left == 0 || !acceptable {
                break;
            }
            // There is still somebody to meet, but enough is enough.
            if walk.trades.len() == FILLS_MAX || walk.own_orders_skipped == OWN_ORDERS_SKIPPED_MAX {
                walk.bound_met = true;
                break;
            }
            if order.account != 0 && order.account == maker.account {
                walk.own_orders_skipped += 1;
                continue;
            }
            let stake = walk.left.min(maker.remaining);
            let payout = i128::from(stake) * i128::from(maker.odds) / 10_000;
            walk.trades.push(Trade { maker: maker.number, odds: maker.odds, stake, payout });
            walk.left -= stake;
        }
        walk
    }

    /// Cancels what an order has resting beyond `keep`; says how much that was. An account, if given,
    /// must be the order's. The order keeps its place.
    pub fn cancel(&mut self, number: u64, account: u64, keep: i64) -> Result<i64, Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        let increment = self.increment;
        let order = self.orders.iter_mut().find(|order| order.number == number && order.remaining > 0);
        let order = order.ok_or(Refusal::NotFound)?;
        if account != 0 && account != order.account {
            return Err(Refusal::NotTheOwner);
        }
        if keep < 0 || keep % increment != 0 {
            return Err(Refusal::InvalidStake);
        }
        let before = order.remaining;
        order.remaining = before.min(keep);
        if order.remaining == 0 {
            order.end = Status::Cancelled;
        }
        Ok(before - order.remaining)
    }

    /// The resting orders of one side of an outcome in the order in which a taker meets them: price,
    /// then time. A layer begins at the lowest odds that are backed, a backer at the highest laid.
    pub fn queue(&self, outcome: usize, side: Side) -> Vec<&Order> {
        let rests = |order: &&Order| order.outcome == outcome && order.side == side && order.remaining > 0;
        let mut queue: Vec<_> = self.orders.iter().filter(rests).collect();
        match side {
            Side::Back => queue.sort_by_key(|order| (order.odds, order.number)),
            Side::Lay => queue.sort_by_key(|order| (u32::MAX - order.odds, order.number)),
        }
        queue
    }

    /// The order that this account called so.
    pub fn find_client_id(&self, account: u64, client_id: Option<&str>) -> Option<&Order> {
        let same = |order: &&Order| order.account == account && order.client_id.as_deref() == client_id;
        self.orders.iter().find(|order| client_id.is_some() && same(order))
    }

    /// The order with this number.
    pub fn order(&self, number: u64) -> Option<&Order> {
        self.orders.iter().find(|order| order.number == number)
    }

    fn order_mut(&mut self, number: u64) -> &mut Order {
        self.orders.iter_mut().find(|order| order.number == number).expect("numbers come from the list")
    }
}

impl Order {
    /// Where it stands.
    pub fn status(&self) -> Status {
        match (self.filled, self.remaining) {
            (0, 1..) => Status::Resting,
            (_, 1..) => Status::PartiallyFilled,
            _ => self.end,
        }
    }
}

impl Side {
    /// The side it trades with.
    pub fn other(self) -> Self {
        match self {
            Self::Back => Self::Lay,
            Self::Lay => Self::Back,
        }
    }
}

impl Ladder {
    /// Whether these odds are on it.
    pub fn has(self, odds: u32) -> bool {
        let steps: &[(u32, u32, u32)] = match self {
            Self::Classic => &[
                (10_100, 20_000, 100),
                (20_000, 30_000, 200),
                (30_000, 40_000, 500),
                (40_000, 60_000, 1_000),
                (60_000, 100_000, 2_000),
                (100_000, 200_000, 5_000),
                (200_000, 300_000, 10_000),
                (300_000, 500_000, 20_000),
                (500_000, 1_000_000, 50_000),
                (1_000_000, 10_000_000, 100_000),
            ],
            Self::Finest => &[(10_100, 10_000_000, 100)],
        };
        steps
            .iter()
            .any(|&(from, to, step)| (from..=to).contains(&odds) && (odds - from).is_multiple_of(step))
    }
}
