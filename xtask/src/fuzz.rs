//! The fuzz targets, for as long as one likes.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// The targets: their names, and the tests that they are.
const TARGETS: [(&str, &[&str]); 5] = [
    ("lines", &["-p", "betex-core", "--test", "it"]),
    ("records", &["-p", "betex-journal", "--test", "it"]),
    ("frames", &["-p", "betex-journal", "--test", "it"]),
    ("directories", &["-p", "betex-journal", "--test", "it"]),
    ("requests", &["-p", "betex-server", "--lib"]),
];

/// What is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// For how long, all targets together.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Only this one: lines, records, frames, directories or requests.
    #[arg(long)]
    target: Option<String>,
    /// Another seed makes other inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the input of this number, of one target.
    #[arg(long, requires = "target")]
    input: Option<u64>,
}

impl Options {
    /// All targets, with the seed that plain tests have.
    pub(crate) const fn all(seconds: u64) -> Self {
        Self { seconds, target: None, seed: 1, input: None }
    }
}

/// Runs the targets one after the other, each for its part of the time; each prints its counts.
pub(crate) fn run(workspace: &Workspace, shell: &Shell, options: &Options) -> Result<()> {
    let wanted = |target: &&(&str, &[&str])| options.target.as_deref().is_none_or(|name| name == target.0);
    let targets: Vec<_> = TARGETS.iter().filter(wanted).collect();
    if targets.is_empty() {
        bail!("there is no such target; there are {}", TARGETS.map(|(name, _)| name).join(", "));
    }
    let each = Duration::from_secs(options.seconds).as_secs_f64() / targets.len() as f64;
    for (name, test) in targets {
        let mut fuzz = workspace.cargo(&["test", "--locked", "--quiet"]);
        let filter = format!("fuzz::{name}");
        fuzz.args(*test).args(["--", &filter, "--nocapture"]);
        fuzz.env("BETEX_FUZZ_SECONDS", each.to_string()).env("BETEX_FUZZ_SEED", options.seed.to_string());
        if let Some(input) = options.input {
            fuzz.env("BETEX_FUZZ_INPUT", input.to_string());
        }
        shell.run(&mut fuzz)?;
    }
    Ok(())
}
