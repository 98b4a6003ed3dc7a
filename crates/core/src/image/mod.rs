//! A state as a sequence of pieces, and back: what a snapshot is made of.
//!
//! [`State::image`] tells the pieces in their one order: the engine; its accounts; market by market the
//! market, its client order ids and its resting orders, as a job would walk them; the jobs, whose turn it
//! is, and the closed markets. [`Builder`] makes a state of them that has the same digest and goes on as the
//! first would have. Pieces have no bytes: those are the journal's.

mod build;
mod take;

pub use build::{Builder, ImageError};

use crate::command::NewMarket;
use crate::event::{Half, Job, OutcomeIndex};
use crate::ladder::Tick;
use crate::limits::Limits;
use crate::reject::OrderReport;
use crate::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, MarketPhase, OrderId, Persistence, Price, Quantity,
    Side,
};

#[cfg(doc)]
use crate::state::State;

/// A part of a state.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Where the engine is. Always the first piece, and the only one of its kind.
    Engine(EngineImage),
    /// The name of the next account.
    Account(Box<str>),
    /// A market, without what rests in it.
    Market(Box<MarketImage>),
    /// A client order id that the last market remembers, in the order of their use.
    ClientId(ClientIdImage),
    /// An order that rests in the last market: outcome by outcome, BACK before LAY, best price first, then
    /// by arrival.
    Order(OrderImage),
    /// A job that is not done.
    Job(JobImage),
    /// Whose turn it is, first come first served: each closing market and each job once.
    Turn(TurnImage),
    /// A closed market, in the order in which they closed.
    Closed(ClosedImage),
}

/// Where an engine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineImage {
    /// The number of the last event.
    pub sequence: u64,
    /// The time of the last event, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The last order id that was given out.
    pub last_order_id: OrderId,
    /// The highest id that a market ever had.
    pub last_market_id: MarketId,
    /// The highest id of a market that was removed.
    pub last_removed_id: MarketId,
    /// The bounds in force.
    pub limits: Limits,
}

/// A market.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketImage {
    /// Its id.
    pub id: MarketId,
    /// As it was asked for, with the outcomes that were added.
    pub spec: NewMarket,
    /// Where it is in its life, holds aside.
    pub own_state: BookMarketState,
    /// The holds that are on, a [`bit`](crate::types::Hold::bit) for each.
    pub holds: u8,
    /// Where it is in its event's time.
    pub phase: MarketPhase,
    /// Why it is as it is.
    pub reason: Option<Box<str>>,
    /// The number of its last event.
    pub sequence: u64,
    /// Its outcomes, one for each of the `spec`.
    pub runners: Vec<RunnerImage>,
}

/// What has become of an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunnerImage {
    /// The reduction factor that it was removed with, in 1/10 000.
    pub removed: Option<u16>,
    /// Whether a set has traded in its group.
    pub set_traded: bool,
    /// The price of its last trade.
    pub last_price: Option<Price>,
    /// Backers' stakes, or shares, that were traded.
    pub traded: i128,
}

/// A client order id and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIdImage {
    /// Whose it is.
    pub account: AccountId,
    /// The id.
    pub id: ClientOrderId,
    /// What has become of its order.
    pub report: OrderReport,
}

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderImage {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// The outcome in whose book it hangs.
    pub outcome: OutcomeIndex,
    /// On which side.
    pub side: Side,
    /// At which tick of the book.
    pub tick: Tick,
    /// Whether it was entered for the second outcome of a pair.
    pub mirrored: bool,
    /// Whether it is half of an order on a quarter line.
    pub half: Half,
    /// What becomes of it when the market turns in-play.
    pub persistence: Persistence,
    /// What was asked for.
    pub quantity: Quantity,
    /// What is filled.
    pub filled: Quantity,
    /// What rests, in whole pennies or shares.
    pub remaining: Quantity,
    /// The fraction of a penny that it has left beyond `remaining`, in quanta: 0 to 99.
    pub fraction: u8,
    /// When it was taken in, in nanoseconds since the Unix epoch.
    pub accepted_ns: u64,
    /// When it expires, in milliseconds since the Unix epoch; 0: never.
    pub expiry_ms: u64,
    /// Of a half: where the whole order stands.
    pub whole: Option<OrderReport>,
}

/// A job that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobImage {
    /// The sequence number of its [`Event::JobStarted`](crate::event::Event::JobStarted).
    pub number: u64,
    /// The market.
    pub market: MarketId,
    /// The job, and where it goes on.
    pub job: Job,
}

/// Whose turn it is to take a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnImage {
    /// A closed market that orders still rest in.
    Closing(MarketId),
    /// The job with this number.
    Job(u64),
}

/// A closed market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedImage {
    /// Which.
    pub market: MarketId,
    /// When it closed, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
}
