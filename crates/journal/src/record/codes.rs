//! The numbers that stand for the terms of the core on disk. They are written down here and not taken
//! from the enums, so that a change in the core cannot change what old bytes mean; the matches are
//! exhaustive, so that a new term does not compile until it has its number.

use betex_core::event::{CancelReason, Half};
use betex_core::types::{
    BookMarketState, Hold, MarketKind, MarketPhase, OrderStatus, Persistence, SelfTradePrevention, Side,
    TransitionPolicy,
};

/// A term with a number on disk.
pub(super) trait Code: Sized {
    fn code(self) -> u8;
    fn from_code(code: u8) -> Option<Self>;
}

macro_rules! codes {
    ($($term:ident { $($variant:ident = $code:literal),+ $(,)? })+) => {$(
        impl Code for $term {
            fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }
            fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    )+};
}

codes! {
    Side { Yes = 0, No = 1 }
    Persistence { Lapse = 0, Persist = 1 }
    MarketKind { PreEventOnly = 0, InPlayCapable = 1 }
    MarketPhase { Pre = 0, PreAwaitLive = 1, Live = 2 }
    BookMarketState { Created = 0, Open = 1, Suspended = 2, Closed = 3 }
    Hold { Halted = 0, Deactivated = 1, TurningInPlay = 2 }
    TransitionPolicy { RespectPersistence = 0, KeepAll = 1, CancelAll = 2 }
    SelfTradePrevention { Skip = 0, Reject = 1, CancelResting = 2, CancelTaker = 3 }
    OrderStatus { Resting = 0, PartiallyFilled = 1, Filled = 2, Cancelled = 3, Expired = 4, Lapsed = 5 }
    Half { Whole = 0, Near = 1, Far = 2 }
    CancelReason { Requested = 0, Unfilled = 1, SelfTrade = 2, OrderLimit = 3, Expired = 4, MarketClosed = 5,
        OwnOrder = 6, Lapsed = 7, RunnerRemoved = 8, MassCancelled = 9 }
}
