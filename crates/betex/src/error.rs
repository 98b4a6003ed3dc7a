//! What goes wrong outside the market's own decisions.

use betex_journal::{JournalError, ReadError};

use crate::engine::core::CommandLane;

pub use betex_core::reject::{Rejection, RejectionClass};

/// Why the engine did not take a command, or did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// More commands wait than the lane holds: the caller is to come again.
    #[error("the {lane} lane is full; try again shortly")]
    QueueFull {
        /// Which lane.
        lane: CommandLane,
    },
    /// The journal's disk has no room for the next segment: new orders are refused, cancels go on.
    #[error("the journal's disk is full; new orders are refused until there is room, cancels go on")]
    JournalFull,
    /// The engine has stopped, or is stopping.
    #[error("the engine has stopped")]
    Stopped,
    /// A setting or a command that is not valid, whatever the state.
    #[error("{field}: valid is {problem}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What would be valid.
        problem: &'static str,
    },
    /// A market that the engine was to be built with was refused.
    #[error("market {market}: {rejection}")]
    Market {
        /// Its id.
        market: betex_core::types::MarketId,
        /// Why.
        rejection: Rejection,
    },
    /// The journal could not be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A thread could not be started.
    #[error("a thread of the engine could not be started: {0}")]
    Thread(std::io::Error),
}
