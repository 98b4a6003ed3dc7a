//! What can be asked of the engine.

mod config;

pub use config::MarketConfig;

use crate::ladder::Ladder;
use crate::types::{
    AccountId, BookMarketState, ClientOrderId, CorrelationId, Hold, MarketId, MarketKind, MarketModel,
    MarketPhase, Money, OddsX10000, OrderId, Persistence, Price, Quantity, RunnerId, SelfTradePrevention,
    Side, TimeInForce, TradeId, TransitionPolicy,
};

/// One thing asked of one market.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Echoed in the answer; see [`CorrelationId`].
    pub correlation_id: Option<CorrelationId>,
    /// The market it is for ([`MarketId::NONE`] for [`CommandKind::RegisterAccount`] and where a new
    /// market is to get the next id).
    pub market_id: MarketId,
    /// What is asked.
    pub kind: CommandKind,
}

impl Command {
    /// A command without a correlation id.
    pub const fn new(market_id: MarketId, kind: CommandKind) -> Self {
        Self { correlation_id: None, market_id, kind }
    }
}

/// What is asked of the market.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandKind {
    /// Sets up a market.
    CreateMarket(Box<NewMarket>),
    /// `Created | Suspended -> Open`.
    OpenMarket {
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// `Open -> Suspended`.
    SuspendMarket {
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// `any but Closed -> Closed`: final. Resting orders are then cancelled in bounded steps.
    CloseMarket {
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Keeps a market from trading, whatever its state: it is `Suspended` until every hold is lifted.
    HoldMarket {
        /// Which: [`Hold::Halted`] or [`Hold::Deactivated`]; the third is the engine's own.
        hold: Hold,
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Lifts a hold. The market is then what it was before, unless another hold is on.
    LiftHold {
        /// Which.
        hold: Hold,
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Moves the market on in its event's time. Turning [`MarketPhase::Live`] is for good, needs
    /// [`MarketKind::InPlayCapable`] and applies the market's [`TransitionPolicy`].
    SetPhase {
        /// Where to.
        phase: MarketPhase,
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Adds outcomes, before a set has traded in the groups that they join.
    AddRunners {
        /// The new ones; ids and names as in [`NewMarket::runners`].
        runners: Vec<NewRunner>,
    },
    /// Removes an outcome (a non-runner): its resting orders are cancelled, trades on it are void, and
    /// its group is what remains.
    RemoveRunner {
        /// Which.
        runner_id: RunnerId,
        /// By how much bets on the others are reduced, in 1/10 000; at most [`REDUCTION_MAX`]. For whoever
        /// settles.
        reduction: u16,
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Declares trades void, for whoever keeps positions. The book is not wound back.
    VoidTrades {
        /// Which.
        trades: VoidedTrades,
        /// Why, for the audit; at most [`REASON_BYTES_MAX`] bytes.
        reason: Option<Box<str>>,
    },
    /// Cancels every resting order that fits, in bounded steps; orders that come later are not touched.
    CancelOrders(MassCancel),
    /// Forgets a closed market without resting orders, its name and its client order ids.
    RemoveMarket,
    /// Gives a name its [`AccountId`], the same one every time.
    RegisterAccount {
        /// 1 to [`NAME_BYTES_MAX`] bytes.
        name: Box<str>,
    },
    /// A limit order at decimal odds.
    PlaceOrder {
        /// The outcome.
        runner_id: RunnerId,
        /// Whose it is.
        account_id: AccountId,
        /// The client's own name for it.
        client_order_id: Option<ClientOrderId>,
        /// `Yes` backs, `No` lays.
        side: Side,
        /// The limit, a price of the market's ladder.
        odds: OddsX10000,
        /// The backer's stake, a positive multiple of the market's stake increment.
        stake: Money,
        /// What becomes of it when the market turns in-play.
        persistence: Persistence,
        /// How long it stays.
        time_in_force: TimeInForce,
    },
    /// An order of any type.
    SubmitOrder(NewOrder),
    /// An order of a user who may have no account yet. If the order is accepted, the account is registered in
    /// the same transaction; a refused order registers nothing.
    SubmitOrderAs(Box<UserOrder>),
    /// Cancels a resting order, or what of it is more than `keep`.
    CancelOrder {
        /// Which one.
        order: OrderRef,
        /// If given, the order must be this account's.
        account_id: AccountId,
        /// What may remain; zero cancels all. An order that holds no more than this is left as it is, so
        /// a repeated command does no harm.
        keep: Quantity,
    },
}

/// How a command names an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By the engine's id.
    Id(OrderId),
    /// By the client's id, with the account that used it.
    Client(ClientOrderId),
}

/// Which trades are void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidedTrades {
    /// This one, every leg of it.
    One(TradeId),
    /// All of the market with a time in this window; a set has one time, so it is in it whole.
    Window {
        /// From here on, in nanoseconds since the Unix epoch.
        from_ns: u64,
        /// To here, not included.
        until_ns: u64,
    },
}

/// Which orders a mass cancel takes out. What is left at its default does not restrict it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MassCancel {
    /// Only this account's.
    pub account_id: AccountId,
    /// Only on this outcome; [`RunnerId::NONE`]: on all.
    pub runner_id: RunnerId,
    /// Only those taken in at or after this time, in nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// Only those taken in before this time; 0: whenever.
    pub until_ns: u64,
}

/// An order as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The outcome. On a quarter line: the half that is nearer to zero.
    pub runner_id: RunnerId,
    /// On a quarter line: the half further from zero, which gets the smaller part of an odd number of
    /// increments. [`RunnerId::NONE`] for an order on one outcome. Names are resolved by
    /// [`MarketView::selection`](crate::view::MarketView::selection).
    pub far_runner_id: RunnerId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The client's own name for it.
    pub client_order_id: Option<ClientOrderId>,
    /// `Yes` backs or buys, `No` lays or sells.
    pub side: Side,
    /// At what price.
    pub price: OrderPrice,
    /// How much: a positive multiple of the market's increment.
    pub quantity: Quantity,
    /// What becomes of it when the market turns in-play.
    pub persistence: Persistence,
    /// How long it stays. A MARKET order never rests, whatever is said here.
    pub time_in_force: TimeInForce,
    /// Whether it is refused if any part of it would match at once. Only for an order that may rest.
    pub post_only: bool,
    /// What becomes of it where it would meet an order of its own account.
    pub self_trade: SelfTradePrevention,
}

/// An order of a user by name, see [`CommandKind::SubmitOrderAs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserOrder {
    /// The name of the account, 1 to [`NAME_BYTES_MAX`] bytes.
    pub user: Box<str>,
    /// The order. The account of the name replaces [`NewOrder::account_id`].
    pub order: NewOrder,
}

impl NewOrder {
    /// A limit order of nobody that rests until cancelled.
    pub const fn limit(runner_id: RunnerId, side: Side, price: Price, quantity: Quantity) -> Self {
        Self {
            runner_id,
            far_runner_id: RunnerId::NONE,
            account_id: AccountId::NONE,
            client_order_id: None,
            side,
            price: OrderPrice::Limit(price),
            quantity,
            persistence: Persistence::Lapse,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            self_trade: SelfTradePrevention::Skip,
        }
    }

    /// A market order of nobody.
    pub const fn market(runner_id: RunnerId, side: Side, quantity: Quantity) -> Self {
        let mut order = Self::limit(runner_id, side, Price(0), quantity);
        order.price = OrderPrice::Market { worst: None };
        order
    }

    /// The same order, of this account.
    #[must_use]
    pub const fn by(mut self, account_id: AccountId) -> Self {
        self.account_id = account_id;
        self
    }

    /// The same order, for this long.
    #[must_use]
    pub const fn lasting(mut self, time_in_force: TimeInForce) -> Self {
        self.time_in_force = time_in_force;
        self
    }

    /// The same order, with the client's own name for it.
    #[must_use]
    pub const fn named(mut self, client_order_id: ClientOrderId) -> Self {
        self.client_order_id = Some(client_order_id);
        self
    }
}

/// At what price an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderPrice {
    /// No worse than this; what is not matched may rest.
    Limit(Price),
    /// At once, at what is there; the remainder is cancelled.
    Market {
        /// The worst acceptable price, if there is one.
        worst: Option<Price>,
    },
}

