//! The order book of a market: deterministic, and nothing but a function of its events.
//!
//! [`decide`](decide()) says what a command does, [`State::apply`] makes it so; an
//! [`Engine`](crate::Engine) adds the threads and the disk. [`MarketView`] looks at a book.

pub use betex_core::LevelAfter;
pub use betex_core::decide::{Receipt, decide, decide_work};
pub use betex_core::event::{
    CancelReason, Event, Half, Job, OrderAccepted, OrderCancelled, OrderFilter, OutcomeIndex, SetMatched,
    Stamp, TradeMatched,
};
pub use betex_core::ladder::{Ladder, Tick};
pub use betex_core::limits::Limits;
pub use betex_core::line::{Line, LineError, LineProblem};
pub use betex_core::reject::{OrderReport, Rejection, RejectionClass};
pub use betex_core::state::{State, Work};
pub use betex_core::view::{LevelView, MarketView, OrderView, Selection};
