//! The markets that a run plays in: every model, every way in which outcomes hang together.

use betex::prelude::*;
use betex_core::command::{NewMarket, NewRunner};
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::TransitionPolicy;

use crate::dice::Dice;

/// A market, and around which prices it trades.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) key: String,
    pub(crate) shape: Shape,
    pub(crate) ladder: Ladder,
    pub(crate) outcomes: usize,
    /// How likely each outcome is, against the others. Those that are added later begin from the front.
    weights: Vec<u32>,
    pub(crate) increment: i64,
    pub(crate) minimum: i64,
    kind: MarketKind,
    transition: TransitionPolicy,
}

/// How the outcomes of a market hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One wins, with sets where they are possible.
    Group,
    /// One wins, without sets.
    NoSets,
    /// Several may win.
    Independent,
    /// Handicap lines, two outcomes each, with quarter lines between them.
    Lines,
}

/// As many as a market has in the beginning, and some that may be added.
const LINES: [&str; 8] = ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5"];

impl Plan {
    pub(crate) fn new(key: String, dice: &mut Dice) -> Self {
        use Shape::{Group, Independent, Lines, NoSets};
        let mut shape = dice.weighted(&[(6, Group), (1, NoSets), (1, Independent), (3, Lines)]);
        let ticks = dice.pick(&[100_u16, 1_000, 10_000, 7]);
        let ladder = match dice.below(3) {
            0 => Ladder::Binary { max_price_ticks: ticks },
            1 => Ladder::Finest,
            _ => Ladder::Classic,
        };
        let is_binary = matches!(ladder, Ladder::Binary { .. });
        if is_binary && shape == Lines {
            shape = Group;
        }
        let outcomes = match shape {
            Lines => 2 * dice.pick(&[1, 2, 3]),
            _ if is_binary => dice.pick(&[1, 2, 2, 3, 4, 6]),
            _ => dice.pick(&[2, 2, 3, 3, 4, 7]),
        };
        let spread = dice.pick(&[1, 3, 12]);
        let weights = (0..12).map(|_| u32::try_from(1 + dice.below(spread)).unwrap_or(1)).collect();
        let increment = dice.pick(&[1, 1, 1, 5]) * if is_binary { 1 } else { 100 };
        Self {
            key,
            shape,
            ladder,
            outcomes,
            weights,
            increment,
            minimum: increment * dice.pick(&[1, 1, 3]),
            kind: dice.weighted(&[(3, MarketKind::InPlayCapable), (1, MarketKind::PreEventOnly)]),
            transition: dice.weighted(&[
                (3, TransitionPolicy::RespectPersistence),
                (1, TransitionPolicy::KeepAll),
                (1, TransitionPolicy::CancelAll),
            ]),
        }
    }

    pub(crate) fn spec(&self) -> NewMarket {
        NewMarket {
            ladder: self.ladder,
            runners: (0..self.outcomes).map(|outcome| self.runner(outcome)).collect(),
            independent: self.shape == Shape::Independent,
            synthetic: self.shape != Shape::NoSets,
            transition: self.transition,
            kind: self.kind,
            state: BookMarketState::Open,
            phase: MarketPhase::Pre,
            increment: Quantity(self.increment),
            min_quantity: Quantity(self.minimum),
            ..NewMarket::new(self.key.as_str(), [""; 0])
        }
    }

    /// The outcome at a place, also one that is not there yet: ids count from 1.
    pub(crate) fn runner(&self, outcome: usize) -> NewRunner {
        let name = match (self.shape, LINES.get(outcome / 2)) {
            (Shape::Lines, Some(&line)) => {
                let (team, sign) = if outcome.is_multiple_of(2) { ("Home", "-") } else { ("Away", "+") };
                format!("{team}_{}{line}", if line == "0.0" { "" } else { sign })
            }
            _ => format!("{outcome}"),
        };
        NewRunner { id: RunnerId(outcome as u64 + 1), name }
    }

    /// Whether another outcome has a name.
    pub(crate) const fn may_grow(&self, outcomes: usize) -> bool {
        !matches!(self.shape, Shape::Lines) || outcomes < 2 * LINES.len()
    }

    /// The price so many ticks from what an outcome is worth.
    pub(crate) fn near(&self, outcome: usize, offset: i64) -> Price {
        let weight = |outcome: usize| self.weights[outcome % self.weights.len()];
        let all: u32 = match self.shape {
            Shape::Lines => weight(outcome) + weight(outcome ^ 1),
            _ => (0..self.outcomes.max(2)).map(weight).sum(),
        };
        let fair = match self.ladder {
            Ladder::Binary { max_price_ticks } => u32::from(max_price_ticks) * weight(outcome) / all,
            Ladder::Classic | Ladder::Finest => 10_000 * all / weight(outcome),
        };
        let (below, above) = self.ladder.neighbours(Price(fair));
        let on_ladder = self.ladder.tick(Price(fair)).map(|_| Price(fair)).or(below).or(above);
        let tick = on_ladder.and_then(|price| self.ladder.tick(price)).map_or(0, |tick| tick.0);
        self.price(i64::from(tick) + offset)
    }

    /// The price at a tick, or at the end of the ladder.
    pub(crate) fn price(&self, tick: i64) -> Price {
        let last = i64::from(self.ladder.len() - 1);
        self.ladder.price(Tick(u32::try_from(tick.clamp(0, last)).unwrap_or_default()))
    }
}
