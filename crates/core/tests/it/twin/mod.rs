//! Random flows through the core and through its twin: after every step both say the same, and their
//! books are the same, order by order.

mod bounds;
mod words;

use std::collections::BTreeMap;

use betex_core::command::{CommandKind, NewOrder, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::{Event, OrderAccepted, OutcomeIndex};
use betex_core::reject::{OrderReport, Rejection};
use betex_core::types::{AccountId, Hold, OrderId, Side};
use betex_naive as naive;
use proptest::prelude::*;

use crate::exchange::Exchange;
use crate::flow::market::Plan;
use crate::flow::{Flow, Step, flow, market_id};

type Answer = Result<(Receipt, Vec<Event>), Rejection>;

/// The twin of a market, and which of the core's orders is which of its.
struct Twin {
    /// The place of the market in the flow.
    place: usize,
    plan: Plan,
    market: naive::Market,
    numbers: BTreeMap<OrderId, u64>,
}

impl Twin {
    fn new(place: usize, plan: &Plan) -> Self {
        Self { place, plan: plan.clone(), market: words::market(plan), numbers: BTreeMap::new() }
    }

    fn number(&self, id: OrderId) -> u64 {
        self.numbers.get(&id).copied().unwrap_or_default()
    }

    /// Lets the twin do what the core has done; answers with the ids of the orders that were taken.
    fn follow(&mut self, exchange: &Exchange, kind: &CommandKind, core: Answer) -> Vec<OrderId> {
        match kind {
            CommandKind::SubmitOrder(order) => return self.submit(order, exchange.now_ms, core),
            CommandKind::CancelOrder { order, account_id, keep } => {
                self.cancel(*order, *account_id, keep.0, core);
            }
            _ => self.change(kind, core),
        }
        Vec::new()
    }

    fn submit(&mut self, order: &NewOrder, now_ms: u64, core: Answer) -> Vec<OrderId> {
        let twin = self.market.submit(now_ms * 1_000_000, &words::order(order));
        let mut ids = Vec::new();
        if let Ok((Receipt::Order { report, .. }, _)) = &core {
            let first = report.order_id.0;
            ids.extend((first..=first + if report.split { 2 } else { 0 }).map(OrderId));
            let numbers = self.numbers.len() as u64 + 1..;
            self.numbers.extend(ids.iter().copied().zip(numbers));
        }
        if let (Err(Rejection::DuplicateClientId(first)), Err(naive::Refusal::DuplicateClientId(number))) =
            (&core, &twin)
        {
            self.compare_report(*number, first);
        }
        let core = core.map(|(receipt, events)| self.answer(order, &receipt, &events)).map_err(|rejection| {
            match &rejection {
                Rejection::DuplicateClientId(first) => {
                    naive::Refusal::DuplicateClientId(self.number(first.order_id))
                }
                other => words::refusal(other),
            }
        });
        assert_eq!(core, twin, "core left, twin right");
        ids
    }

    fn answer(&self, order: &NewOrder, receipt: &Receipt, events: &[Event]) -> naive::Answer {
        let Receipt::Order { report, reason } = receipt else { panic!("{receipt:?}") };
        let own_cancelled = events.iter().filter_map(|event| match event {
            Event::OrderCancelled(order) if !order.never_rested() => Some(self.number(order.order_id)),
            _ => None,
        });
        let trades = self.trades(order, events);
        let mut parts: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::OrderAccepted(part) => Some(part),
                _ => None,
            })
            .collect();
        // Of halves only those count that have something to match.
        parts.retain(|part| part.quantity.0 > 0);
        let matched = |part: &OrderAccepted| {
            let of_part = trades.iter().filter(|trade| trade.taker == self.number(part.order_id));
            of_part.map(|trade| trade.stake).sum::<i64>()
        };
        let dust = |part: &&OrderAccepted| {
            let unmatched = part.quantity.0 - matched(part);
            if unmatched < self.market.ladder.unit() { unmatched } else { 0 }
        };
        let left = |part: &&OrderAccepted| match part.resting.0 {
            0 => 0,
            whole => whole + i64::from(part.fraction),
        };
        naive::Answer {
            number: self.number(report.order_id),
            status: words::status(report.status),
            filled: report.filled.0,
            remaining: report.remaining.0,
            left: parts.iter().map(left).sum(),
            dust: parts.iter().map(dust).sum(),
            reason: reason.map(words::reason),
            trades,
            own_cancelled: own_cancelled.collect(),
        }
    }

    fn trades(&self, order: &NewOrder, events: &[Event]) -> Vec<naive::Trade> {
        let mut trades: Vec<naive::Trade> = Vec::new();
        let mut outcome = words::outcome(order.runner_id);
        for event in events {
            match event {
                Event::OrderAccepted(accepted) => outcome = accepted.outcome.index(),
                Event::SetMatched(set) => {
                    assert_eq!((set.outcome.index(), set.side), (outcome, order.side));
                    trades.push(naive::Trade {
                        taker: self.number(set.taker_order_id),
                        set: true,
                        price: set.price.0,
                        stake: set.stake.0,
                        quantity: set.quantity.0,
                        payout: set.payout.0.into(),
                        makers: Vec::with_capacity(set.makers.into()),
                    });
                }
                Event::TradeMatched(trade) => {
                    let (price, payout) = (trade.price.0, trade.payout.0.into());
                    let (stake, quantity) = (trade.stake.0, trade.quantity.0);
                    let maker = naive::Leg {
                        maker: self.number(trade.maker_order_id),
                        outcome: trade.outcome.index(),
                        side: words::side(trade.maker_side),
                        price,
                        stake,
                        quantity,
                        left: trade.maker_remaining.0 + i64::from(trade.maker_fraction),
                        payout,
                    };
                    let taker = self.number(trade.taker_order_id);
                    if trade.is_synthetic() {
                        let set = trades.last_mut().expect("its legs follow a set");
                        assert_eq!((set.taker, set.makers.len() + 1), (taker, trade.leg.into()));
                        set.makers.push(maker);
                    } else {
                        // Seen from the taker's outcome.
                        let price = match self.market.ladder {
                            naive::Ladder::Ticks(max) if outcome != maker.outcome => max - price,
                            _ => price,
                        };
                        trades.push(naive::Trade {
                            taker,
                            set: false,
                            price,
                            stake,
                            quantity,
                            payout,
                            makers: vec![maker],
                        });
                    }
                }
                _ => (),
            }
        }
        trades
    }

    fn cancel(&mut self, order: OrderRef, account: AccountId, keep: i64, core: Answer) {
        let number = match order {
            OrderRef::Id(id) => self.number(id),
            OrderRef::Client(id) => {
                self.market.find_client_id(account.0, Some(id.as_str())).map_or(0, |order| order.number)
            }
        };
        let twin = self.market.cancel(number, account.0, keep);
        if let Ok((Receipt::Cancelled { report, .. }, _)) = &core {
            self.compare_report(number, report);
        }
        if let Err(Rejection::HalfOfOrder { half, whole }) = &core {
            let known_as = self.market.order(number).map(naive::Order::known_as);
            assert_eq!((self.number(*half), Some(self.number(*whole))), (number, known_as));
        }
        let core = core.map_err(|rejection| words::refusal(&rejection)).map(|(receipt, _)| match receipt {
            Receipt::Cancelled { cancelled, .. } => cancelled.0,
            other => panic!("{other:?}"),
        });
        assert_eq!(core, twin, "core left, twin right");
    }

    /// What is done to the market as a whole. The core's events are those of the jobs, too, which the twin
    /// does in one go.
    fn change(&mut self, kind: &CommandKind, core: Answer) {
        let twin = match kind {
            CommandKind::OpenMarket { .. } => self.market.change_state(naive::MarketState::Open),
            CommandKind::SuspendMarket { .. } => self.market.change_state(naive::MarketState::Suspended),
            CommandKind::CloseMarket { .. } => self.market.change_state(naive::MarketState::Closed),
            CommandKind::HoldMarket { hold, .. } => self.change_hold(*hold, true),
            CommandKind::LiftHold { hold, .. } => self.change_hold(*hold, false),
            CommandKind::SetPhase { phase, .. } => self.market.change_phase(words::phase(*phase)),
            CommandKind::AddRunners { .. } => {
                let group = self.plan.group(self.market.outcomes);
                self.market.add_outcome(group).map(|()| Vec::new())
            }
            // What is wrong with a factor is no matter of the twin's.
            CommandKind::RemoveRunner { reduction: 10_001.., .. } => return assert!(core.is_err()),
            CommandKind::RemoveRunner { runner_id, .. } => {
                self.market.remove_outcome(words::outcome(*runner_id))
            }
            CommandKind::CancelOrders(mass) => self.market.cancel_all(words::filter(mass)),
            // The book is not wound back.
            CommandKind::VoidTrades { .. } => return assert_eq!(core.map_or(0, |(_, e)| e.len() - 1), 0),
            other => panic!("no flow has {other:?}"),
        };
        let core = core.map_err(|rejection| match (kind, words::refusal(&rejection)) {
            // A hold is no state to get to.
            (
                CommandKind::HoldMarket { .. } | CommandKind::LiftHold { .. },
                naive::Refusal::InvalidTransition,
            ) => naive::Refusal::MarketClosed,
            (_, refusal) => refusal,
        });
        let sorted = |mut taken: naive::Taken| {
            taken.sort_unstable();
            taken
        };
        let core = core.map(|(_, events)| sorted(self.taken_out(&events)));
        assert_eq!(core, twin.map(sorted), "core left, twin right");
    }

    fn change_hold(&mut self, hold: Hold, on: bool) -> Result<naive::Taken, naive::Refusal> {
        // The engine's own is not for others to set or lift.
        let hold = words::hold(hold).ok_or(naive::Refusal::InvalidField)?;
        self.market.change_hold(hold, on).map(|()| Vec::new())
    }

    fn taken_out<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> naive::Taken {
        let taken = events.into_iter().filter_map(|event| match event {
            Event::OrderCancelled(order) => Some((self.number(order.order_id), order.cancelled.0)),
            _ => None,
        });
        taken.collect()
    }

    fn compare_report(&self, number: u64, report: &OrderReport) {
        let order = self.market.report(number).expect("the twin has the order, too");
        assert_eq!(self.number(report.order_id), number);
        assert_eq!(
            (report.quantity.0, report.filled.0, report.remaining.0, words::status(report.status)),
            (order.stake, order.filled, order.remaining, order.status),
            "core left, twin right, order {number}"
        );
    }

    /// Where the market is, and every queue, level and client id.
    fn compare(&self, exchange: &Exchange) {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        assert_eq!(words::state(market.state()), self.market.state_now());
        assert_eq!(words::phase(market.phase()), self.market.phase);
        assert_eq!(market.spec().runners.len(), self.market.outcomes);
        let mut resting = 0;
        for outcome in 0..self.market.outcomes {
            for side in [Side::Yes, Side::No] {
                let orders = self.compare_queue(exchange, outcome, side);
                resting += if market.is_mirror(index(outcome)) { 0 } else { orders };
            }
        }
        assert_eq!(market.resting_orders() as usize, resting);
        for order in self.market.orders.iter().filter(|order| order.client_id.is_some()) {
            let name = order.client_id.as_deref().unwrap_or_default();
            let report = market.client_order(order.account.into(), name).expect("the id is remembered");
            self.compare_report(order.number, &report);
        }
    }

    /// Answers with how many orders there are.
    fn compare_queue(&self, exchange: &Exchange, outcome: usize, side: Side) -> usize {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        let queue = self.market.queue(outcome, words::side(side));
        let core = market.orders(index(outcome), side).map(|order| {
            let (outcome, side) = (order.outcome.index(), words::side(order.side));
            let left = order.remaining.0 + i64::from(order.fraction);
            let amounts = (order.price.0, order.quantity.0, order.filled.0, order.remaining.0, left);
            (self.number(order.id), order.account.0, outcome, side, amounts)
        });
        let twin = queue.iter().map(|order| {
            let amounts = (order.price, order.stake, order.filled, order.remaining, order.left);
            (order.number, order.account, order.outcome, order.side, amounts)
        });
        assert_eq!(core.collect::<Vec<_>>(), twin.collect::<Vec<_>>(), "core left, twin right");
        let seen = |order: &naive::Order| {
            self.market.seen_from(outcome, order).expect("it is in the queue of this outcome").1
        };
        let levels = queue.chunk_by(|a, b| seen(a) == seen(b)).map(|level| {
            let total: i64 = level.iter().map(|order| order.remaining).sum();
            (seen(level[0]), total, level.len())
        });
        let core = market.levels(index(outcome), side);
        let core = core.map(|level| (level.price.0, level.quantity.0, level.orders as usize));
        assert_eq!(core.collect::<Vec<_>>(), levels.collect::<Vec<_>>(), "core left, twin right");
        queue.len()
    }
}

