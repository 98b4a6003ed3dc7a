//! The program `betex-journal`, run as it is.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use betex_core::command::CommandKind;
use betex_core::event::Event;
use betex_core::types::Side;
use betex_journal::record::kind;
use betex_journal::{JournalFiles, NextFrame};
use serde_json::Value;

use crate::real_day::{DERBY, RealDay};
use crate::tape::{JOURNAL, cancelled, segment};

mod lines;
mod snapshots;

/// What a run of it said.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn run(directory: &Path, task: &str, arguments: &[&str]) -> Said {
    let output = command(directory, task, arguments).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(directory: &Path, task: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_betex-journal"));
    command.arg(task).arg(directory).args(arguments).env_remove("BETEX_DATA_DIR");
    command
}

/// The lines of a dump, which must go well.
fn dump(directory: &Path, arguments: &[&str]) -> Vec<Value> {
    let said = run(directory, "dump", arguments);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sequences(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["sequence"].as_u64().unwrap()).collect()
}

/// A sound journal; its server has stopped.
fn stopped() -> (tempfile::TempDir, RealDay) {
    let directory = tempfile::tempdir().unwrap();
    let day = RealDay::write(directory.path());
    (directory, day)
}

/// All files of a directory with their bytes.
fn image(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                image(&path)
            } else {
                BTreeMap::from([(path.clone(), std::fs::read(path).unwrap())])
            }
        })
        .collect()
}

