//! What memory keeps and what it lets go.

use std::sync::Arc;

use betex_core::command::NewMarket;
use betex_core::event::Event;
use betex_core::types::{BookMarketState, MarketId};
use betex_journal::JournalEvent;

use super::form::Scope;
use super::names::Names;
use super::recent::{Recent, Transaction};
use super::scene::Seen;

fn transaction(market: u64, first: u64, events: Vec<Event>) -> Arc<Transaction> {
    let count = events.len() as u64;
    let seen = (first..).zip(events).map(|(sequence, event)| {
        let ends_transaction = sequence + 1 == first + count;
        let (market_id, market_sequence) = (MarketId(market), sequence);
        let record =
            JournalEvent { sequence, market_id, market_sequence, time_ns: 1, ends_transaction, event };
        Seen { record, level: None }
    });
    Arc::new(Transaction::new(seen.collect()))
}

fn opened() -> Event {
    Event::MarketStatusChanged { to: BookMarketState::Open, reason: None }
}

fn record(recent: &Recent, market: u64, first: u64, events: Vec<Event>) {
    recent.record(transaction(market, first, events), || Some(Names::only_key("key")));
}

/// The first events of the transactions that are told from an event on.
fn told(recent: &Recent, scope: Scope, from: u64) -> Option<Vec<u64>> {
    let (mut told, mut next) = (Vec::new(), from);
    loop {
        let part = recent.part(scope, next)?;
        assert!(part.next >= next);
        told.extend(part.transactions.iter().map(|(transaction, _)| transaction.first()));
        next = part.next;
        if part.is_all {
            return Some(told);
        }
    }
}

#[test]
fn a_busy_market_does_not_displace_a_quiet_one() {
    let recent = Recent::default();
    recent.set_bytes_max(100_000);
    recent.begin(10, 10, Vec::new());
    record(&recent, 1, 11, vec![opened()]);
    record(&recent, 1, 12, vec![opened(), opened()]);
    for sequence in 14..10_000 {
        record(&recent, 2, sequence, vec![opened()]);
    }
    let (quiet, busy) = (Scope::Market(MarketId(1)), Scope::Market(MarketId(2)));
    assert_eq!(told(&recent, quiet, 11), Some(vec![11, 12]));
    assert_eq!(told(&recent, quiet, 13), Some(vec![12]), "in the middle of a transaction");
    assert_eq!(told(&recent, quiet, 14), Some(vec![]));
    assert_eq!(told(&recent, quiet, 10), None, "before memory began");
    let (kept, bytes) = recent.size();
    assert!((100..1_000).contains(&kept) && bytes <= 100_000, "{kept} {bytes}");
    let begins = (14..10_000).find(|sequence| recent.reaches(busy, *sequence)).unwrap();
    assert_eq!(told(&recent, busy, begins).unwrap().len(), kept - 2);
    assert_eq!(told(&recent, busy, begins - 1), None);
    assert_eq!(told(&recent, Scope::Everything, begins).unwrap(), (begins..10_000).collect::<Vec<_>>());
    assert_eq!(told(&recent, Scope::Everything, begins - 1), None);
}

#[test]
fn what_was_missed_is_not_told_as_if_it_had_not_been() {
    let recent = Recent::default();
    recent.begin(0, 0, Vec::new());
    record(&recent, 1, 1, vec![opened()]);
    record(&recent, 2, 2, vec![opened()]);
    recent.forget(MarketId(1), 1);
    let (one, two) = (Scope::Market(MarketId(1)), Scope::Market(MarketId(2)));
    assert_eq!((told(&recent, one, 1), told(&recent, one, 2)), (None, Some(vec![])));
    assert_eq!(told(&recent, two, 1), Some(vec![2]));
    assert_eq!(told(&recent, Scope::Everything, 1), None);
    // Of markets that were never seen, nothing is known before that either.
    assert_eq!(told(&recent, Scope::Market(MarketId(3)), 1), None);
    assert_eq!(told(&recent, Scope::Market(MarketId(3)), 2), Some(vec![]));
}

#[test]
fn a_name_means_the_market_that_had_it() {
    let recent = Recent::default();
    recent.begin(100, 100, vec![(MarketId(1), "cup".into())]);
    let created = |outcomes: [&str; 2]| Event::MarketCreated(Box::new(NewMarket::new("cup", outcomes)));
    recent.record(transaction(1, 101, vec![Event::MarketRemoved]), || None);
    record(&recent, 2, 102, vec![created(["A", "B"])]);
    record(&recent, 2, 103, vec![Event::MarketRemoved]);
    record(&recent, 3, 104, vec![created(["C", "D"])]);
    let who = |from| recent.with_names(|names| names.removed_since("cup", from));
    assert_eq!(who(100), Some((MarketId(1), 101)));
    assert_eq!(who(101), Some((MarketId(1), 101)));
    assert_eq!(who(102), Some((MarketId(2), 103)));
    assert_eq!(who(104), None);
    assert!(recent.with_names(|names| !names.knows_from(100) && names.knows_from(101)));
    assert_eq!(recent.names(MarketId(2)).unwrap().outcomes[1].name, "B");
    // There was nothing of it before it was created.
    assert_eq!(told(&recent, Scope::Market(MarketId(2)), 1), Some(vec![102, 103]));
    // Names outlive what is told of their market.
    recent.set_bytes_max(0);
    record(&recent, 3, 105, vec![opened()]);
    assert_eq!(recent.size(), (0, 0));
    assert_eq!(recent.names(MarketId(2)).unwrap().outcomes[1].name, "B");
    assert_eq!(told(&recent, Scope::Market(MarketId(2)), 103), None);
}
