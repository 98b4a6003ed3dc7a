//! The file with options.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::bounds::BoundArgs;
use super::{Durability, OptionsError};
use crate::web::allowed;
use crate::wire::terms::Terms;

/// What a file may say. Whatever else it says is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) grpc_port: Option<u16>,
    pub(super) http_port: Option<u16>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) bind: Option<IpAddr>,
    pub(super) durability: Option<Durability>,
    pub(super) job_orders_per_s: Option<u32>,
    pub(super) segment_bytes: Option<u64>,
    pub(super) snapshot_every_segments: Option<u32>,
    pub(super) retention_bytes: Option<u64>,
    pub(super) retention_s: Option<u64>,
    pub(super) closed_market_ttl_s: Option<u64>,
    #[serde(default, deserialize_with = "min_quantity_of_file")]
    pub(super) min_quantity: Option<u64>,
    #[serde(default, deserialize_with = "hosts_of_file")]
    pub(super) allow_host: Option<Vec<String>>,
    #[serde(default, deserialize_with = "origins_of_file")]
    pub(super) allow_origin: Option<Vec<String>>,
    pub(super) resume_max_events: Option<u64>,
    pub(super) resume_memory_bytes: Option<usize>,
    pub(super) max_markets: Option<u32>,
    pub(super) max_market_bytes: Option<u64>,
    pub(super) max_users: Option<u32>,
    pub(super) max_users_per_market: Option<u32>,
    pub(super) max_resting_orders: Option<u32>,
    pub(super) max_resting_orders_per_user: Option<u32>,
    pub(super) max_client_ids: Option<u32>,
    pub(super) max_client_ids_per_market: Option<u32>,
    pub(super) max_client_ids_per_user: Option<u32>,
    pub(super) new_users_per_s: Option<u32>,
    pub(super) new_markets_per_s: Option<u32>,
}

impl File {
    /// What it says of the bounds. With flattened fields serde could not refuse unknown ones.
    pub(super) fn bounds(&self) -> BoundArgs {
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
pub(super) fn min_quantity(text: &str) -> Result<u64, String> {
    let most = Terms::default().quantity_max();
    let valid = text.parse().ok().filter(|pennies| (1..=most).contains(pennies));
    valid.ok_or_else(|| format!("1 to {most} pennies are valid"))
}

fn min_quantity_of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let said = i64::deserialize(deserializer)?.to_string();
    let problem = |valid| D::Error::custom(format!("min-quantity: {said} is not valid: {valid}"));
    min_quantity(&said).map(Some).map_err(problem)
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<File, OptionsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| OptionsError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| {
        // One line: where, and what would be valid.
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        OptionsError::Invalid { path: path.to_owned(), problem: format!("{place}{}", error.message()) }
    })
}
