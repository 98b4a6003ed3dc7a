//! A market as a bot wants it, whole and by value: everything in a snapshot is of one sequence number.

use crate::decide::Effort;
use crate::event::OutcomeIndex;
use crate::ladder::Ladder;
use crate::types::{
    BookMarketState, Hold, MarketId, MarketKind, MarketPhase, Price, Quantity, RunnerId, Side,
};
use crate::view::{LevelView, MarketView};

/// A market of either model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarketSnapshot {
    /// BACK and LAY at odds.
    Exchange(ExchangeMarketSnapshot),
    /// BUY and SELL of shares at ticks.
    Binary(BinaryMarketSnapshot),
}

/// A market at odds. Prices are odds x 10 000, quantities backers' stakes in quanta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeMarketSnapshot {
    /// What it has in common with the other model.
    pub book: MarketBookSnapshot,
    /// [`Ladder::Classic`] or [`Ladder::Finest`].
    pub ladder: Ladder,
}

/// A binary market. Prices are ticks, quantities shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryMarketSnapshot {
    /// What it has in common with the other model.
    pub book: MarketBookSnapshot,
    /// What a winning share pays, in ticks: one currency unit.
    pub max_price_ticks: u16,
    /// Whether its two outcomes are one ladder, seen from both sides: then each order shows in both.
    pub pair: bool,
}

/// Where a market is, and the books of its runners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketBookSnapshot {
    /// The last event, of the whole engine, that this shows.
    pub sequence: u64,
    /// The last event of the market that this shows.
    pub market_sequence: u64,
    /// The time of that state, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Its id.
    pub market_id: MarketId,
    /// What clients call it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether it may go in-play.
    pub kind: MarketKind,
    /// Where it is in its life.
    pub status: BookMarketState,
    /// The holds that are on.
    pub holds: Vec<Hold>,
    /// Where it is in its event's time.
    pub phase: MarketPhase,
    /// Why its status last changed, if anybody said.
    pub reason: Option<String>,
    /// Whether complete sets are matched.
    pub synthetic: bool,
    /// Whether several outcomes may win.
    pub independent: bool,
    /// All that was matched in it, over all runners.
    pub traded: i128,
    /// Its runners in their order, removed ones included.
    pub runners: Vec<RunnerSnapshot>,
}

/// Which runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerRefSnapshot {
    /// Its id.
    pub runner_id: RunnerId,
    /// Its place in the market, from 0.
    pub outcome: OutcomeIndex,
    /// Its name.
    pub name: String,
    /// If it was removed: the reduction factor, in 1/10 000.
    pub removed: Option<u16>,
}

/// A runner and its book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSnapshot {
    /// Which runner.
    pub runner: RunnerRefSnapshot,
    /// The price of the last trade.
    pub last_price: Option<Price>,
    /// What was matched on it.
    pub traded: i128,
    /// The prices there are.
    pub prices: SnapshotPriceSelections,
}

/// The prices of a runner, each list with the best for whoever takes it first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotPriceSelections {
    /// What a backer or buyer can take: resting LAYs or SELLs.
    pub available_to_back: Vec<SnapshotPriceSelection>,
    /// What a layer or seller can take: resting BACKs or BUYs.
    pub available_to_lay: Vec<SnapshotPriceSelection>,
    /// What a backer or buyer could take by complete sets. Not resting orders: it uses up those of other
    /// runners, and taking one changes the others.
    pub virtual_to_back: Vec<SnapshotPriceSelection>,
    /// What a layer or seller could take by complete sets.
    pub virtual_to_lay: Vec<SnapshotPriceSelection>,
}

/// A price and how much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPriceSelection {
    /// The price; of sets, rounded to the ladder against the taker.
    pub price: Price,
    /// How much can be taken.
    pub quantity: Quantity,
    /// Of how many orders, or sets.
    pub orders: u32,
}

impl MarketSnapshot {
    /// What both models have in common.
    pub const fn book(&self) -> &MarketBookSnapshot {
        match self {
            Self::Exchange(market) => &market.book,
            Self::Binary(market) => &market.book,
        }
    }
}

impl From<LevelView> for SnapshotPriceSelection {
    fn from(level: LevelView) -> Self {
        Self { price: level.price, quantity: level.quantity, orders: level.orders }
    }
}

impl MarketView<'_> {
    /// The market as it is, with up to `depth` levels of each list of prices. All virtual levels together cost
    /// no more than a bounded look: in a market of very many outcomes the last lists may be short.
    pub fn snapshot(&self, depth: usize) -> MarketSnapshot {
        let spec = self.spec();
        let (outcomes, mut effort) = ((0..).map(OutcomeIndex).take(spec.runners.len()), Effort::new());
        let runners: Vec<_> =
            outcomes.map(|outcome| self.runner_snapshot(&mut effort, outcome, depth)).collect();
        let pair = runners.iter().any(|runner| self.is_mirror(runner.runner.outcome));
        // The two outcomes of a pair have the same trades.
        let counted = if pair { &runners[..1] } else { &runners[..] };
        let book = MarketBookSnapshot {
            sequence: self.state_sequence(),
            market_sequence: self.sequence(),
            time_ns: self.time_ns(),
            market_id: self.id(),
            key: spec.key.clone(),
            name: spec.name.clone(),
            kind: spec.kind,
            status: self.state(),
            holds: self.holds().collect(),
            phase: self.phase(),
            reason: self.reason().map(Into::into),
            synthetic: spec.synthetic,
            independent: spec.independent,
            traded: counted.iter().map(|runner| runner.traded).sum(),
            runners,
        };
        match spec.ladder {
            Ladder::Classic | Ladder::Finest => {
                MarketSnapshot::Exchange(ExchangeMarketSnapshot { book, ladder: spec.ladder })
            }
            Ladder::Binary { max_price_ticks } => {
                MarketSnapshot::Binary(BinaryMarketSnapshot { book, max_price_ticks, pair })
            }
        }
    }

    fn runner_snapshot(&self, effort: &mut Effort, outcome: OutcomeIndex, depth: usize) -> RunnerSnapshot {
        let runner = &self.spec().runners[outcome.index()];
        let real = |side| self.levels(outcome, side).take(depth).map(Into::into).collect();
        let mut by_sets = |side| {
            let levels = self.virtual_levels_within(effort, outcome, side, depth);
            levels.into_iter().map(Into::into).collect()
        };
        RunnerSnapshot {
            runner: RunnerRefSnapshot {
                runner_id: runner.id,
                outcome,
                name: runner.name.clone(),
                removed: self.removed(outcome),
            },
            last_price: self.last_price(outcome),
            traded: self.traded(outcome),
            prices: SnapshotPriceSelections {
                available_to_back: real(Side::No),
                available_to_lay: real(Side::Yes),
                virtual_to_back: by_sets(Side::No),
                virtual_to_lay: by_sets(Side::Yes),
            },
        }
    }
}
