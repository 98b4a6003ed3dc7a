//! The program on a machine whose wall clock somebody sets.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use betex_proto::v1::{SubmitOrderRequest, SubmitOrderResponse, TimeInForce};
use tempfile::TempDir;

use crate::harness::{Client, PATIENCE, Running, book, command, limit, open_market, submit};

const HOUR: i64 = 3_600;
const FOUR_YEARS: i64 = 4 * 365 * 24 * HOUR;

/// A wall clock that can be set, for one program at a time.
struct WallClock {
    directory: TempDir,
    off: File,
}

impl WallClock {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/wall_clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(directory.path().join("wall_clock.so"));
        assert!(compiler.arg(source).status().unwrap().success(), "cc compiles {source}");
        let off = File::create(directory.path().join("off")).unwrap();
        let clock = Self { directory, off };
        clock.set_wrong(0);
        clock
    }

    /// Sets it to so many seconds from the truth.
    #[expect(clippy::host_endian_bytes, reason = "C reads it as a number of the machine")]
    fn set_wrong(&self, seconds: i64) {
        self.off.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Starts the program by this clock, in the same directory each time.
    fn start(&self, arguments: &[&str]) -> Running {
        let data = self.directory.path().join("data");
        let ports = ["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1", "--data-dir"];
        let program = command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 2>\"$LOG\""]).arg(program.get_program());
        shell.args(ports).arg(&data).args(arguments).stdout(std::process::Stdio::piped());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("LOG", self.log()).env("LD_PRELOAD", self.directory.path().join("wall_clock.so"));
        shell.env("WALL_CLOCK", self.directory.path().join("off"));
        Running::try_launch(shell, &data)
            .unwrap_or_else(|said| panic!("{said}{}", std::fs::read_to_string(self.log()).unwrap()))
    }
}

/// An order that is good for so many seconds of real time.
async fn good_for(client: &mut Client, seconds: u64) -> SubmitOrderResponse {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let expiry_ms = u64::try_from(now_ms).unwrap() + 1_000 * seconds;
    let order = SubmitOrderRequest {
        time_in_force: TimeInForce::Gtd.into(),
        expiry_ms,
        ..limit("BACK", 3.0, 1_000, "alice")
    };
    submit(client, order).await
}

/// The figure of this name in the metrics.
async fn figure(server: &Running, name: &str) -> f64 {
    let (_, metrics) = server.get("/metrics").await;
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {metrics}")).rsplit(' ').next().unwrap().parse().unwrap()
}

async fn steps(server: &Running, count: f64) {
    let asked = Instant::now();
    while figure(server, "betex_clock_steps_total").await < count {
        assert!(asked.elapsed() < PATIENCE, "the step is seen");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_for_a_moment_is_an_alarm_and_moves_no_order() {
    let clock = WallClock::new();
    let server = clock.start(&[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert_eq!(figure(&server, "betex_clock_steps_total").await, 0.0, "present from the start");
    assert!(figure(&server, "betex_clock_ahead_seconds").await.abs() < 1.0);
    assert!(!server.get("/health").await.1.contains("clock"));
    assert_eq!(good_for(&mut client, 1_800).await.status, "RESTING");

    clock.set_wrong(HOUR);
    steps(&server, 1.0).await;
    assert_eq!(good_for(&mut client, 600).await.status, "RESTING");
    let (status, health) = server.get("/health").await;
    assert_eq!(status, 200);
    for words in ["\"SERVING\"", "clock: the engine's time", "\"steps\":1", "set forward by 1 h"] {
        assert!(health.contains(words), "{words} in {health}");
    }
    clock.set_wrong(0);
    steps(&server, 2.0).await;
    let (_, health) = server.get("/health").await;
    assert!(health.contains("\"message\":\"\"") && health.contains("\"steps\":2"), "{health}");
    assert_eq!(good_for(&mut client, 600).await.status, "RESTING");
    assert_eq!(book(&mut client, "Liverpool").await.bids[0].order_count, 3);
    server.stop();
    let log = std::fs::read_to_string(clock.log()).unwrap();
    for words in ["ERROR", "clock was set forward by 1 h", "clock was set back by 1 h"] {
        assert!(log.contains(words), "{words} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_keeps_no_order_beyond_its_time() {
    let clock = WallClock::new();
    let server = clock.start(&[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert_eq!(good_for(&mut client, 3).await.status, "RESTING");
    clock.set_wrong(-HOUR);
    let gone = async { while !book(&mut client, "Liverpool").await.bids.is_empty() {} };
    tokio::time::timeout(PATIENCE, gone).await.expect("the order expires");
    // The engine sees the step whether or not somebody trades.
    steps(&server, 1.0).await;
    assert!((figure(&server, "betex_clock_ahead_seconds").await - 3_600.0).abs() < 10.0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_ahead_is_told_and_has_a_way_back() {
    let clock = WallClock::new();
    clock.set_wrong(FOUR_YEARS);
    let server = clock.start(&[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert_eq!(submit(&mut client, limit("BACK", 2.5, 700, "bob")).await.status, "RESTING");
    server.stop();

    clock.set_wrong(0);
    let server = clock.start(&[]);
    let mut client = server.client().await;
    for words in ["ATTENTION: clock", "4 years ahead of", "the journal was written", "--set-time-back"] {
        assert!(server.greeting.contains(words), "{words} in {}", server.greeting);
    }
    let log = std::fs::read_to_string(clock.log()).unwrap();
    assert!(log.contains("ERROR") && log.contains("4 years ahead of"), "{log}");
    let (status, health) = server.get("/health").await;
    assert!(status == 200 && health.contains("--set-time-back"), "{health}");
    assert!(figure(&server, "betex_clock_ahead_seconds").await > 1e8);
    let refused = good_for(&mut client, 600).await;
    assert_eq!((&*refused.status, &*refused.rejection_reason), ("REJECTED", "INVALID_EXPIRY"), "{refused:?}");
    server.stop();

    let server = clock.start(&["--set-time-back"]);
    assert!(!server.greeting.contains("ATTENTION"), "{}", server.greeting);
    let mut client = server.client().await;
    assert_eq!(good_for(&mut client, 600).await.status, "RESTING");
    server.kill();

    let server = clock.start(&[]);
    assert!(!server.greeting.contains("ATTENTION"), "{}", server.greeting);
    let mut client = server.client().await;
    assert_eq!(good_for(&mut client, 600).await.status, "RESTING");
    let book = book(&mut client, "Liverpool").await;
    assert_eq!(book.bids.iter().map(|level| level.order_count).sum::<i32>(), 3, "{book:?}");
    server.stop();
}
