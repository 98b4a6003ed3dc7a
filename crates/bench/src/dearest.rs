//! What one command can cost at most: books made to keep the search for sets busy, and one FOK order that is
//! refused, so that a client could send it again and again for nothing.

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderRef};
use betex_core::decide::{Receipt, decide};
use betex_core::event::Event;
use betex_core::ladder::Ladder;
use betex_core::limits::MAKERS_LOOKED_AT_MAX;
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, Side, TimeInForce,
};

use crate::report::Figures;

const MARKET: MarketId = MarketId(1);
const PENNY: i64 = 100;
/// How often each command is timed. The least counts: the others were disturbed.
const RUNS: usize = 9;

/// A book that makes one order costly.
struct Trap {
    state: State,
    events: Vec<Event>,
    /// Slots of orders are given out again in this order, which no cache can foresee.
    scattered: bool,
}

impl Trap {
    fn new(ladder: Ladder, outcomes: u64, scattered: u64) -> Self {
        let names = (0..outcomes).map(|name| name.to_string());
        let market = NewMarket { state: BookMarketState::Open, ladder, ..NewMarket::new("", names) };
        let mut trap =
            Self { state: State::new(), events: Vec::with_capacity(8_192), scattered: scattered > 0 };
        trap.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market)));
        if trap.scattered {
            trap.scatter(scattered);
        }
        trap
    }

    /// Takes so many slots and gives them back in a random order.
    fn scatter(&mut self, slots: u64) {
        let mut ids: Vec<_> = (0..slots).map(|_| self.rest(1, 1, 0, Side::Yes, 10_000_000, PENNY)).collect();
        let mut chance = 0x9E37_79B9_7F4A_7C15_u64;
        for place in (1..ids.len()).rev() {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            ids.swap(place, usize::try_from(chance % (place as u64 + 1)).unwrap_or(0));
        }
        for id in ids {
            let (order, account_id, keep) = (OrderRef::Id(id), AccountId::NONE, Quantity::ZERO);
            self.run(MARKET, &CommandKind::CancelOrder { order, account_id, keep });
        }
    }

    fn run(&mut self, market: MarketId, kind: &CommandKind) -> Receipt {
        let receipt = decide(&self.state, market, kind, 1, &mut self.events).expect("it is taken");
        self.state.apply_next(receipt.market_id(market), 1, &self.events);
        receipt
    }

    /// Orders that rest: they are post-only. Answers with the last one's id.
    fn rest(
        &mut self,
        count: u64,
        account: u64,
        outcome: u64,
        side: Side,
        price: u32,
        quantity: i64,
    ) -> OrderId {
        let mut last = OrderId::NONE;
        for _ in 0..count {
            let order = NewOrder::limit(RunnerId(outcome + 1), side, Price(price), Quantity(quantity));
            let order = NewOrder { post_only: true, ..order }.by(AccountId(account));
            if let Receipt::Order { report, .. } = self.run(MARKET, &CommandKind::SubmitOrder(order)) {
                last = report.order_id;
            }
        }
        last
    }

    /// The least CPU time of some, in microseconds, that an order takes which is filled as a whole or refused.
    fn spring(&mut self, side: Side) -> f64 {
        let fok = TimeInForce::Fok { min_fill: Quantity::ZERO };
        let worst = Ladder::Finest.worst(side);
        let order = NewOrder::limit(RunnerId(1), side, worst, Quantity::MAX).lasting(fok).by(AccountId(2));
        let kind = CommandKind::SubmitOrder(order);
        let mut time = || {
            let before = cpu_time();
            let decided = decide(&self.state, MARKET, &kind, 1, &mut self.events);
            let time = cpu_time() - before;
            assert!(decided.is_err(), "it is refused");
            time
        };
        (0..RUNS).map(|_| time()).fold(f64::INFINITY, f64::min)
    }
}

/// What this thread has had of a processor, in microseconds.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn cpu_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// A trap, and the side of the order that springs it.
type Baited = (Trap, Side);
type Bait = fn() -> Baited;

/// What the dearest commands cost that we know of.
pub fn measure() -> impl Iterator<Item = Figures> {
    let traps: [(&str, Bait); 18] = [
        ("2 runners, pennies laid at 1000", laid_at_1000),
        ("2 runners, pennies laid at 89,000 prices", || laid_at_each_price(2)),
        ("3 runners, pennies laid at 66,000 prices", || laid_at_each_price(3)),
        ("3 runners, pennies backed at 66,000 prices", || backed_at_each_price(3, &[10_900])),
        ("4 runners, pennies backed at 44,000 prices", || backed_at_each_price(4, &[15_400, 2_865_700])),
        ("9 runners, pennies backed at 16,000 prices", || {
            backed_at_each_price(9, &[6_772_000, 2_296_000, 16_000, 2_168_000, 13_000, 6_822_000, 6_906_000])
        }),
        ("3 runners, absurd pennies", || wall(3, &[10_100])),
        ("3 runners, pennies that round badly", || wall(3, &[14_700, 41_000])),
        ("4 runners, pennies that round badly", || wall(4, &[14_700, 81_000, 82_000])),
        ("9 runners, absurd pennies", || wall(9, &[10_100])),
        ("9 runners, pennies that round badly", || wall(9, &[89_100, 95_200, 93_300])),
        ("64 runners, pennies that round badly", || wall(64, &[650_000, 660_000, 670_100])),
        ("256 runners, absurd pennies", || wall(256, &[10_100])),
        ("256 runners, pennies that round badly", || wall(256, &[2_570_000, 2_580_000, 2_590_100])),
        ("20 runners, 4,000 prices to beat", prices_to_beat),
        ("3 runners, 16 pennies and 4,096 prices to beat", pennies_again_and_again),
        ("3 runners, own orders between pennies", own_orders),
        ("3 runners, 4,096 fills by sets", || backed(3, 2_100, &[30_500])),
    ];
    traps.into_iter().map(|(name, trap)| {
        let (mut trap, side) = trap();
        Figures::new(format!("dearest: {name}")).with("cpu_us", trap.spring(side))
    })
}

