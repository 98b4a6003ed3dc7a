//! How much there is of what.

use std::collections::BTreeMap;
use std::io::Write;

use betex_core::event::Event;
use betex_journal::record::raw_records;
use betex_journal::{JournalFiles, NextFrame, SegmentFile, SnapshotFile};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::stdout;
use crate::progress::Progress;
use crate::{Place, times};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Say how far it is on stderr, also where that is no terminal
    #[arg(long)]
    progress: bool,
}

/// What was counted. The names of the fields are those of the JSON, and stay what they are.
#[derive(Default, Serialize)]
struct Stats {
    journal: String,
    began: String,
    segments: Vec<Segment>,
    snapshots: Vec<Snapshot>,
    frames: u64,
    transactions: u64,
    events: u64,
    /// Of the frames, headers and padding included.
    frame_bytes: u64,
    first_sequence: u64,
    last_sequence: u64,
    first_time_ns: u64,
    last_time_ns: u64,
    /// How often it was opened for writing, as far as frames say so.
    epoch: u32,
    markets_created: u64,
    markets_removed: u64,
    accounts_registered: u64,
    /// By the name of the record, contexts included.
    records: BTreeMap<&'static str, Count>,
}

#[derive(Default, Serialize)]
struct Segment {
    number: u64,
    bytes: u64,
    frames: u64,
    frame_bytes: u64,
}

#[derive(Serialize)]
struct Snapshot {
    name: String,
    sequence: u64,
}

#[derive(Default, Serialize)]
struct Count {
    count: u64,
    bytes: u64,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let files = options.place.files()?;
    let mut progress = Progress::new(&files, options.progress)?;
    let mut stats = Stats {
        journal: format!("{:016x}", files.journal()),
        began: files.began().to_owned(),
        ..Stats::default()
    };
    let mut used: BTreeMap<u64, Segment> = BTreeMap::new();
    let mut reader = files.frames()?;
    while let NextFrame::Frame(frame) = reader.next_frame()? {
        if stats.frames == 0 {
            stats.first_sequence = frame.first_sequence;
        }
        stats.frames += 1;
        stats.frame_bytes += frame.bytes();
        stats.last_sequence = frame.last_sequence();
        stats.epoch = frame.epoch;
        let segment = used.entry(frame.segment).or_default();
        segment.frames += 1;
        segment.frame_bytes += frame.bytes();
        reader.transactions(&mut |stamp, events| {
            if stats.transactions == 0 {
                stats.first_time_ns = stamp.time_ns;
            }
            stats.last_time_ns = stamp.time_ns;
            stats.transactions += 1;
            stats.events += events.len() as u64;
            for event in events {
                match event {
                    Event::MarketCreated(_) => stats.markets_created += 1,
                    Event::MarketRemoved => stats.markets_removed += 1,
                    Event::AccountRegistered { .. } => stats.accounts_registered += 1,
                    _ => {}
                }
            }
        })?;
        // The body was decoded just now: all of its heads are right.
        for record in raw_records(reader.body()).flatten() {
            let count = stats.records.entry(record.name().unwrap_or("unknown")).or_default();
            count.count += 1;
            count.bytes += record.bytes.len() as u64;
        }
        progress.at(&frame);
    }
    drop(progress);
    stats.segments = files.segments()?.into_iter().map(|file| filled(file, &mut used)).collect();
    stats.snapshots = snapshots(&files)?;
    let mut out = stdout();
    if options.json {
        serde_json::to_writer(&mut out, &stats).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    } else {
        tell(&mut out, &stats)?;
    }
    out.flush()?;
    Ok(())
}

fn snapshots(files: &JournalFiles) -> Result<Vec<Snapshot>, Failure> {
    let files = files.snapshots()?.into_iter();
    Ok(files.map(|SnapshotFile { name, sequence }| Snapshot { name, sequence }).collect())
}

/// A segment with the frames that were found in it.
fn filled(file: SegmentFile, used: &mut BTreeMap<u64, Segment>) -> Segment {
    let found = used.remove(&file.number).unwrap_or_default();
    Segment { number: file.number, bytes: file.bytes, ..found }
}

fn tell(out: &mut impl Write, stats: &Stats) -> std::io::Result<()> {
    writeln!(
        out,
        "journal       {}, begun {}, opened for writing {} times",
        stats.journal, stats.began, stats.epoch
    )?;
    writeln!(out, "sequence      {} to {}", stats.first_sequence, stats.last_sequence)?;
    if stats.transactions > 0 {
        let (first, last) = (times::exact(stats.first_time_ns), times::exact(stats.last_time_ns));
        writeln!(out, "time          {first} to {last}")?;
    }
    writeln!(out, "frames        {:>12}  {} bytes", stats.frames, stats.frame_bytes)?;
    writeln!(out, "transactions  {:>12}", stats.transactions)?;
    let each = stats.frame_bytes.checked_div(stats.events).unwrap_or(0);
    writeln!(out, "events        {:>12}  {each} bytes each, frames included", stats.events)?;
    let (created, removed) = (stats.markets_created, stats.markets_removed);
    writeln!(out, "markets       {created:>12}  {removed} of them removed")?;
    writeln!(out, "accounts      {:>12}", stats.accounts_registered)?;
    writeln!(out, "\nrecords               count         bytes   each")?;
    for (name, Count { count, bytes }) in &stats.records {
        writeln!(out, "{name:<20} {count:>10} {bytes:>13} {:>6}", bytes / count)?;
    }
    writeln!(out, "\nsegment           bytes      in frames     frames")?;
    for Segment { number, bytes, frames, frame_bytes } in &stats.segments {
        writeln!(out, "{number:08} {bytes:>14} {frame_bytes:>14} {frames:>10}")?;
    }
    for Snapshot { name, .. } in &stats.snapshots {
        writeln!(out, "snapshot {name}")?;
    }
    Ok(())
}
