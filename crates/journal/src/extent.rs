//! How much there must be of a journal: the lengths of its segments, and an event that was on the disk, in the note
//! `segments.list`. And the mark of a clean stop, in the note `stopped`.
//!
//! A copy of a folder carries both, so that a copy which lacks something is noticed. A journal of an older version
//! has neither, and is taken as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::error::{Damage, DiskError, Fault};
use crate::note;
use crate::segment::{self, SEGMENT_BYTES_MIN};
use crate::snapshot;
use crate::storage::{Access, Storage};

/// The note with the lengths of the segments.
const LIST: &str = "segments.list";
/// The note that a clean stop leaves.
const MARK: &str = "stopped";

/// What `segments.list` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// By the segment's number, in bytes.
    pub(crate) lengths: BTreeMap<u64, u64>,
    /// An event that was on the disk when this was written.
    pub(crate) reached: u64,
}

impl Extent {
    pub(crate) fn write(&self, storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
        let mut lines = format!("journal = {folder}\n");
        let mut ranges: Vec<(u64, u64, u64)> = Vec::new();
        for (&number, &len) in &self.lengths {
            match ranges.last_mut() {
                Some((_, last, same)) if *last + 1 == number && *same == len => *last = number,
                _ => ranges.push((number, number, len)),
            }
        }
        for (first, last, len) in ranges {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "segments = {first} {last} {len}");
        }
        let _ = writeln!(lines, "reached = {}", self.reached);
        let about =
            "What this folder holds: first and last segment, bytes of each; an event that is in them.";
        note::write(storage, folder, LIST, about, &lines)
    }

    fn read(storage: &dyn Storage, folder: &str) -> Result<Option<Self>, Fault> {
        let Some(lines) = note::read(storage, folder, LIST)? else { return Ok(None) };
        let parsed = Self::parse(&lines, folder);
        parsed.map(Some).map_err(|problem| note::garbled(LIST, problem))
    }

    fn parse(lines: &str, folder: &str) -> Result<Self, String> {
        let (mut extent, mut journal) = (Self::default(), None);
        for line in lines.lines() {
            let unclear = || format!("it has the line {line:?}");
            let (key, value) = line.split_once(" = ").ok_or_else(unclear)?;
            match key {
                "journal" => journal = Some(value),
                "reached" => extent.reached = value.parse().map_err(|_| unclear())?,
                "segments" => {
                    let numbers: Vec<u64> =
                        value.split(' ').map_while(|number| number.parse().ok()).collect();
                    let &[first, last, len] = numbers.as_slice() else { return Err(unclear()) };
                    // As many as a folder can hold; a line that says more would fill the memory.
                    if !(first..first.saturating_add(1 << 24)).contains(&last) {
                        return Err(unclear());
                    }
                    extent.lengths.extend((first..=last).map(|number| (number, len)));
                }
                _ => return Err(unclear()),
            }
        }
        if journal != Some(folder) {
            return Err(format!("it is that of the journal {}", journal.unwrap_or("without a number")));
        }
        Ok(extent)
    }
}

/// What says how much of a journal there must be: the lengths of its segments, the mark of a clean stop, snapshots.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub(crate) extent: Option<Extent>,
    /// The last event before the clean stop, if the journal was stopped and not opened since.
    pub(crate) stopped: Option<u64>,
    /// The newest snapshot, whether or not it is right: it was made of what was on the disk.
    snapshot: Option<snapshot::SnapshotFile>,
}

impl Evidence {
    /// The last event before the clean stop, if the journal was stopped and not opened since.
    pub const fn stopped(&self) -> Option<u64> {
        self.stopped
    }

    /// Why a journal cannot end with this event, 0 if it has none; `None` if it can.
    pub fn missing(&self, last: u64) -> Option<String> {
        if last == 0 && self.has_begun() {
            Some(crate::recover::NO_FRAME.to_owned())
        } else {
            self.beyond(last)
        }
    }

    /// Whether the journal has had its first frame, as far as that is known: without a list it is one of an older
    /// version, which wrote it as soon as it had named the journal.
    pub(crate) fn has_begun(&self) -> bool {
        self.extent.as_ref().is_none_or(|extent| extent.reached > 0)
    }

    pub(crate) fn read(storage: &dyn Storage, folder: &str) -> Result<Self, Fault> {
        let extent = Extent::read(storage, folder)?;
        let stopped = stopped(storage, folder)?;
        let snapshot = snapshot::files(storage, folder)?.into_iter().next();
        Ok(Self { extent, stopped, snapshot })
    }

