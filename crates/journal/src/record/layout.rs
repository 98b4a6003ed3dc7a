//! The layouts, byte for byte. A struct here is never changed once it has been written: a new field is
//! a new struct with the next version.

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Structs of bytes, each with its length.
macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident: $bytes:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub(super) struct $name { $($(#[$field_doc])* pub(super) $field: $type,)+ }
        const _: () = assert!(size_of::<$name>() == $bytes);
    )+};
}
pub(super) use layouts;

layouts! {
    /// How every record begins.
    Head: 8 {
        kind: U16,
        version: U16,
        /// Of the whole record; a multiple of eight.
        len: U32,
    }

    /// What the events behind it share. It has no sequence number.
    ContextV1: 32 {
        head: Head,
        market_id: U64,
        /// Of the next event; those behind it count on. Always 0 without a market.
        market_sequence: U64,
        time_ns: U64,
    }

    LimitsSetV1: 40 {
        head: Head,
        flags: u8,
        reserved: [u8; 7],
        markets: U32,
        accounts: U32,
        resting_orders: U32,
        client_ids_per_market: U32,
        closed_market_ttl_ms: U64,
    }

    TimeSetBackV1: 24 {
        head: Head,
        flags: u8,
        reserved: [u8; 7],
        from_ns: U64,
    }

    /// With the bounds that version 1 does not have.
    LimitsSetV2: 64 {
        head: Head,
        flags: u8,
        reserved: [u8; 7],
        limits: LimitsV2,
    }

    /// Part of the records that have the bounds of an engine.
    LimitsV2: 48 {
        markets: U32,
        accounts: U32,
        resting_orders: U32,
        client_ids_per_market: U32,
        closed_market_ttl_ms: U64,
        accounts_per_market: U32,
        resting_orders_per_account: U32,
        client_ids: U32,
        client_ids_per_account: U32,
        market_bytes: U64,
    }

    /// Behind it: the name.
    AccountRegisteredV1: 24 {
        head: Head,
        flags: u8,
        reserved: [u8; 3],
        name_len: U32,
        account: U64,
    }

    /// Behind it: the runners, the key, the name, the runners' names.
    MarketCreatedV1: 48 {
        head: Head,
        flags: u8,
        /// [`MODEL_AT_ODDS`]: there was no other.
        model: u8,
        ladder: u8,
        kind: u8,
        state: u8,
        phase: u8,
        reserved: U16,
        increment: I64,
        min_quantity: I64,
        runners: U32,
        key_len: U32,
        name_len: U32,
        reserved_too: U32,
    }

    /// Behind it: the runners, the key, the name, the runners' names.
    MarketCreatedV2: 48 {
        head: Head,
        flags: u8,
        ladder: u8,
        kind: u8,
        state: u8,
        phase: u8,
        transition: u8,
        /// 0 unless the ladder is binary.
        max_price_ticks: U16,
        increment: I64,
        min_quantity: I64,
        runners: U32,
        key_len: U32,
        name_len: U32,
        reserved: U32,
    }

    /// One of the runners behind a [`MarketCreatedV1`], a [`MarketCreatedV2`] or a [`RunnersAddedV1`].
    RunnerV1: 16 {
        id: U64,
        name_len: U32,
        reserved: U32,
    }

    /// Behind it: the reason.
    MarketStatusChangedV1: 16 {
        head: Head,
        flags: u8,
        to: u8,
        reserved: U16,
        reason_len: U32,
    }

    MarketRemovedV1: 16 {
        head: Head,
        flags: u8,
        reserved: [u8; 7],
    }

    /// Behind it: the reason.
    HoldChangedV1: 16 {
        head: Head,
        flags: u8,
        hold: u8,
        to: u8,
        reserved: u8,
        reason_len: U32,
    }

    /// Behind it: the reason.
    PhaseChangedV1: 16 {
        head: Head,
        flags: u8,
        to: u8,
        reserved: U16,
        reason_len: U32,
    }

    /// Behind it: the runners, their names.
    RunnersAddedV1: 16 {
        head: Head,
        flags: u8,
        reserved: [u8; 3],
        runners: U32,
    }

    /// Behind it: the reason.
    RunnerRemovedV1: 24 {
        head: Head,
        flags: u8,
        reserved: u8,
        outcome: U16,
        reason_len: U32,
        reduction: U16,
        reserved_too: [u8; 6],
    }

    /// After it, each only if there is one: expiry u64; client order id, led by its length in one byte.
    ///
    /// Version 2 has the same fields, in `flags` the bits of [`more`], and in `terms` also
    /// [`terms::FOK`], with the minimum fill i64 where the expiry would be. Version 3 has all of these, and in
    /// `resting` the exact amount, which is not whole pennies.
    OrderAcceptedV1: 48 {
        head: Head,
        price: U32,
        outcome: U16,
        flags: u8,
        terms: u8,
        order_id: U64,
        account: U64,
        quantity: I64,
        resting: I64,
    }

    /// The whole order, as in version 2 of OrderAccepted; behind the record what would be behind that.
    OrderSplitV1: 56 {
        order: OrderAcceptedV1,
        far: U16,
        reserved: [u8; 6],
    }

    /// Which orders; its flags are those of the record that it is part of.
    OrderFilterV1: 32 {
        flags: u8,
        reason: u8,
        /// 0 unless there is one.
        outcome: U16,
        reserved: U32,
        account: U64,
        from_ns: U64,
        until_ns: U64,
    }

    OrdersCancelledV1: 40 {
        head: Head,
        filter: OrderFilterV1,
    }

    JobStartedV1: 56 {
        head: Head,
        filter: OrderFilterV1,
        last_order_id: U64,
        next: U64,
    }

    JobAdvancedV1: 32 {
        head: Head,
        flags: u8,
        reserved: [u8; 7],
        job: U64,
        next: U64,
    }

    OrderCancelledV1: 64 {
        head: Head,
        price: U32,
        outcome: U16,
        /// Bit 7: the side; below it the reason.
        side_and_reason: u8,
        flags: u8,
        order_id: U64,
        account: U64,
        cancelled: I64,
        quantity: I64,
        filled: I64,
        remaining: I64,
    }

    /// The taker is the order accepted last before it in the same transaction. The payout is that of a
    /// stake at odds; in version 2, which has the same fields, that of shares. Version 3 is at odds, and its
    /// `maker_remaining` is exact, which is not whole pennies.
    ///
    /// LegMatched has the same fields, too: place and payout follow from the set before it. In its version 2
    /// `quantity` is the exact stake and `maker_remaining` is exact.
    TradeMatchedV1: 64 {
        head: Head,
        price: U32,
        outcome: U16,
        maker_side: u8,
        flags: u8,
        maker_order_id: U64,
        maker_account: U64,
        quantity: I64,
        maker_quantity: I64,
        maker_filled: I64,
        maker_remaining: I64,
    }

    /// The taker is the order accepted last before it in the same transaction. Its makers' legs follow.
    SetMatchedV1: 40 {
        head: Head,
        price: U32,
        outcome: U16,
        side: u8,
        flags: u8,
        quantity: I64,
        payout: I64,
        makers: U16,
        reserved: [u8; 6],
    }

    /// As [`SetMatchedV1`], with a stake that is not the quantity.
    SetMatchedV2: 48 {
        head: Head,
        price: U32,
        outcome: U16,
        side: u8,
        flags: u8,
        quantity: I64,
        stake: I64,
        payout: I64,
        makers: U16,
        reserved: [u8; 6],
    }

    /// After it: the reason.
    TradesVoidedV1: 32 {
        head: Head,
        flags: u8,
        reserved: [u8; 3],
        reason_len: U32,
        /// The trade, or where the window begins.
        first: U64,
        /// Where the window ends; 0 for one trade.
        until_ns: U64,
    }
}

