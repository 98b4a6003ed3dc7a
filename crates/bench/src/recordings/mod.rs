//! Recordings of real markets, replayed on an exchange.
//!
//! A recording is a stream of ladders: how much stands at which price. From one ladder to the next
//! orders are derived ([`changes`], [`orders`]), given to an [`Exchange`], and then its ladder must be the
//! recorded one, price by price and penny by penny. Nobody here wrote the recordings, so this tests the
//! whole exchange against something that shares none of its assumptions.
//!
//! `cargo xtask recordings` fetches the files; they are never committed.

pub mod changes;
mod core_exchange;
mod decimal;
mod engine_exchange;
pub mod exchange;
mod grpc_exchange;
pub mod ladders;
pub mod line;
pub mod orders;
pub mod replay;
pub mod summary;

pub use core_exchange::CoreExchange;
pub use engine_exchange::EngineExchange;
pub use exchange::Exchange;
pub use grpc_exchange::GrpcExchange;
