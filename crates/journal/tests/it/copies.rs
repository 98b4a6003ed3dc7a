//! Copies of a journal that lack something: they open with everything that was acknowledged, or they are refused in
//! words and left as they are. Never do they open with less.

use betex_journal::{JournalError, Log};

use crate::memory_storage::{Crash, MemoryStorage};
use crate::notes::{list, mark, write};
use crate::tape::{JOURNAL, ORDER_FRAME, Opened, exact_day, open, orders, read_all, segment, try_open};

const ORDERS: u64 = 6_000;

/// A journal of two segments and one that is prepared, closed in good order.
fn closed() -> MemoryStorage {
    let storage = MemoryStorage::default();
    let mut opened = open(storage.clone());
    opened.write(&orders(ORDERS));
    opened.preparer.step().unwrap();
    opened.log.close().unwrap();
    assert!(storage.files().contains(&mark()) && storage.files().contains(&segment(3)));
    storage
}

/// Opens a copy that was damaged; what was said if it was refused.
#[track_caller]
fn all_or_refused(disk: &MemoryStorage, what: &str) -> Option<String> {
    let before = disk.image();
    match try_open(disk.clone()) {
        Ok(opened) => {
            assert_eq!(opened.replayed.len() as u64, ORDERS, "{what}: fewer events without a word");
            None
        }
        Err(error) => {
            assert_eq!(disk.image(), before, "{what}: changed although refused");
            let said = error.to_string();
            assert!(
                said.contains("Nothing was changed") || said.contains("cannot be used"),
                "{what}: {said}"
            );
            Some(said)
        }
    }
}

#[test]
fn a_file_that_was_not_copied_is_noticed() {
    let storage = closed();
    for name in storage.files() {
        let disk = storage.kill();
        disk.delete(&name);
        if name == "journal.log" {
            // That is how an exchange is begun afresh; it is said.
            let other =
                betex_journal::JournalOptions { new_journal_number: JOURNAL + 1, ..crate::tape::options() };
            let opened = crate::tape::try_open_with(disk, &other).unwrap();
            assert!(opened.report.to_string().contains("ATTENTION"), "{}", opened.report);
            continue;
        }
        let said = all_or_refused(&disk, &name);
        let expected = name.ends_with(".segment").then(|| name[17..].to_owned());
        assert_eq!(said.is_some(), expected.is_some(), "{name}: {said:?}");
        if let (Some(said), Some(name)) = (said, expected) {
            assert!(said.contains(&format!("{name} is missing")), "{said}");
        }
    }
}

#[test]
fn a_file_that_was_cut_or_added_to_is_noticed() {
    let storage = closed();
    for name in storage.files().into_iter().filter(|name| name.contains('/') && !name.ends_with("/.")) {
        let whole = storage.read(&name);
        let steps = if name.ends_with(".segment") { 1 << 16 } else { 1 };
        for cut in (0..whole.len()).step_by(steps).chain([whole.len() - 1]) {
            let disk = storage.kill();
            disk.replace(&name, whole[..cut].to_vec());
            let said = all_or_refused(&disk, &format!("{name} cut at {cut}")).unwrap();
            if name.ends_with(".segment") {
                let words = format!("{}: the file has {cut} bytes, and was made with 1048576", &name[17..]);
                assert!(said.contains(&words), "{said}");
            } else {
                assert!(said.contains(&name) && said.contains("cut short, or empty"), "{said}");
            }
        }
        let disk = storage.kill();
        disk.replace(&name, [whole.as_slice(), &[0; 512]].concat());
        assert!(all_or_refused(&disk, &format!("{name} is longer")).is_some());
    }
}

#[test]
fn zeros_in_place_of_what_was_are_noticed() {
    let storage = closed();
    let mut refused = 0;
    for number in 1..=3 {
        let whole = storage.read(&segment(number));
        for from in (0..whole.len()).step_by(1 << 16) {
            // A hole as sparse copies leave it, and everything from here on.
            for to in [from + 4_096, whole.len()] {
                let disk = storage.kill();
                let mut bytes = whole.clone();
                bytes[from..to].fill(0);
                let is_changed = bytes != whole;
                disk.replace(&segment(number), bytes);
                let said = all_or_refused(&disk, &format!("zeros in {number} from {from} to {to}"));
                assert_eq!(said.is_some(), is_changed, "{number} {from} {to}: {said:?}");
                refused += u64::from(said.is_some());
            }
        }
    }
    assert!(refused > 16);
    // The whole of it, and the last frame of all.
    let disk = storage.kill();
    for number in 1..=3 {
        disk.replace(&segment(number), vec![0; 1 << 20]);
    }
    let said = all_or_refused(&disk, "all zeros").unwrap();
    assert!(said.contains("in 00000001.segment at offset 0, frame 1: the first frame is missing"), "{said}");
    let disk = storage.kill();
    let mut bytes = disk.read(&segment(2));
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() / ORDER_FRAME * ORDER_FRAME;
    bytes[end..].fill(0);
    disk.replace(&segment(2), bytes);
    let said = all_or_refused(&disk, "the last frame").unwrap();
    let words = "the journal ends with event 5999, and the mark of the clean stop (stopped) says that event 6000 was on the disk";
    assert!(said.contains(words), "{said}");
}

