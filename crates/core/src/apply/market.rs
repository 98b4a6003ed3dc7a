//! What events do to a market besides its orders: its life, its phase, its outcomes, its jobs.

use crate::command::NewRunner;
use crate::event::{Event, OutcomeIndex};
use crate::market::{Runner, runners_bytes};
use crate::state::State;
use crate::topology::Topology;
use crate::types::{BookMarketState, Hold};

impl State {
    /// Applies an event that touches no order.
    pub(super) fn apply_to_market(&mut self, slot: u32, event: &Event) {
        match event {
            Event::MarketStatusChanged { to, reason } => self.change_status(slot, *to, reason.as_deref()),
            Event::HoldChanged { hold, on, to, reason } => {
                self.change_hold(slot, *hold, *on, *to, reason.as_deref());
            }
            Event::PhaseChanged { to, .. } => self.markets.get_mut(slot).phase = *to,
            Event::RunnersAdded(runners) => self.add_runners(slot, runners),
            Event::RunnerRemoved { outcome, reduction, .. } => self.remove_runner(slot, *outcome, *reduction),
            Event::JobStarted(job) => self.jobs.start(&mut self.store, self.sequence, slot, *job),
            Event::JobAdvanced { job, next } => self.jobs.advance(&mut self.store, *job, *next),
            // For whoever keeps positions, and for the record: what they do to orders follows.
            Event::TradesVoided { .. } | Event::OrdersCancelled(_) => (),
            other => panic!("not an event of a market: {other:?}"),
        }
    }

    fn change_status(&mut self, slot: u32, to: BookMarketState, reason: Option<&str>) {
        let market = self.markets.get_mut(slot);
        market.own_state = to;
        market.reason = reason.map(Into::into);
        if to == BookMarketState::Closed {
            self.closed.push_back((self.time_ns, market.id));
            if market.resting > 0 {
                self.jobs.close(slot);
            }
        }
    }

    fn change_hold(&mut self, slot: u32, hold: Hold, on: bool, to: BookMarketState, reason: Option<&str>) {
        let market = self.markets.get_mut(slot);
        assert!(market.is_held(hold) != on, "market {}: {} set or lifted twice", market.id, hold.name());
        let before = market.state();
        market.holds = market.holds_with(hold, on);
        assert!(market.state() == to, "market {} is {}, not {to}", market.id, market.state());
        // A hold that changes nothing to see does not take the reason away for what there is to see.
        if before != to || reason.is_some() {
            market.reason = reason.map(Into::into);
        }
    }

    fn add_runners(&mut self, slot: u32, runners: &[NewRunner]) {
        self.markets.bytes += runners_bytes(runners);
        let market = self.markets.get_mut(slot);
        market.spec.runners.extend_from_slice(runners);
        market.runners.extend(runners.iter().map(|_| Runner::new()));
        let grown = market.topology.grown(&market.spec);
        market.topology = grown.unwrap_or_else(|_| Topology::of_taken(&market.spec));
    }

    fn remove_runner(&mut self, slot: u32, outcome: OutcomeIndex, reduction: u16) {
        let market = self.markets.get_mut(slot);
        market.runners[outcome.index()].removed = Some(reduction);
        market.topology.remove(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::NewMarket;
    use crate::types::{MarketId, RunnerId};

    /// Sets are matched over the members of a group.
    #[test]
    fn a_group_is_what_remains_and_what_is_added() {
        let mut state = State::new();
        let ghost = NewRunner { id: RunnerId(9), name: "Ghost".into() };
        let removed = |outcome| Event::RunnerRemoved { outcome, reduction: 0, reason: None };
        for event in [
            Event::MarketCreated(Box::new(NewMarket::new("", ["Home", "Draw", "Away"]))),
            removed(OutcomeIndex(0)),
            Event::RunnersAdded([ghost].into()),
            removed(OutcomeIndex(2)),
        ] {
            state.apply_next(MarketId(1), 0, &[event]);
        }
        let members = state.markets.get(0).topology.members(OutcomeIndex(1));
        assert_eq!(members, [OutcomeIndex(1), OutcomeIndex(3)]);
    }
}
