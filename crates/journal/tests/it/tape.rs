//! Transactions to write, and what a test does with a journal.

use std::sync::Arc;

use betex_core::command::NewMarket;
use betex_core::event::{
    CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp, TradeMatched,
};
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, OrderId, Persistence, Price, Quantity, Side,
    TimeInForce,
};
use betex_journal::{
    Durability, JournalError, JournalOptions, JournalReader, JournalWriter, Log, ReadError, RecoveryReport,
    SEGMENT_BYTES_MIN, SegmentPreparer, Storage,
};

pub(crate) type Transaction = (Stamp, Vec<Event>);

pub(crate) const JOURNAL: u64 = 0x00BE_7E00_0000_0001;
/// 2026-10-03 12:30:00 UTC.
pub(crate) const NOON_NS: u64 = 1_791_030_600_000_000_000;

/// Transactions in order, with the numbers they must have.
#[derive(Default)]
pub(crate) struct Tape {
    pub(crate) transactions: Vec<Transaction>,
    sequence: u64,
    market_sequences: std::collections::BTreeMap<u64, u64>,
    pub(crate) time_ns: u64,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self { time_ns: NOON_NS, ..Self::default() }
    }

    pub(crate) fn push(&mut self, market: u64, events: Vec<Event>) {
        let count = events.len() as u64;
        let mut stamp = Stamp { time_ns: self.time_ns, sequence: self.sequence + 1, ..Stamp::default() };
        if market != 0 {
            let last = self.market_sequences.entry(market).or_default();
            (stamp.market_id, stamp.market_sequence) = (MarketId(market), *last + 1);
            *last += count;
        }
        self.sequence += count;
        self.transactions.push((stamp, events));
    }
}

pub(crate) fn accepted(id: u64) -> OrderAccepted {
    OrderAccepted {
        order_id: OrderId(id),
        account: AccountId(1 + id % 2),
        client_order_id: None,
        outcome: OutcomeIndex(0),
        side: if id.is_multiple_of(2) { Side::Yes } else { Side::No },
        price: Price(25_000),
        market_order: false,
        time_in_force: TimeInForce::Gtc,
        persistence: Persistence::Lapse,
        quantity: Quantity(1_000_000),
        resting: Quantity(1_000_000),
    }
}

pub(crate) fn matched(taker: u64, maker: u64) -> TradeMatched {
    TradeMatched {
        taker_order_id: OrderId(taker),
        maker_order_id: OrderId(maker),
        maker_account: AccountId(1 + maker % 2),
        outcome: OutcomeIndex(0),
        maker_side: if maker.is_multiple_of(2) { Side::Yes } else { Side::No },
        price: Price(25_000),
        quantity: Quantity(400_000),
        maker_quantity: Quantity(1_000_000),
        maker_filled: Quantity(400_000),
        maker_remaining: Quantity(600_000),
    }
}

pub(crate) fn cancelled(id: u64) -> OrderCancelled {
    OrderCancelled {
        order_id: OrderId(id),
        account: AccountId(1 + id % 2),
        outcome: OutcomeIndex(0),
        side: if id.is_multiple_of(2) { Side::Yes } else { Side::No },
        price: Price(25_000),
        reason: CancelReason::Requested,
        cancelled: Quantity(600_000),
        quantity: Quantity(1_000_000),
        filled: Quantity(400_000),
        remaining: Quantity(0),
    }
}

