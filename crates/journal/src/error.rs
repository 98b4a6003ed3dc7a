//! What can go wrong, each in a sentence that says what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::record::EncodeError;
use crate::segment;
use crate::storage::Storage;

/// An operation of the disk that failed.
#[derive(Debug)]
pub struct DiskError {
    /// What was being done, as in "cannot ...".
    pub doing: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    pub(crate) fn new(doing: &'static str, storage: &dyn Storage, name: &str, source: io::Error) -> Self {
        let path = if name.is_empty() { storage.root().to_owned() } else { storage.root().join(name) };
        Self { doing, path, source }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, path, source } = self;
        write!(f, "cannot {doing} {}: {source}", path.display())?;
        f.write_str(match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "; free some space on this disk, or name a directory on another one"
            }
            io::ErrorKind::PermissionDenied => {
                "; let the user that the server runs as read and write there, or name another directory"
            }
            io::ErrorKind::ReadOnlyFilesystem => "; name a directory on a disk that can be written",
            io::ErrorKind::NotADirectory => "; name a directory, or a new one, for the journal",
            _ => "",
        })
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A place in a journal, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's number.
    pub segment: u64,
    /// Bytes from the segment's beginning.
    pub offset: u64,
    /// The number of the frame that is or should be there; 0 where the file as a whole is wrong.
    pub frame: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, frame, what } = self;
        if *frame == 0 {
            return write!(f, "in {}: {what}", segment::file_name(*segment));
        }
        write!(f, "in {} at offset {offset}, frame {frame}: {what}", segment::file_name(*segment))
    }
}

/// Why a journal could not be opened for writing. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process writes it.
    #[error(
        "{} is in use by another process, which holds the lock {}; stop that one first, or name another directory",
        .0.display(), .0.join(crate::naming::LOCK).display()
    )]
    Locked(PathBuf),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An option that cannot be.
    #[error("segments of {bytes} bytes: they must have {} or more", segment::SEGMENT_BYTES_MIN)]
    SegmentBytes {
        /// What was asked for.
        bytes: u64,
    },
    /// `journal.log` does not say which journal this is.
    #[error(
        "{} cannot be used: {problem}; restore it from a backup, or remove it to start a fresh, empty \
         exchange (the folders of older journals stay as they are)", .path.display()
    )]
    Naming {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A note beside the segments is not what the program wrote.
    #[error(
        "{} cannot be used: {problem}. Nothing was changed. Restore this folder from a backup; without this file \
         the journal is opened as far as it goes, and it is not noticed if its end is missing", .path.display()
    )]
    Note {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Something was changed that had been acknowledged.
    #[error(
        "the journal {} is damaged {damage}. Nothing was changed. Restore this folder from a backup, or \
         remove journal.log to start a fresh, empty exchange", .folder.display()
    )]
    Corrupt {
        /// The folder of the journal.
        folder: PathBuf,
        /// Where, and what.
        damage: Damage,
    },
    /// A newer program wrote here.
    #[error(
        "the journal {} cannot be read {at}. Nothing was changed. Start a version of BetEx at least as new \
         as the one that wrote it", .folder.display()
    )]
    Newer {
        /// The folder of the journal, or its naming file.
        folder: PathBuf,
        /// Where, and what.
        at: Damage,
    },
}

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no journal in {}: it has no file journal.log", .0.display())]
    NoJournal(PathBuf),
    /// `journal.log` does not say which journal this is.
    #[error("{} cannot be used: {problem}", .path.display())]
    Naming {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A note beside the segments is not what the program wrote.
    #[error("{} cannot be used: {problem}", .path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The events asked for are no longer there.
    #[error("the journal begins with sequence number {first}: what was before has been removed")]
    Pruned {
        /// The first there is.
        first: u64,
    },
    /// Something was changed that had been acknowledged.
    #[error("the journal {} is damaged {damage}", .folder.display())]
    Corrupt {
        /// The folder of the journal.
        folder: PathBuf,
        /// Where, and what.
        damage: Damage,
    },
    /// A newer program wrote here.
    #[error("the journal {} cannot be read {at}", .folder.display())]
    Newer {
        /// The folder of the journal.
        folder: PathBuf,
        /// Where, and what.
        at: Damage,
    },
}

/// Why something could not be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A write or a sync failed. It is not tried again: what is on the disk is no longer known, and only
    /// a restart finds out. Nothing is acknowledged any more.
    #[error("{0}. The journal is closed: restart to recover what was acknowledged")]
    Disk(#[from] DiskError),
    /// A write or a sync failed before this call.
    #[error(
        "the journal is closed after an earlier error of its disk: restart to recover what was acknowledged"
    )]
    Poisoned,
    /// One transaction of more than [`BODY_BYTES_MAX`](crate::BODY_BYTES_MAX) bytes. Nothing was written.
    #[error("a transaction of {events} events is longer than {} bytes", crate::BODY_BYTES_MAX)]
    TooLarge {
        /// How many events it has.
        events: usize,
    },
    /// Sequence numbers have no gaps. Nothing was written.
    #[error("sequence number {given} does not follow: {expected} does")]
    OutOfSequence {
        /// The next there is.
        expected: u64,
        /// What was given.
        given: u64,
    },
    /// Events that the core never emits. Nothing was written.
    #[error(transparent)]
    Invalid(EncodeError),
    /// The next segment was waited for when [`SegmentSupply::stop`](crate::SegmentSupply::stop) came.
    /// The open frame is not written.
    #[error("stopped while waiting for the next segment")]
    Stopped,
}

/// What reading frames meets, before it is known for whom.
#[derive(Debug)]
pub(crate) enum Fault {
    Disk(DiskError),
    Corrupt(Damage),
    Newer(Damage),
    /// A note of this name cannot be used.
    Note {
        file: String,
        problem: String,
    },
    /// What was to be read next has been removed; the first sequence number that is there.
    Pruned(u64),
}

impl Fault {
    pub(crate) fn opening(self, folder: &Path) -> JournalError {
        let folder = folder.to_owned();
        match self {
            Self::Disk(error) => JournalError::Disk(error),
            Self::Corrupt(damage) => JournalError::Corrupt { folder, damage },
            Self::Newer(at) => JournalError::Newer { folder, at },
            Self::Note { file, problem } => JournalError::Note { path: folder.join(file), problem },
            // Nobody prunes while the journal is opened.
            Self::Pruned(first) => {
                let what = format!("what was before sequence number {first} has been removed");
                JournalError::Corrupt { folder, damage: Damage { segment: 1, offset: 0, frame: 1, what } }
            }
        }
    }

    pub(crate) fn reading(self, folder: &Path) -> ReadError {
        let folder = folder.to_owned();
        match self {
            Self::Disk(error) => ReadError::Disk(error),
            Self::Corrupt(damage) => ReadError::Corrupt { folder, damage },
            Self::Newer(at) => ReadError::Newer { folder, at },
            Self::Note { file, problem } => ReadError::Note { path: folder.join(file), problem },
            Self::Pruned(first) => ReadError::Pruned { first },
        }
    }
}

impl From<DiskError> for Fault {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}
