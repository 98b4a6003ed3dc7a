//! Records as they lie in a body, not decoded: for tools.

use super::decode::{RecordError, take_record};
use super::kind;

/// A record as it lies in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Where in the body it begins, in bytes.
    pub at: usize,
    /// See [`kind`].
    pub kind: u16,
    /// Of the kind.
    pub version: u16,
    /// All of it, head and padding included.
    pub bytes: &'a [u8],
}

impl RawRecord<'_> {
    /// What its kind is called, if this program knows it.
    pub fn name(&self) -> Option<&'static str> {
        kind::name(self.kind)
    }

    /// Whether it is an event; what is not stands between them.
    pub fn is_event(&self) -> bool {
        self.kind != kind::CONTEXT
    }
}

/// The records of a body, as far as their heads can be believed: the first error is the last item.
pub fn raw_records(body: &[u8]) -> impl Iterator<Item = Result<RawRecord<'_>, RecordError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = body.get(at..).filter(|rest| !rest.is_empty())?;
        let record = take_record(rest)
            .map(|(head, bytes)| RawRecord { at, kind: head.kind, version: head.version, bytes })
            .map_err(|problem| RecordError { at, problem });
        at = record.map_or(body.len(), |record| at + record.bytes.len());
        Some(record)
    })
}
