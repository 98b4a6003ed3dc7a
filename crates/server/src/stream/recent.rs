//! What has happened lately, in memory, for streams that begin in the past.
//!
//! Transactions of each market, as many as fit into a number of bytes for all markets together. Where there is no
//! more room, the market that takes the most gives up its oldest: so a busy market does not displace what has
//! happened in a quiet one. A stream that begins where memory reaches back to never needs the journal.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use betex_core::event::Event;
use betex_core::types::MarketId;
use parking_lot::Mutex;

use super::form::Scope;
use super::names::Names;
use super::past_names::PastNames;
use super::scene::Seen;
use super::warm::Tail;

/// Bytes of transactions that are kept, unless it is said otherwise.
pub(crate) const BYTES_MAX: usize = 128 << 20;
/// Events that one look gives out, give or take a transaction: as many as may be rendered without letting others in.
const EVENTS_AT_ONCE: usize = 256;

/// The events of a transaction.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) seen: Box<[Seen]>,
    bytes: usize,
}

impl Transaction {
    pub(crate) fn new(seen: Vec<Seen>) -> Self {
        let heap: usize = seen.iter().map(|seen| heap_bytes(&seen.record.event)).sum();
        // The maps and queues that it is in take about as much as a pointer each, and some more.
        let bytes = size_of::<Self>() + 128 + seen.len() * size_of::<Seen>() + heap;
        Self { seen: seen.into_boxed_slice(), bytes }
    }

    pub(crate) fn market(&self) -> MarketId {
        self.seen.first().map_or(MarketId::NONE, |seen| seen.record.market_id)
    }

    pub(crate) fn first(&self) -> u64 {
        self.seen.first().map_or(0, |seen| seen.record.sequence)
    }

    pub(crate) fn last(&self) -> u64 {
        self.seen.last().map_or(0, |seen| seen.record.sequence)
    }

    /// Whether the market is gone after it.
    pub(crate) fn removes(&self) -> bool {
        self.seen.iter().any(|seen| matches!(seen.record.event, Event::MarketRemoved))
    }
}

/// What an event holds outside itself, about.
fn heap_bytes(event: &Event) -> usize {
    match event {
        Event::MarketCreated(spec) => {
            size_of_val(&**spec) + spec.runners.iter().map(|runner| 64 + runner.name.len()).sum::<usize>()
        }
        Event::RunnersAdded(added) => added.iter().map(|runner| 64 + runner.name.len()).sum(),
        Event::LimitsSet(_) | Event::AccountRegistered { .. } => 64,
        // A reason, or a client order id.
        _ => 64,
    }
}

/// What memory holds of the past from some event on.
pub(crate) struct Part {
    pub(crate) transactions: Vec<(Arc<Transaction>, Arc<Names>)>,
    /// Everything before this event that was asked for has been given out now.
    pub(crate) next: u64,
    /// There is no more.
    pub(crate) is_all: bool,
}

/// What has happened lately.
#[derive(Debug)]
pub(crate) struct Recent {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    /// By first event.
    all: BTreeMap<u64, Arc<Transaction>>,
    windows: HashMap<MarketId, Window>,
    /// Who takes how much.
    sizes: BTreeSet<(usize, MarketId)>,
    bytes: usize,
    /// Nothing from here on has been let go, of any market.
    all_from: u64,
    /// The same of markets that have no window.
    others_from: u64,
    /// The last event that was seen, of any market or none.
    last: u64,
    names: PastNames,
}

/// What is kept of one market.
#[derive(Debug)]
struct Window {
    transactions: VecDeque<Arc<Transaction>>,
    bytes: usize,
    /// Nothing of this market from here on has been let go.
    from: u64,
    names: Arc<Names>,
    is_removed: bool,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(BYTES_MAX)
    }
}

impl Recent {
    fn new(bytes_max: usize) -> Self {
        let inner = Inner {
            bytes_max,
            all: BTreeMap::new(),
            windows: HashMap::new(),
            sizes: BTreeSet::new(),
            bytes: 0,
            all_from: 1,
            others_from: 1,
            last: 0,
            names: PastNames::default(),
        };
        Self { inner: Mutex::new(inner) }
    }

    /// Begins: `recovered` is the last event before the first that will be seen, `keys` what clients call the
    /// markets that are there after the event `known`.
    pub(crate) fn begin(&self, recovered: u64, known: u64, keys: Vec<(MarketId, Arc<str>)>) {
        let mut inner = self.inner.lock();
        inner.names.begin(known, keys);
        inner.miss(recovered);
    }

