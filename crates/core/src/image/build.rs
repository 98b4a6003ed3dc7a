//! A state made of pieces. Whatever they are: no panic. A piece that cannot be is refused; one that could be
//! but was not gives a state with another digest.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;

use rustc_hash::FxBuildHasher;

use super::{ClientIdImage, ClosedImage, EngineImage, JobImage, MarketImage, OrderImage, Piece, TurnImage};
use crate::book::{Links, NO_CLIENT_ID, Order};
use crate::event::{CancelReason, Half, OutcomeIndex};
use crate::jobs::Turn;
use crate::ladder::{Ladder, PRICE_TICKS_MAX, Tick};
use crate::limits::MASS_CANCELS_MAX;
use crate::market::{ClientEntry, Market, Place};
use crate::state::State;
use crate::topology::Topology;
use crate::types::{BookMarketState, Hold, MarketId, OrderId, Price, Quantity, Side};

/// A piece that does not fit those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("piece {piece} of the state cannot be: {what}")]
pub struct ImageError {
    /// Which, counted from 1; one more than there are where something is missing at the end.
    pub piece: u64,
    /// What is wrong.
    pub what: &'static str,
}

/// Makes a state of pieces, one by one.
#[derive(Debug, Default)]
pub struct Builder {
    state: State,
    pieces: u64,
    /// What the last piece was; pieces come in the order of these.
    stage: Stage,
    /// The market that client order ids and orders are of.
    market: Option<OpenMarket>,
    /// Whose turn has been told.
    closing: BTreeSet<MarketId>,
    jobs: BTreeSet<u64>,
    /// Markets whose closing has been told.
    closed: BTreeSet<MarketId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Nothing,
    Accounts,
    Markets,
    Jobs,
    Turns,
    Closed,
}

#[derive(Debug)]
struct OpenMarket {
    slot: u32,
    /// Where the client order ids of orders that rest, in part, are noted.
    clients: HashMap<OrderId, u32, FxBuildHasher>,
    /// Where the last order hangs: outcome, side, levels from the best one on, id.
    last: Option<(OutcomeIndex, Side, u32, OrderId)>,
}

type Taken<T = ()> = Result<T, &'static str>;

const fn check(right: bool, what: &'static str) -> Taken {
    if right { Ok(()) } else { Err(what) }
}

impl Builder {
    /// Without a piece yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// It does not fit; the builder is then good for nothing.
    pub fn take(&mut self, piece: Piece) -> Result<(), ImageError> {
        self.pieces += 1;
        let number = self.pieces;
        let taken = match piece {
            Piece::Engine(engine) => self.engine(&engine),
            Piece::Account(name) => self.at(Stage::Accounts).and_then(|()| self.account(&name)),
            Piece::Market(market) => self.at(Stage::Markets).and_then(|()| self.market(*market)),
            Piece::ClientId(client) => self.client_id(client),
            Piece::Order(order) => self.order(&order),
            Piece::Job(job) => self.at(Stage::Jobs).and_then(|()| self.job(job)),
            Piece::Turn(turn) => self.at(Stage::Turns).and_then(|()| self.turn(turn)),
            Piece::Closed(closed) => self.at(Stage::Closed).and_then(|()| self.closed(closed)),
        };
        taken.map_err(|what| ImageError { piece: number, what })
    }

    /// The state, once all pieces are there. Whether they are the right ones is for its digest to say.
    ///
    /// # Errors
    /// Something is missing.
    pub fn finish(self) -> Result<State, ImageError> {
        let mut markets = self.state.markets();
        let closing = |id| self.closing.contains(&id);
        let complete = check(self.stage != Stage::Nothing, "the engine is missing")
            .and_then(|()| check(self.jobs.len() == self.state.jobs.count(), "the turn of a job is missing"))
            .and_then(|()| {
                let told = markets.all(|market| !market.is_closing() || closing(market.id()));
                check(told, "the turn of a closing market is missing")
            });
        drop(markets);
        complete.map_err(|what| ImageError { piece: self.pieces + 1, what })?;
        Ok(self.state)
    }

    /// Goes on to pieces of this kind.
    fn at(&mut self, stage: Stage) -> Taken {
        check(self.stage != Stage::Nothing, "the engine is missing before it")?;
        check(self.stage <= stage, "it stands behind pieces that it belongs before")?;
        self.stage = stage;
        Ok(())
    }

    fn engine(&mut self, engine: &EngineImage) -> Taken {
        check(self.stage == Stage::Nothing, "a second engine")?;
        self.stage = Stage::Accounts;
        self.state = State {
            sequence: engine.sequence,
            time_ns: engine.time_ns,
            limits: engine.limits,
            last_order_id: engine.last_order_id.0,
            last_market_id: engine.last_market_id.0,
            last_removed_id: engine.last_removed_id.0,
            ..State::default()
        };
        Ok(())
    }

