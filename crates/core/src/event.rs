//! What has happened. Events carry what whoever keeps positions, streams or audits needs to know of
//! them; nothing has to be looked up in a state that has moved on.

use crate::command::{NewMarket, NewRunner, VoidedTrades};
use crate::limits::Limits;
use crate::types::{
    AccountId, BookMarketState, ClientOrderId, Hold, MarketId, MarketPhase, Money, OrderId, OrderStatus,
    PackedTimeInForce, Persistence, Price, Quantity, SelfTradePrevention, Side, TradeId,
};

/// The place of an outcome in its market's list of runners, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutcomeIndex(pub u16);

impl OutcomeIndex {
    /// For indexing.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One thing that has happened. The events of one command are one transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The bounds of the engine were set: the first event of a journal, and again when they change.
    LimitsSet(Limits),
    /// An operator has set the engine's time back to that of the transaction: the only one that is earlier than the
    /// one before.
    TimeSetBack {
        /// What the time was, in nanoseconds since the Unix epoch.
        from_ns: u64,
    },
    /// A name got its account. In a transaction of a market it is the first event, and not one of the
    /// market's: it carries the market's number of the event before it.
    AccountRegistered {
        /// The account.
        account: AccountId,
        /// Its name.
        name: Box<str>,
    },
    /// A market was set up.
    MarketCreated(Box<NewMarket>),
    /// A market moved on in its life.
    MarketStatusChanged {
        /// Where it is now, holds aside: while one is on, a market that is told to open is still suspended.
        to: BookMarketState,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// A closed market was forgotten.
    MarketRemoved,
    /// A hold was set or lifted.
    HoldChanged {
        /// Which.
        hold: Hold,
        /// Whether it is on now.
        on: bool,
        /// Where the market is now in its life.
        to: BookMarketState,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// A market moved on in its event's time.
    PhaseChanged {
        /// Where it is now.
        to: MarketPhase,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// Outcomes were added behind those there were.
    RunnersAdded(Box<[NewRunner]>),
    /// An outcome was removed. Trades on it are void; a set that had a leg on it pays its payout less that
    /// leg's stake.
    RunnerRemoved {
        /// Which.
        outcome: OutcomeIndex,
        /// By how much bets on the others are reduced, in 1/10 000.
        reduction: u16,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// Trades were declared void.
    TradesVoided {
        /// Which.
        trades: VoidedTrades,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// A mass cancel was asked for. Its first step is in the same transaction.
    OrdersCancelled(OrderFilter),
    /// A job that takes out orders was not done with the step in this transaction: it goes on by itself.
    JobStarted(Job),
    /// A job took one more step, with this event at its end.
    JobAdvanced {
        /// Which: the sequence number of its [`Event::JobStarted`].
        job: u64,
        /// Where it goes on; [`OrderId::NONE`]: it is done.
        next: OrderId,
    },
    /// An order on a quarter line was taken in: the first event of its transaction, but for the account of a
    /// new user. Its two halves follow, each an [`Event::OrderAccepted`] with its trades.
    OrderSplit {
        /// The whole of it, on the outcome nearer to zero.
        order: OrderAccepted,
        /// The outcome further from zero.
        far: OutcomeIndex,
    },
    /// An order was taken in: the first event of its transaction, but for the account of a new user and the
    /// halves of a quarter line.
    OrderAccepted(OrderAccepted),
    /// The transaction's order met a complete set. The legs of its makers follow.
    SetMatched(SetMatched),
    /// A resting order met the transaction's order, directly or as a leg of a set.
    TradeMatched(TradeMatched),
    /// An order, or part of it, was taken out unfilled.
    OrderCancelled(OrderCancelled),
}

impl Event {
    /// Whether it counts among the events of its transaction's market.
    pub(crate) const fn is_of_market(&self) -> bool {
        !matches!(self, Self::LimitsSet(_) | Self::AccountRegistered { .. })
    }
}

// Every event is copied on its way; what is longer than this is copied by a call, and not in line.
const _: () = assert!(size_of::<Event>() <= 128);

/// Which resting orders a job takes out. What is left at its default does not restrict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only this account's.
    pub account: AccountId,
    /// Only on this outcome.
    pub outcome: Option<OutcomeIndex>,
    /// Only those that are to lapse when the market turns in-play.
    pub lapsing: bool,
    /// Only those taken in at or after this time, in nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// Only those taken in before this time, in nanoseconds since the Unix epoch; 0: whenever.
    pub until_ns: u64,
    /// What the cancelled orders are told.
    pub reason: CancelReason,
}

impl OrderFilter {
    /// Every order, for this reason.
    pub const fn all(reason: CancelReason) -> Self {
        Self { account: AccountId::NONE, outcome: None, lapsing: false, from_ns: 0, until_ns: 0, reason }
    }
}

/// A long job that takes out orders of one market, oldest outcome and best price first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which orders.
    pub filter: OrderFilter,
    /// Not those with a higher id: they came later.
    pub last_order_id: OrderId,
    /// The order it goes on with.
    pub next: OrderId,
}

/// What part of an order on a quarter line an order is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Half {
    /// It is a whole order.
    #[default]
    Whole = 0,
    /// The half on the line nearer to zero; its id is the order's plus 1.
    Near = 1,
    /// The half on the line further from zero; its id is the order's plus 2.
    Far = 2,
}

impl Half {
    /// The order that the client knows, given the id of this half of it.
    pub const fn whole_of(self, id: OrderId) -> OrderId {
        OrderId(id.0 - self as u64)
    }
}

/// An order, as it was asked for, and what of it rests once its transaction is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderAccepted {
    /// Its id.
    pub order_id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// The client's own name for it.
    pub client_order_id: Option<ClientOrderId>,
    /// The outcome.
    pub outcome: OutcomeIndex,
    /// Which side of it.
    pub side: Side,
    /// Its limit; for a MARKET order the worst acceptable price, that is the end of the ladder where
    /// none was given.
    pub price: Price,
    /// Whether it was a MARKET order.
    pub market_order: bool,
    /// How long it stays.
    pub time_in_force: PackedTimeInForce,
    /// What becomes of it when the market turns in-play.
    pub persistence: Persistence,
    /// How much was asked for.
    pub quantity: Quantity,
    /// How much of it rests after this transaction, in whole pennies or shares.
    pub resting: Quantity,
    /// The fraction of a penny that it has left beyond `resting`, in quanta: 0 to 99. Only a complete set at
    /// odds leaves one.
    pub fraction: u8,
    /// Whether it was to be refused if it matched at once.
    pub post_only: bool,
    /// What was to become of it where it met orders of its own account.
    pub self_trade: SelfTradePrevention,
    /// Whether it is half of an order on a quarter line. Halves have no client order id of their own.
    pub half: Half,
}

/// The taker's leg of a set: the first event of the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetMatched {
    /// The order that came in, or the half of it.
    pub taker_order_id: OrderId,
    /// Its outcome.
    pub outcome: OutcomeIndex,
    /// Its side, which is that of every leg.
    pub side: Side,
    /// Its price. At odds: payout / stake, cut (BACK) or raised (LAY) to four decimals; settle by the
    /// payout. In ticks: exactly what the makers' prices leave of the whole.
    pub price: Price,
    /// By how many whole pennies, or shares, this leg reduced what the taker has left.
    pub quantity: Quantity,
    /// Its exact stake in quanta, or its shares. Stakes of all legs together are the payout.
    pub stake: Quantity,
    /// What the winning leg is paid, stake included; the same for all legs.
    pub payout: Money,
    /// How many makers' legs follow.
    pub makers: u16,
}