    /// Puts the end of the past before what has been seen.
    pub(super) fn prepend(&self, tail: Tail) {
        self.inner.lock().prepend(tail);
    }

    /// Keeps no more than so many bytes.
    pub(crate) fn set_bytes_max(&self, bytes_max: usize) {
        self.inner.lock().bytes_max = bytes_max;
    }

    /// Passes over events of which too little is known to be kept.
    pub(crate) fn miss(&self, last: u64) {
        self.inner.lock().miss(last);
    }

    /// Keeps a transaction. `names` is asked where a market is met for the first time.
    pub(crate) fn record(
        &self,
        transaction: Arc<Transaction>,
        names: impl FnOnce() -> Option<Names>,
    ) -> Arc<Names> {
        let market = transaction.market();
        let is_known = self.inner.lock().windows.contains_key(&market);
        // Not under the lock: whoever looks at the state must not wait for who looks in here, and the reverse.
        let names = if is_known { None } else { names() };
        self.inner.lock().record(market, transaction, names)
    }

    /// Passes over events that concern no market.
    pub(crate) fn pass(&self, last: u64) {
        let mut inner = self.inner.lock();
        inner.last = inner.last.max(last);
    }

    /// Forgets what it knows of a market, because what became of its levels up to this event is not known.
    pub(crate) fn forget(&self, market: MarketId, last: u64) {
        let mut inner = self.inner.lock();
        while inner.let_go(market).is_some() {}
        if let Some(window) = inner.windows.get_mut(&market) {
            window.from = window.from.max(last + 1);
        }
        // Whether it has a window or not.
        inner.miss(last);
    }

    /// What is held from this event on; `None` if some of it has been let go.
    pub(crate) fn part(&self, scope: Scope, from: u64) -> Option<Part> {
        self.inner.lock().part(scope, from)
    }

    /// Whether all of it from this event on is held.
    pub(crate) fn reaches(&self, scope: Scope, from: u64) -> bool {
        self.inner.lock().begin_of(scope) <= from
    }

    /// How many transactions are kept, and how many bytes they take, about.
    pub(crate) fn size(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.all.len(), inner.bytes)
    }

    /// What clients call a market that is there, or was.
    pub(crate) fn names(&self, market: MarketId) -> Option<Arc<Names>> {
        let inner = self.inner.lock();
        let window = inner.windows.get(&market).map(|window| Arc::clone(&window.names));
        window.or_else(|| inner.names.of(market))
    }

    /// Looks at what is known of names.
    pub(crate) fn with_names<T>(&self, look: impl FnOnce(&PastNames) -> T) -> T {
        look(&self.inner.lock().names)
    }
}

impl Inner {
    fn miss(&mut self, last: u64) {
        self.last = self.last.max(last);
        self.all_from = self.all_from.max(last + 1);
        self.others_from = self.others_from.max(last + 1);
    }

    fn record(
        &mut self,
        market: MarketId,
        transaction: Arc<Transaction>,
        names: Option<Names>,
    ) -> Arc<Names> {
        let first = transaction.first();
        self.last = self.last.max(transaction.last());
        let (from, known) = (self.others_from, &self.names);
        let window = self.windows.entry(market).or_insert_with(|| {
            let names =
                names.unwrap_or_else(|| Names::only_key(known.key(market).as_deref().unwrap_or_default()));
            let (names, transactions) = (Arc::new(names), VecDeque::new());
            Window { transactions, bytes: 0, from, names, is_removed: false }
        });
        for seen in &transaction.seen {
            match &seen.record.event {
                Event::MarketCreated(spec) => {
                    window.names = Arc::new(Names::of_new(market, spec));
                    // There was nothing of it before.
                    window.from = 0;
                    self.names.created(market, &window.names.key);
                }
                Event::RunnersAdded(_) => Arc::make_mut(&mut window.names).apply(&seen.record.event),
                Event::MarketRemoved => {
                    window.is_removed = true;
                    self.names.removed(market, Arc::clone(&window.names), seen.record.sequence);
                }
                _ => (),
            }
        }
        let names = Arc::clone(&window.names);
        self.sizes.remove(&(window.bytes, market));
        window.bytes += transaction.bytes;
        self.sizes.insert((window.bytes, market));
        self.bytes += transaction.bytes;
        window.transactions.push_back(Arc::clone(&transaction));
        self.all.insert(first, transaction);
        self.make_room();
        names
    }

