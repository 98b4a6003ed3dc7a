//! A run of steps: one line each with its time, the log of what failed, the counts at the end.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::counts::Counts;
use crate::shell::Shell;
use crate::workspace::Workspace;

/// The steps so far.
pub(crate) struct Steps {
    logs: PathBuf,
    total: Counts,
    failed: Vec<&'static str>,
    started: Instant,
}

/// Lines of a failed step's log that are shown: all, unless somebody was very talkative.
const LINES_SHOWN_MAX: usize = 400;

/// Whether a test runner says here which test failed.
fn names_a_failure(line: &str) -> bool {
    let failed_test = line.starts_with("test ") && line.ends_with("FAILED");
    failed_test || ["FAIL:", "ERROR:", "not ok", "error"].iter().any(|start| line.starts_with(start))
}

impl Steps {
    /// None so far.
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let logs = workspace.target.join("xtask-logs");
        fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
        Ok(Self { logs, total: Counts::default(), failed: Vec::new(), started: Instant::now() })
    }

    /// Does a step. What it runs goes to its log; tests counted there count, otherwise the step itself.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Shell) -> Result<()>,
    ) -> Result<bool> {
        let path = self.logs.join(name.replace([' ', ','], "-")).with_extension("log");
        let shell = Shell::log(File::create(&path).with_context(|| path.display().to_string())?);
        print!("{name:<42}");
        std::io::stdout().flush()?;
        let started = Instant::now();
        let result = work(&shell);
        let log = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        let skipped: Vec<&str> = log.lines().filter(|line| line.starts_with("skipped:")).collect();
        let mut counts = Counts::of_log(&log);
        let counted = counts.to_string();
        let is_test = counts != Counts::default();
        counts.skipped = counts.skipped.max(skipped.len() as u64);
        match &result {
            Ok(()) if !is_test && skipped.is_empty() => counts.passed = 1,
            Err(_) if counts.failed == 0 => counts.failed = 1,
            _ => {}
        }
        let seconds = started.elapsed().as_secs_f64();
        let verdict = match &result {
            Err(_) => "FAILED",
            Ok(()) if is_test || skipped.is_empty() => "ok",
            Ok(()) => "-",
        };
        println!("{verdict:>6} {seconds:>7.1} s  {counted}");
        // What was not done, and figures that are worth as much as a count of tests.
        let figures = log.lines().filter(|line| line.starts_with("fuzz ") || line.starts_with("proof: "));
        for line in skipped.into_iter().chain(figures) {
            println!("    {line}");
        }
        if let Err(error) = &result {
            let lines: Vec<&str> = log.lines().collect();
            let hidden = lines.len().saturating_sub(LINES_SHOWN_MAX);
            println!("---- {} ({hidden} earlier lines are only there)", path.display());
            lines[..hidden].iter().filter(|line| names_a_failure(line)).for_each(|line| println!("{line}"));
            lines[hidden..].iter().for_each(|line| println!("{line}"));
            println!("---- {name}: {error:#}");
            self.failed.push(name);
        }
        self.total.add(&counts);
        Ok(result.is_ok())
    }

    /// The verdict, its last line for whoever counts; whether all went well.
    pub(crate) fn finish(self) -> Result<bool> {
        println!("in {:.0} s; logs are in {}", self.started.elapsed().as_secs_f64(), self.logs.display());
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join("; "));
        }
        println!("{}", self.total.closing_line());
        std::io::stdout().flush()?;
        Ok(self.failed.is_empty())
    }
}
