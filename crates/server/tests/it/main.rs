//! The real program, started on free ports in a directory of its own, and asked from outside.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod accounts;
mod audit;
mod bad_input;
mod binary;
#[cfg(target_os = "linux")]
mod clock;
mod environment;
mod every_event;
mod finished;
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
mod metrics;
mod min_quantity;
mod order_limit;
mod order_types;
mod orders;
mod outcome_names;
mod program;
mod refusals;
mod restart;
mod resuming;
mod retries;
mod reused_names;
mod sets;
mod socket_ends;
mod socket_events;
mod sockets;
mod start_refusals;
mod streams;
mod terms;
mod trading;
mod void_trades;
mod web_safety;
mod wide_sets;
