//! The core as its users see it: commands in, events out, a state to look at.

mod closing;
mod crowd;
mod exchange;
mod flow;
mod golden;
mod holds;
mod images;
mod interleaving;
mod invariants;
mod jobs;
mod ledger;
mod limits;
mod markets;
mod mass_cancel;
mod order_types;
mod orders;
mod phases;
mod quarters;
mod rule_book;
mod runners;
mod script;
mod sets;
mod snapshots;
mod ticks;
mod twin;
mod voids;
