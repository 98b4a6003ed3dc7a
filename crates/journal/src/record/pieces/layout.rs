//! The layouts of snapshots, byte for byte: like all of them never changed once they have been written.

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::record::layout::{Head, OrderFilterV1, layouts};

layouts! {
    /// After it: the limits, [`SnapshotLimitsV1`] in version 1, [`LimitsV2`](crate::record::layout::LimitsV2) in
    /// version 2.
    SnapshotEngineV1: 48 {
        head: Head,
        sequence: U64,
        time_ns: U64,
        last_order_id: U64,
        last_market_id: U64,
        last_removed_id: U64,
    }

    SnapshotLimitsV1: 24 {
        markets: U32,
        accounts: U32,
        resting_orders: U32,
        client_ids_per_market: U32,
        closed_market_ttl_ms: U64,
    }

    /// Behind it: the name.
    SnapshotAccountV1: 16 {
        head: Head,
        name_len: U32,
        reserved: U32,
    }

    /// After it: the runners, the key, the name, the reason, the runners' names. Version 2 has the same fields,
    /// and stakes traded at odds that are not whole pennies.
    SnapshotMarketV1: 72 {
        head: Head,
        id: U64,
        sequence: U64,
        increment: I64,
        min_quantity: I64,
        /// The bits of a [`MarketCreatedV2`], and one for a reason.
        flags: u8,
        ladder: u8,
        /// 0 unless the ladder is binary.
        max_price_ticks: U16,
        kind: u8,
        transition: u8,
        /// When it was created.
        first_state: u8,
        /// When it was created.
        first_phase: u8,
        own_state: u8,
        phase: u8,
        holds: u8,
        reserved: u8,
        runners: U32,
        key_len: U32,
        name_len: U32,
        reason_len: U32,
        reserved_too: U32,
    }

    /// One of the runners behind a [`SnapshotMarketV1`].
    SnapshotRunnerV1: 40 {
        id: U64,
        name_len: U32,
        /// 0: none.
        last_price: U32,
        traded: [u8; 16],
        removed: U16,
        /// See [`runner_flags`].
        flags: u8,
        reserved: [u8; 5],
    }

    /// Where an order stands: part of the records of client order ids and of halves.
    ReportV1: 40 {
        order_id: U64,
        quantity: I64,
        filled: I64,
        remaining: I64,
        status: u8,
        split: u8,
        reserved: [u8; 6],
    }

    /// Behind it: the id.
    SnapshotClientIdV1: 64 {
        head: Head,
        account: U64,
        report: ReportV1,
        id_len: u8,
        reserved: [u8; 7],
    }

    /// After it, of a half: the whole order.
    SnapshotOrderV1: 72 {
        head: Head,
        id: U64,
        account: U64,
        quantity: I64,
        filled: I64,
        remaining: I64,
        accepted_ns: U64,
        expiry_ms: U64,
        tick: U32,
        outcome: U16,
        /// See [`snapshot_order`].
        terms: u8,
        /// In quanta. Of version 1, which calls it reserved, it is 0, of version 2 it is not.
        fraction: u8,
    }

    SnapshotJobV1: 72 {
        head: Head,
        number: U64,
        market: U64,
        filter: OrderFilterV1,
        last_order_id: U64,
        next: U64,
    }

    SnapshotTurnV1: 24 {
        head: Head,
        is_job: u8,
        reserved: [u8; 7],
        /// Of the job, or the id of the closing market.
        number: U64,
    }

    SnapshotClosedV1: 24 {
        head: Head,
        market: U64,
        time_ns: U64,
    }

    SnapshotEndV1: 96 {
        head: Head,
        pieces: U64,
        digest: [u8; 32],
        sequence: U64,
        frame: U64,
        hash: [u8; 16],
        epoch: U32,
        reserved: U32,
        segment: U64,
    }
}

/// The bits of [`SnapshotRunnerV1::flags`].
pub(super) mod runner_flags {
    /// It was removed.
    pub(crate) const REMOVED: u8 = 1;
    /// A set has traded in its group.
    pub(crate) const SET_TRADED: u8 = 2;
}

/// The bits of [`SnapshotOrderV1::terms`].
pub(super) mod snapshot_order {
    /// The side's code.
    pub(crate) const SIDE: u8 = 0b0000_0001;
    /// Entered for the second outcome of a pair.
    pub(crate) const MIRRORED: u8 = 0b0000_0010;
    /// The persistence's code.
    pub(crate) const PERSISTENCE: u8 = 0b0000_0100;
    /// Which half of an order on a quarter line.
    pub(crate) const HALF: u8 = 0b0001_1000;
    /// Where these bits begin.
    pub(crate) const HALF_SHIFT: u32 = 3;
    /// The whole order follows.
    pub(crate) const WHOLE: u8 = 0b0010_0000;
}

/// In [`SnapshotMarketV1::flags`], where bit 1 and bit 2 are those of MarketCreated.
pub(super) const HAS_REASON: u8 = 8;
