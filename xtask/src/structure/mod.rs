//! The checks of the house itself: which crate may use which, how long a file is, what must not be
//! committed.

pub(crate) mod files;
pub(crate) mod floors;
mod words;

use anyhow::{Result, bail};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// All of them.
pub(crate) fn check(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let tracked = files::tracked(workspace)?;
    let mut problems = floors::problems(workspace);
    problems.extend(files::too_long(&tracked, shell)?);
    problems.extend(words::problems(&tracked));
    report(&problems)?;
    shell.say(&format!("{} crates and {} files are in order", workspace.packages.len(), tracked.len()))
}

/// Fails with a list, unless it is empty.
fn report(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "))
}
