//! All that has been shown, and all that follows from it: every transaction that came through the gate, the
//! state that they add up to, the ledger that holds them against the rules, and the twins that match again.

use std::collections::BTreeMap;

use betex::engine::state::State;
use betex::prelude::*;
use betex_core::event::{OutcomeIndex, Stamp};
use betex_core::view::OrderView;
use betex_journal::JournalEvent;

use crate::failure::{Check, Checked, Failure, ensure};
use crate::twin::Twin;

/// The checker of events that the core's own tests have: one set of rules for both.
#[path = "../../core/tests/it/ledger/mod.rs"]
mod ledger;

/// What the world has seen.
#[derive(Default)]
pub(crate) struct Truth {
    events: Vec<JournalEvent>,
    /// Of a transaction that is not yet whole.
    open: usize,
    state: State,
    ledger: ledger::Ledger,
    twins: BTreeMap<MarketId, Twin>,
    /// Transactions that were there after a restart though nobody had seen them.
    pub(crate) unseen: u64,
    pub(crate) transactions: u64,
}

/// How much of what can happen has happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Volume {
    pub(crate) events: u64,
    pub(crate) trades: u64,
    pub(crate) sets: u64,
}

impl Truth {
    /// The number of the last event that was shown.
    pub(crate) fn sequence(&self) -> u64 {
        self.events.len() as u64
    }

    /// The event of this number.
    pub(crate) fn event(&self, sequence: u64) -> Option<&JournalEvent> {
        self.events.get(usize::try_from(sequence.checked_sub(1)?).ok()?)
    }

    /// The transactions, one after the other.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &[JournalEvent]> {
        self.events.chunk_by(|event, _| !event.ends_transaction)
    }

    pub(crate) fn volume(&self) -> Volume {
        let (trades, sets) = (self.ledger.trades, self.ledger.sets);
        Volume { events: self.sequence(), trades, sets }
    }

    /// One more event was shown.
    pub(crate) fn show(&mut self, event: JournalEvent) -> Checked {
        let expected = self.sequence() + 1;
        ensure(event.sequence == expected, Check::Handler, || {
            format!("event {} was shown where {expected} was due", event.sequence)
        })?;
        let ends = event.ends_transaction;
        self.events.push(event);
        self.open += 1;
        if ends { self.close() } else { Ok(()) }
    }

    /// The transaction is whole.
    fn close(&mut self) -> Checked {
        let transaction = &self.events[self.events.len() - std::mem::take(&mut self.open)..];
        self.transactions += 1;
        let stamp = stamp(transaction);
        let events: Vec<Event> = transaction.iter().map(|event| event.event.clone()).collect();
        self.state.apply(&stamp, &events);
        self.ledger.take(&stamp, &events);
        // What is left to tell of is what happened in the market.
        let transaction = match &events[0] {
            Event::AccountRegistered { .. } => &transaction[1..],
            _ => transaction,
        };
        match &events[0] {
            Event::MarketCreated(spec) => drop(self.twins.insert(stamp.market_id, Twin::new(spec))),
            Event::MarketRemoved => drop(self.twins.remove(&stamp.market_id)),
            _ => (),
        }
        let twin = self.twins.get_mut(&stamp.market_id);
        twin.filter(|_| !transaction.is_empty()).map_or(Ok(()), |twin| twin.take(transaction))
    }

    /// The digest of the state at this event, the last one or one before.
    pub(crate) fn digest_at(&self, sequence: u64) -> [u8; 32] {
        if sequence == self.sequence() {
            return self.state.digest();
        }
        let mut state = State::new();
        for transaction in self.transactions().take_while(|events| events[0].sequence <= sequence) {
            let events: Vec<Event> = transaction.iter().map(|event| event.event.clone()).collect();
            state.apply(&stamp(transaction), &events);
        }
        state.digest()
    }

    /// Holds a journal, transaction by transaction from this event on, against what was shown.
    pub(crate) fn follow(&self, after: u64) -> Follow<'_> {
        Follow { truth: self, at: after, beyond: Vec::new(), failure: None }
    }

    /// What was on the disk, though nobody had been told.
    pub(crate) fn add(&mut self, beyond: Vec<JournalEvent>) -> Checked {
        let before = self.transactions;
        beyond.into_iter().try_for_each(|event| self.show(event))?;
        self.unseen += self.transactions - before;
        Ok(())
    }

    /// Whether a state is what all that was shown adds up to, queue by queue and digest by digest, and what
    /// ledger and twins have come to.
    pub(crate) fn compare(&self, state: &State) -> Checked {
        let (is, due) = (state.sequence(), self.sequence());
        ensure(is == due, Check::Replay, || format!("the state is at {is}, {due} was shown"))?;
        let (seen, own) = (queues(state), queues(&self.state));
        let mut sorted = [seen.clone(), own.clone()];
        sorted.iter_mut().for_each(|orders| orders.sort_by_key(|order| order.id));
        ensure(sorted[0] != sorted[1] || seen == own, Check::Fifo, || {
            "the queues are in another order".into()
        })?;
        ensure(seen == own, Check::Replay, || "other orders rest than the events say".into())?;
        ensure(state.digest() == self.state.digest(), Check::Replay, || "the digests differ".into())?;
        let mut resting: Vec<_> = seen
            .iter()
            .map(|o| {
                (o.id, o.market_id, o.account, o.price.0, o.filled.0, o.remaining.0, i64::from(o.fraction))
            })
            .collect();
        resting.sort_unstable();
        ensure(resting == self.ledger.resting(), Check::Rules, || "the ledger has other orders".into())?;
        for market in state.markets() {
            for outcome in (0..).map(OutcomeIndex).take(market.spec().runners.len()) {
                let told = self.ledger.traded.get(&(market.id(), outcome)).copied();
                let (price, traded) = told.map_or((None, 0), |(price, traded)| (Some(price), traded));
                let same = (market.last_price(outcome), market.traded(outcome)) == (price, traded);
                ensure(same, Check::Rules, || format!("market {}: {outcome:?} traded else", market.id()))?;
            }
        }
        self.twins.iter().try_for_each(|(id, twin)| twin.compare(state, *id))
    }
}

