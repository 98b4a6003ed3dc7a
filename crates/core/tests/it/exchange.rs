//! A state, a clock, and the log of all that was decided.

use std::convert::Infallible;

use betex_core::command::{CommandKind, NewMarket, NewOrder, OrderRef};
use betex_core::decide::{Receipt, decide, decide_work};
use betex_core::event::{Event, OutcomeIndex, Stamp};
use betex_core::image::{Builder, ImageError, Piece};
use betex_core::limits::Limits;
use betex_core::reject::Rejection;
use betex_core::state::{State, Work};
use betex_core::types::{AccountId, BookMarketState, MarketId, OrderId, Quantity, RunnerId, Side};
use betex_core::view::OrderView;

pub(crate) const MARKET: MarketId = MarketId(1);
pub(crate) const HOME: RunnerId = RunnerId(1);

/// What is decided with, without threads or files around it.
#[derive(Clone, Default)]
pub(crate) struct Exchange {
    pub(crate) state: State,
    pub(crate) now_ms: u64,
    pub(crate) log: Vec<(Stamp, Vec<Event>)>,
    /// Decide everything twice and digest the state before and after.
    pub(crate) suspicious: bool,
    /// Go on, after each transaction, with what the image of the state makes.
    pub(crate) remade: bool,
}

impl Exchange {
    /// One open market of three outcomes.
    pub(crate) fn open() -> Self {
        let mut exchange = Self::default();
        exchange.create(open_market("cup"));
        exchange
    }

    pub(crate) fn limited(limits: Limits) -> Self {
        let mut exchange = Self::default();
        exchange.commit(MarketId::NONE, vec![Event::LimitsSet(limits)]);
        exchange
    }

    pub(crate) fn create(&mut self, market: NewMarket) -> MarketId {
        match self.run(MarketId::NONE, &CommandKind::CreateMarket(Box::new(market))) {
            Ok((Receipt::MarketCreated(id), _)) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Does what is due to expire, then this command.
    pub(crate) fn run(
        &mut self,
        market: MarketId,
        kind: &CommandKind,
    ) -> Result<(Receipt, Vec<Event>), Rejection> {
        self.expire();
        let mut events = Vec::new();
        let before = self.suspicious.then(|| self.state.digest());
        let decided = decide(&self.state, market, kind, self.now_ns(), &mut events);
        if let Some(before) = before {
            let mut again = vec![Event::MarketRemoved];
            assert_eq!(decide(&self.state, market, kind, self.now_ns(), &mut again), decided);
            assert_eq!(again, events, "the same state, command and time give the same events");
            assert_eq!(before, self.state.digest(), "to decide changes nothing");
        }
        assert!(decided.is_ok() || events.is_empty(), "a refusal has no events");
        let receipt = decided?;
        if !events.is_empty() {
            self.commit(receipt.market_id(market), events.clone());
        }
        Ok((receipt, events))
    }

    pub(crate) fn submit(&mut self, order: NewOrder) -> Result<(Receipt, Vec<Event>), Rejection> {
        self.run(MARKET, &CommandKind::SubmitOrder(order))
    }

    pub(crate) fn cancel(&mut self, order: u64, keep: i64) -> Result<(Receipt, Vec<Event>), Rejection> {
        let (order, account_id) = (OrderRef::Id(OrderId(order)), AccountId::NONE);
        self.run(MARKET, &CommandKind::CancelOrder { order, account_id, keep: Quantity(keep) })
    }

    /// Lets expire what is due; answers with those events.
    pub(crate) fn expire(&mut self) -> Vec<(MarketId, Event)> {
        let mut expired = Vec::new();
        while self.state.expiry_is_due(self.now_ns()) {
            let (market, events) = self.work().expect("an expiry is due");
            expired.extend(events.into_iter().map(|event| (market, event)));
        }
        expired
    }

    /// One step of what is to be done without anybody asking.
    pub(crate) fn work(&mut self) -> Option<(MarketId, Vec<Event>)> {
        let work: Work = self.state.next_work(self.now_ns())?;
        let mut events = vec![Event::MarketRemoved];
        let market = decide_work(&self.state, work, &mut events);
        assert!(!events.is_empty(), "a step of {work:?} does something");
        self.commit(market, events.clone());
        Some((market, events))
    }

    /// All there is to do at this time, step by step.
    pub(crate) fn work_off(&mut self) {
        while self.work().is_some() {}
    }

    fn commit(&mut self, market: MarketId, events: Vec<Event>) {
        let stamp = self.state.apply_next(market, self.now_ns(), &events);
        self.log.push((stamp, events));
        if self.remade {
            self.state = remade(&self.state);
        }
    }

    /// An operator sets the time back to this.
    pub(crate) fn set_time_back(&mut self, now_ms: u64) {
        let events = vec![Event::TimeSetBack { from_ns: self.state.time_ns() }];
        let stamp = self.state.apply_next(MarketId::NONE, now_ms * 1_000_000, &events);
        self.log.push((stamp, events));
        self.now_ms = now_ms;
    }

    fn now_ns(&self) -> u64 {
        self.state.time_ns().max(self.now_ms * 1_000_000)
    }

    /// The state that this many transactions of the log make.
    pub(crate) fn replay(&self, transactions: usize) -> State {
        let mut state = State::new();
        for (stamp, events) in &self.log[..transactions] {
            state.apply(stamp, events);
        }
        state
    }

    pub(crate) fn resting(&self, market: MarketId) -> u32 {
        self.state.market(market).expect("the market is there").resting_orders()
    }
}

/// The pieces of a state.
pub(crate) fn pieces(state: &State) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let told = state.image(|piece| {
        pieces.push(piece);
        Ok::<(), Infallible>(())
    });
    told.expect("nothing fails");
    pieces
}

/// The state that these pieces make.
pub(crate) fn made_of(pieces: impl IntoIterator<Item = Piece>) -> Result<State, ImageError> {
    let mut builder = Builder::new();
    pieces.into_iter().try_for_each(|piece| builder.take(piece))?;
    builder.finish()
}

/// A state that its image makes again.
pub(crate) fn remade(state: &State) -> State {
    let again = made_of(pieces(state)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.digest(), state.digest());
    assert_eq!(queues(&again), queues(state));
    again
}

/// An open market of three outcomes, without sets.
pub(crate) fn open_market(key: &str) -> NewMarket {
    let state = BookMarketState::Open;
    NewMarket { state, synthetic: false, ..NewMarket::new(key, ["Home", "Draw", "Away"]) }
}

/// All that rests, market by market, each queue in its order; what the two outcomes of a pair share, once.
pub(crate) fn queues(state: &State) -> Vec<OrderView> {
    let mut orders = Vec::new();
    for market in state.markets() {
        let outcomes = (0..).map(OutcomeIndex).take(market.spec().runners.len());
        for outcome in outcomes.filter(|outcome| !market.is_mirror(*outcome)) {
            for side in [Side::Yes, Side::No] {
                orders.extend(market.orders(outcome, side));
            }
        }
    }
    orders
}
