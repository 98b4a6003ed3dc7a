//! How a record is read: its fields, and what is behind them, each checked before it is believed.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::ENDS_TRANSACTION;
use super::codes::Code;
use super::decode::RecordProblem;
use super::layout::HAS_REASON;

pub(super) type Decoded<T> = Result<T, RecordProblem>;

pub(super) const fn malformed<T>(what: &'static str) -> Decoded<T> {
    Err(RecordProblem::Malformed(what))
}

/// There is one way to write an event: in the oldest version that can say it.
pub(super) const OLDER_VERSION: &str = "an older version of its kind says as much";

/// A record without a tail.
pub(super) fn whole<R: FromBytes + KnownLayout + Immutable + Unaligned>(record: &[u8]) -> Decoded<&R> {
    R::ref_from_bytes(record).or(malformed("its length is not that of its kind"))
}

/// A record and its tail.
pub(super) fn fixed_part<R: FromBytes + KnownLayout + Immutable + Unaligned>(
    record: &[u8],
) -> Decoded<(&R, Tail<'_>)> {
    match R::ref_from_prefix(record) {
        Ok((fixed, tail)) => Ok((fixed, Tail(tail))),
        Err(_) => malformed("it is shorter than its kind"),
    }
}

/// The variable part of a record, taken piece by piece.
pub(super) struct Tail<'a>(&'a [u8]);

impl<'a> Tail<'a> {
    pub(super) fn take(&mut self, len: usize) -> Decoded<&'a [u8]> {
        match self.0.split_at_checked(len) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => malformed(BEYOND_ITS_END),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        match self.0.split_first_chunk() {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(*taken)
            }
            None => malformed(BEYOND_ITS_END),
        }
    }

    pub(super) fn text(&mut self, len: u32) -> Decoded<&'a str> {
        let bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        std::str::from_utf8(bytes).or(malformed("a text in it is not UTF-8"))
    }

    /// The reason, which is the last of its record, if its flags say that there is one.
    pub(super) fn reason(mut self, flags: u8, len: u32) -> Decoded<Option<Box<str>>> {
        let text = self.text(len)?;
        self.end()?;
        let reason = (flags & HAS_REASON != 0).then(|| text.into());
        unused(reason.is_some() || text.is_empty())?;
        Ok(reason)
    }

    /// What is left must be the padding.
    pub(super) fn end(self) -> Decoded<()> {
        if self.0.len() < 8 && self.0.iter().all(|&byte| byte == 0) {
            Ok(())
        } else {
            malformed("there is more behind its end than padding")
        }
    }
}

const BEYOND_ITS_END: &str = "a length in it is beyond its end";

pub(super) fn code<T: Code>(code: u8) -> Decoded<T> {
    T::from_code(code).ok_or(RecordProblem::Malformed("a code in it stands for nothing"))
}

/// Whether the transaction ends here; `others` are the flags that the record may have besides.
pub(super) fn ends(flags: u8, others: u8) -> Decoded<bool> {
    if flags & !(ENDS_TRANSACTION | others) != 0 {
        return malformed("a flag in it stands for nothing");
    }
    Ok(flags & ENDS_TRANSACTION != 0)
}

pub(super) fn unused(zero: bool) -> Decoded<()> {
    if zero { Ok(()) } else { malformed("a reserved field in it is not zero") }
}
