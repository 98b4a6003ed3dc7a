//! Events as JSON, one a line.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use betex_journal::{JournalEvent, JournalReader, ReadError};
use clap::Args;

use crate::Place;
use crate::failure::Failure;
use crate::filter::{Filter, Wanted};
use crate::lines::Line;
use crate::output::stdout;
use crate::progress::Progress;

/// Between two looks at a journal that is followed.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: Wanted,
    /// At the end wait for more, until stopped, or until nothing more can be wanted
    #[arg(long)]
    follow: bool,
    /// Say how far it is on stderr: where a filter lets little through
    #[arg(long)]
    progress: bool,
}

pub(crate) fn run(options: Options) -> Result<(), Failure> {
    let from = options.wanted.from;
    let mut filter = Filter::new(options.wanted)?;
    let mut reader = JournalReader::open_dir(&options.place.directory)?;
    if let Some(from) = from {
        match reader.seek(if filter.has_names() { 1 } else { from }) {
            // Names that were given before the journal begins are not known; those after are.
            Err(ReadError::Pruned { first }) if filter.has_names() && first <= from => {}
            other => other?,
        }
    }
    if filter.has_names() && reader.first_sequence()? > 1 {
        learn(&options.place, &mut filter)?;
    }
    let mut out = stdout();
    let (mut events, mut last_time_ns) = (Vec::new(), 0);
    // Lines on a terminal say enough.
    let mut progress =
        Progress::of_steps(options.progress).only_if(options.progress || !io::stdout().is_terminal());
    loop {
        let next = reader.next_transaction(&mut events);
        // What is sound is shown, whatever comes behind it.
        let Some(stamp) = next.inspect_err(|_| drop(out.flush()))? else {
            out.flush()?;
            if !options.follow || filter.is_late(last_time_ns) {
                break;
            }
            std::thread::sleep(LOOK);
            continue;
        };
        last_time_ns = stamp.time_ns;
        if filter.is_past(stamp.sequence) {
            break;
        }
        progress.step(|| format!("sequence number {}", stamp.sequence));
        filter.begin();
        let count = events.len() as u64;
        for (index, event) in (0..).zip(events.drain(..)) {
            let event = JournalEvent::of(&stamp, index, count, event);
            if filter.takes(&event) {
                serde_json::to_writer(&mut out, &Line::of(&event, filter.taker()))
                    .map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    filter.unknown().map_or(Ok(()), |what| Err(Failure::NotThere(what)))
}

/// Names that were given before the journal begins, as far as its snapshots know them.
fn learn(place: &Place, filter: &mut Filter) -> Result<(), Failure> {
    let files = place.files()?;
    for snapshot in files.snapshots()? {
        // What is wrong with it is for `verify` to say.
        if let Ok(snapshot) = files.snapshot(&snapshot) {
            filter.learn_state(&snapshot.state);
        }
    }
    Ok(())
}
