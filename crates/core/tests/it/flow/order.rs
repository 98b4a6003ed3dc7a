//! Random orders: good and bad ones, at prices that meet, directly and in sets.

use betex_core::command::{NewOrder, OrderPrice};
use betex_core::types::{
    AccountId, ClientOrderId, Persistence, Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce,
};
use proptest::prelude::*;

use super::market::{Plan, Shape};

#[derive(Clone, Debug)]
pub(crate) struct OrderStep {
    pub(super) market: usize,
    outcome: Outcome,
    far: Far,
    account: u64,
    name: Option<u8>,
    back: bool,
    price: PriceStep,
    amount: Amount,
    lasting: LastingStep,
    persists: bool,
    post_only: bool,
    self_trade: SelfTradePrevention,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// One that the market has, or had.
    Listed(u8),
    /// This id, whatever the market has.
    Id(u64),
}

/// The other half, where a market is of lines.
#[derive(Clone, Copy, Debug)]
enum Far {
    None,
    /// The next line.
    Next,
    /// This id, in whatever market.
    Id(u64),
}

#[derive(Clone, Copy, Debug)]
enum PriceStep {
    /// Ticks from what the outcome is worth.
    Near(i32),
    Anywhere(u32),
    /// As far from a price as another ladder's next one may be.
    Beside(u32, u32),
    Raw(u32),
    Market,
    MarketTo(i32),
}

#[derive(Clone, Copy, Debug)]
enum Amount {
    /// Increments.
    Of(i64),
    /// So many increments less than the largest order.
    Largest(i64),
    /// Increments, and some quanta that should not be there.
    Raw(i64, i64),
}

#[derive(Clone, Copy, Debug)]
enum LastingStep {
    Gtc,
    Ioc,
    FokAll,
    /// At least this many hundredths.
    FokPart(i64),
    FokRaw(i64),
    /// Milliseconds from now.
    Gtd(i64),
}

/// How many ticks around what an outcome is worth orders are.
pub(super) const SPREAD: i32 = 5;

pub(super) fn account() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0_u64), 5 => 1..5_u64]
}

pub(super) fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 1..8_i64,
        6 => 5..80_i64,
        6 => 80..3_000_i64,
        8 => 10_000..400_000_i64,
        1 => 1_000_000..200_000_000_000_i64,
    ]
}

pub(super) fn order() -> BoxedStrategy<OrderStep> {
    let price = prop_oneof![
        160 => (-SPREAD..=SPREAD).prop_map(PriceStep::Near),
        6 => any::<u32>().prop_map(PriceStep::Anywhere),
        3 => (any::<u32>(), prop::sample::select(vec![1, 50, 100, 500, 1_000, 5_000]))
            .prop_map(|(tick, by)| PriceStep::Beside(tick, by)),
        2 => any::<u32>().prop_map(PriceStep::Raw),
        2 => prop_oneof![10_000..11_000_u32, 0..3_u32].prop_map(PriceStep::Raw),
        14 => Just(PriceStep::Market),
        12 => (-SPREAD..=SPREAD).prop_map(PriceStep::MarketTo),
    ];
    let amount = prop_oneof![
        60 => amount().prop_map(Amount::Of),
        6 => (1..4_i64).prop_map(Amount::Of),
        1 => (-2..3_i64).prop_map(Amount::Largest),
        1 => (-2..3_i64, 0..500_i64).prop_map(|(increments, quanta)| Amount::Raw(increments, quanta)),
        1 => any::<i64>().prop_map(|quanta| Amount::Raw(0, quanta)),
    ];
    let lasting = prop_oneof![
        70 => Just(LastingStep::Gtc),
        10 => Just(LastingStep::Ioc),
        5 => Just(LastingStep::FokAll),
        7 => (0..101_i64).prop_map(LastingStep::FokPart),
        1 => (-2..300_i64).prop_map(LastingStep::FokRaw),
        16 => (-3..100_i64).prop_map(LastingStep::Gtd),
    ];
    let outcome = prop_oneof![
        60 => any::<u8>().prop_map(Outcome::Listed),
        1 => prop_oneof![Just(0_u64), 5..20_u64].prop_map(Outcome::Id),
    ];
    let far = prop_oneof![
        60 => Just(Far::None),
        40 => Just(Far::Next),
        1 => (1..9_u64).prop_map(Far::Id),
    ];
    let name = prop_oneof![4 => Just(None), 1 => (0..12_u8).prop_map(Some)];
    let self_trade = prop_oneof![
        6 => Just(SelfTradePrevention::Skip),
        1 => Just(SelfTradePrevention::Reject),
        2 => Just(SelfTradePrevention::CancelResting),
        1 => Just(SelfTradePrevention::CancelTaker),
    ];
    let whose = (account(), name, any::<bool>(), self_trade);
    let what = (any::<bool>(), price, amount, lasting, prop::bool::weighted(0.05));
    (0..2_usize, outcome, far, whose, what)
        .prop_map(|(market, outcome, far, whose, what)| {
            let (account, name, persists, self_trade) = whose;
            let (back, price, amount, lasting, post_only) = what;
            OrderStep {
                market,
                outcome,
                far,
                account,
                name,
                back,
                price,
                amount,
                lasting,
                persists,
                post_only,
                self_trade,
            }
        })
        .boxed()
}

