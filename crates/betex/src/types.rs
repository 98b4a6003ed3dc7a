//! The words of the field: money, odds, ids, sides, states, and commands.

pub use betex_core::command::{
    Command, CommandKind, MarketConfig, MassCancel, NewMarket, NewOrder, NewRunner, OrderPrice, OrderRef,
    VoidedTrades,
};
pub use betex_core::types::*;
