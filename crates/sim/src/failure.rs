//! What a run holds the engine to, and what it says when the engine does not keep to it.

use std::fmt;

/// A promise of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// All that was shown or answered is there after a restart.
    Acknowledged,
    /// Nothing is shown that a power cut at that moment would lose.
    Gate,
    /// A transaction is in the journal whole, as it was shown.
    Whole,
    /// An answer tells what has happened, and is right when it is asked for again.
    Answer,
    /// The state is what the journal adds up to.
    Replay,
    /// Orders wait in the order of their arrival.
    Fifo,
    /// Matching is that of the obvious twin.
    Twin,
    /// The rules of the ledger: money is conserved, nobody is matched beyond the limit, nobody against itself.
    Rules,
    /// A handler hears of everything once, in order.
    Handler,
    /// After a write or a sync that failed nothing is shown any more.
    Failed,
    /// A bit that turned over is refused, or at the very end taken for a torn write.
    Damage,
    /// A disk in any state that a crash leaves is opened.
    Opens,
    /// A command that was taken is answered, also while the engine stops.
    Stop,
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub check: Check,
    /// What was seen.
    pub words: String,
}

impl Failure {
    /// One.
    pub fn new(check: Check, words: impl Into<String>) -> Self {
        Self { check, words: words.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.words)
    }
}

impl std::error::Error for Failure {}

/// How a check ends.
pub type Checked<T = ()> = Result<T, Failure>;

/// Fails unless it holds.
pub(crate) fn ensure(holds: bool, check: Check, words: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Failure::new(check, words())) }
}
