//! Frames: one group commit each. A 64-byte header, the records, zeros up to the next multiple of 64.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a frame's header, and what frames are aligned to in a segment.
pub const HEADER_BYTES: usize = size_of::<FrameHeader>();
/// What a body gathers before it is committed without being asked.
pub const BODY_GATHER_BYTES: usize = 256 << 10;
/// The longest body there is: that of a single transaction.
pub const BODY_BYTES_MAX: usize = 768 << 10;
/// The longest frame there is.
pub const FRAME_BYTES_MAX: usize = HEADER_BYTES + BODY_BYTES_MAX;

/// The first four bytes of a frame. `FF` is in no UTF-8 text, so nothing a client writes looks like one.
pub(crate) const MAGIC: [u8; 4] = *b"BEX\xFF";
/// The version of the frame that this program writes.
pub(crate) const VERSION: u8 = 1;
/// A frame of events.
pub(crate) const KIND_EVENTS: u8 = 1;

/// A frame of a snapshot; in a file of its own.
pub(crate) const KIND_SNAPSHOT: u8 = 5;

const FRAME_DOMAIN: &[u8] = b"betex journal: frame\0";
const FIRST_DOMAIN: &[u8] = b"betex journal: before the first frame\0";
const SNAPSHOT_DOMAIN: &[u8] = b"betex journal: before a snapshot\0";

/// The first 128 bits of a BLAKE3 hash.
pub(crate) type ChainHash = [u8; 16];

/// A frame's header. Magic, lengths and checksum stay where they are in every later version, so that an
/// old program can tell a newer frame from a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct FrameHeader {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) flags: U16,
    /// The journal's random number.
    pub(crate) journal: U64,
    /// How often the journal had been opened for writing when this was written.
    pub(crate) epoch: U32,
    /// Events in the body.
    pub(crate) count: U32,
    /// From 1, without a gap.
    pub(crate) frame_no: U64,
    /// Sequence number of the first event.
    pub(crate) first_seq: U64,
    /// Of the frame before.
    pub(crate) prev_hash: ChainHash,
    pub(crate) body_len: U32,
    /// Over the header, this field zero, and the body.
    pub(crate) crc32c: U32,
}

const _: () = assert!(size_of::<FrameHeader>() == 64);

impl FrameHeader {
    /// The header, if this may be one of this journal: the right magic, number and a possible length.
    pub(crate) fn of(bytes: &[u8], journal: u64) -> Option<Self> {
        let (header, _) = Self::read_from_prefix(bytes).ok()?;
        let ours =
            header.magic == MAGIC && header.journal.get() == journal && header.body_len() <= BODY_BYTES_MAX;
        ours.then_some(header)
    }

    pub(crate) fn body_len(&self) -> usize {
        usize::try_from(self.body_len.get()).unwrap_or(usize::MAX)
    }

    /// Header and body, without padding.
    pub(crate) fn frame_len(&self) -> usize {
        HEADER_BYTES + self.body_len()
    }

    /// What the frame takes in its segment.
    pub(crate) fn padded_len(&self) -> usize {
        padded(self.frame_len())
    }

    /// Fills in the checksum.
    pub(crate) fn seal(&mut self, body: &[u8]) {
        self.crc32c = self.checksum(body).into();
    }

    /// Whether header and body are those that were written.
    pub(crate) fn is_whole(&self, body: &[u8]) -> bool {
        self.crc32c.get() == self.checksum(body)
    }

    fn checksum(&self, body: &[u8]) -> u32 {
        let unsealed = Self { crc32c: U32::ZERO, ..*self };
        crc32c::crc32c_append(crc32c::crc32c(unsealed.as_bytes()), body)
    }
}

/// What a frame or a body of this length takes in its segment.
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(HEADER_BYTES)
}

/// What the next frame's `prev_hash` must be: over header and body, without padding.
pub(crate) fn chain_hash(frame: &[u8]) -> ChainHash {
    first_half(blake3::Hasher::new().update(FRAME_DOMAIN).update(frame))
}

/// The `prev_hash` of the first frame of a journal.
pub(crate) fn first_hash(journal: u64) -> ChainHash {
    first_half(blake3::Hasher::new().update(FIRST_DOMAIN).update(&journal.to_le_bytes()))
}

/// The `prev_hash` of the first frame of a snapshot of the state at this sequence number.
pub(crate) fn snapshot_hash(journal: u64, sequence: u64) -> ChainHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(SNAPSHOT_DOMAIN).update(&journal.to_le_bytes()).update(&sequence.to_le_bytes());
    first_half(&hasher)
}

fn first_half(hasher: &blake3::Hasher) -> ChainHash {
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    half
}