#[test]
fn notes_of_another_journal_or_of_nobody_are_refused() {
    let storage = closed();
    let other = JOURNAL + 1;
    for (name, lines, words) in [
        (list(), format!("journal = {other:016x}\nreached = 1\n"), format!("the journal {other:016x}")),
        (mark(), format!("journal = {other:016x}\nsequence = 6000\n"), "not the mark of this journal".into()),
        (
            mark(),
            format!("journal = {JOURNAL:016x}\nsequence = many\n"),
            "not the mark of this journal".into(),
        ),
        (list(), format!("journal = {JOURNAL:016x}\nsegments = 1\n"), "it has the line".into()),
    ] {
        let disk = storage.kill();
        write(&disk, &name, &lines);
        let error = try_open(disk).map(drop).unwrap_err();
        assert!(matches!(error, JournalError::Note { .. }), "{error}");
        assert!(error.to_string().contains(&words) && error.to_string().contains(&name), "{error}");
    }
    for bit in 0..storage.read(&mark()).len() * 8 {
        let disk = storage.kill();
        let mut bytes = disk.read(&mark());
        bytes[bit / 8] ^= 1 << (bit % 8);
        disk.replace(&mark(), bytes);
        assert!(all_or_refused(&disk, &format!("bit {bit} of the mark")).is_some());
    }
}

/// What is said of a torn tail is what is known.
#[test]
fn the_mark_says_whether_a_torn_tail_had_been_acknowledged() {
    let storage = closed();
    let tear = |disk: &MemoryStorage| {
        let mut bytes = disk.read(&segment(2));
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[end + ORDER_FRAME] = 1;
        disk.replace(&segment(2), bytes);
    };
    let stopped = storage.kill();
    tear(&stopped);
    let Opened { mut log, report, .. } = open(stopped.clone());
    assert_eq!((report.stopped, report.last_sequence), (Some(ORDERS), ORDERS));
    let said = report.to_string();
    assert!(
        said.contains("they had not been acknowledged, since the exchange was stopped cleanly"),
        "{said}"
    );
    // From now on it is not stopped.
    assert!(!stopped.files().contains(&mark()));
    log.close().unwrap();
    drop(log);
    let killed = storage.kill();
    drop(open(killed.clone()));
    tear(&killed);
    let said = open(killed).report.to_string();
    assert!(said.contains("they may or may not have been acknowledged"), "{said}");
}

/// The mark is taken back durably before anything is written behind it, and comes back durably.
#[test]
fn a_mark_is_gone_before_anything_else_happens() {
    let storage = closed();
    let disk = storage.crash(Crash::Lost);
    assert!(disk.files().contains(&mark()));
    let opened = open(disk.clone());
    assert!(!disk.crash(Crash::Lost).files().contains(&mark()));
    assert_eq!(open(disk.crash(Crash::Lost)).report.stopped, None);
    // A start that fails later leaves things as they were.
    let Opened { log, report, .. } = opened;
    log.withdraw(&report);
    assert_eq!(open(disk.crash(Crash::Lost)).report.stopped, Some(ORDERS));
}

#[test]
fn a_journal_that_was_begun_is_taken_back_or_has_its_first_frame() {
    let storage = MemoryStorage::default();
    let Opened { log, report, .. } = open(storage.clone());
    log.withdraw(&report);
    assert!(storage.files().iter().all(|name| name.ends_with("/.")), "{:?}", storage.files());
    // Killed before its first frame: nothing was acknowledged.
    let storage = MemoryStorage::default();
    drop(open(storage.clone()));
    let mut opened = open(storage.kill());
    assert!(opened.replayed.is_empty() && !opened.report.fresh);
    opened.log.close().unwrap();
    // With its first frame it never opens without.
    let mut opened = open(storage.clone());
    let (stamp, events) = &exact_day()[0];
    opened.log.append(stamp, events).unwrap();
    opened.log.commit().unwrap();
    opened.log.settle().unwrap();
    drop(opened);
    for disk in [storage.kill(), storage.crash(Crash::Lost)] {
        disk.replace(&segment(1), vec![0; 1 << 20]);
        let said = try_open(disk).map(drop).unwrap_err().to_string();
        assert!(said.contains("frame 1: the first frame is missing or not whole"), "{said}");
    }
    // An older version has no list; it wrote its first frame as soon as there was a journal.
    storage.delete(&list());
    storage.replace(&segment(1), vec![0; 1 << 20]);
    assert!(try_open(storage.clone()).is_err());
    storage.replace(&segment(1), Vec::new());
    let said = try_open(storage).map(drop).unwrap_err().to_string();
    assert!(
        said.contains("00000001.segment: the file has 0 bytes, and every segment is made with 1048576"),
        "{said}"
    );
}

#[test]
fn a_reader_of_a_closed_journal_reads_all_of_it() {
    assert_eq!(read_all(closed()).unwrap(), orders(ORDERS));
}
