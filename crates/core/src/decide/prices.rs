//! What the prices of the makers of a set come to together: the probability that they stand for, and the payout
//! at which none of their stakes is rounded.

use super::sets::Maker;

/// What the prices of the makers come to.
#[derive(Clone, Copy, Default)]
pub(super) struct Prices {
    /// The probabilities that they stand for, together.
    probability: u128,
    /// What is known of the smallest payout at which no maker's stake is rounded.
    even: Option<Even>,
}

#[derive(Clone, Copy)]
enum Even {
    Is(u64),
    Above(u64),
}

impl Prices {
    pub(super) const fn new() -> Self {
        Self { probability: 0, even: None }
    }

    /// A maker with these odds is there, in place of one that stood for this probability.
    pub(super) fn change(&mut self, before: u64, maker: &Maker) {
        self.probability = self.probability - u128::from(before) + u128::from(maker.probability);
        self.even = None;
    }

    pub(super) const fn probability(&self) -> u128 {
        self.probability
    }

    /// The smallest payout at which no maker's stake is rounded, unless it is above `max`.
    pub(super) fn even(&mut self, makers: &[Maker], max: u64) -> Option<u64> {
        let even = match self.even {
            Some(Even::Above(bound)) if max > bound => even_payout(makers, max),
            Some(known) => known,
            None => even_payout(makers, max),
        };
        self.even = Some(even);
        if let Even::Is(even) = even
            && even <= max
        {
            Some(even)
        } else {
            None
        }
    }
}

/// The least common multiple of the payouts at which each maker's stake is not rounded. Beyond `max` it is not
/// worked out.
fn even_payout(makers: &[Maker], max: u64) -> Even {
    let mut payout = 1_u64;
    for maker in makers {
        // Most often one of the two is a multiple of the other, or neither is, and then the least common multiple
        // is twice the larger one at least: too much.
        let even = even(maker.price);
        let (low, high) = if payout < even { (payout, even) } else { (even, payout) };
        let multiple = if low == 1 || high.is_multiple_of(low) {
            Some(high)
        } else if high > max / 2 {
            None
        } else {
            (low / gcd(high, low)).checked_mul(high)
        };
        match multiple {
            Some(multiple) if multiple <= max => payout = multiple,
            _ => return Even::Above(max),
        }
    }
    Even::Is(payout)
}

/// The smallest payout at which the stake of a maker at these odds is not rounded.
const fn even(odds: u64) -> u64 {
    // Odds have two decimals, and divisions by constants are fast ones.
    let odds = odds / 100;
    match HUNDREDTHS[(odds % 100) as usize] {
        1 => odds,
        2 => odds / 2,
        4 => odds / 4,
        5 => odds / 5,
        10 => odds / 10,
        20 => odds / 20,
        25 => odds / 25,
        50 => odds / 50,
        _ => odds / 100,
    }
}

/// The greatest common divisors of numbers with 100.
static HUNDREDTHS: [u64; 100] = {
    let mut divisors = [100; 100];
    let mut number = 1;
    while number < 100 {
        divisors[number] = gcd(100, number as u64);
        number += 1;
    }
    divisors
};

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
