//! Replays recordings of real markets and compares the ladders after every line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use betex_bench::recordings::replay::{Recording, replay};
use betex_bench::recordings::summary::{Progress, Summary};
use betex_bench::recordings::{CoreExchange, EngineExchange, Exchange, GrpcExchange};
use clap::{Parser, ValueEnum};
use futures::future::try_join_all;

/// Replays recordings of real markets and compares, after every line, the exchange's ladders with the
/// recorded ones, price by price and penny by penny.
///
/// `cargo xtask recordings` fetches recordings.
#[derive(Parser)]
struct Arguments {
    /// The recordings; replayed side by side.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Replay on a server, such as http://127.0.0.1:50051.
    #[arg(long, value_name = "URL", conflicts_with = "in_process")]
    server: Option<String>,
    /// Replay without a server (the default).
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = false, default_missing_value = "core")]
    in_process: Option<InProcess>,
    /// What is added to the names of the files to name the markets; by default the time, so that a
    /// server can be used again.
    #[arg(long)]
    suffix: Option<String>,
    /// After this many lines all runners are compared, not only those that the line touched.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    all_every: u32,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum InProcess {
    /// The core alone.
    Core,
    /// The engine with its journal, synced, in a temporary directory; at the end it must recover.
    Engine,
}

fn main() -> ExitCode {
    let Err(error) = start(&Arguments::parse()) else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

fn start(arguments: &Arguments) -> Result<()> {
    // One thread drives all files; the work is the exchange's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let summary = runtime.block_on(async {
        match &arguments.server {
            Some(url) => run(arguments, &GrpcExchange::new(url)?, url).await,
            None => match arguments.in_process.unwrap_or(InProcess::Core) {
                InProcess::Core => run(arguments, &CoreExchange::new()?, "the core").await,
                InProcess::Engine => {
                    let directory = tempfile::tempdir()?;
                    let engine = EngineExchange::start(directory.path())?;
                    let summary = run(arguments, &engine, "the engine").await?;
                    eprintln!("{}", engine.recover()?);
                    Ok(summary)
                }
            },
        }
    })?;
    if arguments.json {
        println!("{}", summary.json());
    } else {
        println!("{summary}");
    }
    Ok(())
}

async fn run(arguments: &Arguments, exchange: &impl Exchange, name: &str) -> Result<Summary> {
    let progress = Progress::default();
    let suffix = match &arguments.suffix {
        Some(suffix) => suffix.clone(),
        None => format!("-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis()),
    };
    let mut recordings = Vec::new();
    for file in &arguments.files {
        recordings.push(Recording::read(file).context("`cargo xtask recordings` fetches recordings")?);
    }
    for recording in &recordings {
        progress.expect_lines(u64::try_from(recording.len())?);
    }
    let files = recordings.len();
    let all_every = usize::try_from(arguments.all_every)?;
    let started = Instant::now();
    let replays = try_join_all(recordings.into_iter().map(|recording| {
        let market = format!("{}{suffix}", recording.name);
        let progress = &progress;
        async move { replay(exchange, recording, &market, all_every, progress).await }
    }));
    tokio::select! {
        done = replays => done.map(drop),
        () = tell(&progress, started) => Ok(()),
    }?;
    let (counts, seconds) = (progress.counts(), started.elapsed().as_secs_f64());
    ensure!(counts.lines == progress.lines_total(), "only {} lines were replayed", counts.lines);
    Ok(Summary { exchange: name.to_owned(), files, counts, retries: exchange.retries(), seconds })
}

/// Says how far it is, for ever.
async fn tell(progress: &Progress, started: Instant) {
    let terminal = std::io::stderr().is_terminal();
    let mut interval = tokio::time::interval(Duration::from_secs(if terminal { 1 } else { 10 }));
    interval.tick().await;
    loop {
        interval.tick().await;
        let (counts, seconds) = (progress.counts(), started.elapsed().as_secs());
        let (lines, total) = (counts.lines, progress.lines_total());
        let speed = counts.commands() / seconds.max(1);
        let line = format!("{lines} of {total} lines, {} commands, {speed}/s", counts.commands());
        if terminal {
            eprint!("\r{line}  ");
        } else {
            eprintln!("{line}");
        }
    }
}
