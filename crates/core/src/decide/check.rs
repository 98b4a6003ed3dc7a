//! Whether an order is one that its market takes, before it meets anybody.

use crate::command::{NewMarket, NewOrder, OrderPrice};
use crate::event::OutcomeIndex;
use crate::ladder::{Ladder, Tick};
use crate::market::Market;
use crate::members::Member;
use crate::reject::Rejection;
use crate::state::State;
use crate::types::{AccountId, BookMarketState, Price, Quantity, RunnerId, Side, TimeInForce};

/// What a new order comes to, checked.
pub(super) struct Terms {
    pub(super) outcome: OutcomeIndex,
    /// On a quarter line: the other half's outcome.
    pub(super) far: Option<OutcomeIndex>,
    /// The worst price that it takes.
    pub(super) tick: Tick,
    pub(super) price: Price,
}

#[inline(always)]
pub(super) fn check(
    state: &State,
    market: &Market,
    order: &NewOrder,
    now_ns: u64,
) -> Result<Terms, Rejection> {
    if market.state() != BookMarketState::Open {
        return Err(Rejection::MarketNotOpen(market.state()));
    }
    let outcome = tradable(market, order.runner_id)?;
    let far = match order.far_runner_id {
        RunnerId::NONE => None,
        id => Some(tradable(market, id)?),
    };
    if let Some(far) = far
        && !market.are_halves(outcome, far)
    {
        return Err(invalid(
            "far_runner_id",
            "not the neighbour, half a line further from zero, of runner_id",
        ));
    }
    let (tick, price) = limit_of(market.spec.ladder, order.side, order.price)?;
    let (quantity, min, increment) = (order.quantity, market.spec.min_quantity, market.spec.increment);
    if !(min..=Quantity::MAX).contains(&quantity) || !is_multiple(quantity, increment) {
        return Err(Rejection::InvalidQuantity { quantity, min, max: Quantity::MAX, increment });
    }
    if far.is_some() {
        check_halves(&market.spec, quantity)?;
    }
    check_lifetime(order, now_ns)?;
    if order.client_order_id.is_some() {
        check_client_ids(state, market, order.account_id)?;
    }
    Ok(Terms { outcome, far, tick, price })
}

/// Whether one more client order id of this account may be remembered. The bound per account is looked at first: it
/// is the one that its client can do something about.
#[inline(always)]
fn check_client_ids(state: &State, market: &Market, account: AccountId) -> Result<(), Rejection> {
    let (limits, here) = (&state.limits, market.clients.entries.len() as u64);
    let per_account = u64::from(limits.client_ids_per_account);
    // Nobody has more than there are.
    if here >= per_account && u64::from(market.members.get(account).client_ids) >= per_account {
        return Err(reached("client order ids of one user in one market", per_account));
    }
    let per_market = u64::from(limits.client_ids_per_market);
    if here >= per_market {
        return Err(reached("client order ids in one market", per_market));
    }
    let all = u64::from(limits.client_ids);
    if state.client_ids >= all {
        return Err(reached("client order ids over all markets", all));
    }
    check_members(state, market, account)
}

/// Whether this account may have something in this market.
#[inline(always)]
pub(super) fn check_members(state: &State, market: &Market, account: AccountId) -> Result<(), Rejection> {
    let limit = u64::from(state.limits.accounts_per_market);
    if market.members.len() as u64 >= limit && market.members.get(account) == Member::default() {
        return Err(reached("users with orders or client order ids in one market", limit));
    }
    Ok(())
}

#[cold]
pub(super) const fn reached(what: &'static str, limit: u64) -> Rejection {
    Rejection::LimitReached { what, limit }
}

fn tradable(market: &Market, id: RunnerId) -> Result<OutcomeIndex, Rejection> {
    market.outcome_of(id).ok_or(Rejection::InvalidOutcome(id))
}

/// Whether the halves of an order on a quarter line are not too small. The further one may be nothing.
#[cold]
fn check_halves(spec: &NewMarket, quantity: Quantity) -> Result<(), Rejection> {
    let further = spec.further_half(quantity.0);
    let too_small = |half: i64| half > 0 && half < spec.min_quantity.0;
    if too_small(further) || too_small(quantity.0 - further) {
        let (min, increment) = (spec.min_quantity, spec.increment);
        // Two of the smallest.
        let min = Quantity(min.0.saturating_mul(2));
        return Err(Rejection::InvalidQuantity { quantity, min, max: Quantity::MAX, increment });
    }
    Ok(())
}

/// Nearly every market counts in pennies or shares, and a division by what is not known before is slow.
#[inline(always)]
const fn is_multiple(quantity: Quantity, increment: Quantity) -> bool {
    match increment {
        Quantity(1) => true,
        Quantity(100) => quantity.0 % 100 == 0,
        Quantity(other) => quantity.0 % other == 0,
    }
}

pub(super) const fn is_market(order: &NewOrder) -> bool {
    matches!(order.price, OrderPrice::Market { .. })
}

const fn invalid(field: &'static str, problem: &'static str) -> Rejection {
    Rejection::InvalidField { field, problem }
}

#[inline(always)]
fn check_lifetime(order: &NewOrder, now_ns: u64) -> Result<(), Rejection> {
    match order.time_in_force {
        TimeInForce::Gtd { expiry_ms } if expiry_ms <= now_ns / 1_000_000 => {
            return Err(Rejection::InvalidExpiry { expiry_ms, now_ms: now_ns / 1_000_000 });
        }
        TimeInForce::Fok { min_fill } if min_fill < Quantity::ZERO || min_fill > order.quantity => {
            return Err(invalid("min_fill", "at most the order's quantity; 0 for all of it"));
        }
        _ => (),
    }
    let may_rest = matches!(order.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd { .. });
    if order.post_only && (is_market(order) || !may_rest) {
        return Err(invalid("post_only", "only for an order that may rest: LIMIT, and GTC or GTD"));
    }
    Ok(())
}

fn limit_of(ladder: Ladder, side: Side, price: OrderPrice) -> Result<(Tick, Price), Rejection> {
    let price = match price {
        OrderPrice::Limit(price) | OrderPrice::Market { worst: Some(price) } => price,
        OrderPrice::Market { worst: None } => ladder.worst(side),
    };
    let tick = ladder.tick(price).ok_or_else(|| invalid_price(ladder, price))?;
    Ok((tick, price))
}

#[cold]
fn invalid_price(ladder: Ladder, price: Price) -> Rejection {
    let (below, above) = ladder.neighbours(price);
    Rejection::InvalidPrice { ladder, price, below, above }
}
