//! The past of one stream: from memory where that reaches back far enough, from the journal before that.

use std::collections::VecDeque;
use std::sync::Arc;

use betex_core::types::MarketId;

use super::fan::Subscription;
use super::form::{Form, Scope};
use super::history::{History, HistoryFault, Whose};
use super::mailbox::Batch;
use super::scene::Scene;
use super::turns::Caller;
use crate::exchange::{Exchange, Reading};
use crate::metrics::RESUMES;

/// What has been told and what is to be told.
pub(super) struct Past<F: Form> {
    exchange: Arc<Exchange>,
    caller: Caller,
    /// The first event wanted.
    from: u64,
    stage: Stage<F>,
    /// Told, not taken yet.
    pub(super) ready: VecDeque<Arc<Batch<F::Message>>>,
}

enum Stage<F: Form> {
    /// From memory, from this event on.
    Recent(Scope, u64),
    /// From the journal; it waits for its turn, which it gets when somebody wants more.
    Waiting(Box<History<F>>),
    /// It is being read.
    Reading(Reading<Turn<F>>),
    /// That was all of it.
    Told(Told),
}

/// Where the past ended.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// What happens from this event on comes live.
    Live(u64),
    /// The market was removed; this is the next event.
    Removed(u64),
}

/// What one turn told.
type Turn<F> = (Box<History<F>>, Result<Vec<Arc<Batch<<F as Form>::Message>>>, HistoryFault>);

impl<F: Form> Past<F> {
    /// Begins at an event; `key` is what clients call the market, `None` stands for all.
    pub(super) async fn begin(
        exchange: &Arc<Exchange>,
        caller: Caller,
        key: Option<&str>,
        from: u64,
    ) -> Result<Self, HistoryFault> {
        let (current, last) = now(exchange, key);
        if from > last + 1 {
            return Err(HistoryFault::Ahead { from, last });
        }
        // What has happened is then either in memory or known not to be, and so is who had the name.
        if !exchange.hub.reach(last).await {
            return Err(HistoryFault::Stopping);
        }
        let whose = whose(exchange, key, from, current);
        let scope = match &whose {
            Whose::Everything => Some(Scope::Everything),
            Whose::Named { current, .. } => current.map(Scope::Market),
        };
        let knows = exchange.hub.recent.with_names(|names| names.knows_from(from));
        let scope = scope.filter(|scope| knows || *scope == Scope::Everything);
        let stage = match scope.filter(|scope| exchange.hub.recent.reaches(*scope, from)) {
            Some(scope) => Stage::Recent(scope, from),
            None if knows && matches!(whose, Whose::Named { current: None, .. }) => {
                return Err(HistoryFault::NoMarket);
            }
            None => {
                check_distance(exchange, from, last)?;
                Stage::Waiting(open(exchange, caller, whose, from).await?)
            }
        };
        let source = if matches!(stage, Stage::Recent(..)) { "memory" } else { "journal" };
        metrics::counter!(RESUMES, "source" => source).increment(1);
        Ok(Self { exchange: Arc::clone(exchange), caller, from, stage, ready: VecDeque::new() })
    }

    /// Tells more, or says that all is told, to those who hear of what happens live. May be dropped and asked again
    /// without losing anything.
    pub(super) async fn more(
        &mut self,
        live: &mut Option<Subscription<F>>,
    ) -> Result<Option<Told>, HistoryFault> {
        match &mut self.stage {
            Stage::Told(told) => return Ok(Some(*told)),
            Stage::Recent(scope, next) => {
                let (scope, next) = (*scope, *next);
                if !self.remember(scope, next, live)? {
                    // Memory has moved on meanwhile.
                    self.stage = Stage::Waiting(self.open_again(scope, next).await?);
                }
                // Others want to go on as well.
                tokio::task::yield_now().await;
            }
            Stage::Waiting(_) => self.begin_turn()?,
            Stage::Reading(turn) => {
                let (history, told) = turn.await.map_err(HistoryFault::Unreadable)?;
                self.ready.extend(told?);
                self.stage = if history.has_ended() {
                    Stage::Told(Told::Removed(history.next()))
                } else {
                    Stage::Waiting(history)
                };
            }
        }
        Ok(None)
    }

    /// Tells from memory; false if it does not have it.
    fn remember(
        &mut self,
        scope: Scope,
        next: u64,
        live: &mut Option<Subscription<F>>,
    ) -> Result<bool, HistoryFault> {
        let Some(part) = self.exchange.hub.recent.part(scope, next) else { return Ok(false) };
        self.stage = Stage::Recent(scope, part.next);
        {
            let state = self.exchange.engine.read();
            for (transaction, names) in part.transactions {
                let items = F::render(&transaction.seen, &Scene::new(&names, &state), self.from);
                if !items.is_empty() {
                    let (first, last) = (transaction.first(), transaction.last());
                    self.ready.push_back(Arc::new(Batch { first, last, items }));
                }
                if transaction.removes() && scope == Scope::Market(transaction.market()) {
                    self.stage = Stage::Told(Told::Removed(transaction.last() + 1));
                    return Ok(true);
                }
            }
        }
        if part.is_all {
            if live.is_some() {
                self.stage = Stage::Told(Told::Live(part.next));
            } else {
                // What is handed out from here on comes live; what has come to memory until here is told with the
                // next look.
                *live = Some(F::fan(&self.exchange.hub).join(scope).ok_or(HistoryFault::Stopping)?);
            }
        }
        Ok(true)
    }

