//! The rules of complete sets at odds, in exact arithmetic: which payout makers and a taker trade, and what each
//! of them stakes.

use betex_core::types::Side;

/// A probability of one, in the unit of implied prices.
pub(super) const ONE: i128 = 1_000_000_000_000_000_000;
/// A probability of one, times odds of one.
const WHOLE: i128 = ONE * 10_000;

/// What one look at the first makers of all queues sees. Amounts are in quanta, prices in odds x 10 000.
pub(super) struct Look {
    pub(super) side: Side,
    /// What the taker has left.
    pub(super) left: i128,
    pub(super) limit: i128,
    /// The odds of the direct order that the taker would meet now; 0: there is none.
    pub(super) direct: i128,
    /// Odds and what is left, by maker.
    pub(super) makers: Vec<(i128, i128)>,
}

/// What a look comes to.
pub(super) enum Found {
    Set(Stakes),
    /// The maker in this place is passed over.
    PassOver(usize),
    NoSet,
}

/// What everybody stakes, and what the winning leg is paid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stakes {
    pub(super) payout: i128,
    pub(super) taker: i128,
    pub(super) makers: Vec<i128>,
}

impl Look {
    pub(super) fn find(&self) -> Found {
        let q = probability_left(self.odds());
        let bounds: Vec<_> = self.makers.iter().map(|(odds, left)| self.bound(*odds, *left)).collect();
        let most = *bounds.iter().min().expect("a set has makers");
        let pass_over = || {
            let place = bounds.iter().position(|bound| *bound == most);
            Found::PassOver(place.expect("one of them is the least"))
        };
        let too_good = match self.side {
            Side::Yes => 10_000_000 * q < WHOLE,
            Side::No => 10_100 * q > WHOLE,
        };
        if too_good {
            return pass_over();
        }
        if self.is_no_set(q) {
            return Found::NoSet;
        }
        let takers = ONE * self.left / q;
        let payouts = self.payouts(q, most, takers);
        match payouts.into_iter().find_map(|payout| self.acceptable(q, payout)) {
            Some(stakes) => Found::Set(stakes),
            None if most <= takers => pass_over(),
            None => Found::NoSet,
        }
    }

    /// The largest payout that a maker can carry.
    fn bound(&self, odds: i128, left: i128) -> i128 {
        match self.side {
            Side::Yes => (left * odds + 9_999) / 10_000,
            Side::No => left * odds / 10_000,
        }
    }

    /// Whether the implied price is beyond the limit, or no better than the direct order's.
    fn is_no_set(&self, q: i128) -> bool {
        let count = self.count();
        let Self { limit, direct, .. } = *self;
        match self.side {
            Side::Yes => limit * q > WHOLE || direct > 0 && direct * (q + count) >= WHOLE,
            Side::No => q <= 0 || limit * (q + count) < WHOLE || direct > 0 && direct * q <= WHOLE,
        }
    }

    /// The payouts to try, in turn.
    fn payouts(&self, q: i128, makers: i128, takers: i128) -> Vec<i128> {
        let count = self.count();
        let bound = makers.min(takers);
        let certain = match self.side {
            Side::Yes => ONE * (self.left - count).max(0) / (q + count),
            Side::No => ONE * self.left / (q + count),
        };
        let mut payouts = vec![bound, makers.min(certain)];
        // Of multiples of this no stake is rounded.
        let mut exact = 1;
        for odds in self.odds() {
            let part = odds / gcd(odds, 10_000);
            exact = exact / gcd(exact, part) * part;
            if exact > bound {
                return payouts;
            }
        }
        payouts.push(bound / exact * exact);
        payouts
    }

    /// What everybody stakes for a payout, if that is acceptable.
    fn acceptable(&self, q: i128, payout: i128) -> Option<Stakes> {
        let stakes: Vec<_> = self.odds().map(|odds| maker_stake(self.side, odds, payout)).collect();
        let taker = payout - stakes.iter().sum::<i128>();
        let has = |stake: i128, left: i128| 1 <= stake && stake <= left;
        let all_have = stakes.iter().zip(&self.makers).all(|(stake, (_, left))| has(*stake, *left))
            && has(taker, self.left);
        let paid = payout * 10_000;
        let within = match self.side {
            Side::Yes => paid >= taker * self.limit && (self.direct == 0 || paid > taker * self.direct),
            Side::No => paid <= taker * self.limit && (self.direct == 0 || paid < taker * self.direct),
        };
        let fair = is_fair(self.side, q, payout, taker, self.left, self.count());
        (all_have && within && fair).then_some(Stakes { payout, taker, makers: stakes })
    }

    fn odds(&self) -> impl Iterator<Item = i128> + '_ {
        self.makers.iter().map(|(odds, _)| *odds)
    }

    fn count(&self) -> i128 {
        i128::try_from(self.makers.len()).expect("few")
    }
}

/// What a maker stakes for a payout: rounded in its favour.
pub(super) const fn maker_stake(side: Side, odds: i128, payout: i128) -> i128 {
    match side {
        Side::Yes => payout * 10_000 / odds,
        Side::No => (payout * 10_000 + odds - 1) / odds,
    }
}

/// Whether rounding costs a taker next to nothing, or the set nearly uses it up.
pub(super) fn is_fair(side: Side, q: i128, payout: i128, stake: i128, left: i128, makers: i128) -> bool {
    left - stake < 100 + makers
        || 1_024 * rounding_cost(side, q, payout, stake) <= ONE * stake.min(payout - stake)
}

/// By how much rounding makes a taker pay too much, or get too little, in 1/10^18 of a quantum.
pub(super) const fn rounding_cost(side: Side, q: i128, payout: i128, stake: i128) -> i128 {
    match side {
        Side::Yes => ONE * stake - payout * q,
        Side::No => payout * q - ONE * stake,
    }
}

/// What the others leave of a probability of one, rounded down for each of them.
pub(super) fn probability_left(odds: impl Iterator<Item = i128>) -> i128 {
    ONE - odds.map(|odds| (WHOLE + odds - 1) / odds).sum::<i128>()
}

const fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
