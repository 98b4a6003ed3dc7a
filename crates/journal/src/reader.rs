//! Reading a journal, live or dead, without touching it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;

use crate::error::{Fault, ReadError};
use crate::frame::FrameHeader;
use crate::naming::Naming;
use crate::record::BodyDecoder;
use crate::segment;
use crate::storage::{FileStorage, Storage};
use crate::walk::Walk;

/// After finding nothing new this often, a reader without a limit makes sure again that it really is at
/// the end, and not before something damaged.
const LOOKS_PER_SCAN: u32 = 1_024;

/// One event of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEvent {
    /// Its sequence number.
    pub sequence: u64,
    /// The market, [`MarketId::NONE`] where none is concerned.
    pub market_id: MarketId,
    /// Its number in the market, 0 where none is concerned.
    pub market_sequence: u64,
    /// Nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Whether it is the last one of its transaction.
    pub ends_transaction: bool,
    /// What happened.
    pub event: Event,
}

impl JournalEvent {
    /// One of the `count` events of a transaction, counted from 0.
    pub fn of(stamp: &Stamp, index: u64, count: u64, event: Event) -> Self {
        let in_market = if stamp.market_id.is_some() { index } else { 0 };
        Self {
            sequence: stamp.sequence + index,
            market_id: stamp.market_id,
            market_sequence: stamp.market_sequence + in_market,
            time_ns: stamp.time_ns,
            ends_transaction: index + 1 == count,
            event,
        }
    }
}

/// Reads the transactions of a journal in order, each of them whole. It needs no lock, may be used while
/// another process writes, and never writes itself.
///
/// Frames show up as soon as they are written, which is before they are durable; whoever must not see
/// them that early sets a limit.
#[derive(Debug)]
pub struct JournalReader {
    walk: Walk,
    root: PathBuf,
    /// The rest of the frame that the walk found last.
    body: Option<BodyDecoder>,
    /// Transactions that end before it are passed over.
    from: u64,
    limit: Option<u64>,
    /// How often in a row there was nothing new.
    looks: u32,
    /// The first end that is met is always made sure of: a dead journal has no other.
    has_scanned: bool,
}

impl JournalReader {
    /// At the first event of the current journal.
    pub fn open(storage: Arc<dyn Storage>) -> Result<Self, ReadError> {
        let naming = Naming::current(&*storage)?;
        let folder = segment::folder_name(naming.journal);
        let root = storage.root().join(&folder);
        let begin = || Walk::from_start(Arc::clone(&storage), folder.clone(), naming.journal);
        let walk = again(begin).map_err(|fault| fault.reading(&root))?;
        let from = walk.expect.sequence;
        Ok(Self { walk, root, body: None, from, limit: None, looks: 0, has_scanned: false })
    }

    /// At the first event of the journal in this directory.
    pub fn open_dir(directory: impl Into<PathBuf>) -> Result<Self, ReadError> {
        Self::open(Arc::new(FileStorage::new(directory)))
    }

    /// The journal's number.
    pub fn journal(&self) -> u64 {
        self.walk.journal
    }

    /// The sequence number of the first event that is there, or will be.
    pub fn first_sequence(&self) -> Result<u64, ReadError> {
        let begin = || {
            let Walk { storage, folder, journal, .. } = &self.walk;
            Walk::from_start(Arc::clone(storage), folder.clone(), *journal)
        };
        Ok(again(begin).map_err(|fault| fault.reading(&self.root))?.expect.sequence)
    }

    /// Goes to the transaction that has the event with this number, forwards or back. If it is not there
    /// yet, it will be the first one that is returned.
    pub fn seek(&mut self, sequence: u64) -> Result<(), ReadError> {
        let sequence = sequence.max(1);
        let first = again(|| self.walk.seek(sequence)).map_err(|fault| fault.reading(&self.root))?;
        self.body = None;
        self.from = sequence;
        self.looks = 0;
        if sequence < first {
            return Err(ReadError::Pruned { first });
        }
        Ok(())
    }

    /// Shows nothing beyond this sequence number from now on, and takes everything up to it for written:
    /// where it cannot be read the journal is damaged.
    pub fn set_limit(&mut self, sequence: u64) {
        self.limit = Some(sequence);
    }