/// A maker's leg of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeMatched {
    /// The order that came in.
    pub taker_order_id: OrderId,
    /// The order that rested, or the half of one.
    pub maker_order_id: OrderId,
    /// Whose it is.
    pub maker_account: AccountId,
    /// Its outcome.
    pub outcome: OutcomeIndex,
    /// Its side. The taker of a direct trade is on the other; where YES and NO are one ladder, it may
    /// have come for the other outcome, on the same side.
    pub maker_side: Side,
    /// Its price, which is the trade's.
    pub price: Price,
    /// By how many whole pennies, or shares, this leg reduced what the maker has left. The legs of an order
    /// add up to what it has filled.
    pub quantity: Quantity,
    /// The backer's exact stake of this leg in quanta, or its shares. It differs from `quantity` only where
    /// a set at odds takes a fraction of a penny.
    pub stake: Quantity,
    /// What the maker asked for at first.
    pub maker_quantity: Quantity,
    /// What the maker has filled, this leg included, rounded up to whole pennies.
    pub maker_filled: Quantity,
    /// What of the maker still rests, in whole pennies or shares. 0: the maker is FILLED.
    pub maker_remaining: Quantity,
    /// The fraction of a penny that the maker has left beyond `maker_remaining`, in quanta: 0 to 99. Of a
    /// maker that is FILLED this is dust: it is released.
    pub maker_fraction: u8,
    /// Stake and profit together: what is paid if the outcome wins. Of a direct trade it is exactly stake
    /// times odds (odds have two decimals, stakes are whole pennies), or a currency unit a share.
    pub payout: Money,
    /// 0: a direct trade. Otherwise the place of this leg in its set, from 1.
    pub leg: u16,
}

