//! What has happened before memory begins, from the journal, in the form it is streamed in.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use betex::Engine;
use betex::error::EngineError;
use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;
use betex_journal::{JournalEvent, JournalReader, ReadError};

use super::form::{Form, Scope};
use super::hub::Hub;
use super::levels::Levels;
use super::mailbox::Batch;
use super::names::Names;
use super::scene::{Scene, Seen};
use super::search::{Found, Search};

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryFault {
    /// The journal does not reach back that far.
    #[error("from_sequence: the journal begins with {first}; ask from there on, or take a snapshot")]
    Pruned { first: u64 },
    /// It is further back than streams may go.
    #[error(
        "from_sequence: {from} is {back} events back, and a stream may go back {max}; ask from {earliest} on, or take a \
         snapshot (snapshot: true) and follow from there"
    )]
    TooFarBack { from: u64, back: u64, max: u64, earliest: u64 },
    /// It is still to come.
    #[error("from_sequence: {from} is still to come, the last event is {last}; was the exchange reset? At most {} is valid", last + 1)]
    Ahead { from: u64, last: u64 },
    /// There is no such market, and there was none.
    #[error("there is no market of this name, and none was removed since from_sequence")]
    NoMarket,
    /// Which market had the name is not known any more.
    #[error(
        "from_sequence: a market whose name is not known any more was removed with event {sequence}, and may have had \
         this name; ask from {} on",
        sequence + 1
    )]
    NameReused { sequence: u64 },
    /// The market has been removed since, and its names with it.
    #[error("from_sequence: event {sequence} is of a market that has been removed since; ask from later on")]
    MarketRemoved { sequence: u64 },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// Ours.
    #[error("{0}")]
    Unreadable(String),
}

impl HistoryFault {
    /// In one word, for clients.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Pruned { .. } => "SEQUENCE_PRUNED",
            Self::TooFarBack { .. } => "SEQUENCE_TOO_OLD",
            Self::Ahead { .. } => "SEQUENCE_AHEAD",
            Self::NoMarket => "MARKET_NOT_FOUND",
            Self::NameReused { .. } => "NAME_REUSED",
            Self::MarketRemoved { .. } => "MARKET_REMOVED",
            Self::Stopping => "STOPPING",
            Self::Unreadable(_) => "INTERNAL",
        }
    }
}

impl From<ReadError> for HistoryFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Pruned { first } => Self::Pruned { first },
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<EngineError> for HistoryFault {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Read(error) => error.into(),
            other => Self::Unreadable(other.to_string()),
        }
    }
}

/// Events that are looked at in one turn: what a blocking thread does before it lets others in.
const EVENTS_PER_TURN: u64 = 16_384;
/// Messages that one turn makes at most, give or take a transaction.
const MESSAGES_PER_TURN: usize = 4_096;
/// How long a turn takes at most, give or take a frame of the journal.
pub(super) const TURN: Duration = Duration::from_millis(10);

/// Whose past is told.
pub(crate) enum Whose {
    Everything,
    /// Of the market that had this name at the beginning, or had it first after that. As far as is known that is
    /// `current`, which was removed with event `removed` if it is gone.
    Named {
        key: Arc<str>,
        current: Option<MarketId>,
        removed: Option<u64>,
    },
}

/// Reads the past of one market or of all. Everything here blocks: not for async code.
pub(crate) struct History<F: Form> {
    engine: Arc<Engine>,
    hub: Arc<Hub>,
    reader: JournalReader,
    /// Where the reader is is not where it should be.
    must_seek: bool,
    /// The first event wanted.
    from: u64,
    /// What comes next; everything before has been told.
    next: u64,
    stage: Stage,
    /// Of markets that were created in what has been read, and were not there any more when it was.
    names: HashMap<MarketId, Arc<Names>>,
    /// The market was removed: there is no more.
    has_ended: bool,
    form: PhantomData<F>,
}

