//! Why a command was refused, in words that name what would be valid.

use crate::ladder::Ladder;
use crate::line::LineError;
use crate::types::{
    AccountId, BookMarketState, Hold, MarketId, MarketPhase, OrderId, OrderStatus, Price, Quantity, RunnerId,
};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderReport {
    /// Its id.
    pub order_id: OrderId,
    /// What has become of it.
    pub status: OrderStatus,
    /// What it asked for.
    pub quantity: Quantity,
    /// What is filled, rounded up to whole pennies: the quantity less what was cancelled and what rests.
    pub filled: Quantity,
    /// What rests, in whole pennies or shares; of an order on a quarter line those of both halves.
    pub remaining: Quantity,
    /// Whether it is on a quarter line: then its halves have the next two ids.
    pub split: bool,
}

impl OrderReport {
    /// An order that has just come in.
    pub(crate) const fn new(order_id: OrderId, quantity: Quantity, split: bool) -> Self {
        let (status, filled) = (OrderStatus::Resting, Quantity::ZERO);
        Self { order_id, status, quantity, filled, remaining: quantity, split }
    }

    /// Something of it was filled.
    pub(crate) const fn fill(&mut self, quantity: Quantity) {
        self.filled.0 += quantity.0;
        self.leave(quantity, OrderStatus::Filled);
    }

    /// Something of it leaves; `end` is where it stands if that was the last of it.
    pub(crate) const fn leave(&mut self, quantity: Quantity, end: OrderStatus) {
        self.remaining.0 -= quantity.0;
        self.status = OrderStatus::of(self.filled, self.remaining, end);
    }

    /// What was neither filled nor rests.
    pub const fn cancelled(&self) -> Quantity {
        Quantity(self.quantity.0 - self.filled.0 - self.remaining.0)
    }
}

