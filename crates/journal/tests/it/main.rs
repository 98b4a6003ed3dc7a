//! The journal against the rules of `docs/journal.md`, on disks that fail.

// What a test expects to be there may be unwrapped; figures are printed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod any_events;
mod copies;
mod damage;
mod desk;
mod faults;
mod fixtures;
mod following;
mod fuzz;
mod memory_storage;
mod notes;
mod old_rules;
mod opening;
#[cfg(feature = "tool")]
mod real_day;
mod round_trip;
mod snapshot_damage;
mod snapshot_faults;
mod snapshots;
mod tape;
#[cfg(feature = "tool")]
mod tool;
mod writing;
