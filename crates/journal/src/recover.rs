//! Opening a journal for writing, which is recovering it. It is read and judged as a whole first;
//! only if all of it is sound is anything on the disk changed.

use std::collections::VecDeque;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};
use betex_core::state::State;

use crate::begin::{begin, folder_missing, journals, was_used};
use crate::error::{DiskError, Fault, JournalError};
use crate::extent::{self, Evidence, Extent};
use crate::mend::{mend_following, mend_tail};
use crate::naming::{self, Naming, NamingError};
use crate::record::BodyDecoder;
use crate::report::{RecoveryReport, TornTail};
use crate::segment::{self, OpenSegment, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
use crate::snapshot;
use crate::storage::{Lock, Storage};
use crate::supply::{SegmentPreparer, SegmentSupply};
use crate::walk::{Behind, Expect, Following, Walk};
use crate::writer::{Durability, JournalWriter, Place, Position};

/// How a journal is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// Size of segments made from now on, in bytes: at least [`SEGMENT_BYTES_MIN`].
    pub segment_bytes: u64,
    /// Whether a commit waits for the disk.
    pub durability: Durability,
    /// The number of a journal that is begun because there is none: random, no two the same.
    pub new_journal_number: u64,
    /// Nanoseconds since the Unix epoch, for when it began.
    pub now_ns: u64,
}

impl Default for JournalOptions {
    /// Real segments, `always`; the number and the time are for the caller to fill in.
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            durability: Durability::Always,
            new_journal_number: 0,
            now_ns: 0,
        }
    }
}

/// What [`open`] gives.
pub type Opened = (JournalWriter, SegmentPreparer, RecoveryReport);

/// What is recovered into.
trait Recovery {
    /// Whether a snapshot may stand for what is before it.
    fn takes_snapshots(&self) -> bool;
    fn restore(&mut self, state: State);
    fn replay(&mut self, stamp: &Stamp, events: &[Event]);
}

impl Recovery for State {
    fn takes_snapshots(&self) -> bool {
        true
    }
    fn restore(&mut self, state: State) {
        *self = state;
    }
    fn replay(&mut self, stamp: &Stamp, events: &[Event]) {
        self.apply(stamp, events);
    }
}

/// Whoever wants every transaction.
struct Everything<'a>(&'a mut dyn FnMut(&Stamp, &[Event]));

impl Recovery for Everything<'_> {
    fn takes_snapshots(&self) -> bool {
        false
    }
    fn restore(&mut self, _state: State) {}
    fn replay(&mut self, stamp: &Stamp, events: &[Event]) {
        (self.0)(stamp, events);
    }
}

/// Opens the journal in a directory for writing, or begins one; `replay` is called for every whole
/// transaction in it, in order. A journal whose beginning has been removed is refused: see [`open_state`].
///
/// On an error what was replayed counts for nothing, and no byte of the journal was changed.
pub fn open(
    storage: Arc<dyn Storage>,
    options: &JournalOptions,
    replay: &mut dyn FnMut(&Stamp, &[Event]),
) -> Result<Opened, JournalError> {
    open_into(storage, options, &mut Everything(replay))
}

/// Opens the journal in a directory for writing, or begins one, and recovers the state that it makes: from
/// the newest snapshot that is right, and the transactions behind it.
///
/// On an error no byte of the journal was changed.
pub fn open_state(
    storage: Arc<dyn Storage>,
    options: &JournalOptions,
) -> Result<(State, Opened), JournalError> {
    let mut state = State::new();
    let opened = open_into(storage, options, &mut state)?;
    Ok((state, opened))
}

fn open_into(
    storage: Arc<dyn Storage>,
    options: &JournalOptions,
    recovery: &mut dyn Recovery,
) -> Result<Opened, JournalError> {
    if options.segment_bytes < SEGMENT_BYTES_MIN {
        return Err(JournalError::SegmentBytes { bytes: options.segment_bytes });
    }
    let locked = lock(&*storage);
    let opened = match &locked {
        Ok(lock) => open_locked(Arc::clone(&storage), options, recovery, Arc::clone(lock)),
        Err(_) => locked.map(|_| unreachable!("it is not locked")),
    };
    // A journal that was begun may yet be taken back.
    if !matches!(&opened, Ok((_, _, report)) if report.fresh) {
        storage.end_start(opened.is_ok());
    }
    opened
}

