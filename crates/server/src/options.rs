//! How the server is told what to do: flags, the environment, a file, in this order.

mod bounds;
mod file;

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use betex::config::Config;
use clap::{Parser, ValueEnum};
use serde::Deserialize;

use self::bounds::BoundArgs;
pub use self::bounds::Bounds;
use self::file::{min_quantity, read};
use crate::stream::recent::BYTES_MAX;
use crate::web::allowed;

/// How the server is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where gRPC listens; 0 lets the system choose.
    pub grpc_port: u16,
    /// Where HTTP and WebSocket listen; 0 lets the system choose.
    pub http_port: u16,
    /// The address of both. `::` takes IPv4 too.
    pub bind: IpAddr,
    /// Where the journal is kept.
    pub data_dir: PathBuf,
    /// Whether an answer waits for the disk.
    pub durability: Durability,
    /// Orders a second that a large close or mass cancel takes out, so that streams can follow; 0: as fast as
    /// possible.
    pub job_orders_per_s: u32,
    /// Size of a journal segment in bytes.
    pub segment_bytes: u64,
    /// A snapshot for so many full segments; 0: never.
    pub snapshot_every_segments: u32,
    /// Bytes of full segments that stay although a snapshot stands for them.
    pub retention_bytes: u64,
    /// Seconds that what was written stays although a snapshot stands for it.
    pub retention_s: u64,
    /// Seconds after which a closed market is forgotten; 0: never.
    pub closed_market_ttl_s: u64,
    /// The smallest order, in pennies, of new markets at odds that do not name one of their own.
    pub min_quantity: u64,
    /// Whether the engine's time is set back to the clock's, if the journal is ahead of it: for one start.
    pub set_time_back: bool,
    /// Names by which browsers may reach the WebSocket, besides addresses and loopback names.
    pub allow_host: Vec<String>,
    /// Origins whose pages may open the WebSocket, besides the server's own and those of loopback names.
    pub allow_origin: Vec<String>,
    /// Events that a stream may go back at most, where memory does not hold them; 0: as far as the journal.
    pub resume_max_events: u64,
    /// Bytes of the recent past that is kept in memory for streams that begin there, about.
    pub resume_memory_bytes: usize,
    /// How much the exchange holds at most, and how fast it grows.
    pub bounds: Bounds,
}

impl Options {
    /// The engine's configuration.
    pub(crate) fn engine(&self) -> Config {
        Config {
            durability: self.durability.into(),
            job_orders_per_s: self.job_orders_per_s,
            segment_bytes: self.segment_bytes,
            snapshot_every_segments: self.snapshot_every_segments,
            retention_bytes: self.retention_bytes,
            retention_age: Duration::from_secs(self.retention_s),
            limits: self.bounds.limits(self.closed_market_ttl_s.saturating_mul(1_000)),
            set_time_back: self.set_time_back,
            ..Config::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        let engine = Config::default();
        Self {
            grpc_port: 50_051,
            http_port: 3_000,
            bind: Ipv6Addr::UNSPECIFIED.into(),
            data_dir: "data".into(),
            durability: Durability::Always,
            job_orders_per_s: engine.job_orders_per_s,
            segment_bytes: engine.segment_bytes,
            snapshot_every_segments: engine.snapshot_every_segments,
            retention_bytes: engine.retention_bytes,
            retention_s: engine.retention_age.as_secs(),
            // There is no call that removes a market, and there is only room for so many.
            closed_market_ttl_s: 86_400,
            min_quantity: 1,
            set_time_back: false,
            allow_host: Vec::new(),
            allow_origin: Vec::new(),
            resume_max_events: 1 << 24,
            resume_memory_bytes: BYTES_MAX,
            bounds: Bounds::default(),
        }
    }
}

/// Whether an answer waits for the disk.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// An answer is sent when what it tells is synced to disk
    Always,
    /// Nothing is synced: for backtests; a crash of the machine loses what was acknowledged
    None,
}

