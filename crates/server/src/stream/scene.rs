//! What has happened, and the names of those it happened to.

use std::borrow::Cow;

use betex_core::LevelAfter;
use betex_core::command::NewRunner;
use betex_core::event::{Event, OutcomeIndex};
use betex_core::line::Line;
use betex_core::state::State;
use betex_core::types::AccountId;
use betex_journal::JournalEvent;

use super::names::Names;
use crate::wire::terms::Terms;

/// An event and what became of the level that it touched, if it touched one and it is known.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) record: JournalEvent,
    pub(crate) level: Option<LevelAfter>,
}

impl Seen {
    /// The level as it looks from each outcome that has it, the first outcome first: whoever saw it happen
    /// and whoever reads of it later hear the same.
    pub(crate) fn levels(&self) -> impl Iterator<Item = LevelAfter> + use<> {
        let seen = self.level.map(|level| LevelAfter { mirror: None, ..level });
        let mirror = self.level.and_then(|level| {
            let (outcome, side, price) = level.mirror?;
            Some(LevelAfter { outcome, side, price, mirror: None, ..level })
        });
        let is_first = mirror.zip(seen).is_some_and(|(mirror, seen)| mirror.outcome < seen.outcome);
        let (first, second) = if is_first { (mirror, seen) } else { (seen, mirror) };
        first.into_iter().chain(second)
    }
}

/// The events of a transaction.
pub(crate) fn events(transaction: &[Seen]) -> impl Iterator<Item = &Event> {
    transaction.iter().map(|seen| &seen.record.event)
}

/// The names and the terms of one market's events. Outcomes keep their places and their names for as long as
/// the market is there, so those of now also name what happened before others were added.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// What clients call the market.
    pub(crate) key: &'a str,
    pub(crate) terms: Terms,
    outcomes: &'a [NewRunner],
    state: &'a State,
}

impl<'a> Scene<'a> {
    /// With these names of the market, and those of the users there are.
    pub(crate) fn new(names: &'a Names, state: &'a State) -> Self {
        Self { key: &names.key, terms: names.terms, outcomes: &names.outcomes, state }
    }

    /// The name of the quarter line between two lines.
    pub(crate) fn quarter_line(&self, near: OutcomeIndex, far: OutcomeIndex) -> String {
        let (near, far) = (self.outcome(near), self.outcome(far));
        match (Line::parse(&near), Line::parse(&far)) {
            (Ok(Some(near)), Ok(Some(far))) => {
                Line { quarters: i32::midpoint(near.quarters, far.quarters), ..near }.to_string()
            }
            _ => String::new(),
        }
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
