//! Which market a name meant at some point of the past: names are free again when their market is removed.

use std::collections::HashSet;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;

use super::history::HistoryFault;
use super::names::Names;

/// Looks for the market that had a name at an event, or had it first after that.
#[derive(Clone)]
pub(crate) struct Search {
    key: Arc<str>,
    /// The market that has it now, as far as is known.
    current: Option<MarketId>,
    /// Markets that were created since, under other names.
    others: HashSet<MarketId>,
    /// The removal of a market that may have had the name.
    suspect: Option<u64>,
}

/// The market.
pub(crate) enum Found {
    /// It was there before.
    There(MarketId),
    /// This transaction created it.
    New(MarketId, Names),
}

impl Search {
    pub(crate) fn new(key: Arc<str>, current: Option<MarketId>) -> Self {
        Self { key, current, others: HashSet::new(), suspect: None }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// That nothing is left in doubt.
    pub(crate) fn is_certain(&self) -> Result<(), HistoryFault> {
        self.suspect.map_or(Ok(()), |sequence| Err(HistoryFault::NameReused { sequence }))
    }

    /// Whether a market begins here under the name.
    pub(crate) fn begins(&self, events: &[Event]) -> bool {
        let is_it = |event: &Event| matches!(event, Event::MarketCreated(spec) if *spec.key == *self.key);
        events.iter().any(is_it)
    }

    /// Looks at a transaction; `names` are those of markets that are known.
    pub(crate) fn look(
        &mut self,
        stamp: &Stamp,
        events: &[Event],
        names: impl Fn(MarketId) -> Option<Arc<Names>>,
    ) -> Result<Option<Found>, HistoryFault> {
        let market = stamp.market_id;
        for event in events {
            match event {
                Event::MarketCreated(spec) if *spec.key == *self.key => {
                    self.is_certain()?;
                    return Ok(Some(Found::New(market, Names::of_new(market, spec))));
                }
                Event::MarketCreated(_) => {
                    self.others.insert(market);
                }
                Event::MarketRemoved if Some(market) != self.current => {
                    let is_other = self.others.remove(&market)
                        || names(market).is_some_and(|names| *names.key != *self.key);
                    if !is_other {
                        self.suspect = Some(stamp.sequence + events.len() as u64 - 1);
                    }
                }
                _ => (),
            }
        }
        // It was there all the time, so no other market had the name.
        Ok(self.current.filter(|current| *current == market).map(Found::There))
    }
}
