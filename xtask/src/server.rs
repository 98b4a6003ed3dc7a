//! The real server as a child process, on free ports of the loopback and a directory of its own.

use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell::Shell;
use crate::workspace::Workspace;

/// Below those that systems lend to outgoing connections: a port must still be free after a restart.
const PORTS: Range<u16> = 20_000..32_000;
/// How long a start may take, recovery included.
const START_MAX: Duration = Duration::from_secs(60);

/// Builds the programs in release mode.
pub(crate) fn build(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let arguments =
        ["build", "--release", "--locked", "--package", "betex-server", "--package", "betex-bench", "--bins"];
    shell.run(&mut workspace.cargo(&arguments))
}

/// A running server; killed when dropped.
pub(crate) struct Server<'a> {
    shell: &'a Shell,
    program: PathBuf,
    data: PathBuf,
    grpc_port: u16,
    http_port: u16,
    child: Child,
}

impl<'a> Server<'a> {
    /// Starts one over a directory and waits until it answers.
    pub(crate) fn start(workspace: &Workspace, shell: &'a Shell, data: &Path) -> Result<Self> {
        let mut free = PORTS.skip(start_at()).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let (Some(grpc_port), Some(http_port)) = (free.next(), free.next()) else {
            bail!("no free ports between {} and {}", PORTS.start, PORTS.end);
        };
        let (program, data) = (workspace.release("server"), data.to_owned());
        let child = launch(shell, &program, &data, grpc_port, http_port)?;
        let mut server = Self { shell, program, data, grpc_port, http_port, child };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Where its gRPC service is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc_port)
    }

    /// SIGKILL: no chance to say or save anything.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again where it was.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        self.child = launch(self.shell, &self.program, &self.data, self.grpc_port, self.http_port)?;
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.grpc_port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended instead of starting: {status}");
            }
            if started.elapsed() > START_MAX {
                bail!("the server did not listen within {} s", START_MAX.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // It may be dead already, and that is what is wanted.
        let _ = self.kill();
    }
}

/// Somewhere in the first half of the ports, elsewhere for each process.
fn start_at() -> usize {
    std::process::id() as usize * 7 % (PORTS.len() / 2)
}

fn launch(shell: &Shell, program: &Path, data: &Path, grpc_port: u16, http_port: u16) -> Result<Child> {
    let mut command = Command::new(program);
    command.args(["--grpc-port", &grpc_port.to_string(), "--http-port", &http_port.to_string()]);
    command.arg("--data-dir").arg(data);
    shell.redirect(&mut command)?.spawn().with_context(|| program.display().to_string())
}
