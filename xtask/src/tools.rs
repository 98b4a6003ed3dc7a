//! What the tests need besides cargo, installed where it is missing: system packages if we are root,
//! a Python environment and `cargo-deny` in the target folder, Node's packages beside the tests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{Shell, is_there};
use crate::workspace::Workspace;

/// The version of `cargo-deny` that reads our `deny.toml`.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// A program, how to see that it works, and the Debian packages that bring it.
const PROGRAMS: [(&str, &[&str], &[&str]); 5] = [
    ("cc", &["--version"], &["gcc", "libc6-dev"]),
    ("git", &["--version"], &["git"]),
    ("python3", &["-c", "import ensurepip, venv"], &["python3", "python3-venv", "python3-pip"]),
    ("node", &["--version"], &["nodejs"]),
    ("npm", &["--version"], &["npm"]),
];

/// The programs every step relies on.
pub(crate) fn system(shell: &Shell) -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, works, _)| !is_there(program, works))
        .flat_map(|(_, _, packages)| packages.iter().copied())
        .collect();
    if missing.is_empty() {
        return shell.say("everything is there");
    }
    if !is_there("sh", &["-c", "test $(id -u) = 0 && command -v apt-get"]) {
        bail!("missing: please install what Debian calls {}", missing.join(" "));
    }
    shell.run(std::process::Command::new("apt-get").args(["update", "--quiet"]))?;
    shell.run(
        std::process::Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// The Python environment of the client tests.
pub(crate) fn python(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let requirements = workspace.client("python").join("requirements.txt");
    let environment = workspace.target.join("python");
    once(&environment.join("installed.txt"), &requirements, || {
        let environment = environment.to_string_lossy();
        shell.run(&mut workspace.command("python3", &["-m", "venv", "--clear", &environment]))?;
        let requirements = requirements.to_string_lossy();
        let arguments =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &requirements];
        shell.run(&mut workspace.command(workspace.python(), &arguments))
    })
}

/// The packages of the TypeScript client tests.
pub(crate) fn node(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let folder = workspace.client("typescript");
    once(&folder.join("node_modules/.installed.json"), &folder.join("package-lock.json"), || {
        shell.run(workspace.command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
    })
}

/// `cargo-deny`, built here: a minute or two, once.
pub(crate) fn cargo_deny(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let program = cargo_deny_path(workspace);
    let right = std::process::Command::new(&program).arg("--version").output();
    if right.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(CARGO_DENY_VERSION)) {
        return Ok(());
    }
    let root = workspace.target.join("tools");
    let build = workspace.target.join("tools/build");
    let (root, build) = (root.to_string_lossy(), build.to_string_lossy());
    let mut install =
        workspace.cargo(&["install", "cargo-deny", "--version", CARGO_DENY_VERSION, "--locked"]);
    install.args(["--debug", "--no-default-features", "--force", "--root", &root, "--target-dir", &build]);
    shell.run(&mut install)?;
    // Half a gigabyte of object files that nobody needs again.
    fs::remove_dir_all(&*build).with_context(|| build.into_owned())
}

/// Where it is, once built.
pub(crate) fn cargo_deny_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools/bin/cargo-deny")
}

/// Installs unless the stamp holds what is asked for, and leaves the stamp only when it went well.
fn once(stamp: &Path, asked: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let asked = fs::read(asked).with_context(|| asked.display().to_string())?;
    if fs::read(stamp).is_ok_and(|installed| installed == asked) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, asked).with_context(|| stamp.display().to_string())
}
