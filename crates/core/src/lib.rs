//! The deterministic heart of BetEx.
//!
//! [`decide`](decide::decide) looks at a [`State`](state::State) and a command and says what happens;
//! [`State::apply`](state::State::apply) makes it so. Neither has a clock, threads, randomness or
//! input and output; the same state, command and time give the same events.

mod apply;
mod book;
pub mod command;
pub mod decide;
mod digest;
pub mod event;
pub mod image;
mod jobs;
pub mod ladder;
pub mod limits;
pub mod line;
mod market;
mod members;
pub mod reject;
pub mod snapshot;
pub mod state;
mod topology;
pub mod types;
pub mod view;
mod walk;

pub use apply::LevelAfter;
