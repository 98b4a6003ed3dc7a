//! How the server is told what to do: flags, the environment, a file, in this order.

mod bounds;

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use betex::config::Config;
use clap::{Parser, ValueEnum};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use self::bounds::BoundArgs;
pub use self::bounds::Bounds;
use crate::stream::recent::BYTES_MAX;
use crate::web::allowed;
use crate::wire::terms::Terms;

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

/// What a file may say. Whatever else it says is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    grpc_port: Option<u16>,
    http_port: Option<u16>,
    data_dir: Option<PathBuf>,
    bind: Option<IpAddr>,
    durability: Option<Durability>,
    job_orders_per_s: Option<u32>,
    segment_bytes: Option<u64>,
    snapshot_every_segments: Option<u32>,
    retention_bytes: Option<u64>,
    retention_s: Option<u64>,
    closed_market_ttl_s: Option<u64>,
    #[serde(default, deserialize_with = "min_quantity_of_file")]
    min_quantity: Option<u64>,
    #[serde(default, deserialize_with = "hosts_of_file")]
    allow_host: Option<Vec<String>>,
    #[serde(default, deserialize_with = "origins_of_file")]
    allow_origin: Option<Vec<String>>,
    resume_max_events: Option<u64>,
    resume_memory_bytes: Option<usize>,
    max_markets: Option<u32>,
    max_market_bytes: Option<u64>,
    max_users: Option<u32>,
    max_users_per_market: Option<u32>,
    max_resting_orders: Option<u32>,
    max_resting_orders_per_user: Option<u32>,
    max_client_ids: Option<u32>,
    max_client_ids_per_market: Option<u32>,
    max_client_ids_per_user: Option<u32>,
    new_users_per_s: Option<u32>,
    new_markets_per_s: Option<u32>,
}

impl File {
    /// What it says of the bounds. With flattened fields serde could not refuse unknown ones.
    fn bounds(&self) -> BoundArgs {
        BoundArgs {
            max_markets: self.max_markets,
            max_market_bytes: self.max_market_bytes,
            max_users: self.max_users,
            max_users_per_market: self.max_users_per_market,
            max_resting_orders: self.max_resting_orders,
            max_resting_orders_per_user: self.max_resting_orders_per_user,
            max_client_ids: self.max_client_ids,
            max_client_ids_per_market: self.max_client_ids_per_market,
            max_client_ids_per_user: self.max_client_ids_per_user,
            new_users_per_s: self.new_users_per_s,
            new_markets_per_s: self.new_markets_per_s,
        }
    }
}

fn hosts_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    all_valid("allow-host", Vec::deserialize(deserializer)?, allowed::host)
}

fn origins_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    all_valid("allow-origin", Vec::deserialize(deserializer)?, allowed::origin)
}

fn all_valid<E: serde::de::Error>(
    name: &str,
    said: Vec<String>,
    check: fn(&str) -> Result<String, String>,
) -> Result<Option<Vec<String>>, E> {
    let check = |text: String| {
        check(&text).map_err(|valid| E::custom(format!("{name}: {text:?} is not valid: {valid}")))
    };
    said.into_iter().map(check).collect::<Result<_, _>>().map(Some)
}

/// The smallest order that the server may be told: at least a penny, and no more than any order may be for.
fn min_quantity(text: &str) -> Result<u64, String> {
    let most = Terms::default().quantity_max();
    let valid = text.parse().ok().filter(|pennies| (1..=most).contains(pennies));
    valid.ok_or_else(|| format!("1 to {most} pennies are valid"))
}

fn min_quantity_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let said = i64::deserialize(deserializer)?.to_string();
    let problem = |valid| D::Error::custom(format!("min-quantity: {said} is not valid: {valid}"));
    min_quantity(&said).map(Some).map_err(problem)
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

