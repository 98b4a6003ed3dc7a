//! Plays seeds until one fails: `cargo run --release -p betex-sim -- --help`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use betex_sim::{Report, STEPS, run};
use clap::Parser;

/// Plays the engine on one thread, in virtual time, on a disk that fails, and holds it to its promises.
#[derive(Parser)]
#[command(name = "betex-sim")]
struct Arguments {
    /// How many seeds are played.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Steps in each run.
    #[arg(long, default_value_t = STEPS)]
    steps: u64,
}

/// Seeds from one sign of life to the next.
const PROGRESS: u64 = 100;

/// The seed that is played.
static SEED: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let Arguments { seeds, from, steps } = Arguments::parse();
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        eprintln!("{}", again(SEED.load(Ordering::Relaxed), steps));
    }));
    let (mut all, started) = (Report::default(), Instant::now());
    for seed in from..from.saturating_add(seeds) {
        SEED.store(seed, Ordering::Relaxed);
        if seed > from && (seed - from).is_multiple_of(PROGRESS) {
            eprintln!(
                "{} seeds kept every promise, in {:.0} s",
                seed - from,
                started.elapsed().as_secs_f64()
            );
        }
        match run(seed, steps, None) {
            Ok(report) => all.add(&report),
            Err((failure, step)) => {
                eprintln!("seed {seed}, step {step}: {failure}\n{}", again(seed, steps));
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{seeds} seeds from {from} kept every promise, in {:.1} s", started.elapsed().as_secs_f64());
    println!("{all}");
    ExitCode::SUCCESS
}

/// The command that plays a failure again.
fn again(seed: u64, steps: u64) -> String {
    format!("play it again: cargo run --release -p betex-sim -- --from {seed} --seeds 1 --steps {steps}")
}
