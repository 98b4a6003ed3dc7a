//! What is written is what is read: any events, any split into frames; and any other bytes are no panic.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, TradeMatched};
use betex_core::ladder::Ladder;
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketKind, MarketModel, MarketPhase, OrderId, Persistence,
    Price, Quantity, RunnerId, Side, TimeInForce,
};
use betex_journal::Log;
use betex_journal::record::{BodyDecoder, BodyEncoder, EncodeError};
use proptest::prelude::*;

use crate::memory_storage::MemoryStorage;
use crate::tape::{Tape, Transaction, accepted, matched, open, orders, read_all, short_day};

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Yes), Just(Side::No)]
}

fn state() -> impl Strategy<Value = BookMarketState> {
    use BookMarketState::{Closed, Created, Open, Suspended};
    prop_oneof![Just(Created), Just(Open), Just(Suspended), Just(Closed)]
}

fn quantity() -> impl Strategy<Value = Quantity> {
    any::<i64>().prop_map(Quantity)
}

fn order_accepted() -> impl Strategy<Value = OrderAccepted> {
    let time_in_force = prop_oneof![
        Just(TimeInForce::Gtc),
        Just(TimeInForce::Ioc),
        any::<u64>().prop_map(|expiry_ms| TimeInForce::Gtd { expiry_ms }),
    ];
    let client_id =
        proptest::option::of("[a-zé\u{1F40E}]{1,16}".prop_map(|id| ClientOrderId::new(&id).unwrap()));
    let persistence = prop_oneof![Just(Persistence::Lapse), Just(Persistence::Persist)];
    let numbers = (any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>(), quantity(), quantity());
    (numbers, side(), any::<bool>(), time_in_force, persistence, client_id).prop_map(
        |(
            (id, account, outcome, price, quantity, resting),
            side,
            market_order,
            time_in_force,
            persistence,
            client,
        )| {
            OrderAccepted {
                order_id: OrderId(id),
                account: AccountId(account),
                client_order_id: client,
                outcome: OutcomeIndex(outcome),
                side,
                price: Price(price),
                market_order,
                time_in_force,
                persistence,
                quantity,
                resting,
            }
        },
    )
}

prop_compose! {
    fn trade_matched()(
        ids in (any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>()),
        maker_side in side(),
        quantities in (quantity(), quantity(), quantity(), quantity()),
    ) -> TradeMatched {
        let (maker, account, outcome, price) = ids;
        let (quantity, maker_quantity, maker_filled, maker_remaining) = quantities;
        TradeMatched {
            // Filled in by the transaction.
            taker_order_id: OrderId::NONE,
            maker_order_id: OrderId(maker),
            maker_account: AccountId(account),
            outcome: OutcomeIndex(outcome),
            maker_side,
            price: Price(price),
            quantity,
            maker_quantity,
            maker_filled,
            maker_remaining,
        }
    }
}

prop_compose! {
    fn order_cancelled()(
        ids in (any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>()),
        side in side(),
        reason in prop_oneof![
            Just(CancelReason::Requested), Just(CancelReason::Unfilled), Just(CancelReason::SelfTrade),
            Just(CancelReason::OrderLimit), Just(CancelReason::Expired), Just(CancelReason::MarketClosed),
        ],
        quantities in (quantity(), quantity(), quantity(), quantity()),
    ) -> OrderCancelled {
        let (order, account, outcome, price) = ids;
        let (cancelled, quantity, filled, remaining) = quantities;
        OrderCancelled {
            order_id: OrderId(order),
            account: AccountId(account),
            outcome: OutcomeIndex(outcome),
            side,
            price: Price(price),
            reason,
            cancelled,
            quantity,
            filled,
            remaining,
        }
    }
}

