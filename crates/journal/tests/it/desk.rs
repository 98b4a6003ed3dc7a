//! An engine without threads: the core, its journal, and who makes snapshots.

use std::sync::Arc;

use betex_core::command::{CommandKind, NewMarket, NewOrder, NewRunner, OrderRef};
use betex_core::decide::decide;
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, OrderId, Price, Quantity, RunnerId, Side,
    TimeInForce,
};
use betex_journal::{
    JournalError, JournalWriter, Log, RecoveryReport, Retention, SegmentPreparer, SnapshotMade,
    SnapshotMaker, SnapshotOptions, Storage,
};

use crate::memory_storage::MemoryStorage;
use crate::tape::{NOON_NS, options};

/// Nothing stays that no snapshot needs.
pub(crate) const NOTHING_KEPT: Retention = Retention { bytes: 0, age_ns: 0 };
/// A snapshot for each segment.
pub(crate) const EVERY: SnapshotOptions = SnapshotOptions { every_segments: 1, retention: NOTHING_KEPT };

pub(crate) struct Desk {
    pub(crate) state: State,
    pub(crate) log: JournalWriter,
    pub(crate) preparer: SegmentPreparer,
    pub(crate) maker: SnapshotMaker,
    pub(crate) report: RecoveryReport,
}

pub(crate) fn try_open(storage: impl Storage, snapshots: SnapshotOptions) -> Result<Desk, JournalError> {
    let (state, (log, preparer, report)) = betex_journal::open_state(Arc::new(storage), &options())?;
    let maker = preparer.snapshot_maker(snapshots);
    Ok(Desk { state, log, preparer, maker, report })
}

pub(crate) fn open(storage: impl Storage) -> Desk {
    try_open(storage, EVERY).unwrap_or_else(|error| panic!("{error}"))
}

/// What the next process finds: the digest of the state.
#[track_caller]
pub(crate) fn recovered(storage: &MemoryStorage) -> [u8; 32] {
    match try_open(storage.clone(), EVERY) {
        Ok(desk) => desk.state.digest(),
        Err(error) => panic!("{error}"),
    }
}

impl Desk {
    /// Decides, applies and writes: one command, one frame.
    #[track_caller]
    pub(crate) fn run(&mut self, market: MarketId, kind: &CommandKind) -> MarketId {
        let now_ns = NOON_NS.max(self.state.time_ns() + 1_000);
        let mut events = Vec::new();
        let receipt = decide(&self.state, market, kind, now_ns, &mut events).unwrap();
        let market = receipt.market_id(market);
        let stamp = self.state.apply_next(market, now_ns, &events);
        self.preparer.step().unwrap();
        self.log.append(&stamp, &events).unwrap();
        self.log.commit().unwrap();
        market
    }

    /// A market with a few orders, one of them with a client order id, one that expires.
    pub(crate) fn trade(&mut self) {
        if self.state.market(MarketId(1)).is_none() {
            self.run(MarketId::NONE, &CommandKind::RegisterAccount { name: "alice".into() });
            let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new("cup", ["1", "X"]) };
            self.run(MarketId(1), &CommandKind::CreateMarket(Box::new(market)));
        }
        let order = |side, price| NewOrder::limit(RunnerId(1), side, Price(price), Quantity(20_000));
        let client_order_id = ClientOrderId::new(&format!("a-{}", self.state.sequence())).ok();
        let time_in_force = TimeInForce::Gtd { expiry_ms: 2 * NOON_NS / 1_000_000 };
        for order in [
            NewOrder { client_order_id, ..order(Side::Yes, 21_000).by(AccountId(1)) },
            order(Side::Yes, 22_000).lasting(time_in_force),
            NewOrder { quantity: Quantity(30_000), ..order(Side::No, 22_000).by(AccountId(2)) },
        ] {
            self.run(MarketId(1), &CommandKind::SubmitOrder(order));
        }
    }

    /// An order that meets nobody.
    pub(crate) fn rest(&mut self) {
        let order = NewOrder::limit(RunnerId(2), Side::Yes, Price(30_000), Quantity(20_000));
        self.run(MarketId(1), &CommandKind::SubmitOrder(order));
    }

    /// Events of many bytes that leave nothing in the state but their numbers.
    pub(crate) fn ballast(&mut self) {
        let runners = (1..=256_u64).map(|n| NewRunner { id: RunnerId(n), name: format!("{n:0128}") });
        let market =
            NewMarket { runners: runners.collect(), synthetic: false, ..NewMarket::new("", [""; 0]) };
        let id = self.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market)));
        self.run(id, &CommandKind::CloseMarket { reason: None });
        self.run(id, &CommandKind::RemoveMarket);
    }

    /// Writes until a snapshot is due.
    pub(crate) fn fill(&mut self) {
        while !self.maker.is_needed() {
            self.ballast();
        }
        self.trade();
    }

    #[track_caller]
    pub(crate) fn snapshot(&mut self) -> SnapshotMade {
        self.maker.step(&|| false).unwrap().expect("a snapshot is due")
    }

    /// Segments, filled, each with a snapshot behind it.
    pub(crate) fn snapshots(&mut self, count: usize) {
        for _ in 0..count {
            self.fill();
            self.snapshot();
        }
    }

    pub(crate) fn prune(&mut self) -> u64 {
        self.maker.prune(u64::MAX, u64::MAX).unwrap().segments
    }

    /// Cancels the youngest order that rests.
    pub(crate) fn cancel(&mut self) {
        let ids = (1..=self.state.sequence()).rev().map(OrderId);
        let order = ids.into_iter().find(|id| self.state.order(*id).is_some()).map(OrderRef::Id).unwrap();
        let kind = CommandKind::CancelOrder { order, account_id: AccountId::NONE, keep: Quantity::ZERO };
        self.run(MarketId(1), &kind);
    }
}

/// The names of the snapshots, oldest first.
pub(crate) fn snapshot_files(storage: &MemoryStorage) -> Vec<String> {
    storage.files().into_iter().filter(|name| name.ends_with(".snapshot")).collect()
}

/// The numbers of the segments.
pub(crate) fn segments(storage: &MemoryStorage) -> Vec<u64> {
    let names = storage.files().into_iter().filter_map(|name| {
        let (_, name) = name.split_once('/')?;
        name.strip_suffix(".segment")?.parse().ok()
    });
    names.collect()
}
