//! The BetEx order book server: gRPC, WebSocket and HTTP in front of the engine.
//!
//! It maps what comes over the wire to commands and events to what goes out, and knows no matching. The
//! program is `server`; [`Server::start`] and [`run`] are for whoever wants it inside a process.

mod environment;
mod exchange;
mod grpc;
mod listen;
mod logging;
mod metrics;
mod options;
mod order_states;
mod quota;
mod server;
mod start_error;
mod stream;
mod web;
mod wire;

pub use environment::EnvironmentError;
pub use logging::begin as begin_logging;
pub use options::{Args, Bounds, Durability, Options, OptionsError};
pub use server::{Server, run};
pub use start_error::StartError;
