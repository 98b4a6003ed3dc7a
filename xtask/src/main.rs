//! Everything that is done to the repository: `cargo xtask help`.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

mod clients;
mod counts;
mod fuzz;
mod recordings;
mod replay;
mod server;
mod shell;
mod steps;
mod structure;
mod suite;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::shell::Shell;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Everything that is done to the repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, then check and test everything; what CI runs.
    Test,
    /// The crate graph, the length of files, words that must not be committed.
    Structure,
    /// Only the crate graph.
    Floors,
    /// Licences, duplicates and sources of the dependencies; advisories where they can be fetched.
    Deny,
    /// Fuzz the decoders, the journal and the wire; prints how to make a broken input again.
    Fuzz(fuzz::Options),
    /// Fetch the recordings of real markets into `recordings/`.
    Recordings,
    /// The Python and TypeScript clients against the release server.
    Clients,
    /// Replay the recordings through the release server over gRPC.
    Replay {
        /// Kill the server with SIGKILL this many times meanwhile, and start it again.
        #[arg(long, default_value_t = 0)]
        kills: u32,
        /// What the replay is told besides, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Without a backtrace, whatever the environment says: what failed said so itself.
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether it went well; an error is one that has not been told yet.
fn run(task: &Task) -> Result<bool> {
    let workspace = Workspace::find()?;
    let shell = Shell::inherit();
    match task {
        Task::Test => {
            let mut steps = Steps::new(&workspace)?;
            suite::run(&workspace, &mut steps)?;
            return steps.finish();
        }
        Task::Structure => structure::check(&workspace, &shell)?,
        Task::Floors => structure::floors::check(&workspace)?,
        Task::Deny => {
            tools::cargo_deny(&workspace, &shell)?;
            suite::deny(&workspace, &shell)?;
            suite::advisories(&workspace, &shell)?;
        }
        Task::Fuzz(options) => fuzz::run(&workspace, &shell, options)?,
        Task::Recordings => recordings::fetch(&workspace, &shell)?,
        Task::Clients => {
            tools::python(&workspace, &shell)?;
            tools::node(&workspace, &shell)?;
            server::build(&workspace, &shell)?;
            clients::python(&workspace, &shell)?;
            clients::typescript(&workspace, &shell)?;
        }
        Task::Replay { kills, arguments } => {
            recordings::fetch(&workspace, &shell)?;
            server::build(&workspace, &shell)?;
            replay::through_the_server(&workspace, &shell, &recordings::FILES, *kills, arguments)?;
        }
    }
    Ok(true)
}
