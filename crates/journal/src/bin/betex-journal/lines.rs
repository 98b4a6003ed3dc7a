//! An event as a line of JSON. The names of the fields are described in `docs/tool.md` and stay what they are.

use betex_core::command::{NewMarket, NewRunner, VoidedTrades};
use betex_core::event::{Event, OrderAccepted, OrderFilter};
use betex_core::ladder::Ladder;
use betex_core::types::{AccountId, Quantity, TimeInForce};
use betex_journal::JournalEvent;
use serde::Serialize;

use crate::limits::LaterLimits;
use crate::{terms, times};

/// A line.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    sequence: u64,
    time_ns: u64,
    time: String,
    market_id: u64,
    market_sequence: u64,
    ends_transaction: bool,
    kind: &'static str,
    #[serde(flatten)]
    fields: Fields<'a>,
}

/// What an event has besides.
#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Limits {
        markets: u32,
        accounts: u32,
        resting_orders: u32,
        client_ids_per_market: u32,
        closed_market_ttl_ms: u64,
        #[serde(flatten)]
        later: Option<LaterLimits>,
    },
    TimeSetBack {
        from_ns: u64,
    },
    Account {
        account: u64,
        name: &'a str,
    },
    Market(Market<'a>),
    Status {
        to: &'static str,
        reason: Option<&'a str>,
    },
    Nothing {},
    Hold {
        hold: &'static str,
        on: bool,
        to: &'static str,
        reason: Option<&'a str>,
    },
    Runners {
        runners: Vec<Runner<'a>>,
    },
    RunnerRemoved {
        outcome: u16,
        reduction: u16,
        reason: Option<&'a str>,
    },
    OneVoided {
        trade_id: u64,
        reason: Option<&'a str>,
    },
    Voided {
        from_ns: u64,
        until_ns: u64,
        reason: Option<&'a str>,
    },
    Filter(Filter),
    Job {
        #[serde(flatten)]
        filter: Filter,
        last_order_id: u64,
        next_order_id: u64,
    },
    JobAdvanced {
        job: u64,
        next_order_id: u64,
    },
    Order(Order<'a>),
    Split {
        #[serde(flatten)]
        order: Order<'a>,
        far_outcome: u16,
    },
    Set {
        taker_order_id: u64,
        taker_account: u64,
        outcome: u16,
        side: &'static str,
        price: u32,
        quantity: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        stake: Option<i64>,
        payout: i64,
        makers: u16,
    },
    Trade {
        trade_id: u64,
        leg: u16,
        taker_order_id: u64,
        taker_account: u64,
        maker_order_id: u64,
        maker_account: u64,
        outcome: u16,
        maker_side: &'static str,
        price: u32,
        quantity: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        stake: Option<i64>,
        payout: i64,
        maker_quantity: i64,
        maker_filled: i64,
        maker_remaining: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        maker_remaining_stake: Option<i64>,
    },
    Cancelled {
        order_id: u64,
        account: u64,
        outcome: u16,
        side: &'static str,
        price: u32,
        reason: &'static str,
        cancelled: i64,
        quantity: i64,
        filled: i64,
        remaining: i64,
    },
}

#[derive(Serialize)]
struct Market<'a> {
    key: &'a str,
    name: &'a str,
    ladder: &'static str,
    max_price_ticks: Option<u16>,
    runners: Vec<Runner<'a>>,
    independent: bool,
    synthetic: bool,
    transition: &'static str,
    market_kind: &'static str,
    state: &'static str,
    phase: &'static str,
    increment: i64,
    min_quantity: i64,
}

#[derive(Serialize)]
struct Runner<'a> {
    id: u64,
    name: &'a str,
}

#[derive(Serialize)]
struct Filter {
    account: u64,
    outcome: Option<u16>,
    lapsing: bool,
    from_ns: u64,
    until_ns: u64,
    reason: &'static str,
}

