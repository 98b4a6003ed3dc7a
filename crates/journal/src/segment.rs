//! Segments: the files that frames lie in, in a folder named by the journal's number. Made whole, full
//! of zeros, before they are used: growing a file costs about twice the time of a sync.

use crate::error::DiskError;
use crate::storage::{Access, Storage, StorageFile};

/// The smallest segment: the longest frame fits in it.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 20;
/// The default.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;

const _: () = assert!(SEGMENT_BYTES_MIN > crate::frame::FRAME_BYTES_MAX as u64);

const SUFFIX: &str = ".segment";
/// Of a segment that is not yet whole; nothing reads one.
const UNFINISHED: &str = ".segment.new";
/// Zeros written at once, and synced: few, so that the frames' own syncs do not queue behind them.
static ZEROS: [u8; 256 << 10] = [0; 256 << 10];

/// A segment that can be written.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) number: u64,
    pub(crate) file: Box<dyn StorageFile>,
    /// In bytes.
    pub(crate) len: u64,
}

/// The name of a segment in its folder.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:08}{SUFFIX}")
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let number = digits.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// The name of a journal's folder.
pub(crate) fn folder_name(journal: u64) -> String {
    format!("{journal:016x}")
}

/// The journal whose folder has this name.
pub(crate) fn journal_of(name: &str) -> Option<u64> {
    let journal = u64::from_str_radix(name, 16).ok()?;
    (folder_name(journal) == name).then_some(journal)
}

/// A segment's name in the storage.
pub(crate) fn path(folder: &str, number: u64) -> String {
    format!("{folder}/{}", file_name(number))
}

/// The numbers of the segments in a folder, rising.
pub(crate) fn numbers(storage: &dyn Storage, folder: &str) -> Result<Vec<u64>, DiskError> {
    let names = storage.list(folder).map_err(|error| DiskError::new("list", storage, folder, error))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what an interrupted preparation left.
pub(crate) fn remove_unfinished(storage: &dyn Storage, folder: &str) -> Result<(), DiskError> {
    let names = storage.list(folder).map_err(|error| DiskError::new("list", storage, folder, error))?;
    for name in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
        let name = format!("{folder}/{name}");
        storage.remove(&name).map_err(|error| DiskError::new("remove", storage, &name, error))?;
    }
    Ok(())
}

/// Writes zeros from here to there.
pub(crate) fn clear(file: &dyn StorageFile, mut from: u64, to: u64) -> std::io::Result<()> {
    while from < to {
        let rest = usize::try_from(to - from).unwrap_or(usize::MAX);
        let zeros = &ZEROS[..rest.min(ZEROS.len())];
        file.write_at(zeros, from)?;
        from += zeros.len() as u64;
    }
    Ok(())
}

/// Makes a segment full of zeros.
pub(crate) fn create(
    storage: &dyn Storage,
    folder: &str,
    number: u64,
    len: u64,
) -> Result<OpenSegment, DiskError> {
    Ok(create_while(storage, folder, number, len, |_| true)?.expect("nobody gave it up"))
}

/// The same, piece by piece. `go_on` is asked before each, with how much there is; if it
/// says no, there is none. It gets its name only once it is whole on the disk; otherwise nothing of it stays.
pub(crate) fn create_while(
    storage: &dyn Storage,
    folder: &str,
    number: u64,
    len: u64,
    go_on: impl Fn(u64) -> bool,
) -> Result<Option<OpenSegment>, DiskError> {
    let unfinished = format!("{folder}/{number:08}{UNFINISHED}");
    let name = path(folder, number);
    let attempt = || {
        let file = storage.open(&unfinished, Access::Create)?;
        let mut offset = 0;
        while offset < len {
            if !go_on(offset) {
                storage.remove(&unfinished)?;
                return Ok(None);
            }
            let rest = usize::try_from(len - offset).unwrap_or(usize::MAX);
            let zeros = &ZEROS[..rest.min(ZEROS.len())];
            file.write_at(zeros, offset)?;
            file.sync()?;
            offset += zeros.len() as u64;
        }
        storage.rename(&unfinished, &name)?;
        storage.sync_dir(folder)?;
        Ok(Some(file))
    };
    match attempt() {
        Ok(file) => Ok(file.map(|file| OpenSegment { number, file, len })),
        Err(error) => {
            // Gives the space of a full disk back; that this may fail as well changes nothing. Only what
            // has no final name is removed: a whole segment does no harm and is found at the next start.
            let _ = storage.remove(&unfinished);
            Err(DiskError::new("prepare the segment", storage, &name, error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        assert_eq!(number_of(&file_name(7)), Some(7));
        assert_eq!(number_of(&file_name(123_456_789)), Some(123_456_789));
        assert_eq!(journal_of(&folder_name(0xBE7)), Some(0xBE7));
        for name in ["7.segment", "0000000a.segment", "00000007.segment.new", "+0000007.segment", "00000007"]
        {
            assert_eq!(number_of(name), None, "{name}");
        }
        for name in ["be7", "0000000000000BE7", "00000000000000be7"] {
            assert_eq!(journal_of(name), None, "{name}");
        }
    }
}
