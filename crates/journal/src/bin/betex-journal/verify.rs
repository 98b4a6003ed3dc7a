//! Reads all of a journal as recovery would, and says what it found.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use betex_core::state::State;
use betex_journal::{Evidence, Frame, FrameReader, JournalFiles, NextFrame, Snapshot, SnapshotFile, Tail};
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
    // Before the frames: a server may write meanwhile.
    let evidence = files.evidence()?;
    let (marks, broken) = marks(&files)?;
    let mut replay = Replay { files: &files, marks, state: None, read: Read::default() };
    let mut reader = files.frames()?;
    tell_what_does_not_fit(&files);
    let tail = loop {
        match reader.next_frame() {
            Ok(NextFrame::Frame(frame)) => {
                replay.frame(&mut reader, &frame)?;
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
    tell_read(&mut out, &replay.read)?;
    let tail = tail.inspect_err(|_| drop(out.flush()))?;
    let state = replay.end(&reader).inspect_err(|_| drop(out.flush()))?;
    for mark in &replay.marks {
        writeln!(out, "Snapshot {} is right: the state behind frame {}", mark.file.name, mark.frame)?;
    }
    if let Some(hash) = reader.chain_hash() {
        writeln!(out, "Chain hash for the next frame: {}", hex(&hash))?;
    }
    writeln!(out, "Digest of the state: {}", hex(&state.digest()))?;
    tell_tail(&mut out, &tail, &evidence)?;
    if let Some(what) = evidence.missing(replay.read.last.map_or(0, |last| last.last_sequence())) {
        out.flush()?;
        let folder = files.folder().display();
        return Err(Failure::Damaged(format!("the journal {folder} is damaged at its end: {what}")));
    }
    if !broken.is_empty() {
        out.flush()?;
        return Err(Failure::DamagedSnapshot(broken.join("; ")));
    }
    writeln!(out, "Sound.")?;
    out.flush()?;
    Ok(())
}

/// Where a snapshot that is right stands.
struct Mark {
    file: SnapshotFile,
    frame: u64,
    hash: [u8; 16],
    digest: [u8; 32],
}

/// Every snapshot, one at a time: those that are right, and what is wrong with the others.
fn marks(files: &JournalFiles) -> Result<(Vec<Mark>, Vec<String>), Failure> {
    let (mut marks, mut broken) = (Vec::new(), Vec::new());
    for file in files.snapshots()? {
        match files.snapshot(&file) {
            Ok(Snapshot { state, frame, hash, .. }) => {
                marks.push(Mark { file, frame, hash, digest: state.digest() });
            }
            // One that a server has removed meanwhile is not broken.
            Err(_) if !files.snapshots()?.contains(&file) => {}
            Err(problem) => {
                broken.push(format!(
                    "the snapshot {} is damaged: {problem}",
                    files.folder().join(&file.name).display()
                ));
            }
        }
    }
    Ok((marks, broken))
}

struct Replay<'a> {
    files: &'a JournalFiles,
    marks: Vec<Mark>,
    /// `None` before the first snapshot, where the beginning was removed.
    state: Option<State>,
    read: Read,
}

impl Replay<'_> {
    fn frame(&mut self, reader: &mut FrameReader, frame: &Frame) -> Result<(), Failure> {
        if frame.number == 1 {
            self.state = Some(State::new());
        }
        self.meet(frame.number, &frame.prev_hash)?;
        *REPLAYED.lock().unwrap_or_else(PoisonError::into_inner) = Some(*frame);
        let Self { read, state, .. } = self;
        reader.transactions(&mut |stamp, events| {
            if let Some(state) = state {
                state.apply(stamp, events);
            }
            if read.transactions == 0 {
                read.first_ns = stamp.time_ns;
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

    /// Compares the snapshots of the state before the frame of this number; where there is no state yet, begins
    /// with theirs.
    fn meet(&mut self, next: u64, hash: &[u8; 16]) -> Result<(), Failure> {
        for mark in self.marks.iter().filter(|mark| mark.frame + 1 == next) {
            let path = self.files.folder().join(&mark.file.name);
            let differs = |what: &str| {
                let what = format!(
                    "{} and the journal do not fit: {what} behind frame {}",
                    path.display(),
                    mark.frame
                );
                Failure::Damaged(what)
            };
            if mark.hash != *hash {
                return Err(differs("they have different chain hashes"));
            }
            match &self.state {
                Some(state) if state.digest() != mark.digest => {
                    return Err(differs("the events make another state than it holds"));
                }
                Some(_) => {}
                None => self.state = self.files.snapshot(&mark.file).ok().map(|snapshot| snapshot.state),
            }
        }
        Ok(())
    }

    /// The state at the end, which is that of an empty journal where there are no frames.
    fn end(&mut self, reader: &FrameReader) -> Result<State, Failure> {
        let Some(Frame { number, .. }) = self.read.last else { return Ok(State::new()) };
        if let Some(hash) = reader.chain_hash() {
            self.meet(number + 1, &hash)?;
        }
        self.state.take().ok_or_else(|| {
            let (folder, first) = (self.files.folder().display(), self.read.first.map_or(0, |frame| frame.number));
            Failure::Damaged(format!(
                "the journal {folder} begins with frame {first}, and no snapshot that is right stands for what was before"
            ))
        })
    }
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

fn tell_tail(out: &mut impl std::io::Write, tail: &Tail, evidence: &Evidence) -> std::io::Result<()> {
    if let Some(last) = evidence.stopped() {
        writeln!(out, "The journal was closed in good order, with event {last}, and not opened since.")?;
    }
    let Some(torn) = tail.torn else { return Ok(()) };
    let acknowledged = match evidence.stopped() {
        Some(_) => "They had not been acknowledged",
        None => {
            "They are of a write that is under way or that a crash left, which had not been acknowledged, or of one that \
             had been and was damaged since"
        }
    };
    writeln!(
        out,
        "Behind the last frame, in {:08}.segment at offset {}, lie {} bytes of an unfinished write. {acknowledged}; the \
         next start clears them.",
        torn.segment, torn.offset, torn.bytes
    )
}
