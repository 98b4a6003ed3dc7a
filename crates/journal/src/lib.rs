//! The journal of BetEx: what has happened, in bytes that outlive every version of the program.
//!
//! Transactions gather in a frame; one write and one sync make the frame durable ([`Log`]). [`open_state`]
//! recovers the state, from the newest snapshot and what lies behind it, and goes on there; [`open`] wants
//! every transaction. A [`SnapshotMaker`] makes snapshots of what is sealed and removes what they stand for; a [`JournalReader`] reads a live or a dead journal from
//! any place, without touching it. The format, byte by byte, and the rules of recovery are in
//! `docs/journal.md`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use betex_core::event::{Event, Stamp};
//! use betex_core::types::AccountId;
//! use betex_journal::{FileStorage, JournalOptions, JournalReader, Log, SEGMENT_BYTES_MIN};
//!
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let options =
//!     JournalOptions { segment_bytes: SEGMENT_BYTES_MIN, new_journal_number: 7, ..JournalOptions::default() };
//! let storage = Arc::new(FileStorage::new(directory));
//! let (mut log, _preparer, report) = betex_journal::open(storage, &options, &mut |_, _| ())?;
//! assert!(report.fresh);
//!
//! let alice = Event::AccountRegistered { account: AccountId(1), name: "alice".into() };
//! log.append(&Stamp { sequence: 1, ..Stamp::default() }, &[alice.clone()])?;
//! log.commit()?;
//! assert_eq!(log.durable_sequence(), 1);
//!
//! let mut reader = JournalReader::open_dir(directory)?;
//! let first = reader.events().next().transpose()?.map(|event| event.event);
//! assert_eq!(first, Some(alice));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod begin;
mod error;
mod extent;
mod files;
mod frame;
mod frames;
mod mend;
mod naming;
mod note;
mod reader;
pub mod record;
mod recover;
mod report;
mod seek;
mod segment;
mod snapshot;
mod storage;
mod supply;
mod walk;
mod window;
mod writer;

pub use error::{Damage, DiskError, JournalError, LogError, ReadError};
pub use extent::Evidence;
pub use files::{Frame, JournalFiles, RawFrame, SegmentFile, Snapshot};
pub use frame::{BODY_BYTES_MAX, BODY_GATHER_BYTES, FRAME_BYTES_MAX, HEADER_BYTES};
pub use frames::{FrameReader, NextFrame, Tail};
pub use naming::utc;
pub use reader::{Events, JournalEvent, JournalReader};
pub use recover::{JournalOptions, Opened, open, open_state};
pub use report::{RecoveryReport, TornTail};
pub use segment::{SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
pub use snapshot::{
    Pruned, Retention, SnapshotError, SnapshotFile, SnapshotMade, SnapshotMaker, SnapshotOptions,
};
pub use storage::{Access, FileStorage, Lock, Storage, StorageFile};
pub use supply::{PrepareOutcome, SegmentPreparer, SegmentSupply};
pub use writer::{Durability, JournalWriter, Log};
