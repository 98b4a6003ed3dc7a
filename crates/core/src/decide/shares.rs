//! What a set in ticks costs: a winning share pays the whole, so the taker's price is what the makers'
//! prices leave of it. Integers; nothing is rounded.

use super::sets::{Look, Set, Sets};
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
    // A buyer's price below 1 is too good: somebody is passed over. A seller's is none.
    left_of_the_whole(ladder, makers).map_or(taker.side == Side::Yes, |tick| taker.takes(tick))
}

impl Sets<'_, '_> {
    /// The set with the makers that the lanes stand at.
    pub(super) fn look_at_shares(&mut self, direct: Option<Tick>, left: i64) -> Look {
        let (side, ladder) = (self.taker.side(), self.ladder());
        let Some(tick) = left_of_the_whole(ladder, self.makers().map(|maker| maker.price).sum()) else {
            return if side == Side::Yes { Look::PassOverScarcest } else { Look::Nothing };
        };
        let beats = direct.is_none_or(|direct| match side {
            Side::Yes => tick > direct,
            Side::No => tick < direct,
        });
        if !self.taker.place.takes(tick) || !beats {
            return Look::Nothing;
        }
        let shares = self.makers().map(|maker| maker.left).min().unwrap_or(0).min(self.increments(left));
        for maker in self.lanes.iter_mut().filter_map(|lane| lane.maker.as_mut()) {
            maker.stake = shares;
        }
        let quantity = self.quantity(shares);
        Look::Found(Set { quantity, payout: Money(quantity * Money::UNIT.0), price: ladder.price(tick) })
    }
}
