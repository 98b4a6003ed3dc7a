//! Fills memory with the end of the journal before the server serves: after a restart clients come back and resume
//! from where they were, and need not read the journal for that, each for itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use betex::Engine;
use betex::error::EngineError;
use betex_core::event::{Event, Stamp};
use betex_core::types::MarketId;
use betex_journal::{JournalEvent, ReadError};

use super::levels::Levels;
use super::names::Names;
use super::recent::{Recent, Transaction};
use super::scene::Seen;

/// Events that are read, give or take a transaction.
const EVENTS: u64 = 65_536;
/// How often it reads on because something has happened meanwhile.
const TIMES: u32 = 8;

/// The end of the past, as memory takes it.
#[derive(Default)]
pub(super) struct Tail {
    /// The first event of it, and the last that there was when it was read.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) transactions: Vec<Arc<Transaction>>,
    /// Of every market in it.
    pub(super) names: HashMap<MarketId, Arc<Names>>,
    /// The last event of a market whose names are not known any more; it is left out.
    pub(super) unknown: u64,
}

/// Fills memory. Blocks. Where the journal cannot be read memory stays empty, and streams will say why.
pub(crate) fn fill(recent: &Recent, engine: &Engine) {
    match read(engine) {
        Ok(Some(tail)) => recent.prepend(tail),
        Ok(None) => (),
        Err(problem) => tracing::warn!("the end of the journal could not be read into memory: {problem}"),
    }
}

fn read(engine: &Engine) -> Result<Option<Tail>, EngineError> {
    let mut to = engine.read().sequence();
    let mut reader = engine.journal_reader()?;
    let mut from = (to + 1).saturating_sub(EVENTS).max(1);
    match reader.seek(from) {
        Err(ReadError::Pruned { first }) => {
            from = first;
            reader.seek(from)?;
        }
        sought => sought?,
    }
    let mut past: Vec<(Stamp, Vec<Event>)> = Vec::new();
    for _ in 0..TIMES {
        reader.set_limit(to);
        let mut events = Vec::new();
        while let Some(stamp) = reader.next_transaction(&mut events)? {
            past.push((stamp, std::mem::take(&mut events)));
        }
        // A transaction that began before is whole, too.
        from = past.first().map_or(from, |(stamp, _)| stamp.sequence);
        let markets = {
            let state = engine.read();
            if state.sequence() == to {
                let market = |id| state.market(id).map(|view| (Names::of(&view), Levels::of(&view)));
                let ids = past.iter().map(|(stamp, _)| stamp.market_id);
                Some(ids.map(|id| (id, market(id))).collect::<BTreeMap<_, _>>())
            } else {
                to = state.sequence();
                None
            }
        };
        if let Some(markets) = markets {
            return Ok(Some(Tail { to, ..tail(from, past, markets) }));
        }
    }
    Ok(None)
}

fn tail(
    from: u64,
    past: Vec<(Stamp, Vec<Event>)>,
    mut markets: BTreeMap<MarketId, Option<(Names, Levels)>>,
) -> Tail {
    // Markets that came and went are named where they came. Nothing rested when they went.
    for (stamp, events) in &past {
        let Some(market) = markets.get_mut(&stamp.market_id) else { continue };
        for event in events {
            match (event, &mut *market) {
                (Event::MarketCreated(spec), gone @ None) => {
                    let names = Names::of_new(stamp.market_id, spec);
                    let levels = Levels::empty(names.paired);
                    *gone = Some((names, levels));
                }
                (Event::RunnersAdded(_), Some((names, _))) => names.apply(event),
                _ => (),
            }
        }
    }
    for (stamp, events) in &past {
        if let Some(Some((_, levels))) = markets.get_mut(&stamp.market_id) {
            events.iter().for_each(|event| levels.take_back(event));
        }
    }
    let mut tail = Tail { from, ..Tail::default() };
    for (stamp, events) in past {
        let count = events.len() as u64;
        let Some(Some((_, levels))) = markets.get_mut(&stamp.market_id) else {
            if stamp.market_id.is_some() {
                tail.unknown = stamp.sequence + count - 1;
            }
            continue;
        };
        let seen = (0..count).zip(events).map(|(index, event)| {
            let level = levels.apply(&event);
            Seen { record: JournalEvent::of(&stamp, index, count, event), level }
        });
        tail.transactions.push(Arc::new(Transaction::new(seen.collect())));
    }
    let named = markets.into_iter().filter_map(|(id, market)| Some((id, Arc::new(market?.0))));
    tail.names = named.collect();
    tail
}
