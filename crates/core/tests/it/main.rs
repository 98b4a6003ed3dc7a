//! The core as its users see it: commands in, events out, a state to look at.

mod closing;
mod exchange;
mod flow;
mod golden;
mod invariants;
mod ledger;
mod limits;
mod markets;
mod order_types;
mod orders;
mod quarters;
mod script;
mod sets;
mod ticks;
mod twin;
