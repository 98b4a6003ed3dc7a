//! What happens to a market, its outcomes, its trades, and to many orders at once.

use betex_core::command::{NewRunner, VoidedTrades};
use betex_core::event::{Event, OrderFilter, OutcomeIndex};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{MarketStatus, MassCancelProgress, OutcomeChange, RemovedOutcome, TradesVoided};

use super::Said;
use crate::wire::market::phase_name;

impl Said<'_> {
    /// Says only what the event changed: what else the market is at that point is not known any more.
    pub(super) fn market_status(&self) -> Option<Update> {
        let mut said = MarketStatus {
            market_id: self.scene.key.to_owned(),
            timestamp: self.seen.record.time_ns,
            ..MarketStatus::default()
        };
        let mut say = |status: &str, phase: &str, reason: &Option<Box<str>>| {
            said.status = status.to_owned();
            said.phase = phase.to_owned();
            said.reason = reason.as_deref().unwrap_or_default().to_owned();
        };
        match &self.seen.record.event {
            Event::MarketCreated(spec) => say(spec.state.name(), phase_name(spec.phase), &None),
            Event::MarketStatusChanged { to, reason } => say(to.name(), "", reason),
            Event::MarketRemoved => say("REMOVED", "", &None),
            Event::PhaseChanged { to, reason } => say("", phase_name(*to), reason),
            Event::HoldChanged { hold, on, to, reason } => {
                say(to.name(), "", reason);
                let changed = if *on { &mut said.hold_set } else { &mut said.hold_lifted };
                hold.name().clone_into(changed);
            }
            _ => return None,
        }
        Some(Update::MarketStatus(said))
    }

    pub(super) fn outcomes_added(&self, added: &[NewRunner]) -> Update {
        Update::OutcomeChange(OutcomeChange {
            added: added.iter().map(|runner| runner.name.clone()).collect(),
            ..self.outcome_change(None)
        })
    }

    pub(super) fn outcome_removed(
        &self,
        outcome: OutcomeIndex,
        reduction: u16,
        reason: Option<&str>,
    ) -> Update {
        let outcome_id = self.scene.outcome(outcome).into_owned();
        let removed = Some(RemovedOutcome { outcome_id, reduction_factor: reduction.into() });
        Update::OutcomeChange(OutcomeChange { removed, ..self.outcome_change(reason) })
    }

    fn outcome_change(&self, reason: Option<&str>) -> OutcomeChange {
        OutcomeChange {
            market_id: self.scene.key.to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
            timestamp: self.seen.record.time_ns,
            ..OutcomeChange::default()
        }
    }

    pub(super) fn trades_voided(&self, trades: VoidedTrades, reason: Option<&str>) -> Update {
        let (trade_id, from_ns, until_ns) = match trades {
            VoidedTrades::One(id) => (id.0, 0, 0),
            VoidedTrades::Window { from_ns, until_ns } => (0, from_ns, until_ns),
        };
        Update::TradesVoided(TradesVoided {
            market_id: self.scene.key.to_owned(),
            trade_id,
            from_ns,
            until_ns,
            reason: reason.unwrap_or_default().to_owned(),
            timestamp: self.seen.record.time_ns,
        })
    }

    pub(super) fn mass_cancel(&self, status: &str, job: u64, filter: Option<&OrderFilter>) -> Update {
        let mut said = MassCancelProgress {
            market_id: self.scene.key.to_owned(),
            status: status.to_owned(),
            job,
            timestamp: self.seen.record.time_ns,
            ..MassCancelProgress::default()
        };
        if let Some(filter) = filter {
            filter.reason.name().clone_into(&mut said.reason);
            said.user_id = self.scene.user(filter.account).into_owned();
            said.outcome_id =
                filter.outcome.map(|outcome| self.scene.outcome(outcome).into_owned()).unwrap_or_default();
            (said.entered_from_ns, said.entered_until_ns) = (filter.from_ns, filter.until_ns);
        }
        Update::MassCancel(said)
    }
}