/// A command that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The journal's disk is full, and so is what was kept for cancels. The core never decides this: the engine refuses
    /// what would add events.
    #[error("the journal's disk is full, and nothing can be added until there is room")]
    JournalFull,
    /// No such market.
    #[error("market_id: there is no market {0}")]
    MarketNotFound(MarketId),
    /// The id or the key is taken.
    #[error("market_id: there is a market with this {0} already")]
    MarketExists(&'static str),
    /// A field of a new market is not valid.
    #[error("{field}: {problem}")]
    InvalidMarket {
        /// Which field.
        field: &'static str,
        /// What is wrong and what would be valid.
        problem: &'static str,
    },
    /// A field of an order, or of what is to be done with a market, is not valid.
    #[error("{field}: {problem}")]
    InvalidField {
        /// Which field.
        field: &'static str,
        /// What is wrong and what would be valid.
        problem: &'static str,
    },
    /// The name of an outcome is not the line that it looks like.
    #[error("outcomes: {0}")]
    InvalidLine(LineError),
    /// A text is too long or empty.
    #[error("{field}: {len} bytes, valid are {min} to {max}")]
    InvalidText {
        /// Which field.
        field: &'static str,
        /// How long it was.
        len: usize,
        /// Fewest bytes.
        min: usize,
        /// Most bytes.
        max: usize,
    },
    /// The market's state does not allow this step.
    #[error("the market is {from}, so it cannot become {to}")]
    InvalidTransition {
        /// Where it is.
        from: BookMarketState,
        /// Where it was to go.
        to: BookMarketState,
    },
    /// A hold keeps the market from this step.
    #[error("the market is {}, so it cannot become {to}; lift the hold first", hold.name())]
    Held {
        /// Which hold.
        hold: Hold,
        /// Where it was to go.
        to: BookMarketState,
    },
    /// The hold is on already, or is not on.
    #[error("the market is {} {}", if *on { "already" } else { "not" }, hold.name())]
    HoldUnchanged {
        /// Which hold.
        hold: Hold,
        /// Whether it is on.
        on: bool,
    },
    /// The market's phase does not allow this one.
    #[error("phase: the market is {from:?}, so it cannot become {to:?}")]
    InvalidPhase {
        /// Where it is.
        from: MarketPhase,
        /// Where it was to go.
        to: MarketPhase,
    },
    /// What the market is, or has traded, does not allow this.
    #[error("{0}")]
    NotPossible(&'static str),
    /// Only a closed market without resting orders can be removed.
    #[error("the market is {state} with {resting} resting orders; close it first and let it empty")]
    NotRemovable {
        /// Where it is.
        state: BookMarketState,
        /// What rests in it.
        resting: u32,
    },
    /// Orders are accepted only in an open market.
    #[error("the market is {0}; orders are accepted when it is OPEN")]
    MarketNotOpen(BookMarketState),
    /// Nothing can be cancelled any more: the market does so itself.
    #[error("the market is CLOSED; what rests in it is being cancelled")]
    MarketClosed,
    /// No such outcome in the market.
    #[error("outcome_id: the market has no outcome {0}")]
    InvalidOutcome(RunnerId),
    /// The price is not on the market's ladder.
    #[error("price: {}", price_hint(*.ladder, *.price, *.below, *.above))]
    InvalidPrice {
        /// The market's ladder.
        ladder: Ladder,
        /// What was asked for.
        price: Price,
        /// The next valid price below.
        below: Option<Price>,
        /// The next valid price above.
        above: Option<Price>,
    },
    /// The quantity is not one the market takes.
    #[error("quantity: {quantity} is not valid: at least {min}, at most {max}, in multiples of {increment}")]
    InvalidQuantity {
        /// What was asked for.
        quantity: Quantity,
        /// The smallest order.
        min: Quantity,
        /// The largest order.
        max: Quantity,
        /// The step.
        increment: Quantity,
    },
    /// An order can't be reduced to this.
    #[error("keep: {keep} is not valid: 0, or at least {min} in multiples of {increment}")]
    InvalidKeep {
        /// What was to be kept.
        keep: Quantity,
        /// The smallest order.
        min: Quantity,
        /// The step.
        increment: Quantity,
    },
    /// The expiry is not in the future.
    #[error("expiry_ms: {expiry_ms} is not after now, {now_ms} (milliseconds since the Unix epoch)")]
    InvalidExpiry {
        /// What was asked for.
        expiry_ms: u64,
        /// The time of the command.
        now_ms: u64,
    },
    /// It would rest across an order of its own account, or meet one.
    #[error("the order would match a resting order of the same account")]
    SelfTrade,
    /// Fill or kill: less than the least would be filled.
    #[error("min_fill: {fillable} of at least {min_fill} would be filled")]
    WouldNotFill {
        /// What would be filled.
        fillable: Quantity,
        /// What was asked for.
        min_fill: Quantity,
    },
    /// Post-only: some of it would match at once.
    #[error("the order would match at once, and is post-only")]
    WouldMatch,
    /// Fill or kill: it met the bound on the work of one command before it was filled.
    #[error("the order met the bound on work for one order before it was filled")]
    OrderLimit,
    /// The client order id names an order already.
    #[error("client_order_id: used before, for order {}", .0.order_id)]
    DuplicateClientId(OrderReport),
    /// No such resting order.
    #[error("order_id: there is no resting order {0} in this market")]
    OrderNotFound(OrderId),
    /// An order on a quarter line is cancelled as one.
    #[error("order_id: {half} is half of order {whole}; cancel that")]
    HalfOfOrder {
        /// What was asked for.
        half: OrderId,
        /// The order it is part of.
        whole: OrderId,
    },
    /// No order of this account with this client id.
    #[error("client_order_id: no order of this account has this id in this market")]
    ClientIdNotFound,
    /// Somebody else's order.
    #[error("user_id: order {order_id} is not of account {account}")]
    NotTheOwner {
        /// The order.
        order_id: OrderId,
        /// Who asked.
        account: AccountId,
    },
    /// A bound of the engine is met.
    #[error("the limit of {limit} {what} is reached")]
    LimitReached {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
}

fn price_hint(ladder: Ladder, price: Price, below: Option<Price>, above: Option<Price>) -> String {
    let name = |price: Price| match ladder {
        Ladder::Classic | Ladder::Finest => price.odds().to_string(),
        Ladder::Binary { .. } => price.0.to_string(),
    };
    let nearest = match (below, above) {
        (Some(below), Some(above)) => format!("the nearest are {} and {}", name(below), name(above)),
        (Some(only), None) | (None, Some(only)) => format!("the nearest is {}", name(only)),
        (None, None) => "the ladder is empty".to_owned(),
    };
    format!("{} is not on the market's ladder; {nearest}", name(price))
}

/// What kind of refusal it is: what a gateway needs to choose its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionClass {
    /// The market's decision about a well-formed order: an answer, not an error. With its code.
    Order(&'static str),
    /// Malformed.
    Invalid,
    /// No such thing.
    NotFound,
    /// There already.
    Exists,
    /// The state does not allow it.
    Precondition,
    /// A bound is met.
    Exhausted,
}

impl Rejection {
    /// What kind of refusal this is.
    pub const fn class(&self) -> RejectionClass {
        use RejectionClass::{Exhausted, Exists, Invalid, NotFound, Order, Precondition};
        match self {
            Self::MarketNotOpen(_) => Order("MARKET_NOT_OPEN"),
            Self::InvalidOutcome(_) => Order("INVALID_OUTCOME"),
            Self::InvalidPrice { .. } => Order("INVALID_PRICE"),
            Self::InvalidQuantity { .. } => Order("INVALID_QUANTITY"),
            Self::InvalidExpiry { .. } => Order("INVALID_EXPIRY"),
            Self::SelfTrade => Order("SELF_TRADE"),
            Self::WouldNotFill { .. } => Order("WOULD_NOT_FILL"),
            Self::WouldMatch => Order("WOULD_MATCH"),
            Self::OrderLimit => Order("ORDER_LIMIT"),
            Self::DuplicateClientId(_) => Order("DUPLICATE_CLIENT_ID"),
            Self::InvalidMarket { .. }
            | Self::InvalidField { .. }
            | Self::InvalidKeep { .. }
            | Self::InvalidLine(_)
            | Self::InvalidText { .. } => Invalid,
            Self::MarketNotFound(_)
            | Self::OrderNotFound(_)
            | Self::HalfOfOrder { .. }
            | Self::ClientIdNotFound => NotFound,
            Self::MarketExists(_) => Exists,
            Self::InvalidTransition { .. }
            | Self::Held { .. }
            | Self::HoldUnchanged { .. }
            | Self::InvalidPhase { .. }
            | Self::NotPossible(_)
            | Self::NotRemovable { .. }
            | Self::MarketClosed => Precondition,
            Self::NotTheOwner { .. } => NotFound,
            Self::LimitReached { .. } | Self::JournalFull => Exhausted,
        }
    }
}
