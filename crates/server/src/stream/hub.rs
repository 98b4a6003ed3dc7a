//! Fans out what happens, as it happens. A handler of the engine, so it sees only what is durable, and
//! never holds the engine up: it has a queue of its own there, and everybody who follows has a mailbox here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use betex::engine::core::EventHandler;
use betex::{Engine, EngineEvent};
use betex_core::event::Event;
use betex_core::types::MarketId;

use super::fan::Fan;
use super::form::{AllEvents, Form, Protobuf, SixEvents};
use super::mailbox::{Batch, Ending};
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
    /// The last event that has been handed to everybody.
    handed_out: AtomicU64,
    /// What became of the last orders.
    pub(crate) orders: OrderStates,
}

impl Hub {
    /// Tells the hub whose events it gets.
    pub(crate) fn attach(&self, engine: &Arc<Engine>) {
        // Only the server's start calls this, once.
        let _ = self.engine.set(Arc::downgrade(engine));
    }

    /// The last event that has been handed to everybody; 0 before the first.
    pub(crate) fn handed_out(&self) -> u64 {
        self.handed_out.load(Ordering::Acquire)
    }

    /// Waits until an event has been handed to everybody, for a second at most.
    pub(crate) async fn has_handed_out(&self, sequence: u64) {
        let give_up = Instant::now() + Duration::from_secs(1);
        while self.handed_out() < sequence && Instant::now() < give_up {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Ends every stream, and lets nobody join any more.
    pub(crate) fn stop(&self) {
        self.protobuf.stop();
        self.six_events.stop();
        self.all_events.stop();
    }

    fn wants(&self, market: MarketId) -> bool {
        self.protobuf.wants(market) || self.six_events.wants(market) || self.all_events.wants(market)
    }

    fn fell_behind(&self, market: MarketId) {
        let ending = Ending::FellBehind;
        self.protobuf.end_market(market, ending);
        self.six_events.end_market(market, ending);
        self.six_events.end_everything(ending);
        self.all_events.end_market(market, ending);
        self.all_events.end_everything(ending);
    }

    fn publish(&self, transaction: &[Seen]) {
        let Some(market) = transaction.first().map(|seen| seen.record.market_id) else { return };
        let Some(engine) = self.engine.get().and_then(Weak::upgrade) else { return };
        publish_to(&self.protobuf, &engine, transaction, market);
        publish_to(&self.six_events, &engine, transaction, market);
        publish_to(&self.all_events, &engine, transaction, market);
        if transaction.iter().any(|seen| matches!(seen.record.event, Event::MarketRemoved)) {
            self.protobuf.end_market(market, Ending::Removed);
            self.six_events.end_market(market, Ending::Removed);
            self.all_events.end_market(market, Ending::Removed);
        }
    }
}

fn publish_to<F: Form>(fan: &Fan<F>, engine: &Engine, transaction: &[Seen], market: MarketId) {
    let (Some(first), Some(last)) = (transaction.first(), transaction.last()) else { return };
    if !fan.wants(market) {
        return;
    }
    let key = fan.key(market);
    let items = {
        let state = engine.read();
        // A market that is gone has no names any more; whoever follows it has told us its own.
        let scene = Scene::of(&state, market)
            .unwrap_or_else(|| Scene::of_removed(&state, key.as_deref().unwrap_or_default()));
        F::render(transaction, &scene, 0)
    };
    if !items.is_empty() {
        let batch = Batch { first: first.record.sequence, last: last.record.sequence, items };
        fan.put(market, &Arc::new(batch));
    }
}

/// The hub's end in the engine.
pub(crate) struct HubHandler {
    hub: Arc<Hub>,
    /// The transaction that is coming in, if somebody wants it.
    transaction: Vec<Seen>,
    in_transaction: bool,
    wanted: bool,
}

impl HubHandler {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, transaction: Vec::new(), in_transaction: false, wanted: false }
    }
}

impl EventHandler for HubHandler {
    fn on_event(&mut self, event: &EngineEvent) {
        let record = &event.record;
        self.hub.orders.note(record);
        if !self.in_transaction {
            // Whoever joins after this has joined after the engine showed this transaction to its readers,
            // and finds it in the book or the journal.
            self.wanted = self.hub.wants(record.market_id);
        }
        self.in_transaction = !record.ends_transaction;
        if self.wanted && event.caught_up {
            self.hub.fell_behind(record.market_id);
            self.wanted = false;
            self.transaction.clear();
        }
        if self.wanted {
            self.transaction.push(Seen { record: record.clone(), level: event.level });
            if record.ends_transaction {
                self.hub.publish(&self.transaction);
                self.transaction.clear();
            }
        }
        if record.ends_transaction {
            self.hub.handed_out.store(record.sequence, Ordering::Release);
        }
    }
}

impl Drop for HubHandler {
    fn drop(&mut self) {
        // Nothing more will come: whoever follows must not wait for it.
        self.hub.stop();
    }
}

#[cfg(test)]
mod tests {
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
        let join = |market| hub.protobuf.join(Scope::Market(MarketId(market)), "key").unwrap();
        let (one, two) = (join(1), join(2));
        let everything = hub.six_events.join(Scope::Everything, "").unwrap();
        handler.on_event(&event(1, 7, true));
        assert_eq!(hub.handed_out(), 7);
        assert_eq!(one.mailbox().take().await.err(), Some(Ending::FellBehind));
        assert_eq!(everything.mailbox().take().await.err(), Some(Ending::FellBehind));
        // Nothing was missed of another market.
        assert!(two.mailbox().is_empty());
        drop(handler);
        assert_eq!(two.mailbox().take().await.err(), Some(Ending::Stopping));
        assert!(hub.protobuf.join(Scope::Market(MarketId(1)), "key").is_none());
    }
}
