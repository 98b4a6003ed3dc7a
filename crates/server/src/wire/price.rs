//! Prices of the wire. This is where floats stop.

use betex_core::ladder::{Ladder, ODDS_MAX};
use betex_core::types::Price;
use betex_proto::v1::PriceType;

/// Parts per million times odds x 10 000.
const ONE: u64 = MILLION * 10_000;
const MILLION: u64 = 1_000_000;
/// How far decimal odds may be from the price they mean.
const ODDS_TOLERANCE: f64 = 1e-9;
/// How far parts per million may be from a whole number: whoever computes 1e6 / odds and forgets to round
/// lands as near as this where the result is whole.
const PPM_TOLERANCE: f64 = 1e-6;

/// A price that is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PriceFault {
    /// The request is malformed; the field and what is wrong with it.
    Malformed(&'static str, String),
    /// The market does not take it.
    OffLadder(String),
}

/// The odds of a price, for the wire.
pub(crate) fn odds(price: Price) -> f64 {
    f64::from(price.0) / 10_000.0
}

/// The parts per million of a price, for the wire: `round(1e6 / odds)`, halves up.
pub(crate) fn ppm(price: Price) -> u64 {
    let price = u64::from(price.0).max(1);
    (2 * ONE + price) / (2 * price)
}

/// The parts per million of a price in ticks, for the wire: `round(1e6 * ticks / max)`, halves up.
pub(crate) fn ppm_of_ticks(price: Price, max: u32) -> u64 {
    let (price, max) = (u64::from(price.0), u64::from(max).max(1));
    (2 * MILLION * price + max) / (2 * max)
}

/// Refuses what is no number at all; that needs no market to be told.
pub(crate) fn check_finite(price: f64) -> Result<(), PriceFault> {
    if price.is_finite() {
        return Ok(());
    }
    Err(PriceFault::Malformed(
        "price",
        format!(
            "{price} is not a number; odds such as 2.5 with price_type DECIMAL_ODDS, or in a binary market 55 with TICKS"
        ),
    ))
}

/// The price that is meant.
pub(crate) fn parse(price: f64, price_type: PriceType, ladder: Ladder) -> Result<Price, PriceFault> {
    check_finite(price)?;
    if let Ladder::Binary { max_price_ticks } = ladder {
        let max = u32::from(max_price_ticks);
        return match price_type {
            PriceType::Ticks => from_ticks(price, max),
            PriceType::BasisPoints => from_ppm_of_ticks(price, max),
            PriceType::DecimalOdds => Err(PriceFault::Malformed(
                "price_type",
                "DECIMAL_ODDS are for markets at odds; this one is binary: send TICKS (2)".to_owned(),
            )),
        };
    }
    match price_type {
        PriceType::DecimalOdds => from_odds(price, ladder),
        PriceType::BasisPoints => from_ppm(price, ladder),
        PriceType::Ticks => Err(PriceFault::Malformed(
            "price_type",
            "TICKS are for binary markets; this market takes DECIMAL_ODDS or BASIS_POINTS".to_owned(),
        )),
    }
}

fn from_ticks(ticks: f64, max: u32) -> Result<Price, PriceFault> {
    let nearest = Price(whole(ticks.round()));
    if f64::from(nearest.0) == ticks && (1..max).contains(&nearest.0) {
        return Ok(nearest);
    }
    let nearest = nearest_words(below(ticks, max), above(ticks, max), |price| price.0.to_string());
    Err(PriceFault::OffLadder(format!(
        "price: {ticks:?} ticks are not on the market's ladder (1 to {}); {nearest}",
        max - 1
    )))
}

fn from_ppm_of_ticks(ppm: f64, max: u32) -> Result<Price, PriceFault> {
    let ticks = ppm * f64::from(max) / 1e6;
    let nearest = Price(whole(ticks.round()));
    // Ticks are a hundred parts per million or more; a half may have been rounded either way.
    let is_image =
        |image: u64| (ppm - f64::from(u32::try_from(image).unwrap_or(u32::MAX))).abs() <= PPM_TOLERANCE;
    let (double, max_) = (2 * MILLION * u64::from(nearest.0), u64::from(max));
    let (up, down) = (ppm_of_ticks(nearest, max), (double + max_).saturating_sub(1) / (2 * max_));
    if (1..max).contains(&nearest.0) && (is_image(up) || is_image(down)) {
        return Ok(nearest);
    }
    let name = |price: Price| format!("{} ({} ticks)", ppm_of_ticks(price, max), price.0);
    let nearest = nearest_words(below(ticks, max), above(ticks, max), name);
    Err(PriceFault::OffLadder(format!(
        "price: {ppm:?} parts per million are not on the market's ladder of 1 to {} ticks; {nearest}; for ticks set price_type to TICKS",
        max - 1
    )))
}

/// The next whole tick below, if there is one.
fn below(ticks: f64, max: u32) -> Option<Price> {
    Some(whole((ticks - 1e-9).floor()).min(max - 1)).filter(|ticks| *ticks > 0).map(Price)
}