/// A short day on which everything happens that can.
pub(crate) fn short_day() -> Vec<Transaction> {
    let mut day = Tape::new();
    day.push(0, vec![Event::LimitsSet(Limits::default())]);
    for (id, name) in [(1, "alice"), (2, "bob")] {
        day.push(0, vec![Event::AccountRegistered { account: AccountId(id), name: name.into() }]);
    }
    let market = NewMarket { name: "Sieger".to_owned(), ..NewMarket::new("derby", ["Ros", "Étoile"]) };
    day.push(1, vec![Event::MarketCreated(Box::new(market))]);
    let reason = Some("off".into());
    day.push(1, vec![Event::MarketStatusChanged { to: BookMarketState::Open, reason }]);
    day.time_ns += 1_000;
    let client_order_id = Some(ClientOrderId::new("a-1").unwrap());
    day.push(1, vec![Event::OrderAccepted(OrderAccepted { client_order_id, ..accepted(1) })]);
    let time_in_force = TimeInForce::Gtd { expiry_ms: 1_791_034_200_000 };
    day.push(1, vec![Event::OrderAccepted(OrderAccepted { time_in_force, ..accepted(3) })]);
    day.time_ns += 1_000;
    let taker = OrderAccepted { time_in_force: TimeInForce::Ioc, resting: Quantity(0), ..accepted(4) };
    let rest = OrderCancelled { reason: CancelReason::Unfilled, ..cancelled(4) };
    day.push(
        1,
        vec![
            Event::OrderAccepted(taker),
            Event::TradeMatched(matched(4, 1)),
            Event::TradeMatched(matched(4, 3)),
            Event::OrderCancelled(rest),
        ],
    );
    day.push(1, vec![Event::OrderCancelled(cancelled(1))]);
    day.push(1, vec![Event::MarketStatusChanged { to: BookMarketState::Closed, reason: None }]);
    day.push(1, vec![Event::MarketRemoved]);
    day.transactions
}

/// What a frame of one of [`orders`] takes: header, context, order, padding.
pub(crate) const ORDER_FRAME: usize = (64_usize + 32 + 48).next_multiple_of(64);
/// How many of these fit in the smallest segment, which the tests use.
pub(crate) const ORDERS_PER_SEGMENT: usize = (1 << 20) / ORDER_FRAME;

/// Single orders in one market, `count` of them.
pub(crate) fn orders(count: u64) -> Vec<Transaction> {
    let mut tape = Tape::new();
    for id in 1..=count {
        tape.push(1, vec![Event::OrderAccepted(accepted(id))]);
    }
    tape.transactions
}

pub(crate) fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: SEGMENT_BYTES_MIN,
        durability: Durability::Always,
        new_journal_number: JOURNAL,
        now_ns: NOON_NS,
    }
}

pub(crate) struct Opened {
    pub(crate) log: JournalWriter,
    pub(crate) preparer: SegmentPreparer,
    pub(crate) report: RecoveryReport,
    pub(crate) replayed: Vec<Transaction>,
}

pub(crate) fn try_open(storage: impl Storage) -> Result<Opened, JournalError> {
    try_open_with(storage, &options())
}

pub(crate) fn try_open_with(storage: impl Storage, options: &JournalOptions) -> Result<Opened, JournalError> {
    let mut replayed = Vec::new();
    let mut replay = |stamp: &Stamp, events: &[Event]| replayed.push((*stamp, events.to_vec()));
    let (log, preparer, report) = betex_journal::open(Arc::new(storage), options, &mut replay)?;
    Ok(Opened { log, preparer, report, replayed })
}

pub(crate) fn open(storage: impl Storage) -> Opened {
    try_open(storage).unwrap_or_else(|error| panic!("{error}"))
}

impl Opened {
    /// Each transaction in a frame of its own; segments are prepared as they are needed.
    pub(crate) fn write(&mut self, transactions: &[Transaction]) {
        for (stamp, events) in transactions {
            self.preparer.step().unwrap();
            self.log.append(stamp, events).unwrap();
            self.log.commit().unwrap();
        }
    }
}

/// All that a reader gives until there is nothing more.
pub(crate) fn read_on(reader: &mut JournalReader) -> Result<Vec<Transaction>, ReadError> {
    let (mut transactions, mut events) = (Vec::new(), Vec::new());
    while let Some(stamp) = reader.next_transaction(&mut events)? {
        transactions.push((stamp, events.clone()));
    }
    Ok(transactions)
}

pub(crate) fn read_all(storage: impl Storage) -> Result<Vec<Transaction>, ReadError> {
    read_on(&mut JournalReader::open(Arc::new(storage))?)
}

/// The name of a segment of [`JOURNAL`].
pub(crate) fn segment(number: u64) -> String {
    format!("{JOURNAL:016x}/{number:08}.segment")
}
