//! Lets the engine run for as long as asked, with restarts, and fails if its memory grows.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::path::PathBuf;
use std::time::Duration;

use betex_bench::soak::{Plan, Soak};
use clap::Parser;

/// Lets the embedded engine run under a random flow of every kind of order, with restarts, and fails if its
/// memory grows after a warm-up, if a restart comes to another state, or if a handler misses an event.
#[derive(Parser)]
struct Options {
    /// How long.
    #[arg(long, conflicts_with = "commands")]
    seconds: Option<u64>,
    /// Or how many commands.
    #[arg(long)]
    commands: Option<u64>,
    /// Commands from one restart to the next.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    restart_every: u64,
    /// What the journal may have at a restart, in MiB.
    #[arg(long, default_value_t = 256)]
    journal_mib: u64,
    /// What the process may grow by after the warm-up, in MiB.
    #[arg(long, default_value_t = 48)]
    growth_mib: u64,
    /// Of the dice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where journals are written.
    #[arg(long, default_value = "target")]
    directory: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let time = match (options.seconds, options.commands) {
        (None, None) => Some(10),
        (seconds, _) => seconds,
    };
    let plan = Plan {
        time: time.map(Duration::from_secs),
        commands: options.commands,
        commands_per_restart: options.restart_every,
        journal_bytes: options.journal_mib << 20,
        growth_bytes: options.growth_mib << 20,
        seed: options.seed,
    };
    let mut told = None;
    let course = Soak::new(plan).run(&options.directory, |course, elapsed, bytes| {
        if told.replace(elapsed.as_secs()) != Some(elapsed.as_secs()) {
            println!(
                "{:>6} s  {:>10} commands  {:>4} restarts  {:>6} MiB resident",
                elapsed.as_secs(),
                course.commands,
                course.restarts,
                bytes >> 20
            );
        }
    })?;
    println!(
        "{} commands ({} refused at first), {} restarts, {} events seen by the handler since the journal began; \
         at most {} MiB in the warm-up, {} MiB after it",
        course.commands,
        course.refused,
        course.restarts,
        course.seen,
        course.warm_bytes >> 20,
        course.most_bytes >> 20
    );
    Ok(())
}
