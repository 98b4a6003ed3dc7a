//! Decimal numbers as a JSON text spells them, read without a float in between.

use anyhow::{Context, Result, ensure};

/// Ten thousandths in one, the quanta of money and the unit of odds.
const ONE: i64 = 10_000;
const DECIMALS: usize = 4;

/// `"228.55"` as 2 285 500. Signs, exponents and more than four decimals (other than zeros) are refused.
pub(super) fn ten_thousandths(text: &str) -> Result<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(digits(whole) && digits(fraction), "{text:?} is not a plain decimal number");
    let (kept, rest) = fraction.split_at(fraction.len().min(DECIMALS));
    ensure!(rest.bytes().all(|byte| byte == b'0'), "{text} has more than {DECIMALS} decimals");
    let whole: i64 = whole.parse().with_context(|| text.to_owned())?;
    let fraction: i64 = format!("{kept:0<DECIMALS$}").parse().with_context(|| text.to_owned())?;
    let value = whole.checked_mul(ONE).and_then(|value| value.checked_add(fraction));
    value.with_context(|| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_to_the_last_digit() {
        for (text, value) in [
            ("228.55", Some(2_285_500)),
            ("0.07", Some(700)),
            ("12", Some(120_000)),
            ("12.0", Some(120_000)),
            ("1.00010", Some(10_001)),
            ("1.00001", None),
            ("-1", None),
            ("1e3", None),
            ("1.", None),
            ("\"12\"", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(ten_thousandths(text).ok(), value, "{text}");
        }
    }
}
