//! Opening a journal for writing, which is recovering it. It is read and judged as a whole first;
//! only if all of it is sound is anything on the disk changed.

use std::collections::VecDeque;
use std::sync::Arc;

use betex_core::event::{Event, Stamp};
use betex_core::state::State;

use crate::error::{DiskError, Fault, JournalError};
use crate::frame::HEADER_BYTES;
use crate::naming::{self, Naming, NamingError};
use crate::record::BodyDecoder;
use crate::report::{RecoveryReport, TornTail};
use crate::segment::{self, OpenSegment, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
use crate::snapshot;
use crate::storage::{Access, Storage, StorageFile};
use crate::supply::{SegmentPreparer, SegmentSupply};
use crate::walk::{Behind, Expect, Following, Walk};
use crate::window::Window;
use crate::writer::{Durability, JournalWriter, Position};

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
    let root = storage.root().to_owned();
    storage.create_dir("").map_err(|error| DiskError::new("use the directory", &*storage, "", error))?;
    let lock = storage.lock(naming::LOCK).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => JournalError::Locked(root.clone()),
        _ => JournalError::Disk(DiskError::new("lock", &*storage, naming::LOCK, error)),
    })?;
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
    let supply = Arc::new(SegmentSupply::new(found.ready, next, found.position.offset));
    let lock = Arc::new(lock);
    let preparer = SegmentPreparer::new(
        storage,
        folder,
        options.segment_bytes,
        Arc::clone(&supply),
        found.uncovered,
        Arc::clone(&lock),
    );
    let writer = JournalWriter::new(
        found.position,
        found.segment,
        options.durability,
        found.report.folder.clone(),
        supply,
        lock,
    );
    Ok((writer, preparer, found.report))
}

/// The journals that have a folder.
fn journals(storage: &dyn Storage) -> Result<Vec<u64>, DiskError> {
    let names = storage.list("").map_err(|error| DiskError::new("list", storage, "", error))?;
    let mut journals: Vec<u64> = names.iter().filter_map(|name| segment::journal_of(name)).collect();
    journals.sort_unstable();
    Ok(journals)
}

/// Whether a journal may hold something: a start that was interrupted leaves a folder without frames.
fn was_used(storage: &dyn Storage, journal: u64) -> bool {
    let folder = segment::folder_name(journal);
    let first = || -> Result<bool, DiskError> {
        let Some(&number) = segment::numbers(storage, &folder)?.first() else { return Ok(false) };
        let mut window = Window::open(storage, &folder, number)?;
        Ok(window.bytes(storage, 0, HEADER_BYTES)?.iter().any(|&byte| byte != 0))
    };
    first().unwrap_or(true)
}

fn folder_missing(storage: &dyn Storage, naming: &Naming, journals: &[u64]) -> JournalError {
    let mut problem =
        format!("it names the folder {}, which is not there", segment::folder_name(naming.journal));
    for (i, &other) in journals.iter().enumerate() {
        problem += if i == 0 { "; there are: " } else { ", " };
        problem += &segment::folder_name(other);
    }
    JournalError::Naming { path: storage.root().join(naming::FILE), problem }
}

/// A journal as it was found, judged sound and mended.
struct Found {
    position: Position,
    /// The segment to go on in.
    segment: OpenSegment,
    /// Those prepared behind it.
    ready: VecDeque<OpenSegment>,
    /// The first segment that no snapshot covers.
    uncovered: u64,
    report: RecoveryReport,
}

/// Begins a journal. `journal.log` is written last: until then there is none.
fn begin(
    storage: &Arc<dyn Storage>,
    options: &JournalOptions,
    journals: &[u64],
) -> Result<(Naming, Found), JournalError> {
    let naming = Naming::new(options.new_journal_number, options.now_ns);
    let folder = segment::folder_name(naming.journal);
    if journals.contains(&naming.journal) {
        let problem = format!("there is none, and the folder {folder} of the journal to begin is taken");
        return Err(JournalError::Naming { path: storage.root().join(naming::FILE), problem });
    }
    storage
        .create_dir(&folder)
        .map_err(|error| DiskError::new("make the folder", &**storage, &folder, error))?;
    let segment = segment::create(&**storage, &folder, 1, options.segment_bytes)?;
    storage.sync_dir("").map_err(|error| DiskError::new("sync", &**storage, "", error))?;
    naming.write(&**storage)?;
    let position = Position::after(naming.journal, Expect::first(naming.journal), 0);
    let report = report(&**storage, naming.journal);
    Ok((naming, Found { position, segment, ready: VecDeque::new(), uncovered: 1, report }))
}

