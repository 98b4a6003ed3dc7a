//! The fuzz targets, for as long as one likes.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// A target.
struct Target {
    name: &'static str,
    /// Where cargo finds it, and the test that it is.
    package: [&'static str; 3],
    test: &'static str,
}

const CORE: [&str; 3] = ["--package=betex-core", "--test", "it"];
const JOURNAL: [&str; 3] = ["--package=betex-journal", "--test", "it"];
const SERVER: [&str; 3] = ["--package", "betex-server", "--lib"];

const TARGETS: [Target; 7] = [
    Target { name: "lines", package: CORE, test: "fuzz::lines" },
    Target { name: "records", package: JOURNAL, test: "fuzz::records" },
    Target { name: "frames", package: JOURNAL, test: "fuzz::frames" },
    Target { name: "directories", package: JOURNAL, test: "fuzz::directories" },
    Target { name: "pieces", package: JOURNAL, test: "fuzz::snapshots::pieces" },
    Target { name: "snapshots", package: JOURNAL, test: "fuzz::snapshots::files" },
    Target { name: "requests", package: SERVER, test: "grpc::fuzz::requests" },
];

/// What is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// For how long, all targets together.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Only this one: lines, records, frames, directories, pieces, snapshots or requests.
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
    let wanted = |target: &&Target| options.target.as_deref().is_none_or(|name| name == target.name);
    let targets: Vec<_> = TARGETS.iter().filter(wanted).collect();
    if targets.is_empty() {
        bail!("there is no such target; there are {}", TARGETS.map(|target| target.name).join(", "));
    }
    let each = Duration::from_secs(options.seconds).as_secs_f64() / targets.len() as f64;
    for target in targets {
        let command = |last| {
            let mut command = workspace.cargo(&["test", "--locked"]);
            command.args(target.package).args(["--", "--exact", target.test, last]);
            command
        };
        // A test of another name would be none, and none would go well.
        let list = command("--list").output().with_context(|| format!("listing {}", target.name))?;
        let is_there = String::from_utf8_lossy(&list.stdout).lines().any(|line| line.ends_with(": test"));
        ensure!(!list.status.success() || is_there, "{:?} has no test {}", target.package, target.test);
        let mut fuzz = command("--nocapture");
        fuzz.env("BETEX_FUZZ_SECONDS", each.to_string()).env("BETEX_FUZZ_SEED", options.seed.to_string());
        if let Some(input) = options.input {
            fuzz.env("BETEX_FUZZ_INPUT", input.to_string());
        }
        shell.run(&mut fuzz)?;
    }
    Ok(())
}
