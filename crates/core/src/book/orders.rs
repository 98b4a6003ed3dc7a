//! Resting orders: a slab with a free list, and the way from an order's id to its slot.

use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use crate::event::{Half, OutcomeIndex};
use crate::ladder::Tick;
use crate::types::{AccountId, OrderId, Persistence, Side};

/// Where an order is kept. Reused once the order is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrderSlot(pub(crate) u32);

impl OrderSlot {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// A resting order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) quantity: i64,
    /// What is filled, rounded up to whole pennies: `quantity` less what was cancelled and what is whole of
    /// `left`.
    pub(crate) filled: i64,
    /// Exactly what is left of it. In a book it is never less than a unit.
    pub(crate) left: i64,
    /// When it was accepted, in nanoseconds since the Unix epoch.
    pub(crate) accepted_ns: u64,
    /// The slot of its market.
    pub(crate) market: u32,
    pub(crate) tick: Tick,
    /// The market's record of its client order id, or [`NO_CLIENT_ID`].
    pub(crate) client: u32,
    /// Where it hangs: outcome, side and tick of the book.
    pub(crate) outcome: OutcomeIndex,
    pub(crate) side: Side,
    /// Whether it was entered for the second outcome of a pair: then outcome, side and price as its owner
    /// knows them are the other ones.
    pub(crate) mirrored: bool,
    pub(crate) half: Half,
    pub(crate) persistence: Persistence,
    /// Whether a job may be going on with it: whatever takes it out of the book asks the jobs then.
    pub(crate) awaited: bool,
    pub(crate) links: Links,
}

/// Where an order hangs in the book; set by the book alone.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// Its neighbours in the queue of its level.
    previous: OrderSlot,
    next: OrderSlot,
    /// Its place in the heap of expiries, which knows when it expires; [`NEVER`] if it does not.
    pub(super) expiry_place: u32,
}

// There may be ten million of them.
const _: () = assert!(size_of::<Order>() == 80);

impl Default for Links {
    fn default() -> Self {
        Self { previous: OrderSlot::NONE, next: OrderSlot::NONE, expiry_place: NEVER }
    }
}

/// What a search for makers reads of every order that it passes over, in so few bytes that a wall of sixty
/// thousand orders, wherever they are in memory, stays in a cache near the processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    /// As in the order.
    pub(crate) left: i64,
    next: OrderSlot,
    account: ShortAccount,
}

/// The end of an account's number: where it differs, the accounts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ShortAccount(u32);

impl ShortAccount {
    fn of(account: AccountId) -> Self {
        Self(u32::try_from(account.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX))
    }
}

impl Queued {
    fn new(order: &Order) -> Self {
        Self { left: order.left, next: order.links.next, account: ShortAccount::of(order.account) }
    }

    /// The order after this one in its level's queue.
    pub(crate) fn next(&self) -> Option<OrderSlot> {
        self.next.some()
    }

    /// Whether the order may be of this account. Mostly it is not, and then the order itself is not read.
    pub(crate) fn may_be_of(&self, account: AccountId) -> bool {
        self.account == ShortAccount::of(account)
    }
}

/// The place in the heap of expiries of an order that does not expire.
pub(super) const NEVER: u32 = u32::MAX;

/// An order without a client order id.
pub(crate) const NO_CLIENT_ID: u32 = u32::MAX;

impl Order {
    /// The order behind this one in its level's queue.
    pub(crate) fn next(&self) -> Option<OrderSlot> {
        self.links.next.some()
    }

    /// Whether it is in the heap of expiries.
    pub(super) const fn expires(&self) -> bool {
        self.links.expiry_place != NEVER
    }
}

/// All resting orders of an engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders {
    slots: Vec<Order>,
    /// A second, shorter list of the same orders, by slot.
    queued: Vec<Queued>,
    free: Vec<OrderSlot>,
    /// Slots by the id of the order in them. Slots alone, since the order is what is wanted next: that keeps
    /// the table small enough for the caches.
    by_id: HashTable<OrderSlot>,
}

/// Ids are the engine's own count, so nobody can choose them to collide, and a cheap hash will do.
fn hash(id: OrderId) -> u64 {
    FxBuildHasher.hash_one(id)
}

impl Orders {
    /// How many orders rest.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn slot(&self, id: OrderId) -> Option<OrderSlot> {
        self.by_id.find(hash(id), |slot| self[*slot].id == id).copied()
    }

    pub(super) fn insert(&mut self, order: Order) -> OrderSlot {
        let (id, queued) = (order.id, Queued::new(&order));
        let slot = if let Some(slot) = self.free.pop() {
            self[slot] = order;
            self.queued[slot.0 as usize] = queued;
            slot
        } else {
            self.queued.push(queued);
            let slot =
                u32::try_from(self.slots.len()).ok().map(OrderSlot).filter(|slot| *slot != OrderSlot::NONE);
            self.slots.push(order);
            slot.expect("Limits::resting_orders is a u32")
        };
        let id_in = |slot: &OrderSlot| self.slots[slot.0 as usize].id;
        match self.by_id.entry(hash(id), |slot| id_in(slot) == id, |slot| hash(id_in(slot))) {
            Entry::Vacant(entry) => entry.insert(slot),
            Entry::Occupied(_) => panic!("order {id} rests twice"),
        };
        slot
    }

    /// What a search for makers reads of an order.
    pub(crate) fn queued(&self, slot: OrderSlot) -> &Queued {
        &self.queued[slot.0 as usize]
    }

    pub(super) fn set_left(&mut self, slot: OrderSlot, left: i64) {
        self[slot].left = left;
        self.queued[slot.0 as usize].left = left;
    }

    /// The neighbours of an order in its level's queue.
    pub(super) fn neighbours(&self, slot: OrderSlot) -> (OrderSlot, OrderSlot) {
        let Links { previous, next, .. } = self[slot].links;
        (previous, next)
    }

    pub(super) fn set_next(&mut self, slot: OrderSlot, next: OrderSlot) {
        self[slot].links.next = next;
        self.queued[slot.0 as usize].next = next;
    }

    pub(super) fn set_previous(&mut self, slot: OrderSlot, previous: OrderSlot) {
        self[slot].links.previous = previous;
    }

    pub(super) fn remove(&mut self, slot: OrderSlot) {
        let id = self[slot].id;
        if let Ok(entry) = self.by_id.find_entry(hash(id), |other| *other == slot) {
            entry.remove();
        }
        self.free.push(slot);
    }
}

impl Index<OrderSlot> for Orders {
    type Output = Order;
    fn index(&self, slot: OrderSlot) -> &Order {
        &self.slots[slot.0 as usize]
    }
}

impl IndexMut<OrderSlot> for Orders {
    fn index_mut(&mut self, slot: OrderSlot) -> &mut Order {
        &mut self.slots[slot.0 as usize]
    }
}
