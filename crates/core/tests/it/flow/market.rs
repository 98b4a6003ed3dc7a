//! The markets that a flow plays in.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{
    BookMarketState, MarketKind, MarketPhase, Price, Quantity, RunnerId, TransitionPolicy,
};
use proptest::prelude::*;

/// A market, and around which prices it trades.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) ladder: Ladder,
    pub(crate) outcomes: usize,
    /// How likely each outcome is, against the others. Those that are added later begin from the front.
    weights: Vec<u32>,
    /// In pennies, or shares.
    increment: i64,
    /// The smallest order, in increments.
    minimum: i64,
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

pub(crate) fn plan() -> BoxedStrategy<Plan> {
    use Shape::{Group, Independent, Lines, NoSets};
    let ladder = || prop::sample::select(vec![Ladder::Classic, Ladder::Finest]);
    let shape = || prop_oneof![6 => Just(Group), 1 => Just(NoSets), 1 => Just(Independent)];
    let few = || prop_oneof![12 => 2..5_usize, 3 => 5..13_usize, 1 => 13..65_usize];
    let ticks = prop_oneof![Just(100_u16), Just(1_000), Just(10_000), 2..30_u16];
    let shaped = prop_oneof![
        5 => (shape(), ladder(), few()),
        2 => (Just(Lines), ladder(), (1..4_usize).prop_map(|lines| 2 * lines)),
        4 => (shape(), ticks.prop_map(|max_price_ticks| Ladder::Binary { max_price_ticks }),
            prop_oneof![4 => Just(1_usize), 8 => Just(2), 16 => 3..5_usize, 3 => 5..13_usize, 1 => 13..65_usize]),
    ];
    let weights = prop_oneof![
        Just(vec![1; 12]),
        prop::collection::vec(1..4_u32, 12),
        prop::collection::vec(1..30_u32, 12),
    ];
    let amounts = (prop_oneof![3 => Just(1_i64), 1 => Just(5)], prop_oneof![3 => Just(1_i64), 1 => Just(3)]);
    let transition = prop::sample::select(vec![
        TransitionPolicy::RespectPersistence,
        TransitionPolicy::RespectPersistence,
        TransitionPolicy::KeepAll,
        TransitionPolicy::CancelAll,
    ]);
    let kind = prop_oneof![3 => Just(MarketKind::InPlayCapable), 1 => Just(MarketKind::PreEventOnly)];
    (shaped, weights, amounts, kind, transition)
        .prop_map(|((shape, ladder, outcomes), weights, (increment, minimum), kind, transition)| Plan {
            shape,
            ladder,
            outcomes,
            weights,
            increment,
            minimum,
            kind,
            transition,
        })
        .boxed()
}

impl Plan {
    pub(crate) const fn is_binary(&self) -> bool {
        matches!(self.ladder, Ladder::Binary { .. })
    }

    /// Whether its two outcomes are one ladder.
    pub(crate) fn is_pair(&self) -> bool {
        self.is_binary() && self.outcomes == 2 && self.shape != Shape::Independent
    }

    /// In quanta, or shares.
    pub(crate) const fn increment(&self) -> i64 {
        if self.is_binary() { self.increment } else { self.increment * 100 }
    }

    /// In quanta, or shares.
    pub(crate) const fn minimum(&self) -> i64 {
        self.minimum * self.increment()
    }

    pub(crate) fn spec(&self, key: &str) -> NewMarket {
        NewMarket {
            ladder: self.ladder,
            runners: (0..self.outcomes).map(|outcome| self.runner(outcome)).collect(),
            independent: self.shape == Shape::Independent,
            synthetic: self.shape != Shape::NoSets,
            transition: self.transition,
            kind: self.kind,
            state: BookMarketState::Open,
            phase: MarketPhase::Pre,
            increment: Quantity(self.increment()),
            min_quantity: Quantity(self.minimum()),
            ..NewMarket::new(key, [""; 0])
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

    /// The group that an outcome is in, or would be.
    pub(crate) const fn group(&self, outcome: usize) -> Option<usize> {
        match self.shape {
            Shape::Group => Some(0),
            Shape::Lines => Some(outcome / 2),
            Shape::NoSets | Shape::Independent => None,
        }
    }

    /// The price so many ticks from what an outcome is worth.
    pub(crate) fn near(&self, outcome: usize, offset: i32) -> Price {
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
        self.price(tick.saturating_add_signed(offset))
    }

    /// The price at a tick, or at the end of the ladder.
    pub(crate) fn price(&self, tick: u32) -> Price {
        self.ladder.price(Tick(tick.min(self.ladder.len() - 1)))
    }
}

impl Plan {
    /// The same with outcomes that are so likely, again and again, and amounts of this increment, in pennies,
    /// and minimum, in increments.
    pub(crate) fn with(self, weights: Vec<u32>, increment: i64, minimum: i64) -> Self {
        Self { weights, increment, minimum, ..self }
    }
}

/// A group of equally likely outcomes, in the smallest amounts there are.
pub(crate) fn group(ladder: Ladder, outcomes: usize) -> Plan {
    Plan {
        shape: Shape::Group,
        ladder,
        outcomes,
        weights: vec![1; outcomes],
        increment: 1,
        minimum: 1,
        kind: MarketKind::InPlayCapable,
        transition: TransitionPolicy::RespectPersistence,
    }
}