fn lock(storage: &dyn Storage) -> Result<Arc<Lock>, JournalError> {
    storage.create_dir("").map_err(|error| DiskError::new("use the directory", storage, "", error))?;
    let locked = storage.lock(naming::LOCK).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => JournalError::Locked(storage.root().to_owned()),
        _ => JournalError::Disk(DiskError::new("lock", storage, naming::LOCK, error)),
    });
    locked.map(Arc::new)
}

fn open_locked(
    storage: Arc<dyn Storage>,
    options: &JournalOptions,
    recovery: &mut dyn Recovery,
    lock: Arc<Lock>,
) -> Result<Opened, JournalError> {
    let root = storage.root().to_owned();
    let named = Naming::read(&*storage).map_err(|error| match error {
        NamingError::Disk(error) => JournalError::Disk(error),
        NamingError::Garbled(problem) => JournalError::Naming { path: root.join(naming::FILE), problem },
    })?;
    let journals = journals(&*storage)?;
    let (naming, mut found) = match &named {
        None => begin(&storage, options, &journals)?,
        Some(naming) if journals.contains(&naming.journal) => {
            let folder = segment::folder_name(naming.journal);
            let found = recover(&storage, naming.journal, recovery)
                .map_err(|fault| fault.opening(&root.join(folder)))?;
            (naming.clone(), found)
        }
        Some(naming) => return Err(folder_missing(&*storage, naming, &journals)),
    };
    let folder = segment::folder_name(naming.journal);
    let others = journals.iter().filter(|&&other| other != naming.journal && was_used(&*storage, other));
    found.report.fresh = named.is_none();
    found.report.began = naming.began;
    found.report.other_journals = others.map(|&other| root.join(segment::folder_name(other))).collect();
    found.report.durability = options.durability;
    found.report.epoch = found.position.epoch;

    let next = found.ready.back().map_or(found.segment.number, |last| last.number) + 1;
    let supply = SegmentSupply::new(found.ready, next, found.position.offset).with_extent(
        found.first,
        found.extent,
        found.segment.len,
    );
    let supply = Arc::new(supply);
    let preparer = SegmentPreparer::new(
        Arc::clone(&storage),
        folder.clone(),
        options.segment_bytes,
        Arc::clone(&supply),
        found.uncovered,
        Arc::clone(&lock),
    );
    let place = Place { storage, folder, _lock: lock };
    let writer = JournalWriter::new(place, found.position, found.segment, options.durability, supply);
    Ok((writer, preparer, found.report))
}

/// A journal as it was found, judged sound and mended.
pub(crate) struct Found {
    pub(crate) position: Position,
    /// The segment to go on in.
    pub(crate) segment: OpenSegment,
    /// Those prepared behind it.
    pub(crate) ready: VecDeque<OpenSegment>,
    /// The first segment that no snapshot covers.
    pub(crate) uncovered: u64,
    /// The first segment there is.
    pub(crate) first: u64,
    /// What `segments.list` says now.
    pub(crate) extent: Extent,
    pub(crate) report: RecoveryReport,
}

/// A report of nothing yet.
pub(crate) fn report(storage: &dyn Storage, journal: u64) -> RecoveryReport {
    RecoveryReport {
        journal,
        folder: storage.root().join(segment::folder_name(journal)),
        began: String::new(),
        fresh: false,
        other_journals: Vec::new(),
        epoch: 0,
        snapshot: None,
        passed_over: Vec::new(),
        segments: 0,
        frames: 0,
        bytes: 0,
        transactions: 0,
        events: 0,
        last_sequence: 0,
        last_time_ns: 0,
        stopped: None,
        torn_tail: None,
        durability: Durability::Always,
    }
}

