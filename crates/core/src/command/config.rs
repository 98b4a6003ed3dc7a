//! Markets in the words of embedders.

use super::{Command, CommandKind, NewMarket, NewRunner};
use crate::types::{BookMarketState, MarketId, MarketKind, MarketPhase, RunnerId};

/// A market that an engine is built with, in the words of its embedders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarketConfig {
    /// Two outcomes at odds.
    TwoRunner {
        /// Its id, not 0.
        market_id: MarketId,
        /// What people call it.
        name: String,
        /// The first outcome.
        runner_a: RunnerId,
        /// The second outcome.
        runner_b: RunnerId,
        /// Whether it may go in-play.
        market_kind: MarketKind,
        /// Where it begins its life.
        market_state: BookMarketState,
        /// Where it begins in its event's time.
        market_phase: MarketPhase,
    },
    /// One YES/NO question, YES and NO by name, or any number of outcomes, in shares of ticks.
    Binary {
        /// Its id, not 0.
        market_id: MarketId,
        /// What people call it.
        name: String,
        /// The outcomes.
        runners: Vec<RunnerId>,
        /// Ticks to a currency unit, 2 to [`PRICE_TICKS_MAX`](crate::ladder::PRICE_TICKS_MAX).
        max_price_ticks: u16,
        /// Whether several outcomes may win.
        independent: bool,
        /// Whether it may go in-play.
        market_kind: MarketKind,
        /// Where it begins its life.
        market_state: BookMarketState,
        /// Where it begins in its event's time.
        market_phase: MarketPhase,
    },
    /// Any number of outcomes at odds.
    MultiRunner {
        /// Its id, not 0.
        market_id: MarketId,
        /// What people call it.
        name: String,
        /// The outcomes.
        runners: Vec<RunnerId>,
        /// Whether it may go in-play.
        market_kind: MarketKind,
        /// Where it begins its life.
        market_state: BookMarketState,
        /// Where it begins in its event's time.
        market_phase: MarketPhase,
    },
}

impl MarketConfig {
    /// The command that creates this market.
    pub fn into_command(self) -> Command {
        let odds = NewMarket::new("", [""; 0]);
        let (market_id, name, runners, kind, state, phase, model) = match self {
            Self::TwoRunner {
                market_id,
                name,
                runner_a,
                runner_b,
                market_kind,
                market_state,
                market_phase,
            } => (market_id, name, vec![runner_a, runner_b], market_kind, market_state, market_phase, odds),
            Self::MultiRunner { market_id, name, runners, market_kind, market_state, market_phase } => {
                (market_id, name, runners, market_kind, market_state, market_phase, odds)
            }
            Self::Binary {
                market_id,
                name,
                runners,
                max_price_ticks,
                independent,
                market_kind,
                market_state,
                market_phase,
            } => {
                let ticks = NewMarket { independent, ..NewMarket::binary("", max_price_ticks, [""; 0]) };
                (market_id, name, runners, market_kind, market_state, market_phase, ticks)
            }
        };
        let runners = runners.into_iter().map(|id| NewRunner { id, name: String::new() }).collect();
        let market = NewMarket { name, runners, kind, state, phase, ..model };
        Command::new(market_id, CommandKind::CreateMarket(Box::new(market)))
    }
}