    fn prepend(&mut self, tail: Tail) {
        let begins = self.all_from;
        if begins > tail.to + 1 {
            // Something in between has been let go already.
            return;
        }
        let kept: Vec<(usize, MarketId)> = self.sizes.iter().copied().collect();
        for (_, market) in kept {
            if let Some(window) = self.windows.get_mut(&market) {
                window.from = window.from.min(tail.from);
            }
        }
        // Those who are removed in it, in this order.
        for transaction in &tail.transactions {
            let market = transaction.market();
            if let (true, Some(names)) = (transaction.removes(), tail.names.get(&market)) {
                self.names.removed(market, Arc::clone(names), transaction.last());
            }
        }
        self.names.begin_again(tail.unknown.max(tail.from - 1));
        for transaction in
            tail.transactions.into_iter().rev().filter(|transaction| transaction.last() < begins)
        {
            let market = transaction.market();
            let Some(names) = tail.names.get(&market) else { continue };
            let window = self.windows.entry(market).or_insert_with(|| Window {
                transactions: VecDeque::new(),
                bytes: 0,
                from: tail.from,
                names: Arc::clone(names),
                is_removed: false,
            });
            window.is_removed |= transaction.removes();
            if transaction.seen.iter().any(|seen| matches!(seen.record.event, Event::MarketCreated(_))) {
                window.from = 0;
            }
            self.sizes.remove(&(window.bytes, market));
            window.bytes += transaction.bytes;
            self.sizes.insert((window.bytes, market));
            self.bytes += transaction.bytes;
            self.all.insert(transaction.first(), Arc::clone(&transaction));
            window.transactions.push_front(transaction);
        }
        self.others_from = self.others_from.min(tail.from);
        self.all_from = tail.from.max(tail.unknown + 1);
        self.make_room();
    }

    /// Lets go of what is too much, of the market that takes the most.
    fn make_room(&mut self) {
        while self.bytes > self.bytes_max
            && let Some((_, largest)) = self.sizes.last().copied()
            && self.let_go(largest).is_some()
        {}
    }

    /// Lets go of the oldest transaction of a market.
    fn let_go(&mut self, market: MarketId) -> Option<()> {
        let window = self.windows.get_mut(&market)?;
        let oldest = window.transactions.pop_front()?;
        self.sizes.remove(&(window.bytes, market));
        window.bytes -= oldest.bytes;
        self.bytes -= oldest.bytes;
        let after = oldest.last() + 1;
        window.from = after;
        self.all_from = self.all_from.max(after);
        self.all.remove(&oldest.first());
        if !window.transactions.is_empty() {
            self.sizes.insert((window.bytes, market));
        } else if window.is_removed {
            self.windows.remove(&market);
            self.others_from = self.others_from.max(after);
        }
        Some(())
    }

    fn begin_of(&self, scope: Scope) -> u64 {
        match scope {
            Scope::Everything => self.all_from,
            Scope::Market(market) => self.windows.get(&market).map_or(self.others_from, |window| window.from),
        }
    }

    fn part(&self, scope: Scope, from: u64) -> Option<Part> {
        if from < self.begin_of(scope) {
            return None;
        }
        let mut taken = Vec::new();
        let mut events = 0;
        let mut rest: Box<dyn Iterator<Item = &Arc<Transaction>>> = match scope {
            Scope::Everything => {
                // One that began before may hold it.
                let before = self.all.range(..from).next_back().filter(|(_, before)| before.last() >= from);
                Box::new(before.into_iter().chain(self.all.range(from..)).map(|(_, transaction)| transaction))
            }
            Scope::Market(market) => match self.windows.get(&market) {
                None => Box::new(std::iter::empty()),
                Some(window) => {
                    let first = window.transactions.partition_point(|transaction| transaction.last() < from);
                    Box::new(window.transactions.range(first..))
                }
            },
        };
        let mut is_all = true;
        for transaction in rest.by_ref() {
            if events >= EVENTS_AT_ONCE {
                is_all = false;
                break;
            }
            let Some(window) = self.windows.get(&transaction.market()) else { continue };
            events += transaction.seen.len();
            taken.push((Arc::clone(transaction), Arc::clone(&window.names)));
        }
        let told = taken.last().map_or(0, |(transaction, _)| transaction.last());
        let next = from.max(if is_all { self.last } else { told } + 1);
        Some(Part { transactions: taken, next, is_all })
    }
}
