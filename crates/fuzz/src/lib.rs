//! Fuzzing on stable Rust, inside `cargo test`: real inputs are mutated, from a seed, for a bounded time.
//!
//! A target is a test that calls [`run`] with a property. Every input has a number, and depends on nothing but
//! the seed and that number; one that breaks the property is told with the command that makes it again. Plain
//! `cargo test` runs a fixed number of inputs; `cargo xtask fuzz` runs as long as it is told.
//!
//! ```
//! use betex_fuzz::{Corpus, run};
//!
//! let corpus = Corpus::new([b"12".to_vec(), b"7".to_vec()]).with_words(["-", "18446744073709551615"]);
//! run("numbers", 100, |dice| {
//!     let input = corpus.input(dice);
//!     let Some(number) = std::str::from_utf8(&input).ok().and_then(|text| text.parse::<u64>().ok()) else {
//!         return false;
//!     };
//!     assert_eq!(number.to_string().parse(), Ok(number));
//!     true
//! });
//! ```

mod corpus;
mod dice;
mod run;

pub use corpus::Corpus;
pub use dice::Dice;
pub use run::run;
