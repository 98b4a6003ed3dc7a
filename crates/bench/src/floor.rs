//! The floor to divide by: a bare ring to append and sync of 128-byte records, on the same disk, with
//! the same driver and the same way of waiting, and nothing else.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use betex::disruptor::Producer;
use betex::engine::Doorbell;
use disruptor::BusySpin;

use crate::driver::{Answers, Pace, drive};
use crate::report::Figures;

const RECORD: usize = 128;
const FRAME_RECORDS: u64 = 2_048;
const FILE_BYTES: u64 = 64 << 20;

struct Slot {
    command: usize,
    record: [u8; RECORD],
}

/// Appends and syncs so many records at a pace.
pub fn measure(name: &str, commands: usize, pace: Pace, directory: &Path) -> Result<Figures> {
    let file = tempfile::NamedTempFile::new_in(directory)?;
    let disk = OpenOptions::new().write(true).open(file.path())?;
    for offset in 0..FILE_BYTES >> 20 {
        disk.write_all_at(&[0; 1 << 20], offset << 20)?;
    }
    disk.sync_all()?;

    let empty = || Slot { command: 0, record: [0; RECORD] };
    let (mut poller, builder) = disruptor::build_single_producer(16_384, empty, BusySpin).new_event_poller();
    let mut ring = builder.build();
    let (answers, bell, done) =
        (Answers::new(commands), Arc::<Doorbell>::default(), Arc::new(AtomicBool::new(false)));
    let (noted, rung, over) = (Arc::clone(&answers), Arc::clone(&bell), Arc::clone(&done));
    let appender = std::thread::spawn(move || -> Result<u64> {
        rung.own();
        let (mut buffer, mut offset, mut syncs) = (Vec::new(), 0, 0);
        while !over.load(Ordering::Acquire) {
            if !poller.has_available() {
                rung.wait(|| poller.has_available() || over.load(Ordering::Acquire), None);
                continue;
            }
            let mut guard = poller.take(FRAME_RECORDS)?;
            buffer.clear();
            let mut answered = Vec::new();
            for slot in &mut guard {
                buffer.extend_from_slice(&slot.record);
                answered.push(slot.command);
            }
            if offset + buffer.len() as u64 > FILE_BYTES {
                offset = 0;
            }
            disk.write_all_at(&buffer, offset)?;
            disk.sync_data()?;
            offset += buffer.len() as u64;
            syncs += 1;
            drop(guard);
            answered.into_iter().for_each(|command| noted.note(command));
        }
        Ok(syncs)
    });
    let (per_second, latency) = drive(&answers, commands, pace, |command| {
        let byte = u8::try_from(command & 0xff).unwrap_or(0);
        let sent = ring.try_publish(|slot| (slot.command, slot.record) = (command, [byte; RECORD])).is_ok();
        bell.ring();
        sent
    });
    done.store(true, Ordering::Release);
    bell.ring();
    let syncs = appender.join().expect("the appender does not panic")?;
    Ok(figures(name, commands, per_second, syncs).with_latency(&latency))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(name: &str, commands: usize, per_second: f64, syncs: u64) -> Figures {
    Figures::new(name)
        .with("commands_per_s", per_second)
        .with("commands_per_sync", commands as f64 / syncs as f64)
}