/// Pennies at a price too good for a layer on the other outcome, so that all of them are passed over.
fn laid_at_1000() -> Baited {
    let mut trap = Trap::new(Ladder::Finest, 2, 140_000);
    trap.rest(140_000, 1, 1, Side::No, 10_000_000, PENNY);
    (trap, Side::No)
}

fn laid_at_each_price(runners: u64) -> Baited {
    let mut trap = Trap::new(Ladder::Finest, runners, 90_000);
    for outcome in 2..runners {
        trap.rest(1, 1, outcome, Side::No, 10_000_000, Quantity::MAX.0);
    }
    for price in 0..89_000 {
        trap.rest(1, 1, 1, Side::No, 10_000_000 - price * 100, PENNY);
    }
    (trap, Side::No)
}

/// A wall of a penny at each price, beside orders at odds at which their sets round badly.
fn backed_at_each_price(runners: u64, odds: &[u32]) -> Baited {
    let prices = 131_072 / (u32::try_from(runners).unwrap_or(2) - 1) + 1;
    let mut trap = Trap::new(Ladder::Finest, runners, u64::from(prices) + runners);
    for (outcome, odds) in (2..runners).zip(odds.iter().cycle()) {
        trap.rest(1, 1, outcome, Side::Yes, *odds, Quantity::MAX.0);
    }
    for price in 0..prices {
        trap.rest(1, 1, 1, Side::Yes, 13_100 + price * 100, PENNY);
    }
    (trap, Side::Yes)
}

/// A penny on each outcome but the taker's, at these odds in turn, and on one of them a wall of more pennies
/// than a command may look at.
fn wall(runners: u64, odds: &[u32]) -> Baited {
    let pennies = u64::from(MAKERS_LOOKED_AT_MAX) / (runners - 1) + 1;
    let mut trap = Trap::new(Ladder::Finest, runners, pennies + runners);
    trap.rest(pennies, 1, 1, Side::Yes, odds[0], PENNY);
    for (outcome, odds) in (1..runners).zip(odds.iter().cycle()).skip(1) {
        trap.rest(1, 1, outcome, Side::Yes, *odds, PENNY);
    }
    (trap, Side::Yes)
}

/// Pennies on all outcomes but the taker's, so many on each, at these odds in turn.
fn backed(runners: u64, pennies: u64, odds: &[u32]) -> Baited {
    let mut trap = Trap::new(Ladder::Finest, runners, pennies * (runners - 1));
    for _ in 0..pennies {
        for (outcome, odds) in (1..runners).zip(odds.iter().cycle()) {
            trap.rest(1, 1, outcome, Side::Yes, *odds, PENNY);
        }
    }
    (trap, Side::Yes)
}

/// Makers that were passed over are looked at again at each price to beat.
fn prices_to_beat() -> Baited {
    let (mut trap, side) = backed(20, 100, &[10_100]);
    for price in 0..4_000 {
        trap.rest(1, 3, 0, Side::No, 10_100 + price * 100, PENNY);
    }
    (trap, side)
}

/// A few pennies, each at a price of its own, are looked at again at each price to beat.
fn pennies_again_and_again() -> Baited {
    let mut trap = Trap::new(Ladder::Finest, 3, 0);
    trap.rest(1, 1, 1, Side::Yes, 10_400, PENNY * 10_000);
    for place in 0..16 {
        trap.rest(1, 1, 2, Side::Yes, 307_100 + place * 2_100, PENNY);
    }
    for place in 0..4_096 {
        trap.rest(1, 3, 0, Side::No, 10_100 + place * 100, PENNY);
    }
    (trap, Side::Yes)
}

/// The taker's own orders stand between those that are passed over at each price to beat.
fn own_orders() -> Baited {
    let mut trap = Trap::new(Ladder::Finest, 3, 20_000);
    trap.rest(1, 1, 2, Side::Yes, 41_000, PENNY * 10_000);
    for _ in 0..4_000 {
        trap.rest(2, 1, 1, Side::Yes, 14_700, PENNY);
        trap.rest(1, 2, 1, Side::Yes, 14_700, PENNY);
    }
    for price in 0..4_000 {
        trap.rest(1, 3, 0, Side::No, 10_100 + price * 100, PENNY);
    }
    (trap, Side::Yes)
}