fn market_created() -> impl Strategy<Value = NewMarket> {
    let runner = (any::<u64>(), ".{0,12}").prop_map(|(id, name)| NewRunner { id: RunnerId(id), name });
    let codes = (
        prop_oneof![Just(MarketModel::ExchangeOdds), Just(MarketModel::BinaryYes)],
        prop_oneof![Just(Ladder::Classic), Just(Ladder::Finest)],
        prop_oneof![Just(MarketKind::PreEventOnly), Just(MarketKind::InPlayCapable)],
        prop_oneof![Just(MarketPhase::Pre), Just(MarketPhase::PreAwaitLive), Just(MarketPhase::Live)],
        state(),
    );
    (".{0,20}", ".{0,20}", proptest::collection::vec(runner, 0..6), codes, quantity(), quantity()).prop_map(
        |(key, name, runners, (model, ladder, kind, phase, state), increment, min_quantity)| NewMarket {
            model,
            ladder,
            kind,
            phase,
            state,
            increment,
            min_quantity,
            ..NewMarket { key, name, runners, ..NewMarket::new("", [""; 0]) }
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u64>()).prop_map(|(a, b, c, d, e)| {
        Limits {
            markets: a,
            accounts: b,
            resting_orders: c,
            client_ids_per_market: d,
            closed_market_ttl_ms: e,
        }
    })
}

/// The events of one transaction, and whether it is in a market.
fn transaction() -> impl Strategy<Value = (bool, Vec<Event>)> {
    let matching = (
        order_accepted(),
        proptest::collection::vec(trade_matched(), 0..8),
        proptest::option::of(order_cancelled()),
    )
        .prop_map(|(order, trades, rest)| {
            let mut events = vec![Event::OrderAccepted(order)];
            events.extend(
                trades
                    .into_iter()
                    .map(|t| Event::TradeMatched(TradeMatched { taker_order_id: order.order_id, ..t })),
            );
            events.extend(rest.map(Event::OrderCancelled));
            (true, events)
        });
    let status = (state(), proptest::option::of(".{0,30}")).prop_map(|(to, reason)| {
        Event::MarketStatusChanged { to, reason: reason.map(String::into_boxed_str) }
    });
    prop_oneof![
        8 => matching,
        2 => proptest::collection::vec(order_cancelled().prop_map(Event::OrderCancelled), 1..8).prop_map(|e| (true, e)),
        1 => market_created().prop_map(|market| (true, vec![Event::MarketCreated(Box::new(market))])),
        1 => status.prop_map(|event| (true, vec![event])),
        1 => Just((true, vec![Event::MarketRemoved])),
        1 => limits().prop_map(|limits| (false, vec![Event::LimitsSet(limits)])),
        1 => (any::<u64>(), ".{0,30}").prop_map(|(account, name)| {
            (false, vec![Event::AccountRegistered { account: AccountId(account), name: name.into_boxed_str() }])
        }),
    ]
}

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

    #[test]
    fn random_bytes_are_no_panic(body in proptest::collection::vec(any::<u8>(), 0..512), kind in 0_u16..128) {
        decode(&body);
        // With a head that is right, so that the fields behind it are reached.
        let len = u32::try_from(body.len() & !7).unwrap();
        let mut record = encode(&short_day()[..1])[..32].to_vec();
        record.extend([kind.to_le_bytes(), 1_u16.to_le_bytes()].concat());
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
    println!("changed bits of a body: {} ({refused} refused)", 8 * body.len());
}

#[test]
fn what_the_core_never_emits_is_refused_and_leaves_nothing() {
    let stamp = short_day()[5].0;
    let wrong: [(&str, Vec<Event>); 3] = [
        ("no events", vec![]),
        ("a trade without its taker's OrderAccepted", vec![Event::TradeMatched(matched(4, 1))]),
        (
            "a trade without its taker's OrderAccepted",
            vec![Event::OrderAccepted(accepted(5)), Event::TradeMatched(matched(4, 1))],
        ),
    ];
    for (what, events) in wrong {
        let (mut encoder, mut body) = (BodyEncoder::new(), vec![1, 2, 3]);
        assert_eq!(encoder.append(&mut body, 4_096, &stamp, &events), Err(EncodeError::Invalid(what)));
        assert_eq!((body, encoder.events()), (vec![1, 2, 3], 0));
    }
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