impl OrderStep {
    /// The order, in a market that has had so many outcomes.
    pub(super) fn new_order(&self, plan: &Plan, outcomes: usize, now_ms: u64) -> NewOrder {
        let (place, runner_id) = match self.outcome {
            Outcome::Listed(outcome) => {
                let place = usize::from(outcome) % outcomes;
                (place, RunnerId(place as u64 + 1))
            }
            Outcome::Id(id) => (0, RunnerId(id)),
        };
        let far_runner_id = match self.far {
            Far::Next if plan.shape == Shape::Lines => RunnerId(runner_id.0 + 2),
            Far::None | Far::Next => RunnerId::NONE,
            Far::Id(id) => RunnerId(id),
        };
        let quantity = self.amount.quantity(plan);
        let at = |tick: u32| tick % plan.ladder.len();
        NewOrder {
            runner_id,
            far_runner_id,
            account_id: AccountId(self.account),
            client_order_id: self.name.map(client_id),
            side: if self.back { Side::Yes } else { Side::No },
            price: match self.price {
                PriceStep::Near(offset) => OrderPrice::Limit(plan.near(place, offset)),
                PriceStep::Anywhere(tick) => OrderPrice::Limit(plan.price(at(tick))),
                PriceStep::Beside(tick, by) => OrderPrice::Limit(Price(plan.price(at(tick)).0 + by)),
                PriceStep::Raw(price) => OrderPrice::Limit(Price(price)),
                PriceStep::Market => OrderPrice::Market { worst: None },
                PriceStep::MarketTo(offset) => OrderPrice::Market { worst: Some(plan.near(place, offset)) },
            },
            quantity,
            persistence: if self.persists { Persistence::Persist } else { Persistence::Lapse },
            time_in_force: self.lasting.time_in_force(quantity, now_ms),
            post_only: self.post_only,
            self_trade: self.self_trade,
        }
    }
}

impl Amount {
    const fn quantity(self, plan: &Plan) -> Quantity {
        let increment = plan.increment();
        Quantity(match self {
            Self::Of(increments) => increments * increment,
            Self::Largest(less) => (Quantity::MAX.0 / increment - less) * increment,
            Self::Raw(increments, quanta) => (increments * increment).saturating_add(quanta),
        })
    }
}

impl LastingStep {
    fn time_in_force(self, quantity: Quantity, now_ms: u64) -> TimeInForce {
        let fok = |min_fill| TimeInForce::Fok { min_fill: Quantity(min_fill) };
        match self {
            Self::Gtc => TimeInForce::Gtc,
            Self::Ioc => TimeInForce::Ioc,
            Self::FokAll => fok(0),
            Self::FokPart(hundredths) => fok((quantity.0 / 100).saturating_mul(hundredths)),
            Self::FokRaw(quanta) => fok(quanta),
            Self::Gtd(ms) => TimeInForce::Gtd { expiry_ms: now_ms.saturating_add_signed(ms) },
        }
    }
}

pub(super) fn client_id(name: u8) -> ClientOrderId {
    ClientOrderId::new(&format!("order-{name}")).expect("a short name")
}
