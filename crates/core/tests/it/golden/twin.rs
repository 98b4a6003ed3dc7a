//! The twin plays a scenario.

use betex_naive as naive;

use super::{BackOrLay, Expected, Leg, Player, Scenario, Submit, Trade, rejected};

/// The scenario's market.
pub(super) struct Twin {
    market: naive::Market,
    /// The orders by their number less one.
    names: Vec<String>,
}

impl Twin {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let outcomes = usize::try_from(scenario.outcomes).expect("few");
        let market = match scenario.max_price_ticks {
            Some(max_price_ticks) => naive::Market::binary(outcomes, max_price_ticks),
            None => naive::Market::new(outcomes),
        };
        let (synthetic, increment) = (scenario.synthetic, scenario.stake_increment);
        Self { market: naive::Market { synthetic, increment, ..market }, names: Vec::new() }
    }

    fn name(&self, number: u64) -> String {
        self.names[usize::try_from(number).expect("small") - 1].clone()
    }

    fn trade(&self, taker: &Submit, trade: &naive::Trade) -> Trade {
        let payout = |payout| i64::try_from(payout).expect("small");
        let makers = trade.makers.iter().map(|leg| Leg {
            order: self.name(leg.maker),
            outcome: u16::try_from(leg.outcome).expect("few"),
            side: if leg.side == naive::Side::Back { BackOrLay::Back } else { BackOrLay::Lay },
            price: leg.price,
            stake: leg.stake,
            quantity: leg.quantity,
            dust: if leg.left < self.market.ladder.unit() { leg.left } else { 0 },
            payout: payout(leg.payout),
        });
        Trade {
            kind: if trade.set { "SYNTHETIC" } else { "DIRECT" }.into(),
            taker: Leg {
                order: self.name(trade.taker),
                outcome: taker.outcome,
                side: taker.side,
                price: trade.price,
                stake: trade.stake,
                quantity: trade.quantity,
                dust: 0,
                payout: payout(trade.payout),
            },
            makers: makers.collect(),
        }
    }
}

impl Player for Twin {
    fn submit(&mut self, order: &Submit) -> Expected {
        let account = order.account.bytes().fold(0, |id, byte| id * 256 + u64::from(byte));
        let outcome = usize::from(order.outcome);
        let new = naive::NewOrder {
            price: order.price.map_or(naive::Price::Market(None), naive::Price::Limit),
            ..naive::NewOrder::limit(account, outcome, side(order.side), 0, order.stake)
        };
        let answer = match self.market.submit(0, &new) {
            Err(naive::Refusal::SelfTrade) => return rejected(order, "SELF_TRADE"),
            other => other.expect("a valid order"),
        };
        self.names.push(order.name.clone());
        Expected {
            status: match answer.status {
                naive::Status::Resting => "RESTING",
                naive::Status::PartiallyFilled => "PARTIALLY_FILLED",
                naive::Status::Filled => "FILLED",
                naive::Status::Cancelled => "CANCELLED",
                other => panic!("{other:?} is no status of a new order"),
            }
            .into(),
            remaining: answer.remaining,
            cancelled: order.stake - answer.filled - answer.remaining,
            left: if answer.left == answer.remaining { 0 } else { answer.left },
            dust: answer.dust,
            reason: match answer.reason {
                None | Some(naive::Reason::NeverRests) => "",
                Some(naive::Reason::SelfTrade) => "SELF_TRADE",
                Some(naive::Reason::OrderLimit) => "ORDER_LIMIT",
            }
            .into(),
            trades: answer.trades.iter().map(|trade| self.trade(order, trade)).collect(),
        }
    }

    fn cancel(&mut self, name: &str, keep: i64) -> i64 {
        let number = self.names.iter().zip(1..).find(|(known, _)| *known == name);
        match number.map_or(Err(naive::Refusal::NotFound), |(_, n)| self.market.cancel(n, 0, keep)) {
            Err(naive::Refusal::NotFound) => 0,
            other => other.expect("a valid cancel"),
        }
    }

    fn levels(&self, outcome: u16, side: BackOrLay) -> Vec<(u32, i64, u32)> {
        let queue = self.market.queue(usize::from(outcome), self::side(side));
        let levels = queue.chunk_by(|a, b| a.price == b.price).map(|level| {
            let total = level.iter().map(|order| order.remaining).sum();
            (level[0].price, total, u32::try_from(level.len()).expect("few"))
        });
        levels.collect()
    }

    fn virtual_levels(&self, outcome: u16, side: BackOrLay, depth: usize) -> Vec<(u32, i64)> {
        let levels = self.market.virtual_levels(outcome.into(), self::side(side)).into_iter().take(depth);
        levels.map(|level| (level.price, i64::try_from(level.quantity).expect("small"))).collect()
    }
}

const fn side(side: BackOrLay) -> naive::Side {
    match side {
        BackOrLay::Back => naive::Side::Back,
        BackOrLay::Lay => naive::Side::Lay,
    }
}
