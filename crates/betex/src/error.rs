//! What goes wrong outside the market's own decisions.

use std::path::PathBuf;

use betex_journal::{JournalError, ReadError};

use crate::engine::CommandLane;

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
    /// The journal's disk has no room for the next segment: whatever makes the exchange grow - orders,
    /// markets, outcomes, accounts - is refused; cancels and lifecycle go on while the last segment has room for them,
    /// and are then refused, too.
    #[error(
        "the journal's disk is full; new orders, markets, outcomes and accounts are refused until there is \
         room, cancels and lifecycle go on while the last segment has some left"
    )]
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
    /// A handler cannot go on from where it was.
    #[error("handler {name:?} cannot go on behind event {after}: {problem}")]
    Handler {
        /// Its name.
        name: String,
        /// The last event that it has seen.
        after: u64,
        /// Why not.
        problem: PositionProblem,
    },
    /// The file with the positions of handlers is not what an engine wrote.
    #[error(
        "{} cannot be used: {problem}; restore it from a backup, or remove it: handlers whose position the \
         engine keeps then begin as new ones", .path.display()
    )]
    Positions {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A thread could not be started.
    #[error("a thread of the engine could not be started: {0}")]
    Thread(std::io::Error),
}

/// Why a handler cannot go on from where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionProblem {
    /// It has seen events that the journal does not have.
    #[error(
        "the journal ends with event {last}. The handler has seen events that this journal does not hold: was \
         an older journal restored, or did it lose events because its durability is none? Reset the handler, \
         and let it begin behind event {last} at most; one whose position the engine keeps needs a new name"
    )]
    Beyond {
        /// The journal's last event.
        last: u64,
    },
    /// What it has not seen is no longer there.
    #[error(
        "the journal begins with event {first}, what was before has been removed. Rebuild what the handler \
         keeps from the state of the exchange, and let it begin behind event {} or later; one whose position \
         the engine keeps needs a new name", .first - 1
    )]
    Pruned {
        /// The first event there is.
        first: u64,
    },
}
