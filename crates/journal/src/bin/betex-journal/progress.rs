//! How far long work is, on stderr: where a person looks on, or asked for.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use betex_journal::{Frame, JournalFiles};

use crate::failure::Failure;

/// Between two lines.
const EVERY: Duration = Duration::from_secs(1);

/// How far long work is.
pub(crate) struct Progress {
    is_shown: bool,
    is_terminal: bool,
    total: u64,
    done: u64,
    said: Instant,
}

impl Progress {
    /// Over all segments of a journal. Shown if stderr is a terminal, or if it was asked for.
    pub(crate) fn new(files: &JournalFiles, asked: bool) -> Result<Self, Failure> {
        let used = files.segments()?.into_iter().filter(|segment| segment.first.is_some());
        let total = used.map(|segment| segment.bytes).sum();
        Ok(Self { total, ..Self::of_steps(asked) })
    }

    /// Of work that says itself how far it is. Shown where stderr is a terminal, or if it was asked for.
    pub(crate) fn of_steps(asked: bool) -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            is_shown: is_terminal || asked,
            is_terminal,
            total: 0,
            done: 0,
            // So that the first step already says something.
            said: Instant::now().checked_sub(EVERY).unwrap_or_else(Instant::now),
        }
    }

    /// The same, but silent unless this is so.
    pub(crate) fn only_if(self, wanted: bool) -> Self {
        Self { is_shown: self.is_shown && wanted, ..self }
    }

    /// A frame was read.
    pub(crate) fn at(&mut self, frame: &Frame) {
        self.done += frame.bytes();
        let (done, total) = (self.done >> 20, self.total >> 20);
        let (number, last) = (frame.number, frame.last_sequence());
        self.step(|| format!("{done} of at most {total} MiB, frame {number}, sequence number {last}"));
    }

    /// A step was done, which leaves it there.
    pub(crate) fn step(&mut self, place: impl FnOnce() -> String) {
        if !self.is_shown || self.said.elapsed() < EVERY {
            return;
        }
        self.said = Instant::now();
        let line = place();
        // That nobody sees how far it is must not keep the work from being done.
        let _ = if self.is_terminal {
            write!(io::stderr(), "\r{line}  ")
        } else {
            writeln!(io::stderr(), "{line}")
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown && self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