#[derive(Serialize)]
struct Order<'a> {
    order_id: u64,
    account: u64,
    client_order_id: Option<&'a str>,
    outcome: u16,
    side: &'static str,
    price: u32,
    market_order: bool,
    time_in_force: &'static str,
    min_fill: Option<i64>,
    expiry_ms: Option<u64>,
    persistence: &'static str,
    quantity: i64,
    resting: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resting_stake: Option<i64>,
    post_only: bool,
    self_trade: &'static str,
    half: &'static str,
}

impl<'a> Line<'a> {
    /// Whose order an event brings in, if it brings in one.
    pub(crate) const fn taker(event: &Event) -> Option<AccountId> {
        match event {
            Event::OrderAccepted(order) => Some(order.account),
            Event::OrderSplit { order, .. } => Some(order.account),
            _ => None,
        }
    }

    /// Of an event, and the account of the order that its transaction brought in.
    pub(crate) fn of(event: &'a JournalEvent, taker: AccountId) -> Self {
        Self {
            sequence: event.sequence,
            time_ns: event.time_ns,
            time: times::exact(event.time_ns),
            market_id: event.market_id.0,
            market_sequence: event.market_sequence,
            ends_transaction: event.ends_transaction,
            kind: terms::kind(&event.event),
            fields: fields(event, taker),
        }
    }
}

fn fields(event: &JournalEvent, taker: AccountId) -> Fields<'_> {
    match &event.event {
        Event::LimitsSet(limits) => Fields::Limits {
            markets: limits.markets,
            accounts: limits.accounts,
            resting_orders: limits.resting_orders,
            client_ids_per_market: limits.client_ids_per_market,
            closed_market_ttl_ms: limits.closed_market_ttl_ms,
            later: (!limits.are_of_the_first_version()).then(|| LaterLimits::of(limits)),
        },
        Event::TimeSetBack { from_ns } => Fields::TimeSetBack { from_ns: *from_ns },
        Event::AccountRegistered { account, name } => Fields::Account { account: account.0, name },
        Event::MarketCreated(spec) => Fields::Market(market(spec)),
        Event::MarketStatusChanged { to, reason } => {
            Fields::Status { to: to.name(), reason: reason.as_deref() }
        }
        Event::MarketRemoved => Fields::Nothing {},
        Event::HoldChanged { hold, on, to, reason } => {
            Fields::Hold { hold: hold.name(), on: *on, to: to.name(), reason: reason.as_deref() }
        }
        Event::PhaseChanged { to, reason } => {
            Fields::Status { to: terms::phase(*to), reason: reason.as_deref() }
        }
        Event::RunnersAdded(added) => Fields::Runners { runners: runners(added) },
        Event::RunnerRemoved { outcome, reduction, reason } => {
            Fields::RunnerRemoved { outcome: outcome.0, reduction: *reduction, reason: reason.as_deref() }
        }
        Event::TradesVoided { trades: VoidedTrades::One(trade), reason } => {
            Fields::OneVoided { trade_id: trade.0, reason: reason.as_deref() }
        }
        Event::TradesVoided { trades: VoidedTrades::Window { from_ns, until_ns }, reason } => {
            Fields::Voided { from_ns: *from_ns, until_ns: *until_ns, reason: reason.as_deref() }
        }
        Event::OrdersCancelled(which) => Fields::Filter(filter(which)),
        Event::JobStarted(job) => Fields::Job {
            filter: filter(&job.filter),
            last_order_id: job.last_order_id.0,
            next_order_id: job.next.0,
        },
        Event::JobAdvanced { job, next } => Fields::JobAdvanced { job: *job, next_order_id: next.0 },
        Event::OrderSplit { order: whole, far } => Fields::Split { order: order(whole), far_outcome: far.0 },
        Event::OrderAccepted(accepted) => Fields::Order(order(accepted)),
        Event::SetMatched(set) => Fields::Set {
            taker_order_id: set.taker_order_id.0,
            taker_account: taker.0,
            outcome: set.outcome.0,
            side: terms::side(set.side),
            price: set.price.0,
            quantity: set.quantity.0,
            stake: stake(set.quantity, set.stake),
            payout: set.payout.0,
            makers: set.makers,
        },
        Event::TradeMatched(trade) => Fields::Trade {
            // Damaged bytes may have a leg that no sequence number allows.
            trade_id: event.sequence.saturating_sub(trade.leg.into()),
            leg: trade.leg,
            taker_order_id: trade.taker_order_id.0,
            taker_account: taker.0,
            maker_order_id: trade.maker_order_id.0,
            maker_account: trade.maker_account.0,
            outcome: trade.outcome.0,
            maker_side: terms::side(trade.maker_side),
            price: trade.price.0,
            quantity: trade.quantity.0,
            stake: stake(trade.quantity, trade.stake),
            payout: trade.payout.0,
            maker_quantity: trade.maker_quantity.0,
            maker_filled: trade.maker_filled.0,
            maker_remaining: trade.maker_remaining.0,
            maker_remaining_stake: remaining_stake(trade.maker_remaining, trade.maker_fraction),
        },
        Event::OrderCancelled(order) => Fields::Cancelled {
            order_id: order.order_id.0,
            account: order.account.0,
            outcome: order.outcome.0,
            side: terms::side(order.side),
            price: order.price.0,
            reason: terms::reason(order.reason),
            cancelled: order.cancelled.0,
            quantity: order.quantity.0,
            filled: order.filled.0,
            remaining: order.remaining.0,
        },
    }
}

