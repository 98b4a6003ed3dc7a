//! The real program, started on free ports in a directory of its own, and asked from outside.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod bad_input;
mod flow;
mod harness;
mod in_process;
mod orders;
mod program;
mod refusals;
mod restart;
mod sockets;
mod streams;
mod trading;
