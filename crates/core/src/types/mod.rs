//! The words of the field: money, odds, ids, sides, states. Small values, cheap to copy.

mod ids;
mod money;
mod odds;
mod terms;

pub use ids::{AccountId, ClientOrderId, CorrelationId, IdTooLong, MarketId, OrderId, RunnerId, TradeId};
pub use money::{Money, Quantity};
pub use odds::{OddsX10000, Price};
pub use terms::{
    BookMarketState, Hold, MarketKind, MarketModel, MarketPhase, OrderStatus, PackedTimeInForce, Persistence,
    SelfTradePrevention, Side, TimeInForce, TransitionPolicy,
};
