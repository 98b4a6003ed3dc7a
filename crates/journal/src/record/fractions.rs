//! Amounts with a fraction of a penny. An event has whole pennies and, beside them, the exact stake or the
//! fraction; a record has the exact amount, from which the whole pennies follow.

use betex_core::types::Quantity;

use super::decode::RecordProblem;
use super::encode::EncodeError;
use super::fields::{Decoded, malformed};

/// Quanta of a penny. It is written down here and not taken from the core: what old bytes mean stays.
const PENNY: i64 = 100;

/// Whole pennies and the fraction beyond them as one exact amount.
pub(super) fn exact(whole: Quantity, fraction: u8) -> Result<i64, EncodeError> {
    if i64::from(fraction) >= PENNY {
        return Err(EncodeError::Invalid("a fraction of a penny or more"));
    }
    let exact = Some(whole.0).filter(|whole| *whole >= 0 && whole % PENNY == 0);
    let exact = exact.and_then(|whole| whole.checked_add(fraction.into()));
    exact.ok_or(EncodeError::Invalid("an exact amount beside what is not whole pennies"))
}

/// An exact amount as whole pennies and the fraction beyond them.
pub(super) fn parts(exact: i64) -> Decoded<(Quantity, u8)> {
    if exact < 0 {
        return malformed("an exact amount in it is negative");
    }
    let fraction = u8::try_from(exact % PENNY).or(malformed("a fraction in it cannot be"))?;
    Ok((Quantity(exact - i64::from(fraction)), fraction))
}

/// By how many whole pennies an order's remaining fell when a leg took this exact stake and left this exact
/// amount; `None` where there is no such leg.
pub(super) fn fell(left: i64, stake: i64) -> Option<Quantity> {
    let before = Some(left).filter(|left| *left >= 0 && stake >= 1)?.checked_add(stake)?;
    Some(Quantity(before - before % PENNY - (left - left % PENNY)))
}

/// Whether the whole pennies that a leg took from its taker may be these: the taker's own exact amount is not
/// in the record of a set, and they differ from the stake by less than one penny.
pub(super) fn may_fall(quantity: Quantity, stake: Quantity) -> bool {
    let difference = i128::from(quantity.0) - i128::from(stake.0);
    stake.0 >= 1 && quantity.0 >= 0 && quantity.0 % PENNY == 0 && difference.abs() < i128::from(PENNY)
}

/// The problem of a record where [`fell`] or [`may_fall`] finds no such leg.
pub(super) const UNFOLLOWED: RecordProblem =
    RecordProblem::Malformed("a stake in it cannot be what an order had");
