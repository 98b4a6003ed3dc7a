//! The prices there are. A book knows its levels by tick: the place of a price on its ladder, from 0,
//! rising with what a backer or buyer wants: with the odds, and against the price of a share.

use crate::types::{OddsX10000, Price, Side};

/// Which prices a market takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ladder {
    /// 350 prices: 1.01 to 2 by .01, to 3 by .02, to 4 by .05, to 6 by .1, to 10 by .2, to 20 by .5, to
    /// 30 by 1, to 50 by 2, to 100 by 5, to 1000 by 10.
    #[default]
    Classic,
    /// 99 900 prices: 1.01 to 1000 by .01 (Asian handicaps, goal lines).
    Finest,
    /// Whole ticks strictly between 0 and this many, which is what a winning share pays and stands for
    /// one currency unit. Ticks of the ladder count from the highest price down, as a low price is for a
    /// buyer what high odds are for a backer.
    Binary {
        /// 2 to [`PRICE_TICKS_MAX`].
        max_price_ticks: u16,
    },
}

/// The finest binary ladder: a tick is a basis point.
pub const PRICE_TICKS_MAX: u16 = 10_000;

/// The place of a price on its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u32);

/// The lowest odds there are: 1.01.
pub const ODDS_MIN: OddsX10000 = OddsX10000(10_100);
/// The highest odds there are: 1000.
pub const ODDS_MAX: OddsX10000 = OddsX10000(10_000_000);

/// A run of equally spaced odds: the first, the last, the step, the tick of the first.
#[derive(Clone, Copy)]
struct Band {
    first: u32,
    last: u32,
    step: u32,
    tick: u32,
}

const fn band(first: u32, last: u32, step: u32, tick: u32) -> Band {
    Band { first, last, step, tick }
}

const CLASSIC: [Band; 10] = [
    band(10_100, 20_000, 100, 0),
    band(20_200, 30_000, 200, 100),
    band(30_500, 40_000, 500, 150),
    band(41_000, 60_000, 1_000, 170),
    band(62_000, 100_000, 2_000, 190),
    band(105_000, 200_000, 5_000, 210),
    band(210_000, 300_000, 10_000, 230),
    band(320_000, 500_000, 20_000, 240),
    band(550_000, 1_000_000, 50_000, 250),
    band(1_100_000, 10_000_000, 100_000, 260),
];

const FINEST: [Band; 1] = [band(10_100, 10_000_000, 100, 0)];

impl Band {
    /// The tick of a price that is not beyond this band, if it is in it. Where the band is a constant there are
    /// no divisions.
    #[inline(always)]
    fn tick_of(&self, price: u32) -> Option<Tick> {
        let offset = price.checked_sub(self.first).filter(|_| price <= self.last)?;
        (offset % self.step == 0).then(|| Tick(self.tick + offset / self.step))
    }
}

/// The ticks of odds up to 10 by the penny, of which nearly all orders are; [`NO_TICK`] between them.
static CLASSIC_SHORT: [u16; 1_001] = {
    let mut ticks = [NO_TICK; 1_001];
    let mut tick: u16 = 0;
    while CLASSIC_ODDS[tick as usize] <= SHORT_MAX {
        ticks[(CLASSIC_ODDS[tick as usize] / 100) as usize] = tick;
        tick += 1;
    }
    ticks
};

const SHORT_MAX: u32 = 100_000;
const NO_TICK: u16 = u16::MAX;

#[inline]
fn classic_tick(price: u32) -> Option<Tick> {
    if price <= SHORT_MAX {
        let tick = CLASSIC_SHORT[(price / 100) as usize];
        return (tick != NO_TICK && price.is_multiple_of(100)).then_some(Tick(tick.into()));
    }
    long_tick(price)
}

fn long_tick(price: u32) -> Option<Tick> {
    macro_rules! bands {
        ($($place:literal)*) => {$(
            const { assert!($place < CLASSIC.len()) };
            if price <= const { CLASSIC[$place].last } {
                return const { CLASSIC[$place] }.tick_of(price);
            }
        )*};
    }
    bands!(5 6 7 8 9);
    None
}

/// The 350 prices in a row: what the matching loop asks for most.
static CLASSIC_ODDS: [u32; 350] = {
    let mut odds = [0; 350];
    let mut band = 0;
    while band < CLASSIC.len() {
        let Band { first, last, step, tick } = CLASSIC[band];
        let mut place = 0;
        while first + place * step <= last {
            odds[(tick + place) as usize] = first + place * step;
            place += 1;
        }
        band += 1;
    }
    odds
};

