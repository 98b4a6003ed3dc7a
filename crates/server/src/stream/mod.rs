//! Everything that happens, for those who follow it.
//!
//! [`hub`] takes events from the engine, keeps them in memory ([`recent`]) and puts what is made of them into the
//! [`mailbox`] of every follower. A stream that begins in the past is told it from memory; what memory no longer
//! has, [`history`] reads from the journal, in short [`turns`] that connections share fairly. [`follow`] joins
//! the three without a gap or a repeat.

pub(crate) mod fan;
pub(crate) mod follow;
pub(crate) mod form;
pub(crate) mod history;
pub(crate) mod hub;
pub(crate) mod levels;
pub(crate) mod mailbox;
pub(crate) mod names;
mod past;
pub(crate) mod past_names;
pub(crate) mod recent;
#[cfg(test)]
mod recent_tests;
pub(crate) mod scene;
mod search;
pub(crate) mod trades;
pub(crate) mod turns;
pub(crate) mod warm;
