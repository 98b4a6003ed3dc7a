//! What one command can cost at most: books made to keep the search for sets busy, and one order that is
//! refused after it, so that anybody could send it again and again for nothing.

use std::time::Instant;

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderRef};
use betex_core::decide::{Receipt, decide};
use betex_core::event::Event;
use betex_core::ladder::Ladder;
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, SelfTradePrevention, Side,
    TimeInForce,
};

use crate::report::Figures;

const MARKET: MarketId = MarketId(1);
const PENNY: i64 = 100;
/// How often each command is timed. The least counts: the others were disturbed.
const RUNS: usize = 9;

/// A book that somebody has prepared, and the order that is costly in it.
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
        let mut trap = Self { state: State::new(), events: Vec::with_capacity(8_192), scattered: scattered > 0 };
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
    fn rest(&mut self, count: u64, account: u64, outcome: u64, side: Side, price: u32, quantity: i64) -> OrderId {
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

    /// The least time of some, in microseconds, that an order takes which is filled as a whole or refused.
    fn spring(&mut self, side: Side, price: u32, self_trade: SelfTradePrevention) -> f64 {
        let fok = TimeInForce::Fok { min_fill: Quantity::ZERO };
        let order = NewOrder::limit(RunnerId(1), side, Price(price), Quantity::MAX).lasting(fok);
        let kind = CommandKind::SubmitOrder(NewOrder { self_trade, ..order }.by(AccountId(2)));
        let time = |_| {
            let start = Instant::now();
            let decided = decide(&self.state, MARKET, &kind, 1, &mut self.events);
            let elapsed = start.elapsed();
            assert!(decided.is_err(), "it is refused");
            elapsed.as_secs_f64() * 1e6
        };
        (0..RUNS).map(time).fold(f64::INFINITY, f64::min)
    }
}

/// A trap by name.
pub fn measure() -> Vec<Figures> {
    let traps: [(&str, fn() -> f64); 9] = [
        ("256 runners, walls of pennies", || walls(256, 3, true)),
        ("64 runners, walls of pennies", || walls(64, 40, true)),
        ("3 runners, walls of pennies", || walls(3, 40_000, true)),
        ("2 runners, a wall of pennies at one price", || walls(2, 131_072, true)),
        ("2 runners, a wall of pennies in a row of memory", || walls(2, 131_072, false)),
        ("2 runners, a penny at each of 99,000 prices", penny_at_each_price),
        ("256 runners, absurd prices", absurd),
        ("20 runners, 4,000 prices to beat", prices_to_beat),
        ("2 runners, own orders between pennies", own_orders),
    ];
    traps.map(|(name, trap)| Figures::new(format!("dearest: {name}")).with("us", trap())).into()
}

/// Odds at which a penny rounds too badly in a field of so many.
fn bad_odds(runners: u64) -> u32 {
    let odds = u32::try_from(runners).unwrap_or(2) * 10_000;
    if runners == 2 { 10_300 } else { odds - 1_300 }
}

/// Pennies on all outcomes but the taker's, of equal bounds.
fn walls(runners: u64, pennies: u64, scattered: bool) -> f64 {
    let slots = if scattered { pennies * (runners - 1) } else { 0 };
    let mut trap = Trap::new(Ladder::Finest, runners, slots);
    for outcome in 1..runners {
        trap.rest(pennies, 1, outcome, Side::Yes, bad_odds(runners), PENNY);
    }
    trap.spring(Side::Yes, 10_100, SelfTradePrevention::Skip)
}

fn penny_at_each_price() -> f64 {
    let mut trap = Trap::new(Ladder::Finest, 2, 99_000);
    for price in 0..99_000 {
        trap.rest(1, 1, 1, Side::No, 10_000_000 - price * 100, PENNY);
    }
    trap.spring(Side::No, 10_000_000, SelfTradePrevention::Skip)
}

/// Every set is at a price too good, until makers at short odds are passed over.
fn absurd() -> f64 {
    let mut trap = Trap::new(Ladder::Finest, 256, 255 * 600);
    for outcome in 1..256 {
        for price in 0..600 {
            trap.rest(1, 1, outcome, Side::Yes, 10_100 + price * 100, PENNY * (1 + i64::from(price % 7)));
        }
    }
    trap.spring(Side::Yes, 10_100, SelfTradePrevention::Skip)
}

/// Whoever was passed over is looked at again at each price.
fn prices_to_beat() -> f64 {
    let mut trap = Trap::new(Ladder::Finest, 20, 10_000);
    for outcome in 1..20 {
        trap.rest(100, 1, outcome, Side::Yes, bad_odds(20), PENNY);
    }
    for price in 0..4_000 {
        trap.rest(1, 3, 0, Side::No, 10_100 + price * 100, PENNY);
    }
    trap.spring(Side::Yes, 10_100, SelfTradePrevention::Skip)
}

fn own_orders() -> f64 {
    let mut trap = Trap::new(Ladder::Finest, 2, 20_000);
    for _ in 0..4_000 {
        trap.rest(2, 1, 1, Side::Yes, bad_odds(2), PENNY);
        trap.rest(1, 2, 1, Side::Yes, bad_odds(2), PENNY);
    }
    for price in 0..4_000 {
        trap.rest(1, 3, 0, Side::No, 10_100 + price * 100, PENNY);
    }
    trap.spring(Side::Yes, 10_100, SelfTradePrevention::Skip)
}
