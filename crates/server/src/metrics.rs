//! What the server counts, each with what it says, there from the start. `docs/operating.md` lists all of it.

use betex::engine::core::Health;
use betex::metrics::{Kind, announce};
use metrics::gauge;

use crate::exchange::Exchange;

/// Requests that were answered; by `method` and `code`.
pub(crate) const REQUESTS: &str = "betex_server_requests_total";
/// Streams that are open; by `kind`.
pub(crate) const STREAMS_OPEN: &str = "betex_server_streams_open";
/// Streams that began in the past; by `source`.
pub(crate) const RESUMES: &str = "betex_server_resumes_total";
pub(crate) const STREAMS_CUT: &str = "betex_server_streams_cut_total";
pub(crate) const JOURNAL_TURNS: &str = "betex_server_journal_turns_total";
pub(crate) const WEBSOCKETS_REFUSED: &str = "betex_server_websockets_refused_total";

const SEQUENCE: &str = "betex_server_sequence";
const MARKETS: &str = "betex_server_markets";
const ACCOUNTS: &str = "betex_server_accounts";
const RESTING_ORDERS: &str = "betex_server_resting_orders";
const STREAMS: &str = "betex_server_streams";
const SERVING: &str = "betex_server_serving";
const RECENT_BYTES: &str = "betex_server_recent_bytes";
const RECENT_TRANSACTIONS: &str = "betex_server_recent_transactions";
const JOURNAL_DISK_BYTES: &str = "betex_server_journal_disk_bytes";
const RESIDENT_BYTES: &str = "process_resident_memory_bytes";

/// Those without labels.
const ALL: [(&str, Kind, &str); 13] = [
    (STREAMS_CUT, Kind::Counter, "Streams that were cut off because their reader was too slow"),
    (JOURNAL_TURNS, Kind::Counter, "Turns at reading the journal for streams and for checks of trades"),
    (WEBSOCKETS_REFUSED, Kind::Counter, "WebSockets that were refused for their Host or Origin"),
    (SEQUENCE, Kind::Gauge, "Sequence number of the last event"),
    (MARKETS, Kind::Gauge, "Markets that are there"),
    (ACCOUNTS, Kind::Gauge, "Users that have an account"),
    (RESTING_ORDERS, Kind::Gauge, "Orders that rest, over all markets"),
    (STREAMS, Kind::Gauge, "Streams that are open, gRPC and WebSocket together"),
    (SERVING, Kind::Gauge, "1 if the exchange takes orders, 0 if it is degraded or stopping"),
    (RECENT_BYTES, Kind::Gauge, "Bytes of the recent past that is kept in memory for streams, about"),
    (RECENT_TRANSACTIONS, Kind::Gauge, "Transactions of the recent past that are kept in memory for streams"),
    (JOURNAL_DISK_BYTES, Kind::Gauge, "Bytes of the files of the journal, its snapshots included"),
    (RESIDENT_BYTES, Kind::Gauge, "Resident memory of the process in bytes; 0 where the system does not say"),
];

/// The calls of the service.
const METHODS: [&str; 17] = [
    "CreateMarket",
    "OpenMarket",
    "SuspendMarket",
    "CloseMarket",
    "HaltMarket",
    "ResumeMarket",
    "DeactivateMarket",
    "ActivateMarket",
    "SetMarketPhase",
    "AddOutcomes",
    "RemoveOutcome",
    "VoidTrades",
    "CancelOrders",
    "SubmitOrder",
    "CancelOrder",
    "GetOrderBook",
    "SubscribeMarket",
];

/// Tells the recorder what each metric says, and lets each be there from the start.
pub(crate) fn describe() {
    betex::metrics::describe();
    for (name, kind, help) in ALL {
        announce(name, kind, help);
    }
    metrics::describe_counter!(REQUESTS, "Requests that were answered, by method and gRPC code");
    for method in METHODS {
        metrics::counter!(REQUESTS, "method" => method, "code" => "OK").increment(0);
    }
    metrics::describe_gauge!(STREAMS_OPEN, "Streams that are open, by kind: grpc or websocket");
    for kind in ["grpc", "websocket"] {
        gauge!(STREAMS_OPEN, "kind" => kind).increment(0.0);
    }
    metrics::describe_counter!(RESUMES, "Streams that began in the past, by source: memory or journal");
    for source in ["memory", "journal"] {
        metrics::counter!(RESUMES, "source" => source).increment(0);
    }
}

/// What is looked up when somebody asks, rather than counted all the time. Looks at files.
pub(crate) fn look(exchange: &Exchange) {
    let (sequence, markets, accounts, resting_orders) = {
        let state = exchange.engine.read();
        (state.sequence(), state.markets().count(), state.accounts(), state.resting_orders())
    };
    let (transactions, bytes) = exchange.hub.recent.size();
    let serving = matches!(exchange.engine.health(), Health::Serving);
    for (name, value) in [
        (SEQUENCE, sequence),
        (MARKETS, markets as u64),
        (ACCOUNTS, accounts as u64),
        (RESTING_ORDERS, resting_orders as u64),
        (STREAMS, exchange.streams() as u64),
        (SERVING, u64::from(serving)),
        (RECENT_TRANSACTIONS, transactions as u64),
        (RECENT_BYTES, bytes as u64),
        (JOURNAL_DISK_BYTES, disk_bytes(&exchange.engine.recovery().folder)),
        (RESIDENT_BYTES, resident_bytes().unwrap_or(0)),
    ] {
        // Gauges are floats; these stay exact far beyond what fits in memory.
        #[expect(clippy::cast_precision_loss)]
        gauge!(name).set(value as f64);
    }
}

/// The bytes of the files in a folder. One that cannot be read counts as nothing.
fn disk_bytes(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_service_is_counted_from_the_start() {
        let proto = include_str!("../../../proto/orderbook.proto");
        let calls = proto.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
        let mut calls: Vec<&str> = calls.collect();
        let mut methods = METHODS.to_vec();
        calls.sort_unstable();
        methods.sort_unstable();
        assert_eq!(methods, calls);
    }
}
