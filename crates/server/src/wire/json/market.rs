//! What happens to a market, its outcomes, its trades, and to many orders at once.

use betex_core::command::{NewMarket, VoidedTrades};
use betex_core::event::{Event, OrderFilter};
use betex_core::types::BookMarketState;

use super::Writer;
use super::said::{Moved, Said};
use crate::stream::scene::Seen;
use crate::wire::market::{model_name, phase_name};

impl Writer<'_> {
    pub(super) fn created(&mut self, spec: &NewMarket, sequence: u64) {
        let outcomes = spec.runners.iter().map(|runner| runner.name.as_str()).collect();
        let (market_id, name, model) = (&spec.key, &spec.name, model_name(spec.model()));
        self.say(&Said::MarketCreated { market_id, name, model, outcomes, sequence });
    }

    /// Events that only those hear of who ask for all.
    pub(super) fn market_event(&mut self, seen: &Seen) {
        let market_id = self.scene.key;
        let moved = |reason| moved(market_id, seen, reason);
        match &seen.record.event {
            Event::MarketStatusChanged { to, reason } => match to {
                BookMarketState::Open => self.say(&Said::MarketOpened(moved(words(reason)))),
                BookMarketState::Suspended => self.say(&Said::MarketSuspended(moved(words(reason)))),
                BookMarketState::Closed => self.say(&Said::MarketClosed(moved(words(reason)))),
                BookMarketState::Created => (),
            },
            Event::HoldChanged { hold, on, to, reason } => {
                let (hold, status, moved) = (hold.name(), to.name(), moved(words(reason)));
                self.say(&match on {
                    true => Said::MarketHeld { hold, status, moved },
                    false => Said::MarketReleased { hold, status, moved },
                });
            }
            Event::PhaseChanged { to, reason } => {
                self.say(&Said::MarketPhase { phase: phase_name(*to), moved: moved(words(reason)) });
            }
            Event::RunnersAdded(added) => {
                let outcomes = added.iter().map(|runner| runner.name.as_str()).collect();
                self.say(&Said::OutcomesAdded { outcomes, moved: moved("") });
            }
            Event::RunnerRemoved { outcome, reduction, reason } => {
                let outcome_id = &*self.scene.outcome(*outcome);
                let (reduction_factor, moved) = (*reduction, moved(words(reason)));
                self.say(&Said::OutcomeRemoved { outcome_id, reduction_factor, moved });
            }
            Event::TradesVoided { trades, reason } => {
                let (trade_id, from_ns, until_ns) = match *trades {
                    VoidedTrades::One(id) => (Some(id.0), None, None),
                    VoidedTrades::Window { from_ns, until_ns } => (None, Some(from_ns), Some(until_ns)),
                };
                self.say(&Said::TradesVoided { trade_id, from_ns, until_ns, moved: moved(words(reason)) });
            }
            Event::OrdersCancelled(filter) => self.mass_cancel("ASKED", None, Some(filter), seen),
            Event::JobStarted(job) => {
                self.mass_cancel("STARTED", Some(seen.record.sequence), Some(&job.filter), seen);
            }
            Event::JobAdvanced { job, next } => {
                let status = if next.is_some() { "ADVANCED" } else { "DONE" };
                self.mass_cancel(status, Some(*job), None, seen);
            }
            _ => (),
        }
    }

    fn mass_cancel(&mut self, status: &str, job: Option<u64>, filter: Option<&OrderFilter>, seen: &Seen) {
        let user =
            filter.filter(|filter| filter.account.is_some()).map(|filter| self.scene.user(filter.account));
        let outcome = filter.and_then(|filter| filter.outcome).map(|outcome| self.scene.outcome(outcome));
        let moved = moved(self.scene.key, seen, filter.map_or("", |filter| filter.reason.name()));
        let (user_id, outcome_id) = (user.as_deref(), outcome.as_deref());
        let entered = |time: fn(&OrderFilter) -> u64| filter.map(time).filter(|time| *time > 0);
        let (entered_from_ns, entered_until_ns) = (entered(|f| f.from_ns), entered(|f| f.until_ns));
        self.say(&Said::MassCancel {
            status,
            job,
            user_id,
            outcome_id,
            entered_from_ns,
            entered_until_ns,
            moved,
        });
    }
}

fn words(reason: &Option<Box<str>>) -> &str {
    reason.as_deref().unwrap_or_default()
}

fn moved<'a>(market_id: &'a str, seen: &Seen, reason: &'a str) -> Moved<'a> {
    Moved { market_id, reason, timestamp: seen.record.time_ns, sequence: seen.record.sequence }
}
