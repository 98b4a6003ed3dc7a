//! Drives anything that takes commands and answers later: closed, with so many outstanding, or open, at
//! a rate, where latency counts from when a command was due and not from when it could be sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use betex::engine::Doorbell;
use hdrhistogram::Histogram;

use crate::report::latencies;

/// Where answers are counted.
pub struct Answers {
    epoch: Instant,
    /// When each command was due, and when it was answered, in nanoseconds since the epoch.
    due: Vec<AtomicU64>,
    answered_at: Vec<AtomicU64>,
    count: AtomicUsize,
    /// The driver wants to know when this many are answered.
    wake_at: AtomicUsize,
    bell: Doorbell,
}

impl Answers {
    /// Room for so many commands.
    pub fn new(commands: usize) -> Arc<Self> {
        let zeros = || (0..commands).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            epoch: Instant::now(),
            due: zeros(),
            answered_at: zeros(),
            count: AtomicUsize::new(0),
            wake_at: AtomicUsize::new(usize::MAX),
            bell: Doorbell::default(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A command was answered.
    pub fn note(&self, command: usize) {
        self.answered_at[command].store(self.now(), Ordering::Relaxed);
        let count = self.count.fetch_add(1, Ordering::Release) + 1;
        if count >= self.wake_at.load(Ordering::Relaxed) {
            self.bell.ring();
        }
    }

    fn wait_for(&self, count: usize) {
        self.wake_at.store(count, Ordering::Relaxed);
        while self.count.load(Ordering::Acquire) < count {
            self.bell.wait(|| self.count.load(Ordering::Acquire) >= count, Some(Duration::from_millis(20)));
        }
        self.wake_at.store(usize::MAX, Ordering::Relaxed);
    }

    fn latency(&self) -> Histogram<u64> {
        let mut latency = latencies();
        for (due, answered) in self.due.iter().zip(&self.answered_at) {
            let nanos = answered.load(Ordering::Relaxed).saturating_sub(due.load(Ordering::Relaxed));
            latency.saturating_record(nanos.max(1));
        }
        latency
    }
}

/// How commands are sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many outstanding.
    Closed(usize),
    /// So many a second, whatever is outstanding.
    Open(u64),
}

/// Sends so many commands at a pace; `send` takes one, or says that it has no room. The commands per
/// second that were answered, and the latencies in nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn drive(
    answers: &Answers,
    commands: usize,
    pace: Pace,
    mut send: impl FnMut(usize) -> bool,
) -> (f64, Histogram<u64>) {
    answers.bell.own();
    let start = answers.now();
    for command in 0..commands {
        let due = match pace {
            Pace::Closed(outstanding) => {
                // Wake when a quarter is back: one at a time would measure the waking.
                if command - answers.count.load(Ordering::Acquire) >= outstanding {
                    answers.wait_for(command - outstanding + outstanding.div_ceil(4));
                }
                answers.now()
            }
            Pace::Open(rate) => {
                let due = start
                    + u64::try_from(u128::from(1_000_000_000_u64) * command as u128 / u128::from(rate))
                        .unwrap_or(0);
                while let Some(early) = due.checked_sub(answers.now()).filter(|early| *early > 0) {
                    std::thread::sleep(Duration::from_nanos(early));
                }
                due
            }
        };
        answers.due[command].store(due, Ordering::Relaxed);
        while !send(command) {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    answers.wait_for(commands);
    let seconds = (answers.now() - start) as f64 / 1e9;
    (commands as f64 / seconds, answers.latency())
}