    async fn open_again(&self, scope: Scope, next: u64) -> Result<Box<History<F>>, HistoryFault> {
        let whose = match scope {
            Scope::Everything => Whose::Everything,
            Scope::Market(market) => self.whose_again(market, next)?,
        };
        open(&self.exchange, self.caller, whose, next).await
    }

    fn whose_again(&self, market: MarketId, next: u64) -> Result<Whose, HistoryFault> {
        let gone = HistoryFault::MarketRemoved { sequence: next };
        let key = self.exchange.hub.recent.names(market).map(|names| Arc::from(&*names.key)).ok_or(gone)?;
        let removed = self.exchange.hub.recent.with_names(|names| names.removed_since(&key, next));
        let removed = removed.filter(|(removed, _)| *removed == market).map(|(_, sequence)| sequence);
        Ok(Whose::Named { key, current: Some(market), removed })
    }

    fn begin_turn(&mut self) -> Result<(), HistoryFault> {
        let Stage::Waiting(history) = &self.stage else { return Ok(()) };
        if let Some(scope) = scope_in_memory(&self.exchange, history)? {
            self.stage = Stage::Recent(scope, history.next());
            return Ok(());
        }
        let to = self.exchange.engine.read().sequence();
        let idle = Stage::Told(Told::Removed(history.next()));
        let Stage::Waiting(mut history) = std::mem::replace(&mut self.stage, idle) else { return Ok(()) };
        self.stage = Stage::Reading(self.exchange.read_journal(self.caller, move || {
            let told = history.turn(to);
            (history, told)
        }));
        Ok(())
    }
}

/// Whose events are told, if memory has the rest of them.
fn scope_in_memory<F: Form>(
    exchange: &Exchange,
    history: &History<F>,
) -> Result<Option<Scope>, HistoryFault> {
    let (recent, next) = (&exchange.hub.recent, history.next());
    let mut scope = history.scope();
    if let Some(search) = history.search()
        && recent.with_names(|names| names.knows_from(next))
    {
        search.is_certain()?;
        let (current, last) = now(exchange, Some(search.key()));
        if exchange.hub.handed_out() < last {
            // It will be known in a moment whether the name has changed hands.
            return Ok(None);
        }
        let Whose::Named { current, .. } = whose(exchange, Some(search.key()), next, current) else {
            return Ok(None);
        };
        scope = Some(Scope::Market(current.ok_or(HistoryFault::NoMarket)?));
    }
    Ok(scope.filter(|scope| recent.reaches(*scope, next)))
}

/// The market that has a name now, and the last event before that was looked up.
fn now(exchange: &Exchange, key: Option<&str>) -> (Option<MarketId>, u64) {
    let state = exchange.engine.read();
    let named = key.filter(|key| !key.is_empty()).and_then(|key| state.market_named(key));
    (named.map(|market| market.id()), state.sequence())
}

/// Which market had a name at an event, or had it first after that, as far as is known; `current` has it now.
fn whose(exchange: &Exchange, key: Option<&str>, from: u64, current: Option<MarketId>) -> Whose {
    let Some(key) = key else { return Whose::Everything };
    let removed = exchange.hub.recent.with_names(|names| names.removed_since(key, from));
    let (current, removed) = match removed {
        Some((market, removed)) => (Some(market), Some(removed)),
        None => (current, None),
    };
    Whose::Named { key: key.into(), current, removed }
}

fn check_distance(exchange: &Exchange, from: u64, last: u64) -> Result<(), HistoryFault> {
    let (max, back) = (exchange.resume_max_events, (last + 1).saturating_sub(from));
    if max > 0 && back > max {
        return Err(HistoryFault::TooFarBack { from, back, max, earliest: last + 1 - max });
    }
    Ok(())
}

async fn open<F: Form>(
    exchange: &Arc<Exchange>,
    caller: Caller,
    whose: Whose,
    from: u64,
) -> Result<Box<History<F>>, HistoryFault> {
    let (engine, hub) = (Arc::clone(&exchange.engine), Arc::clone(&exchange.hub));
    let opened = exchange.read_journal(caller, move || History::open(engine, hub, whose, from)).await;
    opened.map_err(HistoryFault::Unreadable)?.map(Box::new)
}
