//! Records: what a frame's body is made of. Events to bytes, and bytes to events.
//!
//! A record is `kind u16 | version u16 | len u32` and its fields at fixed offsets, little endian;
//! `len` counts the whole record, head and padding included, and is a multiple of eight. A kind or a
//! version is never used again: a new field is a new version, and the old one decodes for ever. An event
//! is written in the oldest version that can say it, and in no other is it read. The layouts are drawn in
//! `docs/journal.md`.

mod codes;
mod decode;
mod encode;
mod engine;
mod fields;
mod fractions;
pub mod kind;
mod layout;
mod markets;
mod orders;
mod out;
mod pieces;
mod preceding;
mod raw;
mod trades;

pub use decode::{BodyDecoder, RecordError, RecordProblem};
pub use encode::{BodyEncoder, EncodeError};
pub use pieces::{SnapshotEnd, SnapshotRecord, decode_snapshot, encode_snapshot};
pub use raw::{RawRecord, raw_records};

/// Bytes of a record's head.
pub const HEAD_BYTES: usize = size_of::<layout::Head>();

/// In the flags of an event record: the transaction ends with it.
const ENDS_TRANSACTION: u8 = 1;

/// `len` rounded up to where the next record begins.
const fn padded(len: usize) -> usize {
    len.next_multiple_of(8)
}