/// A market as it is asked for. Start from [`NewMarket::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMarket {
    /// What clients call it, unique among the markets there are; may be empty, and then nobody can
    /// find it by name. At most [`NAME_BYTES_MAX`] bytes.
    pub key: String,
    /// What people call it. At most [`NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// The prices there are, and with them the model: odds, or ticks.
    pub ladder: Ladder,
    /// 2 to [`RUNNERS_MAX`] outcomes at odds, 1 to [`RUNNERS_MAX`] of a binary market, no id and no name
    /// twice. Names of handicap and total lines (`Home_-0.5`, `Over_2.5`) make a market of lines, in which
    /// the two sides of a line are a group.
    pub runners: Vec<NewRunner>,
    /// Whether several outcomes may win (places, independent questions). Then there are no sets.
    pub independent: bool,
    /// Whether complete sets are matched, where outcomes exclude each other.
    pub synthetic: bool,
    /// What becomes of resting orders when it turns in-play.
    pub transition: TransitionPolicy,
    /// Whether it may go in-play.
    pub kind: MarketKind,
    /// `Created`, `Open` or `Suspended`.
    pub state: BookMarketState,
    /// Where it begins.
    pub phase: MarketPhase,
    /// Quantities are whole multiples of this: itself a positive multiple of a penny.
    pub increment: Quantity,
    /// The smallest order: a positive multiple of the increment.
    pub min_quantity: Quantity,
}

