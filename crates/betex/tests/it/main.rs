//! The engine as its embedders use it: real threads, real files.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test may fail")]

mod engine;
mod faults;
mod handlers;
mod matching;
mod shop;
mod snapshots;
