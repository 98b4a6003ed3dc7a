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

/// [`Event::MarketCreated`](betex_core::event::Event::MarketCreated). 32 to 63: markets and runners.
pub const MARKET_CREATED: u16 = 32;
/// [`Event::MarketStatusChanged`](betex_core::event::Event::MarketStatusChanged).
pub const MARKET_STATUS_CHANGED: u16 = 33;
/// [`Event::MarketRemoved`](betex_core::event::Event::MarketRemoved).
pub const MARKET_REMOVED: u16 = 34;

/// [`Event::OrderAccepted`](betex_core::event::Event::OrderAccepted). 64 to 95: orders.
pub const ORDER_ACCEPTED: u16 = 64;
/// [`Event::OrderCancelled`](betex_core::event::Event::OrderCancelled).
pub const ORDER_CANCELLED: u16 = 65;

/// [`Event::TradeMatched`](betex_core::event::Event::TradeMatched). 96 to 127: trades, legs of sets, voids.
pub const TRADE_MATCHED: u16 = 96;

/// What a kind is called, for messages and dumps.
pub const fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        CONTEXT => "Context",
        LIMITS_SET => "LimitsSet",
        ACCOUNT_REGISTERED => "AccountRegistered",
        MARKET_CREATED => "MarketCreated",
        MARKET_STATUS_CHANGED => "MarketStatusChanged",
        MARKET_REMOVED => "MarketRemoved",
        ORDER_ACCEPTED => "OrderAccepted",
        ORDER_CANCELLED => "OrderCancelled",
        TRADE_MATCHED => "TradeMatched",
        _ => return None,
    })
}
