//! A directory that is copied while an engine writes to it, file by file, as people do.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use betex::prelude::*;

use crate::shop::{builder, config, order};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            // A segment that is removed meanwhile is missing in the copy, as it would be.
            let _ = std::fs::copy(entry.path(), target);
        }
    }
}

/// What a copy holds is what the journal says, up to where the copy goes; or it is refused in words.
#[test]
fn a_copy_is_a_prefix_or_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    // Nothing is removed from the journal itself, to hold the copies against.
    let busy = Config { snapshot_every_segments: 1, retention_bytes: 1 << 40, ..config() };
    let engine = EngineBuilder::new(busy, directory.path()).unwrap();
    drop(builder(directory.path()).build().unwrap());
    let engine = engine.build().unwrap();
    let done = AtomicBool::new(false);
    let mut copies = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                n += 1;
                let side = if n % 2 == 0 { Side::Yes } else { Side::No };
                if engine
                    .submit_on(CommandLane::Normal, order(side, 250, 1 + n % 9, 1 + n.unsigned_abs() % 5))
                    .is_err()
                {
                    std::thread::yield_now();
                }
            }
        });
        for n in 0..8 {
            std::thread::sleep(std::time::Duration::from_millis(60));
            let to = directory.path().join(format!("copy-{n}"));
            copy(&directory.path().join(folder(directory.path())), &to.join(folder(directory.path())));
            std::fs::copy(directory.path().join("journal.log"), to.join("journal.log")).unwrap();
            copies.push(to);
        }
        done.store(true, Ordering::Relaxed);
    });
    engine.stop();
    let (mut opened, mut refused) = (0, 0);
    for path in copies {
        match builder(&path).build() {
            Ok(copy) => {
                opened += 1;
                let mut expected = betex::book::State::new();
                let mut reader = JournalReader::open_dir(directory.path()).unwrap();
                let mut events = Vec::new();
                while expected.sequence() < copy.read().sequence()
                    && let Some(stamp) = reader.next_transaction(&mut events).unwrap()
                {
                    expected.apply(&stamp, &events);
                }
                assert_eq!(copy.read().digest(), expected.digest(), "{} is no prefix", path.display());
            }
            Err(error) => {
                refused += 1;
                let words = error.to_string();
                assert!(words.contains("segment") || words.contains("snapshot"), "{words}");
            }
        }
    }
    println!("proof: {opened} copies opened as a prefix, {refused} were refused");
    assert!(opened > 0, "a copy should mostly open");
}

/// The journal's folder.
fn folder(directory: &Path) -> String {
    let log = std::fs::read_to_string(directory.join("journal.log")).unwrap();
    let line = log.lines().find_map(|line| line.strip_prefix("journal = ")).unwrap();
    line.trim().to_owned()
}
