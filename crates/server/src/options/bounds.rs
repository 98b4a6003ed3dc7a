//! The bounds on what markets, users and their orders may take: flags, environment and file.

use betex::book::Limits;

/// One list of the bounds, for all that has one field for each.
macro_rules! bounds {
    ($($(#[doc = $help:literal])+ $name:ident: $type:ty, $env:literal, $value:literal, $default:expr;)+) => {
        /// How much the exchange holds at most, and how fast it grows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Bounds {
            $($(#[doc = $help])+ pub $name: $type,)+
        }

        impl Default for Bounds {
            fn default() -> Self {
                let limits = Limits::default();
                Self { $($name: ($default)(&limits),)+ }
            }
        }

        /// What was said of the bounds in one place.
        #[derive(Debug, Default, clap::Args)]
        pub(super) struct BoundArgs {
            $($(#[doc = $help])+ #[arg(long, env = $env, value_name = $value)] pub(super) $name: Option<$type>,)+
        }

        impl BoundArgs {
            /// Puts what was said elsewhere, and the defaults, under what was said here.
            pub(super) fn over(self, other: Self) -> Bounds {
                let default = Bounds::default();
                Bounds { $($name: self.$name.or(other.$name).unwrap_or(default.$name),)+ }
            }
        }
    };
}

bounds! {
    /// Markets that are not forgotten yet [default: 100000]
    max_markets: u32, "BETEX_MAX_MARKETS", "MARKETS", |limits: &Limits| limits.markets;
    /// Bytes of these markets, outcomes and their names: 1024 a market, 256 an outcome, and the names. The server
    /// keeps them twice [default: 1073741824]
    max_market_bytes: u64, "BETEX_MAX_MARKET_BYTES", "BYTES", |limits: &Limits| limits.market_bytes;
    /// Users with an account [default: 1000000]
    max_users: u32, "BETEX_MAX_USERS", "USERS", |limits: &Limits| limits.accounts;
    /// Users with resting orders or client order ids in one market [default: 100000]
    max_users_per_market: u32, "BETEX_MAX_USERS_PER_MARKET", "USERS", |limits: &Limits| limits.accounts_per_market;
    /// Resting orders [default: 10000000]
    max_resting_orders: u32, "BETEX_MAX_RESTING_ORDERS", "ORDERS", |limits: &Limits| limits.resting_orders;
    /// Resting orders of one user; those without a user count as one user's [default: 1000000]
    max_resting_orders_per_user: u32, "BETEX_MAX_RESTING_ORDERS_PER_USER", "ORDERS",
        |limits: &Limits| limits.resting_orders_per_account;
    /// Client order ids that are remembered [default: 10000000]
    max_client_ids: u32, "BETEX_MAX_CLIENT_IDS", "IDS", |limits: &Limits| limits.client_ids;
    /// Client order ids that one market remembers [default: 1000000]
    max_client_ids_per_market: u32, "BETEX_MAX_CLIENT_IDS_PER_MARKET", "IDS",
        |limits: &Limits| limits.client_ids_per_market;
    /// Client order ids of one user that one market remembers [default: 100000]
    max_client_ids_per_user: u32, "BETEX_MAX_CLIENT_IDS_PER_USER", "IDS",
        |limits: &Limits| limits.client_ids_per_account;
    /// New users a second, of which one address may have half; 100 seconds' worth may come at once; 0: no bound
    /// [default: 200]
    new_users_per_s: u32, "BETEX_NEW_USERS_PER_S", "USERS", |_: &Limits| 200;
    /// New markets, and calls that add outcomes, a second, of which one address may have half; 20 seconds' worth
    /// may come at once; 0: no bound [default: 2000]
    new_markets_per_s: u32, "BETEX_NEW_MARKETS_PER_S", "MARKETS", |_: &Limits| 2_000;
}

impl Bounds {
    /// The bounds of the engine.
    pub(super) fn limits(&self, closed_market_ttl_ms: u64) -> Limits {
        Limits {
            markets: self.max_markets,
            market_bytes: self.max_market_bytes,
            accounts: self.max_users,
            accounts_per_market: self.max_users_per_market,
            resting_orders: self.max_resting_orders,
            resting_orders_per_account: self.max_resting_orders_per_user,
            client_ids: self.max_client_ids,
            client_ids_per_market: self.max_client_ids_per_market,
            client_ids_per_account: self.max_client_ids_per_user,
            closed_market_ttl_ms,
        }
    }
}
