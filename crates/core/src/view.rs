//! Looking at a state.

use std::num::NonZeroU64;

use crate::book::{BookSide, Order, OrderSlot};
use crate::command::NewMarket;
use crate::decide::{self, Effort};
use crate::event::{Half, OutcomeIndex};
use crate::ladder::Tick;
use crate::limits::Limits;
use crate::line::Line;
use crate::market::{ClientEntry, Market, Place};
use crate::reject::OrderReport;
use crate::state::State;
use crate::types::{
    AccountId, BookMarketState, Hold, MarketId, MarketPhase, OrderId, Price, Quantity, RunnerId, Side,
};

impl State {
    /// The number of the last event.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The time of the last event, in nanoseconds since the Unix epoch.
    pub const fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// The bounds in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many orders rest, over all markets.
    pub fn resting_orders(&self) -> usize {
        self.store.orders.len()
    }

    /// How many names have an account.
    pub fn accounts(&self) -> usize {
        self.accounts.names.len()
    }

    /// How many client order ids are remembered, over all markets.
    pub const fn client_ids(&self) -> u64 {
        self.client_ids
    }

    /// How many bytes the markets take, as [`Limits::market_bytes`] counts it.
    pub const fn market_bytes(&self) -> u64 {
        self.markets.bytes
    }

    /// The market with this id.
    pub fn market(&self, id: MarketId) -> Option<MarketView<'_>> {
        self.markets.find(id).map(|market| MarketView { state: self, market })
    }

    /// The market that clients call by this name.
    pub fn market_named(&self, key: &str) -> Option<MarketView<'_>> {
        let market = self.markets.get(self.markets.slot_named(key)?);
        Some(MarketView { state: self, market })
    }

    /// All markets, by id.
    pub fn markets(&self) -> impl Iterator<Item = MarketView<'_>> {
        self.markets.ids().filter_map(|id| self.market(id))
    }

    /// The account that was registered with this name.
    pub fn account_named(&self, name: &str) -> Option<AccountId> {
        self.accounts.find(name)
    }

    /// The name that an account was registered with.
    pub fn account_name(&self, account: AccountId) -> Option<&str> {
        self.accounts.name(account)
    }

    /// A resting order.
    pub fn order(&self, id: OrderId) -> Option<OrderView> {
        let (_, order) = self.store.find(id)?;
        Some(OrderView::of(self.markets.get(order.market), order))
    }
}

/// A market, at the sequence number of its state.
#[derive(Clone, Copy, Debug)]
pub struct MarketView<'a> {
    state: &'a State,
    market: &'a Market,
}

/// One side of a book, and whether its ticks are seen from the other outcome.
struct Seen<'a> {
    book: &'a BookSide,
    mirrored: bool,
}

/// A price and what rests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelView {
    /// The price.
    pub price: Price,
    /// The sum of what rests.
    pub quantity: Quantity,
    /// How many orders.
    pub orders: u32,
}

/// What the name of an outcome stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// An outcome.
    Outcome(RunnerId),
    /// A quarter line: half on each of these.
    Quarter {
        /// The line nearer to zero.
        near: RunnerId,
        /// The line further from zero.
        far: RunnerId,
    },
}

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Its market.
    pub market_id: MarketId,
    /// Whose it is.
    pub account: AccountId,
    /// Its outcome.
    pub outcome: OutcomeIndex,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What it asked for.
    pub quantity: Quantity,
    /// What is filled, rounded up to whole pennies.
    pub filled: Quantity,
    /// What rests, in whole pennies or shares.
    pub remaining: Quantity,
    /// The fraction of a penny that it has left beyond `remaining`, in quanta: 0 to 99.
    pub fraction: u8,
}

impl OrderView {
    fn of(market: &Market, order: &Order) -> Self {
        let (outcome, side, price) = market.told(order.place());
        Self {
            id: order.id,
            market_id: market.id,
            account: order.account,
            outcome,
            side,
            price,
            quantity: Quantity(order.quantity),
            filled: Quantity(order.filled),
            remaining: Quantity(market.spec.ladder.whole(order.left)),
            fraction: market.spec.ladder.fraction(order.left),
        }
    }
}

