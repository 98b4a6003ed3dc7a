//! Everything that happens, for whoever follows it: live from the engine, past from the journal.
//!
//! [`hub`] takes events from the engine and puts what is made of them into the [`mailbox`] of everybody who
//! follows; [`history`] makes the same of the journal; [`follow`] joins the two without a gap or a repeat.

pub(crate) mod fan;
pub(crate) mod follow;
pub(crate) mod form;
pub(crate) mod history;
pub(crate) mod hub;
pub(crate) mod levels;
pub(crate) mod mailbox;
pub(crate) mod scene;
pub(crate) mod trades;
