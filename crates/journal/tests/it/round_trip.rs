//! What is written is what is read: any events, any split into frames; and any other bytes are no panic.

use betex_core::command::NewMarket;
use betex_core::event::{Event, OutcomeIndex, TradeMatched};
use betex_core::types::{Money, OrderId};
use betex_journal::Log;
use betex_journal::record::{BodyDecoder, BodyEncoder, EncodeError, RecordError, kind};
use proptest::prelude::*;
use proptest::sample::select;

use crate::any_events::transaction;
use crate::memory_storage::MemoryStorage;
use crate::tape::{Tape, Transaction, accepted, matched, open, orders, read_all, set, short_day};

/// Transactions of three markets, some at the same time; and after which of them to commit.
fn flow() -> impl Strategy<Value = (Vec<Transaction>, Vec<bool>)> {
    proptest::collection::vec((transaction(), 1_u64..4, any::<bool>(), any::<bool>()), 1..40).prop_map(
        |steps| {
            let (mut tape, mut commits) = (Tape::new(), Vec::new());
            for ((in_market, events), market, later, commit) in steps {
                tape.time_ns += u64::from(later);
                tape.push(if in_market { market } else { 0 }, events);
                commits.push(commit);
            }
            (tape.transactions, commits)
        },
    )
}

fn encode(transactions: &[Transaction]) -> Vec<u8> {
    let (mut encoder, mut body) = (BodyEncoder::new(), Vec::new());
    for (stamp, events) in transactions {
        encoder.append(&mut body, usize::MAX, stamp, events).unwrap();
    }
    body
}