/// The probabilities that these odds stand for.
static CLASSIC_PROBABILITIES: [u64; 350] = {
    let mut probabilities = [0; 350];
    let mut tick = 0;
    while tick < probabilities.len() {
        probabilities[tick] = probability(CLASSIC_ODDS[tick]);
        tick += 1;
    }
    probabilities
};

/// The probability that odds stand for, in units of 10^-18, rounded up: `ceil(10^22 / odds)`.
#[expect(clippy::cast_possible_truncation, reason = "a remainder is below the odds")]
const fn probability(odds: u32) -> u64 {
    const CERTAINTY: u64 = 1_000_000_000_000_000_000;
    // Odds have two decimals and are at most 10^7. In two steps, so that nothing leaves 64 bits, the second of
    // which needs only 32.
    let odds = odds / 100;
    let (whole, rest) = (CERTAINTY / odds as u64, (CERTAINTY % odds as u64) as u32);
    whole * 100 + (rest * 100).div_ceil(odds) as u64
}

/// A penny, in quanta.
const PENNY: i64 = 100;

impl Ladder {
    /// The smallest quantity that an order can have, trade directly or show: a penny (100 quanta) at odds, a
    /// share in a binary market. Less than that is dust.
    pub const fn unit(self) -> i64 {
        match self {
            Self::Classic | Self::Finest => PENNY,
            Self::Binary { .. } => 1,
        }
    }

    /// What of a quantity is whole pennies, or shares. A quantity is not negative.
    #[inline(always)]
    pub const fn whole(self, quantity: i64) -> i64 {
        quantity - self.fraction(quantity) as i64
    }

