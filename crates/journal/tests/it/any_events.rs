//! Any events that a journal can hold, whether or not the core would emit them.

use betex_core::command::{NewMarket, NewRunner, VoidedTrades};
use betex_core::event::{
    CancelReason, Event, Half, Job, OrderAccepted, OrderCancelled, OrderFilter, OutcomeIndex, SetMatched,
    TradeMatched,
};
use betex_core::ladder::{Ladder, PRICE_TICKS_MAX};
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, Hold, MarketKind, MarketPhase, Money, OrderId, Persistence,
    Price, Quantity, RunnerId, SelfTradePrevention, Side, TimeInForce, TradeId, TransitionPolicy,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn side() -> impl Strategy<Value = Side> {
    select(&[Side::Yes, Side::No])
}

fn state() -> impl Strategy<Value = BookMarketState> {
    use BookMarketState::{Closed, Created, Open, Suspended};
    select(&[Created, Open, Suspended, Closed])
}

fn phase() -> impl Strategy<Value = MarketPhase> {
    select(&[MarketPhase::Pre, MarketPhase::PreAwaitLive, MarketPhase::Live])
}

fn cancel_reason() -> impl Strategy<Value = CancelReason> {
    use CancelReason::{
        Expired, Lapsed, MarketClosed, MassCancelled, OrderLimit, OwnOrder, Requested, RunnerRemoved,
        SelfTrade, Unfilled,
    };
    select(&[
        Requested,
        Unfilled,
        SelfTrade,
        OrderLimit,
        Expired,
        MarketClosed,
        OwnOrder,
        Lapsed,
        RunnerRemoved,
        MassCancelled,
    ])
}

fn quantity() -> impl Strategy<Value = Quantity> {
    any::<i64>().prop_map(Quantity)
}

/// An exact amount, now and then a small one.
fn quanta(least: i64) -> impl Strategy<Value = i64> {
    prop_oneof![least..300, least..=i64::MAX / 2]
}

/// Whole pennies, and a fraction beyond them.
fn pennies(exact: i64) -> (Quantity, u8) {
    (Quantity(exact / 100 * 100), u8::try_from(exact % 100).unwrap())
}

/// A leg to the quantum: by how many pennies its maker's remaining fell, its stake, and what is left.
fn exact_leg() -> impl Strategy<Value = (Quantity, Quantity, (Quantity, u8))> {
    (quanta(1), quanta(0)).prop_map(|(stake, left)| {
        let fell = pennies(left + stake).0.0 - pennies(left).0.0;
        (Quantity(fell), Quantity(stake), pennies(left))
    })
}

/// What the taker of a set gives, to the quantum or in any whole amount: pennies and stake.
fn taken() -> impl Strategy<Value = (Quantity, Quantity)> {
    prop_oneof![
        quantity().prop_map(|quantity| (quantity, quantity)),
        exact_leg().prop_map(|(quantity, stake, _)| (quantity, stake)),
    ]
}

fn outcome() -> impl Strategy<Value = OutcomeIndex> {
    any::<u16>().prop_map(OutcomeIndex)
}

fn reason() -> impl Strategy<Value = Option<Box<str>>> {
    option::of(".{0,30}".prop_map(String::into_boxed_str))
}

/// What version 1 can say, and what it cannot.
fn time_in_force() -> impl Strategy<Value = TimeInForce> {
    prop_oneof![
        Just(TimeInForce::Gtc),
        Just(TimeInForce::Ioc),
        any::<u64>().prop_map(|expiry_ms| TimeInForce::Gtd { expiry_ms }),
        quantity().prop_map(|min_fill| TimeInForce::Fok { min_fill }),
    ]
}

