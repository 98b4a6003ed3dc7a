//! Odds and prices.

use std::fmt;

/// Decimal odds x 10 000: `OddsX10000(25_000)` is 2.50, a stake of 1.00 comes back as 2.50.
/// Valid odds lie on their market's ladder, between 1.01 (10 100) and 1000 (10 000 000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OddsX10000(pub u32);

impl fmt::Display for OddsX10000 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest % 100 == 0 { write!(f, "{whole}.{:02}", rest / 100) } else { write!(f, "{whole}.{rest:04}") }
    }
}

/// A price in its market's own unit: odds x 10 000 (ExchangeOdds) or ticks (BinaryYes).
/// What it means is said by the market's [`Ladder`](crate::ladder::Ladder).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(pub u32);

impl From<OddsX10000> for Price {
    fn from(odds: OddsX10000) -> Self {
        Self(odds.0)
    }
}

impl Price {
    /// The price read as odds. Only meaningful in an ExchangeOdds market.
    pub const fn odds(self) -> OddsX10000 {
        OddsX10000(self.0)
    }
}
