//! What a command does: a function of the state, the command and the time.

#[cfg(test)]
mod bounds;
mod cancel;
mod check;
mod hold;
mod job;
mod lane;
mod market;
mod mass;
mod offers;
mod order;
mod payout;
mod prices;
mod queue;
mod runners;
mod sets;
mod shares;
mod sweep;
mod taker;
mod work;

pub(crate) use offers::{Effort, virtual_levels};
pub use work::decide_work;

use crate::command::{CommandKind, NAME_BYTES_MAX, NewOrder, OrderPrice, UserOrder};
use crate::event::{CancelReason, Event};
use crate::market::Market;
use crate::reject::{OrderReport, Rejection};
use crate::state::State;
use crate::types::{AccountId, BookMarketState, MarketId, MarketPhase, Price, Quantity};

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The market was set up.
    MarketCreated(MarketId),
    /// The market is now here in its life.
    MarketStatus(BookMarketState),
    /// The market is now here in its event's time.
    MarketPhase(MarketPhase),
    /// The outcomes were added.
    RunnersAdded,
    /// The outcome was removed.
    RunnerRemoved,
    /// The trades are void.
    TradesVoided,
    /// Orders are being taken out.
    OrdersCancelled {
        /// How many were, with this command.
        orders: u32,
        /// How much rested of them.
        quantity: i128,
        /// Whether that was all; otherwise the rest follows by itself.
        done: bool,
    },
    /// The market is forgotten.
    MarketRemoved,
    /// The account of the name.
    Account(AccountId),
    /// The order was accepted.
    Order {
        /// Where it stands.
        report: OrderReport,
        /// Why its remainder was cancelled, if it was.
        reason: Option<CancelReason>,
    },
    /// The order was cancelled or reduced, or already held no more than it was to keep.
    Cancelled {
        /// Where it stands.
        report: OrderReport,
        /// What this command took out.
        cancelled: Quantity,
    },
}

impl Receipt {
    /// The market that the events are of, given the one that the command named.
    pub const fn market_id(&self, asked: MarketId) -> MarketId {
        match self {
            Self::MarketCreated(id) => *id,
            Self::Account(_) => MarketId::NONE,
            _ => asked,
        }
    }
}

/// Says what a command does at this time, which must not be before the state's own. The events go to
/// `out`, which is cleared first and stays empty if the command is refused. The state is only read;
/// what is due to expire must have expired before ([`State::next_work`]).
pub fn decide(
    state: &State,
    market_id: MarketId,
    kind: &CommandKind,
    now_ns: u64,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    out.clear();
    let decided = dispatch(state, market_id, kind, now_ns, out);
    if decided.is_err() {
        out.clear();
    }
    decided
}

/// Apart, so that what it answers is written where it is wanted.
#[inline(never)]
fn dispatch(
    state: &State,
    market_id: MarketId,
    kind: &CommandKind,
    now_ns: u64,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    use BookMarketState::{Closed, Open, Suspended};
    match kind {
        CommandKind::CreateMarket(spec) => return market::create(state, market_id, spec, out),
        CommandKind::RegisterAccount { name } => return register(state, name, out),
        _ => (),
    }
    let market = state.markets.find(market_id).ok_or(Rejection::MarketNotFound(market_id))?;
    match kind {
        CommandKind::CreateMarket(_) | CommandKind::RegisterAccount { .. } => unreachable!("returned above"),
        CommandKind::OpenMarket { reason } => market::change(state, market, Open, reason.as_deref(), out),
        CommandKind::SuspendMarket { reason } => {
            market::change(state, market, Suspended, reason.as_deref(), out)
        }
        CommandKind::CloseMarket { reason } => market::change(state, market, Closed, reason.as_deref(), out),
        CommandKind::RemoveMarket => market::remove(state, market, out),
        &CommandKind::PlaceOrder {
            runner_id,
            account_id,
            client_order_id,
            side,
            odds,
            stake,
            persistence,
            time_in_force,
        } => {
            let (price, quantity) = (OrderPrice::Limit(odds.into()), stake.into());
            let order = NewOrder {
                account_id,
                client_order_id,
                price,
                persistence,
                time_in_force,
                ..NewOrder::limit(runner_id, side, Price(0), quantity)
            };
            order::submit(state, market, &order, now_ns, out)
        }
        CommandKind::SubmitOrder(order) => order::submit(state, market, order, now_ns, out),
        CommandKind::SubmitOrderAs(asked) => submit_as(state, market, asked, now_ns, out),
        CommandKind::CancelOrder { order, account_id, keep } => {
            cancel::cancel(state, market, *order, *account_id, *keep, out)
        }
        CommandKind::HoldMarket { hold, reason } => {
            hold::change_hold(market, *hold, true, reason.as_deref(), out)
        }
        CommandKind::LiftHold { hold, reason } => {
            hold::change_hold(market, *hold, false, reason.as_deref(), out)
        }
        CommandKind::SetPhase { phase, reason } => {
            hold::change_phase(state, market, *phase, reason.as_deref(), out)
        }
        CommandKind::AddRunners { runners } => runners::add(state, market, runners, out),
        CommandKind::RemoveRunner { runner_id, reduction, reason } => {
            runners::remove(state, market, *runner_id, *reduction, reason.as_deref(), out)
        }
        CommandKind::VoidTrades { trades, reason } => mass::void(state, *trades, reason.as_deref(), out),
        CommandKind::CancelOrders(asked) => mass::cancel(state, market, asked, out),
    }
}

/// Registers the user with the order, unless an order that came before has done so. If the order is refused,
/// [`decide`] drops the registration with it.
#[cold]
fn submit_as(
    state: &State,
    market: &Market,
    asked: &UserOrder,
    now_ns: u64,
    out: &mut Vec<Event>,
) -> Result<Receipt, Rejection> {
    let account = account_of(state, &asked.user, out)?;
    order::submit(state, market, &asked.order.by(account), now_ns, out)
}

fn register(state: &State, name: &str, out: &mut Vec<Event>) -> Result<Receipt, Rejection> {
    account_of(state, name, out).map(Receipt::Account)
}

/// The account of a name, registered if there is none.
fn account_of(state: &State, name: &str, out: &mut Vec<Event>) -> Result<AccountId, Rejection> {
    check_text("account name", name, 1, NAME_BYTES_MAX)?;
    if let Some(account) = state.accounts.find(name) {
        return Ok(account);
    }
    let (account, limit) = (state.accounts.next(), u64::from(state.limits.accounts));
    if account.0 > limit {
        return Err(Rejection::LimitReached { what: "users with an account", limit });
    }
    out.push(Event::AccountRegistered { account, name: name.into() });
    Ok(account)
}

/// Makes room for one more event. What is pushed behind it is made where it stays: otherwise it would be made
/// elsewhere and copied, since a push that finds no room has to drop it.
#[inline(always)]
fn make_room(out: &mut Vec<Event>) {
    // A loop, since behind it the compiler knows that there is room.
    while out.len() == out.capacity() {
        out.reserve(1);
    }
}

fn check_text(field: &'static str, text: &str, min: usize, max: usize) -> Result<(), Rejection> {
    let len = text.len();
    if (min..=max).contains(&len) { Ok(()) } else { Err(Rejection::InvalidText { field, len, min, max }) }
}
