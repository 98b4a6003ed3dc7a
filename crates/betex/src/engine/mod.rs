//! The engine: threads around the core.

mod builder;
mod clock;
pub mod consumers;
pub mod core;
mod dispatcher;
mod doorbell;
mod fatal;
mod feed;
mod handlers;
mod hold;
pub mod journal;
mod journaler;
mod lane;
mod lanes;
mod pipeline;
mod positions;
mod positions_file;
mod response;
#[doc(hidden)]
pub mod rig;
mod roster;
mod sequencer;
mod snapshots;
pub mod state;

pub use clock::{Clock, ClockReport, ClockStep, MachineTime, SystemClock, TimeSource};
pub use doorbell::Doorbell;
pub use feed::EngineEvent;
pub use handlers::{EventHandler, HandlerOptions};
pub use lane::CommandLane;
pub use response::{OwnedResponse, Responder, Response};
pub use roster::{HandlerRecovery, HandlerState, HandlerStatus};
