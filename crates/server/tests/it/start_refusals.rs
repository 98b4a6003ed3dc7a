//! Copies of a data directory that lack something, and starts that fail: refused in words, with nothing changed and
//! nothing left.

use std::path::{Path, PathBuf};

use crate::harness::{Running, book, failing, limit, open_market, submit};

/// The program on free ports over this directory, which must refuse to start; what it said, in one line.
#[track_caller]
fn refused(data: &Path, words: &[&str]) -> String {
    let data = data.to_str().unwrap();
    let arguments = [
        "--grpc-port",
        "0",
        "--http-port",
        "0",
        "--bind",
        "127.0.0.1",
        "--segment-bytes",
        "1048576",
        "--data-dir",
        data,
    ];
    let (code, said) = failing(&arguments);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    for words in words {
        assert!(said.contains(words), "{words:?} in {said}");
    }
    said
}

/// The folder of the one journal in a data directory.
fn folder(data: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.is_dir()).unwrap()
}

/// Every file below, with its bytes.
fn image(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(image(&path));
        } else {
            files.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// A data directory with ten orders in it.
async fn ten_orders(data: &Path) -> Running {
    let server = Running::on(data, &["--segment-bytes", "1048576"]);
    let mut client = server.client().await;
    open_market(&mut client).await;
    for _ in 0..10 {
        submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    }
    server
}

type Damage = fn(&Path);

const SEGMENT: &str = "00000001.segment";

fn set_len(path: &Path, len: u64) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

/// Zeros from here on, in the same length.
fn zero_from(path: &Path, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[from..].fill(0);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_copy_that_lacks_something_is_refused_after_a_kill_and_after_a_stop() {
    let cases: [(&str, Damage); 6] = [
        ("00000001.segment: the file has 0 bytes, and was made with 1048576", |folder| {
            set_len(&folder.join(SEGMENT), 0);
        }),
        ("frame 1: the first frame is missing or not whole", |folder| zero_from(&folder.join(SEGMENT), 0)),
        ("00000001.segment: the file has 512 bytes, and was made with 1048576", |folder| {
            set_len(&folder.join(SEGMENT), 512);
        }),
        ("00000001.segment: the file has 1048640 bytes, and was made with 1048576", |folder| {
            set_len(&folder.join(SEGMENT), 1_048_640);
        }),
        ("00000001.segment is missing", |folder| std::fs::remove_file(folder.join(SEGMENT)).unwrap()),
        ("segments.list cannot be used: it is cut short, or empty", |folder| {
            std::fs::write(folder.join("segments.list"), "").unwrap();
        }),
    ];
    for is_clean in [false, true] {
        for (words, damage) in cases {
            let directory = tempfile::tempdir().unwrap();
            let data = directory.path().join("data");
            let server = ten_orders(&data).await;
            if is_clean {
                server.stop()
            } else {
                server.kill()
            }
            damage(&folder(&data));
            let before = image(&data);
            refused(&data, &[words, "Nothing was changed", "Restore this folder from a backup"]);
            assert!(image(&data) == before, "{words}: something was changed");
        }
    }
}

#[tokio::test]
async fn after_a_clean_stop_a_shorter_journal_is_refused_and_after_a_kill_it_says_what_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let tear = |folder: &Path| {
        let bytes = std::fs::read(folder.join(SEGMENT)).unwrap();
        zero_from(&folder.join(SEGMENT), bytes.iter().rposition(|byte| *byte != 0).unwrap() - 100);
    };
    let server = ten_orders(&data).await;
    let last = server.get("/health").await.1;
    server.stop();
    let copy = directory.path().join("copy");
    std::fs::create_dir_all(copy.join(folder(&data).file_name().unwrap())).unwrap();
    for (path, bytes) in image(&data) {
        std::fs::write(copy.join(path.strip_prefix(&data).unwrap()), bytes).unwrap();
    }
    tear(&folder(&copy));
    let said =
        refused(&copy, &["the mark of the clean stop (stopped) says that event", "its end is missing"]);
    let sequence = last.split("\"sequence\":").nth(1).unwrap().split(',').next().unwrap();
    assert!(said.contains(&format!("event {sequence} was on the disk")), "{last}: {said}");
    // The whole one starts, and from then on there is no mark.
    let server = Running::on(&data, &["--segment-bytes", "1048576"]);
    let mut client = server.client().await;
    submit(&mut client, limit("BACK", 2.5, 1_000, "anna")).await;
    assert_eq!(book(&mut client, "Liverpool").await.bids[0].order_count, 11);
    server.kill();
    tear(&folder(&data));
    let server = Running::on(&data, &["--segment-bytes", "1048576"]);
    assert!(server.greeting.contains("they may or may not have been acknowledged"), "{}", server.greeting);
    assert!(!server.greeting.contains("had not been acknowledged"), "{}", server.greeting);
    assert_eq!(book(&mut server.client().await, "Liverpool").await.bids[0].order_count, 10);
    // What was there at the clean stop is not taken for a torn write, also when it was opened since.
    server.kill();
    tear(&folder(&data));
    refused(&data, &["segments.list says that event", "its end is missing"]);
}

#[tokio::test]
async fn a_journal_log_that_is_none_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    ten_orders(&data).await.stop();
    let log = data.join("journal.log");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    refused(&data, &["journal.log", "Is a directory"]);
    std::fs::remove_dir(&log).unwrap();
    std::os::unix::fs::symlink("nowhere", &log).unwrap();
    refused(&data, &["journal.log", "No such file"]);
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, "").unwrap();
    refused(&data, &["journal.log cannot be used: it does not say its format"]);
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // A journal.log that names nothing, in a directory without a lock; and one below a file.
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("journal.log"), "what?").unwrap();
    refused(&data, &["journal.log cannot be used"]);
    assert_eq!(image(&data).len(), 1, "a lock was left");
    // Directories that were made for a journal that could not be begun: its name is too long for a system.
    let deep = directory.path().join("some/new").join("x".repeat(300)).join("data");
    refused(&deep, &["File name too long"]);
    assert!(!directory.path().join("some").exists(), "folders were left");
}
