//! The state that events add up to, and the markets an engine is built with.

pub use betex_core::command::MarketConfig;
pub use betex_core::state::State;
pub use betex_core::view::{LevelView, MarketView, OrderView};
