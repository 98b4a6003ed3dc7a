//! The recordings replayed: in process, through the real server, and through a server that is killed
//! again and again meanwhile.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::server::Server;
use crate::shell::Shell;
use crate::workspace::Workspace;

/// Between a start of the server and the next kill. Grows a little each time, so that not every kill
/// meets the same moment.
const KILL_AFTER: Duration = Duration::from_millis(1_000);
const KILL_AFTER_MORE: Duration = Duration::from_millis(150);
/// A replay that takes longer than this hangs.
const REPLAY_MAX: Duration = Duration::from_secs(1_800);

/// Files without a server: `core`, or `engine` with its journal.
pub(crate) fn in_process(workspace: &Workspace, shell: &Shell, what: &str, names: &[&str]) -> Result<()> {
    let what = format!("--in-process={what}");
    shell.run(command(workspace).arg(what).args(files(workspace, names)))
}

/// Files through a server of our own. With kills, all of them must have come before the end.
pub(crate) fn through_the_server(
    workspace: &Workspace,
    shell: &Shell,
    names: &[&str],
    kills: u32,
    arguments: &[String],
) -> Result<()> {
    let folder = workspace.target.join("replay-data");
    let _ = std::fs::remove_dir_all(&folder);
    let mut server = Server::start(workspace, shell, &folder)?;
    let mut replay = command(workspace);
    replay.args(["--server", &server.url()]).args(arguments).args(files(workspace, names));
    let mut replay = shell.redirect(&mut replay)?.spawn().context("replay")?;
    let result = meanwhile(&mut server, &mut replay, shell, kills);
    if result.is_err() {
        // Whatever went wrong, nothing of ours stays behind.
        let _ = replay.kill();
        let _ = replay.wait();
    }
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn meanwhile(server: &mut Server<'_>, replay: &mut Child, shell: &Shell, kills: u32) -> Result<()> {
    let started = Instant::now();
    let mut killed = 0;
    let mut next_kill = KILL_AFTER;
    let mut since = Instant::now();
    loop {
        if let Some(status) = replay.try_wait()? {
            ensure!(status.success(), "the replay ended with {status}");
            ensure!(killed == kills, "the replay was through after {killed} of {kills} kills");
            return Ok(());
        }
        if started.elapsed() > REPLAY_MAX {
            bail!("the replay was not through within {} s", REPLAY_MAX.as_secs());
        }
        if killed < kills && since.elapsed() > next_kill {
            server.kill()?;
            killed += 1;
            shell.say(&format!("killed the server, {killed} of {kills}"))?;
            server.start_again()?;
            next_kill += KILL_AFTER_MORE;
            since = Instant::now();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn command(workspace: &Workspace) -> Command {
    workspace.command(workspace.release("replay"), &[])
}

fn files(workspace: &Workspace, names: &[&str]) -> impl Iterator<Item = PathBuf> {
    names.iter().map(|name| workspace.recordings().join(name))
}
