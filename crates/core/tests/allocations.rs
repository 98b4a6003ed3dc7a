//! The hot path allocates nothing once it is warm. A binary of its own, since it counts every
//! allocation of its thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderPrice, OrderRef};
use betex_core::decide::{Receipt, decide, decide_work};
use betex_core::event::Event;
use betex_core::ladder::{Ladder, Tick};
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, Side, TimeInForce,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has nothing to tell.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

#[expect(unsafe_code, reason = "there is no safe way to see what is allocated; all is passed on as it came")]
// SAFETY: every call goes to the system's allocator with its arguments unchanged; counting touches a
// number that needs neither memory nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Commands without end, always the same ones: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What one thread needs to trade: the state and one list of events for all commands.
struct Desk {
    state: State,
    events: Vec<Event>,
    now_ns: u64,
    last_order_id: u64,
    trades: u64,
    sets: u64,
    expired: u64,
    cancelled: u64,
    refused: u64,
}

impl Desk {
    fn run(&mut self, market: MarketId, kind: &CommandKind) {
        self.now_ns += 100_000;
        while let Some(work) = self.state.next_work(self.now_ns) {
            let market = decide_work(&self.state, work, &mut self.events);
            self.expired += 1;
            self.apply(market);
        }
        match decide(&self.state, market, kind, self.now_ns, &mut self.events) {
            Ok(receipt) => {
                match receipt {
                    Receipt::Order { report, .. } => self.last_order_id = report.order_id.0,
                    Receipt::Cancelled { .. } => self.cancelled += 1,
                    _ => (),
                }
                if !self.events.is_empty() {
                    self.apply(receipt.market_id(market));
                }
            }
            Err(_) => self.refused += 1,
        }
    }

    fn apply(&mut self, market: MarketId) {
        let trades = self.events.iter().filter(|event| matches!(event, Event::TradeMatched(_)));
        self.trades += trades.count() as u64;
        let sets = self.events.iter().filter(|event| matches!(event, Event::SetMatched(_)));
        self.sets += sets.count() as u64;
        self.state.apply_next(market, self.now_ns, &self.events);
    }

    /// Fills the books beyond what trading will need and empties them again: 4,000 orders, far enough
    /// apart not to meet.
    fn warm_up(&mut self) {
        for n in 0..4_000 {
            let (market, ladder) = [(MarketId(1), Ladder::Classic), (MarketId(2), Ladder::Finest)][n % 2];
            let runner = RunnerId(n as u64 % 3 + 1);
            let (side, half) = if n % 4 < 2 { (Side::Yes, ladder.len() / 2) } else { (Side::No, 0) };
            let tick = Tick(half + u32::try_from(n * 997).expect("small") % (ladder.len() / 2));
            let order = NewOrder::limit(runner, side, ladder.price(tick), Quantity(300));
            let order = order.lasting(TimeInForce::Gtd { expiry_ms: 10_000 + n as u64 });
            self.run(market, &CommandKind::SubmitOrder(order));
        }
        assert_eq!(self.state.resting_orders(), 4_000);
        for id in 1..=4_000 {
            self.cancel(id, Quantity::ZERO);
        }
        assert_eq!((self.state.resting_orders(), self.cancelled), (0, 4_000));
        // What is known of orders on quarter lines lies in a table of its own.
        let first = self.last_order_id;
        for _ in 0..1_000 {
            let quarter = NewOrder::limit(RunnerId(1), Side::Yes, Price(20_000), Quantity(300));
            let quarter = NewOrder { far_runner_id: RunnerId(2), ..quarter };
            self.run(MarketId(5), &CommandKind::SubmitOrder(quarter));
        }
        for id in (first + 1..=self.last_order_id + 2).step_by(3) {
            let (order, account_id) = (OrderRef::Id(OrderId(id)), AccountId::NONE);
            let cancel = CommandKind::CancelOrder { order, account_id, keep: Quantity::ZERO };
            self.run(MarketId(5), &cancel);
        }
        assert_eq!(self.state.resting_orders(), 0);
    }

