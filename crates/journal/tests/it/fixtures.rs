//! Old bytes are read for ever. Each file in `tests/fixtures` was written once and is never changed; a new
//! version of a record or of the frame gets new files. Today's encoder must also still write the newest.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{
    CancelReason, Event, OrderAccepted, OrderCancelled, OutcomeIndex, Stamp, TradeMatched,
};
use betex_core::ladder::Ladder;
use betex_core::limits::Limits;
use betex_core::types::{
    AccountId, BookMarketState, ClientOrderId, MarketId, MarketKind, MarketModel, MarketPhase, OrderId,
    Persistence, Price, Quantity, RunnerId, Side, TimeInForce,
};
use betex_journal::record::{BodyDecoder, BodyEncoder};

use crate::memory_storage::MemoryStorage;
use crate::tape::{open, read_all, segment, short_day};

/// The bytes of a fixture: hex digits, and for people spaces, lines, and what is behind a `#`.
fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let digits: String =
        text.lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace).collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Bytes as a fixture has them, sixteen in a line.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

/// One transaction: the records it is made of, and what they mean.
#[track_caller]
fn check(records: &[&str], market_id: u64, events: &[Event]) {
    let market_sequence = if market_id == 0 { 0 } else { 0x0000_0304_0506_0708 };
    let stamp = Stamp {
        market_id: MarketId(market_id),
        time_ns: 0x1122_3344_5566_7788,
        sequence: 41,
        market_sequence,
    };
    let body: Vec<u8> = records.iter().flat_map(|name| fixture(name)).collect();
    let mut encoded = Vec::new();
    BodyEncoder::new().append(&mut encoded, usize::MAX, &stamp, events).unwrap();
    assert_eq!(hex(&encoded), hex(&body), "{records:?}: not what was written once");
    let (mut decoder, mut decoded) = (BodyDecoder::new(41), Vec::new());
    assert_eq!(decoder.next_transaction(&body, &mut decoded), Ok(Some(stamp)));
    assert_eq!(decoded, events);
    assert_eq!(decoder.next_transaction(&body, &mut decoded), Ok(None));
}

const MARKET: u64 = 0x0A0B_0C0D_0E0F_1011;

fn order_with_everything() -> OrderAccepted {
    OrderAccepted {
        order_id: OrderId(0x2122_2324_2526_2728),
        account: AccountId(0x3132_3334_3536_3738),
        client_order_id: Some(ClientOrderId::new("pferd-\u{1F40E}").unwrap()),
        outcome: OutcomeIndex(0x4142),
        side: Side::No,
        price: Price(0x5152_5354),
        market_order: true,
        time_in_force: TimeInForce::Gtd { expiry_ms: 0x6162_6364_6566_6768 },
        persistence: Persistence::Persist,
        quantity: Quantity(0x0172_7374_7576_7778),
        resting: Quantity(0x0182_8384_8586_8788),
    }
}

fn order() -> OrderAccepted {
    OrderAccepted {
        client_order_id: None,
        side: Side::Yes,
        market_order: false,
        time_in_force: TimeInForce::Ioc,
        persistence: Persistence::Lapse,
        ..order_with_everything()
    }
}

#[test]
fn orders() {
    check(
        &["context.v1", "order_accepted.v1.with_everything"],
        MARKET,
        &[Event::OrderAccepted(order_with_everything())],
    );
    let gtc = OrderAccepted { time_in_force: TimeInForce::Gtc, ..order() };
    check(&["context.v1", "order_accepted.v1.gtc"], MARKET, &[Event::OrderAccepted(gtc)]);
    let cancelled = OrderCancelled {
        order_id: OrderId(0x2122_2324_2526_2728),
        account: AccountId(0x3132_3334_3536_3738),
        outcome: OutcomeIndex(0x4142),
        side: Side::No,
        price: Price(0x5152_5354),
        reason: CancelReason::Expired,
        cancelled: Quantity(0x0162_6364_6566_6768),
        quantity: Quantity(0x0172_7374_7576_7778),
        filled: Quantity(0x0182_8384_8586_8788),
        remaining: Quantity(-0x0192_9394_9596_9798),
    };
    check(&["context.v1", "order_cancelled.v1"], MARKET, &[Event::OrderCancelled(cancelled)]);
}

