//! What complete sets would give an endless taker of no account who came now, by sets alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::sets::{self, Found, Maker, Wanted};
use crate::{Ladder, Market, Side, VIRTUAL_WORK_MAX, ticks};

/// What sets would give at one price of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualLevel {
    /// The price, rounded to the ladder against the taker.
    pub price: u32,
    /// How much, in whole pennies (in quanta) or shares.
    pub quantity: i128,
    /// In how many sets.
    pub sets: usize,
}

impl Market {
    /// The virtual levels of an outcome, best first. The side is the one that is shown: of LAYs for a taker
    /// that backs. How often it is looked is bounded: of very long lists the end is missing.
    pub fn virtual_levels(&self, outcome: usize, shown: Side) -> Vec<VirtualLevel> {
        let (side, others) = (shown.other(), self.others(outcome));
        if others.is_empty() {
            return Vec::new();
        }
        let prices = self.ladder.prices();
        let mut after = self.clone();
        let mut passed_over = BTreeSet::new();
        // By how good the price is, the best last.
        let mut levels: BTreeMap<i64, VirtualLevel> = BTreeMap::new();
        for _ in 0..VIRTUAL_WORK_MAX / others.len() {
            let makers: Vec<_> =
                others.iter().filter_map(|other| after.maker(*other, side, &passed_over)).collect();
            if makers.len() < others.len() {
                break;
            }
            let Some((price, found)) = look(self.ladder, side, &makers, &prices) else { break };
            match found {
                Found::Set(set) => {
                    for (maker, stake) in makers.iter().zip(&set.makers) {
                        after.fill(maker.number, i64::try_from(*stake).expect("it fits its order"));
                    }
                    let unit = i128::from(self.ladder.unit());
                    let level = levels.entry(self.ladder.good(side, price));
                    let level = level.or_insert(VirtualLevel { price, quantity: 0, sets: 0 });
                    level.quantity += set.taker / unit * unit;
                    level.sets += 1;
                }
                Found::PassOver(place) => {
                    passed_over.insert(makers[place].number);
                }
                Found::Nothing => break,
            }
        }
        levels.into_values().rev().collect()
    }

    /// The first in the queue of an outcome that is not passed over.
    fn maker(&self, outcome: usize, side: Side, passed_over: &BTreeSet<u64>) -> Option<Maker> {
        let queue = self.queue(outcome, side);
        let first = queue.into_iter().find(|order| !passed_over.contains(&order.number));
        first.map(Maker::of)
    }
}

/// A look for a set of these makers, and the price at which it is shown; none: there are no more levels.
fn look(ladder: Ladder, side: Side, makers: &[Maker], prices: &[u32]) -> Option<(u32, Found)> {
    let limit = match ladder {
        Ladder::Ticks(_) => ladder.worst(side),
        // What is too good to be a price has no price on the ladder, either; it is passed over.
        _ if sets::is_too_good(side, makers) => ladder.worst(side),
        Ladder::Classic | Ladder::Finest => sets::virtual_price(side, makers, prices)?,
    };
    let wanted = Wanted { side, left: None, limit: limit.into(), direct: None };
    let found = match ladder {
        Ladder::Classic | Ladder::Finest => sets::look(&wanted, makers),
        Ladder::Ticks(max) => ticks::look(max, &wanted, makers),
    };
    let exact = match (&found, ladder) {
        (Found::Set(set), Ladder::Ticks(_)) => u32::try_from(set.price).expect("it is on the ladder"),
        _ => limit,
    };
    Some((exact, found))
}
