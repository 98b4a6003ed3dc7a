//! Bugs that are built in on purpose, one at a time, to see that they are found: each is one that a change
//! of the engine could bring.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use betex::engine::state::State;
use betex::prelude::*;
use betex_core::event::{OrderAccepted, Stamp};
use betex_journal::{JournalEvent, JournalWriter, Log, LogError, SegmentPreparer};

use crate::disk::{Disk, Lies};
use crate::failure::Check;
use crate::truth::{Truth, stamp};

/// A bug on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The journal says that a frame is durable one commit before it writes it.
    AckBeforeSync,
    /// The journal leaves out a transaction, and numbers on as if it had never been.
    SkippedRecord,
    /// The journal writes the first event of a transaction as one of its own.
    SplitTransaction,
    /// The engine goes on after a write or a sync that failed.
    IgnoredError,
    /// Recovery cuts one frame too many off the end.
    TruncatedFrame,
    /// Recovery puts two orders into the book in each other's place.
    SwappedOrders,
    /// The disk says that it has synced a file, and has not.
    LyingSync,
    /// The disk says that it has synced a folder, and has not.
    LyingFolderSync,
    /// A handler is started one event too late.
    SkippedByHandler,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::AckBeforeSync,
        Self::SkippedRecord,
        Self::SplitTransaction,
        Self::IgnoredError,
        Self::TruncatedFrame,
        Self::SwappedOrders,
        Self::LyingSync,
        Self::LyingFolderSync,
        Self::SkippedByHandler,
    ];

    /// The check that has to find it.
    pub const fn found_by(self) -> Check {
        match self {
            Self::AckBeforeSync | Self::LyingSync | Self::LyingFolderSync => Check::Gate,
            Self::SkippedRecord | Self::TruncatedFrame => Check::Acknowledged,
            Self::SplitTransaction => Check::Whole,
            Self::IgnoredError => Check::Failed,
            Self::SwappedOrders => Check::Fifo,
            Self::SkippedByHandler => Check::Handler,
        }
    }

    /// What a disk is told of it.
    pub(crate) fn lies(self) -> Lies {
        Lies { sync: self == Self::LyingSync, sync_dir: self == Self::LyingFolderSync }
    }
}

/// Transactions from one that is left out to the next.
const SKIPPED_EVERY: u64 = 50;

/// The journal's log, which lets the preparer have its turn where the log would wait for it, and has the
/// bugs that a log can have.
pub(crate) struct SimLog {
    inner: JournalWriter,
    preparer: Arc<Mutex<SegmentPreparer>>,
    /// Whether the log has failed, whatever the engine was told.
    failed: Arc<AtomicBool>,
    sabotage: Option<Sabotage>,
    /// The number of the last event that was appended.
    appended: u64,
    transactions: u64,
    /// Events that were left out.
    left_out: u64,
    owes_a_commit: bool,
}

impl SimLog {
    pub(crate) fn new(
        inner: JournalWriter,
        preparer: Arc<Mutex<SegmentPreparer>>,
        failed: Arc<AtomicBool>,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let appended = inner.durable_sequence();
        Self {
            inner,
            preparer,
            failed,
            sabotage,
            appended,
            transactions: 0,
            left_out: 0,
            owes_a_commit: false,
        }
    }

    /// What the preparer's thread would do while the log waits. Where it cannot, the log is told to end.
    fn prepare(&self) {
        let supply = self.inner.supply();
        if supply.is_ready() {
            return;
        }
        let mut preparer = self.preparer.lock().unwrap_or_else(PoisonError::into_inner);
        if preparer.step().is_err() {
            supply.stop();
        }
    }

    fn tell(&self, result: Result<(), LogError>) -> Result<(), LogError> {
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        if self.sabotage == Some(Sabotage::IgnoredError) { Ok(()) } else { result }
    }

    fn write(&mut self, stamp: &Stamp, events: &[Event]) -> Result<(), LogError> {
        self.prepare();
        let stamp = Stamp { sequence: stamp.sequence - self.left_out, ..*stamp };
        let result = self.inner.append(&stamp, events);
        self.tell(result)
    }
}

