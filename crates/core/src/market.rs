//! A market: what it is, where it is in its life, and the books of its outcomes.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::book::{BookSide, Order};
use crate::command::{NewMarket, NewRunner};
use crate::event::OutcomeIndex;
use crate::ladder::Tick;
use crate::limits::{MARKET_BYTES, OUTCOME_BYTES};
use crate::line::Line;
use crate::members::Members;
use crate::reject::OrderReport;
use crate::topology::Topology;
use crate::types::{
    AccountId, BookMarketState, ClientOrderId, Hold, MarketId, MarketPhase, Price, RunnerId, Side,
};

#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) id: MarketId,
    /// As it was asked for, with the outcomes that were added.
    pub(crate) spec: NewMarket,
    pub(crate) topology: Topology,
    /// Where it is in its life, holds aside.
    pub(crate) own_state: BookMarketState,
    /// The holds that are on, a bit for each.
    pub(crate) holds: u8,
    pub(crate) phase: MarketPhase,
    pub(crate) reason: Option<Box<str>>,
    /// Events of this market so far.
    pub(crate) sequence: u64,
    pub(crate) resting: u32,
    pub(crate) runners: Vec<Runner>,
    pub(crate) clients: ClientIds,
    /// Who has orders or client order ids here.
    pub(crate) members: Members,
}

// What the bound on the bytes of markets counts is what they take, or somewhat more.
const _: () = assert!(size_of::<Market>() as u64 + 256 <= MARKET_BYTES);
const _: () = assert!((size_of::<Runner>() + size_of::<NewRunner>()) as u64 + 32 <= OUTCOME_BYTES);

impl NewMarket {
    /// What it takes, as [`Limits::market_bytes`](crate::limits::Limits::market_bytes) counts it. The key is kept
    /// twice, for it is looked up.
    pub(crate) fn bytes(&self) -> u64 {
        MARKET_BYTES + 2 * self.key.len() as u64 + self.name.len() as u64 + runners_bytes(&self.runners)
    }
}

/// What outcomes take.
pub(crate) fn runners_bytes(runners: &[NewRunner]) -> u64 {
    runners.iter().map(|runner| OUTCOME_BYTES + runner.name.len() as u64).sum()
}

/// A place in a book, and whether an order there was entered for the second outcome of a pair, whose book
/// is the first one's seen from the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) outcome: OutcomeIndex,
    pub(crate) side: Side,
    pub(crate) tick: Tick,
    pub(crate) mirrored: bool,
}

impl Order {
    /// Where it hangs.
    pub(crate) const fn place(&self) -> Place {
        Place { outcome: self.outcome, side: self.side, tick: self.tick, mirrored: self.mirrored }
    }
}

/// An outcome's book and what was traded in it.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    sides: [BookSide; 2],
    /// The reduction factor that it was removed with.
    pub(crate) removed: Option<u16>,
    pub(crate) last_price: Option<Price>,
    /// Exact backers' stakes, or shares: i128, so that no number of trades can overflow it.
    pub(crate) traded: i128,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let sides = [BookSide::new(Side::Yes), BookSide::new(Side::No)];
        Self { sides, removed: None, last_price: None, traded: 0 }
    }

    pub(crate) fn side(&self, side: Side) -> &BookSide {
        &self.sides[side.index()]
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut BookSide {
        &mut self.sides[side.index()]
    }
}

impl Market {
    pub(crate) fn new(id: MarketId, spec: NewMarket) -> Self {
        let runners = spec.runners.iter().map(|_| Runner::new()).collect();
        let topology = Topology::of_taken(&spec);
        Self {
            id,
            topology,
            own_state: spec.state,
            holds: 0,
            phase: spec.phase,
            spec,
            reason: None,
            sequence: 0,
            resting: 0,
            runners,
            clients: ClientIds::default(),
            members: Members::default(),
        }
    }

    /// Where it is in its life: suspended while a hold is on, unless it is closed.
    pub(crate) const fn state(&self) -> BookMarketState {
        Self::state_with(self.own_state, self.holds)
    }

    /// What a market is with this state of its own and these holds.
    pub(crate) const fn state_with(own_state: BookMarketState, holds: u8) -> BookMarketState {
        match own_state {
            BookMarketState::Created | BookMarketState::Open if holds != 0 => BookMarketState::Suspended,
            state => state,
        }
    }

