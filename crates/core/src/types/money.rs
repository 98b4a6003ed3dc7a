//! Money and quantities: integers, never floats.

use std::fmt;

/// An amount of money in quanta: 1/10 000 of a currency unit (10 000 = 1.00; a penny is 100).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One penny: the default stake increment.
    pub const PENNY: Self = Self(100);
    /// One currency unit.
    pub const UNIT: Self = Self(10_000);
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, amount) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (units, rest) = (amount / 10_000, amount % 10_000);
        if rest % 100 == 0 {
            write!(f, "{sign}{units}.{:02}", rest / 100)
        } else {
            write!(f, "{sign}{units}.{rest:04}")
        }
    }
}

/// How much is ordered, filled or left: the backer's stake in quanta (ExchangeOdds) or shares
/// (BinaryYes). At least 1 in an order, at most [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub i64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most one order may be for: ten thousand million currency units. At odds of 1000 its
    /// payout still fits an `i64` ninety times over.
    pub const MAX: Self = Self(100_000_000_000_000);
}

impl From<Money> for Quantity {
    fn from(stake: Money) -> Self {
        Self(stake.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_prints_as_people_write_it() {
        for (quanta, text) in
            [(0, "0.00"), (10_000, "1.00"), (-12_300, "-1.23"), (12_345, "1.2345"), (100, "0.01")]
        {
            assert_eq!(Money(quanta).to_string(), text);
        }
    }
}
