//! What was found when a journal was opened.

use std::fmt;
use std::path::PathBuf;

use crate::segment;
use crate::snapshot::SnapshotFile;
use crate::writer::Durability;

/// What was found, and done, when a journal was opened; printed, a few sentences for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The journal's number.
    pub journal: u64,
    /// Its folder.
    pub folder: PathBuf,
    /// When it began: UTC, to the second.
    pub began: String,
    /// It was begun just now: there was no `journal.log`.
    pub fresh: bool,
    /// Folders of journals that are not the current one. They were not touched.
    pub other_journals: Vec<PathBuf>,
    /// How often it has been opened for writing, this time included, as far as frames say so.
    pub epoch: u32,
    /// The snapshot that it was recovered from; what follows is about what lies behind it.
    pub snapshot: Option<SnapshotFile>,
    /// Snapshots that could not be used, and why.
    pub passed_over: Vec<String>,
    /// Segments that were read.
    pub segments: u64,
    /// Whole frames.
    pub frames: u64,
    /// Bytes of these, headers and padding included.
    pub bytes: u64,
    /// Transactions that were replayed.
    pub transactions: u64,
    /// Their events.
    pub events: u64,
    /// The sequence number of the last event, 0 if there is none.
    pub last_sequence: u64,
    /// The time of the last event, in nanoseconds since the Unix epoch.
    pub last_time_ns: u64,
    /// The last event before the stop, if the journal was stopped cleanly and this is the first start since.
    pub stopped: Option<u64>,
    /// Bytes behind the last whole write that were cut off.
    pub torn_tail: Option<TornTail>,
    /// How durable what follows will be.
    pub durability: Durability,
}

/// Bytes that are no whole frame: what a crash left of the last write, or what became of it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub segment: u64,
    /// Where in it.
    pub offset: u64,
    /// How many bytes were cleared.
    pub bytes: u64,
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        if self.fresh {
            write!(f, "Began a fresh, empty journal in {folder}.")?;
            if !self.other_journals.is_empty() {
                f.write_str(" ATTENTION: there was no journal.log, so what older journals hold is NOT in this exchange:")?;
                for (i, other) in self.other_journals.iter().enumerate() {
                    write!(f, "{} {}", if i == 0 { "" } else { "," }, other.display())?;
                }
                f.write_str(" (untouched).")?;
            }
        } else {
            let Self { events, transactions, frames, segments, last_sequence, began, .. } = self;
            match &self.snapshot {
                Some(SnapshotFile { name, sequence }) => write!(
                    f,
                    "Recovered the state at sequence number {sequence} from the snapshot {name}, and behind it "
                )?,
                None => f.write_str("Recovered ")?,
            }
            write!(
                f,
                "{events} events in {transactions} transactions, up to sequence number {last_sequence}, from \
                 {frames} frames in {segments} segments of {folder}, begun {began}."
            )?;
        }
        if !self.passed_over.is_empty() {
            f.write_str(" ATTENTION: ")?;
            for (i, problem) in self.passed_over.iter().enumerate() {
                write!(f, "{}{problem}", if i == 0 { "" } else { "; " })?;
            }
            f.write_str(
                ": passed over; nothing is missing in this exchange, and the next snapshot replaces it.",
            )?;
        }
        if let Some(TornTail { segment, offset, bytes }) = self.torn_tail {
            let name = segment::file_name(segment);
            write!(f, " {bytes} bytes in {name} at offset {offset} were no whole write, and were cut off: ")?;
            match self.stopped {
                Some(last) => write!(
                    f,
                    "they had not been acknowledged, since the exchange was stopped cleanly with event {last}, which is \
                     here."
                )?,
                None => f.write_str(
                    "they may or may not have been acknowledged. The exchange was not stopped cleanly; a crash leaves \
                     such bytes of a write that was not yet acknowledged, and a disk or a copy that is damaged leaves \
                     them of one that was.",
                )?,
            }
        }
        if self.durability == Durability::None {
            f.write_str(
                " ATTENTION: durability is `none`: what is acknowledged is NOT synced to the disk, and a crash of the \
                 machine LOSES it.",
            )?;
        }
        Ok(())
    }
}
