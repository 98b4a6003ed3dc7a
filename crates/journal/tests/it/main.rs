//! The journal against the rules of `docs/journal.md`, on disks that fail.

mod damage;
mod faults;
mod fixtures;
mod following;
mod memory_storage;
mod opening;
mod round_trip;
mod speed;
mod tape;
mod writing;
