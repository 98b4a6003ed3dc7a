//! What a set in ticks costs: a winning share pays the whole, so the taker's price is what the makers'
//! prices leave of it. Integers; nothing is rounded.

use super::sets::{Look, Maker, Set, Why};
use crate::ladder::{Ladder, Tick};
use crate::market::Place;
use crate::types::{Money, Price, Side};

/// The tick of the price that is left for a taker, or `None` if it is below 1.
fn left_of_the_whole(ladder: Ladder, makers: u64) -> Option<Tick> {
    let whole = u64::from(ladder.len()) + 1;
    // Makers pay at least a tick each, so that the price is on the ladder unless it is 0.
    ladder.tick(Price(u32::try_from(whole.checked_sub(makers)?).ok()?))
}

/// Whether the best prices of the others could serve a taker.
#[inline]
pub(super) fn could_serve(ladder: Ladder, taker: Place, best: impl Iterator<Item = Tick>) -> bool {
    let mut makers = 0;
    for tick in best {
        makers += u64::from(ladder.price(tick).0);
    }
    // A buyer's price below 1 is too good: a maker is passed over. A seller's is none.
    left_of_the_whole(ladder, makers).map_or(taker.side == Side::Yes, |tick| taker.takes(tick))
}

/// The set with these makers, for a taker with so much left that has to beat this direct order. Notes with
/// each maker what it puts in.
pub(super) fn look(
    ladder: Ladder,
    taker: Place,
    direct: Option<Tick>,
    left: i64,
    makers: &mut [Maker],
) -> Look {
    let Some(tick) = left_of_the_whole(ladder, makers.iter().map(|maker| maker.price).sum()) else {
        if taker.side == Side::No {
            return Look::Nothing;
        }
        let scarcest = makers.iter().enumerate().min_by_key(|(_, maker)| maker.bound);
        return scarcest.map_or(Look::Nothing, |(place, _)| Look::PassOver(place, Why::default()));
    };
    let beats = direct.is_none_or(|direct| match taker.side {
        Side::Yes => tick > direct,
        Side::No => tick < direct,
    });
    if !taker.takes(tick) || !beats {
        return Look::Nothing;
    }
    let shares = makers.iter().map(|maker| maker.left).fold(left.unsigned_abs(), u64::min);
    for maker in makers {
        maker.stake = shares;
    }
    let stake = i64::try_from(shares).expect("no more than an order has left");
    let price = ladder.price(tick);
    Look::Found(Set { stake, payout: Money(stake * Money::UNIT.0), price, level: price })
}