impl<'a> MarketView<'a> {
    /// Its id.
    pub const fn id(&self) -> MarketId {
        self.market.id
    }

    /// As it was asked for; where it is now is [`MarketView::state`].
    pub const fn spec(&self) -> &'a NewMarket {
        &self.market.spec
    }

    /// Where it is in its life.
    pub const fn state(&self) -> BookMarketState {
        self.market.state()
    }

    /// Where it is in its event's time.
    pub const fn phase(&self) -> MarketPhase {
        self.market.phase
    }

    /// The holds that are on.
    pub fn holds(&self) -> impl Iterator<Item = Hold> + use<> {
        let holds = self.market.holds;
        Hold::ALL.into_iter().filter(move |hold| holds & hold.bit() != 0)
    }

    /// Whether an outcome was removed, and if so with which reduction factor in 1/10 000.
    pub fn removed(&self, outcome: OutcomeIndex) -> Option<u16> {
        self.market.runners[outcome.index()].removed
    }

    /// Why its state last changed, if anybody said.
    pub fn reason(&self) -> Option<&'a str> {
        self.market.reason.as_deref()
    }

    /// How many events it has had.
    pub const fn sequence(&self) -> u64 {
        self.market.sequence
    }

    /// The number of the last event, of the whole engine, that this view shows.
    pub const fn state_sequence(&self) -> u64 {
        self.state.sequence
    }

    /// The time of the state that this views, in nanoseconds since the Unix epoch.
    pub const fn time_ns(&self) -> u64 {
        self.state.time_ns
    }

    /// How many orders rest in it.
    pub const fn resting_orders(&self) -> u32 {
        self.market.resting
    }

    /// The outcome with this name.
    pub fn outcome_named(&self, name: &str) -> Option<OutcomeIndex> {
        self.market.outcome_named(name)
    }

    /// What an order for this name is for: an outcome that is not removed, or a quarter line between two
    /// of them.
    pub fn selection(&self, name: &str) -> Option<Selection> {
        let runner = |name: &str| {
            let outcome = self.outcome_named(name)?;
            let runner = &self.market.runners[outcome.index()];
            runner.removed.is_none().then(|| self.market.spec.runners[outcome.index()].id)
        };
        if let Some(id) = runner(name) {
            return Some(Selection::Outcome(id));
        }
        let line = Line::parse(name).ok()??;
        if !self.market.topology.lines || !line.is_quarter() {
            return None;
        }
        let (near, far) = line.halves();
        Some(Selection::Quarter { near: runner(&near.to_string())?, far: runner(&far.to_string())? })
    }

    /// Up to this many levels of what complete sets would give a taker who meets this side of an outcome,
    /// best for the taker first: for [`Side::Yes`] what a layer or seller could take, for [`Side::No`] what
    /// a backer or buyer could. Prices are rounded to the ladder against that taker. These are not resting
    /// orders; what rests is in [`MarketView::levels`]. How much is looked at is bounded: of very long lists the
    /// end is missing.
    pub fn virtual_levels(&self, outcome: OutcomeIndex, side: Side, depth: usize) -> Vec<LevelView> {
        self.virtual_levels_within(&mut Effort::new(), outcome, side, depth)
    }

    pub(crate) fn virtual_levels_within(
        &self,
        effort: &mut Effort,
        outcome: OutcomeIndex,
        side: Side,
        depth: usize,
    ) -> Vec<LevelView> {
        decide::virtual_levels(self.state, self.market, outcome, side, depth, effort)
    }

    /// The outcome with this id, removed or not.
    pub fn outcome_of(&self, id: RunnerId) -> Option<OutcomeIndex> {
        self.market.listed(id)
    }

    /// The levels of one side of an outcome, best for the taker first: resting BACKs from the lowest
    /// odds up, resting LAYs from the highest down.
    pub fn levels(&self, outcome: OutcomeIndex, side: Side) -> impl Iterator<Item = LevelView> + use<'a> {
        let (pages, ladder) = (&self.state.store.pages, self.market.spec.ladder);
        let Seen { book, mirrored } = self.seen(outcome, side);
        std::iter::successors(book.best(), |tick| book.worse_than(*tick)).filter_map(move |tick| {
            let level = book.level(pages, tick)?;
            let tick = if mirrored { ladder.mirrored(tick) } else { tick };
            let (price, quantity) = (ladder.price(tick), Quantity(level.total));
            Some(LevelView { price, quantity, orders: level.count })
        })
    }

    /// What rests at a price, if anything does.
    pub fn level(&self, outcome: OutcomeIndex, side: Side, price: Price) -> Option<LevelView> {
        let ladder = self.market.spec.ladder;
        let Seen { book, mirrored } = self.seen(outcome, side);
        let tick = ladder.tick(price)?;
        let tick = if mirrored { ladder.mirrored(tick) } else { tick };
        let level = book.level(&self.state.store.pages, tick)?;
        Some(LevelView { price, quantity: Quantity(level.total), orders: level.count })
    }

    /// The orders of one side of an outcome, in the order in which a taker meets them. The two outcomes of
    /// a pair have the same orders, each in the words of whoever entered it.
    pub fn orders(&self, outcome: OutcomeIndex, side: Side) -> impl Iterator<Item = OrderView> + use<'a> {
        let market = self.market;
        let Place { outcome, side, .. } = market.place(outcome, side, Tick(0));
        self.slots(outcome, side).map(move |(_, order)| OrderView::of(market, order))
    }

    /// Whether this is the second outcome of a pair: the first, seen from the other side.
    pub fn is_mirror(&self, outcome: OutcomeIndex) -> bool {
        self.market.topology.pair && outcome.0 == 1
    }

    /// One side of an outcome's book.
    fn seen(&self, outcome: OutcomeIndex, side: Side) -> Seen<'a> {
        let place = self.market.place(outcome, side, Tick(0));
        let book = self.market.runners[place.outcome.index()].side(place.side);
        Seen { book, mirrored: place.mirrored }
    }

    /// What is known of the order on a quarter line that this one is half of.
    pub(crate) fn split(&self, order: &Order) -> Option<&'a OrderReport> {
        self.state.splits.get(&order.half.whole_of(order.id)).filter(|_| order.half != Half::Whole)
    }

    /// When an order expires, in milliseconds since the Unix epoch, if it does.
    pub(crate) fn expiry_ms(&self, order: &Order) -> Option<NonZeroU64> {
        self.state.store.expiry_ms(order)
    }

    /// Whether it closed and orders still rest in it.
    pub(crate) fn is_closing(&self) -> bool {
        self.market.own_state == BookMarketState::Closed && self.market.resting > 0
    }

    pub(crate) const fn market(&self) -> &'a Market {
        self.market
    }

    pub(crate) fn client_entries(&self) -> &'a [ClientEntry] {
        &self.market.clients.entries
    }

    pub(crate) fn slots(
        &self,
        outcome: OutcomeIndex,
        side: Side,
    ) -> impl Iterator<Item = (OrderSlot, &'a Order)> + use<'a> {
        let state = self.state;
        let book = self.market.runners[outcome.index()].side(side);
        std::iter::successors(book.best(), |tick| book.worse_than(*tick))
            .filter_map(|tick| book.level(&state.store.pages, tick)?.first())
            .flat_map(|first| std::iter::successors(Some(first), |slot| state.store.orders[*slot].next()))
            .map(|slot| (slot, &state.store.orders[slot]))
    }

    /// The price of the last trade.
    pub fn last_price(&self, outcome: OutcomeIndex) -> Option<Price> {
        self.market.runners[outcome.index()].last_price
    }

    /// All backers' stakes that were matched, in quanta, or shares.
    pub fn traded(&self, outcome: OutcomeIndex) -> i128 {
        self.market.runners[outcome.index()].traded
    }

    /// Where the order stands that this account called so.
    pub fn client_order(&self, account: AccountId, id: &str) -> Option<OrderReport> {
        self.market.clients.find(account, id).map(|entry| entry.report)
    }
}
