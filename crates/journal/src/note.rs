//! Small text files beside the segments: checked, and written whole or not at all.

use std::io;

use crate::error::{DiskError, Fault};
use crate::storage::{Access, Storage};

/// The version of every note.
const FORMAT: &str = "format = 1";
/// A longer file is not ours, and is not read.
const BYTES_MAX: usize = 1 << 20;

/// Writes a note beside the one that is there, syncs it, and puts it in its place.
pub(crate) fn write(
    storage: &dyn Storage,
    folder: &str,
    file: &str,
    about: &str,
    lines: &str,
) -> Result<(), DiskError> {
    let mut text = format!("# {about}\n{FORMAT}\n{lines}");
    text += &format!("crc32c = {:08x}\n", crc32c::crc32c(text.as_bytes()));
    let name = format!("{folder}/{file}");
    let new = format!("{name}.new");
    let write = || {
        let opened = storage.open(&new, Access::Create)?;
        opened.write_at(text.as_bytes(), 0)?;
        opened.sync()?;
        storage.rename(&new, &name)?;
        storage.sync_dir(folder)
    };
    write().map_err(|error| {
        // Gives the space of a full disk back; that this may fail as well changes nothing.
        let _ = storage.remove(&new);
        DiskError::new("write", storage, &name, error)
    })
}

/// The lines of a note, `None` if there is none.
pub(crate) fn read(storage: &dyn Storage, folder: &str, file: &str) -> Result<Option<String>, Fault> {
    let name = format!("{folder}/{file}");
    let failed = |error| DiskError::new("read", storage, &name, error);
    let opened = match storage.open(&name, Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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
    let lines = match std::str::from_utf8(&bytes[..len]) {
        Ok(_) if len > BYTES_MAX => Err(format!("it is longer than {BYTES_MAX} bytes")),
        Ok(text) => parse(text),
        Err(_) => Err("it is not text".into()),
    };
    lines.map(Some).map_err(|problem| garbled(file, problem))
}

/// A note that says what cannot be.
pub(crate) fn garbled(file: &str, problem: impl Into<String>) -> Fault {
    Fault::Note { file: file.to_owned(), problem: problem.into() }
}

/// Removes what an interrupted write left.
pub(crate) fn remove_unfinished(storage: &dyn Storage, folder: &str, file: &str) -> Result<(), DiskError> {
    let new = format!("{folder}/{file}.new");
    match storage.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DiskError::new("remove", storage, &new, error))
        }
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Result<String, String> {
    let (body, checksum) = text
        .strip_suffix('\n')
        .and_then(|text| text.rsplit_once('\n'))
        .and_then(|(body, last)| Some((&text[..=body.len()], last.strip_prefix("crc32c = ")?)))
        .ok_or("it is cut short, or empty: it does not end with its checksum")?;
    if checksum != format!("{:08x}", crc32c::crc32c(body.as_bytes())) {
        return Err("its checksum does not fit: it was changed, or the disk has damaged it".into());
    }
    let mut lines = body.lines().filter(|line| !line.starts_with('#'));
    match lines.next() {
        Some(FORMAT) => Ok(lines.map(|line| format!("{line}\n")).collect()),
        other => Err(format!(
            "it says {:?} where {FORMAT:?} is known: a newer version of BetEx may have written it",
            other.unwrap_or_default()
        )),
    }
}
