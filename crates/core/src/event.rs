//! What has happened. Events carry what whoever keeps positions, streams or audits needs to know of
//! them; nothing has to be looked up in a state that has moved on.

use crate::command::NewMarket;
use crate::limits::Limits;
use crate::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, Money, OrderId, OrderStatus, Persistence, Price,
    Quantity, Side, TimeInForce,
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
    /// A name got its account.
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
        /// Where it is now.
        to: BookMarketState,
        /// Why, in the words of whoever asked.
        reason: Option<Box<str>>,
    },
    /// A closed market was forgotten.
    MarketRemoved,
    /// An order was taken in: always the first event of its transaction.
    OrderAccepted(OrderAccepted),
    /// A resting order met the transaction's order.
    TradeMatched(TradeMatched),
    /// An order, or part of it, was taken out unfilled.
    OrderCancelled(OrderCancelled),
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
    pub time_in_force: TimeInForce,
    /// What becomes of it when the market turns in-play.
    pub persistence: Persistence,
    /// How much was asked for.
    pub quantity: Quantity,
    /// How much of it rests after this transaction.
    pub resting: Quantity,
}

/// A maker's leg of a trade. A trade's id is the sequence number of its first leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeMatched {
    /// The order that came in.
    pub taker_order_id: OrderId,
    /// The order that rested.
    pub maker_order_id: OrderId,
    /// Whose it is.
    pub maker_account: AccountId,
    /// Its outcome.
    pub outcome: OutcomeIndex,
    /// Its side. The taker of a direct trade is on the other.
    pub maker_side: Side,
    /// Its price, which is the trade's.
    pub price: Price,
    /// The backer's stake, or shares, of this leg.
    pub quantity: Quantity,
    /// What the maker asked for at first.
    pub maker_quantity: Quantity,
    /// What the maker has filled, this leg included.
    pub maker_filled: Quantity,
    /// What of the maker still rests.
    pub maker_remaining: Quantity,
}

impl TradeMatched {
    /// Stake and profit together, in quanta, of a direct trade at odds: exact, since odds have two
    /// decimals and stakes are whole pennies.
    pub const fn payout(&self) -> Money {
        let payout = self.quantity.0 as i128 * self.price.0 as i128 / 10_000;
        // Quantity::MAX at odds of 1000 is 10^17.
        #[expect(clippy::cast_possible_truncation)]
        Money(payout as i64)
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
}

impl CancelReason {
    /// What becomes of an order that is taken out of the book for this reason.
    pub const fn status(self) -> OrderStatus {
        match self {
            Self::Expired => OrderStatus::Expired,
            _ => OrderStatus::Cancelled,
        }
    }

    /// The reason on the wire: empty where none is given.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested | Self::Unfilled => "",
            Self::SelfTrade => "SELF_TRADE",
            Self::OrderLimit => "ORDER_LIMIT",
            Self::Expired => "EXPIRED",
            Self::MarketClosed => "MARKET_CLOSED",
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
    /// The same, counted in the market alone (0 where none is concerned).
    pub market_sequence: u64,
}
