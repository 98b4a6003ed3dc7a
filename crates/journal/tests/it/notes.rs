//! The notes beside the segments, written by hand.

use crate::memory_storage::MemoryStorage;
use crate::tape::JOURNAL;

/// The note with the lengths of the segments.
pub(crate) fn list() -> String {
    format!("{JOURNAL:016x}/segments.list")
}

/// The mark of a clean stop.
pub(crate) fn mark() -> String {
    format!("{JOURNAL:016x}/stopped")
}

/// Puts a note with these lines there.
pub(crate) fn write(storage: &MemoryStorage, name: &str, lines: &str) {
    let text = format!("format = 1\n{lines}");
    let checksum = crc32c::crc32c(text.as_bytes());
    storage.replace(name, format!("{text}crc32c = {checksum:08x}\n").into_bytes());
}

/// Lists the segments as they are now, in place of what was listed.
pub(crate) fn relist(storage: &MemoryStorage) {
    let mut lines = format!("journal = {JOURNAL:016x}\n");
    for name in storage.files().iter().filter(|name| name.ends_with(".segment")) {
        let number: u64 = name[17..].trim_end_matches(".segment").parse().unwrap();
        lines += &format!("segments = {number} {number} {}\n", storage.read(name).len());
    }
    write(storage, &list(), &(lines + "reached = 0\n"));
}
