//! The words of the field: money, odds, ids, sides, states, and commands.

pub use betex_core::command::{
    Command, CommandKind, MarketConfig, NewMarket, NewOrder, NewRunner, OrderPrice, OrderRef,
};
pub use betex_core::types::*;
