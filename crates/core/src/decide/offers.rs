//! What complete sets would give a new taker: the virtual levels of a book.

use std::collections::BTreeMap;

use super::sets::{Lanes, Sets};
use super::taker::{Taker, Work};
use crate::event::OutcomeIndex;
use crate::limits::{
    MAKERS_LOOKED_AT_MAX, MARKET_VIRTUAL_MAKERS_LOOKED_AT_MAX, VIRTUAL_MAKERS_LOOKED_AT_MAX,
};
use crate::market::{Market, Place};
use crate::state::State;
use crate::types::{AccountId, OrderId, Quantity, SelfTradePrevention, Side};
use crate::view::LevelView;

/// How many makers may still be looked at, over all lists of a market. A look holds others up, and a few
/// pennies at long odds are not to buy a slow exchange: after this there are no more levels.
pub(crate) struct Effort(u32);

impl Effort {
    pub(crate) const fn new() -> Self {
        Self(MARKET_VIRTUAL_MAKERS_LOOKED_AT_MAX)
    }
}

/// The best `depth` virtual levels that a taker meets on this side of an outcome, best for it first:
/// what an endless order of no account would be filled by sets alone.
pub(crate) fn virtual_levels(
    state: &State,
    market: &Market,
    outcome: OutcomeIndex,
    side: Side,
    depth: usize,
    Effort(effort): &mut Effort,
) -> Vec<LevelView> {
    let ladder = market.spec.ladder;
    let taking = side.opposite();
    let worst = ladder.tick(ladder.worst(taking)).expect("the worst price is on the ladder");
    let taker = Taker {
        id: OrderId::NONE,
        account: AccountId::NONE,
        place: Place { outcome, side: taking, tick: worst, mirrored: false },
        quantity: 0,
        post_only: false,
        self_trade: SelfTradePrevention::Skip,
    };
    if market.runners[outcome.index()].removed.is_some() || !Sets::could_serve(market, taker.place) {
        return Vec::new();
    }
    let most = VIRTUAL_MAKERS_LOOKED_AT_MAX.min(*effort);
    if most < Sets::others_of(market, outcome) {
        return Vec::new();
    }
    let mut work = Work { looked_at: MAKERS_LOOKED_AT_MAX - most, ..Work::default() };
    let mut lanes = Lanes::new();
    let mut sets = Sets::new(state, market, &taker, &mut lanes, &mut work);
    // Where the makers in front were absurd, a later set can be at a better price than one before it.
    let mut levels = BTreeMap::new();
    let mut legs = Vec::new();
    while let Some(set) = sets.find_endless(&mut work) {
        legs.clear();
        sets.take(&set, i64::MAX, &mut work, &mut legs);
        let level: &mut (i64, u32) = levels.entry(set.level).or_default();
        level.0 = ladder.whole(level.0.saturating_add(ladder.whole(set.stake)));
        level.1 += 1;
    }
    *effort = effort.saturating_sub(work.looked_at - (MAKERS_LOOKED_AT_MAX - most));
    let levels = levels.into_iter().map(|(price, (quantity, orders))| LevelView {
        price,
        quantity: Quantity(quantity),
        orders,
    });
    let tick = |level: &LevelView| ladder.tick(level.price);
    let mut levels: Vec<_> = levels.collect();
    levels.sort_by_key(tick);
    // High ticks are good for a backer or buyer.
    if taking == Side::Yes {
        levels.reverse();
    }
    levels.truncate(depth);
    levels
}
