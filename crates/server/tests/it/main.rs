//! The real program, started on free ports in a directory of its own, and asked from outside.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod accounts;
mod audit;
mod bad_input;
mod binary;
mod every_event;
mod flow;
mod forgotten;
mod fractions;
mod golden;
mod harness;
mod in_play;
mod in_process;
mod killed;
mod lifecycle;
mod lines;
mod mass_cancel;
mod min_quantity;
mod order_limit;
mod order_types;
mod orders;
mod outcome_names;
mod program;
mod refusals;
mod restart;
mod retries;
mod sets;
mod socket_events;
mod sockets;
mod streams;
mod terms;
mod trading;
mod void_trades;
mod wide_sets;
