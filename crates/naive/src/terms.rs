//! The words in which markets and orders are asked for, and in which they are refused.

/// For the outcome, or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// For it: BACK, or BUY.
    Back,
    /// Against it: LAY, or SELL.
    Lay,
}

impl Side {
    /// The one it trades with directly.
    pub const fn other(self) -> Self {
        match self {
            Self::Back => Self::Lay,
            Self::Lay => Self::Back,
        }
    }
}

/// The prices there are, and with them the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// Odds: 350 prices, ever further apart.
    Classic,
    /// Odds: every hundredth.
    Finest,
    /// Shares that pay this many ticks: every tick above 0 and below that.
    Ticks(u32),
}

impl Ladder {
    /// What whole amounts count: pennies of 100 quanta at odds, single shares in ticks.
    pub const fn unit(self) -> i64 {
        match self {
            Self::Classic | Self::Finest => 100,
            Self::Ticks(_) => 1,
        }
    }

    /// The whole pennies, or shares, in an amount.
    pub const fn whole(self, left: i64) -> i64 {
        left / self.unit() * self.unit()
    }

    /// Runs of prices that are equally far apart: the first, the last, and how far.
    fn runs(self) -> Vec<(u32, u32, u32)> {
        match self {
            Self::Classic => vec![
                (10_100, 20_000, 100),
                (20_200, 30_000, 200),
                (30_500, 40_000, 500),
                (41_000, 60_000, 1_000),
                (62_000, 100_000, 2_000),
                (105_000, 200_000, 5_000),
                (210_000, 300_000, 10_000),
                (320_000, 500_000, 20_000),
                (550_000, 1_000_000, 50_000),
                (1_100_000, 10_000_000, 100_000),
            ],
            Self::Finest => vec![(10_100, 10_000_000, 100)],
            Self::Ticks(max) => vec![(1, max - 1, 1)],
        }
    }

    /// Whether this is one of its prices.
    pub fn has(self, price: u32) -> bool {
        let is_in = |(from, to, step)| (from..=to).contains(&price) && (price - from).is_multiple_of(step);
        self.runs().into_iter().any(is_in)
    }

    /// All its prices, lowest first.
    pub fn prices(self) -> Vec<u32> {
        self.runs().into_iter().flat_map(|(from, to, step)| (from..=to).step_by(step as usize)).collect()
    }

    /// The worst there is for a taker on this side.
    pub const fn worst(self, side: Side) -> u32 {
        match (self, side) {
            (Self::Classic | Self::Finest, Side::Back) => 10_100,
            (Self::Classic | Self::Finest, Side::Lay) => 10_000_000,
            (Self::Ticks(max), Side::Back) => max - 1,
            (Self::Ticks(_), Side::Lay) => 1,
        }
    }

    /// How good a price is for a taker on this side; more is better. Backers want high odds,
    /// layers low ones; buyers want low prices, sellers high ones.
    pub const fn good(self, side: Side, price: u32) -> i64 {
        match (self, side) {
            (Self::Classic | Self::Finest, Side::Back) | (Self::Ticks(_), Side::Lay) => price as i64,
            (Self::Classic | Self::Finest, Side::Lay) | (Self::Ticks(_), Side::Back) => -(price as i64),
        }
    }
}

/// Where a market is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketState {
    /// Set up.
    Created,
    /// Takes orders.
    Open,
    /// Takes none for now.
    Suspended,
    /// Takes none any more.
    Closed,
}

/// What keeps a market suspended, whatever state it is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Halted.
    Halted,
    /// Taken out of service.
    Deactivated,
}

/// Where a market is in its event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the event.
    Pre,
    /// About to go in-play.
    PreAwaitLive,
    /// In-play.
    Live,
}

/// What becomes of resting orders when the market turns in-play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Each as it said itself.
    RespectPersistence,
    /// All stay.
    KeepAll,
    /// All lapse.
    CancelAll,
}

/// At what price an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// LIMIT: no worse than this.
    Limit(u32),
    /// MARKET: whatever is there, but no worse than this if a price is given.
    Market(Option<u32>),
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// GTC.
    UntilCancelled,
    /// IOC.
    Immediate,
    /// FOK: at least this much at once, or nothing; 0: all of it.
    AtLeast(i64),
    /// GTD, in milliseconds.
    Until(u64),
}

/// What becomes of an order that would meet one of its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// It passes over them.
    Skip,
    /// It is refused.
    Reject,
    /// They are cancelled.
    CancelResting,
    /// What is left of it is cancelled.
    CancelTaker,
}

/// An order as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose it is; 0: of no account.
    pub account: u64,
    /// The client's own name for it.
    pub client_id: Option<String>,
    /// The outcome, from 0; on a quarter line the one nearer to zero.
    pub outcome: usize,
    /// On a quarter line the outcome further from zero.
    pub far: Option<usize>,
    /// Which side.
    pub side: Side,
    /// At what price.
    pub price: Price,
    /// The backer's stake, or shares.
    pub stake: i64,
    /// How long it stays.
    pub lasting: Lasting,
    /// Whether it stays when the market turns in-play.
    pub persists: bool,
    /// Whether it is refused if it would match at once.
    pub post_only: bool,
    /// What becomes of it where it would meet an order of its own account.
    pub self_trade: SelfTrade,
}

impl NewOrder {
    /// A limit order until cancelled that passes its own over and lapses in-play.
    pub const fn limit(account: u64, outcome: usize, side: Side, price: u32, stake: i64) -> Self {
        Self {
            account,
            client_id: None,
            outcome,
            far: None,
            side,
            price: Price::Limit(price),
            stake,
            lasting: Lasting::UntilCancelled,
            persists: false,
            post_only: false,
            self_trade: SelfTrade::Skip,
        }
    }

    /// Whether what is not matched may rest.
    pub const fn may_rest(&self) -> bool {
        matches!(self.price, Price::Limit(_))
            && matches!(self.lasting, Lasting::UntilCancelled | Lasting::Until(_))
    }
}

/// Why nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Orders are taken in an open market only.
    MarketNotOpen,
    /// Nothing can be done in a closed market.
    MarketClosed,
    /// There is no such step from here.
    InvalidTransition,
    /// A hold keeps the market from opening.
    Held,
    /// The hold is on already, or is not on.
    HoldUnchanged,
    /// There is no such phase from here.
    InvalidPhase,
    /// What the market is, or has traded, does not allow this.
    NotPossible,
    /// No such outcome, or not any more.
    InvalidOutcome,
    /// Not on the ladder.
    InvalidPrice,
    /// Too small, too large, or not a multiple of the increment.
    InvalidStake,
    /// Not in the future.
    InvalidExpiry,
    /// A minimum fill that cannot be, post-only where nothing rests, halves that are none, or a window of
    /// time that ends before it begins.
    InvalidField,
    /// All of it would have rested across an order of its own account, or it would have met one.
    SelfTrade,
    /// Less than the minimum would be filled.
    WouldNotFill,
    /// It is post-only, and would match.
    WouldMatch,
    /// The bound on its work kept it from its minimum.
    OrderLimit,
    /// This account has used the client id, for the order with this number.
    DuplicateClientId(u64),
    /// No such resting order.
    NotFound,
    /// Another account's order.
    NotTheOwner,
}
