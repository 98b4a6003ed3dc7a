//! `journal.log`: the small text file that says which journal is the current one.

use std::fmt;
use std::io;

use crate::error::{DiskError, ReadError};
use crate::segment;
use crate::storage::{Access, Storage};

/// The file's name.
pub(crate) const FILE: &str = "journal.log";
/// The lock of whoever writes.
pub(crate) const LOCK: &str = "LOCK";
/// The version of the file and of all it names.
const FORMAT: &str = "1";
/// A longer file is not ours, and is not read.
const BYTES_MAX: usize = 4_096;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// The journal's number.
    pub(crate) journal: u64,
    /// When it began, for people.
    pub(crate) began: String,
}

/// Why it does not.
#[derive(Debug)]
pub(crate) enum NamingError {
    Disk(DiskError),
    Garbled(String),
}

impl From<DiskError> for NamingError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Names the current journal. Remove this file and restart to begin a fresh, empty exchange;"
        )?;
        writeln!(f, "# the folder of the old journal stays where it is.")?;
        writeln!(f, "format = {FORMAT}\njournal = {:016x}\nbegan = {}", self.journal, self.began)
    }
}

impl Naming {
    pub(crate) fn new(journal: u64, now_ns: u64) -> Self {
        Self { journal, began: utc(now_ns) }
    }

    /// What the file says; `None` if there is none.
    pub(crate) fn read(storage: &dyn Storage) -> Result<Option<Self>, NamingError> {
        if !storage
            .list("")
            .map_err(|error| DiskError::new("list", storage, "", error))?
            .iter()
            .any(|name| name == FILE)
        {
            return Ok(None);
        }
        let failed = |error| DiskError::new("read", storage, FILE, error);
        let file = storage.open(FILE, Access::Read).map_err(failed)?;
        let mut bytes = vec![0; BYTES_MAX];
        let mut len = 0;
        while len < BYTES_MAX {
            let offset = u64::try_from(len).unwrap_or(u64::MAX);
            match file.read_at(&mut bytes[len..], offset).map_err(failed)? {
                0 => break,
                read => len += read,
            }
        }
        let text =
            std::str::from_utf8(&bytes[..len]).map_err(|_| NamingError::Garbled("it is not text".into()))?;
        Self::parse(text).map(Some).map_err(NamingError::Garbled)
    }

    /// What the file says, for whoever reads a journal that must be there.
    pub(crate) fn current(storage: &dyn Storage) -> Result<Self, ReadError> {
        let root = storage.root();
        match Self::read(storage) {
            Ok(Some(naming)) => Ok(naming),
            Ok(None) => Err(ReadError::NoJournal(root.to_owned())),
            Err(NamingError::Disk(error)) if error.source.kind() == io::ErrorKind::NotFound => {
                Err(ReadError::NoJournal(root.to_owned()))
            }
            Err(NamingError::Disk(error)) => Err(error.into()),
            Err(NamingError::Garbled(problem)) => Err(ReadError::Naming { path: root.join(FILE), problem }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (mut format, mut journal, mut began) = (None, None, None);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once('=').ok_or_else(|| format!("it has the line {line:?}"))?;
            let field = match key.trim() {
                "format" => &mut format,
                "journal" => &mut journal,
                "began" => &mut began,
                other => return Err(format!("it says {other:?}, which this version of BetEx does not know")),
            };
            if field.replace(value.trim()).is_some() {
                return Err(format!("it says {:?} twice", key.trim()));
            }
        }
        match format {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "its format is {other}: this version of BetEx knows format {FORMAT} only"
                ));
            }
            None => return Err("it does not say its format".into()),
        }
        let journal = journal.ok_or("it does not name a journal")?;
        let journal = segment::journal_of(journal).ok_or("its journal is not a number of 16 hex digits")?;
        Ok(Self { journal, began: began.unwrap_or_default().to_owned() })
    }

    /// Writes the file, whole or not at all, and durably.
    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<(), DiskError> {
        let new = format!("{FILE}.new");
        let failed = |error| DiskError::new("write", storage, FILE, error);
        let file = storage.open(&new, Access::Create).map_err(failed)?;
        file.write_at(self.to_string().as_bytes(), 0).map_err(failed)?;
        file.sync().map_err(failed)?;
        storage.rename(&new, FILE).map_err(failed)?;
        storage.sync_dir("").map_err(failed)
    }
}

/// A time in nanoseconds since the Unix epoch as people write it: UTC, to the second, as in
/// `2026-10-03T12:30:00Z`.
pub fn utc(time_ns: u64) -> String {
    let seconds = time_ns / 1_000_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The civil calendar in years that begin in March: the leap day is then the last one.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + next_year;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let naming = Naming::new(0xAB, 1_791_030_600 * 1_000_000_000);
        assert_eq!(Naming::parse(&naming.to_string()), Ok(naming));
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_799, "2024-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds * 1_000_000_000), text);
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "does not say its format"),
            ("format = 2\njournal = 00000000000000ab", "format is 2"),
            ("format = 1", "does not name a journal"),
            ("format = 1\njournal = ab", "16 hex digits"),
            ("format = 1\njournal = +0000000000000ab", "16 hex digits"),
            ("format = 1\njournal = 00000000000000ab\nformat = 1", "twice"),
            ("format = 1\njournal = 00000000000000ab\ncolour = red", "colour"),
            ("\0\0\0\0", "the line"),
        ] {
            let problem = Naming::parse(text).unwrap_err();
            assert!(problem.contains(reason), "{text:?}: {problem}");
        }
    }
}
