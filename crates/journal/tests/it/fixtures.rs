//! Old bytes are read for ever. Each file in `tests/fixtures` was written once and is never changed; a new
//! version of a record or of the frame gets new files. Today's encoder must also still write them: an event
//! has one encoding, in the oldest version that can say it.

mod markets;
mod orders;
mod snapshots;
mod trades;

use betex_core::event::{Event, Stamp};
use betex_core::limits::Limits;
use betex_core::types::{AccountId, MarketId};
use betex_journal::record::{BodyDecoder, BodyEncoder};

use crate::memory_storage::MemoryStorage;
use crate::tape::{first_day, open, read_all, segment, short_day};

/// The bytes of a fixture: hex digits, and for people spaces, lines, and what is behind a `#`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
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

/// What is said of bytes that are refused.
fn refusal(body: &[u8]) -> String {
    BodyDecoder::new(41).next_transaction(body, &mut Vec::new()).unwrap_err().to_string()
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
        ..Limits::UNBOUNDED
    };
    check(&["context.v1.without_market", "limits_set.v1"], 0, &[Event::LimitsSet(limits)]);
    let set_back = Event::TimeSetBack { from_ns: 0x3132_3334_3536_3738 };
    check(&["context.v1.without_market", "time_set_back.v1"], 0, &[set_back]);
    let limits = Limits {
        accounts_per_market: 0x7172_7374,
        resting_orders_per_account: 0x7576_7778,
        client_ids: 0x8182_8384,
        client_ids_per_account: 0x8586_8788,
        market_bytes: 0x9192_9394_9596_9798,
        ..limits
    };
    check(&["context.v1.without_market", "limits_set.v2"], 0, &[Event::LimitsSet(limits)]);
}

/// A whole journal as the first version wrote it: its short day, a frame for each transaction. It opens, and
/// what came later goes on behind it.
#[test]
fn a_journal() {
    let frames = fixture("journal.v1");
    let (first_day, whole_day) = (first_day().transactions, short_day());
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&first_day);
    let written = storage.read(&segment(1));
    assert_eq!(hex(&written[..frames.len()]), hex(&frames), "not what was written once");
    assert!(written[frames.len()..].iter().all(|&byte| byte == 0));
    drop(opened);

    let storage = MemoryStorage::default();
    let path = format!("{}/tests/fixtures/journal.v1.log", env!("CARGO_MANIFEST_DIR"));
    storage.replace("journal.log", std::fs::read(path).unwrap());
    // Zeros are not in the fixture. There was no list of segments.
    let mut bytes = frames.clone();
    bytes.resize(1 << 20, 0);
    storage.replace(&segment(1), bytes);
    assert_eq!(read_all(storage.clone()).unwrap(), first_day);
    let mut opened = open(storage.clone());
    assert_eq!(opened.replayed, first_day);
    opened.write(&whole_day[first_day.len()..]);
    drop(opened);
    assert_eq!(hex(&storage.read(&segment(1))[..frames.len()]), hex(&frames), "what was there has changed");
    assert_eq!(read_all(storage.clone()).unwrap(), whole_day);
    assert_eq!(open(storage).replayed, whole_day);
}
