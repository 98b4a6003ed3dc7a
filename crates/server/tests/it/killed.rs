//! The program killed again and again over one directory, under load, while snapshots are made and segments
//! removed: what was acknowledged is there, and what was not is there whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use betex_proto::v1::{CancelOrderRequest, MarketLifecycleRequest, SubmitOrderRequest, SubmitOrderResponse};

use crate::harness::{Client, MARKET, PATIENCE, Running, book, command, limit, open_market};

/// Small segments, a snapshot for each, and nothing kept for its own sake: both happen all the time.
const BUSY: [&str; 8] = [
    "--segment-bytes",
    "1048576",
    "--snapshot-every-segments",
    "1",
    "--retention-bytes",
    "0",
    "--retention-s",
    "0",
];
const KILLS: u32 = 20;
const TRADERS: u64 = 64;

/// An order of a trader with a name that no other has.
fn nth(trader: u64, n: u64) -> SubmitOrderRequest {
    let side = if n.is_multiple_of(3) { "LAY" } else { "BACK" };
    let order = limit(side, 2.5, 100 + trader, &format!("user-{trader}"));
    // As long as may be, so that segments fill.
    SubmitOrderRequest { client_order_id: format!("{trader}-{n:0>60}"), ..order }
}

/// Orders until the program is gone; what was answered to each, by its number.
async fn trade(
    mut client: Client,
    trader: u64,
    first: u64,
    stop: Arc<AtomicBool>,
) -> BTreeMap<u64, SubmitOrderResponse> {
    let mut answers = BTreeMap::new();
    let mut n = first;
    while !stop.load(Ordering::Relaxed) {
        match client.submit_order(nth(trader, n)).await {
            // What would have met an order of its own user was never there.
            Ok(answer) if answer.get_ref().status == "REJECTED" => (),
            Ok(answer) => drop(answers.insert(n, answer.into_inner())),
            Err(_) => break,
        }
        n += 1;
    }
    answers
}

/// Whatever was answered is answered again: the same order, with at least as much filled.
async fn check(mut client: Client, trader: u64, answers: BTreeMap<u64, SubmitOrderResponse>) {
    for (n, first) in &answers {
        let again = client.submit_order(nth(trader, *n)).await.unwrap().into_inner();
        assert_eq!(
            again.rejection_reason, "DUPLICATE_CLIENT_ID",
            "order {n} of trader {trader} is not there"
        );
        assert_eq!(again.order_id, first.order_id);
        assert!(again.filled_quantity >= first.filled_quantity, "{first:?} became {again:?}");
    }
}

/// The names of the files that end so, in order. What vanishes meanwhile is not there.
fn files(data: &Path, ending: &str) -> BTreeSet<String> {
    let folders = std::fs::read_dir(data).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let names = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    names
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(ending))
        .collect()
}

/// Kills a program under load at a moment of the caller's choice, starts it again over the same directory, and
/// holds it to everything that was acknowledged; how many orders that were.
async fn kill_under_load(
    server: Running,
    data: &Path,
    flags: &[&str],
    next: &mut [u64],
    moment: impl Future<Output = ()>,
) -> (Running, usize) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut traders = Vec::new();
    for (trader, first) in (0..TRADERS).zip(&*next) {
        let client = server.client().await;
        traders.push(tokio::spawn(trade(client, trader, *first, Arc::clone(&stop))));
    }
    moment.await;
    server.kill();
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for trader in traders {
        told.push(trader.await.unwrap());
    }
    let server = Running::on(data, flags);
    let client = server.client().await;
    let (mut acknowledged, mut checks) = (0, Vec::new());
    for ((trader, next), answers) in (0..TRADERS).zip(next).zip(told) {
        // The one that was under way may be there or not: its name is not used again.
        *next = answers.keys().next_back().map_or(*next, |last| last + 1) + 1_000;
        acknowledged += answers.len();
        checks.push(tokio::spawn(check(client.clone(), trader, answers)));
    }
    for check in checks {
        check.await.unwrap();
    }
    (server, acknowledged)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_over_one_directory_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut server = Running::on(&data, &BUSY);
    open_market(&mut server.client().await).await;
    let mut next = vec![0; usize::try_from(TRADERS).unwrap()];
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        // Not always at the same place of what it does.
        let moment = tokio::time::sleep(Duration::from_millis(150 + u64::from(kill % 7) * 60));
        let (again, orders) = kill_under_load(server, &data, &BUSY, &mut next, moment).await;
        server = again;
        acknowledged += orders;
    }
    assert!(acknowledged > 500, "only {acknowledged} orders were acknowledged in {KILLS} lives");
    println!("proof: {KILLS} kills, {acknowledged} acknowledged orders, all there");
    server.stop();
}

