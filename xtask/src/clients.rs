//! The clients in other languages, as tests against the release server, which they start themselves.

use anyhow::Result;

use crate::shell::Shell;
use crate::workspace::Workspace;

/// grpcio, with stubs made from our proto file.
pub(crate) fn python(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let arguments = ["-m", "unittest", "discover", "--verbose", "--pattern", "test_*.py"];
    let mut tests = workspace.command(workspace.python(), &arguments);
    tests.current_dir(workspace.client("python")).env("PYTHONDONTWRITEBYTECODE", "1");
    shell.run(tests.env("BETEX_SERVER", workspace.release("server")))
}

/// `@grpc/grpc-js` and `@grpc/proto-loader`, as the reference uses them.
pub(crate) fn typescript(workspace: &Workspace, shell: &Shell) -> Result<()> {
    let mut tests = workspace.command("npm", &["test", "--silent"]);
    tests.current_dir(workspace.client("typescript"));
    shell.run(tests.env("BETEX_SERVER", workspace.release("server")))
}