/// A journal that is read from its beginning.
pub(crate) struct Follow<'a> {
    truth: &'a Truth,
    at: u64,
    beyond: Vec<JournalEvent>,
    failure: Option<Failure>,
}

impl Follow<'_> {
    /// The next transaction of the journal.
    pub(crate) fn take(&mut self, stamp: &Stamp, events: &[Event]) {
        let count = events.len() as u64;
        for (index, event) in (0..).zip(events) {
            let event = JournalEvent::of(stamp, index, count, event.clone());
            self.at += 1;
            match self.truth.event(self.at) {
                Some(shown) if *shown == event => (),
                Some(shown) => {
                    let is_other = shown.event != event.event || shown.sequence != event.sequence;
                    let check = if is_other { Check::Acknowledged } else { Check::Whole };
                    let words = format!("event {} was shown as {shown:?}, and is {event:?}", self.at);
                    self.failure.get_or_insert(Failure::new(check, words));
                }
                None => self.beyond.push(event),
            }
        }
    }

    /// The number of the last event, and what of it nobody had seen.
    pub(crate) fn end(self) -> Result<(u64, Vec<JournalEvent>), Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok((self.at, self.beyond)),
        }
    }
}

/// The stamp of a whole transaction.
pub(crate) fn stamp(transaction: &[JournalEvent]) -> Stamp {
    let JournalEvent { market_id, time_ns, sequence, market_sequence, .. } = transaction[0];
    Stamp { market_id, time_ns, sequence, market_sequence }
}

/// All that rests, market by market, each queue in its order; what the two outcomes of a pair share, once.
fn queues(state: &State) -> Vec<OrderView> {
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
