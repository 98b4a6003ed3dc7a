//! The names of terms in the output. They stay what they are: scripts read them.

use betex_core::event::{CancelReason, Event, Half};
use betex_core::types::{MarketKind, MarketPhase, Persistence, SelfTradePrevention, Side, TransitionPolicy};

/// The kinds of event, as `--kind` takes them.
pub(crate) const KINDS: [&str; 19] = [
    "LimitsSet",
    "AccountRegistered",
    "MarketCreated",
    "MarketStatusChanged",
    "MarketRemoved",
    "HoldChanged",
    "PhaseChanged",
    "RunnersAdded",
    "RunnerRemoved",
    "TradesVoided",
    "OrdersCancelled",
    "JobStarted",
    "JobAdvanced",
    "OrderSplit",
    "OrderAccepted",
    "OrderCancelled",
    "SetMatched",
    "TradeMatched",
    "TimeSetBack",
];

/// What an event is called.
pub(crate) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::LimitsSet(_) => KINDS[0],
        Event::AccountRegistered { .. } => KINDS[1],
        Event::MarketCreated(_) => KINDS[2],
        Event::MarketStatusChanged { .. } => KINDS[3],
        Event::MarketRemoved => KINDS[4],
        Event::HoldChanged { .. } => KINDS[5],
        Event::PhaseChanged { .. } => KINDS[6],
        Event::RunnersAdded(_) => KINDS[7],
        Event::RunnerRemoved { .. } => KINDS[8],
        Event::TradesVoided { .. } => KINDS[9],
        Event::OrdersCancelled(_) => KINDS[10],
        Event::JobStarted(_) => KINDS[11],
        Event::JobAdvanced { .. } => KINDS[12],
        Event::OrderSplit { .. } => KINDS[13],
        Event::OrderAccepted(_) => KINDS[14],
        Event::OrderCancelled(_) => KINDS[15],
        Event::SetMatched(_) => KINDS[16],
        Event::TradeMatched(_) => KINDS[17],
        Event::TimeSetBack { .. } => KINDS[18],
    }
}

macro_rules! names {
    ($($function:ident($term:ident) { $($variant:ident = $name:literal),+ $(,)? })+) => {$(
        pub(crate) const fn $function(term: $term) -> &'static str {
            match term { $($term::$variant => $name),+ }
        }
    )+};
}

names! {
    side(Side) { Yes = "YES", No = "NO" }
    persistence(Persistence) { Lapse = "LAPSE", Persist = "PERSIST" }
    market_kind(MarketKind) { PreEventOnly = "PRE_EVENT_ONLY", InPlayCapable = "IN_PLAY_CAPABLE" }
    phase(MarketPhase) { Pre = "PRE", PreAwaitLive = "PRE_AWAIT_LIVE", Live = "LIVE" }
    transition(TransitionPolicy) {
        RespectPersistence = "RESPECT_PERSISTENCE", KeepAll = "KEEP_ALL", CancelAll = "CANCEL_ALL"
    }
    self_trade(SelfTradePrevention) {
        Skip = "SKIP", Reject = "REJECT", CancelResting = "CANCEL_RESTING", CancelTaker = "CANCEL_TAKER"
    }
    half(Half) { Whole = "WHOLE", Near = "NEAR", Far = "FAR" }
    reason(CancelReason) {
        Requested = "REQUESTED", Unfilled = "UNFILLED", SelfTrade = "SELF_TRADE", OrderLimit = "ORDER_LIMIT",
        Expired = "EXPIRED", MarketClosed = "MARKET_CLOSED", OwnOrder = "OWN_ORDER", Lapsed = "LAPSED",
        RunnerRemoved = "RUNNER_REMOVED", MassCancelled = "MASS_CANCELLED"
    }
}
