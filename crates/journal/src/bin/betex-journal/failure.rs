//! Why the program ends otherwise than well: an exit code, what is wrong, and what to do.

use std::io::{self, Write as _};
use std::process::ExitCode;

use betex_journal::{JournalError, ReadError, SnapshotError};

/// The journal is damaged.
pub(crate) const DAMAGED: u8 = 1;
const MISUSED: u8 = 2;
const UNREADABLE: u8 = 3;
const IN_USE: u8 = 4;
const NEWER: u8 = 5;
const NOT_THERE: u8 = 6;

/// Why the program ends.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something was changed that had been acknowledged.
    Damaged(String),
    /// One that the next start passes over.
    DamagedSnapshot(String),
    /// Another process writes it.
    InUse(String),
    /// Arguments that clap cannot judge.
    Misused(String),
    /// No journal, or the disk said no.
    Unreadable(String),
    /// By a newer version.
    Newer(String),
    /// What was asked for.
    NotThere(String),
    /// Nobody reads on.
    ClosedPipe,
}

const RESTORE: &str = "What was before is sound; nothing was changed. Stop the server, keep a copy of this directory, and \
restore it from a backup: docs/operating.md, \"When something is wrong\"";

const PASSED_OVER: &str = "The journal itself is sound, so nothing is missing: the next start passes over this snapshot, \
and the next snapshot replaces it";

impl Failure {
    /// Says it on stderr; the exit code.
    pub(crate) fn tell(self) -> ExitCode {
        let (code, what, advice) = match self {
            // Whoever closed the pipe has what they wanted.
            Self::ClosedPipe => return ExitCode::SUCCESS,
            Self::Damaged(what) => (DAMAGED, what, RESTORE),
            Self::DamagedSnapshot(what) => (DAMAGED, what, PASSED_OVER),
            Self::InUse(what) => (IN_USE, what, "Nothing was changed"),
            Self::Misused(what) => (MISUSED, what, "`betex-journal help` says what makes sense"),
            Self::Unreadable(what) => {
                (UNREADABLE, what, "Name the data directory of a server, and see to it that you may read it")
            }
            Self::Newer(what) => {
                (NEWER, what, "Use the betex-journal of the version that wrote it, or a later one")
            }
            Self::NotThere(what) => (NOT_THERE, what, "`betex-journal stats` says what there is"),
        };
        // There is nowhere else to say that stderr is closed.
        let _ = writeln!(io::stderr(), "error: {what}. {advice}.");
        ExitCode::from(code)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let what = error.to_string();
        match error {
            ReadError::Corrupt { .. } | ReadError::Note { .. } => Self::Damaged(what),
            ReadError::Newer { .. } => Self::Newer(what),
            ReadError::Pruned { .. } => Self::NotThere(what),
            ReadError::NoJournal(_) | ReadError::Naming { .. } | ReadError::Disk(_) => Self::Unreadable(what),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let what = error.to_string();
        match error {
            JournalError::Locked(_) => Self::InUse(what),
            JournalError::Corrupt { .. } | JournalError::Note { .. } => Self::Damaged(what),
            JournalError::Newer { .. } => Self::Newer(what),
            JournalError::SegmentBytes { .. } | JournalError::Naming { .. } | JournalError::Disk(_) => {
                Self::Unreadable(what)
            }
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Disk(error) => ReadError::Disk(error).into(),
            SnapshotError::Read(error) => error.into(),
            SnapshotError::Encode(_) => Self::Unreadable(error.to_string()),
        }
    }
}

/// Of writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Unreadable(format!("cannot write the output: {error}")),
        }
    }
}
