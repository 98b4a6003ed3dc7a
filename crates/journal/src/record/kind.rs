//! The numbers of the kinds of record. They only ever grow; the free ones of each range are reserved
//! for its subject.

/// Not a record: what preallocated space holds.
pub const NONE: u16 = 0;
/// Market, market sequence and time of the events that follow.
pub const CONTEXT: u16 = 1;

/// [`Event::LimitsSet`](betex_core::event::Event::LimitsSet). 16 to 31: the engine and its accounts.
pub const LIMITS_SET: u16 = 16;
/// [`Event::AccountRegistered`](betex_core::event::Event::AccountRegistered).
pub const ACCOUNT_REGISTERED: u16 = 17;
/// [`Event::TimeSetBack`](betex_core::event::Event::TimeSetBack).
pub const TIME_SET_BACK: u16 = 19;

/// [`Event::MarketCreated`](betex_core::event::Event::MarketCreated). 32 to 63: markets and runners.
pub const MARKET_CREATED: u16 = 32;
/// [`Event::MarketStatusChanged`](betex_core::event::Event::MarketStatusChanged).
pub const MARKET_STATUS_CHANGED: u16 = 33;
/// [`Event::MarketRemoved`](betex_core::event::Event::MarketRemoved).
pub const MARKET_REMOVED: u16 = 34;
/// [`Event::HoldChanged`](betex_core::event::Event::HoldChanged).
pub const HOLD_CHANGED: u16 = 35;
/// [`Event::PhaseChanged`](betex_core::event::Event::PhaseChanged).
pub const PHASE_CHANGED: u16 = 36;
/// [`Event::RunnersAdded`](betex_core::event::Event::RunnersAdded).
pub const RUNNERS_ADDED: u16 = 37;
/// [`Event::RunnerRemoved`](betex_core::event::Event::RunnerRemoved).
pub const RUNNER_REMOVED: u16 = 38;

/// [`Event::OrderAccepted`](betex_core::event::Event::OrderAccepted). 64 to 95: orders.
pub const ORDER_ACCEPTED: u16 = 64;
/// [`Event::OrderCancelled`](betex_core::event::Event::OrderCancelled).
pub const ORDER_CANCELLED: u16 = 65;
/// [`Event::OrderSplit`](betex_core::event::Event::OrderSplit).
pub const ORDER_SPLIT: u16 = 66;
/// [`Event::OrdersCancelled`](betex_core::event::Event::OrdersCancelled).
pub const ORDERS_CANCELLED: u16 = 67;
/// [`Event::JobStarted`](betex_core::event::Event::JobStarted).
pub const JOB_STARTED: u16 = 68;
/// [`Event::JobAdvanced`](betex_core::event::Event::JobAdvanced).
pub const JOB_ADVANCED: u16 = 69;

/// A direct [`Event::TradeMatched`](betex_core::event::Event::TradeMatched). 96 to 127: trades, legs of sets, voids.
pub const TRADE_MATCHED: u16 = 96;
/// [`Event::SetMatched`](betex_core::event::Event::SetMatched).
pub const SET_MATCHED: u16 = 97;
/// A maker's leg of a set: [`Event::TradeMatched`](betex_core::event::Event::TradeMatched) after its
/// [`SET_MATCHED`].
pub const LEG_MATCHED: u16 = 98;
/// [`Event::TradesVoided`](betex_core::event::Event::TradesVoided).
pub const TRADES_VOIDED: u16 = 99;

/// [`Piece::Engine`](betex_core::image::Piece::Engine). 256 to 511: snapshots.
pub const SNAPSHOT_ENGINE: u16 = 256;
/// [`Piece::Account`](betex_core::image::Piece::Account).
pub const SNAPSHOT_ACCOUNT: u16 = 257;
/// [`Piece::Market`](betex_core::image::Piece::Market).
pub const SNAPSHOT_MARKET: u16 = 258;
/// [`Piece::ClientId`](betex_core::image::Piece::ClientId).
pub const SNAPSHOT_CLIENT_ID: u16 = 259;
/// [`Piece::Order`](betex_core::image::Piece::Order).
pub const SNAPSHOT_ORDER: u16 = 260;
/// [`Piece::Job`](betex_core::image::Piece::Job).
pub const SNAPSHOT_JOB: u16 = 261;
/// [`Piece::Turn`](betex_core::image::Piece::Turn).
pub const SNAPSHOT_TURN: u16 = 262;
/// [`Piece::Closed`](betex_core::image::Piece::Closed).
pub const SNAPSHOT_CLOSED: u16 = 263;
/// The end of a snapshot.
pub const SNAPSHOT_END: u16 = 264;

/// What a kind is called, for messages and dumps.
pub const fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        CONTEXT => "Context",
        LIMITS_SET => "LimitsSet",
        ACCOUNT_REGISTERED => "AccountRegistered",
        TIME_SET_BACK => "TimeSetBack",
        MARKET_CREATED => "MarketCreated",
        MARKET_STATUS_CHANGED => "MarketStatusChanged",
        MARKET_REMOVED => "MarketRemoved",
        HOLD_CHANGED => "HoldChanged",
        PHASE_CHANGED => "PhaseChanged",
        RUNNERS_ADDED => "RunnersAdded",
        RUNNER_REMOVED => "RunnerRemoved",
        ORDER_ACCEPTED => "OrderAccepted",
        ORDER_CANCELLED => "OrderCancelled",
        ORDER_SPLIT => "OrderSplit",
        ORDERS_CANCELLED => "OrdersCancelled",
        JOB_STARTED => "JobStarted",
        JOB_ADVANCED => "JobAdvanced",
        TRADE_MATCHED => "TradeMatched",
        SET_MATCHED => "SetMatched",
        LEG_MATCHED => "LegMatched",
        TRADES_VOIDED => "TradesVoided",
        SNAPSHOT_ENGINE => "SnapshotEngine",
        SNAPSHOT_ACCOUNT => "SnapshotAccount",
        SNAPSHOT_MARKET => "SnapshotMarket",
        SNAPSHOT_CLIENT_ID => "SnapshotClientId",
        SNAPSHOT_ORDER => "SnapshotOrder",
        SNAPSHOT_JOB => "SnapshotJob",
        SNAPSHOT_TURN => "SnapshotTurn",
        SNAPSHOT_CLOSED => "SnapshotClosed",
        SNAPSHOT_END => "SnapshotEnd",
        _ => return None,
    })
}
