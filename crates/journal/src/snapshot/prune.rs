//! Removes what nobody needs any more: snapshots but for the newest two, and segments that lie wholly before
//! the older of these. That one was loaded and found right when the newest was made from it, so whatever is
//! removed lies before a snapshot that was read back.

use std::ops::Range;
use std::sync::Arc;

use super::maker::Kept;
use super::{SnapshotError, SnapshotMaker};
use crate::error::{Damage, DiskError, Fault};
use crate::record::BodyDecoder;
use crate::segment;
use crate::storage::Access;
use crate::window::Window;

/// What of the sealed segments stays although no snapshot needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// At least so many bytes of them, the newest ones.
    pub bytes: u64,
    /// What was written in the last so many nanoseconds.
    pub age_ns: u64,
}

impl Default for Retention {
    /// 1 GiB and a day.
    fn default() -> Self {
        Self { bytes: 1 << 30, age_ns: 86_400 * 1_000_000_000 }
    }
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots that are no longer among the newest two, or could not be used.
    pub snapshots: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of these.
    pub bytes: u64,
}

impl SnapshotMaker {
    /// Removes what is not needed any more once this maker has made a snapshot. `now_ns` is nanoseconds since
    /// the Unix epoch, `floor` the lowest sequence number that somebody still has to read, [`u64::MAX`] if
    /// nobody has to.
    ///
    /// # Errors
    /// What was not removed is left, and a later call tries again.
    pub fn prune(&mut self, now_ns: u64, floor: u64) -> Result<Pruned, SnapshotError> {
        let mut pruned = Pruned::default();
        let Some(kept) = self.kept else { return Ok(pruned) };
        pruned.snapshots = self.prune_snapshots(kept)?;
        let Some(older) = kept.older else { return Ok(pruned) };
        let in_use = self.supply.in_use();
        let mut numbers = segment::numbers(&*self.storage, &self.folder)?;
        numbers.retain(|number| *number < in_use);
        let lengths = numbers.iter().map(|number| self.len(*number)).collect::<Result<Vec<_>, _>>()?;
        let mut behind: u64 = lengths.iter().sum();
        for (number, len) in numbers.into_iter().zip(lengths) {
            behind -= len;
            let next = number + 1;
            if next > older.segment || behind < self.options.retention.bytes {
                break;
            }
            let (sequence, time_ns) = self.begins(next)?;
            if sequence > floor || !self.is_old(time_ns, next..in_use, now_ns)? {
                break;
            }
            // From the first one on, each of them durably, so that a crash in between leaves no gap.
            self.supply.note_first(next);
            self.remove(&segment::path(&self.folder, number))?;
            pruned.segments += 1;
            pruned.bytes += len;
        }
        Ok(pruned)
    }

    /// Whether what was written before this time is old. It was also written before the segments that follow, which
    /// tell more if time was set back in between.
    fn is_old(&self, mut time_ns: u64, following: Range<u64>, now_ns: u64) -> Result<bool, SnapshotError> {
        for number in following {
            if time_ns <= now_ns {
                break;
            }
            time_ns = self.begins(number)?.1;
        }
        Ok(now_ns.saturating_sub(time_ns) >= self.options.retention.age_ns)
    }

    fn prune_snapshots(&self, kept: Kept) -> Result<u64, SnapshotError> {
        let mut removed = 0;
        for file in super::files(&*self.storage, &self.folder)? {
            let is_kept = file.sequence == kept.newest
                || kept.older.is_some_and(|older| older.sequence == file.sequence);
            if !is_kept {
                self.remove(&format!("{}/{}", self.folder, file.name))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        let failed = |error| DiskError::new("remove", &*self.storage, name, error);
        self.storage.remove(name).map_err(failed)?;
        self.storage.sync_dir(&self.folder).map_err(failed)
    }

    fn len(&self, number: u64) -> Result<u64, DiskError> {
        let name = segment::path(&self.folder, number);
        let file = self.storage.open(&name, Access::Read);
        let len = file.and_then(|file| file.len());
        len.map_err(|error| DiskError::new("read", &*self.storage, &name, error))
    }

    /// The number and the time of the first event in a segment.
    fn begins(&self, number: u64) -> Result<(u64, u64), SnapshotError> {
        let storage = Arc::clone(&self.storage);
        let journal = segment::journal_of(&self.folder).unwrap_or_default();
        let found = || -> Result<Option<(u64, u64)>, DiskError> {
            let mut window = Window::open(&*storage, &self.folder, number)?;
            let Some(header) = window.frame(&*storage, journal, 0)? else { return Ok(None) };
            let bytes = window.held(0, header.frame_len()).unwrap_or_default();
            let body = bytes.get(crate::frame::HEADER_BYTES..).unwrap_or_default();
            let first = BodyDecoder::new(header.first_seq.get()).next_transaction(body, &mut Vec::new());
            Ok(first.ok().flatten().map(|stamp| (stamp.sequence, stamp.time_ns)))
        };
        let what = "its first frame is not whole".to_owned();
        let damage = || Fault::Corrupt(Damage { segment: number, offset: 0, frame: 0, what });
        Ok(found()?.ok_or_else(|| damage().reading(&self.folder()))?)
    }
}
