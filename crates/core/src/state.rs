//! All that an engine knows. Changed by [`State::apply`] alone.

use std::collections::{BTreeSet, HashMap, VecDeque};

use rustc_hash::FxBuildHasher;

use crate::book::Store;
use crate::jobs::Jobs;
use crate::limits::Limits;
use crate::market::Market;
use crate::members::Members;
use crate::reject::OrderReport;
use crate::types::{AccountId, MarketId, OrderId};

/// All that an engine knows: the sum of its journal.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) sequence: u64,
    pub(crate) time_ns: u64,
    pub(crate) limits: Limits,
    pub(crate) last_order_id: u64,
    pub(crate) last_market_id: u64,
    /// The highest id of a market that was removed: ids up to it may have a past in the journal.
    pub(crate) last_removed_id: u64,
    pub(crate) store: Store,
    /// Where orders on quarter lines stand, each as a whole, while a half of them rests.
    pub(crate) splits: HashMap<OrderId, OrderReport, FxBuildHasher>,
    pub(crate) accounts: Accounts,
    /// Who has orders that rest, over all markets.
    pub(crate) members: Members,
    /// Client order ids that are remembered, over all markets.
    pub(crate) client_ids: u64,
    pub(crate) markets: Markets,
    /// What is emptied or cancelled in steps.
    pub(crate) jobs: Jobs,
    /// Closed markets and when they closed, in nanoseconds since the Unix epoch, first closed first.
    pub(crate) closed: VecDeque<(u64, MarketId)>,
}

/// What is to be done without anybody asking. Each is one bounded step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The order that expires first is due.
    ExpireOrder,
    /// The job whose turn it is takes a step: a closed market that still holds orders, or what takes out
    /// orders of a market.
    AdvanceJob,
    /// A closed market's time is over.
    RemoveMarket,
}

/// Names that have an account. Accounts count from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) names: Vec<Box<str>>,
    by_name: HashMap<Box<str>, AccountId>,
}

impl Accounts {
    pub(crate) fn find(&self, name: &str) -> Option<AccountId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn name(&self, account: AccountId) -> Option<&str> {
        let place = usize::try_from(account.0.checked_sub(1)?).ok()?;
        self.names.get(place).map(|name| &**name)
    }

    pub(crate) fn next(&self) -> AccountId {
        AccountId(self.names.len() as u64 + 1)
    }

    pub(crate) fn insert(&mut self, name: &str) {
        self.by_name.insert(name.into(), self.next());
        self.names.push(name.into());
    }
}

/// Markets in slots, so that an order can point at its market with four bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markets {
    slots: Vec<Option<Box<Market>>>,
    free: Vec<u32>,
    by_id: HashMap<MarketId, u32, FxBuildHasher>,
    by_key: HashMap<Box<str>, u32>,
    /// For listing them: hash maps have no order.
    ids: BTreeSet<MarketId>,
    /// What they take, as [`Limits::market_bytes`] counts it.
    pub(crate) bytes: u64,
}

impl Markets {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn slot(&self, id: MarketId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn slot_named(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn get(&self, slot: u32) -> &Market {
        self.slots[slot as usize].as_deref().expect("a slot is only named while its market is there")
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Market {
        self.slots[slot as usize].as_deref_mut().expect("a slot is only named while its market is there")
    }

    pub(crate) fn find(&self, id: MarketId) -> Option<&Market> {
        self.slot(id).map(|slot| self.get(slot))
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = MarketId> + '_ {
        self.ids.iter().copied()
    }

    /// The highest id.
    pub(crate) fn last(&self) -> Option<MarketId> {
        self.ids.last().copied()
    }

    pub(crate) fn insert(&mut self, market: Market) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("Limits::markets is a u32")
        });
        self.bytes += market.spec.bytes();
        self.ids.insert(market.id);
        self.by_id.insert(market.id, slot);
        if !market.spec.key.is_empty() {
            self.by_key.insert(market.spec.key.as_str().into(), slot);
        }
        self.slots[slot as usize] = Some(Box::new(market));
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(market) = self.slots[slot as usize].take() else { return };
        self.bytes -= market.spec.bytes();
        self.ids.remove(&market.id);
        self.by_id.remove(&market.id);
        self.by_key.remove(market.spec.key.as_str());
        self.free.push(slot);
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            sequence: 0,
            time_ns: 0,
            limits: Limits::BEFORE_ANY_ARE_SET,
            last_order_id: 0,
            last_market_id: 0,
            last_removed_id: 0,
            store: Store::default(),
            splits: HashMap::default(),
            accounts: Accounts::default(),
            members: Members::default(),
            client_ids: 0,
            markets: Markets::default(),
            jobs: Jobs::default(),
            closed: VecDeque::new(),
        }
    }
}

impl State {
    /// The state of an empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is due at this time, if anything: orders that expire first, since nothing may match them
    /// any more; then jobs, closing markets among them; then markets to forget, of which no job is left.
    pub fn next_work(&self, now_ns: u64) -> Option<Work> {
        if self.store.expiries.first().is_some_and(|(expiry_ms, _)| expiry_ms <= now_ns / 1_000_000) {
            return Some(Work::ExpireOrder);
        }
        if self.job_is_waiting() {
            return Some(Work::AdvanceJob);
        }
        self.next_removal_ns().filter(|due| *due <= now_ns).map(|_| Work::RemoveMarket)
    }

    /// Whether an order is due to expire: before that is done, no command may be decided.
    pub fn expiry_is_due(&self, now_ns: u64) -> bool {
        self.next_work(now_ns) == Some(Work::ExpireOrder)
    }

    /// When [`State::next_work`] will next have something to do if no command comes, in nanoseconds
    /// since the Unix epoch.
    pub fn next_due_ns(&self) -> Option<u64> {
        if self.job_is_waiting() {
            return Some(self.time_ns);
        }
        self.next_expiry_ns().into_iter().chain(self.next_removal_ns()).min()
    }

    /// Whether a job waits for its next step, closing markets among them.
    pub fn job_is_waiting(&self) -> bool {
        self.jobs.front().is_some()
    }

    /// When the next order expires, in nanoseconds since the Unix epoch.
    pub fn next_expiry_ns(&self) -> Option<u64> {
        self.store.expiries.first().map(|(expiry_ms, _)| expiry_ms.saturating_mul(1_000_000))
    }

    fn next_removal_ns(&self) -> Option<u64> {
        let ttl_ns = self.limits.closed_market_ttl_ms.saturating_mul(1_000_000);
        let (closed_ns, _) = self.closed.front().filter(|_| ttl_ns > 0)?;
        Some(closed_ns.saturating_add(ttl_ns))
    }
}
