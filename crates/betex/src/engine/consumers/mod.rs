//! Handlers that come with the engine.

mod responses;

pub use responses::{PendingResponse, ResponseCallbackHandler};
