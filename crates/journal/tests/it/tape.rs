//! Transactions to write, and what a test does with a journal.

use std::sync::Arc;

use betex_core::command::{NewMarket, NewRunner, VoidedTrades};
use betex_core::event::{
    CancelReason, Event, Half, Job, OrderAccepted, OrderCancelled, OrderFilter, OutcomeIndex, SetMatched,
    Stamp, TradeMatched,
};
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, Hold, MarketId, MarketKind, MarketPhase, Money, OrderId,
    Persistence, Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce, TradeId,
    TransitionPolicy,
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
        time_in_force: TimeInForce::Gtc.into(),
        persistence: Persistence::Lapse,
        quantity: Quantity(1_000_000),
        resting: Quantity(1_000_000),
        fraction: 0,
        post_only: false,
        self_trade: SelfTradePrevention::Skip,
        half: Half::Whole,
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
        stake: Quantity(400_000),
        maker_quantity: Quantity(1_000_000),
        maker_filled: Quantity(400_000),
        maker_remaining: Quantity(600_000),
        maker_fraction: 0,
        payout: Money(1_000_000),
        leg: 0,
    }
}

/// A set of the taker and these makers: the event that leads it, and a leg for each of them.
pub(crate) fn set(taker: u64, makers: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    let count = u16::try_from(makers.clone().count()).unwrap();
    let payout = Money(1_000_000);
    let leading = SetMatched {
        taker_order_id: OrderId(taker),
        outcome: OutcomeIndex(0),
        side: Side::Yes,
        price: Price(33_333),
        quantity: Quantity(300_000),
        stake: Quantity(300_000),
        payout,
        makers: count,
    };
    let legs = (1..).zip(makers).map(|(leg, maker)| {
        let outcome = OutcomeIndex(leg);
        Event::TradeMatched(TradeMatched {
            outcome,
            maker_side: Side::Yes,
            payout,
            leg,
            ..matched(taker, maker)
        })
    });
    std::iter::once(Event::SetMatched(leading)).chain(legs).collect()
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

/// A short day on which everything happens that can: the one of the first version, and after it what
/// came later, but for fractions of a penny.
pub(crate) fn short_day() -> Vec<Transaction> {
    second_day().transactions
}

/// The short day, and after it sets that are exact to the quantum, and what has a fraction of a penny left.
pub(crate) fn exact_day() -> Vec<Transaction> {
    let mut day = second_day();
    day.push(4, vec![Event::MarketCreated(Box::new(NewMarket::new("oaks", ["1", "2", "3"])))]);
    let taker = |id| OrderAccepted { resting: Quantity(699_900), fraction: 66, ..accepted(id) };
    // Of the second leg the stake is whole pennies, of the third what is left.
    let legs = [(400_100, 400_017, 599_900, 83), (400_000, 400_000, 199_900, 83), (100, 117, 600_000, 0)];
    let exact_set = |taker, makers: std::ops::RangeInclusive<u64>| {
        let mut events = set(taker, makers);
        for (event, (quantity, stake, left, fraction)) in events[1..].iter_mut().zip(legs) {
            let Event::TradeMatched(leg) = event else { continue };
            (leg.quantity, leg.stake) = (Quantity(quantity), Quantity(stake));
            (leg.maker_remaining, leg.maker_fraction) = (Quantity(left), fraction);
        }
        if let Event::SetMatched(set) = &mut events[0] {
            (set.quantity, set.stake) = (Quantity(300_100), Quantity(300_034));
        }
        events
    };
    let mut events = vec![Event::OrderAccepted(taker(20))];
    events.extend(exact_set(20, 21..=23));
    events.push(Event::TradeMatched(TradeMatched { maker_fraction: 17, ..matched(20, 24) }));
    day.push(4, events);
    let mut events = vec![Event::OrderSplit { order: accepted(30), far: OutcomeIndex(1) }];
    for (id, half) in [(31, Half::Near), (32, Half::Far)] {
        events.push(Event::OrderAccepted(OrderAccepted { half, ..taker(id) }));
        events.extend(exact_set(id, 21..=21));
    }
    day.push(4, events);
    day.push(4, vec![Event::OrderCancelled(cancelled(31))]);
    day.transactions
}

fn second_day() -> Tape {
    let mut day = first_day();
    let runner = |id, name: &str| NewRunner { id: RunnerId(id), name: name.to_owned() };
    let market = NewMarket {
        kind: MarketKind::InPlayCapable,
        transition: TransitionPolicy::CancelAll,
        ..NewMarket::new("cup", ["1", "X"])
    };
    day.push(2, vec![Event::MarketCreated(Box::new(market))]);
    day.push(2, vec![Event::RunnersAdded([runner(7, "2"), runner(8, "")].into())]);
    for (on, to) in [(true, BookMarketState::Suspended), (false, BookMarketState::Open)] {
        day.push(
            2,
            vec![Event::HoldChanged { hold: Hold::Halted, on, to, reason: on.then(|| "rain".into()) }],
        );
    }
    day.push(2, vec![Event::OrderAccepted(OrderAccepted { post_only: true, ..accepted(5) })]);
    let time_in_force = TimeInForce::Fok { min_fill: Quantity(300_000) };
    let taker = OrderAccepted {
        time_in_force: time_in_force.into(),
        self_trade: SelfTradePrevention::CancelResting,
        ..accepted(6)
    };
    let mut events = vec![Event::OrderAccepted(taker)];
    events.extend(set(6, 7..=8));
    events.push(Event::TradeMatched(matched(6, 9)));
    let own = OrderCancelled { reason: CancelReason::OwnOrder, ..cancelled(10) };
    events.extend([Event::OrderCancelled(own)]);
    events.extend(set(6, 11..=12));
    day.push(2, events);
    let client_order_id = Some(ClientOrderId::new("q-1").unwrap());
    let order = OrderAccepted { client_order_id, ..accepted(13) };
    day.push(
        2,
        vec![
            Event::OrderSplit { order, far: OutcomeIndex(1) },
            Event::OrderAccepted(OrderAccepted { half: Half::Near, ..accepted(14) }),
            Event::TradeMatched(matched(14, 7)),
            Event::OrderAccepted(OrderAccepted { half: Half::Far, outcome: OutcomeIndex(1), ..accepted(15) }),
            Event::TradeMatched(matched(15, 8)),
        ],
    );
    day.push(3, vec![Event::MarketCreated(Box::new(NewMarket::binary("poll", 100, ["yes", "no"])))]);
    let forty = Quantity(40);
    let (price, payout) = (Price(37), Money(400_000));
    let shares = TradeMatched { price, quantity: forty, stake: forty, payout, ..matched(16, 17) };
    day.push(3, vec![Event::OrderAccepted(accepted(16)), Event::TradeMatched(shares)]);
    let filter = OrderFilter { lapsing: true, ..OrderFilter::all(CancelReason::Lapsed) };
    let job = Job { filter, last_order_id: OrderId(17), next: OrderId(13) };
    let lapsed = Event::OrderCancelled(OrderCancelled { reason: CancelReason::Lapsed, ..cancelled(7) });
    day.push(
        2,
        vec![
            Event::PhaseChanged { to: MarketPhase::Live, reason: Some("".into()) },
            lapsed.clone(),
            Event::JobStarted(job),
        ],
    );
    let job = day.sequence;
    day.push(2, vec![lapsed, Event::JobAdvanced { job, next: OrderId::NONE }]);
    let filter =
        OrderFilter { outcome: Some(OutcomeIndex(2)), ..OrderFilter::all(CancelReason::MassCancelled) };
    day.push(2, vec![Event::OrdersCancelled(filter)]);
    day.push(2, vec![Event::RunnerRemoved { outcome: OutcomeIndex(3), reduction: 250, reason: None }]);
    for trades in
        [VoidedTrades::One(TradeId(12)), VoidedTrades::Window { from_ns: NOON_NS, until_ns: u64::MAX }]
    {
        day.push(2, vec![Event::TradesVoided { trades, reason: Some("error".into()) }]);
    }
    day
}

/// The short day of the first version of the journal.
pub(crate) fn first_day() -> Tape {
    let mut day = Tape::new();
    // The defaults of the first version, which the recorded journal has.
    let limits = Limits {
        markets: 100_000,
        accounts: 1_000_000,
        resting_orders: 10_000_000,
        client_ids_per_market: 1_000_000,
        ..Limits::UNBOUNDED
    };
    day.push(0, vec![Event::LimitsSet(limits)]);
    for (id, name) in [(1, "alice"), (2, "bob")] {
        day.push(0, vec![Event::AccountRegistered { account: AccountId(id), name: name.into() }]);
    }
    let market = NewMarket {
        name: "Sieger".to_owned(),
        synthetic: false,
        ..NewMarket::new("derby", ["Ros", "Étoile"])
    };
    day.push(1, vec![Event::MarketCreated(Box::new(market))]);
    let reason = Some("off".into());
    day.push(1, vec![Event::MarketStatusChanged { to: BookMarketState::Open, reason }]);
    day.time_ns += 1_000;
    let client_order_id = Some(ClientOrderId::new("a-1").unwrap());
    day.push(1, vec![Event::OrderAccepted(OrderAccepted { client_order_id, ..accepted(1) })]);
    let time_in_force = TimeInForce::Gtd { expiry_ms: 1_791_034_200_000 };
    day.push(
        1,
        vec![Event::OrderAccepted(OrderAccepted { time_in_force: time_in_force.into(), ..accepted(3) })],
    );
    day.time_ns += 1_000;
    let taker = OrderAccepted { time_in_force: TimeInForce::Ioc.into(), resting: Quantity(0), ..accepted(4) };
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
    day
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