/// Up to this many virtual levels of a side are compared.
const DEPTH: usize = 1_000;

impl Twin {
    /// The virtual levels of the first outcomes and the last one.
    fn compare_virtual_levels(&self, exchange: &Exchange) {
        let market = exchange.state.market(market_id(self.place)).expect("the market is there");
        let outcomes = 0..self.market.outcomes;
        let some = outcomes.filter(|outcome| *outcome < 3 || *outcome + 1 == self.market.outcomes);
        for outcome in some {
            for side in [Side::Yes, Side::No] {
                let core = market.virtual_levels(index(outcome), side, DEPTH);
                let core = core
                    .iter()
                    .map(|level| (level.price.0, i128::from(level.quantity.0), level.orders as usize));
                let twin = self.market.virtual_levels(outcome, words::side(side));
                let twin = twin.iter().take(DEPTH).map(|level| (level.price, level.quantity, level.sets));
                assert_eq!(
                    core.collect::<Vec<_>>(),
                    twin.collect::<Vec<_>>(),
                    "core left, twin right: virtual levels of outcome {outcome}, {side:?}"
                );
            }
        }
    }
}

fn index(outcome: usize) -> OutcomeIndex {
    OutcomeIndex(u16::try_from(outcome).expect("few"))
}

fn expire(twins: &mut [Twin; 2], exchange: &mut Exchange) {
    let events = exchange.expire();
    for twin in twins {
        let of_market = events.iter().filter(|(market, _)| *market == market_id(twin.place));
        let core = twin.taken_out(of_market.map(|(_, event)| event));
        let expired = twin.market.expire(exchange.now_ms * 1_000_000);
        assert_eq!(core, expired, "core left, twin right");
    }
}

fn play(flow: &Flow) {
    let mut exchange = flow.exchange();
    let mut twins = [0, 1].map(|place| Twin::new(place, &flow.plans[place]));
    let mut taken = Vec::new();
    for step in &flow.steps {
        if let Step::Pass { ms } = step {
            exchange.now_ms += ms;
        }
        expire(&mut twins, &mut exchange);
        let (place, commands) = flow.commands(step, &exchange, &taken);
        // Thousands of digests would only say the same again.
        exchange.suspicious = commands.len() < 100;
        for kind in &commands {
            let mut core = exchange.run(market_id(place), kind);
            // The twin takes out all orders in one go.
            while let Some((_, events)) = exchange.work() {
                core.as_mut().expect("nothing else starts jobs").1.extend(events);
            }
            let ids = twins[place].follow(&exchange, kind, core);
            taken.extend(ids.into_iter().map(|id| (place, id)));
        }
        twins[place].compare(&exchange);
    }
    for twin in &twins {
        twin.compare(&exchange);
        twin.compare_virtual_levels(&exchange);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn core_and_twin_say_the_same(flow in flow(200)) {
        play(&flow);
    }
}
