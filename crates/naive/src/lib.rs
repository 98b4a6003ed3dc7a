//! The obvious twin of the book: the rules of `docs/matching.md` as they are told, for direct matching
//! at odds. A market is a list of all the orders it ever took, in the order of their arrival, and
//! whatever is asked is found by looking through all of them. It is slow, and it shares nothing with
//! the engine, so that the two can only agree if both follow the rules.
//!
//! Odds are x 10 000 (`25_000` is 2.50), stakes are in quanta (`10_000` is 1.00), times are milliseconds.

mod market;
#[cfg(test)]
mod tests;

pub use market::Market;

/// Most resting orders that one order may trade with.
pub const FILLS_MAX: usize = 4_096;
/// Most orders of its own account that one order may pass over.
pub const OWN_ORDERS_SKIPPED_MAX: usize = 4_096;
/// The largest stake of one order.
pub const STAKE_MAX: i64 = 100_000_000_000_000;

/// For the outcome, or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// For it.
    Back,
    /// Against it.
    Lay,
}

/// Where a market is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketState {
    /// Set up.
    Created,
    /// Takes orders.
    Open,
    /// Takes none for now.
    Suspended,
    /// Takes none any more.
    Closed,
}

/// The prices there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// 350 prices, ever further apart.
    Classic,
    /// Every hundredth.
    Finest,
}

/// At what price an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// LIMIT: no worse than this.
    Limit(u32),
    /// MARKET: whatever is there, but no worse than this if a price is given.
    Market(Option<u32>),
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// GTC.
    UntilCancelled,
    /// IOC.
    Immediate,
    /// GTD, in milliseconds.
    Until(u64),
}

/// An order as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose it is; 0: nobody's.
    pub account: u64,
    /// The client's own name for it.
    pub client_id: Option<String>,
    /// The outcome, from 0.
    pub outcome: usize,
    /// Which side.
    pub side: Side,
    /// At what price.
    pub price: Price,
    /// The backer's stake.
    pub stake: i64,
    /// How long it stays.
    pub lasting: Lasting,
}

/// An order that was taken, resting or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The first is 1; lower numbers came earlier.
    pub number: u64,
    /// Whose it is; 0: nobody's.
    pub account: u64,
    /// The client's own name for it.
    pub client_id: Option<String>,
    /// The outcome, from 0.
    pub outcome: usize,
    /// Which side.
    pub side: Side,
    /// The worst odds it takes.
    pub odds: u32,
    /// What it asked for.
    pub stake: i64,
    /// What of that is filled.
    pub filled: i64,
    /// What of that rests.
    pub remaining: i64,
    /// When it expires.
    pub expiry_ms: Option<u64>,
    /// What it is, or will be, when nothing of it rests: how the last of it left.
    pub end: Status,
}

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Rests, nothing is filled.
    Resting,
    /// Rests, something is filled.
    PartiallyFilled,
    /// The last of it is filled; it may have been reduced before.
    Filled,
    /// The last of it was cancelled.
    Cancelled,
    /// The last of it expired.
    Expired,
}

/// Two orders met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The number of the order that rested.
    pub maker: u64,
    /// Its odds.
    pub odds: u32,
    /// The backer's stake.
    pub stake: i64,
    /// Stake and profit together: the backer's if the outcome wins, the layer's if it does not.
    pub payout: i128,
}

/// Why what was left of an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not of a kind that rests.
    NeverRests,
    /// It would have rested across an order of its own account.
    SelfTrade,
    /// It met a bound on its work.
    OrderLimit,
}

/// What became of a new order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its number.
    pub number: u64,
    /// Where it stands.
    pub status: Status,
    /// What is filled.
    pub filled: i64,
    /// What rests.
    pub remaining: i64,
    /// Why the rest was cancelled, if it was.
    pub reason: Option<Reason>,
    /// Whom it met, in turn.
    pub trades: Vec<Trade>,
}

/// Why nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Orders are taken in an open market only.
    MarketNotOpen,
    /// Nothing can be cancelled in a closed market.
    MarketClosed,
    /// There is no such step from here.
    InvalidTransition,
    /// No such outcome.
    InvalidOutcome,
    /// Not on the ladder.
    InvalidPrice,
    /// Too small, too large, or not a multiple of the increment.
    InvalidStake,
    /// Not in the future.
    InvalidExpiry,
    /// All of it would have rested across an order of its own account.
    SelfTrade,
    /// This account has used the client id, for the order with this number.
    DuplicateClientId(u64),
    /// No such resting order.
    NotFound,
    /// Somebody else's order.
    NotTheOwner,
}