    /// Places, matches, reduces, cancels and lets expire: around a moving price on both ladders, and where
    /// orders make sets.
    fn trade(&mut self, dice: &mut Dice, commands: u64) {
        for n in 0..commands {
            // Nothing stays for ever, so that the book has a size to be warm at.
            self.cancel(self.last_order_id.saturating_sub(1_500), Quantity::ZERO);
            let market = MarketId(dice.roll(5) + 1);
            if dice.roll(10) < 4 {
                // One of the last thousand, which may well be gone.
                let id = self.last_order_id.saturating_sub(dice.roll(1_000));
                self.cancel(id, Quantity(if dice.roll(3) == 0 { 200 } else { 0 }));
            } else {
                let order = self.order(dice, market, n);
                self.run(market, &CommandKind::SubmitOrder(order));
            }
        }
    }

    fn cancel(&mut self, id: u64, keep: Quantity) {
        let market = self.state.order(OrderId(id)).map_or(MarketId(1), |order| order.market_id);
        let (order, account_id) = (OrderRef::Id(OrderId(id)), AccountId::NONE);
        self.run(market, &CommandKind::CancelOrder { order, account_id, keep });
    }

    fn order(&self, dice: &mut Dice, market: MarketId, n: u64) -> NewOrder {
        let ladder = LADDERS[usize::try_from(market.0 - 1).expect("few")];
        let (middle, spread) = match market.0 {
            // The price wanders over the whole ladder, so that levels and their pages come and go.
            1 | 2 => (n * 7 % (u64::from(ladder.len()) - 60), 60),
            // About a third for each of three.
            3 => (140, 20),
            4 => (630, 70),
            _ => (90, 20),
        };
        let tick = Tick(u32::try_from(middle + dice.roll(spread)).expect("a tick"));
        let price = ladder.price(tick);
        let side = if dice.roll(2) == 0 { Side::Yes } else { Side::No };
        let quantity = Quantity(i64::try_from(dice.roll(50) + 3).expect("small") * 100);
        let runner = dice.roll(3) + 1;
        // The last market is of lines, and every second order there for a quarter line.
        let (runner, far) =
            if market.0 == 5 && dice.roll(2) == 0 { (1, RunnerId(2)) } else { (runner, RunnerId::NONE) };
        let order = NewOrder::limit(RunnerId(runner), side, price, quantity);
        let order = NewOrder { far_runner_id: far, ..order.by(AccountId(dice.roll(20))) };
        match dice.roll(10) {
            0 => order.lasting(TimeInForce::Ioc),
            1 => NewOrder { price: OrderPrice::Market { worst: None }, ..order },
            2..6 => {
                let expiry_ms = self.now_ns / 1_000_000 + 1 + dice.roll(500);
                order.lasting(TimeInForce::Gtd { expiry_ms })
            }
            6 if dice.roll(5) == 0 => NewOrder { price: OrderPrice::Limit(Price(3)), ..order },
            _ => order,
        }
    }
}

const LADDERS: [Ladder; 5] = [
    Ladder::Classic,
    Ladder::Finest,
    Ladder::Classic,
    Ladder::Binary { max_price_ticks: 1_000 },
    Ladder::Classic,
];

#[test]
fn a_warm_book_allocates_nothing() {
    let mut desk = Desk {
        state: State::new(),
        events: Vec::new(),
        now_ns: 0,
        last_order_id: 0,
        trades: 0,
        sets: 0,
        expired: 0,
        cancelled: 0,
        refused: 0,
    };
    for (ladder, synthetic) in LADDERS.into_iter().zip([false, false, true, true, true]) {
        let state = BookMarketState::Open;
        let lines = desk.state.market(MarketId(4)).is_some();
        let outcomes = if lines { ["Home_0.0", "Home_-0.5", "Away_+0.5"] } else { ["Home", "Draw", "Away"] };
        let market = NewMarket { ladder, synthetic, state, ..NewMarket::new("", outcomes) };
        desk.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market)));
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let before = ALLOCATIONS.get();
    desk.warm_up();
    desk.trade(&mut dice, 100_000);
    assert!(ALLOCATIONS.get() > before, "the count counts: a cold book grows");

    let (trades, sets, expired) = (desk.trades, desk.sets, desk.expired);
    let (cancelled, refused) = (desk.cancelled, desk.refused);
    let before = ALLOCATIONS.get();
    desk.trade(&mut dice, 200_000);
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(allocations, 0, "in 200,000 commands over {} resting orders", desk.state.resting_orders());
    for (what, count) in [
        ("trades", desk.trades - trades),
        ("sets", desk.sets - sets),
        ("expired", desk.expired - expired),
        ("cancelled", desk.cancelled - cancelled),
        ("refused", desk.refused - refused),
    ] {
        assert!(count > 5_000, "only {count} {what}: this would prove little");
    }
}
