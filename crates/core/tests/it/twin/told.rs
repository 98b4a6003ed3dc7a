//! What the core's events tell, in the words of its twin.

use betex_core::command::NewOrder;
use betex_core::decide::Receipt;
use betex_core::event::{Event, OrderAccepted};
use betex_naive as naive;

use super::{Twin, words};

impl Twin {
    /// The answer to an order, from the core's receipt and events.
    pub(super) fn answer(&self, order: &NewOrder, receipt: &Receipt, events: &[Event]) -> naive::Answer {
        let Receipt::Order { report, reason } = receipt else { panic!("{receipt:?}") };
        let own_cancelled = events.iter().filter_map(|event| match event {
            Event::OrderCancelled(order) if !order.never_rested() => Some(self.number(order.order_id)),
            _ => None,
        });
        let trades = self.trades(order, events);
        // The order itself, or its halves.
        let parts: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::OrderAccepted(part) => Some(part),
                _ => None,
            })
            .collect();
        let matched = |part: &OrderAccepted| {
            let of_part = trades.iter().filter(|trade| trade.taker == self.number(part.order_id));
            of_part.map(|trade| trade.stake).sum::<i64>()
        };
        let dust = |part: &&OrderAccepted| {
            let unmatched = part.quantity.0 - matched(part);
            if unmatched < self.market.ladder.unit() { unmatched } else { 0 }
        };
        let left = |part: &&OrderAccepted| match part.resting.0 {
            0 => 0,
            whole => whole + i64::from(part.fraction),
        };
        naive::Answer {
            number: self.number(report.order_id),
            status: words::status(report.status),
            filled: report.filled.0,
            remaining: report.remaining.0,
            left: parts.iter().map(left).sum(),
            dust: parts.iter().map(dust).sum(),
            reason: reason.map(words::reason),
            trades,
            own_cancelled: own_cancelled.collect(),
        }
    }

    fn trades(&self, order: &NewOrder, events: &[Event]) -> Vec<naive::Trade> {
        let mut trades: Vec<naive::Trade> = Vec::new();
        let mut outcome = words::outcome(order.runner_id);
        for event in events {
            match event {
                Event::OrderAccepted(accepted) => outcome = accepted.outcome.index(),
                Event::SetMatched(set) => {
                    assert_eq!((set.outcome.index(), set.side), (outcome, order.side));
                    trades.push(naive::Trade {
                        taker: self.number(set.taker_order_id),
                        set: true,
                        price: set.price.0,
                        stake: set.stake.0,
                        quantity: set.quantity.0,
                        payout: set.payout.0.into(),
                        makers: Vec::with_capacity(set.makers.into()),
                    });
                }
                Event::TradeMatched(trade) => {
                    let (price, payout) = (trade.price.0, trade.payout.0.into());
                    let (stake, quantity) = (trade.stake.0, trade.quantity.0);
                    let maker = naive::Leg {
                        maker: self.number(trade.maker_order_id),
                        outcome: trade.outcome.index(),
                        side: words::side(trade.maker_side),
                        price,
                        stake,
                        quantity,
                        left: trade.maker_remaining.0 + i64::from(trade.maker_fraction),
                        payout,
                    };
                    let taker = self.number(trade.taker_order_id);
                    if trade.is_synthetic() {
                        let set = trades.last_mut().expect("its legs follow a set");
                        assert_eq!((set.taker, set.makers.len() + 1), (taker, trade.leg.into()));
                        set.makers.push(maker);
                    } else {
                        // Seen from the taker's outcome.
                        let price = match self.market.ladder {
                            naive::Ladder::Ticks(max) if outcome != maker.outcome => max - price,
                            _ => price,
                        };
                        trades.push(naive::Trade {
                            taker,
                            set: false,
                            price,
                            stake,
                            quantity,
                            payout,
                            makers: vec![maker],
                        });
                    }
                }
                _ => (),
            }
        }
        trades
    }

    pub(super) fn taken_out<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> naive::Taken {
        let taken = events.into_iter().filter_map(|event| match event {
            Event::OrderCancelled(order) => Some((self.number(order.order_id), order.cancelled.0)),
            _ => None,
        });
        taken.collect()
    }
}
