//! Levels: FIFO queues of orders, found by tick.
//!
//! A side of an outcome is a table of pages of 64 levels; only pages that hold orders exist. Two layers
//! of bits say which levels are taken, so the next best price is a few bit operations away on a ladder
//! of any length, and a side without orders is an empty table.

use super::orders::{OrderSlot, Orders};
use crate::ladder::{Ladder, Tick};
use crate::types::Side;

const PAGE: u32 = 64;
const NO_PAGE: u32 = u32::MAX;

/// The orders at one price, in the order of their arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// The sum of what is whole of what its orders have left.
    pub(crate) total: i64,
    pub(crate) count: u32,
    head: OrderSlot,
    tail: OrderSlot,
}

impl Level {
    const EMPTY: Self = Self { total: 0, count: 0, head: OrderSlot::NONE, tail: OrderSlot::NONE };

    /// The order that arrived first.
    pub(crate) fn first(&self) -> Option<OrderSlot> {
        self.head.some()
    }
}

#[derive(Clone, Debug)]
struct Page([Level; PAGE as usize]);

/// The pages of all books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    #[expect(clippy::vec_box, reason = "a page is 1.5 KB: growing the list must not copy the books")]
    pages: Vec<Box<Page>>,
    free: Vec<u32>,
}

impl Pages {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let page = u32::try_from(self.pages.len())
                .expect("a page holds an order, and orders are counted in u32");
            self.pages.push(Box::new(Page([Level::EMPTY; PAGE as usize])));
            page
        })
    }
}

/// One side of one outcome.
#[derive(Clone, Debug)]
pub(crate) struct BookSide {
    side: Side,
    best: Option<Tick>,
    /// Page numbers by `tick / 64`; empty until the first order.
    pages: Box<[u32]>,
    /// A bit per level, by `tick / 64`.
    levels: Box<[u64]>,
    /// A bit per page that holds orders, by `tick / 4096`.
    summary: Box<[u64]>,
}

fn split(tick: Tick) -> (usize, u32) {
    ((tick.0 / PAGE) as usize, tick.0 % PAGE)
}

fn tick_of(page: usize, bit: u32) -> Tick {
    Tick(u32::try_from(page).unwrap_or(u32::MAX) * PAGE + bit)
}

/// The bits above `bit`, or below it, without it.
fn beyond(bit: u32, upwards: bool) -> u64 {
    if upwards { !0 << bit << 1 } else { !(!0 << bit) }
}

/// The nearest set bit when going that way.
fn nearest(bits: u64, upwards: bool) -> Option<u32> {
    (bits != 0).then(|| if upwards { bits.trailing_zeros() } else { 63 - bits.leading_zeros() })
}

impl BookSide {
    pub(crate) fn new(side: Side) -> Self {
        Self { side, best: None, pages: Box::default(), levels: Box::default(), summary: Box::default() }
    }

    /// The price that a taker meets first: the lowest odds of resting BACKs, the highest of LAYs.
    pub(crate) fn best(&self) -> Option<Tick> {
        self.best
    }

    /// Ticks get worse for the taker upwards on the BACK side, downwards on the LAY side.
    pub(crate) fn worse_is_up(&self) -> bool {
        self.side == Side::Yes
    }

    /// The next price that a taker meets after this one.
    pub(crate) fn worse_than(&self, tick: Tick) -> Option<Tick> {
        let upwards = self.worse_is_up();
        let (page, bit) = split(tick);
        if let Some(bit) = nearest(self.levels.get(page)? & beyond(bit, upwards), upwards) {
            return Some(tick_of(page, bit));
        }
        let (word, bit) = (page / 64, u32::try_from(page % 64).unwrap_or(0));
        let mut bits = self.summary[word] & beyond(bit, upwards);
        let mut word = word;
        while bits == 0 {
            word = if upwards { word + 1 } else { word.checked_sub(1)? };
            bits = *self.summary.get(word)?;
        }
        let page = word * 64 + nearest(bits, upwards)? as usize;
        nearest(self.levels[page], upwards).map(|bit| tick_of(page, bit))
    }

