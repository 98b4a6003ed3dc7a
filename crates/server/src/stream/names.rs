//! What clients call a market and its outcomes, kept for when the market is gone.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Event, OutcomeIndex, Stamp};
use betex_core::ladder::Ladder;
use betex_core::state::State;
use betex_core::types::MarketId;
use betex_core::view::MarketView;

use crate::wire::terms::Terms;

/// What clients call a market and its outcomes, and what its numbers mean.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) key: Box<str>,
    pub(crate) terms: Terms,
    pub(crate) outcomes: Vec<NewRunner>,
    /// The ticks of a currency unit, where two outcomes are one ladder.
    pub(crate) paired: Option<u32>,
}

impl Names {
    pub(crate) fn of(market: &MarketView<'_>) -> Self {
        let spec = market.spec();
        let terms = Terms::of(spec.ladder);
        let paired = terms.max_ticks().filter(|_| market.is_mirror(OutcomeIndex(1)));
        Self { key: spec.key.as_str().into(), terms, outcomes: spec.runners.clone(), paired }
    }

    /// Of a market that is being created.
    pub(crate) fn of_new(market: MarketId, spec: &NewMarket) -> Self {
        // The core decides which markets are pairs.
        let mut state = State::new();
        let stamp = Stamp { market_id: market, time_ns: 0, sequence: 1, market_sequence: 1 };
        state.apply(&stamp, &[Event::MarketCreated(Box::new(spec.clone()))]);
        state.market(market).map_or_else(|| Self::only_key(&spec.key), |market| Self::of(&market))
    }

    /// Where nothing else is known any more.
    pub(crate) fn only_key(key: &str) -> Self {
        Self { key: key.into(), terms: Terms::of(Ladder::Classic), outcomes: Vec::new(), paired: None }
    }

    /// As an event leaves them; those of now have its outcomes already.
    pub(crate) fn apply(&mut self, event: &Event) {
        if let Event::RunnersAdded(added) = event
            && !added.iter().any(|runner| self.outcomes.contains(runner))
        {
            self.outcomes.extend(added.iter().cloned());
        }
    }

    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        let outcomes = self.outcomes.iter().map(|runner| size_of::<NewRunner>() + runner.name.len());
        size_of::<Self>() + self.key.len() + outcomes.sum::<usize>()
    }
}