prop_compose! {
    fn order_accepted()(
        ids in (any::<u64>(), any::<u64>(), outcome(), any::<u32>()),
        quantity in quantity(),
        resting in prop_oneof![3 => quantity().prop_map(|whole| (whole, 0)), 1 => quanta(0).prop_map(pennies)],
        side in side(),
        market_order in any::<bool>(),
        time_in_force in time_in_force(),
        persistence in select(&[Persistence::Lapse, Persistence::Persist]),
        client_order_id in option::of("[a-zé\u{1F40E}]{1,16}".prop_map(|id| ClientOrderId::new(&id).unwrap())),
        more in option::of((any::<bool>(), select(&[
            SelfTradePrevention::Skip, SelfTradePrevention::Reject, SelfTradePrevention::CancelResting,
            SelfTradePrevention::CancelTaker,
        ]))),
    ) -> OrderAccepted {
        let (post_only, self_trade) = more.unwrap_or_default();
        OrderAccepted {
            order_id: OrderId(ids.0),
            account: AccountId(ids.1),
            client_order_id,
            outcome: ids.2,
            side,
            price: Price(ids.3),
            market_order,
            time_in_force: time_in_force.into(),
            persistence,
            quantity,
            resting: resting.0,
            fraction: resting.1,
            post_only,
            self_trade,
            half: Half::Whole,
        }
    }
}

prop_compose! {
    /// A direct trade at odds.
    fn trade_matched()(
        ids in (any::<u64>(), any::<u64>(), outcome(), any::<u32>()),
        maker_side in side(),
        quantities in (quantity(), quantity(), quantity(), quantity()),
        small in any::<bool>(),
    ) -> TradeMatched {
        let quantity = if small { Quantity(quantities.0.0 % Quantity::MAX.0) } else { quantities.0 };
        let payout = (i128::from(quantity.0) * i128::from(ids.3) / 10_000)
            .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        TradeMatched {
            // Filled in by the transaction.
            taker_order_id: OrderId::NONE,
            maker_order_id: OrderId(ids.0),
            maker_account: AccountId(ids.1),
            outcome: ids.2,
            maker_side,
            price: Price(ids.3),
            quantity,
            stake: quantity,
            maker_quantity: quantities.1,
            maker_filled: quantities.2,
            maker_remaining: quantities.3,
            maker_fraction: 0,
            payout: Money(i64::try_from(payout).unwrap()),
            leg: 0,
        }
    }
}

prop_compose! {
    fn set()(
        ids in (outcome(), any::<u32>()),
        side in side(),
        taken in taken(),
        payout in any::<i64>().prop_map(Money),
        legs in vec((trade_matched(), option::of(exact_leg())), 1..4),
    ) -> Vec<Event> {
        let makers = u16::try_from(legs.len()).unwrap();
        let taker_order_id = OrderId::NONE;
        let (outcome, price, (quantity, stake)) = (ids.0, Price(ids.1), taken);
        let set = SetMatched { taker_order_id, outcome, side, price, quantity, stake, payout, makers };
        let legs = (1..).zip(legs).map(|(leg, (trade, exact))| {
            let trade = exact.map_or(trade, |(quantity, stake, (maker_remaining, maker_fraction))| {
                TradeMatched { quantity, stake, maker_remaining, maker_fraction, ..trade }
            });
            Event::TradeMatched(TradeMatched { payout, leg, ..trade })
        });
        std::iter::once(Event::SetMatched(set)).chain(legs).collect()
    }
}

prop_compose! {
    fn order_cancelled()(
        ids in (any::<u64>(), any::<u64>(), outcome(), any::<u32>()),
        side in side(),
        reason in cancel_reason(),
        quantities in (quantity(), quantity(), quantity(), quantity()),
    ) -> OrderCancelled {
        let (order, account, outcome, price) = ids;
        let (cancelled, quantity, filled, remaining) = quantities;
        OrderCancelled {
            order_id: OrderId(order),
            account: AccountId(account),
            outcome,
            side,
            price: Price(price),
            reason,
            cancelled,
            quantity,
            filled,
            remaining,
        }
    }
}

prop_compose! {
    /// A direct trade at odds with a maker who has a fraction of a penny left.
    fn leaves_a_fraction()(
        trade in trade_matched(),
        pennies in 1..1_000_000_i64,
        remaining in 0..1_000_000_i64,
        maker_fraction in 1..=99_u8,
    ) -> TradeMatched {
        let stake = Quantity(100 * pennies);
        let payout = Money(pennies * i64::from(trade.price.0) / 100);
        let maker_remaining = Quantity(100 * remaining);
        TradeMatched { quantity: stake, stake, payout, maker_remaining, maker_fraction, ..trade }
    }
}

