//! What the quantities, stakes, sides and prices of a market are on the wire. Quantities are whole pennies or
//! shares there, and quanta or shares in the core; stakes are quanta or shares in both.

use betex_core::ladder::Ladder;
use betex_core::types::{Money, Price, Quantity, Side};
use tonic::Status;

use super::fault::{invalid, quoted};
use super::price::{odds, ppm, ppm_of_ticks};

/// How a market's numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) ladder: Ladder,
}

/// A price as it is sent: the same in up to three ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shown {
    /// Parts per million.
    pub(crate) ppm: u64,
    /// 0 in a binary market.
    pub(crate) odds: f64,
    /// 0 in a market at odds.
    pub(crate) ticks: u32,
}

impl Shown {
    /// That there is no price.
    pub(crate) const NONE: Self = Self { ppm: 0, odds: 0.0, ticks: 0 };
}

impl Terms {
    pub(crate) const fn of(ladder: Ladder) -> Self {
        Self { ladder }
    }

    /// The ticks of a currency unit, in a binary market.
    pub(crate) const fn max_ticks(self) -> Option<u32> {
        match self.ladder {
            Ladder::Binary { max_price_ticks } => Some(max_price_ticks as u32),
            Ladder::Classic | Ladder::Finest => None,
        }
    }

    /// How much inside is one outside.
    const fn unit(self) -> i64 {
        if self.max_ticks().is_some() { 1 } else { Money::PENNY.0 }
    }

    /// What quantities count.
    pub(crate) const fn unit_name(self) -> &'static str {
        if self.max_ticks().is_some() { "shares" } else { "pennies" }
    }

    /// The most that one order may be for.
    pub(crate) const fn quantity_max(self) -> u64 {
        (Quantity::MAX.0 / self.unit()).unsigned_abs()
    }

    /// How much, more than nothing.
    pub(crate) fn quantity(self, field: &str, count: u64) -> Result<Quantity, Status> {
        if count == 0 {
            let (most, unit) = (self.quantity_max(), self.unit_name());
            return Err(invalid(field, format!("0 is not valid; 1 to {most} {unit}")));
        }
        self.optional_quantity(field, count)
    }

    /// How much, or nothing.
    pub(crate) fn optional_quantity(self, field: &str, count: u64) -> Result<Quantity, Status> {
        let (most, unit) = (self.quantity_max(), self.unit_name());
        let inside = i64::try_from(count).ok().filter(|_| count <= most).map(|count| count * self.unit());
        let too_much = || invalid(field, format!("{count} is too much; at most {most} {unit}"));
        inside.map(Quantity).ok_or_else(too_much)
    }

    /// How much may remain: no order has more than the most there is, so more than that means as much.
    pub(crate) fn at_most(self, count: u64) -> Quantity {
        let count = i64::try_from(count.min(self.quantity_max())).unwrap_or(i64::MAX);
        Quantity(count.saturating_mul(self.unit()))
    }

    /// A quantity for the wire.
    pub(crate) fn count(self, quantity: Quantity) -> u64 {
        // A quantity is never negative.
        u64::try_from(quantity.0 / self.unit()).unwrap_or(0)
    }

    /// A sum of quantities for the wire. What does not fit would take centuries to trade.
    pub(crate) fn count_of_sum(self, sum: i128) -> u64 {
        u64::try_from((sum / i128::from(self.unit())).max(0)).unwrap_or(u64::MAX)
    }

    /// Which side.
    pub(crate) fn side(self, text: &str) -> Result<Side, Status> {
        match (self.max_ticks(), text) {
            (None, "BACK") | (Some(_), "BUY" | "YES") => Ok(Side::Yes),
            (None, "LAY") | (Some(_), "SELL" | "NO") => Ok(Side::No),
            (None, other) => Err(invalid("side", format!("{} is not valid; BACK or LAY", quoted(other)))),
            (Some(_), other) => {
                let valid = "BUY or SELL (in a binary market, where YES and NO mean the same)";
                Err(invalid("side", format!("{} is not valid; {valid}", quoted(other))))
            }
        }
    }

    /// A side for the wire.
    pub(crate) const fn side_name(self, side: Side) -> &'static str {
        match (self.max_ticks(), side) {
            (None, Side::Yes) => "BACK",
            (None, Side::No) => "LAY",
            (Some(_), Side::Yes) => "BUY",
            (Some(_), Side::No) => "SELL",
        }
    }

    /// A side as the reference's events write it.
    pub(crate) const fn lower_side(self, side: Side) -> &'static str {
        match (self.max_ticks(), side) {
            (None, Side::Yes) => "back",
            (None, Side::No) => "lay",
            (Some(_), Side::Yes) => "buy",
            (Some(_), Side::No) => "sell",
        }
    }

    /// A price for the wire.
    pub(crate) fn price(self, price: Price) -> Shown {
        match self.max_ticks() {
            None => Shown { ppm: ppm(price), odds: odds(price), ticks: 0 },
            Some(max) => Shown { ppm: ppm_of_ticks(price, max), odds: 0.0, ticks: price.0 },
        }
    }

    /// The same price of a ladder that two outcomes share, seen from the other one.
    pub(crate) fn mirrored(self, price: Price) -> Price {
        self.max_ticks().map_or(price, |max| Price(max.saturating_sub(price.0)))
    }

    /// What a price says of the probability that its outcome wins.
    pub(crate) fn probability(self, price: Price) -> f64 {
        self.max_ticks().map_or_else(|| 1.0 / odds(price), |max| f64::from(price.0) / f64::from(max))
    }
}

