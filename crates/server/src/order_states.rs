//! What became of the last orders, for answers about orders that no longer rest.
//!
//! The engine forgets an order when it is finished. This keeps the last state of the most recent orders, by order id,
//! from the events that the streams get.

use std::sync::atomic::{AtomicU64, Ordering};

use betex::Engine;
use betex_core::event::{CancelReason, Event, OrderAccepted};
use betex_core::types::{AccountId, MarketId, OrderId, OrderStatus, Quantity};
use betex_journal::{JournalEvent, ReadError};
use parking_lot::Mutex;

/// Orders that are kept: those with the highest ids. At 72 bytes each, 36 MiB when all are in use.
pub(crate) const ORDERS_KEPT: usize = 1 << 19;
const PAGE: usize = 1 << 12;
/// Events before the start that are read again at the start: about as many as finish the orders that are kept.
const EVENTS_REREAD: u64 = 2_000_000;
/// Transactions between two looks at whether the server is stopping.
const REREAD_TURN: usize = 4_096;

/// The last state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrderState {
    order_id: OrderId,
    pub(crate) market: MarketId,
    pub(crate) account: AccountId,
    pub(crate) status: OrderStatus,
    /// Why it ended, if it did not fill.
    pub(crate) reason: Option<CancelReason>,
    pub(crate) quantity: Quantity,
    pub(crate) filled: Quantity,
    remaining: Quantity,
    /// Whether it is on a quarter line: then it is its two halves, with the next two ids.
    is_split: bool,
    /// The event that said so.
    sequence: u64,
}

impl OrderState {
    /// Whether nothing of it rests.
    pub(crate) fn is_finished(&self) -> bool {
        self.remaining == Quantity::ZERO
    }
}

type Page = Option<Box<[Option<OrderState>; PAGE]>>;

/// The last states of the orders with the highest ids.
#[derive(Default)]
pub(crate) struct OrderStates {
    /// By order id modulo [`ORDERS_KEPT`]. Pages come as they are used.
    pages: Mutex<Vec<Page>>,
    /// The highest order id.
    last_id: AtomicU64,
}

impl OrderStates {
    /// Keeps what an event says about an order.
    pub(crate) fn note(&self, record: &JournalEvent) {
        let (market, sequence) = (record.market_id, record.sequence);
        match &record.event {
            Event::OrderSplit { order, .. } => self.put(accepted(market, sequence, order, true)),
            Event::OrderAccepted(order) => self.put(accepted(market, sequence, order, false)),
            Event::TradeMatched(trade) => self.put(OrderState {
                order_id: trade.maker_order_id,
                market,
                account: trade.maker_account,
                status: OrderStatus::of(trade.maker_filled, trade.maker_remaining, OrderStatus::Filled),
                reason: None,
                quantity: trade.maker_quantity,
                filled: trade.maker_filled,
                remaining: trade.maker_remaining,
                is_split: false,
                sequence,
            }),
            Event::OrderCancelled(order) => self.put(OrderState {
                order_id: order.order_id,
                market,
                account: order.account,
                status: OrderStatus::of(order.filled, order.remaining, order.reason.status()),
                reason: Some(order.reason),
                quantity: order.quantity,
                filled: order.filled,
                remaining: order.remaining,
                is_split: false,
                sequence,
            }),
            _ => {}
        }
    }

    /// The last state of an order, if it is still kept.
    pub(crate) fn find(&self, id: OrderId) -> Option<OrderState> {
        let pages = self.pages.lock();
        let state = *slot(&pages, id)?;
        if !state.is_split {
            return Some(state);
        }
        // What became of its halves says what became of it. Of a single penny there is no further half.
        let halves =
            [1, 2].map(|half| slot(&pages, OrderId(id.0 + half)).filter(|half| half.market == state.market));
        let sum = |part: fn(&OrderState) -> Quantity| {
            Quantity(halves.into_iter().flatten().map(|half| part(half).0).sum())
        };
        let (filled, remaining) = (sum(|half| half.filled), sum(|half| half.remaining));
        let last = halves.into_iter().flatten().filter(|half| half.status != OrderStatus::Filled);
        let last = last.max_by_key(|half| half.sequence);
        let end = last.map_or(OrderStatus::Filled, |half| half.status);
        let status = OrderStatus::of(filled, remaining, end);
        Some(OrderState { filled, remaining, status, reason: last.and_then(|half| half.reason), ..state })
    }

    /// Whether an order with this id may have been forgotten.
    pub(crate) fn may_have_forgotten(&self, id: OrderId) -> bool {
        (1..=self.last_id.load(Ordering::Acquire)).contains(&id.0) && slot(&self.pages.lock(), id).is_none()
    }

