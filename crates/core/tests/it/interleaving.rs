//! Jobs between whatever else may be asked, at random: what was to go goes, nothing else does, and it does
//! not matter where the engine was restarted.

use betex_core::command::{CommandKind, MassCancel, NewOrder, NewRunner, OrderRef};
use betex_core::event::{CancelReason, Event, OrderAccepted, OrderFilter, Stamp};
use betex_core::limits::ORDERS_PER_STEP_MAX;
use betex_core::types::{
    AccountId, BookMarketState, Hold, MarketPhase, OrderId, Persistence, Quantity, RunnerId, Side,
    TimeInForce,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

use crate::crowd::{crowd, in_play_market, jobs, member, turning};
use crate::exchange::{Exchange, MARKET, remade};

#[derive(Clone, Debug)]
enum Act {
    Command(CommandKind),
    /// The order that one of the jobs goes on with is cancelled.
    CancelNext(prop::sample::Index),
    /// Its side of the book is eaten, that order and so many pennies besides it.
    FillNext(prop::sample::Index, i64),
    Pass(u64),
    Work,
}

fn act() -> impl Strategy<Value = Act> {
    let why = None::<Box<str>>;
    let command = |kind: CommandKind| Just(Act::Command(kind));
    let window = prop_oneof![4 => Just((0, 0)), 1 => (0..2_500_u64, 0..2_500_u64)];
    let outcome = prop_oneof![3 => Just(0), 1 => 0..6_u64];
    let mass = (0..5_u64, outcome, window).prop_map(|(account, runner, (from, until))| {
        Act::Command(CommandKind::CancelOrders(MassCancel {
            account_id: AccountId(account),
            runner_id: RunnerId(runner),
            from_ns: from * 1_000_000,
            until_ns: until * 1_000_000,
        }))
    });
    let hold = |hold| CommandKind::HoldMarket { hold, reason: None };
    let lift = |hold| CommandKind::LiftHold { hold, reason: None };
    let phase = |phase| Act::Command(CommandKind::SetPhase { phase, reason: None });
    let withdraw = (1..6_u64).prop_map(|id| {
        Act::Command(CommandKind::RemoveRunner { runner_id: RunnerId(id), reduction: 1, reason: None })
    });
    let add = (4..6_u64).prop_map(|id| {
        let runners = vec![NewRunner { id: RunnerId(id), name: String::new() }];
        Act::Command(CommandKind::AddRunners { runners })
    });
    let job = any::<prop::sample::Index>;
    prop_oneof![
        10 => mass,
        15 => Just(Act::Work),
        8 => job().prop_map(Act::CancelNext),
        8 => (job(), -3..40_i64).prop_map(|(job, more)| Act::FillNext(job, more)),
        15 => (0..3_000_u32, 0..6_u64, any::<bool>()).prop_map(|(n, runner, crosses)| {
            let order = NewOrder { runner_id: RunnerId(runner), quantity: Quantity(700), ..arrival(n) };
            let side = if crosses { order.side.opposite() } else { order.side };
            Act::Command(CommandKind::SubmitOrder(NewOrder { side, ..order }))
        }),
        6 => (0..300_u64).prop_map(Act::Pass),
        4 => command(CommandKind::SuspendMarket { reason: why.clone() }),
        6 => command(CommandKind::OpenMarket { reason: why.clone() }),
        2 => command(hold(Hold::Halted)),
        3 => command(lift(Hold::Halted)),
        3 => Just(phase(MarketPhase::PreAwaitLive)),
        1 => Just(phase(MarketPhase::Pre)),
        2 => Just(phase(MarketPhase::Live)),
        2 => withdraw,
        2 => add,
        1 => command(CommandKind::CloseMarket { reason: why }),
        1 => command(CommandKind::RemoveMarket),
    ]
}

/// A member of the crowd, every fifth of which is not there for long.
fn arrival(n: u32) -> NewOrder {
    let expiry_ms = 2_010 + u64::from(n % 50) * 20;
    if n % 5 == 4 { member(n).lasting(TimeInForce::Gtd { expiry_ms }) } else { member(n) }
}

/// A crowd that came over 2 seconds.
fn gathered() -> Exchange {
    let mut exchange = crowd(in_play_market("cup"), []);
    for n in 0..2_000 {
        exchange.now_ms = u64::from(n);
        exchange.submit(arrival(n)).expect("rests");
    }
    exchange
}

/// What was asked to go: the filter, and the last order there was.
type Demand = (OrderFilter, OrderId);

/// Somebody who sees only the events, and knows which orders are to go.
#[derive(Default)]
struct Witness {
    orders: BTreeMap<OrderId, (OrderAccepted, u64)>,
    demands: Vec<Demand>,
    phase: Option<MarketPhase>,
    closed: bool,
    /// How often each reason was met.
    met: BTreeMap<&'static str, u32>,
}

impl Witness {
    fn see(&mut self, stamp: &Stamp, events: &[Event]) {
        let last = self.orders.last_key_value().map_or(OrderId::NONE, |(id, _)| *id);
        let (mut cancelled, mut steps) = (0, 0);
        for event in events {
            let lapse = OrderFilter { lapsing: true, ..OrderFilter::all(CancelReason::Lapsed) };
            match event {
                Event::OrderAccepted(order) => {
                    self.orders.insert(order.order_id, (*order, stamp.time_ns));
                }
                Event::OrdersCancelled(filter) => self.demands.push((*filter, last)),
                Event::RunnerRemoved { outcome, .. } => {
                    let all = OrderFilter::all(CancelReason::RunnerRemoved);
                    self.demands.push((OrderFilter { outcome: Some(*outcome), ..all }, last));
                }
                Event::PhaseChanged { to, .. } => {
                    self.phase = Some(*to);
                    if *to == MarketPhase::Live {
                        self.demands.push((lapse, last));
                    }
                }
                Event::MarketStatusChanged { to: BookMarketState::Suspended, .. }
                    if self.phase == Some(MarketPhase::PreAwaitLive) =>
                {
                    self.demands.push((lapse, last));
                }
                Event::MarketStatusChanged { to: BookMarketState::Closed, .. } => self.closed = true,
                Event::OrderCancelled(order) => {
                    use CancelReason::{Lapsed, MassCancelled, RunnerRemoved};
                    cancelled += u32::from(order.reason != CancelReason::Unfilled);
                    *self.met.entry(order.reason.name()).or_default() += 1;
                    if matches!(order.reason, Lapsed | MassCancelled | RunnerRemoved) {
                        let asked = |demand: &&Demand| demand.0.reason == order.reason;
                        let mut demands = self.demands.iter().filter(asked);
                        assert!(!self.closed && demands.any(|demand| self.is_for(demand, order.order_id)));
                    }
                }
                Event::JobAdvanced { .. } | Event::JobStarted(_) => steps += 1,
                _ => (),
            }
        }
        assert!(cancelled <= ORDERS_PER_STEP_MAX && steps <= 1);
    }

    fn is_for(&self, (filter, last): &Demand, id: OrderId) -> bool {
        let (order, accepted_ns) = &self.orders[&id];
        id <= *last
            && (filter.account == AccountId::NONE || filter.account == order.account)
            && (filter.outcome.is_none() || filter.outcome == Some(order.outcome))
            && (!filter.lapsing || order.persistence == Persistence::Lapse)
            && *accepted_ns >= filter.from_ns
            && (filter.until_ns == 0 || *accepted_ns < filter.until_ns)
    }
}

fn side_of(exchange: &Exchange, id: OrderId) -> Option<(RunnerId, Side, i64)> {
    let order = exchange.state.order(id)?;
    let market = exchange.state.market(MARKET)?;
    let ahead = market.orders(order.outcome, order.side).take_while(|other| other.id != id);
    let ahead: i64 = ahead.map(|other| other.remaining.0).sum();
    Some((market.spec().runners[order.outcome.index()].id, order.side, ahead + order.remaining.0))
}

fn perform(exchange: &mut Exchange, act: &Act) {
    let next = |exchange: &Exchange, which: &prop::sample::Index| {
        let jobs = jobs(exchange);
        if jobs.is_empty() { None } else { Some(which.get(&jobs).next) }
    };
    let kind = match act {
        Act::Command(kind) => kind.clone(),
        Act::CancelNext(job) => {
            let Some(id) = next(exchange, job) else { return };
            let (order, account_id) = (OrderRef::Id(id), AccountId::NONE);
            CommandKind::CancelOrder { order, account_id, keep: Quantity::ZERO }
        }
        Act::FillNext(job, more) => {
            let Some((runner, side, quantity)) = next(exchange, job).and_then(|id| side_of(exchange, id))
            else {
                return;
            };
            let quantity = Quantity((quantity + more * 100).max(100));
            CommandKind::SubmitOrder(NewOrder::market(runner, side.opposite(), quantity))
        }
        Act::Pass(ms) => {
            exchange.now_ms += ms;
            return;
        }
        Act::Work => {
            exchange.work();
            return;
        }
    };
    // Whatever the answer is.
    let _ = exchange.run(MARKET, &kind);
}

/// What holds between any two transactions.
fn check(exchange: &Exchange) {
    if exchange.state.market(MARKET).is_none() {
        assert_eq!(jobs(exchange), []);
        return;
    }
    let jobs = jobs(exchange);
    for job in &jobs {
        assert!(job.next == OrderId::NONE || exchange.state.order(job.next).is_some(), "{job:?}");
    }
    let transition = jobs.iter().any(|job| job.filter.reason == CancelReason::Lapsed);
    assert_eq!(turning(exchange), transition);
}

/// Plays acts on a crowd, restarted before the act of this number from its log and then from its image, and
/// works off what is left.
fn play(gathered: &Exchange, acts: &[Act], restart: Option<usize>) -> Exchange {
    let mut exchange = gathered.clone();
    for (place, act) in acts.iter().enumerate() {
        if Some(place) == restart {
            let replayed = exchange.replay(exchange.log.len());
            assert_eq!(replayed.digest(), exchange.state.digest());
            exchange.state = remade(&replayed);
        }
        perform(&mut exchange, act);
        check(&exchange);
    }
    let mut steps = 0;
    while exchange.work().is_some() {
        check(&exchange);
        steps += 1;
        assert!(steps < 5_000, "it comes to an end");
    }
    exchange
}

fn witness(exchange: &Exchange) -> Witness {
    let mut witness = Witness::default();
    exchange.log.iter().for_each(|(stamp, events)| witness.see(stamp, events));
    // Nothing rests that was to go; where the market closed nothing rests at all.
    for order in crate::exchange::queues(&exchange.state) {
        assert!(!witness.closed);
        assert!(!witness.demands.iter().any(|demand| witness.is_for(demand, order.id)), "{order:?} is left");
    }
    witness
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..80)
}

