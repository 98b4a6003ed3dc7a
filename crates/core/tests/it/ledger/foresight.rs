//! Which set must come next, as far as it can be told from the events.
//!
//! Of shares always. At odds, where rounding may keep a set from being fair, so that makers are passed over,
//! only when amounts and prices leave no doubt: then nobody can have been passed over.

use std::collections::BTreeSet;

use betex_core::types::{OrderId, SelfTradePrevention, Side};

use super::Ledger;

/// What must come next.
#[derive(Debug)]
pub(super) enum Next {
    /// A set with these makers that pays this.
    Set {
        makers: Vec<OrderId>,
        payout: i128,
    },
    /// A set in which there is an order of the taker's own.
    Own,
    /// No set.
    Nothing,
    /// Some maker is passed over because its price is absurd.
    TooGood,
    Unknown,
}

const ONE: i128 = 1_000_000_000_000_000_000;

/// What a set would be made of. Amounts are in increments, prices in odds x 10 000.
pub(super) struct Terms {
    side: Side,
    left: i128,
    /// The price to reach, and whether it has to be beaten.
    to_beat: i128,
    /// Price and what is left, by maker.
    makers: Vec<(i128, i128)>,
}

impl Ledger {
    /// Which set an order with so much left must have next. `passed_over` are the makers that sets of shares
    /// have passed over.
    pub(super) fn foresee(&self, taker: OrderId, left: i64, passed_over: &mut BTreeSet<OrderId>) -> Next {
        let entry = &self.orders[&taker];
        let market = &self.markets[&entry.market];
        let others = market.others(entry.accepted.outcome);
        if others.is_empty() {
            return Next::Nothing;
        }
        let side = entry.accepted.side;
        let skips = entry.accepted.self_trade == SelfTradePrevention::Skip;
        let direct = self.direct_queue(taker).find(|id| !skips || !self.is_own(taker, *id));
        let direct = direct.filter(|maker| self.accepts(taker, *maker));
        let direct = direct.map(|maker| i128::from(self.orders[&maker].accepted.price.0));
        let limit = i128::from(entry.accepted.price.0);
        loop {
            let first = |outcome| {
                let mut queue = self.queue((entry.market, outcome, side));
                queue.find(|id| !(passed_over.contains(id) || skips && self.is_own(taker, *id)))
            };
            let makers: Option<Vec<OrderId>> = others.iter().map(|outcome| first(*outcome)).collect();
            let Some(makers) = makers else { return Next::Nothing };
            let increment = market.spec.increment.0;
            let of = |id: &OrderId| {
                let maker = &self.orders[id];
                (i128::from(maker.accepted.price.0), i128::from(maker.remaining() / increment))
            };
            let terms = Terms {
                side,
                left: i128::from(left / increment),
                to_beat: 0,
                makers: makers.iter().map(of).collect(),
            };
            let found = match market.whole() {
                Some(whole) => terms.shares(whole.into(), limit, direct),
                None => terms.at_odds(limit, direct),
            };
            let payout = match found {
                Found::Payout(payout) => payout,
                Found::PassOver(place) => {
                    passed_over.insert(makers[place]);
                    continue;
                }
                Found::Next(next) => return next,
            };
            if makers.iter().any(|maker| self.is_own(taker, *maker)) {
                return Next::Own;
            }
            let unit = if market.whole().is_some() { 10_000 } else { 1 };
            return Next::Set { makers, payout: payout * i128::from(increment) * unit };
        }
    }
}

enum Found {
    Payout(i128),
    PassOver(usize),
    Next(Next),
}

impl Terms {
    /// Shares are never rounded.
    fn shares(&self, whole: i128, limit: i128, direct: Option<i128>) -> Found {
        let price = whole - self.makers.iter().map(|(price, _)| price).sum::<i128>();
        let fewest = || self.makers.iter().map(|(_, left)| *left).min().unwrap_or(0);
        let better = match self.side {
            Side::Yes if price < 1 => {
                let place = self.makers.iter().position(|(_, left)| *left == fewest());
                return Found::PassOver(place.expect("one of them has the fewest"));
            }
            Side::Yes => price <= limit && direct.is_none_or(|direct| price < direct),
            Side::No => price >= 1 && price >= limit && direct.is_none_or(|direct| price > direct),
        };
        if better { Found::Payout(self.left.min(fewest())) } else { Found::Next(Next::Nothing) }
    }