/// In [`MarketCreatedV1::model`].
pub(super) const MODEL_AT_ODDS: u8 = 0;

/// In the flags of a record with a reason: one was given, be it an empty one.
pub(super) const HAS_REASON: u8 = 2;
/// In the flags of a [`HoldChangedV1`].
pub(super) const HOLD_IS_ON: u8 = 4;
/// In the flags of a [`TradesVoidedV1`]: a window, not one trade.
pub(super) const IS_WINDOW: u8 = 4;

/// In the flags of a [`MarketCreatedV2`].
pub(super) const INDEPENDENT: u8 = 2;
/// In the flags of a [`MarketCreatedV2`].
pub(super) const SYNTHETIC: u8 = 4;

/// In [`OrderFilterV1::flags`].
pub(super) const ONE_OUTCOME: u8 = 2;
/// In [`OrderFilterV1::flags`].
pub(super) const LAPSING: u8 = 4;

/// The bits that versions 2 and 3 of OrderAccepted have in their flags.
pub(super) mod more {
    /// Refused if it would match at once.
    pub(crate) const POST_ONLY: u8 = 0b0000_0010;
    /// Self-trade prevention.
    pub(crate) const SELF_TRADE: u8 = 0b0000_1100;
    /// Where these bits begin.
    pub(crate) const SELF_TRADE_SHIFT: u32 = 2;
    /// Which half of an order on a quarter line.
    pub(crate) const HALF: u8 = 0b0011_0000;
    /// Where these bits begin.
    pub(crate) const HALF_SHIFT: u32 = 4;
}

/// The bits of [`OrderAcceptedV1::terms`].
pub(super) mod terms {
    /// The side's code.
    pub(crate) const SIDE: u8 = 0b0000_0001;
    /// A MARKET order.
    pub(crate) const MARKET: u8 = 0b0000_0010;
    /// The persistence's code.
    pub(crate) const PERSISTENCE: u8 = 0b0000_0100;
    /// A client order id follows.
    pub(crate) const CLIENT_ID: u8 = 0b0000_1000;
    /// Time in force.
    pub(crate) const TIME_IN_FORCE: u8 = 0b0011_0000;
    /// Good till cancelled.
    pub(crate) const GTC: u8 = 0b0000_0000;
    /// Immediate or cancel.
    pub(crate) const IOC: u8 = 0b0001_0000;
    /// Good till date: the expiry follows.
    pub(crate) const GTD: u8 = 0b0010_0000;
    /// Fill or kill, from version 2 on: the minimum fill follows.
    pub(crate) const FOK: u8 = 0b0011_0000;
}

/// In [`OrderCancelledV1::side_and_reason`].
pub(super) const CANCELLED_SIDE_SHIFT: u32 = 7;
/// In [`OrderCancelledV1::side_and_reason`].
pub(super) const CANCELLED_REASON: u8 = 0b0111_1111;
