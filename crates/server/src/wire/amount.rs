//! Pennies outside, quanta (hundredths of a penny) inside.

use betex_core::types::{Money, Quantity};

/// Quanta in a penny.
const PENNY: i64 = Money::PENNY.0;

/// The most pennies that one order may be for.
pub(crate) const PENNIES_MAX: u64 = Quantity::MAX.0.unsigned_abs() / PENNY.unsigned_abs();

/// An amount of the wire, or `None` if it is more than any order may be for.
pub(crate) fn quantity(pennies: u64) -> Option<Quantity> {
    if pennies > PENNIES_MAX {
        return None;
    }
    Some(Quantity(i64::try_from(pennies).ok()?.checked_mul(PENNY)?))
}

/// An amount for the wire.
pub(crate) fn pennies(quantity: Quantity) -> u64 {
    // A quantity is never negative.
    u64::try_from(quantity.0 / PENNY).unwrap_or(0)
}

/// A sum of amounts for the wire. What does not fit would take centuries to trade.
pub(crate) fn pennies_of_sum(quanta: i128) -> u64 {
    u64::try_from((quanta / i128::from(PENNY)).max(0)).unwrap_or(u64::MAX)
}

/// A payout for the wire: in hundredths of a penny, which are quanta, so that it is exact.
pub(crate) fn payout(money: Money) -> u64 {
    u64::try_from(money.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pennies_are_a_hundred_quanta() {
        assert_eq!(quantity(1), Some(Quantity(100)));
        assert_eq!(quantity(PENNIES_MAX), Some(Quantity::MAX));
        assert_eq!(quantity(PENNIES_MAX + 1), None);
        assert_eq!(quantity(u64::MAX), None);
        assert_eq!(pennies(Quantity::MAX), PENNIES_MAX);
        assert_eq!(pennies_of_sum(i128::MAX), u64::MAX);
    }
}
