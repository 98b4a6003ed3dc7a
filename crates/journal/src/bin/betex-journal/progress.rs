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
        let is_terminal = io::stderr().is_terminal();
        let used = files.segments()?.into_iter().filter(|segment| segment.first.is_some());
        let total = used.map(|segment| segment.bytes).sum();
        Ok(Self {
            is_shown: is_terminal || asked,
            is_terminal,
            total,
            done: 0,
            // So that the first frame already says something.
            said: Instant::now().checked_sub(EVERY).unwrap_or_else(Instant::now),
        })
    }

    /// A frame was read.
    pub(crate) fn at(&mut self, frame: &Frame) {
        self.done += frame.bytes();
        if !self.is_shown || self.said.elapsed() < EVERY {
            return;
        }
        self.said = Instant::now();
        let (done, total) = (self.done >> 20, self.total >> 20);
        let (number, last) = (frame.number, frame.last_sequence());
        let line = format!("{done} of at most {total} MiB, frame {number}, sequence number {last}");
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
