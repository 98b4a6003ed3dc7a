//! What complete sets would give whoever came now: the virtual levels of a book.

use super::sets::{Lanes, PassedOver, Set, Sets};
use super::taker::{Taker, Work};
use crate::event::OutcomeIndex;
use crate::ladder::{Ladder, Tick};
use crate::limits::{
    FILLS_MAX, LOOK_FILLS_MAX, LOOK_PASSED_OVER_MAX, LOOK_PAYOUTS_MAX, PASSED_OVER_MAX, PAYOUTS_MAX,
};
use crate::market::{Market, Place};
use crate::state::State;
use crate::types::{AccountId, OrderId, Price, Quantity, SelfTradePrevention, Side};
use crate::view::LevelView;

/// How much a look at virtual levels may cost, over all lists that are made of it. Whoever looks holds up
/// others, and nobody is to buy a slow exchange with some pennies at long odds: beyond this there are no
/// more levels.
pub(crate) struct Effort(Work);

impl Effort {
    pub(crate) fn new() -> Self {
        Self(Work {
            fills: FILLS_MAX - LOOK_FILLS_MAX,
            own_orders: 0,
            passed_over: PASSED_OVER_MAX - LOOK_PASSED_OVER_MAX,
            payouts: PAYOUTS_MAX - LOOK_PAYOUTS_MAX,
        })
    }
}

/// The best `depth` virtual levels that a taker meets on this side of an outcome, best for it first:
/// what an endless order of nobody would be filled by sets alone.
pub(crate) fn virtual_levels(
    state: &State,
    market: &Market,
    outcome: OutcomeIndex,
    side: Side,
    depth: usize,
    Effort(work): &mut Effort,
) -> Vec<LevelView> {
    let (ladder, increment) = (market.spec.ladder, market.spec.increment.0);
    let taking = side.opposite();
    let worst = ladder.tick(ladder.worst(taking)).expect("the worst price is on the ladder");
    let taker = Taker {
        id: OrderId::NONE,
        account: AccountId::NONE,
        place: Place { outcome, side: taking, tick: worst, mirrored: false },
        quantity: Quantity::MAX.0 / increment * increment,
        post_only: false,
        self_trade: SelfTradePrevention::Skip,
    };
    let mut levels: Vec<LevelView> = Vec::new();
    if market.runners[outcome.index()].removed.is_some() || !Sets::could_serve(market, taker.place) {
        return levels;
    }
    let mut trades = Vec::new();
    let (mut lanes, mut passed_over) = (Lanes::new(), PassedOver::new());
    let mut sets = Sets::new(state, market, &taker, &mut lanes, &mut passed_over, work);
    let mut left = taker.quantity;
    while left > 0
        && !work.is_used_up()
        && let Some(set) = sets.find(None, left, work)
    {
        left -= set.quantity;
        trades.clear();
        sets.take(&set, work, &mut trades);
        let price = rounded(ladder, taking, &set);
        if let Some(level) = levels.iter_mut().find(|level| level.price == price) {
            level.quantity.0 += set.quantity;
            level.orders += 1;
        } else if levels.len() < depth {
            levels.push(LevelView { price, quantity: Quantity(set.quantity), orders: 1 });
        } else {
            break;
        }
    }
    // Rounding can make a later set a little better than one before it.
    levels.sort_by_key(|level| {
        let tick = ladder.tick(level.price).map_or(0, |tick| i64::from(tick.0));
        if taking == Side::Yes { -tick } else { tick }
    });
    levels
}

/// A set's price on the ladder, rounded against the taker.
fn rounded(ladder: Ladder, taking: Side, set: &Set) -> Price {
    if ladder.tick(set.price).is_some() {
        return set.price;
    }
    // Only odds lie between the prices of a ladder.
    let (below, above) = ladder.neighbours(set.price);
    let near = match taking {
        Side::Yes => below,
        Side::No => above,
    };
    near.unwrap_or_else(|| ladder.price(Tick(0)))
}
