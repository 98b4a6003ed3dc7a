//! Identifiers. Each kind is its own type, so that an order id can never be passed for a market id.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// No such thing: ids begin at 1.
            pub const NONE: Self = Self(0);

            /// Whether this names something.
            pub const fn is_some(self) -> bool {
                self.0 != 0
            }
        }

        impl From<u64> for $name {
            fn from(id: u64) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A market. 0 in a command that creates one lets the engine choose the next.
    MarketId
}
id! {
    /// An outcome of a market (a runner of a race, a side of a match). Unique within its market.
    RunnerId
}
id! {
    /// Who an order belongs to. 0: nobody, and then there is no self-trade prevention.
    AccountId
}
id! {
    /// An accepted order: counted from 1 over the whole engine, never used twice.
    OrderId
}

id! {
    /// A trade, whole: the sequence number of its first event.
    TradeId
}

/// What a client calls one of its commands. Echoed in the answer, neither journaled nor deduplicated.
///
/// At most [`CorrelationId::BYTES_MAX`] bytes; a longer one is refused when it is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(pub Arc<str>);

impl CorrelationId {
    /// Longest correlation id that is accepted, in bytes.
    pub const BYTES_MAX: usize = 128;
}

impl From<&str> for CorrelationId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A client's own name for an order, unique per market and account: a second use is answered with
/// the first order and places nothing. 1 to 64 bytes of UTF-8, kept inline.
#[derive(Clone, Copy)]
pub struct ClientOrderId {
    len: u8,
    bytes: [u8; Self::BYTES_MAX],
}

/// An id longer than its type can hold, or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of {len} bytes: 1 to {max} are valid")]
pub struct IdTooLong {
    /// Bytes that were given.
    pub len: usize,
    /// Most that are valid.
    pub max: usize,
}

impl ClientOrderId {
    /// Longest client order id, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Takes an id over, or says how long it may be.
    pub fn new(id: &str) -> Result<Self, IdTooLong> {
        let len = id.len();
        if len == 0 || len > Self::BYTES_MAX {
            return Err(IdTooLong { len, max: Self::BYTES_MAX });
        }
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[..len].copy_from_slice(id.as_bytes());
        Ok(Self { len: u8::try_from(len).unwrap_or(u8::MAX), bytes })
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        // `new` is the only way in and takes a `str`; were that ever broken, an empty id is harmless.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl TryFrom<&str> for ClientOrderId {
    type Error = IdTooLong;
    fn try_from(id: &str) -> Result<Self, IdTooLong> {
        Self::new(id)
    }
}

impl Borrow<str> for ClientOrderId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for ClientOrderId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ClientOrderId {}

impl Hash for ClientOrderId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientOrderId({:?})", self.as_str())
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