/// What an order does once it is in: trades at odds and of shares, sets, cancels of what was in its way.
fn matching() -> impl Strategy<Value = Vec<Event>> {
    let fraction = leaves_a_fraction().prop_map(|trade| vec![Event::TradeMatched(trade)]);
    let direct = (trade_matched(), any::<bool>()).prop_map(|(trade, shares)| {
        let payout = if shares { Money(trade.quantity.0.saturating_mul(10_000)) } else { trade.payout };
        vec![Event::TradeMatched(TradeMatched { payout, ..trade })]
    });
    let cancel = order_cancelled().prop_map(|cancel| vec![Event::OrderCancelled(cancel)]);
    vec(prop_oneof![3 => direct, 1 => fraction, 3 => set(), 1 => cancel], 0..6)
        .prop_map(|events| events.concat())
}

/// An order, and what it does, as its taker.
fn taking(order: OrderAccepted, events: Vec<Event>) -> Vec<Event> {
    let taker_order_id = order.order_id;
    let events = events.into_iter().map(|event| match event {
        Event::TradeMatched(trade) => Event::TradeMatched(TradeMatched { taker_order_id, ..trade }),
        Event::SetMatched(set) => Event::SetMatched(SetMatched { taker_order_id, ..set }),
        other => other,
    });
    std::iter::once(Event::OrderAccepted(order)).chain(events).collect()
}

fn split() -> impl Strategy<Value = Vec<Event>> {
    let halves = [(order_accepted(), matching()), (order_accepted(), matching())];
    (order_accepted(), outcome(), halves).prop_map(|(order, far, [near, other])| {
        // What is left of it is what is left of its halves.
        let order = OrderAccepted { fraction: 0, ..order };
        let mut events = vec![Event::OrderSplit { order, far }];
        events.extend(taking(OrderAccepted { half: Half::Near, ..near.0 }, near.1));
        events.extend(taking(OrderAccepted { half: Half::Far, ..other.0 }, other.1));
        events
    })
}

fn runners() -> impl Strategy<Value = Vec<NewRunner>> {
    vec((any::<u64>(), ".{0,12}").prop_map(|(id, name)| NewRunner { id: RunnerId(id), name }), 0..6)
}

prop_compose! {
    fn market_created()(
        texts in (".{0,20}", ".{0,20}"),
        runners in runners(),
        ladder in prop_oneof![
            Just(Ladder::Classic),
            Just(Ladder::Finest),
            (2..=PRICE_TICKS_MAX).prop_map(|max_price_ticks| Ladder::Binary { max_price_ticks }),
        ],
        more in option::of((any::<bool>(), any::<bool>(), select(&[
            TransitionPolicy::RespectPersistence, TransitionPolicy::KeepAll, TransitionPolicy::CancelAll,
        ]))),
        kind in select(&[MarketKind::PreEventOnly, MarketKind::InPlayCapable]),
        phase in phase(),
        state in state(),
        quantities in (quantity(), quantity()),
    ) -> Event {
        let (independent, synthetic, transition) = more.unwrap_or_default();
        Event::MarketCreated(Box::new(NewMarket {
            key: texts.0,
            name: texts.1,
            ladder,
            runners,
            independent,
            synthetic,
            transition,
            kind,
            state,
            phase,
            increment: quantities.0,
            min_quantity: quantities.1,
        }))
    }
}

prop_compose! {
    fn filter()(
        account in any::<u64>().prop_map(AccountId),
        outcome in option::of(outcome()),
        lapsing in any::<bool>(),
        window in (any::<u64>(), any::<u64>()),
        reason in cancel_reason(),
    ) -> OrderFilter {
        OrderFilter { account, outcome, lapsing, from_ns: window.0, until_ns: window.1, reason }
    }
}