/// What can be decoded of a body, whatever it is.
fn decode(body: &[u8]) -> (Vec<Transaction>, bool) {
    let (mut decoder, mut events, mut decoded) = (BodyDecoder::new(1), Vec::new(), Vec::new());
    loop {
        match decoder.next_transaction(body, &mut events) {
            Ok(Some(stamp)) => decoded.push((stamp, events.clone())),
            Ok(None) => return (decoded, true),
            Err(error) => {
                assert_eq!(decoder.next_transaction(body, &mut events), Err(error), "an error stays");
                return (decoded, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_events_come_back_from_a_journal((transactions, commits) in flow()) {
        let storage = MemoryStorage::default();
        let mut opened = open(storage.clone());
        for ((stamp, events), commit) in transactions.iter().zip(commits) {
            opened.log.append(stamp, events).unwrap();
            if commit {
                opened.log.commit().unwrap();
            }
        }
        opened.log.commit().unwrap();
        drop(opened);
        prop_assert_eq!(&read_all(storage.clone()).unwrap(), &transactions);
        prop_assert_eq!(&open(storage).replayed, &transactions);
    }

    /// Decoding takes nothing that encoding does not write: bytes that decode encode to the same bytes.
    #[test]
    fn changed_bytes_are_refused_or_mean_themselves(
        (transactions, _) in flow(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = encode(&transactions);
        for (at, value) in changes {
            let at = at.index(body.len());
            body[at] = value;
        }
        let (decoded, whole) = decode(&body);
        prop_assert!(!whole || encode(&decoded) == body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_no_panic(
        body in proptest::collection::vec(any::<u8>(), 0..512),
        kind in select((0..128).filter(|&kind| kind < 16 || kind::name(kind).is_some()).collect::<Vec<u16>>()),
        version in 0_u16..4,
    ) {
        decode(&body);
        // With a head that is right, so that the fields behind it are reached.
        let len = u32::try_from(body.len() & !7).unwrap();
        let mut record = encode(&short_day()[..1])[..32].to_vec();
        record.extend([kind.to_le_bytes(), version.to_le_bytes()].concat());
        record.extend((len + 8).to_le_bytes());
        record.extend(&body[..usize::try_from(len).unwrap()]);
        decode(&record);
    }
}

#[test]
fn every_changed_bit_of_a_body_is_refused_or_means_something() {
    let body = encode(&short_day());
    let mut refused = 0;
    for bit in 0..8 * body.len() {
        let mut changed = body.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let (decoded, whole) = decode(&changed);
        refused += usize::from(!whole);
        assert!(!whole || encode(&decoded) == changed, "bit {bit}");
    }
    println!("proof: changed bits of a body: {} ({refused} refused)", 8 * body.len());
}

/// A length that is not true allocates no more than the bytes that are there could ask for.
#[test]
fn no_length_allocates_more_than_there_is() {
    let body = encode(&short_day());
    let whole = allocation_counter::measure(|| decode_only(&body).unwrap()).bytes_max;
    let mut refused = 0;
    for at in (0..body.len() - 4).step_by(2) {
        for value in [u32::MAX, 1 << 20, 1 << 12] {
            let mut changed = body.clone();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let allocations =
                allocation_counter::measure(|| refused += usize::from(decode_only(&changed).is_err()));
            assert!(allocations.bytes_max <= 2 * whole, "{value} at {at}: {} bytes", allocations.bytes_max);
        }
    }
    assert!(refused > 1_000, "{refused}");
}

fn decode_only(body: &[u8]) -> Result<(), RecordError> {
    let (mut decoder, mut events) = (BodyDecoder::new(1), Vec::new());
    while decoder.next_transaction(body, &mut events)?.is_some() {}
    Ok(())
}

#[test]
fn what_the_core_never_emits_is_refused_and_leaves_nothing() {
    let stamp = short_day()[5].0;
    let order = |id| Event::OrderAccepted(accepted(id));
    let trade = |change: fn(&mut TradeMatched)| {
        let mut trade = matched(4, 1);
        change(&mut trade);
        Event::TradeMatched(trade)
    };
    // The set of order 4 with two makers, changed.
    let changed = |change: fn(&mut Vec<Event>)| {
        let mut events = [vec![order(4)], set(4, 1..=2)].concat();
        change(&mut events);
        events
    };
    let leg = |change: fn(&mut TradeMatched)| {
        let mut events = [vec![order(4)], set(4, 1..=2)].concat();
        let Event::TradeMatched(leg) = &mut events[2] else { panic!("not a leg") };
        change(leg);
        events
    };
    let binary = |max_price_ticks| {
        vec![Event::MarketCreated(Box::new(NewMarket::binary("poll", max_price_ticks, ["yes", "no"])))]
    };
    let untaken = "a trade without its taker's OrderAccepted";
    let another = "a trade of another taker";
    let unpaid = "a direct trade that pays neither its stake at its odds nor a unit a share";
    let incomplete = "a set without all its legs";
    let unfollowed = "a leg that does not follow from its set";
    let ticks = "a binary ladder of too few or too many ticks";
    let wrong: [(&str, Vec<Event>); 22] = [
        ("no events", vec![]),
        (untaken, vec![trade(|_| ())]),
        (untaken, vec![Event::OrderSplit { order: accepted(4), far: OutcomeIndex(1) }, trade(|_| ())]),
        (another, vec![order(5), trade(|_| ())]),
        (another, vec![order(4), order(5), trade(|_| ())]),
        (unpaid, vec![order(4), trade(|trade| trade.payout.0 += 1)]),
        (unpaid, vec![order(4), trade(|trade| trade.payout = Money(0))]),
        ("a leg without its set", vec![order(4), trade(|trade| trade.leg = 1)]),
        (untaken, set(4, 1..=2)),
        (another, [vec![order(5)], set(4, 1..=2)].concat()),
        (
            "a set without makers",
            changed(|events| {
                let Event::SetMatched(set) = &mut events[1] else { panic!("not a set") };
                set.makers = 0;
            }),
        ),
        (incomplete, changed(|events| events.truncate(2))),
        (incomplete, changed(|events| events.truncate(3))),
        (incomplete, changed(|events| events.insert(3, Event::MarketRemoved))),
        (incomplete, changed(|events| events.insert(2, Event::TradeMatched(matched(4, 1))))),
        (incomplete, changed(|events| events.insert(2, events[1].clone()))),
        ("a leg without its set", changed(|events| events.push(events[3].clone()))),
        (unfollowed, changed(|events| events.swap(2, 3))),
        (unfollowed, leg(|leg| leg.payout.0 -= 1)),
        (unfollowed, leg(|leg| leg.taker_order_id = OrderId(5))),
        (ticks, binary(1)),
        (ticks, binary(10_001)),
    ];
    for (what, events) in wrong {
        let (mut encoder, mut body) = (BodyEncoder::new(), vec![1, 2, 3]);
        let refused = encoder.append(&mut body, 4_096, &stamp, &events);
        assert_eq!(refused, Err(EncodeError::Invalid(what)), "{events:?}");
        assert_eq!((body, encoder.events()), (vec![1, 2, 3], 0));
    }
}

/// A trade takes what it leaves out from what is before it, be it bytes that nobody has written.
#[test]
fn records_of_trades_are_read_only_behind_what_they_leave_out() {
    let body =
        encode(&[(short_day()[5].0, [vec![Event::OrderAccepted(accepted(4))], set(4, 1..=2)].concat())]);
    let (context, order) = (&body[..32], &body[32..80]);
    let (set, first, second) = (&body[80..120], &body[120..184], &body[184..]);
    let ended = |record: &[u8], at: usize| {
        let mut record = record.to_vec();
        record[at] = 1;
        record
    };
    for (bytes, what) in [
        ([context, set, first, second].concat(), "a trade without its taker's OrderAccepted"),
        ([context, order, first, second].concat(), "a leg without its set"),
        ([context, order, set, first, first, second].concat(), "a leg without its set"),
        ([context, order, &ended(set, 15)].concat(), "a set without all its legs"),
        ([context, order, set, &ended(first, 15)].concat(), "a set without all its legs"),
        ([context, order, set, set, first, second].concat(), "a set without all its legs"),
        ([context, order, set, order, first, second].concat(), "a set without all its legs"),
    ] {
        let error = BodyDecoder::new(1).next_transaction(&bytes, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
    assert!(BodyDecoder::new(1).next_transaction(&body, &mut Vec::new()).is_ok());
}

/// Contexts stand where they say something, and nowhere else.
#[test]
fn contexts_stand_where_they_must() {
    let orders = orders(2);
    let body = encode(&orders);
    assert_eq!(body.len(), 32 + 48 + 48);
    let (context, first, second) = (&body[..32], &body[32..80], &body[80..]);
    // What the second context would have to say: one event further.
    let mut next = context.to_vec();
    next[16] += 1;
    for (bytes, what) in [
        ([first, second].concat(), "an event before any context"),
        ([context, first, &next, second].concat(), "a context that says nothing new"),
        ([context, context, first].concat(), "a context where an event must follow"),
        ([context, first, context].concat(), "the last transaction has no end"),
    ] {
        let (mut decoder, mut events) = (BodyDecoder::new(1), Vec::new());
        let error = loop {
            match decoder.next_transaction(&bytes, &mut events) {
                Ok(stamp) => assert!(stamp.is_some(), "{what}: decoded"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains(what), "{error}");
    }
}
