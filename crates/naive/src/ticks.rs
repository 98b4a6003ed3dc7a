//! Complete sets in ticks: BUYs on all outcomes of a group that add up to the whole, or SELLs. There is
//! nothing to round.

use crate::Side;
use crate::sets::{Found, Maker, Set, Wanted};

/// A look for a set with these makers, one on every other outcome; a winning share pays `max` ticks.
pub(crate) fn look(max: u32, wanted: &Wanted, makers: &[Maker]) -> Found {
    let price = i128::from(max) - makers.iter().map(|maker| maker.price).sum::<i128>();
    let better = match wanted.side {
        // A BUY is at an absurd price: the maker with the fewest shares is in the way. Of several it is
        // the first.
        Side::Back if price < 1 => {
            let fewest = (0..makers.len()).min_by_key(|place| makers[*place].left);
            return Found::PassOver(fewest.expect("there are some"));
        }
        Side::Back => price <= wanted.limit && wanted.direct.is_none_or(|direct| price < direct),
        Side::Lay => price >= 1 && price >= wanted.limit && wanted.direct.is_none_or(|direct| price > direct),
    };
    if !better {
        return Found::Nothing;
    }
    let fewest = makers.iter().map(|maker| maker.left).min().expect("there are some");
    let shares = wanted.left.map_or(fewest, |left| left.min(fewest));
    Found::Set(Set { price, payout: shares, taker: shares, makers: vec![shares; makers.len()] })
}
