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
                assert_eq!(parse(image, BasisPoints, ladder), Ok(price), "{price:?} of {max_price_ticks}");
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

/// What each price is called in this type, as the server tells it and as a client computes it, each with the price.
fn spellings(ladder: Ladder, price_type: PriceType) -> Vec<(f64, Price)> {
    let spell = |price: Price| match (price_type, ladder) {
        (Ticks, _) => f64::from(price.0),
        (BasisPoints, Ladder::Binary { max_price_ticks }) => {
            float(ppm_of_ticks(price, max_price_ticks.into()))
        }
        (BasisPoints, _) => float(ppm(price)),
        (DecimalOdds, _) => odds(price),
    };
    let mut spellings: Vec<_> = all(ladder).map(|price| (spell(price), price)).collect();
    spellings.sort_by(|one, other| one.0.total_cmp(&other.0));
    spellings
}

const KINDS: [(Ladder, PriceType); 7] = [
    (Ladder::Classic, DecimalOdds),
    (Ladder::Finest, DecimalOdds),
    (Ladder::Classic, BasisPoints),
    (Ladder::Binary { max_price_ticks: 100 }, Ticks),
    (Ladder::Binary { max_price_ticks: 10_000 }, Ticks),
    (Ladder::Binary { max_price_ticks: 3 }, BasisPoints),
    (Ladder::Binary { max_price_ticks: 9_999 }, BasisPoints),
];

#[test]
fn a_price_may_be_off_by_a_billionth_of_it() {
    for (ladder, price_type) in KINDS {
        for (number, price) in spellings(ladder, price_type) {
            for off in [1.0 - 0.9e-9, 1.0 + 0.9e-9, 1.0 - f64::EPSILON, 1.0 + f64::EPSILON] {
                assert_eq!(parse(number * off, price_type, ladder), Ok(price), "{number} {price_type:?}");
            }
            // A share of a binary market may also be given exactly, which can be this near to its rounded image.
            let exact_too = price_type == BasisPoints && matches!(ladder, Ladder::Binary { .. });
            for off in [1.0 - 2e-9, 1.0 + 2e-9].into_iter().filter(|_| !exact_too) {
                assert!(parse(number * off, price_type, ladder).is_err(), "{number} {price_type:?}");
            }
        }
    }
    let hundred = Ladder::Binary { max_price_ticks: 100 };
    assert_eq!(parse(28.999_999_999_999_996, Ticks, hundred), Ok(Price(29)));
    assert_eq!(parse(0.1 + 0.2 + 1.0, DecimalOdds, Ladder::Classic), Ok(Price(13_000)));
    assert_eq!(parse(1e6 / 3.0, BasisPoints, Ladder::Binary { max_price_ticks: 3 }), Ok(Price(1)));
}

#[test]
fn the_neighbours_in_a_refusal_are_next_to_each_other_and_to_the_number() {
    for (ladder, price_type) in KINDS {
        for pair in spellings(ladder, price_type).windows(2) {
            let [(low, low_price), (high, high_price)] = [pair[0], pair[1]];
            for part in [1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1.0 - 1e-6] {
                let number = low + (high - low) * part;
                let said = match parse(number, price_type, ladder) {
                    Err(PriceFault::OffLadder(said)) => said,
                    // Near an end of a narrow gap, or in the middle of one between images, it means a price.
                    Ok(price) if price == low_price || price == high_price => continue,
                    other => panic!("{number}: {other:?}"),
                };
                let name = |number: f64, price: Price| match (price_type, ladder) {
                    (DecimalOdds, _) => price.odds().to_string(),
                    (Ticks, _) => price.0.to_string(),
                    (BasisPoints, Ladder::Binary { .. }) => format!("{number} ({} ticks)", price.0),
                    (BasisPoints, _) => format!("{number} (odds {})", price.odds()),
                };
                let (low, high) = (name(low, low_price), name(high, high_price));
                let (one, other) = (
                    format!("the nearest are {low} and {high}"),
                    format!("the nearest are {high} and {low}"),
                );
                assert!(said.contains(&one) || said.contains(&other), "{number}: {said}; {one}");
            }
        }
    }
}
