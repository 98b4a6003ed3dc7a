//! The one deterministic flow of orders that every figure is measured with (docs/benchmarks.md).

use betex_core::command::{Command, CommandKind, MarketConfig, NewOrder, OrderRef};
use betex_core::event::Event;
use betex_core::ladder::{Ladder, Tick};
use betex_core::types::{
    AccountId, BookMarketState, MarketId, MarketKind, MarketPhase, OrderId, Quantity, RunnerId, Side,
    TimeInForce,
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

/// The flow: asks for the next command, and is told what came of it.
pub struct Flow {
    generator: Generator,
    markets: u64,
    operations: u64,
    /// Live orders and their markets, in the order of their arrival but for swap-removals.
    live: Vec<(OrderId, MarketId)>,
    /// Where an order is in `live`, by its id.
    places: Vec<u32>,
    /// Maker legs so far.
    pub fills: u64,
}

const GONE: u32 = u32::MAX;
const MIDDLE: i64 = 175;

impl Flow {
    /// The flow over so many markets in turn, numbered from 1, each with the outcomes 1 and 2; all
    /// orders are for outcome 1.
    pub fn new(markets: u64) -> Self {
        Self {
            generator: Generator(0x9E37_79B9_7F4A_7C15),
            markets,
            operations: 0,
            live: Vec::new(),
            places: vec![GONE],
            fills: 0,
        }
    }

    /// The markets that the flow needs, open.
    pub fn markets(&self) -> Vec<MarketConfig> {
        (1..=self.markets)
            .map(|id| MarketConfig::TwoRunner {
                market_id: MarketId(id),
                name: format!("flow {id}"),
                runner_a: RunnerId(1),
                runner_b: RunnerId(2),
                market_kind: MarketKind::PreEventOnly,
                market_state: BookMarketState::Open,
                market_phase: MarketPhase::Pre,
            })
            .collect()
    }

    /// How many orders are live.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// The next command.
    pub fn next_command(&mut self) -> Command {
        let k = self.generator.below(100);
        let buy = self.generator.below(2) == 0;
        let off = i64::try_from(1 + self.generator.below(20)).unwrap_or(1);
        let cross = (60..85).contains(&k);
        let quantity = 1 + self.generator.below(if cross { 175 } else { 100 });
        let pick = self.generator.next() >> 16;
        let market = MarketId(1 + self.operations % self.markets);
        self.operations += 1;
        if k >= 85 && !self.live.is_empty() {
            let place = usize::try_from(pick % self.live.len() as u64).unwrap_or(0);
            let (id, market) = self.live[place];
            let (order, account_id, keep) = (OrderRef::Id(id), AccountId::NONE, Quantity::ZERO);
            return Command::new(market, CommandKind::CancelOrder { order, account_id, keep });
        }
        // A buy lays at odds below the middle; crossing, it takes up to 20 ticks above.
        let offset = match (cross, buy) {
            (false, true) => -off,
            (false, false) => off,
            (true, true) => 20,
            (true, false) => -20,
        };
        let tick = Tick(u32::try_from(MIDDLE + offset).unwrap_or(0));
        let side = if buy { Side::No } else { Side::Yes };
        let time_in_force = if cross { TimeInForce::Ioc } else { TimeInForce::Gtc };
        let quantity = Quantity(i64::try_from(quantity).unwrap_or(1) * 100);
        let order = NewOrder::limit(RunnerId(1), side, Ladder::Classic.price(tick), quantity)
            .by(AccountId(if buy { 1 } else { 2 }))
            .lasting(time_in_force);
        Command::new(market, CommandKind::SubmitOrder(order))
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
