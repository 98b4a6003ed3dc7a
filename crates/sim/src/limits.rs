//! The bounds of an engine that is played with.

use betex_core::limits::Limits;

use crate::dice::Dice;

/// Bounds that are met.
pub(crate) fn limits(dice: &mut Dice) -> Limits {
    Limits {
        markets: dice.pick(&[7, 100]),
        market_bytes: dice.pick(&[40_000, 1 << 30, 1 << 30]),
        accounts: dice.pick(&[4, 100]),
        accounts_per_market: dice.pick(&[3, 100, 100]),
        resting_orders: dice.pick(&[400, 5_000, 100_000, 100_000]),
        resting_orders_per_account: dice.pick(&[200, 100_000, 100_000]),
        client_ids: dice.pick(&[100, 10_000, 10_000]),
        client_ids_per_market: dice.pick(&[30, 1_000, 1_000]),
        client_ids_per_account: dice.pick(&[10, 1_000, 1_000]),
        closed_market_ttl_ms: dice.pick(&[0, 0, 3_000]),
    }
}
