//! Makes a snapshot of what is sealed, and removes what no start needs any more.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use betex_journal::{FileStorage, JournalOptions, Log as _, Pruned, Retention, SnapshotOptions, open_state};
use clap::Args;

use crate::Place;
use crate::failure::Failure;
use crate::output::stdout;
use crate::progress::Progress;

/// How far handlers have come, in the journal's folder; the engine writes it.
const POSITIONS: &str = "handlers.positions";
const DAY_NS: u64 = 86_400 * 1_000_000_000;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Keep at least the last so many MiB of sealed segments
    #[arg(long, value_name = "MIB", default_value_t = 1_024)]
    keep_mib: u64,
    /// Keep at least what was written in the last so many days
    #[arg(long, value_name = "DAYS", default_value_t = 1)]
    keep_days: u64,
    /// Remove also what handlers have not read yet
    #[arg(long)]
    ignore_handlers: bool,
    /// Say how far it is on stderr, also where that is no terminal
    #[arg(long)]
    progress: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    // Opening would begin a journal where there is none.
    let files = options.place.files()?;
    let floor = if options.ignore_handlers { u64::MAX } else { floor(&files.folder().join(POSITIONS))? };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let progress = RefCell::new(Progress::of_steps(options.progress));
    progress
        .borrow_mut()
        .step(|| "opening the journal: what is behind the newest snapshot is read".to_owned());
    let storage = Arc::new(FileStorage::new(&options.place.directory));
    let (state, (mut writer, preparer, report)) = open_state(storage, &JournalOptions::default())?;
    // It is made again from the files.
    drop(state);
    let mut out = stdout();
    writeln!(out, "{report}")?;
    let retention = Retention {
        bytes: options.keep_mib.saturating_mul(1 << 20),
        age_ns: options.keep_days.saturating_mul(DAY_NS),
    };
    let mut maker = preparer.snapshot_maker(SnapshotOptions { every_segments: 1, retention });
    let frames = Cell::new(0_u64);
    let read = || {
        frames.set(frames.get() + 1);
        progress.borrow_mut().step(|| format!("making a snapshot: {} frames are read", frames.get()));
        // It is not to be given up.
        false
    };
    let made = maker.step(&read)?;
    drop(progress);
    match made {
        Some(made) => writeln!(
            out,
            "Made a snapshot of {} bytes: the state at sequence number {}, {} events behind the snapshot before.",
            made.bytes, made.sequence, made.events
        )?,
        None => writeln!(
            out,
            "No segment was sealed behind the newest snapshot: there is nothing to make one of."
        )?,
    }
    let Pruned { snapshots, segments, bytes } = maker.prune(now_ns, floor)?;
    writeln!(out, "Removed {segments} segments of {bytes} bytes and {snapshots} snapshots.")?;
    if segments == 0 {
        writeln!(
            out,
            "A segment goes only when two snapshots stand behind it, the younger of them made just now, when it is beyond \
             --keep-mib and --keep-days, and when every handler has read it. {} segments stay.",
            files.segments()?.len()
        )?;
    }
    out.flush()?;
    writer.close().map_err(|error| Failure::Unreadable(error.to_string()))?;
    drop((maker, preparer, writer));
    Ok(())
}

/// The lowest sequence number that a handler still has to read.
fn floor(path: &Path) -> Result<u64, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(u64::MAX),
        Err(error) => return Err(Failure::Unreadable(format!("cannot read {}: {error}", path.display()))),
    };
    let mut floor = u64::MAX;
    for line in text.lines().filter_map(|line| line.strip_prefix("handler = ")) {
        let confirmed = line.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        let unclear = || {
            let what = format!(
                "{} has the line {line:?}, so it is not known what handlers still need",
                path.display()
            );
            Failure::Unreadable(format!("{what}; --ignore-handlers does not ask them"))
        };
        floor = floor.min(confirmed.ok_or_else(unclear)?.saturating_add(1));
    }
    Ok(floor)
}