/// The exact stake, where whole pennies do not say it.
fn stake(quantity: Quantity, stake: Quantity) -> Option<i64> {
    (stake != quantity).then_some(stake.0)
}

/// The exact amount that is left, where whole pennies do not say it.
fn remaining_stake(remaining: Quantity, fraction: u8) -> Option<i64> {
    (fraction != 0).then(|| remaining.0.saturating_add(fraction.into()))
}

fn market(spec: &NewMarket) -> Market<'_> {
    let (ladder, max_price_ticks) = match spec.ladder {
        Ladder::Classic => ("CLASSIC", None),
        Ladder::Finest => ("FINEST", None),
        Ladder::Binary { max_price_ticks } => ("BINARY", Some(max_price_ticks)),
    };
    Market {
        key: &spec.key,
        name: &spec.name,
        ladder,
        max_price_ticks,
        runners: runners(&spec.runners),
        independent: spec.independent,
        synthetic: spec.synthetic,
        transition: terms::transition(spec.transition),
        market_kind: terms::market_kind(spec.kind),
        state: spec.state.name(),
        phase: terms::phase(spec.phase),
        increment: spec.increment.0,
        min_quantity: spec.min_quantity.0,
    }
}

fn runners(runners: &[NewRunner]) -> Vec<Runner<'_>> {
    runners.iter().map(|runner| Runner { id: runner.id.0, name: &runner.name }).collect()
}

fn filter(filter: &OrderFilter) -> Filter {
    Filter {
        account: filter.account.0,
        outcome: filter.outcome.map(|outcome| outcome.0),
        lapsing: filter.lapsing,
        from_ns: filter.from_ns,
        until_ns: filter.until_ns,
        reason: terms::reason(filter.reason),
    }
}

fn order(order: &OrderAccepted) -> Order<'_> {
    let (time_in_force, min_fill, expiry_ms) = match order.time_in_force.get() {
        TimeInForce::Gtc => ("GTC", None, None),
        TimeInForce::Ioc => ("IOC", None, None),
        TimeInForce::Fok { min_fill } => ("FOK", Some(min_fill.0), None),
        TimeInForce::Gtd { expiry_ms } => ("GTD", None, Some(expiry_ms)),
    };
    Order {
        order_id: order.order_id.0,
        account: order.account.0,
        client_order_id: order.client_order_id.as_ref().map(|id| id.as_str()),
        outcome: order.outcome.0,
        side: terms::side(order.side),
        price: order.price.0,
        market_order: order.market_order,
        time_in_force,
        min_fill,
        expiry_ms,
        persistence: terms::persistence(order.persistence),
        quantity: order.quantity.0,
        resting: order.resting.0,
        resting_stake: remaining_stake(order.resting, order.fraction),
        post_only: order.post_only,
        self_trade: terms::self_trade(order.self_trade),
        half: terms::half(order.half),
    }
}
