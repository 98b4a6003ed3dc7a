//! A snapshot is written frame by frame, in bounded memory, under another name; it gets its own once all of
//! it is on the disk.

use betex_core::image::Piece;
use betex_core::state::State;
use zerocopy::IntoBytes as _;

use super::{SUFFIX, SnapshotError, SnapshotFile, UNFINISHED};
use crate::error::DiskError;
use crate::frame::{self, BODY_GATHER_BYTES, ChainHash, FrameHeader, HEADER_BYTES};
use crate::record::{EncodeError, SnapshotEnd, SnapshotRecord, encode_snapshot};
use crate::storage::{Access, Storage, StorageFile};

/// Bytes that are written between two syncs: few, so that the journal's own syncs do not queue behind them.
const SYNC_BYTES: u64 = 256 << 10;

/// Whose snapshot it is, and where it stands.
pub(super) struct Writing<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) folder: &'a str,
    pub(super) journal: u64,
    /// Asked at each frame: true ends it.
    pub(super) is_stopped: &'a dyn Fn() -> bool,
}

impl Writing<'_> {
    /// Writes the snapshot of a state; pieces and digest of `end` are filled in. How many bytes it has;
    /// `None` if it was stopped, and there is none.
    pub(super) fn write(&self, state: &State, end: SnapshotEnd) -> Result<Option<u64>, SnapshotError> {
        let name = SnapshotFile::of(end.sequence).name;
        let final_name = format!("{}/{name}", self.folder);
        let unfinished = format!("{}/{}{UNFINISHED}", self.folder, name.trim_end_matches(SUFFIX));
        let failed = |error| DiskError::new("write the snapshot", self.storage, &final_name, error);
        let attempt = || {
            let file = self.storage.open(&unfinished, Access::Create).map_err(failed)?;
            let mut frames = Frames::new(self, &*file, &end);
            let told = state.image(|piece| frames.piece(piece)).and_then(|()| frames.end(state, end));
            let bytes = match told {
                Ok(()) => frames.offset,
                Err(Ended::Stopped) => return Ok(None),
                Err(Ended::Disk(error)) => return Err(failed(error).into()),
                Err(Ended::Encode(error)) => return Err(SnapshotError::Encode(error)),
            };
            self.storage.rename(&unfinished, &final_name).map_err(failed)?;
            self.storage.sync_dir(self.folder).map_err(failed)?;
            Ok(Some(bytes))
        };
        let written = attempt();
        if !matches!(written, Ok(Some(_))) {
            // Gives the space back; that this may fail as well changes nothing: it is removed at the next
            // start. What has its final name is whole, and does no harm.
            let _ = self.storage.remove(&unfinished);
        }
        written
    }
}

/// Why no further frame was written.
enum Ended {
    Stopped,
    Disk(std::io::Error),
    Encode(EncodeError),
}

struct Frames<'a> {
    writing: &'a Writing<'a>,
    file: &'a dyn StorageFile,
    epoch: u32,
    sequence: u64,
    frame: u64,
    hash: ChainHash,
    offset: u64,
    synced: u64,
    /// The open frame: room for its header, then its body.
    buffer: Vec<u8>,
    records: u32,
    pieces: u64,
}

impl<'a> Frames<'a> {
    fn new(writing: &'a Writing<'a>, file: &'a dyn StorageFile, end: &SnapshotEnd) -> Self {
        Self {
            writing,
            file,
            epoch: end.epoch,
            sequence: end.sequence,
            frame: 1,
            hash: frame::snapshot_hash(writing.journal, end.sequence),
            offset: 0,
            synced: 0,
            buffer: vec![0; HEADER_BYTES],
            records: 0,
            pieces: 0,
        }
    }

    fn piece(&mut self, piece: Piece) -> Result<(), Ended> {
        self.pieces += 1;
        self.record(&SnapshotRecord::Piece(piece))
    }

    fn end(&mut self, state: &State, end: SnapshotEnd) -> Result<(), Ended> {
        let end = SnapshotEnd { pieces: self.pieces, digest: state.digest(), ..end };
        self.record(&SnapshotRecord::End(end))?;
        self.write()?;
        self.file.sync().map_err(Ended::Disk)
    }

    fn record(&mut self, record: &SnapshotRecord) -> Result<(), Ended> {
        let most = HEADER_BYTES + BODY_GATHER_BYTES;
        let mut encoded = encode_snapshot(&mut self.buffer, most, record);
        if encoded == Err(EncodeError::Full) && self.records > 0 {
            self.write()?;
            encoded = encode_snapshot(&mut self.buffer, most, record);
        }
        self.records += 1;
        encoded.map_err(Ended::Encode)
    }

    /// Writes the open frame.
    fn write(&mut self) -> Result<(), Ended> {
        if (self.writing.is_stopped)() {
            return Err(Ended::Stopped);
        }
        let len = self.buffer.len();
        let mut header = FrameHeader {
            magic: frame::MAGIC,
            version: frame::VERSION,
            kind: frame::KIND_SNAPSHOT,
            flags: 0.into(),
            journal: self.writing.journal.into(),
            epoch: self.epoch.into(),
            count: self.records.into(),
            frame_no: self.frame.into(),
            first_seq: self.sequence.into(),
            prev_hash: self.hash,
            // At most BODY_GATHER_BYTES.
            body_len: u32::try_from(len - HEADER_BYTES).unwrap_or(u32::MAX).into(),
            crc32c: 0.into(),
        };
        header.seal(&self.buffer[HEADER_BYTES..]);
        self.buffer[..HEADER_BYTES].copy_from_slice(header.as_bytes());
        self.hash = frame::chain_hash(&self.buffer);
        self.buffer.resize(frame::padded(len), 0);
        self.file.write_at(&self.buffer, self.offset).map_err(Ended::Disk)?;
        self.offset += self.buffer.len() as u64;
        if self.offset - self.synced >= SYNC_BYTES {
            self.file.sync().map_err(Ended::Disk)?;
            self.synced = self.offset;
        }
        self.frame += 1;
        self.records = 0;
        self.buffer.truncate(HEADER_BYTES);
        Ok(())
    }
}
