//! The terms of orders and markets.

use std::fmt;

use super::Quantity;

/// Which side of an outcome an order is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// BACK (ExchangeOdds) or BUY (BinaryYes): for the outcome.
    Yes = 0,
    /// LAY or SELL: against it.
    No = 1,
}

impl Side {
    /// The side it trades with.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }

    /// 0 for [`Side::Yes`], 1 for [`Side::No`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How a market prices its outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MarketModel {
    /// BACK and LAY at decimal odds.
    ExchangeOdds = 0,
    /// BUY and SELL of shares at ticks.
    BinaryYes = 1,
}

/// Whether a market may go in-play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MarketKind {
    /// Ends when its event begins.
    PreEventOnly = 0,
    /// May turn [`MarketPhase::Live`].
    InPlayCapable = 1,
}

/// Where a market is in its event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MarketPhase {
    /// Before the event.
    Pre = 0,
    /// About to go in-play.
    PreAwaitLive = 1,
    /// In-play.
    Live = 2,
}

/// Where a market is in its life: `Created -> Open <-> Suspended -> Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BookMarketState {
    /// Set up, not yet open for orders.
    Created = 0,
    /// Orders are accepted.
    Open = 1,
    /// Paused: orders are refused, cancels go on.
    Suspended = 2,
    /// Final: every resting order is cancelled, in bounded steps; nothing is accepted any more.
    Closed = 3,
}

impl BookMarketState {
    /// The name on the wire: `CREATED`, `OPEN`, `SUSPENDED`, `CLOSED`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Open => "OPEN",
            Self::Suspended => "SUSPENDED",
            Self::Closed => "CLOSED",
        }
    }
}

impl fmt::Display for BookMarketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What keeps a market from trading besides its own suspension. While any of them is on, a market that
/// is not closed is [`BookMarketState::Suspended`]; when the last is lifted it is what it was before, or
/// has been told to be since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Hold {
    /// Somebody halted it, until the halt is lifted.
    Halted = 0,
    /// It was taken out of service, until it is activated.
    Deactivated = 1,
    /// It is turning in-play, and orders that are to lapse are still in the book. The engine sets and
    /// lifts it.
    TurningInPlay = 2,
}

impl Hold {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Halted, Self::Deactivated, Self::TurningInPlay];

    /// Its place in a set of holds.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Halted => "HALTED",
            Self::Deactivated => "DEACTIVATED",
            Self::TurningInPlay => "TURNING_IN_PLAY",
        }
    }
}

/// What becomes of a market's resting orders when it turns in-play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TransitionPolicy {
    /// Each order as its own [`Persistence`] says.
    #[default]
    RespectPersistence = 0,
    /// All stay.
    KeepAll = 1,
    /// All lapse.
    CancelAll = 2,
}

/// What becomes of an order that would meet a resting order of its own account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SelfTradePrevention {
    /// It passes over them, and does not rest where it would cross one.
    #[default]
    Skip = 0,
    /// It is refused, whole.
    Reject = 1,
    /// The resting order is cancelled, and the order goes on.
    CancelResting = 2,
    /// What is left of the order is cancelled.
    CancelTaker = 3,
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// Match what is there, cancel the rest.
    Ioc,
    /// Match at least so much at once, or be refused without a trade; what is left after that is
    /// cancelled.
    Fok {
        /// At least this much; zero: all of it.
        min_fill: Quantity,
    },
    /// Until a time.
    Gtd {
        /// When it expires: milliseconds since the Unix epoch, in the future.
        expiry_ms: u64,
    },
}

/// A [`TimeInForce`] in nine bytes instead of sixteen, so that events are short.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PackedTimeInForce {
    kind: PackedKind,
    /// The time or the quantity, if the kind has one, otherwise 0.
    value: [u8; 8],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PackedKind {
    Gtc,
    Ioc,
    Fok,
    Gtd,
}

impl PackedTimeInForce {
    /// What was packed.
    #[inline]
    pub const fn get(self) -> TimeInForce {
        match self.kind {
            PackedKind::Gtc => TimeInForce::Gtc,
            PackedKind::Ioc => TimeInForce::Ioc,
            PackedKind::Fok => TimeInForce::Fok { min_fill: Quantity(i64::from_le_bytes(self.value)) },
            PackedKind::Gtd => TimeInForce::Gtd { expiry_ms: u64::from_le_bytes(self.value) },
        }
    }
}

impl From<TimeInForce> for PackedTimeInForce {
    #[inline]
    fn from(time_in_force: TimeInForce) -> Self {
        let (kind, value) = match time_in_force {
            TimeInForce::Gtc => (PackedKind::Gtc, [0; 8]),
            TimeInForce::Ioc => (PackedKind::Ioc, [0; 8]),
            TimeInForce::Fok { min_fill } => (PackedKind::Fok, min_fill.0.to_le_bytes()),
            TimeInForce::Gtd { expiry_ms } => (PackedKind::Gtd, expiry_ms.to_le_bytes()),
        };
        Self { kind, value }
    }
}

impl fmt::Debug for PackedTimeInForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// What becomes of a resting order when the market turns in-play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Persistence {
    /// It lapses.
    Lapse = 0,
    /// It stays.
    Persist = 1,
}

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// In the book, nothing filled.
    Resting,
    /// In the book, something filled.
    PartiallyFilled,
    /// The last of it was filled. It may have been reduced before.
    Filled,
    /// What was not filled is cancelled.
    Cancelled,
    /// What was not filled expired.
    Expired,
    /// What was not filled lapsed when the market turned in-play.
    Lapsed,
}

impl OrderStatus {
    /// Where an order stands that has this much filled and this much resting; `end` is for one that
    /// rests no more.
    pub const fn of(filled: Quantity, remaining: Quantity, end: Self) -> Self {
        match (filled.0, remaining.0) {
            (0, 1..) => Self::Resting,
            (_, 1..) => Self::PartiallyFilled,
            _ => end,
        }
    }

    /// The name on the wire, such as `PARTIALLY_FILLED`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resting => "RESTING",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Lapsed => "LAPSED",
        }
    }
}