prop_compose! {
    fn limits()(
        first in any::<[u32; 4]>(),
        closed_market_ttl_ms in any::<u64>(),
        later in option::of((any::<[u32; 4]>(), any::<u64>())),
    ) -> Limits {
        let [markets, accounts, resting_orders, client_ids_per_market] = first;
        let first = Limits {
            markets, accounts, resting_orders, client_ids_per_market, closed_market_ttl_ms, ..Limits::UNBOUNDED
        };
        later.map_or(first, |([a, b, c, d], market_bytes)| Limits {
            accounts_per_market: a,
            resting_orders_per_account: b,
            client_ids: c,
            client_ids_per_account: d,
            market_bytes,
            ..first
        })
    }
}

/// One event of a market that is neither an order nor a trade.
fn of_a_market() -> impl Strategy<Value = Event> {
    let hold = select(&Hold::ALL);
    let voided = prop_oneof![
        any::<u64>().prop_map(|id| VoidedTrades::One(TradeId(id))),
        (any::<u64>(), any::<u64>())
            .prop_map(|(from_ns, until_ns)| VoidedTrades::Window { from_ns, until_ns }),
    ];
    prop_oneof![
        3 => market_created(),
        1 => (state(), reason()).prop_map(|(to, reason)| Event::MarketStatusChanged { to, reason }),
        1 => (hold, any::<bool>(), state(), reason())
            .prop_map(|(hold, on, to, reason)| Event::HoldChanged { hold, on, to, reason }),
        1 => (phase(), reason()).prop_map(|(to, reason)| Event::PhaseChanged { to, reason }),
        1 => runners().prop_map(|runners| Event::RunnersAdded(runners.into())),
        1 => (outcome(), any::<u16>(), reason())
            .prop_map(|(outcome, reduction, reason)| Event::RunnerRemoved { outcome, reduction, reason }),
        1 => (voided, reason()).prop_map(|(trades, reason)| Event::TradesVoided { trades, reason }),
        1 => Just(Event::MarketRemoved),
        1 => filter().prop_map(Event::OrdersCancelled),
        1 => (filter(), any::<u64>(), any::<u64>()).prop_map(|(filter, last, next)| {
            Event::JobStarted(Job { filter, last_order_id: OrderId(last), next: OrderId(next) })
        }),
        1 => (any::<u64>(), any::<u64>())
            .prop_map(|(job, next)| Event::JobAdvanced { job, next: OrderId(next) }),
        2 => order_cancelled().prop_map(Event::OrderCancelled),
    ]
}

/// A leg whose amounts are anything, small ones, so that now and then they fit each other.
pub(crate) fn any_leg() -> impl Strategy<Value = TradeMatched> {
    let amounts = (-3..400_i64, -3..400_i64, -2..4_i64, -1..2_i64, prop_oneof![0..101_u8, any::<u8>()]);
    (trade_matched(), amounts).prop_map(|(trade, (quantity, stake, remaining, odd, maker_fraction))| {
        let quantity = Quantity(if quantity % 3 == 0 { quantity / 100 * 100 } else { quantity });
        let maker_remaining = Quantity(100 * remaining + odd);
        TradeMatched { quantity, stake: Quantity(stake), maker_remaining, maker_fraction, ..trade }
    })
}

/// The events of one transaction, and whether it is in a market.
pub(crate) fn transaction() -> impl Strategy<Value = (bool, Vec<Event>)> {
    prop_oneof![
        8 => (order_accepted(), matching()).prop_map(|(order, events)| (true, taking(order, events))),
        2 => split().prop_map(|events| (true, events)),
        6 => vec(of_a_market(), 1..4).prop_map(|events| (true, events)),
        1 => limits().prop_map(|limits| (false, vec![Event::LimitsSet(limits)])),
        1 => any::<u64>().prop_map(|from_ns| (false, vec![Event::TimeSetBack { from_ns }])),
        1 => (any::<u64>(), ".{0,30}").prop_map(|(account, name)| {
            (false, vec![Event::AccountRegistered { account: AccountId(account), name: name.into_boxed_str() }])
        }),
    ]
}