impl NewMarket {
    /// A pre-event odds market on the classic ladder in whole pennies, with these outcomes, numbered
    /// from 1, of which exactly one wins, with sets, not yet open.
    pub fn new<N: Into<String>>(key: impl Into<String>, outcomes: impl IntoIterator<Item = N>) -> Self {
        Self {
            key: key.into(),
            name: String::new(),
            ladder: Ladder::Classic,
            independent: false,
            synthetic: true,
            transition: TransitionPolicy::RespectPersistence,
            runners: (1..)
                .zip(outcomes)
                .map(|(id, name)| NewRunner { id: RunnerId(id), name: name.into() })
                .collect(),
            kind: MarketKind::PreEventOnly,
            state: BookMarketState::Created,
            phase: MarketPhase::Pre,
            increment: Quantity(Money::PENNY.0),
            min_quantity: Quantity(Money::PENNY.0),
        }
    }

    /// A binary market in whole shares, with this many ticks to a currency unit, 2 to
    /// [`PRICE_TICKS_MAX`](crate::ladder::PRICE_TICKS_MAX); otherwise like [`NewMarket::new`].
    pub fn binary<N: Into<String>>(
        key: impl Into<String>,
        max_price_ticks: u16,
        outcomes: impl IntoIterator<Item = N>,
    ) -> Self {
        let one = Quantity(1);
        let ladder = Ladder::Binary { max_price_ticks };
        Self { ladder, increment: one, min_quantity: one, ..Self::new(key, outcomes) }
    }

    /// What of a quantity goes to the further line of an order on a quarter line. The odd increment goes to
    /// the line nearer to zero; of a single one nothing is left for the other.
    pub(crate) const fn further_half(&self, quantity: i64) -> i64 {
        quantity / self.increment.0 / 2 * self.increment.0
    }

    /// BACK/LAY at odds, or BUY/SELL at ticks.
    pub const fn model(&self) -> MarketModel {
        match self.ladder {
            Ladder::Classic | Ladder::Finest => MarketModel::ExchangeOdds,
            Ladder::Binary { .. } => MarketModel::BinaryYes,
        }
    }
}

/// An outcome as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRunner {
    /// Unique within the market.
    pub id: RunnerId,
    /// Unique within the market, unless empty. At most [`NAME_BYTES_MAX`] bytes.
    pub name: String,
}

/// Longest name of a market, an outcome or an account, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest reason of a lifecycle command, in bytes.
pub const REASON_BYTES_MAX: usize = 256;
/// Most outcomes of a market, removed ones included.
pub const RUNNERS_MAX: usize = 256;
/// The largest reduction factor: 10 000 are 100 %.
pub const REDUCTION_MAX: u16 = 10_000;
