//! The core alone: decide and apply, no journal, no threads.

use std::cell::RefCell;

use anyhow::{Context, Result, bail, ensure};
use betex_core::command::{CommandKind, NewMarket, NewOrder, NewRunner, OrderRef};
use betex_core::decide::{Receipt, decide};
use betex_core::event::{Event, OutcomeIndex, Stamp};
use betex_core::state::State;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, OrderId, Quantity, RunnerId, Side, TimeInForce,
};

use super::exchange::{BookLevel, Exchange, MAKER, TAKER, Taken, client_order_id};
use super::ladders::RunnerIndex;
use super::orders::Order;

/// A state and nothing around it.
#[derive(Debug)]
pub struct CoreExchange {
    core: RefCell<Core>,
    maker: AccountId,
    taker: AccountId,
}

#[derive(Debug, Default)]
struct Core {
    state: State,
    events: Vec<Event>,
}

/// A market of the core, or of an engine.
#[derive(Debug)]
pub struct CoreMarket {
    pub(super) id: MarketId,
    pub(super) runners: Vec<RunnerId>,
}

impl CoreExchange {
    /// An empty one.
    ///
    /// # Errors
    /// If it refuses the two accounts.
    pub fn new() -> Result<Self> {
        let mut core = Core::default();
        let (maker, taker) = (core.account(MAKER)?, core.account(TAKER)?);
        Ok(Self { core: RefCell::new(core), maker, taker })
    }
}

impl Core {
    /// Runs a command; its events stay in `self.events`.
    fn run(&mut self, market: MarketId, kind: &CommandKind) -> Result<Receipt> {
        let now_ns = self.state.time_ns() + 1;
        let receipt = decide(&self.state, market, kind, now_ns, &mut self.events)?;
        let market_id = receipt.market_id(market);
        let market_sequence = match self.state.market(market_id) {
            _ if !market_id.is_some() => 0,
            None => 1,
            Some(market) => market.sequence() + 1,
        };
        if !self.events.is_empty() {
            let sequence = self.state.sequence() + 1;
            let stamp = Stamp { market_id, time_ns: now_ns, sequence, market_sequence };
            self.state.apply(&stamp, &self.events);
        }
        Ok(receipt)
    }

    fn account(&mut self, name: &str) -> Result<AccountId> {
        match self.run(MarketId::NONE, &CommandKind::RegisterAccount { name: name.into() })? {
            Receipt::Account(account) => Ok(account),
            other => bail!("{other:?} for an account"),
        }
    }
}

impl Exchange for CoreExchange {
    type Market = CoreMarket;

    async fn open_market(&self, name: &str, runners: &[RunnerId]) -> Result<CoreMarket> {
        let mut core = self.core.borrow_mut();
        let receipt = core.run(MarketId::NONE, &new_market(name, runners))?;
        created(receipt, runners)
    }

    async fn place(&self, market: &CoreMarket, order: &Order) -> Result<u64> {
        let kind = submission(market, self.maker, order, TimeInForce::Gtc)?;
        placed(self.core.borrow_mut().run(market.id, &kind)?, order)
    }

    async fn take(&self, market: &CoreMarket, taker: &Order) -> Result<Taken> {
        let kind = submission(market, self.taker, taker, TimeInForce::Ioc)?;
        let mut core = self.core.borrow_mut();
        let receipt = core.run(market.id, &kind)?;
        taken(receipt, taker, &core.events)
    }

    async fn cancel(&self, market: &CoreMarket, order_id: u64, keep: Quantity) -> Result<()> {
        let receipt = self.core.borrow_mut().run(market.id, &cancellation(order_id, keep))?;
        cancelled(receipt, keep)
    }

    async fn book(&self, market: &CoreMarket, runner: RunnerIndex) -> Result<[Vec<BookLevel>; 2]> {
        book(&self.core.borrow().state, market, runner)
    }

    async fn close_market(&self, market: &CoreMarket) -> Result<()> {
        self.core.borrow_mut().run(market.id, &CommandKind::CloseMarket { reason: None })?;
        Ok(())
    }
}

// The words of the core, for everybody who speaks to it without a wire in between.

pub(super) fn new_market(name: &str, runners: &[RunnerId]) -> CommandKind {
    let mut market = NewMarket::new(name, [""; 0]);
    market.runners = runners.iter().map(|id| NewRunner { id: *id, name: id.to_string() }).collect();
    market.state = BookMarketState::Open;
    // What was recorded was matched one to one.
    market.synthetic = false;
    CommandKind::CreateMarket(Box::new(market))
}

pub(super) fn created(receipt: Receipt, runners: &[RunnerId]) -> Result<CoreMarket> {
    match receipt {
        Receipt::MarketCreated(id) => Ok(CoreMarket { id, runners: runners.to_vec() }),
        other => bail!("{other:?} for a market"),
    }
}

pub(super) fn submission(
    market: &CoreMarket,
    account: AccountId,
    order: &Order,
    time_in_force: TimeInForce,
) -> Result<CommandKind> {
    let client_order_id = ClientOrderId::new(&client_order_id(order.number))?;
    let limit = NewOrder::limit(market.runners[order.runner], order.side, order.price, order.quantity);
    Ok(CommandKind::SubmitOrder(limit.by(account).lasting(time_in_force).named(client_order_id)))
}

pub(super) fn placed(receipt: Receipt, order: &Order) -> Result<u64> {
    let Receipt::Order { report, .. } = receipt else { bail!("{receipt:?} for an order") };
    ensure!(report.remaining == order.quantity, "{order:?} does not rest whole: {report:?}");
    Ok(report.order_id.0)
}

pub(super) fn taken(receipt: Receipt, taker: &Order, events: &[Event]) -> Result<Taken> {
    let Receipt::Order { report, .. } = receipt else { bail!("{receipt:?} for an order") };
    ensure!(report.filled == taker.quantity, "{taker:?} is not filled whole: {report:?}");
    let trades = events.iter().filter_map(|event| match event {
        Event::TradeMatched(trade) => Some((trade.maker_order_id.0, trade.quantity)),
        _ => None,
    });
    Ok(Taken::Fills(trades.collect()))
}

pub(super) const fn cancellation(order_id: u64, keep: Quantity) -> CommandKind {
    CommandKind::CancelOrder { order: OrderRef::Id(OrderId(order_id)), account_id: AccountId::NONE, keep }
}

pub(super) fn cancelled(receipt: Receipt, keep: Quantity) -> Result<()> {
    let Receipt::Cancelled { report, .. } = receipt else { bail!("{receipt:?} for a cancellation") };
    ensure!(report.remaining == keep, "{keep:?} was to be kept: {report:?}");
    Ok(())
}

pub(super) fn book(state: &State, market: &CoreMarket, runner: RunnerIndex) -> Result<[Vec<BookLevel>; 2]> {
    let view = state.market(market.id).context("the market is gone")?;
    let outcome = OutcomeIndex(u16::try_from(runner)?);
    Ok([Side::Yes, Side::No].map(|side| {
        let levels = view.levels(outcome, side);
        levels
            .map(|level| BookLevel {
                price: level.price,
                quantity: level.quantity,
                orders: usize::try_from(level.orders).unwrap_or(usize::MAX),
            })
            .collect()
    }))
}
