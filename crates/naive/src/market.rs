//! A market: its terms, and every order it ever took.

use crate::{Hold, Ladder, MarketState, Order, Part, Phase, Refusal, Report, Side, Status, Transition};

/// One market.
#[derive(Clone, Debug)]
pub struct Market {
    /// How many outcomes it ever had.
    pub outcomes: usize,
    /// Those that were removed.
    pub removed: Vec<usize>,
    /// Its prices, and its model.
    pub ladder: Ladder,
    /// Whether complete sets are matched.
    pub synthetic: bool,
    /// Whether several outcomes may win: then there are no sets.
    pub independent: bool,
    /// Whether its two outcomes are one ladder, seen from both sides, if they exclude each other.
    pub pair: bool,
    /// Outcomes of which exactly one wins; none is in two groups.
    pub groups: Vec<Vec<usize>>,
    /// The two outcomes that each quarter line lies between, the one nearer to zero first.
    pub quarters: Vec<(usize, usize)>,
    /// Places of the groups in which a set has traded.
    pub set_traded: Vec<usize>,
    /// Stakes are multiples of this, but not what is filled of them.
    pub increment: i64,
    /// The smallest stake of an order, or of half of one; fills may leave less.
    pub min_stake: i64,
    /// Where it is in its life, holds aside.
    pub state: MarketState,
    /// What keeps it suspended.
    pub holds: Vec<Hold>,
    /// Where it is in its event's time.
    pub phase: Phase,
    /// Whether it may turn in-play.
    pub in_play_capable: bool,
    /// What becomes of resting orders when it does.
    pub transition: Transition,
    /// Every order it ever took, in the order of arrival.
    pub orders: Vec<Order>,
}

impl Market {
    /// An empty, open market on the classic ladder, in pennies, that may turn in-play; one outcome of all
    /// wins, and sets are matched.
    pub fn new(outcomes: usize) -> Self {
        Self {
            outcomes,
            removed: Vec::new(),
            ladder: Ladder::Classic,
            synthetic: true,
            independent: false,
            pair: false,
            groups: vec![(0..outcomes).collect()],
            quarters: Vec::new(),
            set_traded: Vec::new(),
            increment: 100,
            min_stake: 100,
            state: MarketState::Open,
            holds: Vec::new(),
            phase: Phase::Pre,
            in_play_capable: true,
            transition: Transition::RespectPersistence,
            orders: Vec::new(),
        }
    }

    /// The same in whole shares that pay this many ticks. Two outcomes are a pair.
    pub fn binary(outcomes: usize, max_price_ticks: u32) -> Self {
        let ladder = Ladder::Ticks(max_price_ticks);
        Self { ladder, pair: outcomes == 2, increment: 1, min_stake: 1, ..Self::new(outcomes) }
    }

    /// Whether there is such an outcome, still.
    pub fn has(&self, outcome: usize) -> bool {
        outcome < self.outcomes && !self.removed.contains(&outcome)
    }

    /// Whether its two outcomes are one ladder, seen from both sides.
    pub const fn is_pair(&self) -> bool {
        self.pair && !self.independent
    }

