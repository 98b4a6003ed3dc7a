//! Load, recordings and measurements of BetEx.

pub mod core_speed;
pub mod dearest;
pub mod driver;
pub mod engine_speed;
pub mod floor;
pub mod flow;
pub mod grpc_speed;
pub mod recordings;
pub mod report;
pub mod soak;