fn recover(storage: &Arc<dyn Storage>, journal: u64, recovery: &mut dyn Recovery) -> Result<Found, Fault> {
    let folder = segment::folder_name(journal);
    let mut report = report(&**storage, journal);
    let numbers = segment::numbers(&**storage, &folder)?;
    let evidence = Evidence::read(&**storage, &folder)?;
    let lengths = evidence.check_segments(&**storage, &folder, &numbers)?;
    let mut snapshot = None;
    if recovery.takes_snapshots() {
        (snapshot, report.passed_over) = snapshot::newest(&**storage, &folder, journal, &numbers)?;
    }
    let (uncovered, expect) = match snapshot {
        Some(loaded) => {
            let begins = (loaded.end.segment, loaded.expect());
            (report.last_time_ns, report.snapshot) = (loaded.state.time_ns(), Some(loaded.file));
            recovery.restore(loaded.state);
            begins
        }
        None if numbers.first() == Some(&1) => (1, Expect::first(journal)),
        None => return Err(Fault::Corrupt(snapshot::missing_beginning(&report.passed_over))),
    };
    let mut walk = Walk::begin(Arc::clone(storage), folder, journal, uncovered, expect)?;
    let mut events = Vec::new();
    while let Some(header) = walk.next()? {
        let mut body = BodyDecoder::new(header.first_seq.get());
        while let Some(stamp) =
            body.next_transaction(walk.body(), &mut events).map_err(|error| walk.in_frame(error))?
        {
            report.transactions += 1;
            report.events += events.len() as u64;
            report.last_time_ns = stamp.time_ns;
            recovery.replay(&stamp, &events);
        }
        walk.check_count(body.next_sequence())?;
        report.frames += 1;
        report.bytes += header.padded_len() as u64;
    }
    let Behind { damage, dirty_end, following } = walk.look_behind()?;
    if let Some(damage) = damage {
        return Err(Fault::Corrupt(damage));
    }
    report.segments = walk.number - uncovered + 1;
    report.last_sequence = walk.expect.sequence - 1;
    if walk.expect.frame == 1 && evidence.has_begun() {
        return Err(Fault::Corrupt(walk.damage(NO_FRAME.to_owned())));
    }
    if let Some(what) = evidence.beyond(report.last_sequence) {
        return Err(Fault::Corrupt(walk.damage(what)));
    }
    report.stopped = evidence.stopped;
    report.torn_tail = torn_tail(&walk, dirty_end, &following);

    // The journal is sound: from here on it is written.
    if evidence.stopped.is_some() {
        extent::unmark(&**storage, &walk.folder)?;
    }
    segment::remove_unfinished(&**storage, &walk.folder)?;
    snapshot::remove_unfinished(&**storage, &walk.folder)?;
    extent::remove_unfinished(&**storage, &walk.folder)?;
    let segment = mend_tail(&walk, dirty_end)?;
    let ready = mend_following(&walk, &following)?;
    let extent = evidence.renewed(lengths);
    if evidence.extent.as_ref() != Some(&extent) {
        write_unless_full(&extent, &**storage, &walk.folder)?;
    }
    // Whoever made the last segment, or the naming file, may have died before the names were on the disk.
    for folder in [walk.folder.as_str(), ""] {
        storage.sync_dir(folder).map_err(|error| DiskError::new("sync", &**storage, folder, error))?;
    }
    let position = Position::after(journal, walk.expect, walk.offset);
    let first = numbers.first().copied().unwrap_or(1);
    Ok(Found { position, segment, ready, uncovered, first, extent, report })
}

/// What is said of a journal without frames.
pub(crate) const NO_FRAME: &str = "the first frame is missing or not whole, and it was on the disk";

/// What is not listed is taken as it is, so that an exchange can also start where the disk is full.
fn write_unless_full(extent: &Extent, storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match extent.write(storage, folder) {
        Err(error) if matches!(error.source.kind(), StorageFull | QuotaExceeded) => Ok(()),
        written => written,
    }
}

/// Bytes that are neither frames nor zeros: what a crash left of the last write.
pub(crate) fn torn_tail(walk: &Walk, dirty_end: u64, following: &[Following]) -> Option<TornTail> {
    if dirty_end > walk.offset {
        return Some(TornTail { segment: walk.number, offset: walk.offset, bytes: dirty_end - walk.offset });
    }
    let torn = following.iter().find(|segment| !segment.is_clean)?;
    Some(TornTail { segment: torn.number, offset: 0, bytes: torn.len })
}
