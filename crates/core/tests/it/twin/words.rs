//! The core's words in those of its twin.

use betex_core::command::{MassCancel, NewOrder, OrderPrice};
use betex_core::event::CancelReason;
use betex_core::ladder::Ladder;
use betex_core::reject::Rejection;
use betex_core::types::{
    BookMarketState, Hold, MarketKind, MarketPhase, OrderStatus, RunnerId, SelfTradePrevention, Side,
    TimeInForce, TransitionPolicy,
};
use betex_naive as naive;

use crate::flow::market::{Plan, Shape};

pub(super) fn market(plan: &Plan) -> naive::Market {
    let spec = plan.spec("");
    let outcomes = plan.outcomes;
    let group_count =
        (0..outcomes).filter_map(|outcome| plan.group(outcome)).max().map_or(0, |last| last + 1);
    let members = |group| (0..outcomes).filter(|outcome| plan.group(*outcome) == Some(group)).collect();
    naive::Market {
        ladder: match spec.ladder {
            Ladder::Classic => naive::Ladder::Classic,
            Ladder::Finest => naive::Ladder::Finest,
            Ladder::Binary { max_price_ticks } => naive::Ladder::Ticks(max_price_ticks.into()),
        },
        synthetic: spec.synthetic,
        independent: spec.independent,
        pair: plan.is_pair(),
        groups: (0..group_count).map(members).collect(),
        // Also between lines that are not there yet.
        quarters: match plan.shape {
            Shape::Lines => (0..64).map(|near| (near, near + 2)).collect(),
            _ => Vec::new(),
        },
        increment: spec.increment.0,
        min_stake: spec.min_quantity.0,
        in_play_capable: spec.kind == MarketKind::InPlayCapable,
        transition: match spec.transition {
            TransitionPolicy::RespectPersistence => naive::Transition::RespectPersistence,
            TransitionPolicy::KeepAll => naive::Transition::KeepAll,
            TransitionPolicy::CancelAll => naive::Transition::CancelAll,
        },
        ..naive::Market::new(outcomes)
    }
}

/// The outcome with the id 1 is the first; 0 is none.
pub(super) fn outcome(id: RunnerId) -> usize {
    usize::try_from(id.0).map_or(usize::MAX, |id| id.wrapping_sub(1))
}

pub(super) fn order(order: &NewOrder) -> naive::NewOrder {
    naive::NewOrder {
        client_id: order.client_order_id.map(|id| id.as_str().to_owned()),
        far: order.far_runner_id.is_some().then(|| outcome(order.far_runner_id)),
        price: match order.price {
            OrderPrice::Limit(price) => naive::Price::Limit(price.0),
            OrderPrice::Market { worst } => naive::Price::Market(worst.map(|price| price.0)),
        },
        lasting: match order.time_in_force {
            TimeInForce::Gtc => naive::Lasting::UntilCancelled,
            TimeInForce::Ioc => naive::Lasting::Immediate,
            TimeInForce::Fok { min_fill } => naive::Lasting::AtLeast(min_fill.0),
            TimeInForce::Gtd { expiry_ms } => naive::Lasting::Until(expiry_ms),
        },
        persists: order.persistence == betex_core::types::Persistence::Persist,
        post_only: order.post_only,
        self_trade: match order.self_trade {
            SelfTradePrevention::Skip => naive::SelfTrade::Skip,
            SelfTradePrevention::Reject => naive::SelfTrade::Reject,
            SelfTradePrevention::CancelResting => naive::SelfTrade::CancelResting,
            SelfTradePrevention::CancelTaker => naive::SelfTrade::CancelTaker,
        },
        ..naive::NewOrder::limit(
            order.account_id.0,
            outcome(order.runner_id),
            side(order.side),
            0,
            order.quantity.0,
        )
    }
}

pub(super) fn filter(mass: &MassCancel) -> naive::Filter {
    naive::Filter {
        account: mass.account_id.0,
        outcome: mass.runner_id.is_some().then(|| outcome(mass.runner_id)),
        from_ns: mass.from_ns,
        until_ns: mass.until_ns,
    }
}