    /// What these makers and no others must give, if that is beyond doubt.
    fn at_odds(mut self, limit: i128, direct: Option<i128>) -> Found {
        let count = self.count();
        let odds: Vec<_> = self.makers.iter().map(|(odds, _)| *odds).collect();
        let q = probability_left(&odds);
        let direct = direct.unwrap_or(limit);
        self.to_beat = match self.side {
            Side::Yes if q * 1_000 < ONE => return Found::Next(Next::TooGood),
            Side::No if q <= 0 => return Found::Next(Next::Nothing),
            Side::No if q * 101 > ONE * 100 => return Found::Next(Next::TooGood),
            Side::Yes => limit.max(direct),
            Side::No => limit.min(direct),
        };
        let most = |(odds, left): &(i128, i128)| match self.side {
            Side::Yes => (left * odds + 9_999) / 10_000,
            Side::No => left * odds / 10_000,
        };
        let makers_bound = self.makers.iter().map(most).min().unwrap_or(0);
        let takers_bound = match self.side {
            Side::Yes => self.left * ONE / q,
            Side::No => (self.left + count) * ONE / q,
        };
        // How far a price within 10^-18 of the implied one is from the one to beat.
        let beats_by = match self.side {
            Side::Yes => ONE * 10_000 - self.to_beat * q,
            Side::No => self.to_beat * (q + count) - ONE * 10_000,
        };
        if beats_by < 0 {
            // Makers that come later only make it worse.
            return Found::Next(Next::Nothing);
        }
        let step = 1.max((count * ONE + 200 * q - 1) / (200 * q));
        let from = makers_bound.min(takers_bound);
        let last = from - 255 * step;
        // The worst that rounding can do is one increment for each maker.
        let worst = (count + 1) * ONE;
        let beats_by = beats_by - if self.side == Side::No { self.to_beat * count } else { 0 };
        let beats =
            last.min(100_000_000_000).checked_mul(beats_by).is_some_and(|by| by > self.to_beat * worst);
        if last < 1_024 * (count + 1) || !beats {
            return Found::Next(Next::Unknown);
        }
        let payouts = || (0..256).map(|place| from - place * step);
        let whole = payouts().find(|payout| self.taker(*payout) == self.left);
        let first = payouts().find(|payout| self.taker(*payout) <= self.left);
        let payout = if makers_bound <= takers_bound { first } else { whole.or(first) };
        payout.map_or(Found::Next(Next::Unknown), Found::Payout)
    }

    /// What the makers leave of a payout for the taker.
    fn taker(&self, payout: i128) -> i128 {
        let stakes = self.makers.iter().map(|(odds, _)| match self.side {
            Side::Yes => payout * 10_000 / odds,
            Side::No => (payout * 10_000 + odds - 1) / odds,
        });
        payout - stakes.sum::<i128>()
    }

    fn count(&self) -> i128 {
        i128::try_from(self.makers.len()).expect("few")
    }

    /// What rounding makes a taker pay, or get, too much or too little, cut; `None`: nothing.
    pub(super) fn rounding_cost(side: Side, odds: &[i128], payout: i128, stake: i128) -> Option<i128> {
        let fair = payout * probability_left(odds);
        let cost = match side {
            Side::Yes => stake * ONE - fair,
            Side::No => fair - stake * ONE,
        };
        (cost > 0).then_some(cost / ONE)
    }
}

/// What the others leave of a probability of one.
fn probability_left(odds: &[i128]) -> i128 {
    ONE - odds.iter().map(|odds| (ONE * 10_000 + odds - 1) / odds).sum::<i128>()
}
