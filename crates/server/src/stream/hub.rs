//! Fans out what happens, as it happens. A handler of the engine, so it sees only what is durable, and
//! never holds the engine up: it has a queue of its own there, and everybody who follows has a mailbox here.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use betex::engine::core::EventHandler;
use betex::{Engine, EngineEvent};
use betex_core::types::MarketId;

use super::fan::Fan;
use super::form::{AllEvents, Form, Protobuf, SixEvents};
use super::mailbox::{Batch, Ending};
use super::names::Names;
use super::recent::{Recent, Transaction};
use super::scene::{Scene, Seen};
use crate::order_states::OrderStates;

/// Who follows what.
#[derive(Default)]
pub(crate) struct Hub {
    pub(crate) protobuf: Arc<Fan<Protobuf>>,
    pub(crate) six_events: Arc<Fan<SixEvents>>,
    pub(crate) all_events: Arc<Fan<AllEvents>>,
    /// The engine is built with the handler, so it is there only afterwards.
    engine: OnceLock<Weak<Engine>>,
    /// What has happened lately.
    pub(crate) recent: Recent,
    /// The last event that has been handed to everybody.
    handed_out: AtomicU64,
    /// What became of the last orders.
    pub(crate) orders: OrderStates,
    has_stopped: AtomicBool,
}

/// How often it is looked whether an event has been handed out.
const LOOK: Duration = Duration::from_millis(1);

impl Hub {
    /// Tells the hub whose events it gets.
    pub(crate) fn attach(&self, engine: &Arc<Engine>) {
        // Only the server's start calls this, once.
        let _ = self.engine.set(Arc::downgrade(engine));
        let recovered = engine.recovery().last_sequence;
        let (known, keys) = {
            let state = engine.read();
            let keys = state.markets().map(|market| (market.id(), market.spec().key.as_str().into()));
            // In an exchange that begins, no name has been used before.
            (if engine.recovery().fresh { 0 } else { state.sequence() }, keys.collect())
        };
        self.recent.begin(recovered, known, keys);
        self.handed_out.fetch_max(recovered, Ordering::AcqRel);
    }

