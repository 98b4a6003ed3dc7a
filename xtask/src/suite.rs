//! What `cargo xtask test` does, in the order of how soon each step tells something.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::Shell;
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{clients, fuzz, recordings, replay, server, structure, tools};

/// Kills of the server in the step that replays through them.
const KILLS: u32 = 6;
/// Seconds of fuzzing, all targets together. `cargo xtask fuzz` takes as many as it is given.
const FUZZ_SECONDS: u64 = 20;
/// All recordings, and those without the two long ones.
const ALL: &[&str] = &recordings::FILES;
const SHORTER: &[&str] = recordings::FILES.split_at(2).1;

/// All steps. One that fails does not stop the others, except that nothing runs without its tools.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    let prepared = steps.step("tools of the system", tools::system)?
        && steps.step("python packages", |shell| tools::python(workspace, shell))?
        && steps.step("node packages", |shell| tools::node(workspace, shell))?
        && steps.step("cargo-deny", |shell| tools::cargo_deny(workspace, shell))?
        && steps.step("recordings of real markets", |shell| recordings::fetch(workspace, shell))?;
    if !prepared {
        return Ok(());
    }
    let cargo =
        |arguments: &'static [&'static str]| move |shell: &Shell| shell.run(&mut workspace.cargo(arguments));

    steps.step("structure", |shell| structure::check(workspace, shell))?;
    steps.step("format", cargo(&["fmt", "--all", "--check", "--", "--color", "never"]))?;
    steps.step("licences, duplicates, sources", |shell| deny(workspace, shell))?;
    steps.step("advisories", |shell| advisories(workspace, shell))?;
    let clippy = &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    steps.step("clippy", cargo(clippy))?;
    steps.step("rustdoc", |shell| {
        let mut doc = workspace.cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
        shell.run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.step("cargo test", |shell| {
        // With what the tests say: the counts of the proofs, and what could not be done here.
        let all = ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--show-output"];
        let mut test = workspace.cargo(&all);
        shell.run(&mut test)
    })?;
    steps.step("fuzzing", |shell| fuzz::run(workspace, shell, &fuzz::Options::all(FUZZ_SECONDS)))?;
    if !steps.step("release build", |shell| server::build(workspace, shell))? {
        return Ok(());
    }
    steps.step("soak, short", |shell| {
        let mut soak =
            workspace.command(workspace.release("soak"), &["--seconds", "10", "--growth-mib", "16"]);
        // One arena: otherwise the threads of every restart leave some memory in arenas of their own.
        shell.run(soak.env("MALLOC_ARENA_MAX", "1").arg("--directory").arg(&workspace.target))
    })?;
    steps.step("python client", |shell| clients::python(workspace, shell))?;
    steps.step("typescript client", |shell| clients::typescript(workspace, shell))?;
    steps.step("recordings, core", |shell| replay::in_process(workspace, shell, "core", ALL))?;
    steps.step("recordings, engine", |shell| replay::in_process(workspace, shell, "engine", SHORTER))?;
    steps.step("recordings, through the server", |shell| {
        replay::through_the_server(workspace, shell, ALL, 0, &[])
    })?;
    steps.step("recordings, server killed", |shell| {
        replay::through_the_server(workspace, shell, SHORTER, KILLS, &[])
    })?;
    Ok(())
}

/// Bans, licences and sources, as `deny.toml` has them.
pub(crate) fn deny(workspace: &Workspace, shell: &Shell) -> Result<()> {
    shell.run(&mut cargo_deny(workspace, &["bans", "licenses", "sources"]))
}

/// Known vulnerabilities, if the database can be fetched; where it cannot, that is said aloud.
pub(crate) fn advisories(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let output = cargo_deny(workspace, &["advisories"]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    shell.say(&said)?;
    if output.status.success() {
        return Ok(());
    }
    if said.contains("failed to fetch advisory database") {
        return shell.say("skipped: the advisory database cannot be reached from here");
    }
    bail!("cargo-deny found advisories, or could not look: {}", output.status)
}

fn cargo_deny(workspace: &Workspace, checks: &[&str]) -> Command {
    let mut command =
        workspace.command(tools::cargo_deny_path(workspace), &["check", "--hide-inclusion-graph"]);
    command.args(checks);
    command
}
