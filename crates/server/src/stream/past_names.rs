//! Which market had a name when: names are free again when their market is removed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use betex_core::types::MarketId;

use super::names::Names;

/// Removed markets whose names are kept.
const REMOVED_MAX: usize = 16_384;
/// Bytes of these names.
const REMOVED_BYTES_MAX: usize = 16 << 20;

/// What is known of names.
#[derive(Debug, Default)]
pub(crate) struct PastNames {
    /// What clients call the markets that are there.
    keys: HashMap<MarketId, Arc<str>>,
    /// By the event that removed them.
    removed: BTreeMap<u64, Removed>,
    removed_bytes: usize,
    /// Who had a name, by the events that removed them.
    by_key: HashMap<Arc<str>, Vec<u64>>,
    by_id: HashMap<MarketId, u64>,
    /// Markets that were removed up to this event are not all known.
    forgotten: u64,
}

#[derive(Debug)]
struct Removed {
    market: MarketId,
    key: Arc<str>,
    names: Arc<Names>,
}

impl PastNames {
    pub(super) fn begin(&mut self, last: u64, keys: Vec<(MarketId, Arc<str>)>) {
        for (market, key) in keys {
            if !self.by_id.contains_key(&market) {
                self.keys.entry(market).or_insert(key);
            }
        }
        self.forgotten = self.forgotten.max(last);
    }

    /// What was removed after this event is known now.
    pub(super) fn begin_again(&mut self, forgotten: u64) {
        self.forgotten = forgotten;
    }

    pub(super) fn created(&mut self, market: MarketId, key: &str) {
        self.keys.insert(market, key.into());
    }

    pub(super) fn removed(&mut self, market: MarketId, names: Arc<Names>, sequence: u64) {
        let key = self.keys.remove(&market).unwrap_or_else(|| Arc::from(&*names.key));
        self.removed_bytes += names.bytes();
        let all = self.by_key.entry(Arc::clone(&key)).or_default();
        all.push(sequence);
        all.sort_unstable();
        self.by_id.insert(market, sequence);
        self.removed.insert(sequence, Removed { market, key, names });
        while (self.removed.len() > REMOVED_MAX || self.removed_bytes > REMOVED_BYTES_MAX)
            && let Some((sequence, oldest)) = self.removed.pop_first()
        {
            self.removed_bytes -= oldest.names.bytes();
            self.by_id.remove(&oldest.market);
            if let Some(all) = self.by_key.get_mut(&oldest.key) {
                all.retain(|removed| *removed != sequence);
                if all.is_empty() {
                    self.by_key.remove(&oldest.key);
                }
            }
            self.forgotten = sequence;
        }
    }

    /// Whether every market that was removed at or after this event is known.
    pub(crate) fn knows_from(&self, sequence: u64) -> bool {
        sequence > self.forgotten
    }

    /// What clients call a market that is there.
    pub(super) fn key(&self, market: MarketId) -> Option<Arc<str>> {
        self.keys.get(&market).cloned()
    }

    /// What clients called a market that was removed.
    pub(super) fn of(&self, market: MarketId) -> Option<Arc<Names>> {
        let removed = self.removed.get(self.by_id.get(&market)?)?;
        Some(Arc::clone(&removed.names))
    }

    /// The first market of this name that was removed at or after an event, and that removal.
    pub(crate) fn removed_since(&self, key: &str, sequence: u64) -> Option<(MarketId, u64)> {
        let removed = self.by_key.get(key)?.iter().copied().find(|removed| *removed >= sequence)?;
        Some((self.removed.get(&removed)?.market, removed))
    }
}
