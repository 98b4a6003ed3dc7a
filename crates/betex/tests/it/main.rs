//! The engine as its embedders use it: real threads, real files.

mod engine;
mod handlers;
mod shop;
