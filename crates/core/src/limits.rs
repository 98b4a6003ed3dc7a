//! The bounds of an engine: part of its state, journaled, so that a replay decides as the engine did.

/// How much an engine holds at most. What would go beyond is refused, never evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Markets that are not removed.
    pub markets: u32,
    /// Bytes that these markets, their outcomes and all their names take, by the count of
    /// [`MARKET_BYTES`] and [`OUTCOME_BYTES`].
    pub market_bytes: u64,
    /// Names in the account table.
    pub accounts: u32,
    /// Accounts of which one market has resting orders or remembers client order ids.
    pub accounts_per_market: u32,
    /// Resting orders, over all markets.
    pub resting_orders: u32,
    /// Resting orders of one account, over all markets. Orders without an account count as those of one.
    pub resting_orders_per_account: u32,
    /// Client order ids that are remembered, over all markets.
    pub client_ids: u32,
    /// Client order ids that one market remembers.
    pub client_ids_per_market: u32,
    /// Client order ids of one account that one market remembers.
    pub client_ids_per_account: u32,
    /// How long a closed and emptied market stays before the engine removes it, in milliseconds;
    /// 0: until a command does.
    pub closed_market_ttl_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            markets: 100_000,
            market_bytes: 1 << 30,
            accounts: 1_000_000,
            accounts_per_market: 100_000,
            resting_orders: 10_000_000,
            resting_orders_per_account: 1_000_000,
            client_ids: 10_000_000,
            client_ids_per_market: 1_000_000,
            client_ids_per_account: 100_000,
            closed_market_ttl_ms: 0,
        }
    }
}

impl Limits {
    /// No bounds.
    pub const UNBOUNDED: Self = Self {
        markets: u32::MAX,
        market_bytes: u64::MAX,
        accounts: u32::MAX,
        accounts_per_market: u32::MAX,
        resting_orders: u32::MAX,
        resting_orders_per_account: u32::MAX,
        client_ids: u32::MAX,
        client_ids_per_market: u32::MAX,
        client_ids_per_account: u32::MAX,
        closed_market_ttl_ms: 0,
    };

    /// Those of a state before its journal sets any: the defaults of the first version, so that a journal that sets
    /// none makes the state that it made then.
    pub(crate) const BEFORE_ANY_ARE_SET: Self = Self {
        markets: 100_000,
        accounts: 1_000_000,
        resting_orders: 10_000_000,
        client_ids_per_market: 1_000_000,
        ..Self::UNBOUNDED
    };

    /// Whether the bounds are only those that the first journals had: the others are unbounded. Such bounds are
    /// written, and count in the digest, as they did then.
    pub fn are_of_the_first_version(&self) -> bool {
        let Self { markets, accounts, resting_orders, client_ids_per_market, closed_market_ttl_ms, .. } =
            *self;
        let first = Self {
            markets,
            accounts,
            resting_orders,
            client_ids_per_market,
            closed_market_ttl_ms,
            ..Self::UNBOUNDED
        };
        *self == first
    }
}

/// What a market counts among [`Limits::market_bytes`], besides its names and outcomes.
pub const MARKET_BYTES: u64 = 1_024;
/// What an outcome counts among [`Limits::market_bytes`], besides its name.
pub const OUTCOME_BYTES: u64 = 256;

/// Most maker legs that one command fills.
pub const FILLS_MAX: u32 = 4_096;
/// Most orders of its own account that one command passes over or cancels.
pub const OWN_ORDERS_SKIPPED_MAX: u32 = 4_096;
/// Most makers that one command looks at for sets: each look counts all makers of a set. After that it looks
/// for no more sets.
pub const MAKERS_LOOKED_AT_MAX: u32 = 131_072;
/// Most makers that are looked at for one list of virtual levels.
pub const VIRTUAL_MAKERS_LOOKED_AT_MAX: u32 = 16_384;
/// Most makers that are looked at for the virtual levels of a whole market: those of its first lists.
pub const MARKET_VIRTUAL_MAKERS_LOOKED_AT_MAX: u32 = 131_072;
/// Most orders that one step of a long job takes out.
pub const ORDERS_PER_STEP_MAX: u32 = 512;
/// Most orders that one step of a long job looks at.
pub const ORDERS_SEEN_PER_STEP_MAX: u32 = 4_096;
/// Most mass cancels that wait for their next step. What the engine does for its own sake - closing, turning
/// in-play, removing an outcome - always may.
pub const MASS_CANCELS_MAX: usize = 1_024;
/// Most of them in one market.
pub const MASS_CANCELS_PER_MARKET_MAX: usize = 16;
