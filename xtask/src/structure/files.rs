//! The files that are, or would be, committed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// Lines of a source file above which we are told, and above which the check fails.
const LINES_WARN: usize = 400;
const LINES_MAX: usize = 600;

/// A file of the repository.
pub(super) struct Tracked {
    /// From the root.
    pub(super) path: String,
    /// What is in it; empty if it is not text.
    pub(super) text: String,
}

impl Tracked {
    /// Whether its name ends so.
    pub(super) fn is(&self, extensions: &[&str]) -> bool {
        extensions.iter().any(|extension| self.path.ends_with(extension))
    }
}

/// All that git knows of and would add.
pub(super) fn tracked(workspace: &Workspace) -> Result<Vec<Tracked>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = workspace.command("git", &list).output().context("git ls-files")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).context("the name of a file is not UTF-8")?;
    let paths = paths.split('\0').filter(|path| !path.is_empty());
    // Deleted but not yet committed: listed, and not there.
    let there = paths.map(|path| (path, workspace.root.join(path))).filter(|(_, path)| path.is_file());
    there.map(|(path, full)| Ok(Tracked { path: path.to_owned(), text: text(&full)? })).collect()
}

fn text(path: &PathBuf) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// Sources that want to be two files.
pub(super) fn too_long(tracked: &[Tracked], shell: &Shell) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in tracked.iter().filter(|file| file.is(&[".rs", ".py", ".ts"])) {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            problems.push(format!("{}: {lines} lines, at most {LINES_MAX}", file.path));
        } else if lines > LINES_WARN {
            shell.say(&format!("long: {} has {lines} lines", file.path))?;
        }
    }
    Ok(problems)
}
