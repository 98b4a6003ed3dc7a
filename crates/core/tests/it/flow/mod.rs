//! Random flows over two markets of any kind: whatever a client may send, good and bad, at prices that
//! meet, and whatever else happens to markets.

pub(crate) mod life;
pub(crate) mod market;
pub(crate) mod order;

use betex_core::command::{CommandKind, NewOrder, OrderRef};
use betex_core::types::{AccountId, MarketId, OrderId, Persistence, Quantity, RunnerId, Side};
use proptest::prelude::*;

use self::life::{Life, clearing, life};
use self::market::{Plan, plan};
use self::order::{OrderStep, SPREAD, account, amount, client_id, order};
use crate::exchange::Exchange;

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) plans: [Plan; 2],
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Order(OrderStep),
    /// Somebody quotes every outcome of a market on one side.
    Quote {
        market: usize,
        account: u64,
        back: bool,
        /// Ticks from what each outcome is worth.
        offset: i32,
        amount: i64,
    },
    /// Hundreds of small orders, more than one step of a job takes out, and what has them taken out.
    Crowd {
        market: usize,
        outcome: u8,
        back: bool,
        count: u64,
        then: Life,
    },
    /// Of one of the orders that were ever taken, or halves of one.
    Cancel {
        order: prop::sample::Index,
        account: u64,
        keep: i64,
    },
    CancelNamed {
        market: usize,
        account: u64,
        name: u8,
        keep: i64,
    },
    Life {
        market: usize,
        life: Life,
    },
    Pass {
        ms: u64,
    },
    /// One step of what is to be done without anybody asking, if there is one to do.
    Work,
}

pub(crate) fn flow(steps: usize) -> BoxedStrategy<Flow> {
    ([plan(), plan()], prop::collection::vec(step(), 1..steps))
        .prop_map(|(plans, mut steps)| {
            if plans.iter().any(|plan| plan.outcomes > WIDE) {
                steps.truncate(WIDE_STEPS);
            }
            Flow { plans, steps }
        })
        .boxed()
}

/// With more outcomes than this a flow is short: every quote is an order on each of them.
const WIDE: usize = 12;
const WIDE_STEPS: usize = 40;

fn step() -> BoxedStrategy<Step> {
    let keep = || {
        prop_oneof![
            8 => Just(0),
            6 => (0..20_i64).prop_map(|n| n * 500),
            3 => (0..60_000_i64).prop_map(|n| n * 100),
            2 => -100..900_i64,
        ]
    };
    let market = || 0..2_usize;
    let quote = (market(), account(), any::<bool>(), -SPREAD..=SPREAD, amount());
    prop_oneof![
        720 => order().prop_map(Step::Order),
        120 => quote.prop_map(|(market, account, back, offset, amount)| {
            Step::Quote { market, account, back, offset, amount }
        }),
        2 => (market(), any::<u8>(), any::<bool>(), 580..640_u64, clearing()).prop_map(
            |(market, outcome, back, count, then)| Step::Crowd { market, outcome, back, count, then }
        ),
        100 => (any::<prop::sample::Index>(), account(), keep())
            .prop_map(|(order, account, keep)| Step::Cancel { order, account, keep }),
        25 => (market(), account(), 0..12_u8, keep())
            .prop_map(|(market, account, name, keep)| Step::CancelNamed { market, account, name, keep }),
        100 => (market(), life()).prop_map(|(market, life)| Step::Life { market, life }),
        60 => prop_oneof![(0..40_u64), Just(2_000)].prop_map(|ms| Step::Pass { ms }),
        30 => Just(Step::Work),
    ]
    .boxed()
}

impl Flow {
    /// An exchange with the flow's two open markets.
    pub(crate) fn exchange(&self) -> Exchange {
        let mut exchange = Exchange { now_ms: 1_000, suspicious: true, ..Exchange::default() };
        for (plan, key) in self.plans.iter().zip(["one", "other"]) {
            exchange.create(plan.spec(key));
        }
        exchange
    }

    /// The commands that a step stands for, and their market's place. `taken` are the orders taken so far,
    /// and their halves.
    pub(crate) fn commands(
        &self,
        step: &Step,
        exchange: &Exchange,
        taken: &[(usize, OrderId)],
    ) -> (usize, Vec<CommandKind>) {
        let now_ms = exchange.now_ms;
        let outcomes = |place: usize| {
            let market = exchange.state.market(market_id(place)).expect("the market is there");
            market.spec().runners.len()
        };
        match step {
            Step::Order(order) => {
                let place = order.market;
                let order = order.new_order(&self.plans[place], outcomes(place), now_ms);
                (place, vec![CommandKind::SubmitOrder(order)])
            }
            &Step::Quote { market, account, back, offset, amount } => {
                let outcomes = 0..outcomes(market);
                (market, outcomes.map(|o| self.quote(market, account, back, o, offset, amount)).collect())
            }
            Step::Crowd { market, outcome, back, count, then } => {
                let (plan, outcomes) = (&self.plans[*market], outcomes(*market));
                let outcome = usize::from(*outcome) % outcomes;
                // Where they wait behind all others.
                let offset = if *back { 3 * SPREAD } else { -3 * SPREAD };
                let of = |n: u64| NewOrder {
                    persistence: if n.is_multiple_of(9) { Persistence::Persist } else { Persistence::Lapse },
                    ..limit(plan, n % 5, *back, outcome, offset, plan.minimum())
                };
                let mut commands: Vec<_> = (0..*count).map(|n| CommandKind::SubmitOrder(of(n))).collect();
                commands.extend(then.commands(plan, outcomes, now_ms));
                (*market, commands)
            }
            Step::Cancel { order, account, keep } => {
                // Once in a while one that never was.
                let (market, id) = if taken.is_empty() { (0, OrderId(77_777)) } else { *order.get(taken) };
                (market, vec![cancel(OrderRef::Id(id), *account, *keep)])
            }
            Step::CancelNamed { market, account, name, keep } => {
                (*market, vec![cancel(OrderRef::Client(client_id(*name)), *account, *keep)])
            }
            Step::Life { market, life } => {
                (*market, life.commands(&self.plans[*market], outcomes(*market), now_ms))
            }
            Step::Pass { .. } | Step::Work => (0, Vec::new()),
        }
    }

    fn quote(
        &self,
        market: usize,
        account: u64,
        back: bool,
        outcome: usize,
        offset: i32,
        amount: i64,
    ) -> CommandKind {
        let plan = &self.plans[market];
        let quantity = amount * plan.increment();
        CommandKind::SubmitOrder(limit(plan, account, back, outcome, offset, quantity))
    }
}

fn limit(plan: &Plan, account: u64, back: bool, outcome: usize, offset: i32, quantity: i64) -> NewOrder {
    let (id, side) = (RunnerId(outcome as u64 + 1), if back { Side::Yes } else { Side::No });
    NewOrder::limit(id, side, plan.near(outcome, offset), Quantity(quantity)).by(AccountId(account))
}

fn cancel(order: OrderRef, account: u64, keep: i64) -> CommandKind {
    CommandKind::CancelOrder { order, account_id: AccountId(account), keep: Quantity(keep) }
}

/// The id of the market at this place.
pub(crate) fn market_id(place: usize) -> MarketId {
    MarketId(place as u64 + 1)
}