/// The next whole tick above, if there is one.
fn above(ticks: f64, max: u32) -> Option<Price> {
    Some(whole((ticks + 1e-9).ceil()).max(1)).filter(|ticks| *ticks < max).map(Price)
}

fn from_odds(odds: f64, ladder: Ladder) -> Result<Price, PriceFault> {
    let nearest = Price(whole((odds * 10_000.0).round()));
    if (self::odds(nearest) - odds).abs() <= ODDS_TOLERANCE && ladder.tick(nearest).is_some() {
        return Ok(nearest);
    }
    // Upwards, so that the neighbour below is below and the one above is not the same.
    let (below, above) = ladder.neighbours(Price(whole((odds * 10_000.0).ceil())));
    let nearest = nearest_words(below, above, |price| price.odds().to_string());
    Err(PriceFault::OffLadder(format!(
        "price: {odds:?} is not on the market's {}; {nearest}",
        ladder_name(ladder)
    )))
}

fn from_ppm(ppm: f64, ladder: Ladder) -> Result<Price, PriceFault> {
    let rounded = ppm.round();
    let count = u64::from(whole(rounded));
    let range = if (ppm - rounded).abs() <= PPM_TOLERANCE { with_image(count, ladder) } else { None };
    match range {
        Some((low, high)) if low == high => Ok(low),
        Some((low, high)) => Err(PriceFault::OffLadder(format!(
            "price: {count} parts per million could mean odds {} or {} on the market's {}; send the odds themselves, with price_type DECIMAL_ODDS",
            low.odds(),
            high.odds(),
            ladder_name(ladder)
        ))),
        None => {
            let about = if ppm <= 0.0 { 0.0 } else { (10_000_000_000.0 / ppm).ceil() };
            let (below, above) = ladder.neighbours(Price(whole(about)));
            let nearest =
                nearest_words(below, above, |price| format!("{} (odds {})", self::ppm(price), price.odds()));
            Err(PriceFault::OffLadder(format!(
                "price: {ppm:?} parts per million are not on the market's {}; {nearest}; for decimal odds set price_type to DECIMAL_ODDS",
                ladder_name(ladder)
            )))
        }
    }
}

/// The lowest and the highest price of the ladder whose image in parts per million is this. A half may
/// have been rounded either way: not every language rounds it up.
fn with_image(ppm: u64, ladder: Ladder) -> Option<(Price, Price)> {
    let low = (2 * ONE).div_ceil(2 * ppm + 1);
    let high =
        (2 * ONE).checked_div((2 * ppm).saturating_sub(1)).unwrap_or(u64::MAX).min(u64::from(ODDS_MAX.0));
    let (_, low) = ladder.neighbours(Price(u32::try_from(low).ok()?));
    let (high, _) = ladder.neighbours(Price(u32::try_from(high).ok()? + 1));
    low.zip(high).filter(|(low, high)| low <= high)
}

/// As a `u32`: below 0 is 0, what is too large is the largest there is.
fn whole(number: f64) -> u32 {
    // A cast from a float saturates; that is what is wanted.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = number as u32;
    whole
}

fn nearest_words(below: Option<Price>, above: Option<Price>, name: impl Fn(Price) -> String) -> String {
    match (below, above) {
        (Some(below), Some(above)) => format!("the nearest are {} and {}", name(below), name(above)),
        (Some(only), None) | (None, Some(only)) => format!("the nearest is {}", name(only)),
        (None, None) => "it has no prices".to_owned(),
    }
}

fn ladder_name(ladder: Ladder) -> String {
    let (first, last) = ladder.ends();
    let name = if ladder == Ladder::Finest { "FINEST" } else { "CLASSIC" };
    format!("{name} ladder ({} to {})", first.odds(), last.odds())
}

#[cfg(test)]
mod tests {
    use betex_core::ladder::Tick;

    use super::*;
    use PriceType::{BasisPoints, DecimalOdds, Ticks};

    fn all(ladder: Ladder) -> impl Iterator<Item = Price> {
        (0..ladder.len()).map(move |tick| ladder.price(Tick(tick)))
    }

    #[test]
    fn every_price_comes_back_as_odds() {
        for ladder in [Ladder::Classic, Ladder::Finest] {
            for price in all(ladder) {
                assert_eq!(parse(odds(price), DecimalOdds, ladder), Ok(price));
            }
        }
    }

    #[test]
    fn every_classic_price_comes_back_as_parts_per_million() {
        for price in all(Ladder::Classic) {
            #[expect(clippy::cast_precision_loss)]
            let image = ppm(price) as f64;
            assert_eq!(parse(image, BasisPoints, Ladder::Classic), Ok(price), "{price:?}");
            // And as a client computes it that does not round a half up.
            let image = (1e6 / odds(price)).round_ties_even();
            assert_eq!(parse(image, BasisPoints, Ladder::Classic), Ok(price), "{price:?}");
        }
        assert_eq!(ppm(Price(25_000)), 400_000);
        assert_eq!(ppm(Price(6_400_000)), 1_563);
    }

