//! The page for Prometheus: every line of it parsed, and every metric in the manual.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{Running, limit, open_market, submit, subscribe};
use crate::sockets::connect;

/// What the page says of one metric.
#[derive(Debug, Default)]
struct Metric {
    help: String,
    kind: String,
    /// By labels.
    samples: BTreeMap<String, f64>,
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Strictly: help, type and samples of a metric together and in this order, every line ended.
fn parse(page: &str) -> BTreeMap<String, Metric> {
    assert!(page.ends_with('\n'));
    let mut all: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            name.clone_into(&mut current);
            let metric = Metric { help: help.to_owned(), ..Metric::default() };
            assert!(is_name(name) && all.insert(current.clone(), metric).is_none(), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let metric = all.get_mut(name).unwrap_or_else(|| panic!("no help before {line}"));
            assert!(name == current && metric.kind.is_empty(), "{line}");
            kind.clone_into(&mut metric.kind);
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            assert!(name == current, "{line} after {current}");
            let metric = all.get_mut(name).unwrap();
            assert!(!metric.kind.is_empty(), "no type before {line}");
            let before =
                metric.samples.insert(labels.trim_end_matches('}').to_owned(), value.parse().unwrap());
            assert!(before.is_none(), "{line} twice");
        }
    }
    all
}

#[tokio::test]
async fn every_metric_has_help_is_there_from_the_start_and_in_the_manual() {
    let server = Running::start();
    let (_, page) = server.get("/metrics").await;
    let start = parse(&page);
    let manual = include_str!("../../../../docs/operating.md");
    let (_, table) = manual.split_once("\n## Metrics\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let documented: BTreeSet<(String, String)> = table
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((name.to_owned(), rest.split_once(" | ")?.0.to_owned()))
        })
        .collect();
    let found: BTreeSet<_> = start.iter().map(|(name, metric)| (name.clone(), metric.kind.clone())).collect();
    assert_eq!(found, documented);
    for (name, metric) in &start {
        assert!(metric.help.len() > 10 && !metric.samples.is_empty(), "{name}: {metric:?}");
        assert_eq!(metric.kind == "counter", name.ends_with("_total"), "{name}");
        let is_zero = metric.samples.values().all(|value| *value == 0.0);
        let may_have_begun =
            ["sequence", "serving", "clock_ahead", "journal_", "_bytes", "commands", "handler"];
        assert!(is_zero || may_have_begun.iter().any(|part| name.contains(part)), "{name}: {metric:?}");
    }

    let mut client = server.client().await;
    open_market(&mut client).await;
    submit(&mut client, limit("BACK", 2.5, 100, "anna")).await;
    submit(&mut client, limit("BACK", 2.5, 100, "ben")).await;
    let stream = subscribe(&mut client, 1, false).await;
    let mut socket = connect(&server, "?from_sequence=2").await;
    crate::sockets::texts(&mut socket, 1).await;
    let (_, page) = server.get("/metrics").await;
    let now = parse(&page);
    assert!(now.keys().eq(start.keys()), "nothing that was not there before");
    let value = |name: &str, labels: &str| now[name].samples[labels];
    assert_eq!(value("betex_server_accounts", ""), 2.0);
    assert_eq!(value("betex_server_streams_open", "kind=\"grpc\""), 1.0);
    assert_eq!(value("betex_server_streams_open", "kind=\"websocket\""), 1.0);
    assert_eq!(value("betex_server_resumes_total", "source=\"memory\""), 2.0);
    assert_eq!(value("betex_server_requests_total", "method=\"SubmitOrder\",code=\"OK\""), 2.0);
    assert!(value("betex_server_recent_bytes", "") > 500.0);
    assert!(value("betex_server_journal_disk_bytes", "") >= 67_108_864.0);
    assert!(value("process_resident_memory_bytes", "") > 1_000_000.0 || !cfg!(target_os = "linux"));
    drop((stream, socket));
}