impl From<Durability> for betex_journal::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Always => Self::Always,
            Durability::None => Self::None,
        }
    }
}

/// The BetEx order book server: a betting exchange behind gRPC and WebSocket.
///
/// An option given as a flag goes before the same one in the environment, that before the one in the file.
#[derive(Debug, Default, Parser)]
#[command(name = "server", version)]
pub struct Args {
    /// Port for gRPC; 0 lets the system choose one, which is printed [default: 50051]
    #[arg(long, env = "BETEX_GRPC_PORT", value_name = "PORT")]
    grpc_port: Option<u16>,

    /// Port for HTTP and WebSocket; 0 lets the system choose one, which is printed [default: 3000]
    #[arg(long, env = "BETEX_HTTP_PORT", value_name = "PORT")]
    http_port: Option<u16>,

    /// Directory of the journal, made if there is none; one server at a time [default: data]
    #[arg(long, env = "BETEX_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// IP address to listen on; :: is every address, of IPv6 and of IPv4 [default: ::]
    #[arg(long, env = "BETEX_BIND", value_name = "ADDRESS")]
    bind: Option<IpAddr>,

    /// Whether answers wait for the disk [default: always]
    #[arg(long, env = "BETEX_DURABILITY", value_enum, value_name = "WHEN")]
    durability: Option<Durability>,

    /// Orders a second that a large close or mass cancel takes out, so that streams can follow; 0: as fast as
    /// possible [default: 20000]
    #[arg(long, env = "BETEX_JOB_ORDERS_PER_S", value_name = "ORDERS")]
    job_orders_per_s: Option<u32>,

    /// Size of a journal segment in bytes, 1 MiB to 1 GiB in multiples of 64 [default: 67108864]
    #[arg(long, env = "BETEX_SEGMENT_BYTES", value_name = "BYTES")]
    segment_bytes: Option<u64>,

    /// A snapshot is made for so many full segments; 0: never, and nothing is removed [default: 4]
    #[arg(long, env = "BETEX_SNAPSHOT_EVERY_SEGMENTS", value_name = "SEGMENTS")]
    snapshot_every_segments: Option<u32>,

    /// Bytes of full segments that stay although a snapshot stands for them [default: 1073741824]
    #[arg(long, env = "BETEX_RETENTION_BYTES", value_name = "BYTES")]
    retention_bytes: Option<u64>,

    /// Seconds that what was written stays although a snapshot stands for it [default: 86400]
    #[arg(long, env = "BETEX_RETENTION_S", value_name = "SECONDS")]
    retention_s: Option<u64>,

    /// Seconds after which a closed market is forgotten, and its name free again; 0: never [default: 86400]
    #[arg(long, env = "BETEX_CLOSED_MARKET_TTL_S", value_name = "SECONDS")]
    closed_market_ttl_s: Option<u64>,

    /// Smallest order, in pennies, of new markets at odds that do not name one of their own. 100 is advised:
    /// orders of a few pennies can end complete sets for everybody in a field of twenty runners [default: 1]
    #[arg(long, env = "BETEX_MIN_QUANTITY", value_name = "PENNIES", value_parser = min_quantity)]
    min_quantity: Option<u64>,

    /// For one start: if the journal's last event is later than this machine's clock, go on with the clock's time.
    /// Has no place in the environment or in a file
    #[arg(long)]
    set_time_back: bool,
    /// Name by which browsers may reach the WebSocket, with or without a port; several with commas. IP addresses and
    /// loopback names are always allowed
    #[arg(long, env = "BETEX_ALLOW_HOST", value_name = "HOST", value_delimiter = ',', value_parser = allowed::host)]
    allow_host: Option<Vec<String>>,

    /// Origin whose pages may open the WebSocket; several with commas. Pages of the server's own host and of loopback
    /// names are always allowed
    #[arg(long, env = "BETEX_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = allowed::origin)]
    allow_origin: Option<Vec<String>>,

