//! `compact`, and the other tasks where there are snapshots.

use betex_core::command::CommandKind;
use betex_core::types::MarketId;
use betex_journal::{FileStorage, JournalFiles};
use serde_json::Value;

use super::{Said, dump, image, run, sequences};
use crate::desk::{Desk, open};
use crate::tape::JOURNAL;

const NOTHING_KEPT: [&str; 4] = ["--keep-mib", "0", "--keep-days", "0"];

/// A journal of some sealed segments, still open. Two with different reasons differ in nothing else.
fn written(sealed: u64, reason: &str) -> (tempfile::TempDir, Desk) {
    let directory = tempfile::tempdir().unwrap();
    let mut desk = open(FileStorage::new(directory.path()));
    desk.trade();
    for step in [
        CommandKind::SuspendMarket { reason: Some(reason.into()) },
        CommandKind::OpenMarket { reason: Some(reason.into()) },
    ] {
        desk.run(MarketId(1), &step);
    }
    (0..sealed).for_each(|_| fill_one(&directory, &mut desk));
    (directory, desk)
}

/// Seals the segment that is written.
fn fill_one(directory: &tempfile::TempDir, desk: &mut Desk) {
    let files = JournalFiles::open_dir(directory.path()).unwrap();
    let used = || files.segments().unwrap().iter().filter(|segment| segment.first.is_some()).count();
    let before = used();
    while used() == before {
        desk.ballast();
    }
    desk.trade();
}

fn compact(directory: &std::path::Path) -> Said {
    run(directory, "compact", &NOTHING_KEPT)
}

fn snapshots(directory: &std::path::Path) -> Vec<String> {
    let said = run(directory, "stats", &["--json"]);
    let stats: Value = serde_json::from_str(&said.out).unwrap();
    let names = stats["snapshots"].as_array().unwrap().iter();
    names.map(|snapshot| snapshot["name"].as_str().unwrap().to_owned()).collect()
}

/// Two compacts with segments sealed in between: only the tail is left.
fn pruned() -> (tempfile::TempDir, String) {
    let (directory, desk) = written(2, "rain");
    drop(desk);
    assert_eq!(compact(directory.path()).code, 0);
    let mut desk = open(FileStorage::new(directory.path()));
    fill_one(&directory, &mut desk);
    desk.run(MarketId::NONE, &CommandKind::RegisterAccount { name: "zoe".into() });
    let digest = desk.state.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    drop(desk);
    let said = compact(directory.path());
    assert!(said.code == 0 && said.out.contains("Removed 2 segments"), "{said:?}");
    (directory, digest)
}

#[test]
fn a_journal_in_use_is_not_compacted() {
    let (directory, desk) = written(1, "rain");
    let before = image(directory.path());
    let said = compact(directory.path());
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("in use by another process"), "{}", said.err);
    assert_eq!(image(directory.path()), before);
    drop(desk);
    let said = compact(directory.path());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("Made a snapshot of"), "{}", said.out);
    assert!(
        said.out.contains("Removed 0 segments") && said.out.contains("two snapshots stand behind it"),
        "{}",
        said.out
    );
    let said = compact(directory.path());
    assert!(said.code == 0 && said.out.contains("nothing to make one of"), "{said:?}");
    let empty = tempfile::tempdir().unwrap();
    let said = compact(empty.path());
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(image(empty.path()).len(), 0, "no journal is begun");
}

#[test]
fn what_is_pruned_is_verified_from_its_snapshots() {
    let (directory, digest) = pruned();
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains(&format!("Digest of the state: {digest}")), "{}", said.out);
    let right = said.out.lines().filter(|line| line.starts_with("Snapshot ") && line.contains(" is right: "));
    assert_eq!(right.count(), 2, "{}", said.out);
    // What was removed is said; names that were given there are known.
    let said = run(directory.path(), "dump", &["--from", "1"]);
    assert!(said.code == 6 && said.err.contains("what was before has been removed"), "{said:?}");
    let all = dump(directory.path(), &[]);
    assert!(sequences(&all)[0] > 1);
    let cup = dump(directory.path(), &["--market", "cup", "--kind", "TradeMatched"]);
    assert!(!cup.is_empty() && cup.iter().all(|line| line["market_id"] == 1), "{cup:?}");
    assert!(!dump(directory.path(), &["--account", "alice"]).is_empty());
    assert_eq!(dump(directory.path(), &["--account", "zoe"]).len(), 1);
}

#[test]
fn a_damaged_snapshot_is_named() {
    let (directory, _) = pruned();
    let [older, newer] = snapshots(directory.path()).try_into().unwrap();
    let flip = |name: &str| {
        let path = directory.path().join(format!("{JOURNAL:016x}/{name}"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    flip(&newer);
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&newer) && said.err.contains("passes over this snapshot"), "{}", said.err);
    assert!(
        said.out.contains(&format!("Snapshot {older} is right")) && !said.out.contains("Sound"),
        "{}",
        said.out
    );
    flip(&older);
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("no snapshot that is right stands for what was before"), "{}", said.err);
}

/// Right in itself, and yet of another journal with the same number and as many events.
#[test]
fn a_snapshot_of_another_state_is_found() {
    let [(directory, desk), (other, other_desk)] = ["rain", "snow"].map(|reason| written(1, reason));
    drop((desk, other_desk));
    for directory in [&directory, &other] {
        assert_eq!(compact(directory.path()).code, 0);
        assert_eq!(run(directory.path(), "verify", &[]).code, 0);
    }
    let [name] = snapshots(directory.path()).try_into().unwrap();
    assert_eq!(snapshots(other.path()), std::slice::from_ref(&name));
    let path = |directory: &tempfile::TempDir| directory.path().join(format!("{JOURNAL:016x}/{name}"));
    std::fs::copy(path(&other), path(&directory)).unwrap();
    let said = run(directory.path(), "verify", &[]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&name) && said.err.contains("do not fit"), "{}", said.err);
}

#[test]
fn handlers_keep_what_they_have_not_read() {
    let (directory, desk) = written(2, "rain");
    drop(desk);
    assert_eq!(compact(directory.path()).code, 0);
    let mut desk = open(FileStorage::new(directory.path()));
    fill_one(&directory, &mut desk);
    drop(desk);
    let positions = directory.path().join(format!("{JOURNAL:016x}/handlers.positions"));
    std::fs::write(&positions, "handler = what 5 ledger\n").unwrap();
    let said = compact(directory.path());
    assert!(said.code == 3 && said.err.contains("what handlers still need"), "{said:?}");
    std::fs::write(
        &positions,
        "# How far\nformat = 1\nhandler = 4000000 5 ledger\nhandler = 2 5 risk desk\n",
    )
    .unwrap();
    let said = compact(directory.path());
    assert!(said.code == 0 && said.out.contains("Removed 0 segments"), "{said:?}");
    let mut desk = open(FileStorage::new(directory.path()));
    fill_one(&directory, &mut desk);
    drop(desk);
    let said =
        run(directory.path(), "compact", &[&NOTHING_KEPT[..], &["--ignore-handlers", "--progress"]].concat());
    assert!(said.err.contains("opening the journal"), "{said:?}");
    assert!(said.code == 0 && said.out.contains("Removed 3 segments"), "{said:?}");
}
