//! The engine as its embedders use it: real threads, real files.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may fail")]

mod client_ids;
mod clock;
mod copied;
mod ear;
mod engine;
mod faults;
mod full;
mod handlers;
mod idempotency;
mod matching;
mod overload;
mod positions;
mod shop;
mod snapshots;
mod stuck;