    /// Whether every segment is there, of those that were not removed from the beginning, and in its full length.
    pub(crate) fn check_segments(
        &self,
        storage: &dyn Storage,
        folder: &str,
        numbers: &[u64],
    ) -> Result<BTreeMap<u64, u64>, Fault> {
        let damage = |segment, offset, what| Err(Fault::Corrupt(Damage { segment, offset, frame: 0, what }));
        let listed = self.extent.as_ref().map(|extent| &extent.lengths);
        let first = numbers.first().copied().unwrap_or(0);
        let mut missing = listed.into_iter().flatten().map(|(number, _)| *number).filter(|n| *n >= first);
        if let Some(number) = missing.find(|number| numbers.binary_search(number).is_err()) {
            return damage(
                number,
                0,
                format!("{} is missing, and {LIST} names it", segment::file_name(number)),
            );
        }
        let mut lengths = BTreeMap::new();
        for &number in numbers {
            let name = segment::path(folder, number);
            let len = storage.open(&name, Access::Read).and_then(|file| file.len());
            let len = len.map_err(|error| DiskError::new("read", storage, &name, error))?;
            match listed.and_then(|listed| listed.get(&number)) {
                Some(&expected) if len != expected => {
                    let what = format!(
                        "the file has {len} bytes, and was made with {expected}: it was cut, added to, or not copied whole"
                    );
                    return damage(number, len.min(expected), what);
                }
                None if len < SEGMENT_BYTES_MIN => {
                    let what = format!(
                        "the file has {len} bytes, and every segment is made with {SEGMENT_BYTES_MIN} or more: it was cut, or not copied whole"
                    );
                    return damage(number, len, what);
                }
                _ => drop(lengths.insert(number, len)),
            }
        }
        Ok(lengths)
    }

    /// What `segments.list` is to say from now on.
    pub(crate) fn renewed(&self, lengths: BTreeMap<u64, u64>) -> Extent {
        let reached = self.extent.as_ref().map_or(0, |extent| extent.reached);
        Extent { lengths, reached: reached.max(self.stopped.unwrap_or(0)) }
    }

    /// Why the journal cannot end with this event; `None` if it can.
    pub(crate) fn beyond(&self, last: u64) -> Option<String> {
        let snapshot =
            self.snapshot.as_ref().map(|file| (file.sequence, format!("the snapshot {}", file.name)));
        let stopped = self.stopped.map(|event| (event, format!("the mark of the clean stop ({MARK})")));
        let reached = self.extent.as_ref().map(|extent| (extent.reached, LIST.to_owned()));
        let proofs = [stopped, reached, snapshot].into_iter().flatten();
        let (event, source) = proofs.max_by_key(|(event, _)| *event).filter(|(event, _)| *event > last)?;
        Some(format!(
            "the journal ends with event {last}, and {source} says that event {event} was on the disk: its end is missing"
        ))
    }
}

/// The last event before the clean stop, if there is its mark.
fn stopped(storage: &dyn Storage, folder: &str) -> Result<Option<u64>, Fault> {
    let Some(lines) = note::read(storage, folder, MARK)? else { return Ok(None) };
    let rest = lines.strip_prefix(&format!("journal = {folder}\nsequence = "));
    let sequence = rest.and_then(|rest| rest.strip_suffix('\n')?.parse().ok());
    let wrong = || note::garbled(MARK, format!("it says {lines:?}, which is not the mark of this journal"));
    sequence.map(Some).ok_or_else(wrong)
}

/// Says that everything up to this event is on the disk, and nothing was begun behind it.
pub(crate) fn mark_stopped(storage: &dyn Storage, folder: &str, sequence: u64) -> Result<(), DiskError> {
    let about =
        "The journal was closed in good order, and its last event is on the disk. Removed at the next start.";
    let lines = format!("journal = {folder}\nsequence = {sequence}\n");
    note::write(storage, folder, MARK, about, &lines)
}

/// Takes the mark back, durably: what comes now is not covered by it.
pub(crate) fn unmark(storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
    let name = format!("{folder}/{MARK}");
    let failed = |error| DiskError::new("remove", storage, &name, error);
    storage.remove(&name).map_err(failed)?;
    storage.sync_dir(folder).map_err(failed)
}

/// Removes what interrupted writes of the two notes left.
pub(crate) fn remove_unfinished(storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
    note::remove_unfinished(storage, folder, LIST)?;
    note::remove_unfinished(storage, folder, MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written_and_nothing_else_is() {
        let parse = |lines: &str| Extent::parse(lines, "00000000000000ab");
        let lines = "journal = 00000000000000ab\nsegments = 2 4 64\nsegments = 5 5 128\nreached = 9\n";
        let lengths = [(2, 64), (3, 64), (4, 64), (5, 128)].into_iter().collect();
        assert_eq!(parse(lines), Ok(Extent { lengths, reached: 9 }));
        for (lines, reason) in [
            ("reached = 9\n", "without a number"),
            ("journal = 00000000000000ac\n", "of the journal 00000000000000ac"),
            ("journal = 00000000000000ab\nsegments = 2 1 64\n", "segments = 2 1 64"),
            ("journal = 00000000000000ab\nsegments = 1 18446744073709551615 64\n", "segments = 1"),
            ("journal = 00000000000000ab\nsegments = 1 2\n", "segments = 1 2"),
            ("journal = 00000000000000ab\nreached = many\n", "reached = many"),
            ("journal = 00000000000000ab\ncolour = red\n", "colour"),
        ] {
            let problem = parse(lines).unwrap_err();
            assert!(problem.contains(reason), "{lines:?}: {problem}");
        }
    }
}
