//! The naive twin of a market, which follows the events: it takes every order that was taken, matches it in
//! its own way, and must come to the same trades and to the same queues. What takes orders out is done to the
//! twin as the events tell it; whether that was right is the ledger's to say.

use std::collections::BTreeMap;

use betex::engine::state::State;
use betex::prelude::*;
use betex_core::event::{Half, OrderAccepted, OrderCancelled, OutcomeIndex, SetMatched, TradeMatched};
use betex_core::ladder::Ladder;
use betex_core::types::SelfTradePrevention;
use betex_journal::JournalEvent;
use betex_naive as naive;

use crate::failure::{Check, Checked, Failure, ensure};

/// A market's twin, and which of the engine's orders is which of its.
pub(crate) struct Twin {
    market: naive::Market,
    is_of_lines: bool,
    numbers: BTreeMap<OrderId, u64>,
}

/// What an order led to, in the engine's events.
#[derive(Debug, Default, PartialEq, Eq)]
struct Met {
    trades: Vec<naive::Trade>,
    own_cancelled: Vec<u64>,
    remaining: i64,
    /// Exactly.
    left: i64,
}

impl Twin {
    pub(crate) fn new(spec: &NewMarket) -> Self {
        let outcomes = spec.runners.len();
        let is_of_lines = spec.runners.iter().any(|runner| runner.name.contains('_'));
        let groups = match is_of_lines {
            true => (0..outcomes / 2).map(|line| vec![2 * line, 2 * line + 1]).collect(),
            false => vec![(0..outcomes).collect()],
        };
        let ladder = match spec.ladder {
            Ladder::Classic => naive::Ladder::Classic,
            Ladder::Finest => naive::Ladder::Finest,
            Ladder::Binary { max_price_ticks } => naive::Ladder::Ticks(max_price_ticks.into()),
        };
        let market = naive::Market {
            ladder,
            synthetic: spec.synthetic,
            independent: spec.independent,
            pair: matches!(ladder, naive::Ladder::Ticks(_)) && outcomes == 2 && !spec.independent,
            groups,
            quarters: if is_of_lines { (0..64).map(|near| (near, near + 2)).collect() } else { Vec::new() },
            increment: spec.increment.0,
            min_stake: spec.min_quantity.0,
            ..naive::Market::new(outcomes)
        };
        Self { market, is_of_lines, numbers: BTreeMap::new() }
    }

    fn number(&self, id: OrderId) -> u64 {
        self.numbers.get(&id).copied().unwrap_or_default()
    }

