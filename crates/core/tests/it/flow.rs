//! Random flows over two markets: whatever a client may send, good and bad, at prices that meet.

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderPrice, OrderRef};
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, OrderId, Persistence, Price, Quantity, RunnerId,
    SelfTradePrevention, Side, TimeInForce,
};
use proptest::prelude::*;

use crate::exchange::Exchange;

/// A market of pennies on the classic ladder, and one with a larger increment on the finest.
pub(crate) const LADDERS: [Ladder; 2] = [Ladder::Classic, Ladder::Finest];
pub(crate) const INCREMENTS: [i64; 2] = [100, 500];
pub(crate) const MINIMA: [i64; 2] = [100, 1_500];
pub(crate) const OUTCOMES: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// Around which tick each market trades.
    base: [u32; 2],
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Order(OrderStep),
    /// Of one of the orders that were ever taken.
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
    Change {
        market: usize,
        to: BookMarketState,
    },
    Pass {
        ms: u64,
    },
    /// One step of closing or expiring, if there is one to do.
    Work,
}

#[derive(Clone, Debug)]
pub(crate) struct OrderStep {
    market: usize,
    outcome: u64,
    account: u64,
    name: Option<u8>,
    back: bool,
    price: PriceStep,
    /// In increments, and some quanta that should not be there.
    stake: (i64, i64),
    lasting: LastingStep,
}

#[derive(Clone, Debug)]
enum PriceStep {
    /// Ticks from the market's base.
    Near(u32),
    Anywhere(u32),
    /// As far from a price as another ladder's next one may be.
    Beside(u32, u32),
    Raw(u32),
    Market,
    MarketTo(u32),
}

#[derive(Clone, Copy, Debug)]
enum LastingStep {
    Gtc,
    Ioc,
    /// Milliseconds from now.
    Gtd(i64),
}

/// How many ticks around its base a market trades at.
const SPREAD: u32 = 7;

pub(crate) fn flow(steps: usize) -> BoxedStrategy<Flow> {
    let base = [0..350 - SPREAD, 0..99_900 - SPREAD];
    (base, prop::collection::vec(step(), 1..steps)).prop_map(|(base, steps)| Flow { base, steps }).boxed()
}

fn step() -> BoxedStrategy<Step> {
    use BookMarketState::{Closed, Open, Suspended};
    let keep = || prop_oneof![4 => Just(0), 3 => (0..20_i64).prop_map(|n| n * 500), 1 => -100..900_i64];
    prop_oneof![
        700 => order().prop_map(Step::Order),
        120 => (any::<prop::sample::Index>(), account(), keep())
            .prop_map(|(order, account, keep)| Step::Cancel { order, account, keep }),
        30 => (0..2_usize, account(), 0..12_u8, keep())
            .prop_map(|(market, account, name, keep)| Step::CancelNamed { market, account, name, keep }),
        40 => (0..2_usize, prop_oneof![3 => Just(Open), 1 => Just(Suspended)])
            .prop_map(|(market, to)| Step::Change { market, to }),
        2 => (0..2_usize).prop_map(|market| Step::Change { market, to: Closed }),
        80 => prop_oneof![(0..40_u64), Just(2_000)].prop_map(|ms| Step::Pass { ms }),
        30 => Just(Step::Work),
    ]
    .boxed()
}

fn account() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0_u64), 5 => 1..5_u64]
}

fn order() -> BoxedStrategy<OrderStep> {
    let price = prop_oneof![
        80 => (0..SPREAD).prop_map(PriceStep::Near),
        4 => any::<u32>().prop_map(PriceStep::Anywhere),
        3 => (any::<u32>(), prop::sample::select(vec![1, 50, 100, 500, 1_000, 5_000]))
            .prop_map(|(tick, by)| PriceStep::Beside(tick, by)),
        1 => any::<u32>().prop_map(PriceStep::Raw),
        1 => (10_000..11_000_u32).prop_map(PriceStep::Raw),
        7 => Just(PriceStep::Market),
        6 => (0..SPREAD).prop_map(PriceStep::MarketTo),
    ];
    let stake = prop_oneof![
        60 => (3..20_i64, Just(0)),
        30 => (3..200_i64, Just(0)),
        4 => (200_000_000_000 - 3..200_000_000_000 + 2_i64, Just(0)),
        3 => (1..4_i64, Just(0)),
        1 => (-2..3_i64, 0..500_i64),
        1 => (Just(0), any::<i64>()),
    ];
    let lasting = prop_oneof![
        70 => Just(LastingStep::Gtc),
        12 => Just(LastingStep::Ioc),
        18 => (-3..100_i64).prop_map(LastingStep::Gtd),
    ];
    let outcome = prop_oneof![4 => Just(1_u64), 2 => Just(2), 1 => Just(3), 1 => 0..5_u64];
    let name = prop_oneof![4 => Just(None), 1 => (0..12_u8).prop_map(Some)];
    (0..2_usize, outcome, account(), name, any::<bool>(), price, stake, lasting)
        .prop_map(|(market, outcome, account, name, back, price, stake, lasting)| OrderStep {
            market,
            outcome,
            account,
            name,
            back,
            price,
            stake,
            lasting,
        })
        .boxed()
}