impl Log for SimLog {
    fn append(&mut self, stamp: &Stamp, events: &[Event]) -> Result<(), LogError> {
        self.transactions += 1;
        self.appended = stamp.sequence + events.len() as u64 - 1;
        match self.sabotage {
            Some(Sabotage::SkippedRecord) if self.transactions.is_multiple_of(SKIPPED_EVERY) => {
                self.left_out += events.len() as u64;
                Ok(())
            }
            Some(Sabotage::SplitTransaction) if events.len() > 1 && stamp.market_id.is_some() => {
                self.write(stamp, &events[..1])?;
                let (sequence, market_sequence) = (stamp.sequence + 1, stamp.market_sequence + 1);
                self.write(&Stamp { sequence, market_sequence, ..*stamp }, &events[1..])
            }
            _ => self.write(stamp, events),
        }
    }

    fn commit(&mut self) -> Result<(), LogError> {
        if self.sabotage == Some(Sabotage::AckBeforeSync) {
            self.owes_a_commit = !self.owes_a_commit;
            if self.owes_a_commit {
                return Ok(());
            }
        }
        self.prepare();
        let result = self.inner.commit();
        self.tell(result)
    }

    fn durable_sequence(&self) -> u64 {
        if self.sabotage.is_some() { self.appended } else { self.inner.durable_sequence() }
    }

    fn frames(&self) -> u64 {
        self.inner.frames()
    }

    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    fn settle(&mut self) -> Result<(), LogError> {
        let result = self.inner.settle();
        self.tell(result)
    }

    fn close(&mut self) -> Result<(), LogError> {
        self.inner.close()
    }
}

/// What a frame begins with, and how long its header is.
const MAGIC: [u8; 4] = *b"BEX\xFF";
const HEADER: usize = 64;

/// Clears the last frame of the journal, as a recovery does that takes it for torn.
pub(crate) fn cut_last_frame(disk: &Disk) {
    let files = disk.files();
    let segments = files.iter().filter(|(name, _)| name.ends_with(".segment"));
    let frames = |bytes: &[u8]| {
        (0..bytes.len()).step_by(HEADER).filter(|at| bytes[*at..].starts_with(&MAGIC)).collect::<Vec<_>>()
    };
    let last = segments.rev().find_map(|(name, bytes)| Some((name, bytes, *frames(bytes).last()?)));
    if let Some((name, bytes, at)) = last {
        disk.overwrite(name, at, &vec![0; bytes.len() - at]);
    }
}

/// The state that comes of putting two orders that rest in one queue into each other's place.
pub(crate) fn swap_orders(truth: &Truth, recovered: State) -> State {
    let transactions: Vec<_> = truth.transactions().collect();
    let resting = |transaction: &[JournalEvent]| match &transaction[0].event {
        Event::OrderAccepted(order) if transaction.len() == 1 && is_untouched(&recovered, order.order_id) => {
            Some(*order)
        }
        _ => None,
    };
    let found = transactions.windows(3).enumerate().find_map(|(place, three)| {
        let (first, second) = (resting(three[0])?, resting(three[1])?);
        let is_order = matches!(three[2][0].event, Event::OrderAccepted(_) | Event::OrderSplit { .. });
        let queue = |order: &OrderAccepted| (order.outcome, order.side, order.price);
        let same = queue(&first) == queue(&second) && three[0][0].market_id == three[1][0].market_id;
        (same && is_order).then_some((place, first, second))
    });
    let Some((place, first, second)) = found else { return recovered };
    let mut state = State::new();
    for (at, transaction) in transactions.iter().enumerate() {
        let events: Vec<Event> = match at {
            at if at == place => vec![Event::OrderAccepted(second)],
            at if at == place + 1 => vec![Event::OrderAccepted(first)],
            _ => transaction.iter().map(|event| event.event.clone()).collect(),
        };
        state.apply(&stamp(transaction), &events);
    }
    state
}

fn is_untouched(state: &State, id: OrderId) -> bool {
    state.order(id).is_some_and(|order| order.remaining == order.quantity)
}
