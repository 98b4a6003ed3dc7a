//! The bounds that version 1 of LimitsSet does not have. Of a record of that version none is told.

use betex_core::limits::Limits;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct LaterLimits {
    accounts_per_market: u32,
    resting_orders_per_account: u32,
    client_ids: u32,
    client_ids_per_account: u32,
    market_bytes: u64,
}

impl LaterLimits {
    pub(crate) fn of(limits: &Limits) -> Self {
        let Limits { accounts_per_market, resting_orders_per_account, client_ids, .. } = *limits;
        let Limits { client_ids_per_account, market_bytes, .. } = *limits;
        Self {
            accounts_per_market,
            resting_orders_per_account,
            client_ids,
            client_ids_per_account,
            market_bytes,
        }
    }
}