    fn account(&mut self, name: &str) -> Taken {
        check(self.state.account_named(name).is_none(), "a name has two accounts")?;
        self.state.accounts.insert(name);
        Ok(())
    }

    fn market(&mut self, image: MarketImage) -> Taken {
        let MarketImage { id, spec, own_state, holds, phase, reason, sequence, runners } = image;
        let state = &mut self.state;
        check(id.is_some() && id.0 <= state.last_market_id, "its market has an id that was not given out")?;
        check(state.markets.last().is_none_or(|last| last < id), "its market is not behind the one before")?;
        let is_named = spec.key.is_empty() || state.markets.slot_named(&spec.key).is_none();
        check(is_named, "two markets have the same key")?;
        if let Ladder::Binary { max_price_ticks } = spec.ladder {
            check((2..=PRICE_TICKS_MAX).contains(&max_price_ticks), "its ladder has ticks that cannot be")?;
        }
        let known = Hold::ALL.into_iter().fold(0, |all, hold| all | hold.bit());
        check(holds & !known == 0, "its market has a hold that there is not")?;
        check(runners.len() == spec.runners.len(), "it does not tell of each of its outcomes")?;
        check(u16::try_from(runners.len()).is_ok(), "its market has too many outcomes")?;
        check(Topology::of(&spec).is_ok(), "its outcomes have names that cannot be")?;
        let mut market = Market { own_state, holds, phase, reason, sequence, ..Market::new(id, spec) };
        for (outcome, told) in (0..).map(OutcomeIndex).zip(&runners) {
            // Of a set it need not be on the ladder.
            check(told.last_price != Some(Price(0)), "a last price of nothing")?;
            let runner = &mut market.runners[outcome.index()];
            (runner.removed, runner.last_price, runner.traded) = (told.removed, told.last_price, told.traded);
            if told.removed.is_some() {
                market.topology.remove(outcome);
            }
            match market.topology.group_mut(outcome) {
                Some(group) => group.set_traded |= told.set_traded,
                None => check(!told.set_traded, "a set was traded where there are none")?,
            }
        }
        state.markets.insert(market);
        let slot = state.markets.slot(id).ok_or("its market is lost")?;
        self.market = Some(OpenMarket { slot, clients: HashMap::default(), last: None });
        Ok(())
    }

    fn client_id(&mut self, client: ClientIdImage) -> Taken {
        check(self.stage == Stage::Markets, "a client order id without its market")?;
        let open = self.market.as_mut().ok_or("a client order id without its market")?;
        check(open.last.is_none(), "a client order id behind orders")?;
        let ClientIdImage { account, id, report } = client;
        let market = self.state.markets.get_mut(open.slot);
        let ids = &market.clients;
        check(ids.find(account, id.as_str()).is_none(), "a client order id is there twice")?;
        check(ids.entries.len() < NO_CLIENT_ID as usize, "its market has too many client order ids")?;
        let place = market.remember(ClientEntry { account, id, report });
        self.state.client_ids += 1;
        if report.remaining > Quantity::ZERO {
            let before = open.clients.insert(report.order_id, place);
            check(before.is_none(), "two client order ids stand for one order")?;
        }
        Ok(())
    }

