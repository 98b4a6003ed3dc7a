//! What most programs need: `use betex::prelude::*;`

pub use crate::config::Config;
pub use crate::engine::core::{
    CommandLane, Engine, EngineBuilder, EngineEvent, EventHandler, HandlerOptions, HandlerRecovery,
    HandlerState, HandlerStatus, Health,
};
pub use crate::engine::journal::{Durability, JournalEvent, JournalReader};
pub use crate::engine::{OwnedResponse, Responder, Response};
pub use crate::error::{EngineError, Rejection};
pub use crate::types::*;
pub use betex_core::decide::Receipt;
pub use betex_core::event::Event;
pub use betex_core::limits::Limits;
pub use betex_core::reject::OrderReport;
