//! A journal that the core itself has decided, in a directory.

use std::path::Path;
use std::sync::Arc;

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderRef};
use betex_core::decide::{Receipt, decide};
use betex_core::event::{Event, Stamp};
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, Side, TimeInForce,
};
use betex_journal::{FileStorage, JournalWriter, Log as _, SegmentPreparer};

use crate::tape::{NOON_NS, options};

/// A core with its journal.
pub(crate) struct RealDay {
    pub(crate) state: State,
    log: JournalWriter,
    preparer: SegmentPreparer,
    now_ns: u64,
}

pub(crate) const DERBY: MarketId = MarketId(1);

impl RealDay {
    /// Goes on with what is there.
    pub(crate) fn open(directory: &Path) -> Self {
        let mut state = State::new();
        let storage = Arc::new(FileStorage::new(directory));
        let (log, preparer, _) =
            betex_journal::open(storage, &options(), &mut |stamp, events| state.apply(stamp, events))
                .unwrap();
        let now_ns = NOON_NS.max(state.time_ns());
        Self { state, log, preparer, now_ns }
    }

    /// Two accounts, two markets, trades, a cancel, and a suspension: eleven frames of a transaction each.
    pub(crate) fn write(directory: &Path) -> Self {
        let mut day = Self::open(directory);
        for name in ["alice", "bob"] {
            day.run(MarketId::NONE, &CommandKind::RegisterAccount { name: name.into() });
        }
        for key in ["derby", "cup"] {
            let market = NewMarket { state: BookMarketState::Open, ..NewMarket::new(key, ["1", "X", "2"]) };
            day.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market)));
        }
        day.now_ns += 1_000_000_000;
        for (market, account, side, price, quantity) in [
            (DERBY, 1, Side::Yes, 25_000, 40_000),
            (DERBY, 1, Side::Yes, 26_000, 20_000),
            (MarketId(2), 1, Side::No, 30_000, 10_000),
            (DERBY, 2, Side::No, 27_000, 50_000),
        ] {
            day.order(market, account, side, price, quantity);
        }
        day.now_ns += 1_000_000_000;
        let ioc = NewOrder::limit(RunnerId(1), Side::No, Price(20_000), Quantity(500))
            .by(AccountId(2))
            .lasting(TimeInForce::Ioc);
        day.run(DERBY, &CommandKind::SubmitOrder(ioc));
        let order = OrderRef::Id(OrderId(3));
        let cancel = CommandKind::CancelOrder { order, account_id: AccountId::NONE, keep: Quantity(5_000) };
        day.run(MarketId(2), &cancel);
        day.run(DERBY, &CommandKind::SuspendMarket { reason: Some("rain".into()) });
        day
    }

    pub(crate) fn order(&mut self, market: MarketId, account: u64, side: Side, price: u32, quantity: i64) {
        let order =
            NewOrder::limit(RunnerId(1), side, Price(price), Quantity(quantity)).by(AccountId(account));
        self.run(market, &CommandKind::SubmitOrder(order));
    }

    /// One command, one frame.
    pub(crate) fn run(&mut self, market: MarketId, kind: &CommandKind) -> Receipt {
        let mut events = Vec::new();
        let receipt = decide(&self.state, market, kind, self.now_ns, &mut events).unwrap();
        let stamp = self.stamp(receipt.market_id(market));
        self.journal(&stamp, &events);
        self.state.apply(&stamp, &events);
        receipt
    }

    /// Writes events, whether or not the core would emit them.
    pub(crate) fn journal(&mut self, stamp: &Stamp, events: &[Event]) {
        self.preparer.step().unwrap();
        self.log.append(stamp, events).unwrap();
        self.log.commit().unwrap();
    }

    pub(crate) fn stamp(&self, market_id: MarketId) -> Stamp {
        let market_sequence = match self.state.market(market_id) {
            Some(market) => market.sequence() + 1,
            None => u64::from(market_id.is_some()),
        };
        Stamp { market_id, time_ns: self.now_ns, sequence: self.state.sequence() + 1, market_sequence }
    }
}