enum Stage {
    /// Works out what the levels held at the beginning: what they held after event `until`, less what has happened
    /// in between.
    Levels { search: Search, market: MarketId, levels: Levels, next: u64, until: u64 },
    /// Looks for the first event of the market.
    Search(Search, Levels),
    /// Tells. Levels are not told of all markets: there may be a hundred thousand books.
    Tell(Scope, Levels),
}

impl<F: Form> History<F> {
    /// Goes to an event in the past.
    pub(crate) fn open(
        engine: Arc<Engine>,
        hub: Arc<Hub>,
        whose: Whose,
        from: u64,
    ) -> Result<Self, HistoryFault> {
        let mut reader = engine.journal_reader()?;
        reader.seek(from)?;
        let stage = match whose {
            Whose::Everything => Stage::Tell(Scope::Everything, Levels::default()),
            Whose::Named { key, current, removed } => {
                let search = Search::new(key, current);
                match current {
                    Some(market) if F::TELLS_LEVELS => {
                        let (levels, until) = levels_after(&engine, &hub, market, removed)?;
                        Stage::Levels { search, market, levels, next: from, until }
                    }
                    _ => Stage::Search(search, Levels::default()),
                }
            }
        };
        let names = HashMap::new();
        let (form, has_ended, must_seek) = (PhantomData, false, false);
        Ok(Self { engine, hub, reader, must_seek, from, next: from, stage, names, has_ended, form })
    }

