//! What a dump says of an event.

use std::collections::BTreeSet;

use betex_journal::FileStorage;

use super::{dump, run};
use crate::tape::{exact_day, open, short_day};

/// The names of the fields, and what stands in them, stay what they are: scripts read them.
#[test]
fn lines_of_every_kind_are_as_they_always_were() {
    let directory = tempfile::tempdir().unwrap();
    open(FileStorage::new(directory.path())).write(&short_day());
    let said = run(directory.path(), "dump", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    is_golden(&said.out, "dump.v1");
    let kinds: BTreeSet<String> =
        dump(directory.path(), &[]).iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.len(), 18, "{kinds:?}");
}

#[track_caller]
fn is_golden(out: &str, name: &str) {
    let golden = format!("{}/tests/fixtures/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(golden).unwrap_or_default();
    for (number, (line, expected)) in (1..).zip(out.lines().zip(golden.lines())) {
        assert_eq!(line, expected, "line {number}");
    }
    assert_eq!(out.lines().count(), golden.lines().count(), "{out}");
}

/// What is exact to the quantum has a field of its own, only where whole pennies do not say it.
#[test]
fn lines_tell_exact_stakes_where_pennies_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let day = exact_day();
    open(FileStorage::new(directory.path())).write(&day);
    let from = (day[short_day().len()].0.sequence).to_string();
    let said = run(directory.path(), "dump", &["--from", &from]);
    assert_eq!(said.code, 0, "{said:?}");
    is_golden(&said.out, "dump.v1.fractions");
    // The frame before the last one has the order on a quarter line.
    let shown = run(directory.path(), "show-frame", &["--frame", &(day.len() - 1).to_string()]);
    for words in [
        "OrderAccepted version 3, 48 bytes",
        "SetMatched version 2, 48 bytes",
        "LegMatched version 2, 64 bytes",
        "\"quantity\":300100,\"stake\":300034,",
        "\"maker_remaining\":599900,\"maker_remaining_stake\":599983}",
        "\"resting\":699900,\"resting_stake\":699966,",
    ] {
        assert!(shown.code == 0 && shown.out.contains(words), "{words}: {}", shown.out);
    }
}