    /// Whether its outcomes are YES and NO, or YES alone: then it is complete.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.ladder, Ladder::Ticks(_)) && !self.independent && self.outcomes <= 2
    }

    /// The place of an outcome's group.
    pub fn group_of(&self, outcome: usize) -> Option<usize> {
        self.groups.iter().position(|group| group.contains(&outcome))
    }

    /// The outcomes that have to be met, too, for a complete set with this one; none: there are no sets.
    pub fn others(&self, outcome: usize) -> Vec<usize> {
        if !self.synthetic || self.independent || self.is_pair() {
            return Vec::new();
        }
        let group = self.group_of(outcome);
        let mut others = group.map(|group| self.groups[group].clone()).unwrap_or_default();
        others.retain(|other| *other != outcome);
        others.sort_unstable();
        others
    }

    /// Side and price of an order as they are seen from an outcome: of a pair NO at `p` is YES of the
    /// other at `max - p`.
    pub fn seen_from(&self, outcome: usize, order: &Order) -> Option<(Side, u32)> {
        match self.ladder {
            _ if order.outcome == outcome => Some((order.side, order.price)),
            Ladder::Ticks(max) if self.is_pair() => Some((order.side.other(), max - order.price)),
            _ => None,
        }
    }

    /// The resting orders of one side of an outcome in the order in which a taker meets them: price,
    /// then time. A layer begins at the lowest odds that are backed, a backer at the highest laid.
    pub fn queue(&self, outcome: usize, side: Side) -> Vec<&Order> {
        let seen = |order: &Order| self.seen_from(outcome, order).filter(|(seen, _)| *seen == side);
        let good = |price: u32| self.ladder.good(side.other(), price);
        let rests = self.orders.iter().filter(|order| order.remaining > 0);
        let mut queue: Vec<_> =
            rests.filter_map(|order| seen(order).map(|(_, price)| (-good(price), order))).collect();
        queue.sort_by_key(|(bad, order)| (*bad, order.number));
        queue.into_iter().map(|(_, order)| order).collect()
    }

    /// The order that this account called so.
    pub fn find_client_id(&self, account: u64, client_id: Option<&str>) -> Option<&Order> {
        let same = |order: &&Order| order.account == account && order.client_id.as_deref() == client_id;
        self.orders.iter().find(|order| client_id.is_some() && same(order))
    }

    /// The order, or half of one, with this number.
    pub fn order(&self, number: u64) -> Option<&Order> {
        self.orders.get(place(number)?)
    }

    /// Where an order stands, or half of one.
    pub fn report(&self, number: u64) -> Option<Report> {
        let order = self.order(number)?;
        let parts = self.parts(order);
        let filled = parts.iter().map(|part| part.filled).sum();
        let remaining = parts.iter().map(|part| part.remaining).sum();
        let status = match (filled, remaining) {
            (_, 0) => order.end,
            (0, _) => Status::Resting,
            _ => Status::PartiallyFilled,
        };
        Some(Report { status, stake: order.stake, filled, remaining })
    }

    /// The entries that are matched for an order: itself, or its halves.
    fn parts<'a>(&'a self, order: &'a Order) -> Vec<&'a Order> {
        match order.part {
            Part::Split => [1, 2].iter().filter_map(|half| self.order(order.number + half)).collect(),
            _ => vec![order],
        }
    }

    /// Cancels what an order has resting beyond `keep`; says how much that was. An account, if given,
    /// must be the order's. The order keeps its place. Where it has no more than that to begin with, nothing
    /// changes, whatever `keep` is. The half of an order is no order that a client knows.
    pub fn cancel(&mut self, number: u64, account: u64, keep: i64) -> Result<i64, Refusal> {
        if self.state == MarketState::Closed {
            return Err(Refusal::MarketClosed);
        }
        let order = self.order(number).filter(|order| order.known_as() == number);
        let order = order.ok_or(Refusal::NotFound)?;
        let parts: Vec<_> = self.parts(order).iter().map(|part| (part.number, part.remaining)).collect();
        let rests: i64 = parts.iter().map(|(_, remaining)| remaining).sum();
        if rests == 0 {
            return Err(Refusal::NotFound);
        }
        if account != 0 && account != order.account {
            return Err(Refusal::NotTheOwner);
        }
        if keep >= rests {
            return Ok(0);
        }
        let kept = kept(&parts, keep, self.increment);
        let changed = parts.iter().zip(&kept).filter(|((_, rests), kept)| *kept < rests);
        let small = changed.clone().any(|(_, kept)| !self.is_size(*kept));
        if keep % self.increment != 0 || !self.is_size(keep) || small {
            return Err(Refusal::InvalidStake);
        }
        let beyond: Vec<_> = changed.map(|((number, rests), kept)| (*number, rests - kept)).collect();
        for (number, beyond) in beyond {
            self.take_out(number, beyond, Status::Cancelled);
        }
        Ok(rests - keep)
    }

    /// Whether an order, or half of one, may be made this large: nothing, or no less than the smallest.
    pub(crate) const fn is_size(&self, stake: i64) -> bool {
        stake == 0 || stake >= self.min_stake
    }

    /// Takes this much out of what rests of an order, or half of one, in whole pennies; a fraction of a penny
    /// goes, too. `end` is what it is if that was all.
    pub(crate) fn take_out(&mut self, number: u64, stake: i64, end: Status) {
        let order = self.order_mut(number);
        assert!(0 < stake && stake <= order.remaining, "{stake} of {order:?}");
        order.remaining -= stake;
        order.left = order.remaining;
        self.end(number, end);
    }

    /// Fills exactly this much of what rests of an order, or half of one.
    pub(crate) fn fill(&mut self, number: u64, stake: i64) {
        let ladder = self.ladder;
        let order = self.order_mut(number);
        assert!(0 < stake && stake <= order.left, "{stake} of {order:?}");
        let left = order.left - stake;
        let remaining = ladder.whole(left);
        order.filled += order.remaining - remaining;
        order.remaining = remaining;
        // Less than a penny is dust.
        order.left = if remaining > 0 { left } else { 0 };
        self.end(number, Status::Filled);
    }

    /// If nothing of an order rests any more, this is how the last of it left.
    fn end(&mut self, number: u64, end: Status) {
        let order = self.order_mut(number);
        if order.remaining == 0 {
            order.end = end;
            let known_as = order.known_as();
            // If the other half rests, this is not how the last of the whole left.
            self.order_mut(known_as).end = end;
        }
    }

    fn order_mut(&mut self, number: u64) -> &mut Order {
        place(number).and_then(|place| self.orders.get_mut(place)).expect("numbers come from the list")
    }
}

/// Where the order with this number is in the list.
fn place(number: u64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

/// What each part of an order keeps. The near half keeps the larger half, and what one half cannot hold of
/// its share the other keeps.
fn kept(parts: &[(u64, i64)], keep: i64, increment: i64) -> Vec<i64> {
    match *parts {
        [(_, near_rests), (_, far_rests)] => {
            let far_share = keep / increment / 2 * increment;
            let near_share = keep - far_share;
            let near_keeps = near_rests.min(near_share + (far_share - far_rests).max(0));
            let far_keeps = far_rests.min(far_share + (near_share - near_rests).max(0));
            vec![near_keeps, far_keeps]
        }
        _ => vec![keep],
    }
}