    /// The first event that has not been told.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether the market was removed, so that there is no more.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whose events are told, once that is known. Before that nothing has been told.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match &self.stage {
            Stage::Levels { .. } | Stage::Search(..) => None,
            Stage::Tell(scope, _) => Some(*scope),
        }
    }

    /// What the search has come to, while it goes on.
    pub(crate) fn search(&self) -> Option<&Search> {
        match &self.stage {
            Stage::Search(search, _) => Some(search),
            Stage::Levels { .. } | Stage::Tell(..) => None,
        }
    }

    /// Tells what comes next, up to this event and not beyond, which must be one that the read state shows.
    /// It may be nothing, though more follows: [`History::next`] says how far it came.
    pub(crate) fn turn(&mut self, to: u64) -> Result<Vec<Arc<Batch<F::Message>>>, HistoryFault> {
        let begun = Instant::now();
        if std::mem::take(&mut self.must_seek) {
            self.reader.seek(self.next)?;
        }
        if let Stage::Levels { .. } = self.stage {
            self.levels_turn(begun)?;
            return Ok(Vec::new());
        }
        self.reader.set_limit(to);
        let until = to.min(self.next.saturating_add(EVENTS_PER_TURN));
        let (mut batches, mut messages) = (Vec::new(), 0);
        let mut events = Vec::new();
        while self.next <= until && messages < MESSAGES_PER_TURN && !self.has_ended && begun.elapsed() < TURN
        {
            let Some(stamp) = self.reader.next_transaction(&mut events)? else {
                return Err(HistoryFault::Unreadable(format!("the journal ends before event {to}")));
            };
            self.next = stamp.sequence + events.len() as u64;
            self.look(&stamp, &events)?;
            let is_wanted = self.scope().is_some_and(|scope| scope.includes(stamp.market_id));
            if stamp.market_id.is_some() && is_wanted {
                let batch = self.tell(&stamp, std::mem::take(&mut events))?;
                messages += batch.items.len();
                if !batch.items.is_empty() {
                    batches.push(Arc::new(batch));
                }
            }
        }
        Ok(batches)
    }

    /// Goes on working out the levels.
    fn levels_turn(&mut self, begun: Instant) -> Result<(), HistoryFault> {
        let Stage::Levels { search, market, levels, next, until } = &mut self.stage else { return Ok(()) };
        self.reader.set_limit(*until);
        let mut events = Vec::new();
        let mut is_new = false;
        while *next <= *until && !is_new && begun.elapsed() < TURN {
            let Some(stamp) = self.reader.next_transaction(&mut events)? else {
                return Err(HistoryFault::Unreadable(format!("the journal ends before event {until}")));
            };
            // A market that begins later begins with no levels at all.
            is_new = search.begins(&events);
            if stamp.market_id == *market {
                let numbered = (stamp.sequence..).zip(&events);
                let wanted = numbered.filter(|(sequence, _)| *sequence >= self.from);
                wanted.for_each(|(_, event)| levels.take_back(event));
            }
            *next = stamp.sequence + events.len() as u64;
        }
        if is_new || *next > *until {
            self.stage = Stage::Search(search.clone(), std::mem::take(levels));
            self.must_seek = true;
        }
        Ok(())
    }

    /// Learns names, and finds the market that is looked for.
    fn look(&mut self, stamp: &Stamp, events: &[Event]) -> Result<(), HistoryFault> {
        for event in events {
            match event {
                Event::MarketCreated(spec) if self.engine.read().market(stamp.market_id).is_none() => {
                    self.names.insert(stamp.market_id, Arc::new(Names::of_new(stamp.market_id, spec)));
                }
                Event::RunnersAdded(_) => {
                    if let Some(names) = self.names.get_mut(&stamp.market_id) {
                        Arc::make_mut(names).apply(event);
                    }
                }
                _ => (),
            }
        }
        let Stage::Search(search, levels) = &mut self.stage else { return Ok(()) };
        match search.look(stamp, events, |market| self.hub.recent.names(market))? {
            None => Ok(()),
            Some(Found::There(market)) => {
                self.stage = Stage::Tell(Scope::Market(market), std::mem::take(levels));
                Ok(())
            }
            Some(Found::New(market, names)) => {
                self.stage = Stage::Tell(Scope::Market(market), Levels::empty(names.paired));
                Ok(())
            }
        }
    }

    fn tell(&mut self, stamp: &Stamp, events: Vec<Event>) -> Result<Batch<F::Message>, HistoryFault> {
        let count = events.len() as u64;
        let tells_levels = F::TELLS_LEVELS && self.scope() != Some(Scope::Everything);
        let mut transaction = Vec::with_capacity(events.len());
        for (index, event) in (0..count).zip(events) {
            // Of a transaction that the stream begins in the middle of, the first part is in the levels.
            let is_wanted = tells_levels && stamp.sequence + index >= self.from;
            let level = match &mut self.stage {
                Stage::Tell(_, levels) if is_wanted => levels.apply(&event),
                _ => None,
            };
            transaction.push(Seen { record: JournalEvent::of(stamp, index, count, event), level });
        }
        let names = self.names_of(stamp.market_id);
        let names = names.ok_or(HistoryFault::MarketRemoved { sequence: stamp.sequence })?;
        let items = F::render(&transaction, &Scene::new(&names, &self.engine.read()), self.from);
        if transaction.iter().any(|seen| matches!(seen.record.event, Event::MarketRemoved)) {
            self.names.remove(&stamp.market_id);
            self.has_ended = self.scope() == Some(Scope::Market(stamp.market_id));
        }
        Ok(Batch { first: stamp.sequence, last: stamp.sequence + count - 1, items })
    }

    /// What clients call a market, or called it.
    fn names_of(&self, market: MarketId) -> Option<Arc<Names>> {
        if let Some(names) = self.names.get(&market) {
            return Some(Arc::clone(names));
        }
        self.hub.recent.names(market).or_else(|| {
            let state = self.engine.read();
            state.market(market).map(|market| Arc::new(Names::of(&market)))
        })
    }
}

/// What the levels of a market hold now, or held when it was removed, and after which event that is.
fn levels_after(
    engine: &Engine,
    hub: &Hub,
    market: MarketId,
    removed: Option<u64>,
) -> Result<(Levels, u64), HistoryFault> {
    if let Some(removed) = removed {
        let paired = hub.recent.names(market).and_then(|names| names.paired);
        return Ok((Levels::empty(paired), removed));
    }
    let state = engine.read();
    let view = state.market(market).ok_or(HistoryFault::MarketRemoved { sequence: state.sequence() })?;
    Ok((Levels::of(&view), state.sequence()))
}
