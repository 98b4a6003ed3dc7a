//! Whatever fails, and wherever the power goes, while a snapshot is made or what it stands for is removed: what
//! is recovered is exactly what was acknowledged.

use std::io::ErrorKind;

use crate::desk::{Desk, open, recovered, snapshot_files};
use crate::memory_storage::{Call, Crash, MemoryStorage};

/// A disk on which a snapshot is due, and the digest of the state.
fn due() -> (MemoryStorage, [u8; 32]) {
    let storage = MemoryStorage::default();
    let mut desk = open(storage.clone());
    desk.trade();
    desk.snapshots(2);
    desk.fill();
    let digest = desk.state.digest();
    (storage, digest)
}

/// Makes a snapshot and removes what can go; whether all of it succeeded.
fn make_and_prune(desk: &mut Desk) -> bool {
    let made = desk.maker.step(&|| false);
    made.is_ok() && desk.maker.prune(u64::MAX, u64::MAX).is_ok()
}

#[test]
fn every_call_fails_in_turn() {
    let (storage, digest) = due();
    let (mut failed, mut crashes) = (0, 0);
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut coin = || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 63 == 0
    };
    for call in [Call::Write, Call::Sync, Call::Name] {
        // Once, and the disk is well again; or for good, as if the power went there.
        for once in [true, false] {
            for after in 0.. {
                let disk = storage.kill();
                let mut desk = open(disk.clone());
                disk.fail(call, after, ErrorKind::StorageFull, once);
                if make_and_prune(&mut desk) {
                    break;
                }
                failed += 1;
                for crashed in [disk.kill(), disk.crash(Crash::Lost), disk.crash(Crash::Torn(&mut coin))] {
                    assert_eq!(recovered(&crashed), digest, "{call:?} {after}");
                    // And again: a start mends nothing wrong.
                    assert_eq!(recovered(&crashed.crash(Crash::Lost)), digest);
                    crashes += 1;
                }
                disk.heal();
                // The engine has gone on meanwhile, and the next try succeeds.
                desk.trade();
                let digest = desk.state.digest();
                assert!(make_and_prune(&mut desk) && !desk.maker.is_needed());
                assert_eq!(recovered(&disk.crash(Crash::Lost)), digest);
                assert!(disk.files().iter().all(|name| !name.ends_with(".snapshot.new")));
            }
        }
    }
    println!("proof: failed calls of snapshots and pruning: {failed}, crashes: {crashes}");
    assert!(failed > 20, "{failed}");
}

/// After each sync the power goes: a snapshot that has its name is whole, and a segment that is gone is not
/// needed.
#[test]
fn what_was_done_stays_done() {
    let (storage, digest) = due();
    let disk = storage.kill();
    let mut desk = open(disk.clone());
    let made = desk.snapshot();
    let crashed = disk.crash(Crash::Lost);
    assert_eq!(recovered(&crashed), digest);
    assert_eq!(open(crashed).report.snapshot.unwrap().sequence, made.sequence);
    assert_eq!(desk.prune(), 2);
    let crashed = disk.crash(Crash::Lost);
    assert_eq!(snapshot_files(&crashed), snapshot_files(&disk));
    assert_eq!(crashed.files(), disk.files());
    assert_eq!(recovered(&crashed), digest);
}

/// What a crash in the middle of a snapshot leaves is removed at the next start.
#[test]
fn a_half_written_snapshot_is_removed() {
    let (storage, digest) = due();
    let disk = storage.kill();
    let name = snapshot_files(&disk)[0].clone() + ".new";
    disk.replace(&name, vec![1; 1_000]);
    assert_eq!(recovered(&disk), digest);
    assert!(!disk.files().contains(&name));
}