    fn order(&mut self, image: &OrderImage) -> Taken {
        check(self.stage == Stage::Markets, "an order without its market")?;
        let open = self.market.as_mut().ok_or("an order without its market")?;
        let state = &mut self.state;
        let market = state.markets.get_mut(open.slot);
        let ladder = market.spec.ladder;
        let OrderImage { id, outcome, side, tick, half, .. } = *image;
        check(id.is_some() && id.0 <= state.last_order_id, "its order has an id that was not given out")?;
        check(state.store.find(id).is_none(), "an order rests twice")?;
        check(outcome.index() < market.runners.len() && tick.0 < ladder.len(), "its order hangs nowhere")?;
        let in_pair = market.topology.pair;
        check(!image.mirrored || in_pair, "its order is seen from another outcome, which there is not")?;
        check(!in_pair || outcome.0 == 0, "the second outcome of a pair has no book")?;
        let (quantity, filled, remaining) = (image.quantity.0, image.filled.0, image.remaining.0);
        let fits =
            filled >= 0 && remaining >= 1 && filled.checked_add(remaining).is_some_and(|sum| sum <= quantity);
        let left = remaining
            .checked_add(image.fraction.into())
            .filter(|left| fits && ladder.whole(*left) == remaining);
        let left = left.ok_or("its quantities cannot be")?;
        check(market.resting < u32::MAX - 1, "its market has too many orders")?;

        let from_best = if side == Side::Yes { tick.0 } else { ladder.len() - 1 - tick.0 };
        let here = (outcome, side, from_best, id);
        check(open.last.is_none_or(|last| last < here), "its order is not behind the one before")?;
        open.last = Some(here);

        let whole = id.0.checked_sub(half as u64).map(OrderId).filter(|whole| whole.is_some());
        let whole = whole.ok_or("half of an order that there is not")?;
        check(
            (half == Half::Whole) == image.whole.is_none(),
            "a whole order is told of with its halves only",
        )?;
        if let Some(report) = image.whole {
            check(report.order_id == whole, "half of another order")?;
            let before = state.splits.insert(whole, report);
            check(before.is_none_or(|before| before == report), "two halves tell of their order otherwise")?;
        }
        let side_of_book = market.runners[outcome.index()].side_mut(side);
        let level = side_of_book.level(&state.store.pages, tick).map_or(0, |level| level.total);
        check(level.checked_add(remaining).is_some(), "its level holds more than can be")?;
        let place = Place { outcome, side, tick, mirrored: image.mirrored };
        let client = open.clients.get(&whole).copied().unwrap_or(NO_CLIENT_ID);
        let order = image.resting(place, left, open.slot, client);
        state.store.rest(side_of_book, ladder, order, NonZeroU64::new(image.expiry_ms));
        market.resting += 1;
        market.members.rest(image.account);
        state.members.rest(image.account);
        Ok(())
    }

    fn job(&mut self, image: JobImage) -> Taken {
        let JobImage { number, market, job } = image;
        let state = &mut self.state;
        check(number >= 1 && number <= state.sequence, "its job was not started")?;
        check(state.jobs.last().is_none_or(|last| last < number), "its job is not behind the one before")?;
        if job.filter.reason == CancelReason::MassCancelled {
            let bound = state.jobs.mass_cancels() < MASS_CANCELS_MAX;
            check(bound, "there are too many mass cancels")?;
        }
        let slot = state.markets.slot(market).ok_or("its job is of a market that there is not")?;
        let outcomes = state.markets.get(slot).runners.len();
        let outcome = job.filter.outcome.is_none_or(|outcome| outcome.index() < outcomes);
        check(outcome, "its job is for an outcome that there is not")?;
        if job.next.is_some() {
            let next = state.store.find(job.next).is_some_and(|(_, order)| order.market == slot);
            check(next, "its job goes on with an order that does not rest")?;
        }
        state.jobs.resume(&mut state.store, number, slot, job);
        Ok(())
    }

    fn turn(&mut self, turn: TurnImage) -> Taken {
        let state = &mut self.state;
        let turn = match turn {
            TurnImage::Closing(id) => {
                let closing = state.market(id).is_some_and(|market| market.is_closing());
                check(closing, "the turn of a market that is not closing")?;
                check(self.closing.insert(id), "a market has two turns")?;
                Turn::Closing(state.markets.slot(id).ok_or("the turn of a market that there is not")?)
            }
            TurnImage::Job(number) => {
                check(state.jobs.is_there(number), "the turn of a job that there is not")?;
                check(self.jobs.insert(number), "a job has two turns")?;
                Turn::Filtered(number)
            }
        };
        state.jobs.queue(turn);
        Ok(())
    }

    fn closed(&mut self, image: ClosedImage) -> Taken {
        let ClosedImage { market, time_ns } = image;
        let state = &mut self.state;
        let closed = state.markets.find(market).map(|market| market.own_state);
        check(closed == Some(BookMarketState::Closed), "it tells of the end of a market that has none")?;
        check(self.closed.insert(market), "a market is closed twice")?;
        let last = state.closed.back().map_or(0, |(last, _)| *last);
        check((last..=state.time_ns).contains(&time_ns), "its market closed at another time")?;
        state.closed.push_back((time_ns, market));
        Ok(())
    }
}

impl OrderImage {
    /// The order, of which so much is left, in the market of this slot, its client order id noted at this
    /// place.
    fn resting(&self, place: Place, left: i64, market: u32, client: u32) -> Order {
        let Place { outcome, side, tick, mirrored } = place;
        Order {
            id: self.id,
            account: self.account,
            quantity: self.quantity.0,
            filled: self.filled.0,
            left,
            accepted_ns: self.accepted_ns,
            market,
            tick: Tick(tick.0),
            client,
            outcome,
            side,
            mirrored,
            half: self.half,
            persistence: self.persistence,
            awaited: false,
            links: Links::default(),
        }
    }
}