    /// Waits until this event, which has happened, has been handed to everybody; false if that will not come.
    pub(crate) async fn reach(&self, sequence: u64) -> bool {
        // Handing out takes microseconds as a rule: waiting for it is not worth a queue of those who wait.
        while self.handed_out() < sequence {
            if self.has_stopped.load(Ordering::Acquire) {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    /// The last event that has been handed to everybody; 0 before the first.
    pub(crate) fn handed_out(&self) -> u64 {
        self.handed_out.load(Ordering::Acquire)
    }

    /// Ends every stream, and lets nobody join any more.
    pub(crate) fn stop(&self) {
        self.has_stopped.store(true, Ordering::Release);
        self.protobuf.stop();
        self.six_events.stop();
        self.all_events.stop();
    }

    fn fell_behind(&self, market: MarketId) {
        let ending = Ending::FellBehind;
        self.protobuf.end_market(market, ending);
        self.six_events.end_market(market, ending);
        self.six_events.end_everything(ending);
        self.all_events.end_market(market, ending);
        self.all_events.end_everything(ending);
    }

    /// Keeps a transaction and hands it out. In this order: who follows from now on finds it in memory.
    fn publish(&self, transaction: Vec<Seen>) {
        let Some((engine, transaction, names)) = self.keep(transaction) else { return };
        publish_to(&self.protobuf, &engine, &transaction, &names);
        publish_to(&self.six_events, &engine, &transaction, &names);
        publish_to(&self.all_events, &engine, &transaction, &names);
        if transaction.removes() {
            let market = transaction.market();
            self.protobuf.end_market(market, Ending::Removed);
            self.six_events.end_market(market, Ending::Removed);
            self.all_events.end_market(market, Ending::Removed);
        }
    }

    /// Passes over a transaction of which it is not known what became of the levels.
    fn miss(&self, transaction: Vec<Seen>) {
        let Some(last) = transaction.last() else { return };
        let (market, sequence) = (last.record.market_id, last.record.sequence);
        // It may still tell of names.
        if self.keep(transaction).is_some() {
            self.recent.forget(market, sequence);
        }
        self.fell_behind(market);
    }

    fn keep(&self, transaction: Vec<Seen>) -> Option<(Arc<Engine>, Arc<Transaction>, Arc<Names>)> {
        let transaction = Arc::new(Transaction::new(transaction));
        let (market, last) = (transaction.market(), transaction.last());
        if !market.is_some() {
            self.recent.pass(last);
            return None;
        }
        // What happens while the engine starts has no followers yet.
        let Some(engine) = self.engine.get().and_then(Weak::upgrade) else {
            self.recent.miss(last);
            return None;
        };
        let look_up = || engine.read().market(market).map(|market| Names::of(&market));
        let names = self.recent.record(Arc::clone(&transaction), look_up);
        Some((engine, transaction, names))
    }
}

fn publish_to<F: Form>(fan: &Fan<F>, engine: &Engine, transaction: &Transaction, names: &Names) {
    if !fan.wants(transaction.market()) {
        return;
    }
    let items = F::render(&transaction.seen, &Scene::new(names, &engine.read()), 0);
    if !items.is_empty() {
        let batch = Batch { first: transaction.first(), last: transaction.last(), items };
        fan.put(transaction.market(), &Arc::new(batch));
    }
}

/// The hub's end in the engine.
pub(crate) struct HubHandler {
    hub: Arc<Hub>,
    /// The transaction that is coming in.
    transaction: Vec<Seen>,
    /// Some of it was read from the journal, so what became of the levels is not known.
    caught_up: bool,
}

impl HubHandler {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, transaction: Vec::new(), caught_up: false }
    }
}

impl EventHandler for HubHandler {
    fn on_event(&mut self, event: &EngineEvent) {
        let record = &event.record;
        self.hub.orders.note(record);
        self.caught_up |= event.caught_up;
        self.transaction.push(Seen { record: record.clone(), level: event.level });
        if !record.ends_transaction {
            return;
        }
        let transaction = std::mem::take(&mut self.transaction);
        if std::mem::take(&mut self.caught_up) {
            self.hub.miss(transaction);
        } else {
            self.hub.publish(transaction);
        }
        self.hub.handed_out.store(record.sequence, Ordering::Release);
    }
}

impl Drop for HubHandler {
    fn drop(&mut self) {
        // Nothing more will come: those who follow must not wait for it.
        self.hub.stop();
    }
}

#[cfg(test)]
mod tests {
    use betex_core::event::Event;
    use betex_core::types::BookMarketState;
    use betex_journal::JournalEvent;

    use super::super::form::Scope;
    use super::*;

    fn event(market: u64, sequence: u64, caught_up: bool) -> EngineEvent {
        let event = Event::MarketStatusChanged { to: BookMarketState::Open, reason: None };
        let market_id = MarketId(market);
        let record = JournalEvent {
            sequence,
            market_id,
            market_sequence: 1,
            time_ns: 1,
            ends_transaction: true,
            event,
        };
        EngineEvent { record, correlation_id: None, level: None, caught_up }
    }

    #[tokio::test]
    async fn who_follows_a_hub_that_falls_behind_is_told() {
        let hub = Arc::new(Hub::default());
        let mut handler = HubHandler::new(Arc::clone(&hub));
        let join = |market| hub.protobuf.join(Scope::Market(MarketId(market))).unwrap();
        let (one, two) = (join(1), join(2));
        let everything = hub.six_events.join(Scope::Everything).unwrap();
        handler.on_event(&event(1, 7, true));
        assert_eq!(hub.handed_out(), 7);
        assert_eq!(one.mailbox().take().await.err(), Some(Ending::FellBehind));
        assert_eq!(everything.mailbox().take().await.err(), Some(Ending::FellBehind));
        // Nothing was missed of another market.
        assert!(two.mailbox().is_empty());
        drop(handler);
        assert_eq!(two.mailbox().take().await.err(), Some(Ending::Stopping));
        assert!(hub.protobuf.join(Scope::Market(MarketId(1))).is_none());
    }
}