    /// The level at a tick, if there are orders.
    pub(crate) fn level<'a>(&self, pages: &'a Pages, tick: Tick) -> Option<&'a Level> {
        let (page, bit) = split(tick);
        let taken = self.levels.get(page)? & (1 << bit) != 0;
        taken.then(|| &pages.pages[self.pages[page] as usize].0[bit as usize])
    }

    fn level_mut<'a>(&self, pages: &'a mut Pages, tick: Tick) -> &'a mut Level {
        let (page, bit) = split(tick);
        &mut pages.pages[self.pages[page] as usize].0[bit as usize]
    }

    pub(super) fn push_back(
        &mut self,
        ladder: Ladder,
        pages: &mut Pages,
        orders: &mut Orders,
        slot: OrderSlot,
    ) {
        let tick = orders[slot].tick;
        self.occupy(ladder, pages, tick);
        let level = self.level_mut(pages, tick);
        let last = std::mem::replace(&mut level.tail, slot);
        if let Some(last) = last.some() {
            orders.set_next(last, slot);
        } else {
            level.head = slot;
        }
        orders.set_previous(slot, last);
        orders.set_next(slot, OrderSlot::NONE);
        level.count += 1;
        level.total = level
            .total
            .checked_add(ladder.whole(orders[slot].left))
            .expect("decide refuses what would overflow a level");
    }

    pub(super) fn reduce(&mut self, pages: &mut Pages, tick: Tick, quantity: i64) {
        self.level_mut(pages, tick).total -= quantity;
    }

    pub(super) fn unlink(&mut self, pages: &mut Pages, orders: &mut Orders, slot: OrderSlot) {
        let (tick, (previous, next)) = (orders[slot].tick, orders.neighbours(slot));
        let level = self.level_mut(pages, tick);
        match previous.some() {
            Some(previous) => orders.set_next(previous, next),
            None => level.head = next,
        }
        match next.some() {
            Some(next) => orders.set_previous(next, previous),
            None => level.tail = previous,
        }
        level.count -= 1;
        if level.count == 0 {
            self.vacate(pages, tick);
        }
    }

    fn occupy(&mut self, ladder: Ladder, pages: &mut Pages, tick: Tick) {
        if self.pages.is_empty() {
            let count = ladder.len().div_ceil(PAGE) as usize;
            self.pages = vec![NO_PAGE; count].into();
            self.levels = vec![0; count].into();
            self.summary = vec![0; count.div_ceil(64)].into();
        }
        let (page, bit) = split(tick);
        if self.levels[page] == 0 {
            self.pages[page] = pages.take();
            self.summary[page / 64] |= 1 << (page % 64);
        }
        if self.levels[page] & (1 << bit) == 0 {
            self.levels[page] |= 1 << bit;
            *self.level_mut(pages, tick) = Level::EMPTY;
            let better =
                self.best.is_none_or(|best| if self.worse_is_up() { tick < best } else { tick > best });
            if better {
                self.best = Some(tick);
            }
        }
    }

    fn vacate(&mut self, pages: &mut Pages, tick: Tick) {
        if self.best == Some(tick) {
            self.best = self.worse_than(tick);
        }
        let (page, bit) = split(tick);
        self.levels[page] &= !(1 << bit);
        if self.levels[page] == 0 {
            self.summary[page / 64] &= !(1 << (page % 64));
            pages.free.push(std::mem::replace(&mut self.pages[page], NO_PAGE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Ticks come and go in a scrambled order; the walk from the best must list them as a sorted set does.
    #[test]
    fn the_walk_meets_every_level_in_order() {
        for side in [Side::Yes, Side::No] {
            let (mut book, mut pages, mut set) = (BookSide::new(side), Pages::default(), BTreeSet::new());
            let mut seed: u64 = 1;
            for _ in 0..4_000 {
                seed = (seed * 48_271 + 11) % 99_991;
                let tick = u32::try_from(seed % 99_900).unwrap();
                if set.remove(&Tick(tick % 997)) {
                    book.vacate(&mut pages, Tick(tick % 997));
                } else {
                    set.insert(Tick(tick % 997));
                    book.occupy(Ladder::Finest, &mut pages, Tick(tick % 997));
                }
                if set.insert(Tick(tick)) {
                    book.occupy(Ladder::Finest, &mut pages, Tick(tick));
                }
                let ends = if side == Side::Yes { set.first() } else { set.last() };
                assert_eq!(book.best(), ends.copied());
            }
            let mut walk: Vec<_> =
                std::iter::successors(book.best(), |tick| book.worse_than(*tick)).collect();
            if side == Side::No {
                walk.reverse();
            }
            assert_eq!(walk, set.into_iter().collect::<Vec<_>>());
        }
    }
}
