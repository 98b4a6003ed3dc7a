//! What is written is what is read: any events, any split into frames; and any other bytes are no panic.

use betex_core::command::NewMarket;
use betex_core::event::{Event, OrderAccepted, OutcomeIndex, TradeMatched};
use betex_core::types::{Money, OrderId, Quantity};
use betex_journal::Log;
use betex_journal::record::{BodyDecoder, BodyEncoder, EncodeError, RecordError, kind};
use proptest::prelude::*;
use proptest::sample::select;

use crate::any_events::{any_leg, transaction};
use crate::memory_storage::MemoryStorage;
use crate::tape::{Tape, Transaction, accepted, exact_day, matched, open, orders, read_all, set};

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

/// Whether the amounts of a leg fit each other, as the rules have it: worked out in another way than the encoder's.
fn fits(leg: &TradeMatched) -> bool {
    if leg.stake == leg.quantity && leg.maker_fraction == 0 {
        return true;
    }
    let (remaining, fraction) = (leg.maker_remaining.0, i64::from(leg.maker_fraction));
    let before = remaining + fraction + leg.stake.0;
    (0..100).contains(&fraction)
        && remaining >= 0
        && remaining.rem_euclid(100) == 0
        && leg.stake.0 > 0
        && leg.quantity.0 == before.div_euclid(100) * 100 - remaining
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    /// A leg whose amounts fit each other comes back; any other is refused when it is written.
    #[test]
    fn the_amounts_of_a_leg_fit_or_are_refused(leg in any_leg()) {
        let mut events = [vec![Event::OrderAccepted(accepted(4))], set(4, 1..=1)].concat();
        let Event::TradeMatched(of_set) = &events[2] else { panic!("not a leg") };
        let (taker_order_id, payout) = (of_set.taker_order_id, of_set.payout);
        events[2] = Event::TradeMatched(TradeMatched { taker_order_id, payout, leg: 1, ..leg });
        let mut body = Vec::new();
        let stamp = exact_day()[5].0;
        let encoded = BodyEncoder::new().append(&mut body, usize::MAX, &stamp, &events);
        prop_assert_eq!(encoded.is_ok(), fits(&leg), "{:?}", encoded);
        if encoded.is_ok() {
            let (decoded, whole) = decode(&body);
            prop_assert!(whole && decoded.len() == 1 && decoded[0].1 == events);
        }
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
        let mut record = encode(&exact_day()[..1])[..32].to_vec();
        record.extend([kind.to_le_bytes(), version.to_le_bytes()].concat());
        record.extend((len + 8).to_le_bytes());
        record.extend(&body[..usize::try_from(len).unwrap()]);
        decode(&record);
    }
}

#[test]
fn every_changed_bit_of_a_body_is_refused_or_means_something() {
    let body = encode(&exact_day());
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
    let body = encode(&exact_day());
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
    let stamp = exact_day()[5].0;
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
    // An amount with a fraction that is none, or that does not follow from the others.
    let set_of = |quantity, stake| {
        let mut events = [vec![order(4)], set(4, 1..=2)].concat();
        let Event::SetMatched(set) = &mut events[1] else { panic!("not a set") };
        (set.quantity, set.stake) = (Quantity(quantity), Quantity(stake));
        events
    };
    let resting = |resting, fraction| {
        vec![Event::OrderAccepted(OrderAccepted { resting: Quantity(resting), fraction, ..accepted(4) })]
    };
    let split = OrderAccepted { fraction: 1, ..accepted(4) };
    let a_penny = "a fraction of a penny or more";
    let no_pennies = "an exact amount beside what is not whole pennies";
    let unstaked = "a trade whose quantity does not follow from its stake";
    let set_unstaked = "a set whose quantity does not follow from its stake";
    let untaken = "a trade without its taker's OrderAccepted";
    let another = "a trade of another taker";
    let unpaid = "a direct trade that pays neither its stake at its odds nor a unit a share";
    let incomplete = "a set without all its legs";
    let unfollowed = "a leg that does not follow from its set";
    let ticks = "a binary ladder of too few or too many ticks";
    let wrong: [(&str, Vec<Event>); 43] = [
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
        (a_penny, leg(|leg| leg.maker_fraction = 100)),
        (a_penny, leg(|leg| leg.maker_fraction = 255)),
        (no_pennies, leg(|leg| (leg.maker_fraction, leg.maker_remaining) = (1, Quantity(50)))),
        (no_pennies, leg(|leg| (leg.maker_fraction, leg.maker_remaining) = (1, Quantity(-100)))),
        (no_pennies, leg(|leg| (leg.stake.0, leg.maker_remaining) = (400_001, Quantity(50)))),
        (no_pennies, leg(|leg| (leg.maker_fraction, leg.maker_remaining) = (8, Quantity(i64::MAX - 7)))),
        (unstaked, leg(|leg| leg.stake.0 += 100)),
        (unstaked, leg(|leg| leg.stake.0 -= 1)),
        (unstaked, leg(|leg| leg.stake.0 = 0)),
        (unstaked, leg(|leg| (leg.quantity.0, leg.maker_fraction) = (400_050, 50))),
        (unstaked, leg(|leg| (leg.stake.0, leg.quantity.0) = (i64::MAX, i64::MAX / 100 * 100))),
        (set_unstaked, set_of(300_000, 300_100)),
        (set_unstaked, set_of(300_001, 300_002)),
        (set_unstaked, set_of(0, 0 - 1)),
        (a_penny, resting(100, 100)),
        (no_pennies, resting(50, 50)),
        (no_pennies, resting(-100, 50)),
        (
            "an order on a quarter line with a fraction beside its halves'",
            vec![Event::OrderSplit { order: split, far: OutcomeIndex(1) }],
        ),
        ("a direct trade whose stake is not its quantity", vec![order(4), trade(|trade| trade.stake.0 += 1)]),
        (a_penny, vec![order(4), trade(|trade| trade.maker_fraction = 100)]),
        (
            "a fraction of a share",
            vec![
                order(4),
                trade(|trade| (trade.payout, trade.maker_fraction) = (Money(trade.quantity.0 * 10_000), 1)),
            ],
        ),
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
        encode(&[(exact_day()[5].0, [vec![Event::OrderAccepted(accepted(4))], set(4, 1..=2)].concat())]);
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