    /// What of a quantity is a fraction of a penny, in quanta. Of shares there is none.
    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "no quantity is negative")]
    pub const fn fraction(self, quantity: i64) -> u8 {
        match self {
            Self::Classic | Self::Finest => (quantity % PENNY) as u8,
            Self::Binary { .. } => 0,
        }
    }

    /// The bands of a ladder of odds; of a binary one `Err` with how many prices there are.
    const fn bands(self) -> Result<&'static [Band], u32> {
        match self {
            Self::Classic => Ok(&CLASSIC),
            Self::Finest => Ok(&FINEST),
            Self::Binary { max_price_ticks } => Err(max_price_ticks as u32 - 1),
        }
    }

    /// How many prices there are.
    #[expect(clippy::len_without_is_empty)]
    #[inline]
    pub const fn len(self) -> u32 {
        const fn len_of(bands: &[Band]) -> u32 {
            let last = &bands[bands.len() - 1];
            last.tick + (last.last - last.first) / last.step + 1
        }
        // Constants: the matching loop asks for it.
        match self {
            Self::Classic => const { len_of(&CLASSIC) },
            Self::Finest => const { len_of(&FINEST) },
            Self::Binary { max_price_ticks } => max_price_ticks as u32 - 1,
        }
    }

    /// The tick of a price, or `None` if it is not on the ladder.
    pub fn tick(self, price: Price) -> Option<Tick> {
        match self {
            Self::Classic => classic_tick(price.0),
            Self::Finest => FINEST[0].tick_of(price.0),
            // A price of 0 would be at `len`, one of `max_price_ticks` below 0.
            Self::Binary { .. } => {
                let len = self.len();
                len.checked_sub(price.0).filter(|tick| *tick < len).map(Tick)
            }
        }
    }

    /// The price at a tick.
    ///
    /// # Panics
    /// If the tick is not below [`Ladder::len`].
    #[inline]
    pub fn price(self, tick: Tick) -> Price {
        if let Self::Classic = self {
            return Price(CLASSIC_ODDS[tick.0 as usize]);
        }
        assert!(tick.0 < self.len(), "tick {} of {}", tick.0, self.len());
        match self {
            Self::Classic | Self::Finest => Price(FINEST[0].first + tick.0 * FINEST[0].step),
            Self::Binary { .. } => Price(self.len() - tick.0),
        }
    }

    /// The probability that the odds at a tick stand for, in units of 10^-18, rounded up. Only of odds.
    pub(crate) fn probability(self, tick: Tick) -> u64 {
        match self {
            Self::Classic => CLASSIC_PROBABILITIES[tick.0 as usize],
            Self::Finest => probability(FINEST[0].first + tick.0 * FINEST[0].step),
            Self::Binary { .. } => unreachable!("ticks are no odds"),
        }
    }

    /// The highest price of the ladder that is not above this one.
    pub(crate) fn at_or_below(self, price: Price) -> Option<Price> {
        if self.tick(price).is_some() { Some(price) } else { self.neighbours(price).0 }
    }

    /// The lowest price of the ladder that is not below this one.
    pub(crate) fn at_or_above(self, price: Price) -> Option<Price> {
        if self.tick(price).is_some() { Some(price) } else { self.neighbours(price).1 }
    }

    /// The same price of a two-sided binary ladder, seen from the other outcome: `max - price`.
    pub const fn mirrored(self, tick: Tick) -> Tick {
        Tick(self.len() - 1 - tick.0)
    }

    /// The nearest prices below and above one that is not on the ladder.
    pub fn neighbours(self, price: Price) -> (Option<Price>, Option<Price>) {
        if let Err(len) = self.bands() {
            return if price.0 > len { (Some(Price(len)), None) } else { (None, Some(Price(1))) };
        }
        // Both halves of the ladder by bisection: the first tick whose price is not below.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.price(Tick(middle)) < price {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let below = low.checked_sub(1).map(|tick| self.price(Tick(tick)));
        let above = (low < self.len()).then(|| self.price(Tick(low)));
        (below, above)
    }

    /// The worst price there is for whoever takes on this side: what a MARKET order without one accepts.
    pub fn worst(self, side: Side) -> Price {
        match side {
            Side::Yes => self.price(Tick(0)),
            Side::No => self.price(Tick(self.len() - 1)),
        }
    }

    /// The lowest and the highest price.
    pub fn ends(self) -> (Price, Price) {
        let (first, last) = (self.worst(Side::Yes), self.worst(Side::No));
        (first.min(last), first.max(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_have_the_prices_of_the_field() {
        assert_eq!((Ladder::Classic.len(), Ladder::Finest.len()), (350, 99_900));
        for (tick, odds) in
            [(0, "1.01"), (99, "2.00"), (100, "2.02"), (169, "4.00"), (170, "4.10"), (349, "1000.00")]
        {
            assert_eq!(Ladder::Classic.price(Tick(tick)).odds().to_string(), odds);
        }
    }

    #[test]
    fn ticks_and_prices_are_each_others_inverse() {
        for ladder in [Ladder::Classic, Ladder::Finest] {
            let mut last = Price(0);
            for tick in (0..ladder.len()).map(Tick) {
                let price = ladder.price(tick);
                assert!(price > last);
                assert_eq!(ladder.tick(price), Some(tick));
                last = price;
            }
            assert_eq!(ladder.ends(), (ODDS_MIN.into(), ODDS_MAX.into()));
        }
    }

    #[test]
    fn what_is_not_on_the_ladder_has_no_tick() {
        let on_it = |price| CLASSIC_ODDS.binary_search(&price).ok();
        for price in (0..200_200).chain((200_200..10_200_000).step_by(50)).chain([u32::MAX]) {
            let tick = Ladder::Classic.tick(Price(price)).map(|tick| tick.0 as usize);
            assert_eq!(tick, on_it(price), "{price}");
        }
    }

    #[test]
    fn a_binary_ladder_counts_from_the_highest_price_down() {
        for max_price_ticks in [2, 3, 100, PRICE_TICKS_MAX] {
            let (ladder, max) = (Ladder::Binary { max_price_ticks }, u32::from(max_price_ticks));
            assert_eq!(ladder.ends(), (Price(1), Price(max - 1)));
            assert_eq!((ladder.worst(Side::Yes), ladder.worst(Side::No)), (Price(max - 1), Price(1)));
            for price in (1..max).map(Price) {
                let tick = ladder.tick(price).expect("on the ladder");
                assert_eq!((tick.0, ladder.price(tick)), (max - 1 - price.0, price));
                assert_eq!(ladder.price(ladder.mirrored(tick)), Price(max - price.0));
            }
            for (price, neighbours) in
                [(0, (None, Some(1))), (max, (Some(max - 1), None)), (u32::MAX, (Some(max - 1), None))]
            {
                let (below, above) = neighbours;
                assert_eq!(ladder.tick(Price(price)), None);
                assert_eq!(ladder.neighbours(Price(price)), (below.map(Price), above.map(Price)));
            }
        }
    }

    #[test]
    fn a_price_off_the_ladder_has_neighbours() {
        for (price, below, above) in [
            (0, None, Some(10_100)),
            (20_100, Some(20_000), Some(20_200)),
            (10_150, Some(10_100), Some(10_200)),
            (10_000_001, Some(10_000_000), None),
            (u32::MAX, Some(10_000_000), None),
        ] {
            assert_eq!(Ladder::Classic.tick(Price(price)), None);
            assert_eq!(Ladder::Classic.neighbours(Price(price)), (below.map(Price), above.map(Price)));
        }
    }
}