    /// Reads the last events before the start again. `is_over` says that the server stops.
    pub(crate) fn reread(
        &self,
        engine: &Engine,
        last: u64,
        is_over: impl Fn() -> bool,
    ) -> Result<(), ReadError> {
        let Ok(mut reader) = engine.journal_reader() else { return Ok(()) };
        let from = last.saturating_sub(EVENTS_REREAD) + 1;
        match reader.seek(from) {
            // What is gone is gone.
            Err(ReadError::Pruned { first }) => reader.seek(first)?,
            sought => sought?,
        }
        reader.set_limit(last);
        let mut events = Vec::new();
        loop {
            for _ in 0..REREAD_TURN {
                let Some(stamp) = reader.next_transaction(&mut events)? else { return Ok(()) };
                let count = events.len() as u64;
                for (index, event) in (0..).zip(events.drain(..)) {
                    self.note(&JournalEvent::of(&stamp, index, count, event));
                }
            }
            if is_over() {
                return Ok(());
            }
        }
    }

    fn put(&self, state: OrderState) {
        self.last_id.fetch_max(state.order_id.0, Ordering::AcqRel);
        let mut pages = self.pages.lock();
        let (page, place) = place(state.order_id);
        if pages.len() <= page {
            pages.resize(page + 1, None);
        }
        let kept = &mut pages[page].get_or_insert_with(|| Box::new([None; PAGE]))[place];
        // The events before the start are read again while new ones come in.
        let is_newer =
            kept.is_none_or(|kept| (kept.order_id, kept.sequence) < (state.order_id, state.sequence));
        // An accepted order says what rests after its transaction, so the fills in it add nothing.
        if is_newer {
            *kept = Some(state);
        }
    }
}

fn slot(pages: &[Page], id: OrderId) -> Option<&OrderState> {
    let (page, place) = place(id);
    pages.get(page)?.as_ref()?[place].as_ref().filter(|state| state.order_id == id)
}

fn place(id: OrderId) -> (usize, usize) {
    // The remainder is smaller than a usize on every machine.
    let place = usize::try_from(id.0 % ORDERS_KEPT as u64).unwrap_or_default();
    (place / PAGE, place % PAGE)
}

/// An order as it stands after its transaction. What was cancelled of it at once is in an event of its own.
fn accepted(market: MarketId, sequence: u64, order: &OrderAccepted, is_split: bool) -> OrderState {
    let filled = Quantity(order.quantity.0 - order.resting.0);
    OrderState {
        order_id: order.order_id,
        market,
        account: order.account,
        status: OrderStatus::of(filled, order.resting, OrderStatus::Filled),
        reason: None,
        quantity: order.quantity,
        filled,
        remaining: order.resting,
        is_split,
        sequence,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use betex_core::event::{OrderCancelled, OutcomeIndex};
    use betex_core::types::{Price, Side};

    use super::*;

    fn cancelled(order: u64, sequence: u64, filled: i64, reason: CancelReason) -> JournalEvent {
        let event = Event::OrderCancelled(OrderCancelled {
            order_id: OrderId(order),
            account: AccountId(1),
            outcome: OutcomeIndex(0),
            side: Side::Yes,
            price: Price(20_000),
            reason,
            cancelled: Quantity(100 - filled),
            quantity: Quantity(100),
            filled: Quantity(filled),
            remaining: Quantity::ZERO,
        });
        JournalEvent {
            sequence,
            market_id: MarketId(1),
            market_sequence: 1,
            time_ns: 1,
            ends_transaction: true,
            event,
        }
    }

    #[test]
    fn the_newest_event_of_the_newest_order_stays() {
        let states = OrderStates::default();
        states.note(&cancelled(7, 20, 40, CancelReason::Expired));
        // Read again from the journal, later and older.
        states.note(&cancelled(7, 10, 0, CancelReason::Requested));
        let state = states.find(OrderId(7)).unwrap();
        assert_eq!(
            (state.status, state.filled, state.reason),
            (OrderStatus::Expired, Quantity(40), Some(CancelReason::Expired))
        );
        assert!(state.is_finished() && states.find(OrderId(8)).is_none());
        let later = 7 + ORDERS_KEPT as u64;
        assert!(!states.may_have_forgotten(OrderId(7)) && !states.may_have_forgotten(OrderId(later)));
        states.note(&cancelled(later, 30, 0, CancelReason::Requested));
        states.note(&cancelled(7, 40, 0, CancelReason::Requested));
        assert!(states.find(OrderId(7)).is_none() && states.may_have_forgotten(OrderId(7)));
        assert_eq!(states.find(OrderId(later)).unwrap().status, OrderStatus::Cancelled);
    }
}
