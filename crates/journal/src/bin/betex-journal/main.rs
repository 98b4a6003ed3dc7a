//! The program `betex-journal`: looks into a journal, live or dead. `docs/tool.md` describes it.

mod compact;
mod dump;
mod failure;
mod filter;
mod limits;
mod lines;
mod output;
mod progress;
mod show_frame;
mod stats;
mod terms;
mod times;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use betex_journal::JournalFiles;
use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;

/// Looks into a journal of BetEx, whether or not a server is writing it. Only `compact` changes anything, and only
/// while no server runs.
#[derive(Parser)]
#[command(name = "betex-journal", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

const EXIT_CODES: &str = "Exit codes:
  0  done; of verify: the journal is sound
  1  the journal is damaged: where, and what to do, is said on stderr
  2  the arguments make no sense
  3  it cannot be read: no journal there, journal.log is of no use, or the disk said no
  4  the journal is in use by a process that writes it
  5  written by a newer version of BetEx
  6  what was asked for is not there: a frame, a market, an account, or events that were removed";

#[derive(Subcommand)]
enum Task {
    /// Reads all of it as recovery would: checksums, chain, records, and a replay into a state.
    Verify(verify::Options),
    /// Events as JSON, one a line.
    Dump(dump::Options),
    /// How much there is of what.
    Stats(stats::Options),
    /// One frame: its header, its place in the chain, its records, its bytes; also of a damaged journal.
    ShowFrame(show_frame::Options),
    /// Makes a snapshot of what is sealed and removes what no start needs; only while no server uses the journal.
    Compact(compact::Options),
}

/// Which journal.
#[derive(Args)]
struct Place {
    /// The data directory of the server
    #[arg(value_name = "DIR", default_value = "data", env = "BETEX_DATA_DIR")]
    directory: PathBuf,
}

impl Place {
    fn files(&self) -> Result<JournalFiles, Failure> {
        Ok(JournalFiles::open_dir(&self.directory)?)
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Verify(options) => verify::run(&options),
        Task::Dump(options) => dump::run(options),
        Task::Stats(options) => stats::run(&options),
        Task::ShowFrame(options) => show_frame::run(&options),
        Task::Compact(options) => compact::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}
