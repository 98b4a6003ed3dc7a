//! What has happened, and the names of those it happened to.

use std::borrow::Cow;

use betex_core::LevelAfter;
use betex_core::command::NewRunner;
use betex_core::event::OutcomeIndex;
use betex_core::state::State;
use betex_core::types::{AccountId, MarketId, MarketPhase};
use betex_journal::JournalEvent;

/// An event and what became of the level that it touched, if it touched one and it is known.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) record: JournalEvent,
    pub(crate) level: Option<LevelAfter>,
}

/// The names of one market's events.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// What clients call the market.
    pub(crate) key: &'a str,
    pub(crate) phase: MarketPhase,
    outcomes: &'a [NewRunner],
    state: &'a State,
}

impl<'a> Scene<'a> {
    /// The names of a market, if it is still there.
    pub(crate) fn of(state: &'a State, market: MarketId) -> Option<Self> {
        let market = state.market(market)?;
        Some(Self { key: &market.spec().key, phase: market.phase(), outcomes: &market.spec().runners, state })
    }

    /// What is left of the names of a market that is gone: nothing rests in it, so nothing more needs them.
    pub(crate) fn of_removed(state: &'a State, key: &'a str) -> Self {
        Self { key, phase: MarketPhase::Pre, outcomes: &[], state }
    }

    /// An outcome's name; one that has none is called by its number.
    pub(crate) fn outcome(&self, outcome: OutcomeIndex) -> Cow<'a, str> {
        match self.outcomes.get(outcome.index()) {
            Some(runner) if runner.name.is_empty() => Cow::Owned(runner.id.to_string()),
            Some(runner) => Cow::Borrowed(&runner.name),
            None => Cow::Borrowed(""),
        }
    }

    /// A user's name; nobody's is empty, and an account without a name is called by its number.
    pub(crate) fn user(&self, account: AccountId) -> Cow<'a, str> {
        match self.state.account_name(account) {
            Some(name) => Cow::Borrowed(name),
            None if account.is_some() => Cow::Owned(account.to_string()),
            None => Cow::Borrowed(""),
        }
    }
}