    #[test]
    fn odds_may_be_off_by_a_billionth() {
        let classic = |odds| parse(odds, DecimalOdds, Ladder::Classic).is_ok();
        assert!(classic(2.5) && classic(2.5 + 0.9e-9) && classic(2.5 - 0.9e-9) && classic(0.1 + 0.2 + 1.0));
        assert!(
            !classic(2.5 + 2e-9)
                && !classic(2.5 - 2e-9)
                && !classic(2.51)
                && !classic(1.0)
                && !classic(1_010.0)
        );
    }

    #[test]
    fn a_price_off_the_ladder_is_told_its_neighbours() {
        for (price, price_type, ladder, words) in [
            (2.01, DecimalOdds, Ladder::Classic, "the nearest are 2.00 and 2.02"),
            (2.000_001, DecimalOdds, Ladder::Classic, "the nearest are 2.00 and 2.02"),
            (1.999_999, DecimalOdds, Ladder::Classic, "the nearest are 1.99 and 2.00"),
            (0.0, DecimalOdds, Ladder::Classic, "the nearest is 1.01"),
            (-2.5, DecimalOdds, Ladder::Finest, "the nearest is 1.01"),
            (1e300, DecimalOdds, Ladder::Finest, "the nearest is 1000.00"),
            (2.505, DecimalOdds, Ladder::Finest, "the nearest are 2.50 and 2.51"),
            (
                400_001.0,
                BasisPoints,
                Ladder::Classic,
                "the nearest are 403226 (odds 2.48) and 400000 (odds 2.50)",
            ),
            (
                400_000.5,
                BasisPoints,
                Ladder::Classic,
                "the nearest are 403226 (odds 2.48) and 400000 (odds 2.50)",
            ),
            (2.5, BasisPoints, Ladder::Classic, "set price_type to DECIMAL_ODDS"),
            (0.0, BasisPoints, Ladder::Classic, "the nearest is"),
            (-1.0, BasisPoints, Ladder::Finest, "the nearest is"),
            (1e300, BasisPoints, Ladder::Finest, "the nearest is 990099 (odds 1.01)"),
            (2_000.0, BasisPoints, Ladder::Finest, "could mean odds 499.88 or 500.12"),
        ] {
            let Err(PriceFault::OffLadder(message)) = parse(price, price_type, ladder) else {
                panic!("{price} was taken");
            };
            assert!(message.contains(words), "{price}: {message}");
        }
        assert_eq!(parse(400_000.0, BasisPoints, Ladder::Finest), Ok(Price(25_000)));
    }

    #[test]
    fn what_is_no_price_at_all_is_malformed() {
        for (price, price_type) in [
            (f64::NAN, DecimalOdds),
            (f64::INFINITY, DecimalOdds),
            (f64::NEG_INFINITY, BasisPoints),
            (50.0, Ticks),
        ] {
            assert!(
                matches!(parse(price, price_type, Ladder::Classic), Err(PriceFault::Malformed(..))),
                "{price}"
            );
        }
    }

    #[test]
    fn every_tick_comes_back_in_ticks_and_as_parts_per_million() {
        for max_price_ticks in [2, 3, 64, 100, 128, 9_999, 10_000] {
            let ladder = Ladder::Binary { max_price_ticks };
            for price in (1..u32::from(max_price_ticks)).map(Price) {
                assert_eq!(parse(f64::from(price.0), Ticks, ladder), Ok(price));
                let image = 1e6 * f64::from(price.0) / f64::from(max_price_ticks);
                for image in [image.round(), image.round_ties_even()] {
                    assert_eq!(
                        parse(image, BasisPoints, ladder),
                        Ok(price),
                        "{price:?} of {max_price_ticks}"
                    );
                }
            }
        }
        assert_eq!((ppm_of_ticks(Price(1), 3), ppm_of_ticks(Price(1), 128)), (333_333, 7_813));
    }

    #[test]
    fn a_price_between_ticks_is_told_its_neighbours() {
        let ladder = Ladder::Binary { max_price_ticks: 100 };
        for (price, price_type, words) in [
            (55.5, Ticks, "55.5 ticks are not on the market's ladder (1 to 99); the nearest are 55 and 56"),
            (0.0, Ticks, "the nearest is 1"),
            (-5.0, Ticks, "the nearest is 1"),
            (100.0, Ticks, "the nearest is 99"),
            (1e300, Ticks, "the nearest is 99"),
            (550_001.0, BasisPoints, "the nearest are 550000 (55 ticks) and 560000 (56 ticks)"),
            (549_999.0, BasisPoints, "the nearest are 540000 (54 ticks) and 550000 (55 ticks)"),
            (55.0, BasisPoints, "the nearest is 10000 (1 ticks); for ticks set price_type to TICKS"),
            (1e6, BasisPoints, "the nearest is 990000 (99 ticks)"),
        ] {
            let Err(PriceFault::OffLadder(message)) = parse(price, price_type, ladder) else {
                panic!("{price} was taken");
            };
            assert!(message.contains(words), "{price}: {message}");
        }
        let odds = parse(2.5, DecimalOdds, ladder);
        assert!(
            matches!(odds, Err(PriceFault::Malformed("price_type", words)) if words.contains("send TICKS (2)"))
        );
    }
}
