//! A digest of all that decides what comes next: equal digests, equal answers.

use std::num::NonZero;

use crate::event::{Job, OutcomeIndex};
use crate::jobs::Turn;
use crate::ladder::Ladder;
use crate::limits::Limits;
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::Side;
use crate::view::MarketView;

/// Numbers and texts, in an order that leaves no two states with the same bytes.
struct Bytes(blake3::Hasher);

impl Bytes {
    fn number(&mut self, number: impl Into<i128>) {
        self.0.update(&number.into().to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn report(&mut self, report: &OrderReport) {
        self.number(report.order_id.0);
        for small in [report.status as u8, u8::from(report.split)] {
            self.number(small);
        }
        for quantity in [report.quantity, report.filled, report.remaining] {
            self.number(quantity.0);
        }
    }
}

impl State {
    /// A digest of the whole state: queues in order, identifiers, client ids and bounds included.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Bytes(blake3::Hasher::new_derive_key("betex state digest 4"));
        for number in
            [self.sequence, self.time_ns, self.last_order_id, self.last_market_id, self.last_removed_id]
        {
            bytes.number(number);
        }
        let limits = &self.limits;
        for bound in [limits.markets, limits.accounts, limits.resting_orders, limits.client_ids_per_market] {
            bytes.number(bound);
        }
        bytes.number(limits.closed_market_ttl_ms);
        if !limits.are_of_the_first_version() {
            // No count of accounts, which comes next, is this number.
            bytes.number(-1);
            let Limits { accounts_per_market, resting_orders_per_account, .. } = *limits;
            for bound in [
                accounts_per_market,
                resting_orders_per_account,
                limits.client_ids,
                limits.client_ids_per_account,
            ] {
                bytes.number(bound);
            }
            bytes.number(limits.market_bytes);
        }
        bytes.number(self.accounts.names.len() as u64);
        for name in &self.accounts.names {
            bytes.text(name);
        }
        bytes.number(self.markets.len() as u64);
        for market in self.markets() {
            market.digest(&mut bytes);
        }
        self.digest_jobs(&mut bytes);
        for (time_ns, id) in &self.closed {
            bytes.number(*time_ns);
            bytes.number(id.0);
        }
        *bytes.0.finalize().as_bytes()
    }

    fn digest_jobs(&self, bytes: &mut Bytes) {
        for turn in self.jobs.turns() {
            let (number, market) = match turn {
                Turn::Closing(market) => (0, market),
                Turn::Filtered(number) => (number, self.jobs.get(number).market),
            };
            bytes.number(number);
            bytes.number(self.markets.get(market).id.0);
        }
        for (number, market, Job { filter, last_order_id, next }) in self.jobs() {
            for number in [number, market.0, filter.account.0, filter.from_ns, filter.until_ns] {
                bytes.number(number);
            }
            bytes.number(filter.outcome.map_or(-1, |outcome| i32::from(outcome.0)));
            bytes.number(u8::from(filter.lapsing));
            bytes.number(filter.reason as u8);
            for id in [last_order_id, next] {
                bytes.number(id.0);
            }
        }
        // The end of the jobs: no event has this number.
        bytes.number(0);
    }
}

impl MarketView<'_> {
    fn digest(&self, bytes: &mut Bytes) {
        let spec = self.spec();
        bytes.number(self.id().0);
        bytes.text(&spec.key);
        bytes.text(&spec.name);
        let (ladder, ticks) = match spec.ladder {
            Ladder::Classic => (0, 0),
            Ladder::Finest => (1, 0),
            Ladder::Binary { max_price_ticks } => (2, max_price_ticks),
        };
        let market = self.market();
        let own_state = market.own_state as u8;
        for small in
            [ladder, spec.kind as u8, spec.transition as u8, self.phase() as u8, own_state, market.holds]
        {
            bytes.number(small);
        }
        bytes.number(ticks);
        for yes in [spec.independent, spec.synthetic] {
            bytes.number(u8::from(yes));
        }
        bytes.number(spec.increment.0);
        bytes.number(spec.min_quantity.0);
        // As it was asked for: nothing is decided by these, but everybody can see them.
        for small in [spec.state as u8, spec.phase as u8] {
            bytes.number(small);
        }
        bytes.number(u8::from(self.reason().is_some()));
        bytes.text(self.reason().unwrap_or_default());
        bytes.number(self.sequence());
        bytes.number(self.resting_orders());
        bytes.number(spec.runners.len() as u64);
        for (index, runner) in (0..).map(OutcomeIndex).zip(&spec.runners) {
            bytes.number(runner.id.0);
            bytes.text(&runner.name);
            bytes.number(self.removed(index).map_or(-1, i32::from));
            bytes.number(u8::from(market.topology.group(index).is_some_and(|group| group.set_traded)));
            bytes.number(self.last_price(index).map_or(0, |price| price.0));
            bytes.number(self.traded(index));
            for side in [Side::Yes, Side::No] {
                self.digest_orders(bytes, index, side);
            }
        }
        bytes.number(self.client_entries().len() as u64);
        for entry in self.client_entries() {
            bytes.text(entry.id.as_str());
            bytes.number(entry.account.0);
            bytes.report(&entry.report);
        }
    }