#[test]
fn trades() {
    let trade = TradeMatched {
        taker_order_id: order().order_id,
        maker_order_id: OrderId(0x2122_2324_2526_2729),
        maker_account: AccountId(0x3132_3334_3536_3739),
        outcome: OutcomeIndex(0x4142),
        maker_side: Side::No,
        price: Price(0x5152_5354),
        quantity: Quantity(0x0162_6364_6566_6768),
        maker_quantity: Quantity(0x0172_7374_7576_7778),
        maker_filled: Quantity(0x0182_8384_8586_8788),
        maker_remaining: Quantity(0x0192_9394_9596_9798),
    };
    let events = [Event::OrderAccepted(order()), Event::TradeMatched(trade)];
    check(&["context.v1", "order_accepted.v1.goes_on", "trade_matched.v1"], MARKET, &events);
}

#[test]
fn markets() {
    let market = NewMarket {
        key: "derby".to_owned(),
        name: "Großer Preis".to_owned(),
        model: MarketModel::BinaryYes,
        ladder: Ladder::Finest,
        runners: vec![
            NewRunner { id: RunnerId(0x2122_2324_2526_2728), name: "Étoile".to_owned() },
            NewRunner { id: RunnerId(2), name: String::new() },
        ],
        kind: MarketKind::InPlayCapable,
        state: BookMarketState::Suspended,
        phase: MarketPhase::Live,
        increment: Quantity(0x0172_7374_7576_7778),
        min_quantity: Quantity(0x0182_8384_8586_8788),
    };
    check(&["context.v1", "market_created.v1"], MARKET, &[Event::MarketCreated(Box::new(market))]);
    for (record, to, reason) in [
        ("market_status_changed.v1", BookMarketState::Closed, Some("off".into())),
        ("market_status_changed.v1.without_reason", BookMarketState::Open, None),
    ] {
        check(&["context.v1", record], MARKET, &[Event::MarketStatusChanged { to, reason }]);
    }
    check(&["context.v1", "market_removed.v1"], MARKET, &[Event::MarketRemoved]);
}

#[test]
fn what_is_in_no_market() {
    let alice = Event::AccountRegistered { account: AccountId(0x3132_3334_3536_3738), name: "alice".into() };
    check(&["context.v1.without_market", "account_registered.v1"], 0, &[alice]);
    let limits = Limits {
        markets: 0x2122_2324,
        accounts: 0x3132_3334,
        resting_orders: 0x4142_4344,
        client_ids_per_market: 0x5152_5354,
        closed_market_ttl_ms: 0x6162_6364_6566_6768,
    };
    check(&["context.v1.without_market", "limits_set.v1"], 0, &[Event::LimitsSet(limits)]);
}

/// A whole journal as the first version wrote it: the short day, a frame for each transaction.
#[test]
fn a_journal() {
    let frames = fixture("journal.v1");
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&short_day());
    let written = storage.read(&segment(1));
    assert_eq!(hex(&written[..frames.len()]), hex(&frames), "not what was written once");
    assert!(written[frames.len()..].iter().all(|&byte| byte == 0));
    drop(opened);

    let storage = MemoryStorage::default();
    let path = format!("{}/tests/fixtures/journal.v1.log", env!("CARGO_MANIFEST_DIR"));
    storage.replace("journal.log", std::fs::read(path).unwrap());
    storage.replace(&segment(1), frames);
    assert_eq!(read_all(storage.clone()).unwrap(), short_day());
    assert_eq!(open(storage).replayed, short_day());
}
