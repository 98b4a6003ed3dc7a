//! What happens to markets, and orders that leave without a trade.

use betex_core::event::{CancelReason, Event, Half, Job, OrderCancelled, OrderFilter, OutcomeIndex, Stamp};
use betex_core::types::{
    AccountId, BookMarketState, Hold, MarketId, MarketKind, MarketPhase, OrderId, Persistence, Quantity,
    TimeInForce, TransitionPolicy,
};

use super::{Entry, Ledger};

impl Ledger {
    pub(super) fn take_life(&mut self, stamp: &Stamp, events: &[Event]) {
        let id = stamp.market_id;
        let mut cancelled = Vec::new();
        // What a job that began here, or took a step, is to take out, and whether there may be more of it.
        let mut filter = self.asked_for(id, &events[0]);
        let (mut job_last, mut more) = (OrderId(u64::MAX), false);
        let sequences = stamp.sequence..;
        for ((place, event), sequence) in events.iter().enumerate().zip(sequences) {
            match event {
                Event::OrderCancelled(order) => cancelled.push(*order),
                Event::JobStarted(job) => {
                    assert_eq!(Some(job.filter), filter, "a job goes on with what was asked for");
                    assert_eq!(job.last_order_id, OrderId(self.last_order_id));
                    more = true;
                    self.market(id).jobs.insert(sequence, *job);
                }
                Event::JobAdvanced { job, next } => {
                    let running = self.market(id).jobs[job];
                    (filter, job_last, more) = (Some(running.filter), running.last_order_id, next.is_some());
                    if !more {
                        self.market(id).jobs.remove(job);
                    }
                }
                Event::HoldChanged { hold, on, to, .. } => {
                    assert!(place == 0 || *hold == Hold::TurningInPlay);
                    let market = self.market(id);
                    let changed = if *on { market.holds.insert(*hold) } else { market.holds.remove(hold) };
                    assert!(changed && market.shows() == *to, "{event:?}");
                }
                _ => {
                    assert_eq!(place, 0, "{event:?}");
                    self.change(id, event);
                }
            }
        }
        assert!(cancelled.len() <= 512, "a step is bounded");
        for order in &cancelled {
            self.check_cancel(stamp, order, &cancelled, filter.as_ref(), job_last);
            self.cancel(order);
        }
        let market = &self.markets[&id];
        if let Some(filter) = filter
            && !more
            && market.state != BookMarketState::Closed
        {
            let forgotten = self
                .resting_in(id)
                .find(|(order, entry)| *order <= job_last && fits(&filter, entry, market.is_pair()));
            assert!(forgotten.is_none(), "{:?} was forgotten", forgotten.map(|(order, _)| order));
        }
        let turning = |job: &Job| job.filter.reason == CancelReason::Lapsed;
        assert_eq!(market.jobs.values().any(turning), market.holds.contains(&Hold::TurningInPlay));
    }

    /// What the first event of a transaction has taken out.
    fn asked_for(&self, id: MarketId, event: &Event) -> Option<OrderFilter> {
        let market = &self.markets[&id];
        let turns = match event {
            Event::OrdersCancelled(filter) => return Some(*filter),
            Event::RunnerRemoved { outcome, .. } => {
                let all = OrderFilter::all(CancelReason::RunnerRemoved);
                return Some(OrderFilter { outcome: Some(*outcome), ..all });
            }
            Event::PhaseChanged { to, .. } => *to == MarketPhase::Live,
            Event::MarketStatusChanged { to, .. } => {
                *to == BookMarketState::Suspended && market.phase == MarketPhase::PreAwaitLive
            }
            _ => false,
        };
        let lapsing = market.spec.transition == TransitionPolicy::RespectPersistence;
        (turns && market.spec.transition != TransitionPolicy::KeepAll)
            .then(|| OrderFilter { lapsing, ..OrderFilter::all(CancelReason::Lapsed) })
    }

    fn market(&mut self, id: MarketId) -> &mut super::Market {
        self.markets.get_mut(&id).expect("the market was created")
    }

