//! What a recording says stands, line after line.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use betex_core::types::{Price, Quantity, RunnerId, Side};

use super::line::{Line, RunnerLine};

/// Prices and what is there; never a quantity of 0.
pub type Ladder = BTreeMap<Price, Quantity>;

/// The recorded ladders of a runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerLadders {
    resting: [Ladder; 2],
    /// What was traded at each price, both sides of each bet counted.
    pub traded: Ladder,
}

impl RunnerLadders {
    /// What rests on a side: BACKs are what a layer can take (`atl`), LAYs what a backer can (`atb`).
    pub const fn resting(&self, side: Side) -> &Ladder {
        &self.resting[side.index()]
    }

    /// The same, best for the taker first: LAYs from the highest odds down, BACKs from the lowest up.
    pub fn best_first(&self, side: Side) -> Vec<(Price, Quantity)> {
        let levels = self.resting(side).iter().map(|(price, quantity)| (*price, *quantity));
        match side {
            Side::Yes => levels.collect(),
            Side::No => levels.rev().collect(),
        }
    }

    fn update(&mut self, line: &RunnerLine) {
        let [backs, lays] = &mut self.resting;
        for (ladder, changes) in [
            (lays, &line.available_to_back),
            (backs, &line.available_to_lay),
            (&mut self.traded, &line.traded),
        ] {
            for (price, quantity) in changes {
                if quantity.0 == 0 {
                    ladder.remove(price);
                } else {
                    ladder.insert(*price, *quantity);
                }
            }
        }
    }
}

/// The place of a runner among those of its market.
pub type RunnerIndex = usize;

/// The recorded ladders of a market.
#[derive(Clone, Debug)]
pub struct MarketLadders {
    runners: Vec<RunnerId>,
    ladders: Vec<RunnerLadders>,
}

impl MarketLadders {
    /// Empty ladders for these runners.
    pub fn new(runners: &[RunnerId]) -> Self {
        Self { runners: runners.to_vec(), ladders: vec![RunnerLadders::default(); runners.len()] }
    }

    /// The runners of the market.
    pub fn runners(&self) -> &[RunnerId] {
        &self.runners
    }

    /// What stands for a runner.
    ///
    /// # Panics
    /// If there is no such runner.
    pub fn of(&self, runner: RunnerIndex) -> &RunnerLadders {
        &self.ladders[runner]
    }

    /// The ladders after a line of those runners that it touches, each once: the line's entries of a
    /// runner are merged, and an image touches everybody.
    ///
    /// # Errors
    /// If the line names a runner that the market does not have.
    pub fn after(&self, line: &Line) -> Result<BTreeMap<RunnerIndex, RunnerLadders>> {
        let mut after = BTreeMap::new();
        if line.image {
            after.extend((0..self.runners.len()).map(|runner| (runner, RunnerLadders::default())));
        }
        for change in &line.changes {
            let place = self.runners.iter().position(|runner| *runner == change.runner);
            let place = place.with_context(|| format!("runner {} is not defined", change.runner))?;
            after.entry(place).or_insert_with(|| self.ladders[place].clone()).update(change);
        }
        Ok(after)
    }

    /// Makes it so.
    pub fn set(&mut self, runner: RunnerIndex, ladders: RunnerLadders) {
        self.ladders[runner] = ladders;
    }

    /// Whether nothing stands any more.
    pub fn are_empty(&self) -> bool {
        self.ladders.iter().all(|ladders| ladders.resting.iter().all(Ladder::is_empty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::line::parse;

    fn after(ladders: &MarketLadders, image: bool, entries: &str) -> BTreeMap<RunnerIndex, RunnerLadders> {
        let line = format!(r#"{{"op":"mcm","mc":[{{"id":"1","img":{image},"rc":[{entries}]}}]}}"#);
        ladders.after(&parse(&line).unwrap()).unwrap()
    }

    #[test]
    fn entries_of_a_runner_are_merged_and_an_image_replaces_everybody() {
        let mut ladders = MarketLadders::new(&[RunnerId(7), RunnerId(9)]);
        let entries =
            r#"{"id":9,"atb":[[2,1],[3,1]]},{"id":9,"atb":[[2,0]]},{"id":9,"atb":[[4,5]],"atl":[[5,1]]}"#;
        for (runner, new) in after(&ladders, false, entries) {
            assert_eq!(runner, 1);
            assert_eq!(
                new.best_first(Side::No),
                [(Price(40_000), Quantity(50_000)), (Price(30_000), Quantity(10_000))]
            );
            assert_eq!(new.best_first(Side::Yes), [(Price(50_000), Quantity(10_000))]);
            ladders.set(runner, new);
        }
        assert!(!ladders.are_empty());
        let image = after(&ladders, true, r#"{"id":7,"atl":[[5,1]]}"#);
        assert_eq!(image.len(), 2);
        assert_eq!(image[&1], RunnerLadders::default());
        assert_eq!(image[&0].resting(Side::Yes).len(), 1);
    }

    #[test]
    fn an_unknown_runner_is_an_error() {
        let ladders = MarketLadders::new(&[RunnerId(7)]);
        let line = parse(r#"{"op":"mcm","mc":[{"id":"1","rc":[{"id":8}]}]}"#).unwrap();
        assert!(ladders.after(&line).is_err());
    }
}
