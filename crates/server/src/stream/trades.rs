//! Which sequence numbers of the past are trades.

use std::collections::BTreeSet;

use betex::Engine;
use betex_core::event::Event;
use betex_core::types::MarketId;

use super::history::HistoryFault;

/// What is no further ahead is read up to: going there would read the headers of its segment from the first.
const EVENTS_WORTH_A_SEEK: u64 = 100_000;

/// The lowest of these numbers that is not the first event of a trade of this market, if there is one. Blocks.
pub(crate) fn first_that_is_none(
    engine: &Engine,
    market: MarketId,
    ids: BTreeSet<u64>,
) -> Result<Option<u64>, HistoryFault> {
    let last = engine.read().sequence();
    let (mut reader, mut events, mut next) = (None, Vec::new(), 0_u64);
    let (mut first, mut in_market) = (0, false);
    for id in ids {
        if id == 0 || id > last {
            return Ok(Some(id));
        }
        while id >= next {
            let reader = match &mut reader {
                Some(reader) => reader,
                none => none.insert(engine.journal_reader()?),
            };
            if next == 0 || id - next > EVENTS_WORTH_A_SEEK {
                reader.seek(id)?;
                reader.set_limit(last);
            }
            let Some(stamp) = reader.next_transaction(&mut events)? else {
                return Err(HistoryFault::Unreadable(format!("the journal ends before event {id}")));
            };
            (first, in_market) = (stamp.sequence, stamp.market_id == market);
            next = first + events.len() as u64;
        }
        let event = usize::try_from(id - first).ok().and_then(|place| events.get(place));
        if !in_market || !event.is_some_and(begins_a_trade) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn begins_a_trade(event: &Event) -> bool {
    match event {
        Event::SetMatched(_) => true,
        Event::TradeMatched(trade) => !trade.is_synthetic(),
        _ => false,
    }
}