impl TradeMatched {
    /// The trade that this leg is of, given the leg's own sequence number.
    pub const fn trade_id(&self, sequence: u64) -> TradeId {
        TradeId(sequence - self.leg as u64)
    }

    /// Whether it is a leg of a set.
    pub const fn is_synthetic(&self) -> bool {
        self.leg > 0
    }
}

/// What was taken out of an order unfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Its outcome.
    pub outcome: OutcomeIndex,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// Why.
    pub reason: CancelReason,
    /// How much was taken out.
    pub cancelled: Quantity,
    /// What the order asked for at first.
    pub quantity: Quantity,
    /// What it has filled.
    pub filled: Quantity,
    /// What still rests: more than 0 where the order was only reduced.
    pub remaining: Quantity,
}

impl OrderCancelled {
    /// Whether this was the unfilled rest of the order that the transaction brought in, which never
    /// was in the book.
    pub const fn never_rested(&self) -> bool {
        matches!(self.reason, CancelReason::Unfilled | CancelReason::SelfTrade | CancelReason::OrderLimit)
    }
}

/// Why something was taken out of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested = 0,
    /// The rest of a MARKET or IOC order.
    Unfilled = 1,
    /// The rest of an order that would have crossed an order of its own account.
    SelfTrade = 2,
    /// The rest of an order that met the bound on work per command.
    OrderLimit = 3,
    /// Its time was over.
    Expired = 4,
    /// The market closed.
    MarketClosed = 5,
    /// An order of the same account came in that cancels those it would meet.
    OwnOrder = 6,
    /// The market turned in-play.
    Lapsed = 7,
    /// Its outcome was removed.
    RunnerRemoved = 8,
    /// A mass cancel took it out.
    MassCancelled = 9,
}

impl CancelReason {
    /// What becomes of an order that is taken out of the book for this reason.
    pub const fn status(self) -> OrderStatus {
        match self {
            Self::Expired => OrderStatus::Expired,
            Self::Lapsed => OrderStatus::Lapsed,
            _ => OrderStatus::Cancelled,
        }
    }

    /// The reason on the wire: empty where none is given.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested | Self::Unfilled => "",
            Self::SelfTrade | Self::OwnOrder => "SELF_TRADE",
            Self::OrderLimit => "ORDER_LIMIT",
            Self::Expired => "EXPIRED",
            Self::MarketClosed => "MARKET_CLOSED",
            Self::Lapsed => "LAPSED",
            Self::RunnerRemoved => "OUTCOME_REMOVED",
            Self::MassCancelled => "MASS_CANCELLED",
        }
    }
}

/// What all events of one transaction share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The market, [`MarketId::NONE`] where none is concerned.
    pub market_id: MarketId,
    /// Nanoseconds since the Unix epoch: `max(clock, last journaled time)`.
    pub time_ns: u64,
    /// The sequence number of the first event; the others follow without a gap.
    pub sequence: u64,
    /// The same, counted in the market alone (0 where none is concerned). An account that is registered with
    /// its first order does not count: it has the number before that of the order.
    pub market_sequence: u64,
}
