//! What has happened before a stream began, from the journal, in the form it is streamed in.

use std::marker::PhantomData;
use std::sync::Arc;

use betex::Engine;
use betex::error::EngineError;
use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;
use betex_journal::{JournalEvent, JournalReader, ReadError};

use super::form::{Form, Scope};
use super::levels::Levels;
use super::mailbox::Batch;
use super::scene::{Scene, Seen};

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryFault {
    /// The journal does not reach back that far.
    #[error("from_sequence: the journal begins with {first}; ask from there on, or take a snapshot")]
    Pruned { first: u64 },
    /// The market has been removed since, and its names with it.
    #[error("from_sequence: event {sequence} is of a market that has been removed since; ask from later on")]
    MarketRemoved { sequence: u64 },
    /// Ours.
    #[error("{0}")]
    Unreadable(String),
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

/// Reads the past of one market or of all. Everything here blocks: not for async code.
pub(crate) struct History<F: Form> {
    engine: Arc<Engine>,
    reader: JournalReader,
    scope: Scope,
    /// The first event wanted.
    from: u64,
    /// What comes next; everything before has been told.
    next: u64,
    /// What the levels hold before `next`; `None` where nobody asked for levels.
    levels: Option<Levels>,
    form: PhantomData<F>,
}

impl<F: Form> History<F> {
    /// Goes to an event in the past. The levels of a market are told too, those of all are not: there may be
    /// a hundred thousand books.
    pub(crate) fn open(engine: Arc<Engine>, scope: Scope, from: u64) -> Result<Self, HistoryFault> {
        let mut reader = engine.journal_reader()?;
        reader.seek(from)?;
        let levels = match scope {
            Scope::Market(market) if F::TELLS_LEVELS => {
                Some(levels_before(&engine, &mut reader, market, from)?)
            }
            Scope::Market(_) | Scope::Everything => None,
        };
        Ok(Self { engine, reader, scope, from, next: from, levels, form: PhantomData })
    }

    /// The first event that has not been told.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Tells what comes next, up to this event and not beyond, which must be one that the read state shows.
    /// It may be nothing, though more follows: [`History::next`] says how far it came.
    pub(crate) fn turn(&mut self, to: u64) -> Result<Vec<Arc<Batch<F::Message>>>, HistoryFault> {
        self.reader.set_limit(to);
        let until = to.min(self.next.saturating_add(EVENTS_PER_TURN));
        let (mut batches, mut messages) = (Vec::new(), 0);
        let mut events = Vec::new();
        while self.next <= until && messages < MESSAGES_PER_TURN {
            let Some(stamp) = self.reader.next_transaction(&mut events)? else {
                return Err(HistoryFault::Unreadable(format!("the journal ends before event {to}")));
            };
            let last = stamp.sequence + events.len() as u64 - 1;
            if stamp.market_id.is_some() && self.scope.includes(stamp.market_id) {
                let batch = self.tell(&stamp, std::mem::take(&mut events))?;
                messages += batch.items.len();
                if !batch.items.is_empty() {
                    batches.push(Arc::new(batch));
                }
            }
            self.next = last + 1;
        }
        Ok(batches)
    }

    fn tell(&mut self, stamp: &Stamp, events: Vec<Event>) -> Result<Batch<F::Message>, HistoryFault> {
        let count = events.len() as u64;
        let mut transaction = Vec::with_capacity(events.len());
        for (index, event) in (0..count).zip(events) {
            // Of a transaction that the stream begins in the middle of, the first part is in the levels.
            let is_wanted = stamp.sequence + index >= self.from;
            let level = self.levels.as_mut().filter(|_| is_wanted).and_then(|levels| levels.apply(&event));
            transaction.push(Seen { record: JournalEvent::of(stamp, index, count, event), level });
        }
        let state = self.engine.read();
        let Some(scene) = Scene::of(&state, stamp.market_id) else {
            return Err(HistoryFault::MarketRemoved { sequence: stamp.sequence });
        };
        let items = F::render(&transaction, &scene, self.from);
        Ok(Batch { first: stamp.sequence, last: stamp.sequence + count - 1, items })
    }
}

/// What a market's levels held just before an event: what they hold now, less what has happened since.
/// Leaves the reader where it was.
fn levels_before(
    engine: &Engine,
    reader: &mut JournalReader,
    market: MarketId,
    from: u64,
) -> Result<Levels, HistoryFault> {
    let (mut levels, now) = {
        let state = engine.read();
        let view = state.market(market).ok_or(HistoryFault::MarketRemoved { sequence: state.sequence() })?;
        (Levels::of(&view), state.sequence())
    };
    reader.set_limit(now);
    let mut events = Vec::new();
    while let Some(stamp) = reader.next_transaction(&mut events)? {
        if stamp.market_id == market {
            let numbered = (stamp.sequence..).zip(&events);
            numbered.filter(|(sequence, _)| *sequence >= from).for_each(|(_, event)| levels.take_back(event));
        }
    }
    reader.seek(from)?;
    Ok(levels)
}