    /// A market moves on.
    fn change(&mut self, id: MarketId, event: &Event) {
        use BookMarketState::{Closed, Created, Open, Suspended};
        let market = self.market(id);
        let closed = market.state == Closed;
        match event {
            Event::MarketStatusChanged { to, .. } => {
                let held = market.holds.contains(&Hold::Halted) || market.holds.contains(&Hold::Deactivated);
                let allowed = match to {
                    Created => false,
                    Open => (market.state == Created || market.state == Suspended) && !held,
                    Suspended => market.state == Open,
                    Closed => !closed,
                };
                assert!(allowed, "{event:?} from {:?}", market.state);
                market.state = *to;
            }
            Event::PhaseChanged { to, .. } => {
                assert!(!closed && market.phase != MarketPhase::Live && market.phase != *to, "{event:?}");
                assert!(*to == MarketPhase::Pre || market.spec.kind == MarketKind::InPlayCapable);
                market.phase = *to;
            }
            Event::RunnersAdded(runners) => {
                assert!(!closed && !market.is_pair());
                market.spec.runners.extend_from_slice(runners);
                let all = market.spec.runners.len();
                for outcome in (0..).map(OutcomeIndex).take(all).skip(all - runners.len()) {
                    let others = market.others(outcome);
                    assert!(others.iter().all(|other| !market.in_sets.contains(other)), "a set has traded");
                }
            }
            Event::RunnerRemoved { outcome, reduction, .. } => {
                assert!(!closed && *reduction <= 10_000 && !market.is_pair());
                assert!(market.removed.insert(*outcome), "an outcome is removed once");
                assert!(market.removed.len() < market.spec.runners.len(), "one is left");
            }
            Event::OrdersCancelled(_) => assert!(!closed),
            Event::TradesVoided { .. } => (),
            other => panic!("{other:?} of a market"),
        }
    }

    /// Whether an order was to leave, for the reason that is told.
    fn check_cancel(
        &self,
        stamp: &Stamp,
        order: &OrderCancelled,
        all: &[OrderCancelled],
        filter: Option<&OrderFilter>,
        last: OrderId,
    ) {
        let (market, entry) = (&self.markets[&stamp.market_id], &self.orders[&order.order_id]);
        assert_eq!(entry.market, stamp.market_id);
        match order.reason {
            CancelReason::Requested => {
                assert_ne!(market.state, BookMarketState::Closed);
                // One order, or the two halves of one.
                let whole = |id: OrderId| self.orders[&id].accepted.half.whole_of(id);
                assert!(all.iter().all(|other| whole(other.order_id) == whole(order.order_id)));
                assert!(all.len() == 1 || entry.accepted.half != Half::Whole);
            }
            CancelReason::Expired => {
                assert_eq!(all.len(), 1);
                let over = matches!(entry.accepted.time_in_force.get(),
                    TimeInForce::Gtd { expiry_ms } if expiry_ms <= stamp.time_ns / 1_000_000);
                assert!(over && order.remaining == Quantity::ZERO, "{order:?} before its time");
            }
            CancelReason::MarketClosed => {
                assert_eq!(market.state, BookMarketState::Closed);
                assert_eq!(order.remaining, Quantity::ZERO);
            }
            CancelReason::Lapsed | CancelReason::RunnerRemoved | CancelReason::MassCancelled => {
                let filter = filter.expect("somebody asked for it");
                assert_eq!((filter.reason, order.remaining), (order.reason, Quantity::ZERO));
                assert!(
                    fits(filter, entry, market.is_pair()) && order.order_id <= last,
                    "{order:?} was not asked for"
                );
            }
            CancelReason::Unfilled
            | CancelReason::SelfTrade
            | CancelReason::OrderLimit
            | CancelReason::OwnOrder => panic!("{order:?} without an order that comes in"),
        }
    }

    pub(super) fn resting_in(&self, market: MarketId) -> impl Iterator<Item = (OrderId, &Entry)> {
        let of_market = self.queues.iter().filter(move |((of, ..), _)| *of == market);
        of_market.flat_map(|(_, orders)| orders).map(|(_, id)| (*id, &self.orders[id]))
    }
}

/// Whether a filter takes an order. The book of either outcome of a pair shows the orders of both.
fn fits(filter: &OrderFilter, entry: &Entry, pair: bool) -> bool {
    let OrderFilter { account, outcome, lapsing, from_ns, until_ns, .. } = *filter;
    let order = &entry.accepted;
    (account == AccountId::NONE || account == order.account)
        && outcome.is_none_or(|outcome| pair || outcome == order.outcome)
        && (!lapsing || order.persistence == Persistence::Lapse)
        && from_ns <= entry.accepted_ns
        && (until_ns == 0 || entry.accepted_ns < until_ns)
}