#[test]
fn jobs_take_out_what_they_are_to_and_nothing_else() {
    let gathered = gathered();
    let config = ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(acts(), any::<prop::sample::Index>()), |(acts, restart)| {
            let whole = play(&gathered, &acts, None);
            witness(&whole);
            let restarted = play(&gathered, &acts, Some(restart.index(acts.len())));
            assert_eq!(restarted.log, whole.log);
            assert_eq!(restarted.state.digest(), whole.state.digest());
            Ok(())
        })
        .expect("it holds for all of them");
}

/// Acts that never get anywhere would prove nothing.
#[test]
fn the_acts_get_everywhere() {
    let gathered = gathered();
    let mut runner = TestRunner::deterministic();
    let (mut met, mut events) = (BTreeMap::new(), BTreeMap::<_, u32>::new());
    for _ in 0..48 {
        let acts = acts().new_tree(&mut runner).expect("acts").current();
        let exchange = play(&gathered, &acts, None);
        for (reason, count) in witness(&exchange).met {
            *met.entry(reason).or_insert(0) += count;
        }
        for event in exchange.log[gathered.log.len()..].iter().flat_map(|(_, events)| events) {
            let name = format!("{event:?}");
            *events.entry(name.split([' ', '(', '{']).next().unwrap_or_default().to_owned()).or_default() +=
                1;
        }
    }
    for reason in ["", "EXPIRED", "MARKET_CLOSED", "LAPSED", "OUTCOME_REMOVED", "MASS_CANCELLED"] {
        assert!(met.get(reason).is_some_and(|count| *count > 5), "{reason:?}: {met:?}");
    }
    assert!(events.contains_key("MarketRemoved"), "{events:?}");
    for event in [
        "HoldChanged",
        "PhaseChanged",
        "RunnersAdded",
        "RunnerRemoved",
        "OrdersCancelled",
        "JobStarted",
        "JobAdvanced",
        "TradeMatched",
    ] {
        assert!(events.get(event).is_some_and(|count| *count > 15), "{event}: {events:?}");
    }
}
