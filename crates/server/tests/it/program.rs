//! The program itself: how it starts, refuses to start, and ends.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tonic::Code;

use crate::harness::{
    MARKET, PATIENCE, Running, book, command, failing, get, limit, market, next, open_market, submit,
    subscribe,
};

/// Refused with one sentence, and no panic.
#[track_caller]
fn refused(arguments: &[&str], code: i32, words: &[&str]) -> String {
    let (got, said) = failing(arguments);
    assert_eq!(got, Some(code), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for words in words {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    said
}

const FREE_PORTS: [&str; 6] = ["--grpc-port", "0", "--http-port", "0", "--bind", "127.0.0.1"];

fn on(data: &Path) -> Vec<&str> {
    FREE_PORTS.into_iter().chain(["--data-dir", data.to_str().unwrap()]).collect()
}

#[test]
fn bad_arguments() {
    for (arguments, words) in [
        (&["--grpc-port", "x"][..], "invalid value 'x' for '--grpc-port <PORT>'"),
        (&["--grpc-port", "65536"], "invalid value '65536'"),
        (&["--bind", "localhost"], "invalid value 'localhost' for '--bind <ADDRESS>'"),
        (&["--durability", "sometimes"], "[possible values: always, none]"),
        (&["--job-orders-per-s=-1"], "invalid value '-1' for '--job-orders-per-s <ORDERS>'"),
        (
            &["--min-quantity", "0"],
            "invalid value '0' for '--min-quantity <PENNIES>': 1 to 1000000000000 pennies are valid",
        ),
        (&["--min-quantity", "1000000000001"], "1 to 1000000000000 pennies are valid"),
        (&["--min-quantity", "1.5"], "invalid value '1.5' for '--min-quantity <PENNIES>'"),
        (&["--frobnicate"], "unexpected argument '--frobnicate'"),
        (&["extra"], "unexpected argument 'extra'"),
        (&["--config", "/nowhere/at/all.toml"], "cannot read the configuration file /nowhere/at/all.toml"),
    ] {
        refused(arguments, 2, &[words]);
    }
}

#[test]
fn help_explains_every_option() {
    let out = command(&["--help"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    let help = String::from_utf8(out.stdout).unwrap();
    for option in [
        "grpc-port",
        "http-port",
        "data-dir",
        "bind",
        "durability",
        "job-orders-per-s",
        "min-quantity",
        "config",
    ] {
        let variable = format!("BETEX_{}", option.to_uppercase().replace('-', "_"));
        assert!(help.contains(&format!("--{option}")) && help.contains(&variable), "{option} in {help}");
    }
}

#[test]
fn the_environment_and_a_file_are_heard() {
    let directory = tempfile::tempdir().unwrap();
    let (file, data) = (directory.path().join("server.toml"), directory.path().join("of-the-file"));
    std::fs::write(&file, format!("data-dir = {:?}\nbind = \"nonsense\"\n", data.to_str().unwrap())).unwrap();
    refused(&["--config", file.to_str().unwrap()], 2, &["server.toml is not valid: line 2"]);
    std::fs::write(&file, format!("data-dir = {:?}\ngrpc-port = 1\n", data.to_str().unwrap())).unwrap();
    // The environment goes before the file, a flag before the environment.
    let mut command = command(&["--grpc-port", "0", "--bind", "127.0.0.1"]);
    command.env("BETEX_CONFIG", &file).env("BETEX_GRPC_PORT", "2").env("BETEX_HTTP_PORT", "0");
    let server = Running::try_launch(command, &data).unwrap();
    assert!(data.join("journal.log").exists());
    server.stop();
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for (flag, other, what) in
        [("--grpc-port", "--http-port", "gRPC"), ("--http-port", "--grpc-port", "HTTP")]
    {
        let arguments =
            [flag, &port, other, "0", "--bind", "127.0.0.1", "--data-dir", data.to_str().unwrap()];
        let words = format!("cannot listen on 127.0.0.1:{port} for {what}: Address already in use");
        let said = refused(&arguments, 1, &[&words, &format!("choose another port with {flag}")]);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Nothing was begun.
    assert!(!data.exists());
}

#[test]
fn a_directory_that_cannot_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for data in [file.clone(), file.join("below"), PathBuf::from("/proc/betex")] {
        let said = refused(&on(&data), 1, &[data.to_str().unwrap()]);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// The program where a file system of its own is mounted; the script mounts it on `$0` and goes on with `$@`.
fn mounted(script: &str, mount: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).arg(mount);
    command.arg(env!("CARGO_BIN_EXE_server")).args(FREE_PORTS).arg("--data-dir").arg(mount.join("data"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_read_only_directory() {
    let directory = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o ro none \"$0\" && exec \"$@\"";
    let out = mounted(script, directory.path()).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    if !said.starts_with("error: ") {
        // Not every machine lets everybody mount things.
        return println!("skipped: there can be no disk of its own here: {said}");
    }
    assert_eq!((out.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(
        said.contains("Read-only file system")
            && said.contains("name a directory on a disk that can be written"),
        "{said}"
    );
}

/// The one segment with frames of the one journal in a directory.
fn segment(data: &Path) -> PathBuf {
    let folder =
        std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let mut segments: Vec<_> =
        std::fs::read_dir(folder.unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    segments.swap_remove(0)
}

/// Where the last byte is that is not zero.
fn end_of_frames(path: &Path) -> u64 {
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    u64::try_from(bytes.iter().rposition(|byte| *byte != 0).unwrap()).unwrap()
}

fn flip(path: &Path, offset: u64) {
    let mut file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
}

#[tokio::test]
async fn a_damaged_and_a_torn_journal() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Running::on(&data, &[]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    for _ in 0..10 {
        submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    }
    server.kill();
    let segment = segment(&data);
    let end = end_of_frames(&segment);
    // In the middle: something acknowledged is gone, so it must not start.
    flip(&segment, end / 2);
    let said = refused(&on(&data), 1, &["is damaged in", "at offset", "Restore this folder from a backup"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    flip(&segment, end / 2);
    // In the last frame: as a crash leaves it that came before the acknowledgement.
    flip(&segment, end);
    let server = Running::on(&data, &[]);
    assert!(server.greeting.contains("may or may not have been acknowledged"), "{}", server.greeting);
    assert_eq!(book(&mut server.client().await, "Liverpool").await.bids[0].order_count, 9);
    server.kill();
    // And a journal.log that says nothing.
    std::fs::write(data.join("journal.log"), "what?").unwrap();
    refused(&on(&data), 1, &["journal.log cannot be used"]);
}

#[tokio::test]
async fn a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    // Room for two segments, but for a file that takes it.
    let script = "mount -t tmpfs -o size=140m none \"$0\" && head -c 30000000 /dev/zero > \"$0/filler\" && exec \"$@\"";
    let server = match Running::try_launch(mounted(script, directory.path()), directory.path()) {
        Ok(server) => server,
        // Not every machine lets everybody mount things.
        Err(said) => return println!("skipped: there can be no disk of its own here: {said}"),
    };
    let until_health = async |code| {
        let begun = Instant::now();
        loop {
            let (status, health) = server.get("/health").await;
            if status == code {
                return health;
            }
            assert!(begun.elapsed() < PATIENCE, "{health}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let health = until_health(503).await;
    assert!(health.contains("DEGRADED") && health.contains("No space left on device"), "{health}");
    let mut client = server.client().await;
    // What makes the exchange grow is refused: here that begins with its first market.
    let status = client.create_market(market(MARKET, &["Draw", "Arsenal"])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().starts_with("JOURNAL_FULL: there is no room on disk"), "{status:?}");
    // Seen from the server, since nobody else sees its disk.
    let filler = format!("/proc/{}/root{}", server.id(), directory.path().join("filler").display());
    std::fs::remove_file(filler).unwrap();
    until_health(200).await;
    open_market(&mut client).await;
    assert_eq!(submit(&mut client, limit("BACK", 2.5, 1_000, "")).await.status, "RESTING");
    server.stop();
}

#[tokio::test]
async fn a_signal_ends_streams_and_program() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Running::start();
        let mut client = server.client().await;
        open_market(&mut client).await;
        let mut stream = subscribe(&mut client, 0, true).await;
        submit(&mut client, limit("BACK", 2.5, 1_000, "")).await;
        server.signal(signal);
        let begun = Instant::now();
        let mut heard = 0;
        let status = loop {
            match next(&mut stream).await {
                Ok(update) if update.market_sequence > 0 => heard = update.sequence,
                Ok(_) => (),
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        let words = format!("resume with from_sequence {}", heard + 1);
        assert!(
            status.message().starts_with("STOPPING: ") && status.message().contains(&words),
            "{status:?}"
        );
        // A client that stays connected does not hold it up.
        assert_eq!(server.end().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        drop(client);
    }
}

#[tokio::test]
async fn both_kinds_of_address() {
    let server = Running::with(&["--bind", "::"]);
    assert!(server.greeting.contains("(IPv6 and IPv4)"), "{}", server.greeting);
    for address in ["127.0.0.1", "::1"] {
        let address = std::net::SocketAddr::new(address.parse().unwrap(), server.http.port());
        assert_eq!(get(address, "/health").await.0, 200);
        let address = std::net::SocketAddr::new(address.ip(), server.grpc.port());
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        endpoint.connect().await.unwrap();
    }
}

#[tokio::test]
async fn the_http_port() {
    let server = Running::start();
    let mut client = server.client().await;
    open_market(&mut client).await;
    let placed = submit(&mut client, limit("BACK", 2.5, 1_000, "")).await;
    let _ = book(&mut client, "Liverpool").await;
    let (status, page) = server.get("/").await;
    assert!(status == 200 && page.contains("/metrics"), "{page}");
    let (status, health) = server.get("/health").await;
    let expected = format!(
        r#"{{"status":"SERVING","message":"","sequence":{},"markets":1,"resting_orders":1,"streams":0}}"#,
        placed.sequence
    );
    assert_eq!((status, health), (200, expected));
    let (status, metrics) = server.get("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "betex_server_markets 1",
        "betex_server_resting_orders 1",
        "betex_server_serving 1",
        "betex_server_requests_total{method=\"SubmitOrder\",code=\"OK\"} 1",
        "betex_commands_total 3",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert_eq!(server.get("/nothing").await.0, 404);
}

#[tokio::test]
async fn health_and_reflection_over_grpc() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

    let server = Running::start();
    let mut health = HealthClient::new(server.endpoint().connect().await.unwrap());
    for service in ["", "orderbook.v1.OrderBookService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status().as_str_name(), "SERVING", "{service}");
    }
    let mut reflection = ServerReflectionClient::new(server.endpoint().connect().await.unwrap());
    let question = MessageRequest::FileContainingSymbol("orderbook.v1.OrderBookService".to_owned());
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let answers = reflection.server_reflection_info(futures::stream::iter([question])).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let answer = format!("{:?}", answer.message_response);
    assert!(answer.starts_with("Some(FileDescriptorResponse"), "{answer}");
}

#[tokio::test]
async fn without_syncing_it_says_so() {
    let server = Running::with(&["--durability", "none"]);
    assert!(
        server.greeting.contains("Durability: NONE") && server.greeting.contains("LOSES"),
        "{}",
        server.greeting
    );
    let mut client = server.client().await;
    open_market(&mut client).await;
    assert_eq!(submit(&mut client, limit("BACK", 2.5, 1_000, "")).await.status, "RESTING");
    let _ = MARKET;
}