    /// Takes in a transaction of the market.
    pub(crate) fn take(&mut self, events: &[JournalEvent]) -> Checked {
        match &events[0].event {
            Event::OrderSplit { order, far } => self.order(order, Some(*far), events),
            Event::OrderAccepted(order) => self.order(order, None, events),
            Event::RunnersAdded(runners) => runners.iter().try_for_each(|_| {
                let outcome = self.market.outcomes;
                let group = if self.is_of_lines { outcome / 2 } else { 0 };
                let group = (!self.market.independent && self.market.synthetic).then_some(group);
                let added = self.market.add_outcome(group);
                added
                    .map_err(|refusal| Failure::new(Check::Twin, format!("no outcome is added: {refusal:?}")))
            }),
            other => {
                if let Event::RunnerRemoved { outcome, .. } = other {
                    self.market.removed.push(outcome.index());
                    for group in &mut self.market.groups {
                        group.retain(|member| *member != outcome.index());
                    }
                }
                for event in events {
                    if let Event::OrderCancelled(order) = &event.event {
                        self.take_out(order)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn order(
        &mut self,
        order: &OrderAccepted,
        far: Option<OutcomeIndex>,
        events: &[JournalEvent],
    ) -> Checked {
        let first = order.order_id.0;
        let ids = (first..=first + if far.is_some() { 2 } else { 0 }).map(OrderId);
        let numbers = self.numbers.len() as u64 + 1..;
        self.numbers.extend(ids.zip(numbers));
        let engine = self.met(order, events);
        let answer = self.market.submit(events[0].time_ns, &asked(order, far));
        let answer = answer
            .map_err(|refusal| Failure::new(Check::Twin, format!("{order:?} is refused: {refusal:?}")))?;
        let naive::Answer { trades, own_cancelled, remaining, left, .. } = answer;
        let twin = Met { trades, own_cancelled, remaining, left };
        ensure(engine == twin, Check::Twin, || format!("{order:?}: engine {engine:?}, twin {twin:?}"))
    }

    fn met(&self, order: &OrderAccepted, events: &[JournalEvent]) -> Met {
        let mut met = Met { remaining: order.resting.0, ..Met::default() };
        let mut outcome = order.outcome.index();
        for event in events {
            match &event.event {
                Event::OrderAccepted(part) => {
                    outcome = part.outcome.index();
                    // The order itself, or a half of it.
                    if part.resting.0 > 0 {
                        met.left += part.resting.0 + i64::from(part.fraction);
                    }
                }
                Event::SetMatched(set) => met.trades.push(self.set(set)),
                Event::TradeMatched(leg) if leg.is_synthetic() => {
                    let leg = self.leg(leg);
                    met.trades.last_mut().into_iter().for_each(|set| set.makers.push(leg));
                }
                Event::TradeMatched(trade) => met.trades.push(self.trade(trade, outcome)),
                Event::OrderCancelled(own) if !own.never_rested() => {
                    met.own_cancelled.push(self.number(own.order_id));
                }
                _ => (),
            }
        }
        met
    }

    fn set(&self, set: &SetMatched) -> naive::Trade {
        naive::Trade {
            taker: self.number(set.taker_order_id),
            set: true,
            price: set.price.0,
            stake: set.stake.0,
            quantity: set.quantity.0,
            payout: set.payout.0.into(),
            makers: Vec::with_capacity(set.makers.into()),
        }
    }

    fn leg(&self, trade: &TradeMatched) -> naive::Leg {
        naive::Leg {
            maker: self.number(trade.maker_order_id),
            outcome: trade.outcome.index(),
            side: side(trade.maker_side),
            price: trade.price.0,
            stake: trade.stake.0,
            quantity: trade.quantity.0,
            left: trade.maker_remaining.0 + i64::from(trade.maker_fraction),
            payout: trade.payout.0.into(),
        }
    }

    fn trade(&self, trade: &TradeMatched, taken: usize) -> naive::Trade {
        let maker = self.leg(trade);
        // Seen from the taker's outcome.
        let price = match self.market.ladder {
            naive::Ladder::Ticks(max) if taken != maker.outcome => max - maker.price,
            _ => maker.price,
        };
        let naive::Leg { stake, quantity, payout, .. } = maker;
        let taker = self.number(trade.taker_order_id);
        naive::Trade { taker, set: false, price, stake, quantity, payout, makers: vec![maker] }
    }

    fn take_out(&mut self, cancelled: &OrderCancelled) -> Checked {
        let number = self.number(cancelled.order_id);
        let order = self.market.orders.iter_mut().find(|order| order.number == number);
        let order = order.filter(|order| cancelled.cancelled.0 <= order.remaining);
        let Some(order) = order else {
            return Err(Failure::new(Check::Twin, format!("the twin has no {cancelled:?}")));
        };
        order.remaining -= cancelled.cancelled.0;
        // A fraction of a penny goes, too.
        order.left = order.remaining;
        ensure(order.remaining == cancelled.remaining.0, Check::Twin, || {
            format!("{cancelled:?} of {order:?}")
        })
    }

    /// Every queue, order by order.
    pub(crate) fn compare(&self, state: &State, id: MarketId) -> Checked {
        let Some(market) = state.market(id) else {
            return Err(Failure::new(Check::Twin, format!("there is no market {id}")));
        };
        for (outcome, place) in (0..).map(OutcomeIndex).zip(0..self.market.outcomes) {
            for engine_side in [Side::Yes, Side::No] {
                let twin = self.market.queue(place, side(engine_side));
                let twin = twin
                    .iter()
                    .map(|order| (order.number, order.account, order.filled, order.remaining, order.left));
                let engine = market.orders(outcome, engine_side).map(|order| {
                    let left = order.remaining.0 + i64::from(order.fraction);
                    (self.number(order.id), order.account.0, order.filled.0, order.remaining.0, left)
                });
                ensure(engine.eq(twin), Check::Twin, || {
                    format!("market {id}, {outcome:?}, {engine_side:?}: the queues differ")
                })?;
            }
        }
        Ok(())
    }
}

/// The order, as it was asked for.
fn asked(order: &OrderAccepted, far: Option<OutcomeIndex>) -> naive::NewOrder {
    debug_assert!(order.half == Half::Whole, "a half is nobody's order");
    let price = order.price.0;
    naive::NewOrder {
        client_id: order.client_order_id.map(|id| id.as_str().to_owned()),
        far: far.map(OutcomeIndex::index),
        price: if order.market_order {
            naive::Price::Market(Some(price))
        } else {
            naive::Price::Limit(price)
        },
        lasting: match order.time_in_force.get() {
            TimeInForce::Gtc => naive::Lasting::UntilCancelled,
            TimeInForce::Ioc => naive::Lasting::Immediate,
            TimeInForce::Fok { min_fill } => naive::Lasting::AtLeast(min_fill.0),
            TimeInForce::Gtd { expiry_ms } => naive::Lasting::Until(expiry_ms),
        },
        persists: order.persistence == Persistence::Persist,
        post_only: order.post_only,
        self_trade: match order.self_trade {
            SelfTradePrevention::Skip => naive::SelfTrade::Skip,
            SelfTradePrevention::Reject => naive::SelfTrade::Reject,
            SelfTradePrevention::CancelResting => naive::SelfTrade::CancelResting,
            SelfTradePrevention::CancelTaker => naive::SelfTrade::CancelTaker,
        },
        ..naive::NewOrder::limit(
            order.account.0,
            order.outcome.index(),
            side(order.side),
            price,
            order.quantity.0,
        )
    }
}

const fn side(side: Side) -> naive::Side {
    match side {
        Side::Yes => naive::Side::Back,
        Side::No => naive::Side::Lay,
    }
}
