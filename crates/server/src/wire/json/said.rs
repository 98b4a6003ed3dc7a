//! The messages of the WebSocket.

use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said<'a> {
    OrderSubmit {
        order_id: u64,
        market_id: &'a str,
        outcome_id: &'a str,
        side: &'a str,
        price: u64,
        size: u64,
        user_id: &'a str,
        expiry_ms: Option<u64>,
        sequence: u64,
    },
    Match {
        sequence: u64,
        market_id: &'a str,
        outcome_id: &'a str,
        maker_order_id: u64,
        taker_order_id: u64,
        maker_side: &'a str,
        taker_side: &'a str,
        price: u64,
        quantity: u64,
        timestamp: u64,
        is_synthetic: bool,
        is_cross_match: bool,
        /// Not one of the reference's fields: the exact stake, in quanta or shares.
        stake: i64,
    },
    OrderFilled(About<'a>),
    OrderExpired(About<'a>),
    OrderCancelled(About<'a>),
    MarketCreated {
        market_id: &'a str,
        name: &'a str,
        model: &'a str,
        outcomes: Vec<&'a str>,
        sequence: u64,
    },
    /// From here on those for who asks for all.
    OrderSplit {
        order_id: u64,
        leg_order_ids: [u64; 2],
        market_id: &'a str,
        outcome_id: &'a str,
        side: &'a str,
        price: u64,
        size: u64,
        user_id: &'a str,
        sequence: u64,
    },
    OrderReduced {
        #[serde(flatten)]
        about: About<'a>,
        cancelled_quantity: u64,
        remaining_quantity: u64,
        remaining_stake: i64,
    },
    BookUpdate {
        market_id: &'a str,
        outcome_id: &'a str,
        side: &'a str,
        price: u64,
        odds: f64,
        /// Only of binary markets.
        #[serde(skip_serializing_if = "is_zero")]
        ticks: u32,
        quantity: u64,
        order_count: u32,
        sequence: u64,
    },
    MarketOpened(Moved<'a>),
    MarketSuspended(Moved<'a>),
    MarketClosed(Moved<'a>),
    MarketHeld {
        hold: &'a str,
        status: &'a str,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    MarketReleased {
        hold: &'a str,
        status: &'a str,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    MarketPhase {
        phase: &'a str,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    OutcomesAdded {
        outcomes: Vec<&'a str>,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    OutcomeRemoved {
        outcome_id: &'a str,
        reduction_factor: u16,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    /// One trade, or those of a window.
    TradesVoided {
        trade_id: Option<u64>,
        from_ns: Option<u64>,
        until_ns: Option<u64>,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
    /// `job`, the sequence of its STARTED, is null in ASKED; what it takes out is null after STARTED.
    MassCancel {
        status: &'a str,
        job: Option<u64>,
        user_id: Option<&'a str>,
        outcome_id: Option<&'a str>,
        entered_from_ns: Option<u64>,
        entered_until_ns: Option<u64>,
        #[serde(flatten)]
        moved: Moved<'a>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(ticks: &u32) -> bool {
    *ticks == 0
}

/// An order that something has become of.
#[derive(Serialize)]
pub(super) struct About<'a> {
    pub(super) order_id: u64,
    pub(super) market_id: &'a str,
    pub(super) outcome_id: &'a str,
    pub(super) sequence: u64,
}

/// A market that has moved on.
#[derive(Serialize)]
pub(super) struct Moved<'a> {
    pub(super) market_id: &'a str,
    pub(super) reason: &'a str,
    pub(super) timestamp: u64,
    pub(super) sequence: u64,
}
