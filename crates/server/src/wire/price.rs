//! Prices of the wire. This is where floats stop.

use betex_core::ladder::{Ladder, ODDS_MAX};
use betex_core::types::Price;
use betex_proto::v1::PriceType;

/// Parts per million times odds x 10 000.
const ONE: u64 = MILLION * 10_000;
const MILLION: u64 = 1_000_000;
/// How far a number may be from the price that it means, as a part of that price. Floating-point arithmetic is off by
/// about a millionth of this.
const TOLERANCE: f64 = 1e-9;

/// Whether a number means this price, both in the same unit.
fn means(number: f64, price: f64) -> bool {
    (number - price).abs() <= TOLERANCE * price
}

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
    if means(ticks, f64::from(nearest.0)) && (1..max).contains(&nearest.0) {
        return Ok(nearest);
    }
    let nearest = nearest_tick_words(whole(ticks.floor()), max, |price| price.0.to_string());
    Err(PriceFault::OffLadder(format!(
        "price: {ticks:?} ticks are not on the market's ladder (1 to {}); {nearest}",
        max - 1
    )))
}

fn from_ppm_of_ticks(ppm: f64, max: u32) -> Result<Price, PriceFault> {
    let ticks = ppm * f64::from(max) / 1e6;
    let nearest = Price(whole(ticks.round()));
    // Ticks are a hundred parts per million or more; a half may have been rounded either way, and a client may have
    // rounded nothing at all.
    let (double, max_) = (2 * MILLION * u64::from(nearest.0), u64::from(max));
    let (up, down) = (ppm_of_ticks(nearest, max), (double + max_).saturating_sub(1) / (2 * max_));
    let means_it = means(ppm, float(up)) || means(ppm, float(down)) || means(ticks, f64::from(nearest.0));
    if (1..max).contains(&nearest.0) && means_it {
        return Ok(nearest);
    }
    let floor = whole(ticks.floor());
    // The tick may be below and its rounded image above.
    let below = if float(ppm_of_ticks(Price(floor), max)) > ppm { floor.saturating_sub(1) } else { floor };
    let below = if float(ppm_of_ticks(Price(below.saturating_add(1)), max)) < ppm {
        below.saturating_add(1)
    } else {
        below
    };
    let name = |price: Price| format!("{} ({} ticks)", ppm_of_ticks(price, max), price.0);
    let nearest = nearest_tick_words(below, max, name);
    Err(PriceFault::OffLadder(format!(
        "price: {ppm:?} parts per million are not on the market's ladder of 1 to {} ticks; {nearest}; for ticks set price_type to TICKS",
        max - 1
    )))
}

/// Names the valid ticks next to a number that lies above this many ticks and below one more.
fn nearest_tick_words(below: u32, max: u32, name: impl Fn(Price) -> String) -> String {
    let last = max - 1;
    let (below, above) = (below.min(last), below.saturating_add(1));
    let is_valid = |ticks: &u32| (1..max).contains(ticks);
    nearest_words(Some(below).filter(is_valid).map(Price), Some(above).filter(is_valid).map(Price), name)
}

fn from_odds(odds: f64, ladder: Ladder) -> Result<Price, PriceFault> {
    let nearest = Price(whole((odds * 10_000.0).round()));
    if means(odds, self::odds(nearest)) && ladder.tick(nearest).is_some() {
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
    let range = if means(ppm, rounded) { with_image(count, ladder) } else { None };
    match range {
        Some((low, high)) if low == high => Ok(low),
        Some((low, high)) => Err(PriceFault::OffLadder(format!(
            "price: {count} parts per million could mean odds {} or {} on the market's {}; send the odds themselves, with price_type DECIMAL_ODDS",
            low.odds(),
            high.odds(),
            ladder_name(ladder)
        ))),
        None => {
            let about = if ppm <= 0.0 { f64::INFINITY } else { (10_000_000_000.0 / ppm).ceil() };
            let (mut below, mut above) = ladder.neighbours(Price(whole(about)));
            // The image of a price may have been rounded to the other side of the number.
            if let Some(price) = above.filter(|price| float(self::ppm(*price)) > ppm) {
                (below, above) = (above, ladder.neighbours(Price(price.0 + 1)).1);
            }
            if let Some(price) = below.filter(|price| float(self::ppm(*price)) < ppm) {
                (below, above) = (ladder.neighbours(price).0, below);
            }
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

/// Parts per million as a float, exactly: they are few.
fn float(ppm: u64) -> f64 {
    f64::from(u32::try_from(ppm).unwrap_or(u32::MAX))
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
mod tests;
