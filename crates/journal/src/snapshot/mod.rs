//! Snapshots: the state at a frame of the journal, in a file beside the segments, so that a start needs only
//! the frames behind it, and what is before can go. Made of the journal's own frames and records.

mod load;
mod maker;
mod prune;
mod write;

pub(crate) use load::{Loaded, newest};
pub(crate) use maker::missing_beginning;
pub use maker::{SnapshotError, SnapshotMade, SnapshotMaker, SnapshotOptions};
pub use prune::{Pruned, Retention};

use crate::error::DiskError;
use crate::record::SnapshotEnd;
use crate::storage::Storage;
use crate::walk::Expect;

const SUFFIX: &str = ".snapshot";
/// Of a snapshot that is being written; nothing reads one.
const UNFINISHED: &str = ".snapshot.new";

/// A snapshot that was loaded, or passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Its name in the journal's folder.
    pub name: String,
    /// The number of the last event in it.
    pub sequence: u64,
}

impl SnapshotFile {
    fn of(sequence: u64) -> Self {
        Self { name: format!("{sequence:020}{SUFFIX}"), sequence }
    }

    fn named(name: &str) -> Option<Self> {
        let file = Self::of(name.strip_suffix(SUFFIX)?.parse().ok()?);
        (file.name == name).then_some(file)
    }
}

/// The snapshots in a folder, newest first.
pub(crate) fn files(storage: &dyn Storage, folder: &str) -> Result<Vec<SnapshotFile>, DiskError> {
    let names = storage.list(folder).map_err(|error| DiskError::new("list", storage, folder, error))?;
    let mut files: Vec<_> = names.iter().filter_map(|name| SnapshotFile::named(name)).collect();
    files.sort_unstable_by_key(|file| std::cmp::Reverse(file.sequence));
    Ok(files)
}

/// Removes what an interrupted snapshot left.
pub(crate) fn remove_unfinished(storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
    let names = storage.list(folder).map_err(|error| DiskError::new("list", storage, folder, error))?;
    for name in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
        let name = format!("{folder}/{name}");
        storage.remove(&name).map_err(|error| DiskError::new("remove", storage, &name, error))?;
    }
    Ok(())
}

/// Where a snapshot stands in its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the last event in it.
    pub(crate) sequence: u64,
    /// The segment that the next frame begins.
    pub(crate) segment: u64,
}

/// What the frame behind a snapshot must be.
pub(crate) fn expected_behind(end: &SnapshotEnd) -> Expect {
    Expect {
        frame: end.frame.saturating_add(1),
        sequence: end.sequence.saturating_add(1),
        hash: Some(end.hash),
        epoch: end.epoch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        let file = SnapshotFile::of(u64::MAX);
        assert_eq!(SnapshotFile::named(&file.name), Some(file));
        for name in ["7.snapshot", "00000000000000000007.snapshot.new", "+0000000000000000007.snapshot"] {
            assert_eq!(SnapshotFile::named(name), None, "{name}");
        }
    }
}