    /// Events that a stream may go back at most by from_sequence, where memory does not hold them; 0: as far as the
    /// journal goes [default: 16777216]
    #[arg(long, env = "BETEX_RESUME_MAX_EVENTS", value_name = "EVENTS")]
    resume_max_events: Option<u64>,

    /// Bytes of the recent past that is kept in memory for streams that begin there, about [default: 134217728]
    #[arg(long, env = "BETEX_RESUME_MEMORY_BYTES", value_name = "BYTES")]
    resume_memory_bytes: Option<usize>,
    #[command(flatten)]
    bounds: BoundArgs,

    /// TOML file with options: the same names as the flags, without the dashes in front
    #[arg(long, env = "BETEX_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// An option, or a configuration file, that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// It cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A path that nobody means.
    #[error("{option}: {problem}")]
    Path {
        /// Which option.
        option: &'static str,
        /// What is wrong with it, and what would be valid.
        problem: String,
    },
    /// It does not say what it should.
    #[error("the configuration file {path} is not valid: {problem}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
}

impl Args {
    /// Puts the file and the defaults under what was given.
    pub fn resolve(self) -> Result<Options, OptionsError> {
        if let Some(config) = &self.config {
            check_path("config", config)?;
        }
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let default = Options::default();
        let bounds = self.bounds.over(file.bounds());
        let options = Options {
            bounds,
            grpc_port: self.grpc_port.or(file.grpc_port).unwrap_or(default.grpc_port),
            http_port: self.http_port.or(file.http_port).unwrap_or(default.http_port),
            bind: self.bind.or(file.bind).unwrap_or(default.bind),
            data_dir: self.data_dir.or(file.data_dir).unwrap_or(default.data_dir),
            durability: self.durability.or(file.durability).unwrap_or(default.durability),
            job_orders_per_s: self
                .job_orders_per_s
                .or(file.job_orders_per_s)
                .unwrap_or(default.job_orders_per_s),
            segment_bytes: self.segment_bytes.or(file.segment_bytes).unwrap_or(default.segment_bytes),
            snapshot_every_segments: self
                .snapshot_every_segments
                .or(file.snapshot_every_segments)
                .unwrap_or(default.snapshot_every_segments),
            retention_bytes: self.retention_bytes.or(file.retention_bytes).unwrap_or(default.retention_bytes),
            retention_s: self.retention_s.or(file.retention_s).unwrap_or(default.retention_s),
            closed_market_ttl_s: self
                .closed_market_ttl_s
                .or(file.closed_market_ttl_s)
                .unwrap_or(default.closed_market_ttl_s),
            min_quantity: self.min_quantity.or(file.min_quantity).unwrap_or(default.min_quantity),
            set_time_back: self.set_time_back,
            allow_host: self.allow_host.or(file.allow_host).unwrap_or(default.allow_host),
            allow_origin: self.allow_origin.or(file.allow_origin).unwrap_or(default.allow_origin),
            resume_max_events: self
                .resume_max_events
                .or(file.resume_max_events)
                .unwrap_or(default.resume_max_events),
            resume_memory_bytes: self
                .resume_memory_bytes
                .or(file.resume_memory_bytes)
                .unwrap_or(default.resume_memory_bytes),
        };
        check_path("data-dir", &options.data_dir)?;
        Ok(options)
    }
}

/// Refuses a path that would be made, or shown, other than it was meant.
fn check_path(option: &'static str, path: &Path) -> Result<(), OptionsError> {
    let text = path.to_string_lossy();
    let problem = if text.is_empty() {
        "it is empty; a path is valid".to_owned()
    } else if text.contains(char::is_control) {
        format!("{text:?} has a control character; a path without one is valid")
    } else if text.trim() != text {
        format!("{text:?} begins or ends with a blank; {:?} would be valid", text.trim())
    } else {
        return Ok(());
    };
    Err(OptionsError::Path { option, problem })
}

#[cfg(test)]
mod tests;
