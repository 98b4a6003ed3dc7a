//! Why the server did not start: a sentence that says what to do.

use std::io;
use std::net::{IpAddr, SocketAddr};

use betex::error::EngineError;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port could not be had.
    #[error("cannot listen on {} for {what}: {source}; {}", SocketAddr::new(*.address, *.port), port_advice(.source, .flag))]
    Listen {
        /// For what.
        what: &'static str,
        /// The option that chooses the port.
        flag: &'static str,
        /// The address asked for.
        address: IpAddr,
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The engine could not be started: its journal is in use, damaged, or cannot be written.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something that the system could not give.
    #[error("cannot start {what}: {problem}")]
    Setup {
        /// What was to be started.
        what: &'static str,
        /// What went wrong.
        problem: String,
    },
}

fn port_advice(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("stop whoever uses it, or choose another port with {flag} (0 lets the system choose)")
        }
        io::ErrorKind::PermissionDenied => format!("choose a port above 1023 with {flag}"),
        _ => format!("check --bind and {flag}"),
    }
}