fn change(directory: &Path, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let path = directory.join(segment(number));
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Where frames begin in the first segment.
fn frame_offsets(directory: &Path) -> Vec<usize> {
    let files = JournalFiles::open_dir(directory).unwrap();
    let mut reader = files.frames().unwrap();
    let mut offsets = Vec::new();
    while let NextFrame::Frame(frame) = reader.next_frame().unwrap() {
        offsets.push(usize::try_from(frame.offset).unwrap());
    }
    offsets
}

#[test]
fn a_sound_journal_is_sound_and_its_digest_is_the_states() {
    let (directory, day) = stopped();
    let before = image(directory.path());
    let said = run(directory.path(), "verify", &[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let digest: String = day.state.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let last = day.state.sequence();
    for words in [
        "11 frames of".to_owned(),
        format!(
            "sequence numbers 1 to {last}, 2026-10-03T12:30:00.000000000Z to 2026-10-03T12:30:02.000000000Z"
        ),
        format!("Digest of the state: {digest}"),
        "Sound.".to_owned(),
    ] {
        assert!(said.out.contains(&words), "{words}: {}", said.out);
    }
    let said = run(directory.path(), "verify", &["--progress"]);
    assert!(said.code == 0 && said.err.contains("of at most 1 MiB, frame 1,"), "{said:?}");
    for task in ["stats", "dump"] {
        assert_eq!(run(directory.path(), task, &[]).code, 0);
    }
    let said = run(directory.path(), "dump", &["--progress"]);
    assert!(said.code == 0 && said.err.contains("sequence number 1"), "{said:?}");
    assert_eq!(image(directory.path()), before, "nothing is touched");
}

#[test]
fn a_cut_tail_is_sound_and_said() {
    let (directory, _) = stopped();
    let offsets = frame_offsets(directory.path());
    let last = *offsets.last().unwrap();
    change(directory.path(), 1, |bytes| bytes[last + 100..].fill(0));
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    let words = format!("in 00000001.segment at offset {last}, lie ");
    assert!(said.out.contains(&words) && said.out.contains("unfinished write"), "{}", said.out);
    assert!(said.out.contains("10 frames"), "{}", said.out);
}

#[test]
fn a_flipped_bit_is_found_and_what_is_before_is_shown() {
    let (directory, _) = stopped();
    let offsets = frame_offsets(directory.path());
    let at = offsets[7];
    change(directory.path(), 1, |bytes| bytes[at + 80] ^= 4);
    let before = image(directory.path());
    let place = format!("is damaged in 00000001.segment at offset {at}, frame 8: ");
    for task in ["verify", "stats", "dump"] {
        let said = run(directory.path(), task, &[]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(&place) && said.err.contains("When something is wrong"), "{}", said.err);
        if task == "dump" {
            assert_eq!(said.out.lines().count(), 7);
        }
    }
    // The frame itself, and where another begins.
    let said = run(directory.path(), "show-frame", &["--frame", "8"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("WRONG") && said.err.contains("its checksum is wrong"), "{said:?}");
    let at = format!("1:{}", offsets[8]);
    let said = run(directory.path(), "show-frame", &["--at", &at]);
    assert!(said.code == 1 && said.err.contains("does not chain"), "{said:?}");
    assert_eq!(image(directory.path()), before, "nothing is touched");
}

/// Checksums and chain are right, and yet no core has written this.
#[test]
fn events_that_do_not_follow_are_damage() {
    let (directory, mut day) = stopped();
    let stamp = day.stamp(DERBY);
    day.journal(&stamp, &[Event::OrderCancelled(cancelled(77))]);
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("frame 12: its events do not follow"), "{}", said.err);
    assert!(!said.out.contains("Sound"), "{}", said.out);
}

#[test]
fn what_cannot_be_read_has_a_code_and_a_sentence() {
    let (directory, _) = stopped();
    let empty = tempfile::tempdir().unwrap();
    for (place, task, arguments, code, words) in [
        (empty.path(), "verify", &[][..], 3, "there is no journal in"),
        (Path::new("/nowhere/at/all"), "stats", &[], 3, "there is no journal in"),
        (directory.path(), "show-frame", &["--frame", "99"], 6, "there is no frame 99"),
        (directory.path(), "show-frame", &["--at", "1:64"], 6, "no frame of this journal begins in"),
        (directory.path(), "show-frame", &["--at", "1:65"], 2, "a multiple of 64"),
        (directory.path(), "show-frame", &[], 2, "--frame"),
        (directory.path(), "dump", &["--kind", "Nonsense"], 2, "OrderAccepted"),
        (directory.path(), "dump", &["--since", "noon"], 2, "2026-10-03T12:30:00Z"),
        (directory.path(), "dump", &["--from", "9", "--to", "3"], 2, "--from must not be above --to"),
        (directory.path(), "dump", &["--from", "0"], 2, "0"),
        (directory.path(), "dump", &["--market", "elsewhere"], 6, "no market is called \"elsewhere\""),
        (directory.path(), "dump", &["--account", "carol"], 6, "no account is called \"carol\""),
        (directory.path(), "guess", &[], 2, "guess"),
    ] {
        let said = run(place, task, arguments);
        assert_eq!(said.code, code, "{task} {arguments:?}: {said:?}");
        assert!(said.err.contains(words), "{task} {arguments:?}: {}", said.err);
    }
    std::fs::write(directory.path().join("journal.log"), "format = 2\n").unwrap();
    let said = run(directory.path(), "verify", &[]);
    assert!(said.code == 3 && said.err.contains("its format is 2"), "{said:?}");
}

#[test]
fn a_newer_journal_is_not_damaged() {
    let (directory, _) = stopped();
    let offset = frame_offsets(directory.path())[4];
    change(directory.path(), 1, |bytes| {
        bytes[offset + 4] = 9;
        let len = 64
            + usize::try_from(u32::from_le_bytes(bytes[offset + 56..offset + 60].try_into().unwrap()))
                .unwrap();
        bytes[offset + 60..offset + 64].fill(0);
        let crc = crc32c::crc32c(&bytes[offset..offset + len]);
        bytes[offset + 60..offset + 64].copy_from_slice(&crc.to_le_bytes());
    });
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.err.contains("frame 5: a frame of version 9"), "{}", said.err);
}

#[test]
fn a_dump_is_filtered() {
    let (directory, day) = stopped();
    let all = dump(directory.path(), &[]);
    let last = day.state.sequence();
    assert_eq!(sequences(&all), (1..=last).collect::<Vec<_>>());
    let of = |test: &dyn Fn(&Value) -> bool| {
        sequences(&all.iter().filter(|line| test(line)).cloned().collect::<Vec<_>>())
    };
    let kind = |line: &Value, kind: &str| line["kind"] == kind;
    let time = |line: &Value| line["time_ns"].as_u64().unwrap();
    let bobs =
        |line: &Value| ["account", "maker_account", "taker_account"].iter().any(|field| line[field] == 2);
    let cases: [(&[&str], Vec<u64>); 11] = [
        (&["--from", "4", "--to", "7"], vec![4, 5, 6, 7]),
        (&["--market", "2"], of(&|line| line["market_id"] == 2)),
        (&["--market", "cup"], of(&|line| line["market_id"] == 2)),
        (
            &["--market", "name:derby", "--from", "6"],
            of(&|line| line["market_id"] == 1 && line["sequence"].as_u64() > Some(5)),
        ),
        (&["--kind", "TradeMatched"], of(&|line| kind(line, "TradeMatched"))),
        (
            &["--kind", "ordercancelled,MarketStatusChanged"],
            of(&|line| kind(line, "OrderCancelled") || kind(line, "MarketStatusChanged")),
        ),
        (&["--account", "2"], of(&bobs)),
        (&["--account", "bob"], of(&bobs)),
        (&["--since", "2026-10-03T12:30:01Z"], of(&|line| time(line) >= 1_791_030_601_000_000_000)),
        (&["--until", "1791030601000000000"], of(&|line| time(line) < 1_791_030_601_000_000_000)),
        (
            &[
                "--since",
                "2026-10-03T12:30:01Z",
                "--until",
                "2026-10-03T12:30:02Z",
                "--account",
                "alice",
                "--kind",
                "OrderAccepted",
            ],
            of(&|line| kind(line, "OrderAccepted") && line["account"] == 1),
        ),
    ];
    for (arguments, expected) in cases {
        assert!(!expected.is_empty() && expected.len() < all.len(), "{arguments:?} tells something");
        assert_eq!(sequences(&dump(directory.path(), arguments)), expected, "{arguments:?}");
    }
}

#[test]
fn a_live_journal_is_followed_and_read() {
    let (directory, mut day) = stopped();
    day.run(DERBY, &CommandKind::OpenMarket { reason: None });
    let last = day.state.sequence() + 9_000;
    let from = (day.state.sequence() + 1).to_string();
    let to = last.to_string();
    let mut follow = command(directory.path(), "dump", &["--follow", "--from", &from, "--to", &to])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let followed = BufReader::new(follow.stdout.take().unwrap());
    let followed = std::thread::spawn(move || {
        let lines = followed.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        lines.map(|line| line["sequence"].as_u64().unwrap()).collect::<Vec<_>>()
    });
    let path = directory.path().to_owned();
    let looks = std::thread::spawn(move || {
        ["verify", "stats", "verify", "dump", "verify"].map(|task| {
            let said = run(&path, task, &[]);
            assert_eq!((said.code, said.err.as_str()), (0, ""), "{task}");
            said.out.len()
        })
    });
    for number in 0..9_000 {
        // Apart from each other: nothing is matched.
        let (side, price) = if number % 2 == 0 { (Side::Yes, 90_000) } else { (Side::No, 11_000) };
        day.order(DERBY, 1 + number % 2, side, price, 10_000);
    }
    day.order(DERBY, 1, Side::Yes, 90_000, 10_000);
    assert!(looks.join().unwrap().iter().all(|len| *len > 100));
    let expected: Vec<u64> = (last - 8_999..=last).collect();
    assert!(followed.join().unwrap() == expected);
    assert_eq!(follow.wait().unwrap().code(), Some(0));
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let (directory, mut day) = stopped();
    day.run(DERBY, &CommandKind::OpenMarket { reason: None });
    for _ in 0..2_000 {
        day.order(DERBY, 1, Side::Yes, 90_000, 10_000);
    }
    let mut child =
        command(directory.path(), "dump", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::with_capacity(64, child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    assert!(first.starts_with("{\"sequence\":1,"), "{first}");
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn stats_count_what_is_there() {
    let (directory, day) = stopped();
    let said = run(directory.path(), "stats", &["--json"]);
    let stats: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(stats["journal"], format!("{JOURNAL:016x}"));
    assert_eq!(stats["events"].as_u64(), Some(day.state.sequence()));
    assert_eq!(stats["last_sequence"], stats["events"]);
    assert_eq!((stats["frames"].as_u64(), stats["transactions"].as_u64()), (Some(11), Some(11)));
    assert_eq!(
        (stats["markets_created"].as_u64(), stats["accounts_registered"].as_u64()),
        (Some(2), Some(2))
    );
    assert_eq!(stats["segments"][0]["frames"].as_u64(), Some(11));
    let counts = stats["records"].as_object().unwrap();
    let events = counts.iter().filter(|(name, _)| *name != "Context");
    let events: u64 = events.map(|(_, count)| count["count"].as_u64().unwrap()).sum();
    assert_eq!(events, day.state.sequence());
    let said = run(directory.path(), "stats", &[]);
    assert!(said.code == 0 && said.out.contains("OrderAccepted"), "{said:?}");
}

#[test]
fn a_frame_is_shown() {
    let (directory, _) = stopped();
    let offset = frame_offsets(directory.path())[7];
    let by_number = run(directory.path(), "show-frame", &["--frame", "8"]);
    let by_place = run(directory.path(), "show-frame", &["--at", &format!("1:{offset}")]);
    assert_eq!((by_number.code, &by_number.out), (0, &by_place.out));
    for words in [
        format!("frame 8 in 00000001.segment at offset {offset}"),
        ": right".to_owned(),
        ": that of the frame before".to_owned(),
        format!("{} version 1, 48 bytes", kind::name(kind::ORDER_ACCEPTED).unwrap()),
        "\"kind\":\"TradeMatched\"".to_owned(),
        "       0  424558ff01010000".to_owned(),
    ] {
        assert!(by_number.out.contains(&words), "{words}: {}", by_number.out);
    }
    let short = run(directory.path(), "show-frame", &["--frame", "8", "--no-hex"]);
    assert!(!short.out.contains("424558ff"), "{}", short.out);
    let first = run(directory.path(), "show-frame", &["--frame", "1"]);
    assert!(first.code == 0 && first.out.contains("that of the frame before"), "{first:?}");
}
