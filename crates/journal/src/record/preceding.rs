//! What the records of trades leave out because the events before them in their transaction have said it:
//! the taker, and of a leg its place in its set and its payout. Whoever writes and whoever reads keep it
//! alike, so that what is refused when it is read is refused when it is written.

use betex_core::event::Event;
use betex_core::types::{Money, OrderId};

/// What the events of a transaction have said so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preceding {
    /// The order accepted last.
    taker: Option<OrderId>,
    /// A set with legs still to come.
    set: Option<OpenSet>,
}

#[derive(Clone, Copy, Debug)]
struct OpenSet {
    payout: Money,
    /// The place of the leg that must follow.
    leg: u16,
    makers: u16,
}

type Told<T> = Result<T, &'static str>;

impl Preceding {
    /// Who takes in the trade that follows.
    pub(super) fn taker(&self) -> Told<OrderId> {
        self.taker.ok_or("a trade without its taker's OrderAccepted")
    }

    /// The place of the leg that follows in its set, and its payout.
    pub(super) fn leg(&self) -> Told<(u16, Money)> {
        self.set.map(|set| (set.leg, set.payout)).ok_or("a leg without its set")
    }

    /// Counts on, if `event` may come next.
    pub(super) fn follow(&mut self, event: &Event) -> Told<()> {
        match event {
            Event::TradeMatched(trade) if trade.leg > 0 => {
                if self.leg()? != (trade.leg, trade.payout) || self.taker()? != trade.taker_order_id {
                    return Err("a leg that does not follow from its set");
                }
                self.set = self
                    .set
                    .filter(|set| set.leg < set.makers)
                    .map(|set| OpenSet { leg: set.leg + 1, ..set });
            }
            _ if self.set.is_some() => return Err(LEGS_MISSING),
            Event::TradeMatched(trade) => self.is_taker(trade.taker_order_id)?,
            Event::SetMatched(set) => {
                self.is_taker(set.taker_order_id)?;
                if set.makers == 0 {
                    return Err("a set without makers");
                }
                self.set = Some(OpenSet { payout: set.payout, leg: 1, makers: set.makers });
            }
            Event::OrderAccepted(order) => self.taker = Some(order.order_id),
            _ => (),
        }
        Ok(())
    }

    /// Whether the transaction may end here.
    pub(super) fn end(&self) -> Told<()> {
        if self.set.is_some() { Err(LEGS_MISSING) } else { Ok(()) }
    }

    fn is_taker(&self, order: OrderId) -> Told<()> {
        if self.taker == Some(order) { Ok(()) } else { self.taker().and(Err("a trade of another taker")) }
    }
}

const LEGS_MISSING: &str = "a set without all its legs";