pub(super) const fn side(side: Side) -> naive::Side {
    match side {
        Side::Yes => naive::Side::Back,
        Side::No => naive::Side::Lay,
    }
}

pub(super) const fn state(state: BookMarketState) -> naive::MarketState {
    match state {
        BookMarketState::Created => naive::MarketState::Created,
        BookMarketState::Open => naive::MarketState::Open,
        BookMarketState::Suspended => naive::MarketState::Suspended,
        BookMarketState::Closed => naive::MarketState::Closed,
    }
}

pub(super) const fn phase(phase: MarketPhase) -> naive::Phase {
    match phase {
        MarketPhase::Pre => naive::Phase::Pre,
        MarketPhase::PreAwaitLive => naive::Phase::PreAwaitLive,
        MarketPhase::Live => naive::Phase::Live,
    }
}

/// The third hold is the engine's own.
pub(super) const fn hold(hold: Hold) -> Option<naive::Hold> {
    match hold {
        Hold::Halted => Some(naive::Hold::Halted),
        Hold::Deactivated => Some(naive::Hold::Deactivated),
        Hold::TurningInPlay => None,
    }
}

pub(super) const fn status(status: OrderStatus) -> naive::Status {
    match status {
        OrderStatus::Resting => naive::Status::Resting,
        OrderStatus::PartiallyFilled => naive::Status::PartiallyFilled,
        OrderStatus::Filled => naive::Status::Filled,
        OrderStatus::Cancelled => naive::Status::Cancelled,
        OrderStatus::Expired => naive::Status::Expired,
        OrderStatus::Lapsed => naive::Status::Lapsed,
    }
}

pub(super) fn reason(reason: CancelReason) -> naive::Reason {
    match reason {
        CancelReason::Unfilled => naive::Reason::NeverRests,
        CancelReason::SelfTrade => naive::Reason::SelfTrade,
        CancelReason::OrderLimit => naive::Reason::OrderLimit,
        other => panic!("{other:?} is no reason for a new order"),
    }
}

/// What a refusal of the core is to the twin, but for duplicate client ids, which name an order.
pub(super) fn refusal(rejection: &Rejection) -> naive::Refusal {
    match rejection {
        Rejection::MarketNotOpen(_) => naive::Refusal::MarketNotOpen,
        // There is no way from there, whatever is asked for.
        Rejection::NotPossible(why) if why.contains("CLOSED") => naive::Refusal::MarketClosed,
        Rejection::MarketClosed => naive::Refusal::MarketClosed,
        Rejection::InvalidTransition { .. } => naive::Refusal::InvalidTransition,
        Rejection::Held { .. } => naive::Refusal::Held,
        Rejection::HoldUnchanged { .. } => naive::Refusal::HoldUnchanged,
        Rejection::InvalidPhase { .. } => naive::Refusal::InvalidPhase,
        Rejection::NotPossible(_) => naive::Refusal::NotPossible,
        Rejection::InvalidOutcome(_) => naive::Refusal::InvalidOutcome,
        Rejection::InvalidPrice { .. } => naive::Refusal::InvalidPrice,
        Rejection::InvalidQuantity { .. } | Rejection::InvalidKeep { .. } => naive::Refusal::InvalidStake,
        Rejection::InvalidExpiry { .. } => naive::Refusal::InvalidExpiry,
        Rejection::InvalidField { .. } => naive::Refusal::InvalidField,
        Rejection::SelfTrade => naive::Refusal::SelfTrade,
        Rejection::WouldNotFill { .. } => naive::Refusal::WouldNotFill,
        Rejection::WouldMatch => naive::Refusal::WouldMatch,
        Rejection::OrderLimit => naive::Refusal::OrderLimit,
        Rejection::OrderNotFound(_) | Rejection::HalfOfOrder { .. } | Rejection::ClientIdNotFound => {
            naive::Refusal::NotFound
        }
        Rejection::NotTheOwner { .. } => naive::Refusal::NotTheOwner,
        other => panic!("the twin knows no {other:?}"),
    }
}
