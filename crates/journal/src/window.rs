//! A moving window over a segment: frames are looked at in memory, read from the disk in large pieces.

use crate::error::DiskError;
use crate::frame::{FRAME_BYTES_MAX, FrameHeader, HEADER_BYTES};
use crate::segment;
use crate::storage::{Access, Storage, StorageFile};

/// First read after a window was opened or forgot what it held: a reader that follows the tail needs
/// one small frame. Doubled at each further read, up to [`AHEAD_BYTES_MAX`].
const AHEAD_BYTES_MIN: usize = 4 << 10;
const AHEAD_BYTES_MAX: usize = 2 << 20;

const _: () = assert!(AHEAD_BYTES_MAX > FRAME_BYTES_MAX);

#[derive(Debug)]
pub(crate) struct Window {
    file: Box<dyn StorageFile>,
    name: String,
    bytes: Vec<u8>,
    /// Where in the file `bytes` begin, and how many of them were read.
    start: u64,
    filled: usize,
    ahead: usize,
}

impl Window {
    /// Over a segment, which is not written through it.
    pub(crate) fn open(storage: &dyn Storage, folder: &str, number: u64) -> Result<Self, DiskError> {
        Self::of(storage, segment::path(folder, number))
    }

    /// Over any file of frames.
    pub(crate) fn of(storage: &dyn Storage, name: String) -> Result<Self, DiskError> {
        let file = storage
            .open(&name, Access::Read)
            .map_err(|error| DiskError::new("open", storage, &name, error))?;
        Ok(Self { file, name, bytes: Vec::new(), start: 0, filled: 0, ahead: AHEAD_BYTES_MIN })
    }

    /// The segment's length.
    pub(crate) fn len(&self, storage: &dyn Storage) -> Result<u64, DiskError> {
        self.file.len().map_err(|error| DiskError::new("read", storage, &self.name, error))
    }

    /// These bytes of the segment; fewer at its end.
    pub(crate) fn bytes(
        &mut self,
        storage: &dyn Storage,
        offset: u64,
        len: usize,
    ) -> Result<&[u8], DiskError> {
        if self.held(offset, len).is_none() {
            self.read(storage, offset, len)?;
        }
        let from = self.index(offset).unwrap_or(self.filled);
        Ok(&self.bytes[from..self.filled.min(from + len)])
    }

    /// These bytes, if all of them were read.
    pub(crate) fn held(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let from = self.index(offset)?;
        self.bytes[..self.filled].get(from..from.checked_add(len)?)
    }

    /// Reads again what is asked for next: the file may have changed.
    pub(crate) fn forget(&mut self) {
        self.filled = 0;
        self.ahead = AHEAD_BYTES_MIN;
    }

    /// The frame at this place, if there is a whole one of this journal. Its body is then held.
    pub(crate) fn frame(
        &mut self,
        storage: &dyn Storage,
        journal: u64,
        offset: u64,
    ) -> Result<Option<FrameHeader>, DiskError> {
        let Some(header) = FrameHeader::of(self.bytes(storage, offset, HEADER_BYTES)?, journal) else {
            return Ok(None);
        };
        let frame = self.bytes(storage, offset, header.frame_len())?;
        let whole = frame.len() == header.frame_len() && header.is_whole(&frame[HEADER_BYTES..]);
        Ok(whole.then_some(header))
    }

    fn index(&self, offset: u64) -> Option<usize> {
        usize::try_from(offset.checked_sub(self.start)?).ok()
    }

    fn read(&mut self, storage: &dyn Storage, offset: u64, len: usize) -> Result<(), DiskError> {
        let want = len.max(self.ahead);
        self.ahead = (self.ahead * 2).min(AHEAD_BYTES_MAX);
        if self.bytes.len() < want {
            self.bytes.resize(want, 0);
        }
        (self.start, self.filled) = (offset, 0);
        while self.filled < want {
            let at = offset + self.filled as u64;
            match self.file.read_at(&mut self.bytes[self.filled..want], at) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) => return Err(DiskError::new("read", storage, &self.name, error)),
            }
        }
        Ok(())
    }
}
