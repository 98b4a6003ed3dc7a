//! Writing: one write and one sync per frame, bounds, and nothing allocated once warm.

use betex_core::event::{CancelReason, Event, Half, OrderAccepted, OrderCancelled, OutcomeIndex};
use betex_core::limits::{FILLS_MAX, OWN_ORDERS_SKIPPED_MAX};
use betex_core::types::{ClientOrderId, Quantity, SelfTradePrevention, TimeInForce};
use betex_journal::record::BodyEncoder;
use betex_journal::{BODY_BYTES_MAX, BODY_GATHER_BYTES, Durability, JournalOptions, Log, LogError};

use crate::memory_storage::{Call, MemoryStorage};
use crate::tape::{Tape, Transaction, accepted, cancelled, matched, open, options, orders, read_all, set};

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

/// A set whose taker gives a stake that is not whole pennies, which takes more to say.
fn exact_set(taker: u64, makers: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    let mut events = set(taker, makers);
    let Event::SetMatched(set) = &mut events[0] else { panic!("not a set") };
    set.stake.0 += 1;
    events
}

/// The longest transaction that a command can cause: an order on a quarter line with all that can be said of
/// one, as many fills as there may be, each of them a set of two outcomes, as many own orders cancelled, and
/// the rest of either half.
fn longest() -> Vec<Event> {
    let client_order_id = Some(ClientOrderId::new(&"x".repeat(ClientOrderId::BYTES_MAX)).unwrap());
    let time_in_force = TimeInForce::Fok { min_fill: Quantity(1) };
    let self_trade = SelfTradePrevention::CancelResting;
    let order =
        OrderAccepted { client_order_id, time_in_force: time_in_force.into(), self_trade, ..accepted(1) };
    let own = OrderCancelled { reason: CancelReason::OwnOrder, ..cancelled(5) };
    let mut events = vec![Event::OrderSplit { order, far: OutcomeIndex(2) }];
    for (id, half) in [(2, Half::Near), (3, Half::Far)] {
        events.push(Event::OrderAccepted(OrderAccepted {
            half,
            client_order_id,
            time_in_force: time_in_force.into(),
            ..accepted(id)
        }));
        for _ in 0..FILLS_MAX / 2 {
            events.extend(exact_set(id, 4..=4));
        }
        events.extend(vec![Event::OrderCancelled(own); OWN_ORDERS_SKIPPED_MAX as usize / 2]);
        let rest = OrderCancelled { reason: CancelReason::OrderLimit, ..cancelled(id) };
        events.push(Event::OrderCancelled(rest));
    }
    events
}

#[test]
fn the_longest_transaction_of_the_core_fits() {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    let mut tape = Tape::new();
    tape.push(1, longest());
    let (stamp, events) = &tape.transactions[0];
    let allocations = allocation_counter::measure(|| opened.log.append(stamp, events).unwrap());
    assert_eq!(allocations.count_total, 0);
    let bytes = opened.log.open_bytes();
    println!("longest transaction: {} events, {bytes} bytes of {BODY_BYTES_MAX}", events.len());
    assert!(bytes < BODY_BYTES_MAX);
    // A set of two outcomes takes a maker's fill more than a direct one; a larger one has less to say of each.
    let direct = vec![Event::OrderAccepted(accepted(1)), Event::TradeMatched(matched(1, 2))];
    let taking = |set: Vec<Event>| [vec![Event::OrderAccepted(accepted(1))], set].concat();
    let mut per_fill = Vec::new();
    for (fills, events) in [
        (1, direct),
        (1, taking(set(1, 4..=4))),
        (1, taking(exact_set(1, 4..=4))),
        (2, taking(exact_set(1, 4..=5))),
    ] {
        let mut body = Vec::new();
        BodyEncoder::new().append(&mut body, usize::MAX, stamp, &events).unwrap();
        per_fill.push((body.len() - 32 - 48) / fills);
    }
    assert_eq!(per_fill, [64, 40 + 64, 48 + 64, (48 + 2 * 64) / 2]);
    opened.log.commit().unwrap();
    drop(opened);
    assert_eq!(open(storage).replayed, tape.transactions);
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