/// Until something can be seen in a directory.
async fn seen(what: &str, is_so: impl Fn() -> bool) {
    let asked = Instant::now();
    while !is_so() {
        assert!(asked.elapsed() < Duration::from_secs(120), "{what} was not seen");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// Aimed at what the background does: a snapshot that is not whole yet, segments of which the first is gone.
/// Nothing is synced, so that there is much of both; a process that is killed leaves its writes to the system.
#[tokio::test(flavor = "multi_thread")]
async fn kills_while_a_snapshot_is_written_and_while_segments_are_removed_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let flags: Vec<&str> = BUSY.into_iter().chain(["--durability", "none"]).collect();
    let mut server = Running::on(&data, &flags);
    open_market(&mut server.client().await).await;
    let mut next = vec![0; usize::try_from(TRADERS).unwrap()];
    let mut acknowledged = 0;
    for _ in 0..3 {
        let writing = seen("a snapshot under way", || !files(&data, ".snapshot.new").is_empty());
        let (again, orders) = kill_under_load(server, &data, &flags, &mut next, writing).await;
        acknowledged += orders;
        let before = files(&data, ".segment").into_iter().next();
        let removing = seen("a segment removed", || files(&data, ".segment").into_iter().next() > before);
        let (again, orders) = kill_under_load(again, &data, &flags, &mut next, removing).await;
        acknowledged += orders;
        server = again;
    }
    println!(
        "proof: 3 kills while a snapshot was written, 3 while segments went, {acknowledged} acknowledged orders"
    );
    server.stop();
}

/// Copies a directory file by file, as `cp -r` does; what vanishes meanwhile is left out.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        if old.is_dir() {
            copy(&old, &new);
        } else if let Err(error) = std::fs::copy(&old, &new) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", old.display());
        }
    }
}

/// Under load, while snapshots are made and segments removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_live_directory_opens_as_a_prefix_or_is_refused_in_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let flags: Vec<&str> = BUSY.into_iter().chain(["--durability", "none"]).collect();
    let server = Running::on(&data, &flags);
    let mut client = server.client().await;
    open_market(&mut client).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut traders = Vec::new();
    for trader in 0..TRADERS {
        let client = server.client().await;
        traders.push(tokio::spawn(trade(client, trader, 0, Arc::clone(&stop))));
    }
    let copies: Vec<_> = (0..5).map(|number| directory.path().join(format!("copy {number}"))).collect();
    for to in &copies {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let (from, to) = (data.clone(), to.clone());
        tokio::task::spawn_blocking(move || copy(&from, &to)).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for trader in traders {
        trader.await.unwrap();
    }
    let live = book(&mut client, "Liverpool").await.sequence;
    server.stop();
    let (mut opened, mut refused, mut last) = (0, 0, 0);
    for copy in &copies {
        let mut all = vec!["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1", "--data-dir"];
        all.push(copy.to_str().unwrap());
        match Running::try_launch(command(&all), copy) {
            Ok(again) => {
                let sequence = book(&mut again.client().await, "Liverpool").await.sequence;
                assert!(last <= sequence && sequence <= live, "{last}, {sequence}, {live}");
                (opened, last) = (opened + 1, sequence);
                again.stop();
            }
            Err(said) => {
                assert!(said.contains("exit status: 1"), "{said}");
                refused += 1;
            }
        }
    }
    println!(
        "proof: {opened} copies of a live server's directory opened as a prefix, {refused} were refused"
    );
}

/// A large market is closing when the program dies: it goes on closing when it is back, to the last order.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_large_market_closes() {
    const ORDERS: u64 = 100_000;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let slow: Vec<_> = BUSY.into_iter().chain(["--job-orders-per-s", "20000"]).collect();
    let server = Running::on(&data, &slow);
    let client = server.client().await;
    open_market(&mut client.clone()).await;
    let mut writers = Vec::new();
    for writer in 0..64 {
        let mut client = client.clone();
        writers.push(tokio::spawn(async move {
            for n in (writer..ORDERS).step_by(64) {
                client.submit_order(nth(writer, 3 * n + 1)).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let close = MarketLifecycleRequest { market_id: MARKET.to_owned(), reason: "over".to_owned() };
    client.clone().close_market(close).await.unwrap();
    let mut server = server;
    let mut lives = 0;
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let left = book(&mut server.client().await, "Liverpool").await;
        if left.bids.is_empty() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it does not end: {left:?}");
        server.kill();
        lives += 1;
        server = Running::on(&data, &slow);
        let mut client = server.client().await;
        let after = book(&mut client, "Liverpool").await;
        assert_eq!(after.status, "CLOSED");
        let count =
            |levels: &[betex_proto::v1::Level]| levels.iter().map(|level| level.order_count).sum::<i32>();
        assert!(count(&after.bids) <= count(&left.bids), "what was cancelled is back");
        let request = CancelOrderRequest { market_id: MARKET.to_owned(), order_id: 1, ..Default::default() };
        assert!(client.cancel_order(request).await.is_err(), "a closed market cancels by itself");
    }
    assert!(lives >= 2, "it was killed {lives} times while it was closing");
    server.stop();
}
