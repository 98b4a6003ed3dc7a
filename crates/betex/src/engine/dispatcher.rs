//! Behind the gate: keeps the read state, sends the answers, feeds handlers and streams.

use std::sync::Arc;

use arrayvec::ArrayVec;
use betex_core::event::Event;
use betex_core::state::State;
use betex_journal::JournalEvent;
use parking_lot::RwLock;

use super::fatal::AbortOnUnwind;
use super::feed::{Batch, EngineEvent, Feeds};
use super::journaler::Step;
use super::lanes::Lanes;
use super::response::{Reply, Responder, Response};
use crate::disruptor::{GatedPoller, Polling, Slot};

/// The one consumer behind the gate.
pub(crate) struct Dispatcher {
    poller: GatedPoller,
    replies: rtrb::Consumer<Reply>,
    read: Arc<RwLock<State>>,
    feeds: Arc<Feeds>,
    /// Who wants to see every answer to a command with a correlation id.
    responders: Vec<Arc<dyn Responder>>,
    lanes: Arc<Lanes>,
}

/// Transactions in one step: as long as the read state may be locked at once.
const BATCH: usize = 256;

impl Dispatcher {
    pub(crate) fn new(
        poller: GatedPoller,
        replies: rtrb::Consumer<Reply>,
        read: Arc<RwLock<State>>,
        feeds: Arc<Feeds>,
        responders: Vec<Arc<dyn Responder>>,
        lanes: Arc<Lanes>,
    ) -> Self {
        Self { poller, replies, read, feeds, responders, lanes }
    }

    /// Shows the world what has come through the gate.
    pub(crate) fn step(&mut self) -> Step {
        let mut guard = match self.poller.take(BATCH as u64) {
            Ok(guard) => guard,
            Err(Polling::NoEvents) => return Step::Idle,
            Err(Polling::Shutdown) => return Step::Finished,
        };
        // A transaction that was not shown must not count as shown.
        let bomb = AbortOnUnwind::new("the dispatcher");
        let slots: ArrayVec<&Slot, BATCH> = (&mut guard).collect();
        // First the read state, so that whoever has an answer also sees what it says.
        let batch = apply(&self.read, &slots, self.feeds.are_wanted());
        for slot in &slots {
            answer(slot, &mut self.replies, &self.responders);
        }
        if let Some(slot) = slots.last() {
            self.feeds.publish(batch, slot.sequences().1);
        }
        bomb.defuse();
        drop(slots);
        drop(guard);
        // The writer may be waiting for room.
        self.lanes.bell.ring();
        Step::Worked
    }

    /// Tells the handlers that nothing more will come.
    pub(crate) fn close(&self) {
        self.feeds.close();
    }

    pub(crate) fn has_work(&self) -> bool {
        self.poller.has_available()
    }
}

/// Applies the transactions to the read state; the events as handlers see them, if anybody wants them.
fn apply(read: &RwLock<State>, slots: &[&Slot], wanted: bool) -> Option<Batch> {
    let mut events = Vec::new();
    let mut state = read.write();
    for slot in slots.iter().filter(|slot| !slot.events.is_empty()) {
        if !wanted {
            state.apply(&slot.stamp, &slot.events);
            continue;
        }
        let mut index = 0;
        state.apply_each(&slot.stamp, &slot.events, |event: &Event, level| {
            let record = JournalEvent::of(&slot.stamp, index, slot.events.len() as u64, event.clone());
            index += 1;
            let (correlation_id, level) = (slot.correlation_id.clone(), level());
            events.push(EngineEvent { record, correlation_id, level, caught_up: false });
        });
    }
    drop(state);
    Batch::new(events)
}

fn answer(slot: &Slot, replies: &mut rtrb::Consumer<Reply>, responders: &[Arc<dyn Responder>]) {
    let Some(result) = &slot.result else { return };
    let (first_sequence, _) = slot.sequences();
    let response = Response {
        correlation_id: slot.correlation_id.as_ref(),
        market_id: slot.stamp.market_id,
        time_ns: slot.stamp.time_ns,
        first_sequence,
        sequence: slot.sequences().1,
        result,
        events: &slot.events,
    };
    if slot.has_reply {
        let reply = replies.pop().expect("the reply was queued before the slot was published");
        reply.answer(&response);
    }
    if response.correlation_id.is_some() {
        for responder in responders {
            Reply::To(Arc::clone(responder), 0).answer(&response);
        }
    }
}
