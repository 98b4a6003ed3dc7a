//! Reads all of a journal as recovery would, and says what it found.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use betex_core::state::State;
use betex_journal::{Frame, FrameReader, JournalFiles, NextFrame, Tail};
use clap::Args;

use crate::failure::{DAMAGED, Failure};
use crate::output::{hex, stdout};
use crate::progress::Progress;
use crate::{Place, times};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Say how far it is on stderr, also where that is no terminal
    #[arg(long)]
    progress: bool,
}

/// What was read.
#[derive(Default)]
struct Read {
    first: Option<Frame>,
    last: Option<Frame>,
    frames: u64,
    bytes: u64,
    transactions: u64,
    events: u64,
    first_ns: u64,
    last_ns: u64,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let files = options.place.files()?;
    let mut progress = Progress::new(&files, options.progress)?;
    let mut reader = files.frames()?;
    let (mut read, mut state) = (Read::default(), State::new());
    tell_what_does_not_fit(&files);
    let tail = loop {
        match reader.next_frame() {
            Ok(NextFrame::Frame(frame)) => {
                begins_at_the_beginning(&files, &frame, &read)?;
                replay(&mut reader, &frame, &mut read, &mut state)?;
                progress.at(&frame);
            }
            Ok(NextFrame::End(tail)) => break Ok(tail),
            Err(error) => break Err(error),
        }
    };
    drop(progress);
    let mut out = stdout();
    writeln!(
        out,
        "Journal {:016x}, begun {}, in {}",
        files.journal(),
        files.began(),
        files.folder().display()
    )?;
    tell_read(&mut out, &read)?;
    let tail = tail.inspect_err(|_| drop(out.flush()))?;
    if let Some(hash) = reader.chain_hash() {
        writeln!(out, "Chain hash for the next frame: {}", hex(&hash))?;
    }
    writeln!(out, "Digest of the state: {}", hex(&state.digest()))?;
    tell_tail(&mut out, &tail)?;
    writeln!(out, "Sound.")?;
    out.flush()?;
    Ok(())
}

/// A state is the sum of all events from the first on.
fn begins_at_the_beginning(files: &JournalFiles, frame: &Frame, read: &Read) -> Result<(), Failure> {
    if read.first.is_some() || frame.number == 1 {
        return Ok(());
    }
    let (folder, number, segment) = (files.folder().display(), frame.number, frame.segment);
    Err(Failure::Damaged(format!(
        "the journal {folder} begins with frame {number}, in {segment:08}.segment: what was before is missing"
    )))
}

fn replay(
    reader: &mut FrameReader,
    frame: &Frame,
    read: &mut Read,
    state: &mut State,
) -> Result<(), Failure> {
    *REPLAYED.lock().unwrap_or_else(PoisonError::into_inner) = Some(*frame);
    let first_ns = &mut read.first_ns;
    reader.transactions(&mut |stamp, events| {
        state.apply(stamp, events);
        if read.transactions == 0 {
            *first_ns = stamp.time_ns;
        }
        read.last_ns = stamp.time_ns;
        read.transactions += 1;
        read.events += events.len() as u64;
    })?;
    read.first = read.first.or(Some(*frame));
    read.last = Some(*frame);
    read.frames += 1;
    read.bytes += frame.bytes();
    Ok(())
}

/// The frame whose events are applied.
static REPLAYED: Mutex<Option<Frame>> = Mutex::new(None);

/// Events whose bytes are right may still not follow from those before them: then the state, which never
/// refuses an event, panics. That is damage, too, and is said like it.
fn tell_what_does_not_fit(files: &JournalFiles) {
    let folder = files.folder().display().to_string();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let frame = REPLAYED.try_lock().ok().and_then(|frame| *frame);
        let Some(Frame { segment, offset, number, .. }) = frame else { return usual(panic) };
        let what = format!(
            "the journal {folder} is damaged in {segment:08}.segment at offset {offset}, frame {number}: its events do \
             not follow from those before ({panic})"
        );
        let _ = Failure::Damaged(what).tell();
        std::process::exit(DAMAGED.into());
    }));
}

fn tell_read(out: &mut impl std::io::Write, read: &Read) -> std::io::Result<()> {
    let (Some(first), Some(last)) = (read.first, read.last) else {
        return writeln!(out, "It has no frames yet.");
    };
    let Read { frames, bytes, transactions, events, .. } = read;
    writeln!(
        out,
        "{frames} frames of {bytes} bytes are sound: {} in {:08}.segment at offset {}, to {} in {:08}.segment at offset {}",
        first.number, first.segment, first.offset, last.number, last.segment, last.offset
    )?;
    writeln!(
        out,
        "{events} events in {transactions} transactions: sequence numbers {} to {}, {} to {}",
        first.first_sequence,
        last.last_sequence(),
        times::exact(read.first_ns),
        times::exact(read.last_ns)
    )
}

fn tell_tail(out: &mut impl std::io::Write, tail: &Tail) -> std::io::Result<()> {
    let Some(torn) = tail.torn else { return Ok(()) };
    writeln!(
        out,
        "Behind the last frame, in {:08}.segment at offset {}, lie {} bytes of an unfinished write: one that is under \
         way, or that a crash left. It was not acknowledged, and the next start clears it.",
        torn.segment, torn.offset, torn.bytes
    )
}
