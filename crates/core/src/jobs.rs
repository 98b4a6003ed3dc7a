//! Long jobs: what takes out more orders than one transaction may, in steps between other commands. They
//! are part of the state, so a crash in the middle goes on where it was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::book::{Order, OrderSlot, Store};
use crate::event::{CancelReason, Job};
use crate::market::Market;
use crate::state::State;
use crate::types::{MarketId, OrderId, Persistence};
use crate::walk::Walk;

/// Whose turn it is. A job that took a step goes to the back, so that none waits for another to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A closed market that orders still rest in, by slot. It needs no events of its own: where it is
    /// follows from what rests.
    Closing(u32),
    /// A job of [`Event::JobStarted`](crate::event::Event::JobStarted), by its number.
    Filtered(u64),
}

/// A job that was started and is not done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// The slot of its market.
    pub(crate) market: u32,
    pub(crate) job: Job,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    turns: VecDeque<Turn>,
    /// By number. Mass cancels are at most [`MASS_CANCELS_MAX`](crate::limits::MASS_CANCELS_MAX), a market's own
    /// jobs at most two for turning in-play and one an outcome.
    filtered: BTreeMap<u64, Running>,
    /// The same by market: an order that leaves asks the jobs of its market alone, of which there are few.
    by_market: BTreeSet<(u32, u64)>,
}

impl Jobs {
    /// Whose turn it is.
    pub(crate) fn front(&self) -> Option<Turn> {
        self.turns.front().copied()
    }

    pub(crate) fn turns(&self) -> impl Iterator<Item = Turn> + '_ {
        self.turns.iter().copied()
    }

    /// The job with this number.
    pub(crate) fn get(&self, number: u64) -> &Running {
        self.filtered.get(&number).expect("a job is only named while it is there")
    }

    #[cfg(test)]
    pub(crate) fn get_mut(&mut self, number: u64) -> &mut Job {
        &mut self.filtered.get_mut(&number).expect("a job is only named while it is there").job
    }

    /// The jobs of a market, closing aside.
    pub(crate) fn of(&self, market: u32) -> impl Iterator<Item = (u64, &Job)> {
        let numbers = self.by_market.range((market, 0)..=(market, u64::MAX));
        numbers.map(|(_, number)| (*number, &self.get(*number).job))
    }

    /// A market closed with orders in it.
    pub(crate) fn close(&mut self, market: u32) {
        self.queue(Turn::Closing(market));
    }

    /// Nothing rests any more in a closed market.
    pub(crate) fn emptied(&mut self, market: u32) {
        self.end_turns(Turn::Closing(market));
    }

    pub(crate) fn start(&mut self, store: &mut Store, number: u64, market: u32, job: Job) {
        self.resume(store, number, market, job);
        self.queue(Turn::Filtered(number));
    }

    /// A job that was started before, and goes on where it was once it is queued again.
    pub(crate) fn resume(&mut self, store: &mut Store, number: u64, market: u32, job: Job) {
        point_at(store, job.next);
        self.filtered.insert(number, Running { market, job });
        self.by_market.insert((market, number));
    }

    /// Whoever waits behind the others.
    pub(crate) fn queue(&mut self, turn: Turn) {
        self.turns.push_back(turn);
    }

    /// Whether there is a job with this number.
    pub(crate) fn is_there(&self, number: u64) -> bool {
        self.filtered.contains_key(&number)
    }

    /// How many jobs there are, closing aside.
    pub(crate) fn count(&self) -> usize {
        self.filtered.len()
    }

    /// How many of them are mass cancels.
    pub(crate) fn mass_cancels(&self) -> usize {
        self.filtered.keys().filter(|number| self.is_mass_cancel(Turn::Filtered(**number))).count()
    }

    /// The highest number of a job.
    pub(crate) fn last(&self) -> Option<u64> {
        self.filtered.last_key_value().map(|(number, _)| *number)
    }

    /// A job took a step and goes on with `next`, or is done.
    pub(crate) fn advance(&mut self, store: &mut Store, number: u64, next: OrderId) {
        let turn = Turn::Filtered(number);
        if next.is_some() {
            point_at(store, next);
            self.filtered.get_mut(&number).expect("a job that advances was started").job.next = next;
            self.took_turn(turn);
        } else {
            let was_mass_cancel = self.is_mass_cancel(turn);
            let ended = self.filtered.remove(&number).expect("a job that ends was started");
            self.by_market.remove(&(ended.market, number));
            self.end_turns(turn);
            if was_mass_cancel {
                self.put_own_first();
            }
        }
    }

    /// Whoever's turn it was has taken a step, or part of it, and waits behind the others for the next.
    pub(crate) fn took_turn(&mut self, turn: Turn) {
        if self.front() == Some(turn) {
            self.turns.rotate_left(1);
            if self.is_mass_cancel(turn) {
                self.put_own_first();
            }
        }
    }

    /// After a mass cancel's step it is the turn of what the engine does for its own sake, if there is any: a
    /// market that is turning in-play does not wait for a thousand of them.
    fn put_own_first(&mut self) {
        if let Some(place) = self.turns.iter().position(|turn| !self.is_mass_cancel(*turn))
            && let Some(own) = self.turns.remove(place)
        {
            self.turns.push_front(own);
        }
    }

    fn is_mass_cancel(&self, turn: Turn) -> bool {
        match turn {
            Turn::Closing(_) => false,
            Turn::Filtered(number) => self.get(number).job.filter.reason == CancelReason::MassCancelled,
        }
    }

    fn end_turns(&mut self, turn: Turn) {
        if self.front() == Some(turn) {
            self.turns.pop_front();
        } else if self.turns.back() == Some(&turn) {
            self.turns.pop_back();
        } else {
            self.turns.retain(|other| *other != turn);
        }
    }

    /// An order that jobs may be going on with is about to leave the book: they go on with the one behind.
    #[cold]
    pub(crate) fn hand_over(&mut self, market: &Market, store: &mut Store, slot: OrderSlot) {
        let Order { id, market: place, .. } = store.orders[slot];
        for (_, number) in self.by_market.range((place, 0)..=(place, u64::MAX)) {
            #[cfg(test)]
            LOOKED_AT.set(LOOKED_AT.get() + 1);
            let Some(Running { job, .. }) = self.filtered.get_mut(number) else { continue };
            if job.next != id {
                continue;
            }
            let behind = Walk::new(market, job.filter.outcome).after(store, slot);
            job.next = behind.map_or(OrderId::NONE, |slot| store.orders[slot].id);
            point_at(store, job.next);
        }
    }
}

