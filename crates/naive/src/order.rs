//! Orders as they were taken, what became of them, and which others they met.

use crate::Side;

/// An order that was taken, resting or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The first is 1; lower numbers came earlier.
    pub number: u64,
    /// Whether it is all of what was asked for.
    pub part: Part,
    /// Whose it is; 0: of no account.
    pub account: u64,
    /// The client's own name for it.
    pub client_id: Option<String>,
    /// The outcome, from 0.
    pub outcome: usize,
    /// Which side.
    pub side: Side,
    /// The worst price it takes.
    pub price: u32,
    /// What it asked for.
    pub stake: i64,
    /// What of that is filled, rounded up to whole pennies.
    pub filled: i64,
    /// What of that rests, in whole pennies.
    pub remaining: i64,
    /// What of that rests, exactly: `remaining` and less than a penny more.
    pub left: i64,
    /// When it came, in nanoseconds.
    pub arrived_ns: u64,
    /// When it expires.
    pub expiry_ms: Option<u64>,
    /// Whether it stays when the market turns in-play.
    pub persists: bool,
    /// What it is, or will be, when nothing of it rests: how the last of it left.
    pub end: Status,
}

/// What an entry of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// An order on one outcome.
    Whole,
    /// An order on a quarter line: nothing of it is filled or rests here, but in its halves, which have
    /// the next two numbers.
    Split,
    /// The half on the outcome nearer to zero.
    Near,
    /// The half on the outcome further from zero.
    Far,
}

impl Order {
    /// The number by which the client knows it.
    pub const fn known_as(&self) -> u64 {
        match self.part {
            Part::Whole | Part::Split => self.number,
            Part::Near => self.number - 1,
            Part::Far => self.number - 2,
        }
    }
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
    /// The last of it lapsed when the market turned in-play.
    Lapsed,
}

/// Where an order stands, both halves of it together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where it stands.
    pub status: Status,
    /// What it asked for.
    pub stake: i64,
    /// What is filled, rounded up to whole pennies.
    pub filled: i64,
    /// What rests, in whole pennies.
    pub remaining: i64,
}

/// An order met another one, or a complete set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The number of the order that came, or of the half of it.
    pub taker: u64,
    /// Whether it is a set.
    pub set: bool,
    /// The taker's price; in a set at odds payout / stake, cut (BACK) or raised (LAY) to four decimals.
    pub price: u32,
    /// The exact stake on the taker's outcome, or shares.
    pub stake: i64,
    /// By how much the taker's whole pennies fell; perhaps 0.
    pub quantity: i64,
    /// What is paid if that outcome wins, stake included; in a set whichever wins.
    pub payout: i128,
    /// The orders that it met, by outcome.
    pub makers: Vec<Leg>,
}

/// A maker's part of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The number of the order that rested, or of the half of one.
    pub maker: u64,
    /// Its outcome.
    pub outcome: usize,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: u32,
    /// The exact stake of the backer on its outcome, or shares.
    pub stake: i64,
    /// By how much the maker's whole pennies fell; perhaps 0.
    pub quantity: i64,
    /// What the maker has left after it, exactly. Less than a penny is dust: the maker is filled, and the
    /// dust released.
    pub left: i64,
    /// What is paid if its outcome wins, stake included.
    pub payout: i128,
}

/// Why what was left of an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not of a kind that rests.
    NeverRests,
    /// It would have rested across an order of its own account, or met one.
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
    /// What is filled, rounded up to whole pennies.
    pub filled: i64,
    /// What rests, in whole pennies.
    pub remaining: i64,
    /// What rests, exactly; of both halves together.
    pub left: i64,
    /// What fills left of it that is less than a penny, and was released; of both halves together.
    pub dust: i64,
    /// Why the rest was cancelled, if it was.
    pub reason: Option<Reason>,
    /// Its trades, in turn.
    pub trades: Vec<Trade>,
    /// The orders of its own account that it had cancelled, in turn.
    pub own_cancelled: Vec<u64>,
}
