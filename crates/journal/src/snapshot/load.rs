//! A snapshot is believed only if all of it is right: every frame by its checksum, its journal, its number
//! and its chain, every record, the number of pieces and the digest of the state that they make.

use betex_core::image::Builder;
use betex_core::state::State;

use super::{Mark, SnapshotFile, expected_behind};
use crate::error::{Damage, Fault};
use crate::frame::{self, FrameHeader, KIND_SNAPSHOT, VERSION};
use crate::record::{RecordError, SnapshotEnd, SnapshotRecord, decode_snapshot};
use crate::storage::Storage;
use crate::walk::Expect;
use crate::window::Window;

/// A snapshot that is right.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) file: SnapshotFile,
    pub(crate) state: State,
    pub(crate) end: SnapshotEnd,
}

impl Loaded {
    pub(crate) fn mark(&self) -> Mark {
        Mark { sequence: self.end.sequence, segment: self.end.segment }
    }

    /// What the frame behind it must be.
    pub(crate) fn expect(&self) -> Expect {
        expected_behind(&self.end)
    }
}

/// The newest snapshot that is right, and what is wrong with those that are newer. One is made only when the segment
/// behind it is in use, so where that is missing it was lost.
pub(crate) fn newest(
    storage: &dyn Storage,
    folder: &str,
    journal: u64,
    segments: &[u64],
) -> Result<(Option<Loaded>, Vec<String>), Fault> {
    let mut passed_over = Vec::new();
    for file in super::files(storage, folder)? {
        match load(storage, folder, journal, &file) {
            Ok(loaded) if segments.contains(&loaded.end.segment) => return Ok((Some(loaded), passed_over)),
            Ok(loaded) => {
                let segment = loaded.end.segment;
                let name = crate::segment::file_name(segment);
                let what =
                    format!("{name} is missing, and the snapshot {} says that it was in use", file.name);
                return Err(Fault::Corrupt(Damage { segment, offset: 0, frame: 0, what }));
            }
            Err(problem) => passed_over.push(format!("{}: {problem}", file.name)),
        }
    }
    Ok((None, passed_over))
}

/// The snapshot in this file, or what is wrong with it.
pub(crate) fn load(
    storage: &dyn Storage,
    folder: &str,
    journal: u64,
    file: &SnapshotFile,
) -> Result<Loaded, String> {
    let window = Window::of(storage, format!("{folder}/{}", file.name));
    let mut window = window.map_err(|error| error.to_string())?;
    let len = window.len(storage).map_err(|error| error.to_string())?;
    let mut reading = Reading { builder: Builder::new(), pieces: 0, end: None };
    let mut expected = (1, frame::snapshot_hash(journal, file.sequence));
    let mut offset = 0;
    while offset < len {
        let found = window.frame(storage, journal, offset).map_err(|error| error.to_string())?;
        let header = found.ok_or_else(|| format!("at offset {offset} there is no whole frame"))?;
        admit(&header, file, expected).map_err(|what| format!("the frame at offset {offset} {what}"))?;
        let bytes = window.held(offset, header.frame_len()).unwrap_or_default();
        let body = bytes.get(frame::HEADER_BYTES..).unwrap_or_default();
        reading
            .take(body, header.count.get())
            .map_err(|what| format!("in the frame at offset {offset} {what}"))?;
        expected = (header.frame_no.get() + 1, frame::chain_hash(bytes));
        offset += header.padded_len() as u64;
    }
    if offset != len {
        return Err(format!("it has {len} bytes of {offset}"));
    }
    let Reading { builder, pieces, end } = reading;
    let end = end.ok_or("its end is missing")?;
    if (end.pieces, end.sequence) != (pieces, file.sequence) {
        return Err("its end is that of another one".into());
    }
    let state = builder.finish().map_err(|error| error.to_string())?;
    if state.sequence() != end.sequence || state.digest() != end.digest {
        return Err("its digest is that of another state".into());
    }
    Ok(Loaded { file: file.clone(), state, end })
}

/// Whether a whole frame is the one that belongs here.
fn admit(
    header: &FrameHeader,
    file: &SnapshotFile,
    (number, hash): (u64, frame::ChainHash),
) -> Result<(), String> {
    if header.version != VERSION || header.flags.get() != 0 {
        return Err("was written by a newer version of BetEx".into());
    }
    if header.kind != KIND_SNAPSHOT {
        return Err("is not one of a snapshot".into());
    }
    if header.frame_no.get() != number || header.prev_hash != hash || header.first_seq.get() != file.sequence
    {
        return Err("does not belong there".into());
    }
    Ok(())
}

struct Reading {
    builder: Builder,
    pieces: u64,
    end: Option<SnapshotEnd>,
}

impl Reading {
    /// Takes the records of a frame, of which there are so many.
    fn take(&mut self, body: &[u8], count: u32) -> Result<(), String> {
        let (mut at, mut records) = (0, 0);
        while at < body.len() {
            if self.end.is_some() {
                return Err("there is more behind its end".into());
            }
            let decoded = decode_snapshot(&body[at..]).map_err(|problem| RecordError { at, problem });
            let (record, len) = decoded.map_err(|error| error.to_string())?;
            match record {
                SnapshotRecord::Piece(piece) => {
                    self.pieces += 1;
                    self.builder.take(piece).map_err(|error| error.to_string())?;
                }
                SnapshotRecord::End(end) => self.end = Some(end),
            }
            at += len;
            records += 1;
        }
        if records == count { Ok(()) } else { Err("there are more or fewer records than it says".into()) }
    }
}