    /// Whether a hold is on.
    pub(crate) const fn is_held(&self, hold: Hold) -> bool {
        self.holds & hold.bit() != 0
    }

    /// The holds once this one is set or lifted.
    pub(crate) const fn holds_with(&self, hold: Hold, on: bool) -> u8 {
        if on { self.holds | hold.bit() } else { self.holds & !hold.bit() }
    }

    /// The outcome that an order for this id is for: one that is not removed.
    pub(crate) fn outcome_of(&self, id: RunnerId) -> Option<OutcomeIndex> {
        self.listed(id).filter(|outcome| self.runners[outcome.index()].removed.is_none())
    }

    /// The outcome with this id, removed or not.
    pub(crate) fn listed(&self, id: RunnerId) -> Option<OutcomeIndex> {
        let index = self.spec.runners.iter().position(|runner| runner.id == id)?;
        u16::try_from(index).ok().map(OutcomeIndex)
    }

    /// Where an order for this outcome hangs in the book.
    pub(crate) fn place(&self, outcome: OutcomeIndex, side: Side, tick: Tick) -> Place {
        if self.topology.pair && outcome.0 == 1 {
            let tick = self.spec.ladder.mirrored(tick);
            return Place { outcome: OutcomeIndex(0), side: side.opposite(), tick, mirrored: true };
        }
        Place { outcome, side, tick, mirrored: false }
    }

    /// What hangs in the book at a place, in the words of whoever entered it.
    #[inline(always)]
    pub(crate) fn told(&self, place: Place) -> (OutcomeIndex, Side, Price) {
        if place.mirrored {
            let price = self.spec.ladder.price(self.spec.ladder.mirrored(place.tick));
            return (OutcomeIndex(1), place.side.opposite(), price);
        }
        (place.outcome, place.side, self.spec.ladder.price(place.tick))
    }

    /// Whether these two are the halves of a quarter line, the one nearer to zero first.
    pub(crate) fn are_halves(&self, near: OutcomeIndex, far: OutcomeIndex) -> bool {
        let line =
            |outcome: OutcomeIndex| Line::parse(&self.spec.runners[outcome.index()].name).ok().flatten();
        let (Some(near), Some(far)) = (line(near), line(far)) else { return false };
        let quarter = Line { quarters: i32::midpoint(near.quarters, far.quarters), ..near };
        self.topology.lines && quarter.is_quarter() && quarter.halves() == (near, far)
    }

    /// Remembers a client order id that is not known yet; says where.
    pub(crate) fn remember(&mut self, entry: ClientEntry) -> u32 {
        self.members.remember(entry.account);
        self.clients.insert(entry)
    }

    pub(crate) fn outcome_named(&self, name: &str) -> Option<OutcomeIndex> {
        let index = self.spec.runners.iter().position(|runner| runner.name == name)?;
        u16::try_from(index).ok().map(OutcomeIndex)
    }
}

/// The client order ids that a market remembers, in the order of their use.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientIds {
    pub(crate) entries: Vec<ClientEntry>,
    index: HashTable<u32>,
    /// Ids are chosen by clients, so their hash is keyed at random: nobody can make them collide, and
    /// nothing that comes out depends on it.
    hasher: RandomState,
}

#[derive(Clone, Debug)]
pub(crate) struct ClientEntry {
    pub(crate) account: AccountId,
    pub(crate) id: ClientOrderId,
    pub(crate) report: OrderReport,
}

impl ClientIds {
    pub(crate) fn find(&self, account: AccountId, id: &str) -> Option<&ClientEntry> {
        let hash = self.hasher.hash_one((account, id));
        let same = |place: &u32| {
            let entry = &self.entries[*place as usize];
            entry.account == account && entry.id.as_str() == id
        };
        self.index.find(hash, same).map(|place| &self.entries[*place as usize])
    }

    /// Remembers an id that is not known yet; says where.
    pub(crate) fn insert(&mut self, entry: ClientEntry) -> u32 {
        let place = u32::try_from(self.entries.len()).expect("Limits::client_ids_per_market is a u32");
        let hash = self.hasher.hash_one((entry.account, entry.id.as_str()));
        self.entries.push(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, place, |place| {
            let entry = &entries[*place as usize];
            hasher.hash_one((entry.account, entry.id.as_str()))
        });
        place
    }
}
