//! Between the wire and the engine's words. Wire types and floats go no further than this.

pub(crate) mod answer;
pub(crate) mod fault;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod market;
pub(crate) mod order;
pub(crate) mod outcome;
pub(crate) mod price;
mod taken;
pub(crate) mod terms;
pub(crate) mod time;
pub(crate) mod update;
