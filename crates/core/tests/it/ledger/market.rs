//! What the events tell of a market: how its outcomes hang together, and where it is in its life.

use std::collections::{BTreeMap, BTreeSet};

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Job, OutcomeIndex};
use betex_core::ladder::Ladder;
use betex_core::types::{BookMarketState, Hold, MarketPhase, Price, Side};

pub(super) struct Market {
    pub(super) spec: NewMarket,
    pub(super) removed: BTreeSet<OutcomeIndex>,
    /// Holds aside.
    pub(super) state: BookMarketState,
    pub(super) holds: BTreeSet<Hold>,
    pub(super) phase: MarketPhase,
    /// By number.
    pub(super) jobs: BTreeMap<u64, Job>,
    /// The outcomes on which sets have traded.
    pub(super) in_sets: BTreeSet<OutcomeIndex>,
}

impl Market {
    pub(super) fn new(spec: &NewMarket) -> Self {
        Self {
            spec: spec.clone(),
            removed: BTreeSet::new(),
            state: spec.state,
            holds: BTreeSet::new(),
            phase: spec.phase,
            jobs: BTreeMap::new(),
            in_sets: BTreeSet::new(),
        }
    }

    /// Where it is in its life, holds included.
    pub(super) fn shows(&self) -> BookMarketState {
        match self.state {
            BookMarketState::Closed => BookMarketState::Closed,
            _ if !self.holds.is_empty() => BookMarketState::Suspended,
            state => state,
        }
    }

    /// Ticks that a winning share pays.
    pub(super) const fn whole(&self) -> Option<u32> {
        match self.spec.ladder {
            Ladder::Binary { max_price_ticks } => Some(max_price_ticks as u32),
            Ladder::Classic | Ladder::Finest => None,
        }
    }

    /// The smallest amount that trades directly: a penny, or a share.
    pub(super) const fn unit(&self) -> i64 {
        if self.whole().is_some() { 1 } else { 100 }
    }

    pub(super) fn is_pair(&self) -> bool {
        self.whole().is_some() && !self.spec.independent && self.spec.runners.len() == 2
    }

    /// How much a backer, or buyer, wants this price.
    pub(super) fn worth(&self, price: Price) -> i64 {
        if self.whole().is_some() { -i64::from(price.0) } else { i64::from(price.0) }
    }

    /// The same order on the ladder that it is on: of a pair there is one.
    pub(super) fn on_its_ladder(
        &self,
        outcome: OutcomeIndex,
        side: Side,
        price: Price,
    ) -> (OutcomeIndex, Side, Price) {
        match self.whole() {
            Some(whole) if self.is_pair() && outcome == OutcomeIndex(1) => {
                (OutcomeIndex(0), side.opposite(), Price(whole - price.0))
            }
            _ => (outcome, side, price),
        }
    }

    /// The other outcomes of which one wins if this one does not, and with which it makes sets; none: there
    /// are no sets.
    pub(super) fn others(&self, outcome: OutcomeIndex) -> Vec<OutcomeIndex> {
        if self.spec.independent || !self.spec.synthetic || self.is_pair() {
            return Vec::new();
        }
        let runners = &self.spec.runners;
        let together = |a: &NewRunner, b: &NewRunner| match (line(&a.name), line(&b.name)) {
            (Some((_, a)), Some((_, b))) => a == b,
            _ => true,
        };
        let all = (0..).map(OutcomeIndex).zip(runners);
        all.filter(|(other, runner)| {
            *other != outcome
                && together(runner, &runners[outcome.index()])
                && !self.removed.contains(other)
                && !self.removed.contains(&outcome)
        })
        .map(|(other, _)| other)
        .collect()
    }

    /// Whether an order on a quarter line has these halves: of one team, half a goal further from zero.
    pub(super) fn are_halves(&self, near: OutcomeIndex, far: OutcomeIndex) -> bool {
        let name = |outcome: OutcomeIndex| line(&self.spec.runners[outcome.index()].name);
        let (Some((near_team, near)), Some((far_team, far))) = (name(near), name(far)) else { return false };
        near_team == far_team && far == near + 5
    }
}

/// The team of a line, and how far from zero it is, in tenths.
fn line(name: &str) -> Option<(&str, u32)> {
    let (team, line) = name.rsplit_once('_')?;
    let digits = line.trim_start_matches(['+', '-']).replace('.', "");
    Some((team, digits.parse().ok()?))
}