fn read(path: &Path) -> Result<File, OptionsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| OptionsError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| {
        // One line: where, and what would be valid.
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        OptionsError::Invalid { path: path.to_owned(), problem: format!("{place}{}", error.message()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(file: &str, flags: &[&str]) -> Result<Options, OptionsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.toml");
        std::fs::write(&path, file).unwrap();
        let config = ["server", "--config", path.to_str().unwrap()];
        Args::parse_from(config.iter().chain(flags)).resolve()
    }

    #[test]
    fn flags_go_before_the_file_and_the_file_before_defaults() {
        let options =
            resolve("grpc-port = 1\nhttp-port = 2\ndurability = 'none'", &["--grpc-port", "3"]).unwrap();
        let expected =
            Options { grpc_port: 3, http_port: 2, durability: Durability::None, ..Options::default() };
        assert_eq!(options, expected);
        for (file, flags, pace) in [
            ("", &[][..], 20_000),
            ("job-orders-per-s = 500", &[], 500),
            ("job-orders-per-s = 500", &["--job-orders-per-s", "0"], 0),
        ] {
            assert_eq!(resolve(file, flags).unwrap().job_orders_per_s, pace);
        }
    }

    #[test]
    fn what_is_said_reaches_the_engine() {
        let file =
            "segment-bytes = 1048576\nsnapshot-every-segments = 2\nretention-bytes = 0\nretention-s = 60";
        let engine = resolve(file, &["--retention-s", "0", "--closed-market-ttl-s", "2"]).unwrap().engine();
        assert_eq!(engine.limits.closed_market_ttl_ms, 2_000);
        assert_eq!((engine.segment_bytes, engine.snapshot_every_segments), (1 << 20, 2));
        assert_eq!((engine.retention_bytes, engine.retention_age), (0, Duration::ZERO));
    }

    #[test]
    fn a_path_that_nobody_means_is_refused() {
        for (path, words) in [
            ("", "it is empty"),
            ("a\nb", "has a control character"),
            ("\u{1b}[2J", "has a control character"),
            ("data ", "\"data\" would be valid"),
        ] {
            let in_file = resolve(&format!("data-dir = {path:?}").replace("\\u{1b}", "\\u001b"), &[]);
            // Of an empty flag clap says it.
            let flag = (!path.is_empty()).then(|| resolve("", &["--data-dir", path]));
            for said in [Some(in_file), flag].into_iter().flatten() {
                let said = said.unwrap_err().to_string();
                assert!(said.starts_with("data-dir: ") && said.contains(words), "{path:?}: {said}");
                assert!(!said.contains(char::is_control), "{said:?}");
            }
        }
    }

    #[test]
    fn every_bound_reaches_the_engine() {
        let file = "max-markets = 1\nmax-market-bytes = 2\nmax-users = 3\nmax-users-per-market = 4\n\
            max-resting-orders = 5\nmax-resting-orders-per-user = 6\nmax-client-ids = 7\n\
            max-client-ids-per-market = 8\nmax-client-ids-per-user = 9\nnew-users-per-s = 10\n\
            new-markets-per-s = 11";
        let options = resolve(file, &["--max-users", "33", "--closed-market-ttl-s", "0"]).unwrap();
        let limits = betex::book::Limits {
            markets: 1,
            market_bytes: 2,
            accounts: 33,
            accounts_per_market: 4,
            resting_orders: 5,
            resting_orders_per_account: 6,
            client_ids: 7,
            client_ids_per_market: 8,
            client_ids_per_account: 9,
            closed_market_ttl_ms: 0,
        };
        assert_eq!(options.engine().limits, limits);
        assert_eq!((options.bounds.new_users_per_s, options.bounds.new_markets_per_s), (10, 11));
        assert_eq!(Options::default().bounds.limits(0), betex::book::Limits::default());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_says_where() {
        let error = resolve("bind = '127.0.0.1'\ngrpc_port = 1\n", &[]).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("`grpc_port`") && error.contains("`grpc-port`"),
            "{error}"
        );
        assert!(resolve("durability = 'sometimes'", &[]).is_err());
        assert!(resolve("grpc-port = 70000", &[]).is_err());
    }

    #[test]
    fn the_smallest_order_is_at_least_a_penny_and_no_more_than_an_order_may_be_for() {
        for (file, flags, pennies) in [
            ("", &[][..], 1),
            ("min-quantity = 100", &[], 100),
            ("min-quantity = 100", &["--min-quantity", "200"], 200),
            ("min-quantity = 1000000000000", &[], 1_000_000_000_000),
        ] {
            assert_eq!(resolve(file, flags).unwrap().min_quantity, pennies);
        }
        for bad in ["0", "-5", "1000000000001"] {
            let error = resolve(&format!("\nmin-quantity = {bad}"), &[]).unwrap_err().to_string();
            let words =
                format!("line 2: min-quantity: {bad} is not valid: 1 to 1000000000000 pennies are valid");
            assert!(error.contains(&words), "{error}");
        }
        assert!(resolve("min-quantity = 'much'", &[]).is_err());
    }
}
