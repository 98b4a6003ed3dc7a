//! What recovery writes once it has found a journal sound.

use std::collections::VecDeque;

use crate::error::DiskError;
use crate::segment::{self, OpenSegment};
use crate::storage::{Access, StorageFile};
use crate::walk::{Following, Walk};

/// Writes the valid part of the last segment again and clears what is behind it: after a crash the page
/// cache may show what the disk never got, and would say that a sync of it succeeded.
pub(crate) fn mend_tail(walk: &Walk, dirty_end: u64) -> Result<OpenSegment, DiskError> {
    const PIECE: u64 = 1 << 20;
    let storage = &*walk.storage;
    let name = segment::path(&walk.folder, walk.number);
    let failed = |error| DiskError::new("write", storage, &name, error);
    let file = storage.open(&name, Access::Write).map_err(failed)?;
    let len = file.len().map_err(failed)?;
    // The last frame is whole without its padding, which a file that was cut may lack.
    let (valid_end, dirty_end) = (walk.offset.min(len), dirty_end.min(len));
    let mut bytes = Vec::new();
    let mut offset = 0;
    while offset < dirty_end {
        let end = (offset + PIECE).min(dirty_end);
        bytes.clear();
        bytes.resize(usize::try_from(end - offset).unwrap_or(usize::MAX), 0);
        if offset < valid_end {
            let valid = usize::try_from(end.min(valid_end) - offset).unwrap_or(usize::MAX);
            read_all(&*file, &mut bytes[..valid], offset).map_err(failed)?;
        }
        file.write_at(&bytes, offset).map_err(failed)?;
        offset = end;
    }
    file.sync().map_err(failed)?;
    Ok(OpenSegment { number: walk.number, file, len })
}

fn read_all(file: &dyn StorageFile, mut bytes: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match file.read_at(bytes, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, offset) = (&mut bytes[read..], offset + read as u64),
        }
    }
    Ok(())
}

/// Takes over the segments that were prepared but hold no frame yet, and clears what a torn one left in them.
pub(crate) fn mend_following(
    walk: &Walk,
    following: &[Following],
) -> Result<VecDeque<OpenSegment>, DiskError> {
    let storage = &*walk.storage;
    let mut ready = VecDeque::new();
    for &Following { number, len, is_clean } in following {
        let name = segment::path(&walk.folder, number);
        let failed = |error| DiskError::new("write", storage, &name, error);
        let file = storage.open(&name, Access::Write).map_err(failed)?;
        if !is_clean {
            segment::clear(&*file, 0, len).map_err(failed)?;
        }
        // The process that made it may have died before its zeros were on the disk.
        file.sync().map_err(failed)?;
        ready.push_back(OpenSegment { number, file, len });
    }
    Ok(ready)
}
