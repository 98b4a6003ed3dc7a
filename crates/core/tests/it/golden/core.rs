//! The core plays a scenario.

use std::collections::HashMap;

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderPrice};
use betex_core::decide::Receipt;
use betex_core::event::{Event, OutcomeIndex, SetMatched, TradeMatched};
use betex_core::reject::Rejection;
use betex_core::types::{
    AccountId, BookMarketState, MarketId, OrderId, OrderStatus, Price, Quantity, RunnerId, Side,
};

use super::{BackOrLay, Expected, Leg, Player, Scenario, Submit, Trade, rejected};
use crate::exchange::{Exchange, MARKET};

/// An exchange with the scenario's market.
pub(super) struct Core {
    exchange: Exchange,
    ids: HashMap<String, OrderId>,
    outcomes: u64,
}

impl Core {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut exchange = Exchange { suspicious: true, remade: true, ..Exchange::default() };
        let names = (0..scenario.outcomes).map(|n| n.to_string());
        let market = match scenario.max_price_ticks {
            Some(ticks) => NewMarket::binary("golden", u16::try_from(ticks).expect("at most 10,000"), names),
            None => NewMarket::new("golden", names),
        };
        exchange.create(NewMarket {
            state: BookMarketState::Open,
            synthetic: scenario.synthetic,
            increment: Quantity(scenario.stake_increment),
            ..market
        });
        Self { exchange, ids: HashMap::new(), outcomes: scenario.outcomes }
    }

    fn account(&mut self, name: &str) -> AccountId {
        if name.is_empty() {
            return AccountId::NONE;
        }
        match self.exchange.run(MarketId::NONE, &CommandKind::RegisterAccount { name: name.into() }) {
            Ok((Receipt::Account(account), _)) => account,
            other => panic!("{other:?}"),
        }
    }

    fn set(&self, order: &Submit, set: &SetMatched) -> Trade {
        assert_eq!(u64::from(set.makers), self.outcomes - 1, "a leg on every outcome");
        let taker = Leg {
            order: order.name.clone(),
            outcome: set.outcome.0,
            side: wire(set.side),
            price: set.price.0,
            stake: set.stake.0,
            quantity: set.quantity.0,
            dust: 0,
            payout: set.payout.0,
        };
        Trade { kind: "SYNTHETIC".into(), taker, makers: Vec::new() }
    }

    fn maker(&self, trade: &TradeMatched) -> Leg {
        Leg {
            order: self.name(trade.maker_order_id),
            outcome: trade.outcome.0,
            side: wire(trade.maker_side),
            price: trade.price.0,
            stake: trade.stake.0,
            quantity: trade.quantity.0,
            // Of a maker that is filled the fraction is dust.
            dust: if trade.maker_remaining.0 == 0 { trade.maker_fraction.into() } else { 0 },
            payout: trade.payout.0,
        }
    }

    /// What rests exactly, where that is not whole pennies.
    fn left(&self, id: OrderId) -> i64 {
        let order = self.exchange.state.order(id).filter(|order| order.fraction > 0);
        order.map_or(0, |order| order.remaining.0 + i64::from(order.fraction))
    }

    fn name(&self, id: OrderId) -> String {
        let found = self.ids.iter().find(|(_, known)| **known == id);
        found.map(|(name, _)| name.clone()).unwrap_or_default()
    }
}

impl Player for Core {
    fn submit(&mut self, order: &Submit) -> Expected {
        let (runner, side, quantity) =
            (RunnerId(u64::from(order.outcome) + 1), side(order.side), Quantity(order.stake));
        let mut new = match order.price {
            Some(odds) => NewOrder::limit(runner, side, Price(odds), quantity),
            None => NewOrder::market(runner, side, quantity),
        };
        assert_eq!(matches!(new.price, OrderPrice::Market { .. }), order.kind == "MARKET");
        new.account_id = self.account(&order.account);
        match self.exchange.submit(new) {
            Err(Rejection::SelfTrade) => rejected(order, "SELF_TRADE"),
            Ok((Receipt::Order { report, reason }, events)) => {
                self.ids.insert(order.name.clone(), report.order_id);
                let mut trades: Vec<Trade> = Vec::new();
                for event in &events {
                    match event {
                        Event::SetMatched(set) => trades.push(self.set(order, set)),
                        Event::TradeMatched(trade) if trade.is_synthetic() => {
                            trades.last_mut().expect("its set").makers.push(self.maker(trade));
                        }
                        Event::TradeMatched(trade) => trades.push(direct(order, self.maker(trade))),
                        _ => (),
                    }
                }
                let unmatched = order.stake - trades.iter().map(|trade| trade.taker.stake).sum::<i64>();
                Expected {
                    status: report.status.name().into(),
                    remaining: report.remaining.0,
                    cancelled: report.cancelled().0,
                    left: self.left(report.order_id),
                    dust: if report.status == OrderStatus::Filled { unmatched } else { 0 },
                    reason: reason.map_or("", |reason| reason.name()).into(),
                    trades,
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn cancel(&mut self, name: &str, keep: i64) -> i64 {
        let id = self.ids.get(name).map_or(0, |id| id.0);
        match self.exchange.cancel(id, keep) {
            Ok((Receipt::Cancelled { report, cancelled }, _)) => {
                assert_eq!(report.status == OrderStatus::Cancelled, keep == 0);
                assert!(report.remaining.0 <= keep);
                cancelled.0
            }
            Err(Rejection::OrderNotFound(_)) => 0,
            other => panic!("{other:?}"),
        }
    }

    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)> {
        let market = self.exchange.state.market(MARKET).expect("the market is there");
        let levels = market.levels(OutcomeIndex(outcome), self::side(side));
        levels.map(|level| (level.price.0, level.quantity.0, level.orders)).collect()
    }

    fn virtual_levels(&self, outcome: u16, side: BackOrLay, depth: usize) -> Vec<(u32, i64)> {
        let market = self.exchange.state.market(MARKET).expect("the market is there");
        let levels = market.virtual_levels(OutcomeIndex(outcome), self::side(side), depth).into_iter();
        levels.map(|level| (level.price.0, level.quantity.0)).collect()
    }
}

/// The legs of a direct trade: the taker's is the maker's seen from the other side.
fn direct(taker: &Submit, maker: Leg) -> Trade {
    let taker = Leg { order: taker.name.clone(), side: taker.side, dust: 0, ..maker.clone() };
    Trade { kind: "DIRECT".into(), taker, makers: vec![maker] }
}

const fn side(side: BackOrLay) -> Side {
    match side {
        BackOrLay::Back => Side::Yes,
        BackOrLay::Lay => Side::No,
    }
}

const fn wire(side: Side) -> BackOrLay {
    match side {
        Side::Yes => BackOrLay::Back,
        Side::No => BackOrLay::Lay,
    }
}
