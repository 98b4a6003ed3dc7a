//! Which sequence numbers of the past are trades.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use betex::Engine;
use betex_core::event::Event;
use betex_core::types::MarketId;
use betex_journal::JournalReader;

use super::history::{HistoryFault, TURN};

/// What is no further ahead is read up to: going there would read the headers of its segment from the first.
const EVENTS_WORTH_A_SEEK: u64 = 100_000;

/// Looks for the lowest of some numbers that is not the first event of a trade of a market.
pub(crate) struct TradeCheck {
    engine: Arc<Engine>,
    market: MarketId,
    ids: BTreeSet<u64>,
    last: u64,
    reader: Option<JournalReader>,
    /// The transaction that was read last: its first event, what comes after it, and whether it is of the market.
    events: Vec<Event>,
    first: u64,
    next: u64,
    in_market: bool,
}

/// What has come of it so far.
pub(crate) enum Checked {
    /// All of them are trades.
    All,
    /// This one is none.
    NoTrade(u64),
    /// Not all have been looked at.
    NotYet,
}

impl TradeCheck {
    pub(crate) fn new(engine: Arc<Engine>, market: MarketId, ids: BTreeSet<u64>) -> Self {
        let last = engine.read().sequence();
        Self {
            engine,
            market,
            ids,
            last,
            reader: None,
            events: Vec::new(),
            first: 0,
            next: 0,
            in_market: false,
        }
    }

    /// Goes on for a while. Blocks.
    pub(crate) fn turn(&mut self) -> Result<Checked, HistoryFault> {
        let begun = Instant::now();
        while let Some(id) = self.ids.first().copied() {
            if id == 0 || id > self.last {
                return Ok(Checked::NoTrade(id));
            }
            if id >= self.next {
                self.read_towards(id)?;
            } else {
                let event = usize::try_from(id - self.first).ok().and_then(|place| self.events.get(place));
                if !self.in_market || !event.is_some_and(begins_a_trade) {
                    return Ok(Checked::NoTrade(id));
                }
                self.ids.pop_first();
            }
            if begun.elapsed() > TURN {
                return Ok(Checked::NotYet);
            }
        }
        Ok(Checked::All)
    }

    fn read_towards(&mut self, id: u64) -> Result<(), HistoryFault> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.engine.journal_reader()?),
        };
        if self.next == 0 || id - self.next > EVENTS_WORTH_A_SEEK {
            reader.seek(id)?;
            reader.set_limit(self.last);
        }
        let Some(stamp) = reader.next_transaction(&mut self.events)? else {
            return Err(HistoryFault::Unreadable(format!("the journal ends before event {id}")));
        };
        (self.first, self.in_market) = (stamp.sequence, stamp.market_id == self.market);
        self.next = stamp.sequence + self.events.len() as u64;
        Ok(())
    }
}

fn begins_a_trade(event: &Event) -> bool {
    match event {
        Event::SetMatched(_) => true,
        Event::TradeMatched(trade) => !trade.is_synthetic(),
        _ => false,
    }
}