/// A report of nothing yet.
fn report(storage: &dyn Storage, journal: u64) -> RecoveryReport {
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
        torn_tail: None,
        durability: Durability::Always,
    }
}

fn recover(storage: &Arc<dyn Storage>, journal: u64, recovery: &mut dyn Recovery) -> Result<Found, Fault> {
    let folder = segment::folder_name(journal);
    let mut report = report(&**storage, journal);
    let numbers = segment::numbers(&**storage, &folder)?;
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
    report.torn_tail = torn_tail(&walk, dirty_end, &following);

    // The journal is sound: from here on it is written.
    segment::remove_unfinished(&**storage, &walk.folder)?;
    snapshot::remove_unfinished(&**storage, &walk.folder)?;
    let segment = mend_tail(&walk, dirty_end)?;
    let ready = mend_following(&walk, following)?;
    // Whoever made the last segment, or the naming file, may have died before the names were on the disk.
    for folder in [walk.folder.as_str(), ""] {
        storage.sync_dir(folder).map_err(|error| DiskError::new("sync", &**storage, folder, error))?;
    }
    let position = Position::after(journal, walk.expect, walk.offset);
    Ok(Found { position, segment, ready, uncovered, report })
}

/// Bytes that are neither frames nor zeros: what a crash left of the last write.
pub(crate) fn torn_tail(walk: &Walk, dirty_end: u64, following: &[Following]) -> Option<TornTail> {
    if dirty_end > walk.offset {
        return Some(TornTail { segment: walk.number, offset: walk.offset, bytes: dirty_end - walk.offset });
    }
    let torn = following.iter().find(|segment| !segment.is_clean)?;
    Some(TornTail { segment: torn.number, offset: 0, bytes: torn.len })
}

/// Writes the valid part of the last segment again and clears what is behind it: after a crash the page
/// cache may show what the disk never got, and would say that a sync of it succeeded.
fn mend_tail(walk: &Walk, dirty_end: u64) -> Result<OpenSegment, DiskError> {
    const PIECE: u64 = 1 << 20;
    let storage = &*walk.storage;
    let name = segment::path(&walk.folder, walk.number);
    let failed = |error| DiskError::new("write", storage, &name, error);
    let file = storage.open(&name, Access::Write).map_err(failed)?;
    let len = file.len().map_err(failed)?;
    // The last frame is whole without its padding, which a file that was cut may lack.
    let (valid_end, dirty_end) = (walk.offset.min(len), dirty_end.min(len));
    let mut bytes = Vec::new();
    let mut offset = 0;
    while offset < dirty_end {
        let end = (offset + PIECE).min(dirty_end);
        bytes.clear();
        bytes.resize(usize::try_from(end - offset).unwrap_or(usize::MAX), 0);
        if offset < valid_end {
            let valid = usize::try_from(end.min(valid_end) - offset).unwrap_or(usize::MAX);
            read_all(&*file, &mut bytes[..valid], offset).map_err(failed)?;
        }
        file.write_at(&bytes, offset).map_err(failed)?;
        offset = end;
    }
    file.sync().map_err(failed)?;
    Ok(OpenSegment { number: walk.number, file, len })
}

fn read_all(file: &dyn StorageFile, mut bytes: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match file.read_at(bytes, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, offset) = (&mut bytes[read..], offset + read as u64),
        }
    }
    Ok(())
}

/// Takes over the segments that were prepared but hold no frame yet. One that cannot be used, and those
/// behind it, are removed from the last one back, so that a crash in between leaves no gap.
fn mend_following(walk: &Walk, following: Vec<Following>) -> Result<VecDeque<OpenSegment>, DiskError> {
    let storage = &*walk.storage;
    let usable =
        following.iter().take_while(|segment| segment.is_clean && segment.len >= SEGMENT_BYTES_MIN).count();
    for segment in following[usable..].iter().rev() {
        let name = segment::path(&walk.folder, segment.number);
        storage.remove(&name).map_err(|error| DiskError::new("remove", storage, &name, error))?;
        storage
            .sync_dir(&walk.folder)
            .map_err(|error| DiskError::new("sync", storage, &walk.folder, error))?;
    }
    let mut ready = VecDeque::new();
    for &Following { number, len, .. } in &following[..usable] {
        let name = segment::path(&walk.folder, number);
        let failed = |error| DiskError::new("write", storage, &name, error);
        let file = storage.open(&name, Access::Write).map_err(failed)?;
        // The process that made it may have died before its zeros were on the disk.
        file.sync().map_err(failed)?;
        ready.push_back(OpenSegment { number, file, len });
    }
    Ok(ready)
}
