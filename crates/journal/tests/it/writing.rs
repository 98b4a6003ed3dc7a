//! Writing: one write and one sync per frame, bounds, and nothing allocated once warm.

use betex_core::event::{CancelReason, Event, OrderCancelled};
use betex_journal::{BODY_BYTES_MAX, BODY_GATHER_BYTES, Durability, JournalOptions, Log, LogError};

use crate::memory_storage::{Call, MemoryStorage};
use crate::tape::{Tape, Transaction, accepted, cancelled, matched, open, options, orders, read_all};

#[test]
fn a_commit_is_one_write_and_one_sync() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let before = (storage.calls(Call::Write), storage.calls(Call::Sync));
    let orders = orders(100);
    for ten in orders.chunks(10) {
        for (stamp, events) in ten {
            opened.log.append(stamp, events).unwrap();
        }
        assert!(opened.log.open_events() == 10 && opened.log.durable_sequence() < ten[9].0.sequence);
        opened.log.commit().unwrap();
        // Nothing appended: nothing done.
        opened.log.commit().unwrap();
        assert_eq!(opened.log.durable_sequence(), ten[9].0.sequence);
    }
    assert_eq!(opened.log.frames(), 10);
    // Each: header, context, ten orders of 48 bytes, padding.
    assert_eq!(opened.log.bytes(), 10 * (64 + 32 + 480_u64).next_multiple_of(64));
    assert_eq!((storage.calls(Call::Write), storage.calls(Call::Sync)), (before.0 + 10, before.1 + 10));
}

#[test]
fn without_durability_nothing_is_synced_and_it_says_so() {
    let storage = MemoryStorage::default();
    let options = JournalOptions { durability: Durability::None, ..options() };
    let (mut log, _, report) =
        betex_journal::open(std::sync::Arc::new(storage.clone()), &options, &mut |_, _| ()).unwrap();
    assert!(report.to_string().contains("LOSES"), "{report}");
    let before = storage.calls(Call::Sync);
    for (stamp, events) in orders(10) {
        log.append(&stamp, &events).unwrap();
        log.commit().unwrap();
    }
    assert_eq!((log.durable_sequence(), storage.calls(Call::Sync)), (10, before));
}

#[test]
fn a_body_gathers_up_to_its_bound_and_no_further() {
    assert_eq!((BODY_GATHER_BYTES, BODY_BYTES_MAX), (262_144, 786_432));
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let orders = orders(20_000);
    for (stamp, events) in &orders {
        opened.preparer.step().unwrap();
        opened.log.append(stamp, events).unwrap();
        assert!(opened.log.open_bytes() <= BODY_GATHER_BYTES);
    }
    opened.log.commit().unwrap();
    assert_eq!(opened.log.frames(), (20_000_u64 * 48).div_ceil((BODY_GATHER_BYTES - 32) as u64 / 48 * 48));
    assert_eq!(read_all(storage).unwrap(), orders);
}

/// One transaction, of so many cancellations, behind a small one.
fn large(cancels: usize) -> Vec<Transaction> {
    let mut tape = Tape::new();
    tape.push(1, vec![Event::OrderAccepted(accepted(1))]);
    let cancel = OrderCancelled { reason: CancelReason::MarketClosed, ..cancelled(1) };
    tape.push(1, vec![Event::OrderCancelled(cancel); cancels]);
    tape.transactions
}

#[test]
fn one_transaction_may_be_larger_up_to_a_bound() {
    let most = (BODY_BYTES_MAX - 32) / 64;
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let transactions = large(most);
    for (stamp, events) in &transactions {
        opened.preparer.step().unwrap();
        opened.log.append(stamp, events).unwrap();
    }
    assert_eq!((opened.log.frames(), opened.log.open_bytes()), (1, 32 + 64 * most));
    opened.log.commit().unwrap();
    drop(opened);
    assert_eq!(read_all(storage.clone()).unwrap(), transactions);
    assert_eq!(open(storage).replayed, transactions);

    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let transactions = large(most + 1);
    opened.log.append(&transactions[0].0, &transactions[0].1).unwrap();
    let before = storage.calls(Call::Write);
    let error = opened.log.append(&transactions[1].0, &transactions[1].1).unwrap_err();
    assert!(matches!(error, LogError::TooLarge { .. }), "{error}");
    // The frame before it was committed to make room; of the transaction itself nothing was written.
    assert!(storage.calls(Call::Write) <= before + 1 && opened.log.open_events() == 0);
    opened.log.commit().unwrap();
    assert_eq!(read_all(storage).unwrap(), transactions[..1]);
}

#[test]
fn sequence_numbers_have_no_gap() {
    let mut opened = open(MemoryStorage::default());
    for (first, (stamp, events)) in [(1, &orders(3)[1]), (1, &orders(3)[2])] {
        let error = opened.log.append(stamp, events).unwrap_err();
        assert!(matches!(error, LogError::OutOfSequence { expected, .. } if expected == first));
    }
    opened.write(&orders(1));
    assert!(matches!(
        opened.log.append(&orders(1)[0].0, &orders(1)[0].1),
        Err(LogError::OutOfSequence { .. })
    ));
}

/// The mix of the benchmark flow, a thousand commands: 0.85 accepted, 0.68 trades, 0.2 cancels each.
pub(crate) fn flow(thousands: u64) -> Vec<Transaction> {
    let mut tape = Tape::new();
    for id in 1..=1_000 * thousands {
        let order = Event::OrderAccepted(accepted(id));
        // Of twenty: twelve rest, five cross, three are cancels.
        let crossing = |trades: usize, rest: bool| {
            let mut events = vec![order.clone()];
            events.extend(vec![Event::TradeMatched(matched(id, 1)); trades]);
            events.extend(rest.then(|| Event::OrderCancelled(cancelled(id))));
            events
        };
        tape.push(
            1,
            match id % 20 {
                0..=11 => vec![order.clone()],
                12..=15 => crossing(3, id % 20 == 12),
                16 => crossing(if id % 100 == 16 { 0 } else { 2 }, false),
                _ => vec![Event::OrderCancelled(cancelled(id))],
            },
        );
    }
    tape.transactions
}

#[test]
fn a_command_of_the_flow_takes_less_than_120_bytes() {
    for batch in [32, 512] {
        let mut opened = open(MemoryStorage::default());
        for transactions in flow(4).chunks(batch) {
            for (stamp, events) in transactions {
                opened.log.append(stamp, events).unwrap();
            }
            opened.log.commit().unwrap();
        }
        let bytes = opened.log.bytes() as f64 / 4_000.0;
        println!("journal bytes per command, {batch} commands per frame: {bytes:.1}");
        assert!(bytes < 120.0);
    }
}

#[test]
fn the_hot_path_allocates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = open(betex_journal::FileStorage::new(directory.path()));
    let transactions = flow(2);
    let (warm, rest) = transactions.split_at(1_000);
    opened.write(warm);
    let log = &mut opened.log;
    let allocations = allocation_counter::measure(|| {
        for (i, (stamp, events)) in rest.iter().enumerate() {
            log.append(stamp, events).unwrap();
            if i % 64 == 0 {
                log.commit().unwrap();
            }
        }
        log.commit().unwrap();
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(log.frames(), 1_000 + 17);
}
