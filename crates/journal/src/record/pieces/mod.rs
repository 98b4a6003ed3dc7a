//! The records of snapshots: the pieces of a state, and the end that says what they stand for.

mod layout;
mod read;
mod write;

use betex_core::image::{MarketImage, Piece};
use betex_core::ladder::Ladder;

use super::decode::{self, RecordProblem};
use super::encode::EncodeError;
use super::fields::malformed;
use super::kind;
use super::out::Out;

/// A record of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotRecord {
    /// A part of the state.
    Piece(Piece),
    /// The last record.
    End(SnapshotEnd),
}

/// What a snapshot says at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// How many pieces there are.
    pub pieces: u64,
    /// The digest of the state that they make.
    pub digest: [u8; 32],
    /// The number of the last event that is in it.
    pub sequence: u64,
    /// The number of the journal's frame that this event ends, 0 before the first.
    pub frame: u64,
    /// What the frame behind that must have as `prev_hash`.
    pub hash: [u8; 16],
    /// The epoch of the frame, 0 before the first.
    pub epoch: u32,
    /// The segment that the frame behind it begins.
    pub segment: u64,
}

/// Appends a record to a body of a snapshot, unless that would make it longer than `bytes_max`.
///
/// # Errors
/// [`EncodeError::Full`], or what the core never has in a state; `body` is then as it was.
pub fn encode_snapshot(
    body: &mut Vec<u8>,
    bytes_max: usize,
    record: &SnapshotRecord,
) -> Result<(), EncodeError> {
    let before = body.len();
    let mut out = Out::new(body, bytes_max);
    let encoded = match record {
        SnapshotRecord::Piece(piece) => out.piece(piece),
        SnapshotRecord::End(end) => out.snapshot_end(end),
    };
    if encoded.is_err() {
        body.truncate(before);
    }
    encoded
}

/// The first record of the rest of a snapshot's body, and its length.
///
/// # Errors
/// It is not one, or one of a newer version.
pub fn decode_snapshot(bytes: &[u8]) -> Result<(SnapshotRecord, usize), RecordProblem> {
    let (head, record) = decode::take_record(bytes)?;
    let decoded = match (head.kind, head.version) {
        (kind::SNAPSHOT_ORDER, version @ (1 | 2)) => read::order(version, record).map(Piece::Order),
        (kind::SNAPSHOT_CLIENT_ID, 1) => read::client_id(record).map(Piece::ClientId),
        (kind::SNAPSHOT_ACCOUNT, 1) => read::account(record).map(Piece::Account),
        (kind::SNAPSHOT_MARKET, version @ (1 | 2)) => {
            read::market(version, record).map(|market| Piece::Market(Box::new(market)))
        }
        (kind::SNAPSHOT_ENGINE, version @ (1 | 2)) => read::engine(version, record).map(Piece::Engine),
        (kind::SNAPSHOT_JOB, 1) => read::job(record).map(Piece::Job),
        (kind::SNAPSHOT_TURN, 1) => read::turn(record).map(Piece::Turn),
        (kind::SNAPSHOT_CLOSED, 1) => read::closed(record).map(Piece::Closed),
        (kind::SNAPSHOT_END, 1) => return Ok((SnapshotRecord::End(read::end(record)?), record.len())),
        (kind::NONE, _) => malformed("it has no kind"),
        (kind, version) => Err(RecordProblem::Unknown { kind, version }),
    };
    Ok((SnapshotRecord::Piece(decoded?), record.len()))
}

/// Whether version 1 of SnapshotMarket cannot say it: the stakes that were traded at odds on one of its outcomes
/// are not whole pennies. The fields are the same; an older program must not take them for whole pennies.
fn has_traded_fractions(market: &MarketImage) -> bool {
    let at_odds = matches!(market.spec.ladder, Ladder::Classic | Ladder::Finest);
    at_odds && market.runners.iter().any(|runner| runner.traded % 100 != 0)
}
