//! What must come next of an order on its way: which set, with which makers, who stakes what; or none.
//!
//! The rules leave no choice, so that all of it follows from the events.

use std::collections::BTreeSet;

use betex_core::event::OutcomeIndex;
use betex_core::limits::{FILLS_MAX, MAKERS_LOOKED_AT_MAX};
use betex_core::types::{OrderId, SelfTradePrevention, Side};

use super::odds::{Found, Look, Stakes};
use super::{Entry, Ledger};

/// What must come next.
#[derive(Debug)]
pub(super) enum Next {
    /// A set with these makers and stakes.
    Set { makers: Vec<OrderId>, stakes: Stakes },
    /// A set in which there are these orders of the taker's own.
    Own(Vec<OrderId>),
    /// No set.
    Nothing,
}

/// What a command has looked at for sets.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The odds of the direct order that the taker would have met, or 0, and the makers passed over since.
    direct: i128,
    pub(super) passed_over: BTreeSet<OrderId>,
    /// Makers that were looked at: all of a set, at every look.
    makers: usize,
    /// Own orders that were passed over. They have a bound of their own.
    own: BTreeSet<OrderId>,
    /// Legs of makers, those of direct trades too.
    pub(super) fills: usize,
    /// Whether a bound ended sets for this command.
    pub(super) over: bool,
}

impl Looks {
    /// The command goes on with the other half of an order on a quarter line.
    pub(super) fn begin_half(&mut self) {
        self.passed_over.clear();
        self.direct = 0;
    }

    /// Counts one look, if it is still made.
    fn look(&mut self, makers: usize) -> bool {
        let most = MAKERS_LOOKED_AT_MAX as usize;
        self.over |= self.makers + makers > most;
        self.makers += if self.over { 0 } else { makers };
        !self.over
    }
}

impl Ledger {
    /// Which set an order on its way must have next.
    pub(super) fn foresee(&self, taker: OrderId, looks: &mut Looks) -> Next {
        let entry = &self.orders[&taker];
        let market = &self.markets[&entry.market];
        let others = market.others(entry.accepted.outcome);
        if others.is_empty() {
            return Next::Nothing;
        }
        let direct = self.next_direct(taker);
        let direct = direct.map_or(0, |maker| i128::from(self.orders[&maker].accepted.price.0));
        if direct != looks.direct {
            looks.passed_over.clear();
            looks.direct = direct;
        }
        let mut makers: Vec<Option<OrderId>> = Vec::new();
        while looks.look(others.len()) {
            if makers.is_empty() {
                makers = others.iter().map(|outcome| self.first_maker(taker, *outcome, looks)).collect();
            }
            let Some(all) = makers.iter().copied().collect::<Option<Vec<_>>>() else { return Next::Nothing };
            let of = |id: &OrderId| {
                let maker = &self.orders[id];
                (i128::from(maker.accepted.price.0), i128::from(maker.left))
            };
            let look = Look {
                side: entry.accepted.side,
                left: entry.left.into(),
                limit: entry.accepted.price.0.into(),
                direct,
                makers: all.iter().map(of).collect(),
            };
            let found = match market.whole() {
                Some(whole) => shares(&look, whole.into()),
                None => look.find(),
            };
            let stakes = match found {
                Found::Set(stakes) => stakes,
                Found::PassOver(place) => {
                    looks.passed_over.insert(all[place]);
                    makers[place] = self.first_maker(taker, others[place], looks);
                    continue;
                }
                Found::NoSet => return Next::Nothing,
            };
            let own: Vec<_> = all.iter().copied().filter(|maker| self.is_own(taker, *maker)).collect();
            if !own.is_empty() {
                return Next::Own(own);
            }
            if looks.fills + all.len() > FILLS_MAX as usize {
                looks.over = true;
                return Next::Nothing;
            }
            return Next::Set { makers: all, stakes };
        }
        Next::Nothing
    }

    /// The first order of the queue on another outcome, of those that may be makers.
    fn first_maker(&self, taker: OrderId, outcome: OutcomeIndex, looks: &mut Looks) -> Option<OrderId> {
        let Entry { market, accepted, .. } = &self.orders[&taker];
        self.queue((*market, outcome, accepted.side)).find(|id| {
            if self.skips(taker, *id) {
                looks.own.insert(*id);
                return false;
            }
            !looks.passed_over.contains(id)
        })
    }

    /// The direct order that a taker would meet now.
    pub(super) fn next_direct(&self, taker: OrderId) -> Option<OrderId> {
        let first = self.direct_queue(taker).find(|id| !self.skips(taker, *id));
        first.filter(|maker| self.accepts(taker, *maker))
    }

    /// Whether a taker passes over an order because it is its own.
    fn skips(&self, taker: OrderId, maker: OrderId) -> bool {
        let mode = self.orders[&taker].accepted.self_trade;
        mode == SelfTradePrevention::Skip && self.is_own(taker, maker)
    }
}

/// Shares are never rounded: all legs have as many.
fn shares(look: &Look, whole: i128) -> Found {
    let price = whole - look.makers.iter().map(|(price, _)| price).sum::<i128>();
    let fewest = look.makers.iter().map(|(_, left)| *left).min().expect("a set has makers");
    let Look { limit, direct, .. } = *look;
    let better = match look.side {
        Side::Yes if price < 1 => {
            let place = look.makers.iter().position(|(_, left)| *left == fewest);
            return Found::PassOver(place.expect("one of them has the fewest"));
        }
        Side::Yes => price <= limit && (direct == 0 || price < direct),
        Side::No => price >= 1 && price >= limit && price > direct,
    };
    if !better {
        return Found::NoSet;
    }
    let shares = look.left.min(fewest);
    let makers = vec![shares; look.makers.len()];
    Found::Set(Stakes { payout: shares * 10_000, taker: shares, makers })
}
