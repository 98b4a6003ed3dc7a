//! Inputs, one after the other, until there were enough.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::dice::Dice;

/// For how many seconds each target runs, instead of a fixed number of inputs; may have a fraction.
const SECONDS: &str = "BETEX_FUZZ_SECONDS";
/// Another seed than 1.
const SEED: &str = "BETEX_FUZZ_SEED";
/// Only the input of this number.
const INPUT: &str = "BETEX_FUZZ_INPUT";

/// When there were enough.
enum Enough {
    Inputs(u64),
    Time(Duration),
}

/// Puts inputs to the property, which makes each from its dice and says whether what it tested took it; prints
/// how many there were. By default `inputs` of them, the same ones every time.
///
/// # Panics
/// With the property, after telling how to make the input again; and if the environment is not to be understood.
pub fn run(target: &str, inputs: u64, mut property: impl FnMut(&mut Dice) -> bool) {
    let seed = variable(SEED).unwrap_or(1);
    let only: Option<u64> = variable(INPUT);
    let enough = match variable::<f64>(SECONDS) {
        None => Enough::Inputs(inputs),
        Some(seconds) => Enough::Time(Duration::from_secs_f64(seconds)),
    };
    let started = Instant::now();
    let (mut count, mut accepted) = (0_u64, 0_u64);
    for number in only.unwrap_or(0).. {
        let mut dice = Dice::new(seed, number);
        let result = catch_unwind(AssertUnwindSafe(|| property(&mut dice)));
        match result {
            Ok(is_accepted) => accepted += u64::from(is_accepted),
            Err(panic) => {
                say(&format!(
                    "input {number} of seed {seed} breaks the property of the target {target}; again: cargo xtask fuzz \
                     --target {target} --seed {seed} --input {number}"
                ));
                resume_unwind(panic);
            }
        }
        count += 1;
        let is_enough = match enough {
            Enough::Inputs(inputs) => count >= inputs,
            // The clock is not asked after every input.
            Enough::Time(time) => count.is_multiple_of(16) && started.elapsed() >= time,
        };
        if is_enough || only.is_some() {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("fuzz {target}: {count} inputs, {accepted} accepted, seed {seed}, {seconds:.1} s"));
}

#[expect(clippy::print_stdout, reason = "figures of a test")]
fn say(line: &str) {
    println!("{line}");
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let value = text.parse().ok();
    assert!(value.is_some(), "{name} is {text:?}, which is not a number");
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_the_property_ends_the_run() {
        let mut seen = 0;
        let broken = catch_unwind(AssertUnwindSafe(|| {
            run("tests", 100, |dice| {
                seen += 1;
                assert!(dice.number() < 40, "forty");
                true
            });
        }));
        assert!(broken.is_err() && seen == 41);
    }
}