    fn digest_orders(&self, bytes: &mut Bytes, outcome: OutcomeIndex, side: Side) {
        for (_, order) in self.slots(outcome, side) {
            let expiry_ms = self.expiry_ms(order).map_or(0, NonZero::get);
            for id in [order.id.0, order.account.0, expiry_ms] {
                bytes.number(id);
            }
            bytes.number(order.accepted_ns);
            bytes.number(order.tick.0);
            for small in [order.persistence as u8, order.half as u8, u8::from(order.mirrored)] {
                bytes.number(small);
            }
            // What is known of a whole order is told with each half of it.
            if let Some(whole) = self.split(order) {
                bytes.report(whole);
            }
            for quantity in [order.quantity, order.filled, order.left] {
                bytes.number(quantity);
            }
        }
        // The end of the queue: no order has this id.
        bytes.number(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{CommandKind, MassCancel, NewMarket, NewOrder};
    use crate::decide::decide;
    use crate::event::CancelReason;
    use crate::types::{
        AccountId, BookMarketState, Hold, MarketId, MarketPhase, OrderId, Price, Quantity, RunnerId,
    };

    /// Two markets, of which one is closing, and two jobs that are not done.
    fn busy() -> State {
        let (mut state, mut events) = (State::new(), Vec::new());
        let mut run = |market, kind: &CommandKind| {
            let receipt = decide(&state, market, kind, 1, &mut events).expect("it is taken");
            state.apply_next(receipt.market_id(market), 1, &events);
        };
        for market in [1, 2].map(MarketId) {
            let names = ["Home", "Draw", "Away"];
            let spec = NewMarket { state: BookMarketState::Open, ..NewMarket::new("", names) };
            run(market, &CommandKind::CreateMarket(Box::new(spec)));
            for _ in 0..1_200 {
                let order = NewOrder::limit(RunnerId(1), Side::Yes, Price(20_000), Quantity(100));
                run(market, &CommandKind::SubmitOrder(order));
            }
        }
        run(MarketId(2), &CommandKind::CloseMarket { reason: None });
        for _ in 0..2 {
            run(MarketId(1), &CommandKind::CancelOrders(MassCancel::default()));
        }
        state
    }

    #[test]
    fn whatever_decides_what_comes_next_is_in_the_digest() {
        let state = busy();
        assert_eq!((state.jobs().count(), state.jobs.turns().count()), (2, 3));
        let market = |change: fn(&mut crate::market::Market)| {
            let mut other = state.clone();
            change(other.markets.get_mut(0));
            other
        };
        let job = |change: fn(&mut Job)| {
            let mut other = state.clone();
            let number = other.jobs().map(|(number, _, _)| number).last().expect("a job");
            change(other.jobs.get_mut(number));
            other
        };
        let mut accepted = state.clone();
        let (slot, _) = accepted.store.find(OrderId(1_200)).expect("it rests");
        accepted.store.orders[slot].accepted_ns += 1;
        let mut turned = state.clone();
        turned.jobs.took_turn(Turn::Closing(1));
        let states = [
            state.clone(),
            accepted,
            turned,
            market(|market| market.holds = Hold::Halted.bit()),
            market(|market| market.holds = Hold::Deactivated.bit()),
            market(|market| market.own_state = BookMarketState::Suspended),
            // The two are told apart only by what they are without the hold.
            market(|market| {
                (market.own_state, market.holds) = (BookMarketState::Suspended, Hold::Halted.bit())
            }),
            market(|market| market.phase = MarketPhase::Live),
            market(|market| market.runners[1].removed = Some(0)),
            market(|market| market.runners[1].removed = Some(7)),
            market(|market| market.runners[2].removed = Some(7)),
            market(|market| market.topology.group_mut(OutcomeIndex(0)).expect("a group").set_traded = true),
            job(|job| job.next = OrderId(1_199)),
            job(|job| job.next = OrderId::NONE),
            job(|job| job.last_order_id = OrderId(1_199)),
            job(|job| job.filter.account = AccountId(7)),
            job(|job| job.filter.outcome = Some(OutcomeIndex(0))),
            job(|job| job.filter.lapsing = true),
            job(|job| job.filter.from_ns = 7),
            job(|job| job.filter.until_ns = 7),
            job(|job| job.filter.reason = CancelReason::Lapsed),
        ];
        let mut digests: Vec<_> = states.iter().map(State::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), states.len());
    }
}