impl Flow {
    /// An exchange with the flow's two open markets.
    pub(crate) fn exchange() -> Exchange {
        let mut exchange = Exchange { now_ms: 1_000, suspicious: true, ..Exchange::default() };
        for ((ladder, increment), minimum) in LADDERS.into_iter().zip(INCREMENTS).zip(MINIMA) {
            exchange.create(NewMarket {
                ladder,
                increment: Quantity(increment),
                min_quantity: Quantity(minimum),
                state: BookMarketState::Open,
                synthetic: false,
                ..NewMarket::new(format!("{ladder:?}"), ["Home", "Draw", "Away"])
            });
        }
        exchange
    }

    /// The command that a step stands for, and its market's place. `taken` are the orders taken so far.
    pub(crate) fn command(
        &self,
        step: &Step,
        now_ms: u64,
        taken: &[(usize, OrderId)],
    ) -> Option<(usize, CommandKind)> {
        match step {
            Step::Order(order) => {
                Some((order.market, CommandKind::SubmitOrder(self.new_order(order, now_ms))))
            }
            Step::Cancel { order, account, keep } => {
                // Once in a while one that never was.
                let (market, id) = if taken.is_empty() { (0, OrderId(77_777)) } else { *order.get(taken) };
                Some((market, cancel(OrderRef::Id(id), *account, *keep)))
            }
            Step::CancelNamed { market, account, name, keep } => {
                Some((*market, cancel(OrderRef::Client(client_id(*name)), *account, *keep)))
            }
            Step::Change { market, to } => {
                let reason = Some("because".into());
                let kind = match to {
                    BookMarketState::Suspended => CommandKind::SuspendMarket { reason },
                    BookMarketState::Closed => CommandKind::CloseMarket { reason },
                    BookMarketState::Created | BookMarketState::Open => CommandKind::OpenMarket { reason },
                };
                Some((*market, kind))
            }
            Step::Pass { .. } | Step::Work => None,
        }
    }

    fn new_order(&self, step: &OrderStep, now_ms: u64) -> NewOrder {
        let ladder = LADDERS[step.market];
        let near = |offset: u32| ladder.price(Tick(self.base[step.market] + offset));
        NewOrder {
            runner_id: RunnerId(step.outcome),
            far_runner_id: RunnerId::NONE,
            account_id: AccountId(step.account),
            client_order_id: step.name.map(client_id),
            side: if step.back { Side::Yes } else { Side::No },
            price: match step.price {
                PriceStep::Near(offset) => OrderPrice::Limit(near(offset)),
                PriceStep::Anywhere(tick) => OrderPrice::Limit(ladder.price(Tick(tick % ladder.len()))),
                PriceStep::Beside(tick, by) => {
                    OrderPrice::Limit(Price(ladder.price(Tick(tick % ladder.len())).0 + by))
                }
                PriceStep::Raw(odds) => OrderPrice::Limit(Price(odds)),
                PriceStep::Market => OrderPrice::Market { worst: None },
                PriceStep::MarketTo(offset) => OrderPrice::Market { worst: Some(near(offset)) },
            },
            quantity: Quantity((step.stake.0 * INCREMENTS[step.market]).saturating_add(step.stake.1)),
            persistence: if step.account.is_multiple_of(2) {
                Persistence::Lapse
            } else {
                Persistence::Persist
            },
            time_in_force: match step.lasting {
                LastingStep::Gtc => TimeInForce::Gtc,
                LastingStep::Ioc => TimeInForce::Ioc,
                LastingStep::Gtd(ms) => TimeInForce::Gtd { expiry_ms: now_ms.saturating_add_signed(ms) },
            },
            post_only: false,
            self_trade: SelfTradePrevention::Skip,
        }
    }
}

fn cancel(order: OrderRef, account: u64, keep: i64) -> CommandKind {
    CommandKind::CancelOrder { order, account_id: AccountId(account), keep: Quantity(keep) }
}

fn client_id(name: u8) -> ClientOrderId {
    ClientOrderId::new(&format!("order-{name}")).expect("a short name")
}

/// The id of the market at this place.
pub(crate) fn market_id(place: usize) -> MarketId {
    MarketId(place as u64 + 1)
}
