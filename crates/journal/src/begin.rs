//! Beginning a journal where there is none. A start that fails leaves nothing of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::error::{DiskError, JournalError};
use crate::extent::Extent;
use crate::frame::HEADER_BYTES;
use crate::naming::{self, Naming};
use crate::recover::{Found, JournalOptions, report};
use crate::segment;
use crate::storage::Storage;
use crate::walk::Expect;
use crate::window::Window;
use crate::writer::Position;

/// The journals that have a folder.
pub(crate) fn journals(storage: &dyn Storage) -> Result<Vec<u64>, DiskError> {
    let names = storage.list("").map_err(|error| DiskError::new("list", storage, "", error))?;
    let mut journals: Vec<u64> = names.iter().filter_map(|name| segment::journal_of(name)).collect();
    journals.sort_unstable();
    Ok(journals)
}

/// Whether a journal may hold something: a start that was interrupted leaves a folder without frames.
pub(crate) fn was_used(storage: &dyn Storage, journal: u64) -> bool {
    let folder = segment::folder_name(journal);
    let first = || -> Result<bool, DiskError> {
        let Some(&number) = segment::numbers(storage, &folder)?.first() else { return Ok(false) };
        let mut window = Window::open(storage, &folder, number)?;
        Ok(window.bytes(storage, 0, HEADER_BYTES)?.iter().any(|&byte| byte != 0))
    };
    first().unwrap_or(true)
}

pub(crate) fn folder_missing(storage: &dyn Storage, naming: &Naming, journals: &[u64]) -> JournalError {
    let mut problem =
        format!("it names the folder {}, which is not there", segment::folder_name(naming.journal));
    for (i, &other) in journals.iter().enumerate() {
        problem += if i == 0 { "; there are: " } else { ", " };
        problem += &segment::folder_name(other);
    }
    JournalError::Naming { path: storage.root().join(naming::FILE), problem }
}

/// Begins a journal. `journal.log` is written last: until then there is none.
pub(crate) fn begin(
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
    let made = make(storage, options, &naming, &folder);
    made.map(|found| (naming, found)).map_err(|error| {
        discard(&**storage, &folder);
        error.into()
    })
}

fn make(
    storage: &Arc<dyn Storage>,
    options: &JournalOptions,
    naming: &Naming,
    folder: &str,
) -> Result<Found, DiskError> {
    storage
        .create_dir(folder)
        .map_err(|error| DiskError::new("make the folder", &**storage, folder, error))?;
    let segment = segment::create(&**storage, folder, 1, options.segment_bytes)?;
    let extent = Extent { lengths: BTreeMap::from([(1, segment.len)]), reached: 0 };
    extent.write(&**storage, folder)?;
    storage.sync_dir("").map_err(|error| DiskError::new("sync", &**storage, "", error))?;
    naming.write(&**storage)?;
    let position = Position::after(naming.journal, Expect::first(naming.journal), 0);
    let report = report(&**storage, naming.journal);
    Ok(Found { position, segment, ready: VecDeque::new(), uncovered: 1, first: 1, extent, report })
}

/// Removes a journal that has no frame, its name first; what cannot be removed does no harm.
pub(crate) fn discard(storage: &dyn Storage, folder: &str) {
    for name in [naming::FILE.to_owned(), format!("{}.new", naming::FILE)] {
        let _ = storage.remove(&name);
    }
    if storage.sync_dir("").is_err() {
        return;
    }
    for name in storage.list(folder).unwrap_or_default() {
        let _ = storage.remove(&format!("{folder}/{name}"));
    }
    let _ = storage.remove_dir(folder);
}