/// Marks the order that a job goes on with. The mark stays when the job moves on; then it only costs a look.
fn point_at(store: &mut Store, next: OrderId) {
    if next.is_some() {
        let (slot, _) = store.find(next).expect("a job goes on with a resting order");
        store.orders[slot].awaited = true;
    }
}

impl Job {
    /// Whether this job takes an order out that its [`Walk`] comes to: that one knows which orders the book of an
    /// outcome shows.
    pub(crate) fn takes(&self, order: &Order) -> bool {
        let filter = &self.filter;
        order.id <= self.last_order_id
            && (!filter.account.is_some() || order.account == filter.account)
            && (!filter.lapsing || order.persistence == Persistence::Lapse)
            && order.accepted_ns >= filter.from_ns
            && (filter.until_ns == 0 || order.accepted_ns < filter.until_ns)
    }

    /// Whether the market is turning in-play until this job is done.
    pub(crate) const fn is_transition(&self) -> bool {
        matches!(self.filter.reason, CancelReason::Lapsed)
    }
}

impl State {
    /// The jobs that are not done, by number, which is the sequence number of their
    /// [`Event::JobStarted`](crate::event::Event::JobStarted). Closing markets are none of them.
    pub fn jobs(&self) -> impl Iterator<Item = (u64, MarketId, Job)> + '_ {
        let jobs = self.jobs.filtered.iter();
        jobs.map(|(number, running)| (*number, self.markets.get(running.market).id, running.job))
    }
}

#[cfg(test)]
thread_local! {
    /// How many jobs were looked at because an order left.
    static LOOKED_AT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{CommandKind, MassCancel, NewMarket, NewOrder, OrderRef};
    use crate::decide::decide;
    use crate::limits::ORDERS_PER_STEP_MAX;
    use crate::types::{AccountId, BookMarketState, Price, Quantity, RunnerId, Side};

    /// However many markets are being emptied, an order that leaves costs a look at the jobs of its own.
    #[test]
    fn an_order_that_leaves_asks_the_jobs_of_its_market_alone() {
        let (mut state, mut events) = (State::new(), Vec::new());
        let mut run = |market, kind: &CommandKind| {
            let receipt = decide(&state, market, kind, 1, &mut events).expect("it is taken");
            state.apply_next(receipt.market_id(market), 1, &events);
            (state.jobs().count(), state.jobs().next().map(|(_, _, job)| job.next))
        };
        const MARKETS: u64 = 20;
        for market in (1..=MARKETS).map(MarketId) {
            let spec = NewMarket { state: BookMarketState::Open, ..NewMarket::new("", ["Home", "Away"]) };
            run(market, &CommandKind::CreateMarket(Box::new(spec)));
            for _ in 0..ORDERS_PER_STEP_MAX + 2 {
                let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(20_000), Quantity(100));
                run(market, &CommandKind::SubmitOrder(order));
            }
            let all = MassCancel {
                account_id: AccountId::NONE,
                runner_id: RunnerId::NONE,
                from_ns: 0,
                until_ns: 0,
            };
            run(market, &CommandKind::CancelOrders(all));
        }
        LOOKED_AT.set(0);
        let next = OrderId(u64::from(ORDERS_PER_STEP_MAX) + 1);
        let cancel = CommandKind::CancelOrder {
            order: OrderRef::Id(next),
            account_id: AccountId::NONE,
            keep: Quantity::ZERO,
        };
        let (jobs, goes_on_with) = run(MarketId(1), &cancel);
        assert_eq!((jobs as u64, goes_on_with), (MARKETS, Some(OrderId(next.0 + 1))));
        assert_eq!(LOOKED_AT.get(), 1);
    }
}