/// An exact stake for the wire: in hundredths of a penny, which are quanta, or in shares.
pub(crate) const fn stake(exact: Quantity) -> i64 {
    exact.0
}

/// What an order has left, for the wire: exact, and 0 once the order is over, when a fraction is dust.
pub(crate) fn left(whole: Quantity, fraction: u8) -> i64 {
    if whole > Quantity::ZERO { whole.0 + i64::from(fraction) } else { 0 }
}

/// A payout for the wire: in hundredths of a penny, which are quanta, so that it is exact.
pub(crate) fn payout(money: Money) -> u64 {
    u64::try_from(money.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINARY: Terms = Terms::of(Ladder::Binary { max_price_ticks: 100 });

    #[test]
    fn pennies_are_a_hundred_quanta_and_shares_are_shares() {
        let odds = Terms::default();
        let taken = |terms: Terms, count| terms.quantity("quantity", count).ok();
        assert_eq!((taken(odds, 1), taken(BINARY, 1)), (Some(Quantity(100)), Some(Quantity(1))));
        assert_eq!((taken(odds, 0), taken(BINARY, 0)), (None, None));
        for terms in [odds, BINARY] {
            assert_eq!(taken(terms, terms.quantity_max()), Some(Quantity::MAX));
            assert_eq!(terms.count(Quantity::MAX), terms.quantity_max());
            assert_eq!((taken(terms, terms.quantity_max() + 1), taken(terms, u64::MAX)), (None, None));
            assert_eq!(terms.count_of_sum(i128::MAX), u64::MAX);
        }
        assert_eq!((odds.count_of_sum(250), BINARY.count_of_sum(250)), (2, 250));
    }

    #[test]
    fn a_fraction_counts_only_while_the_order_rests() {
        assert_eq!((left(Quantity(300), 0), left(Quantity(300), 37)), (300, 337));
        assert_eq!(left(Quantity::ZERO, 99), 0);
        // Where it is shown in whole pennies, it is cut off.
        assert_eq!((Terms::default().count(Quantity(399)), stake(Quantity(399))), (3, 399));
    }

    #[test]
    fn sides_belong_to_their_model() {
        let odds = Terms::default();
        for (yes, no, terms, other) in
            [("BACK", "LAY", odds, BINARY), ("BUY", "SELL", BINARY, odds), ("YES", "NO", BINARY, odds)]
        {
            assert_eq!((terms.side(yes).ok(), terms.side(no).ok()), (Some(Side::Yes), Some(Side::No)));
            assert!(other.side(yes).is_err() && other.side(no).is_err());
        }
        for side in [Side::Yes, Side::No] {
            for terms in [odds, BINARY] {
                assert_eq!(terms.side(terms.side_name(side)).ok(), Some(side));
                assert_eq!(terms.lower_side(side), terms.side_name(side).to_lowercase());
            }
        }
    }

    #[test]
    fn a_price_is_sent_in_the_words_of_its_market() {
        let odds = Terms::default().price(Price(25_000));
        assert_eq!(odds, Shown { ppm: 400_000, odds: 2.5, ticks: 0 });
        assert_eq!(BINARY.price(Price(55)), Shown { ppm: 550_000, odds: 0.0, ticks: 55 });
        assert_eq!(BINARY.mirrored(Price(55)), Price(45));
        assert_eq!((Terms::default().probability(Price(25_000)), BINARY.probability(Price(55))), (0.4, 0.55));
    }
}
