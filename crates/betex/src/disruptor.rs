//! The ring between the writer and the disk, and from there to everybody else.
//!
//! Two consumers, one behind the other: the journal, and the dispatcher behind the journal's gate. Both
//! are pollers, which park when there is nothing to do. A slot is one transaction or one rejection.

use betex_core::decide::Receipt;
use betex_core::event::{Event, Stamp};
use betex_core::reject::Rejection;
use betex_core::types::CorrelationId;
use disruptor::{BusySpin, EventPoller, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier};

pub use ::disruptor::{Polling, Producer, RingBufferFull};

/// What the writer decided, in turn.
#[derive(Debug, Default)]
pub struct Slot {
    /// When and where; for a rejection, the sequence number is the one that would have come next.
    pub stamp: Stamp,
    /// The transaction. Empty for a rejection, and for a command that had nothing to do.
    pub events: Vec<Event>,
    /// What the sender is told; `None` for what the engine did by itself.
    pub result: Option<Result<Receipt, Rejection>>,
    /// As the command had it.
    pub correlation_id: Option<CorrelationId>,
    /// Whether an answer is waited for: its way there is next in the queue of replies.
    pub has_reply: bool,
}

/// Events that a slot keeps room for: what a large transaction took beyond is given back when the slot
/// comes round again.
const ROOM_KEPT: usize = 64;

impl Slot {
    /// Makes the slot ready for the next transaction, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.events.shrink_to(ROOM_KEPT);
        (self.result, self.correlation_id, self.has_reply) = (None, None, false);
    }
}

/// The writer's end.
pub(crate) type RingProducer = SingleProducer<Slot, SingleConsumerBarrier>;
/// The journal's end.
pub(crate) type JournalPoller = EventPoller<Slot, SingleProducerBarrier>;
/// The dispatcher's end, which sees only what the journal has released.
pub(crate) type GatedPoller = EventPoller<Slot, SingleConsumerBarrier>;

/// Builds the ring.
pub(crate) fn ring(slots: usize) -> (RingProducer, JournalPoller, GatedPoller) {
    let empty = || Slot { events: Vec::with_capacity(4), ..Slot::default() };
    // Nobody waits in the ring's own way: pollers return at once, and their threads park.
    let (journal, builder) = disruptor::build_single_producer(slots, empty, BusySpin).new_event_poller();
    let (gated, builder) = builder.and_then().new_event_poller();
    (builder.build(), journal, gated)
}
