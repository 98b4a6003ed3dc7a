//! The program `server`.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use betex_server::{Args, Options, Server, StartError};

/// The server did not start.
const FAILED: u8 = 1;
/// It was told something that makes no sense; clap uses the same.
const MISUSED: u8 = 2;
/// Signals that follow the first one faster than this are the same one.
const SIGNAL_PAUSE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let args = match Args::of_process() {
        Ok(args) => args,
        Err(error) => return fail(MISUSED, &error),
    };
    let options = match args.resolve() {
        Ok(options) => options,
        Err(error) => return fail(MISUSED, &error),
    };
    if let Err(problem) = betex_server::begin_logging() {
        return fail(MISUSED, &problem);
    }
    raise_open_files();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &error),
    };
    match runtime.block_on(serve(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &error),
    }
}

async fn serve(options: &Options) -> Result<(), StartError> {
    // Until it serves, a signal ends it in the system's own way: there is nothing to bring to an end.
    let server = Server::start(options).await?;
    let signals = Signals::new();
    let mut signals = signals
        .map_err(|error| StartError::Setup { what: "waiting for signals", problem: error.to_string() })?;
    greet(&server, options);
    signals.next().await;
    say("Stopping: no new connections, streams end, what was taken is answered. Once more to stop at once.");
    tokio::select! {
        () = server.stop() => say("Stopped. Everything acknowledged is on disk."),
        () = second_signal() => {
            say("Stopped at once. What was acknowledged is in the journal.");
            std::process::exit(i32::from(FAILED));
        }
    }
    Ok(())
}

/// A signal that comes when there was time to see what the first one did: some supervisors send each twice.
async fn second_signal() {
    tokio::time::sleep(SIGNAL_PAUSE).await;
    match Signals::new() {
        Ok(mut signals) => signals.next().await,
        Err(_) => std::future::pending().await,
    }
}

fn greet(server: &Server, options: &Options) {
    say(&format!("BetEx server {}", env!("CARGO_PKG_VERSION")));
    say(&server.recovery().to_string());
    if let Some(warning) = server.engine().clock().warning() {
        say(&format!("ATTENTION: {warning}"));
    }
    say(&format!("gRPC listens on {}", place(server.grpc_addr())));
    say(&format!("HTTP and WebSocket (/ws) listen on {}", place(server.http_addr())));
    say(match options.durability {
        betex_server::Durability::Always => {
            "Durability: always. An answer is sent when what it tells is synced to disk."
        }
        betex_server::Durability::None => {
            "Durability: NONE. Nothing is synced; a crash of the machine LOSES what was acknowledged."
        }
    });
    say("Ready. Ctrl-C or SIGTERM stops cleanly.");
}

fn place(address: SocketAddr) -> String {
    let both = if address.ip() == std::net::Ipv6Addr::UNSPECIFIED { " (IPv6 and IPv4)" } else { "" };
    format!("{address}{both}")
}

/// Prints a line. Nobody may be there to read it, and the server goes on all the same.
fn say(line: &str) {
    let mut out = io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn fail(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(code)
}

/// A thousand streams and as many connections need more open files than systems usually allow at first.
#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the number of open files could not be raised: {error}");
    }
}

#[cfg(not(unix))]
fn raise_open_files() {}

/// Ctrl-C and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
