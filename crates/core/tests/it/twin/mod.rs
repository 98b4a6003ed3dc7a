//! Random flows through the core and through its twin: after every step both say the same, and their
//! books are the same, order by order.

mod bounds;
mod compare;
mod fields;
mod told;
mod words;

use std::collections::BTreeMap;

use betex_core::command::{CommandKind, NewOrder, OrderRef};
use betex_core::decide::Receipt;
use betex_core::event::Event;
use betex_core::reject::Rejection;
use betex_core::types::{AccountId, Hold, OrderId};
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
