//! The file that keeps how far handlers have come: text, small, checked, and written whole or not at all.

use std::collections::BTreeMap;
use std::io;

use betex_journal::{Access, DiskError, JournalError, Storage};

use crate::error::EngineError;

/// The file's name, in the journal's folder: positions are of one journal.
pub(crate) const NAME: &str = "handlers.positions";
/// Handlers that are remembered at most.
pub(crate) const HANDLERS_MAX: usize = 256;
/// The longest name of a handler, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// The version of the file.
const FORMAT: &str = "format = 1";
/// A longer file is not ours, and is not read: 256 lines of a name and two numbers are less.
const BYTES_MAX: usize = 64 << 10;

/// What is kept of one handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The number of the last event that it has confirmed.
    pub(crate) confirmed: u64,
    /// When it was last known to follow, in nanoseconds since the Unix epoch.
    pub(crate) seen_ns: u64,
}

/// Whether this can be the name of a handler whose position is kept: a line of the file has room for it.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.trim() == name && !name.contains(char::is_control)
}

/// The file's text, with its checksum.
fn text(handlers: &BTreeMap<String, Kept>) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "# How far the handlers of this journal have come: the last event confirmed, when, who.\n{FORMAT}\n"
    );
    for (name, kept) in handlers {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "handler = {} {} {name}", kept.confirmed, kept.seen_ns);
    }
    let checksum = crc32c::crc32c(text.as_bytes());
    let _ = writeln!(text, "crc32c = {checksum:08x}");
    text
}

fn parse(text: &str) -> Result<BTreeMap<String, Kept>, String> {
    let (body, checksum) = text
        .trim_end_matches('\n')
        .rsplit_once('\n')
        .and_then(|(body, last)| Some((&text[..=body.len()], last.strip_prefix("crc32c = ")?)))
        .ok_or("it does not end with its checksum")?;
    if checksum != format!("{:08x}", crc32c::crc32c(body.as_bytes())) {
        return Err("its checksum does not fit: it was changed, or the disk has damaged it".into());
    }
    let mut lines = body.lines().filter(|line| !line.starts_with('#'));
    match lines.next() {
        Some(FORMAT) => {}
        other => {
            return Err(format!(
                "it says {:?} where {FORMAT:?} is known: a newer version of BetEx may have written it",
                other.unwrap_or_default()
            ));
        }
    }
    let mut handlers = BTreeMap::new();
    for line in lines {
        let (name, kept) = handler(line).ok_or_else(|| format!("it has the line {line:?}"))?;
        if handlers.insert(name.to_owned(), kept).is_some() {
            return Err(format!("it names {name:?} twice"));
        }
    }
    if handlers.len() > HANDLERS_MAX {
        return Err(format!("it names more than {HANDLERS_MAX} handlers"));
    }
    Ok(handlers)
}

fn handler(line: &str) -> Option<(&str, Kept)> {
    let mut parts = line.strip_prefix("handler = ")?.splitn(3, ' ');
    let (confirmed, seen_ns) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let name = parts.next().filter(|name| is_name(name))?;
    Some((name, Kept { confirmed, seen_ns }))
}

/// What the file of this name says; nothing if there is none.
pub(crate) fn read(storage: &dyn Storage, file: &str) -> Result<BTreeMap<String, Kept>, EngineError> {
    let failed = |source| {
        let path = storage.root().join(file);
        EngineError::Journal(JournalError::Disk(DiskError { doing: "read", path, source }))
    };
    let opened = match storage.open(file, Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        opened => opened.map_err(failed)?,
    };
    let mut bytes = vec![0; BYTES_MAX + 1];
    let mut len = 0;
    while len < bytes.len() {
        match opened.read_at(&mut bytes[len..], len as u64).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    let parsed = match std::str::from_utf8(&bytes[..len]) {
        Ok(_) if len > BYTES_MAX => Err(format!("it is longer than {BYTES_MAX} bytes")),
        Ok(text) => parse(text),
        Err(_) => Err("it is not text".into()),
    };
    parsed.map_err(|problem| EngineError::Positions { path: storage.root().join(file), problem })
}

/// Writes the file beside the one that is there, syncs it, and puts it in its place.
pub(crate) fn write(
    storage: &dyn Storage,
    file: &str,
    handlers: &BTreeMap<String, Kept>,
) -> Result<(), DiskError> {
    let write = || {
        let new = format!("{file}.new");
        let opened = storage.open(&new, Access::Create)?;
        opened.write_at(text(handlers).as_bytes(), 0)?;
        opened.sync()?;
        storage.rename(&new, file)?;
        storage.sync_dir(file.rsplit_once('/').map_or("", |(folder, _)| folder))
    };
    write().map_err(|source| DiskError { doing: "write", path: storage.root().join(file), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> BTreeMap<String, Kept> {
        let kept = |confirmed| Kept { confirmed, seen_ns: 9 };
        [("ledger".to_owned(), kept(7)), ("a b, c".to_owned(), kept(u64::MAX))].into()
    }

    #[test]
    fn what_is_written_is_read() {
        for handlers in [some(), BTreeMap::new()] {
            assert_eq!(parse(&text(&handlers)), Ok(handlers));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let whole = text(&some()).into_bytes();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let parsed = std::str::from_utf8(&bytes).map_err(|error| error.to_string()).and_then(parse);
            // The last line break is nobody's: without it the file says the same.
            assert!(parsed.is_err() || bit / 8 == whole.len() - 1, "bit {bit}: {parsed:?}");
        }
        for len in 0..whole.len() - 1 {
            assert!(
                std::str::from_utf8(&whole[..len]).map_or(true, |text| parse(text).is_err()),
                "cut at {len}"
            );
        }
    }

    #[test]
    fn garbage_is_refused_with_a_reason() {
        let checked = |body: &str| format!("{body}crc32c = {:08x}\n", crc32c::crc32c(body.as_bytes()));
        let many: String = (0..257).map(|n| format!("handler = 1 1 h{n}\n")).collect();
        for (text, reason) in [
            (String::new(), "checksum"),
            ("crc32c = 00000000".into(), "does not end with its checksum"),
            (checked("format = 2\n"), "format = 2"),
            (checked("format = 1\nhandler = 1 1\n"), "handler = 1 1"),
            (checked("format = 1\nhandler = -1 1 x\n"), "the line"),
            (checked("format = 1\nhandler = 1 1 x\nhandler = 1 1 x\n"), "twice"),
            (checked(&format!("format = 1\n{many}")), "more than 256"),
        ] {
            let problem = parse(&text).unwrap_err();
            assert!(problem.contains(reason), "{text:?}: {problem}");
        }
    }
}
