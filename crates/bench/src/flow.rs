//! The one deterministic flow of orders that every figure is measured with (docs/benchmarks.md).

use betex_core::command::{Command, CommandKind, NewMarket, NewOrder, OrderRef};
use betex_core::event::Event;
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, Price, Quantity, RunnerId, Side, TimeInForce,
};

/// xorshift64* with the shifts and the seed of the flow.
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        ((self.next() >> 32) * n) >> 32
    }
}

/// What the markets of a flow are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many markets in turn with two outcomes at odds, of which only the first is traded.
    Direct(u64),
    /// One market with so many outcomes at odds, all of them traded, with sets.
    Sets(u64),
    /// One YES/NO market of 10 000 ticks.
    Binary,
}

/// The flow: asks for the next command, and is told what came of it.
pub struct Flow {
    generator: Generator,
    shape: Shape,
    operations: u64,
    /// Live orders and their markets, in the order of their arrival but for swap-removals.
    live: Vec<(OrderId, MarketId)>,
    /// Where an order is in `live`, by its id.
    places: Vec<u32>,
    /// Maker legs so far.
    pub fills: u64,
    /// Complete sets so far.
    pub sets: u64,
}

const GONE: u32 = u32::MAX;

impl Flow {
    /// The flow from its beginning.
    pub fn new(shape: Shape) -> Self {
        Self {
            generator: Generator(0x9E37_79B9_7F4A_7C15),
            shape,
            operations: 0,
            live: Vec::new(),
            places: vec![GONE],
            fills: 0,
            sets: 0,
        }
    }

    /// The commands that create the markets that the flow needs, open.
    pub fn markets(&self) -> Vec<Command> {
        let odds = |outcomes| NewMarket::new("", (1..=outcomes).map(|outcome| outcome.to_string()));
        let (count, market) = match self.shape {
            Shape::Direct(markets) => (markets, odds(2)),
            Shape::Sets(outcomes) => (1, odds(outcomes)),
            Shape::Binary => (1, NewMarket::binary("", 10_000, ["YES"])),
        };
        let market = NewMarket { state: BookMarketState::Open, ..market };
        let create = |id| Command::new(MarketId(id), CommandKind::CreateMarket(Box::new(market.clone())));
        (1..=count).map(create).collect()
    }

    /// How many orders are live.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// The next command.
    pub fn next_command(&mut self) -> Command {
        let k = self.generator.below(100);
        let buy = self.generator.below(2) == 0;
        let off = 1 + self.generator.below(20);
        let cross = (60..85).contains(&k);
        let (outcome, off) = match self.shape {
            Shape::Sets(outcomes) => (self.generator.below(outcomes), off.div_ceil(4)),
            Shape::Direct(_) | Shape::Binary => (0, off),
        };
        let quantity = 1 + self.generator.below(if cross { 175 } else { 100 });
        let pick = self.generator.next() >> 16;
        let market = match self.shape {
            Shape::Direct(markets) => MarketId(1 + self.operations % markets),
            Shape::Sets(_) | Shape::Binary => MarketId(1),
        };
        self.operations += 1;
        if k >= 85 && !self.live.is_empty() {
            let place = usize::try_from(pick % self.live.len() as u64).unwrap_or(0);
            let (id, market) = self.live[place];
            let (order, account_id, keep) = (OrderRef::Id(id), AccountId::NONE, Quantity::ZERO);
            return Command::new(market, CommandKind::CancelOrder { order, account_id, keep });
        }
        // A buy rests below the middle; crossing, it takes up to 20 ticks above.
        let off = i64::try_from(off).unwrap_or(1);
        let offset = match (cross, buy) {
            (false, true) => -off,
            (false, false) => off,
            (true, true) => 20,
            (true, false) => -20,
        };
        let (side, price, unit) = self.terms(buy, offset);
        let account = match self.shape {
            Shape::Direct(_) | Shape::Binary => {
                if buy {
                    1
                } else {
                    2
                }
            }
            // Sets are made of orders of one side, so everybody is somebody else.
            Shape::Sets(_) => self.operations,
        };
        let quantity = Quantity(i64::try_from(quantity).unwrap_or(1) * unit);
        let order = NewOrder::limit(RunnerId(outcome + 1), side, price, quantity)
            .by(AccountId(account))
            .lasting(if cross { TimeInForce::Ioc } else { TimeInForce::Gtc });
        Command::new(market, CommandKind::SubmitOrder(order))
    }

    /// Side, price and unit of quantity of a buy or sell so many ticks above the middle. On the odds
    /// ladder a buy lays.
    fn terms(&self, buy: bool, offset: i64) -> (Side, Price, i64) {
        let at = |middle: i64| u32::try_from(middle + offset).unwrap_or(0);
        let side = if buy { Side::Yes } else { Side::No };
        match self.shape {
            Shape::Direct(_) => (side.opposite(), Ladder::Classic.price(Tick(at(175))), 100),
            Shape::Sets(outcomes) => {
                (side.opposite(), Ladder::Classic.price(Tick(at(i64::from(middle(outcomes).0)))), 100)
            }
            Shape::Binary => (side, Price(at(5_000)), 1),
        }
    }

    /// Takes note of what a command of the flow did in its market.
    pub fn observe(&mut self, market: MarketId, events: &[Event]) {
        for event in events {
            match event {
                Event::OrderAccepted(order) => {
                    let place = if order.resting > Quantity::ZERO { self.live.len() } else { GONE as usize };
                    self.places.push(u32::try_from(place).unwrap_or(GONE));
                    if order.resting > Quantity::ZERO {
                        self.live.push((order.order_id, market));
                    }
                }
                Event::TradeMatched(trade) => {
                    self.fills += 1;
                    if trade.maker_remaining == Quantity::ZERO {
                        self.remove(trade.maker_order_id);
                    }
                }
                Event::SetMatched(_) => self.sets += 1,
                Event::OrderCancelled(order) if !order.never_rested() => self.remove(order.order_id),
                _ => (),
            }
        }
    }

    fn remove(&mut self, id: OrderId) {
        let index = usize::try_from(id.0).unwrap_or(0);
        let place = self.places[index] as usize;
        self.places[index] = GONE;
        self.live.swap_remove(place);
        if let Some((moved, _)) = self.live.get(place) {
            self.places[usize::try_from(moved.0).unwrap_or(0)] = u32::try_from(place).unwrap_or(GONE);
        }
    }
}

/// The tick nearest to odds of so many outcomes and three tenths; of two the lower.
fn middle(outcomes: u64) -> Tick {
    let odds = u32::try_from(outcomes).unwrap_or(1) * 10_000 + 3_000;
    let distance = |tick: &Tick| Ladder::Classic.price(*tick).0.abs_diff(odds);
    (0..Ladder::Classic.len()).map(Tick).min_by_key(distance).unwrap_or(Tick(0))
}