    /// The next transaction, its events into `events`, which is emptied first. `None`: nothing more is
    /// there now; a later call may find more.
    pub fn next_transaction(&mut self, events: &mut Vec<Event>) -> Result<Option<Stamp>, ReadError> {
        let found = self.next_within_limit(events).map_err(|fault| fault.reading(&self.root))?;
        if found.is_none() {
            events.clear();
        }
        Ok(found)
    }

    /// The events one by one, ending where nothing more is there now. Begins with the very event that was
    /// sought, though it be in the middle of its transaction.
    pub fn events(&mut self) -> Events<'_> {
        Events { reader: self, transaction: Vec::new(), ready: VecDeque::new() }
    }

    /// Whether the next frame begins beyond the limit.
    fn is_at_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.walk.expect.sequence > limit)
    }

    fn next_within_limit(&mut self, events: &mut Vec<Event>) -> Result<Option<Stamp>, Fault> {
        loop {
            if self.body.is_none() && (self.is_at_limit() || !self.next_frame()?) {
                return Ok(None);
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            let before = *body;
            let next = body.next_transaction(self.walk.body(), events);
            match next.map_err(|error| self.walk.in_frame(error))? {
                Some(stamp) => {
                    let last = body.next_sequence() - 1;
                    if self.limit.is_some_and(|limit| last > limit) {
                        *body = before;
                        return Ok(None);
                    }
                    if last >= self.from {
                        return Ok(Some(stamp));
                    }
                }
                None => {
                    self.walk.check_count(body.next_sequence())?;
                    self.body = None;
                }
            }
        }
    }

    /// Opens the next frame, if it is there.
    fn next_frame(&mut self) -> Result<bool, Fault> {
        let mut found = self.walk.next()?;
        if found.is_none() {
            // What was read ahead may be older than the frame.
            self.walk.forget();
            found = self.walk.next()?;
        }
        if found.is_none() {
            found = self.make_sure()?;
        }
        let Some(header) = found else { return Ok(false) };
        self.looks = 0;
        self.body = Some(BodyDecoder::new(header.first_seq.get()));
        Ok(true)
    }

    /// Tells the end from damage, where the next frame was not found.
    fn make_sure(&mut self) -> Result<Option<FrameHeader>, Fault> {
        // Within the limit a frame must be there. Without one, only what lies behind can tell.
        let is_due = self.limit.is_some();
        self.looks = self.looks.wrapping_add(1);
        if !is_due && self.has_scanned && !self.looks.is_multiple_of(LOOKS_PER_SCAN) {
            return Ok(None);
        }
        self.has_scanned = true;
        let missing = || self.walk.damage("it was written, and is not whole".into());
        let missing = is_due.then(missing);
        let damage = again(|| self.walk.look_behind())?.damage.or(missing);
        let Some(damage) = damage else { return Ok(None) };
        // A writer may have written the frame, and others behind it, while this looked. They are written
        // in order: if it is not there now it never will be.
        self.walk.forget();
        match self.walk.next()? {
            Some(header) => Ok(Some(header)),
            None => Err(Fault::Corrupt(damage)),
        }
    }
}

/// A segment may be removed while it is looked for: then there are others to look at.
pub(crate) fn again<T>(mut look: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    const TIMES: u32 = 8;
    let gone = |fault: &Fault| matches!(fault, Fault::Disk(error) if error.source.kind() == std::io::ErrorKind::NotFound);
    for _ in 1..TIMES {
        match look() {
            Err(fault) if gone(&fault) => (),
            looked => return looked,
        }
    }
    look()
}

/// The events of a [`JournalReader`], one by one.
#[derive(Debug)]
pub struct Events<'a> {
    reader: &'a mut JournalReader,
    transaction: Vec<Event>,
    ready: VecDeque<JournalEvent>,
}

impl Events<'_> {
    fn fill(&mut self) -> Result<(), ReadError> {
        if let Some(stamp) = self.reader.next_transaction(&mut self.transaction)? {
            let count = self.transaction.len() as u64;
            let events = (0..count).zip(self.transaction.drain(..));
            let from = self.reader.from;
            self.ready.extend(
                events
                    .map(|(index, event)| JournalEvent::of(&stamp, index, count, event))
                    .filter(|event| event.sequence >= from),
            );
        }
        Ok(())
    }
}

impl Iterator for Events<'_> {
    type Item = Result<JournalEvent, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}
