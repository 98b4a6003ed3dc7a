//! The bounds of an engine: part of its state, journaled, so that a replay decides as the engine did.

/// How much an engine holds at most. What would go beyond is refused, never evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Markets that are not removed.
    pub markets: u32,
    /// Names in the account table.
    pub accounts: u32,
    /// Resting orders, over all markets.
    pub resting_orders: u32,
    /// Client order ids that one market remembers.
    pub client_ids_per_market: u32,
    /// How long a closed and emptied market stays before the engine removes it, in milliseconds;
    /// 0: until a command does.
    pub closed_market_ttl_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            markets: 100_000,
            accounts: 1_000_000,
            resting_orders: 10_000_000,
            client_ids_per_market: 1_000_000,
            closed_market_ttl_ms: 0,
        }
    }
}

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
