//! What one follower has not taken yet: bounded, and closed with the reason.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::metrics::STREAMS_CUT;

/// What one transaction was made into.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    /// The sequence number of its first event.
    pub(crate) first: u64,
    /// The sequence number of its last event.
    pub(crate) last: u64,
    pub(crate) items: Vec<T>,
}

/// Messages that wait for one follower at most. A single transaction may be larger; it is let in if fewer
/// wait before it.
pub(crate) const BUFFER: usize = 4_096;

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The follower took too little too late.
    TooSlow,
    /// We could not keep up ourselves.
    FellBehind,
    /// The server stops.
    Stopping,
    /// The market is gone; that was the last of it.
    Removed,
}

/// What one follower has not taken yet.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
    news: Notify,
}

#[derive(Debug)]
struct Inner<T> {
    waiting: VecDeque<Arc<Batch<T>>>,
    /// Messages in `waiting`.
    messages: usize,
    ending: Option<Ending>,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let inner = Inner { waiting: VecDeque::new(), messages: 0, ending: None };
        Self { inner: Mutex::new(inner), news: Notify::new() }
    }

    /// Puts a transaction in; false if nothing more can be put in. A follower that is too slow loses what
    /// waits, at once and whole: it knows where it was.
    pub(crate) fn put(&self, batch: &Arc<Batch<T>>) -> bool {
        let mut inner = self.inner.lock();
        if inner.ending.is_none() && inner.messages >= BUFFER {
            metrics::counter!(STREAMS_CUT).increment(1);
            inner.waiting = VecDeque::new();
            inner.messages = 0;
            inner.ending = Some(Ending::TooSlow);
        }
        let open = inner.ending.is_none();
        if open {
            inner.messages += batch.items.len();
            inner.waiting.push_back(Arc::clone(batch));
        }
        drop(inner);
        self.news.notify_one();
        open
    }

    /// Lets nothing more in; what waits can still be taken.
    pub(crate) fn end(&self, ending: Ending) {
        let mut inner = self.inner.lock();
        inner.ending.get_or_insert(ending);
        drop(inner);
        self.news.notify_one();
    }

    /// The next transaction, when there is one.
    pub(crate) async fn take(&self) -> Result<Arc<Batch<T>>, Ending> {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.news.notified().await;
        }
    }

    fn try_take(&self) -> Option<Result<Arc<Batch<T>>, Ending>> {
        let mut inner = self.inner.lock();
        if let Some(batch) = inner.waiting.pop_front() {
            inner.messages -= batch.items.len();
            return Some(Ok(batch));
        }
        inner.ending.map(Err)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: u64, messages: usize) -> Arc<Batch<u8>> {
        Arc::new(Batch { first, last: first + 1, items: vec![0; messages] })
    }

    #[tokio::test]
    async fn a_slow_follower_is_cut_off() {
        let mailbox = Mailbox::new();
        assert!(mailbox.put(&batch(1, 10)));
        assert_eq!(mailbox.take().await.map(|batch| batch.first), Ok(1));
        // However large, a transaction is let in behind a buffer that is not full.
        assert!(mailbox.put(&batch(3, BUFFER - 1)));
        assert!(mailbox.put(&batch(5, 3 * BUFFER)));
        assert!(!mailbox.is_empty());
        assert!(!mailbox.put(&batch(7, 1)));
        assert!(mailbox.is_empty());
        assert_eq!(mailbox.take().await.map(|batch| batch.first), Err(Ending::TooSlow));
        assert!(!mailbox.put(&batch(9, 1)));
        assert_eq!(mailbox.take().await.map(|batch| batch.first), Err(Ending::TooSlow));
    }

    #[test]
    fn as_much_waits_as_the_buffer_holds() {
        let mailbox = Mailbox::new();
        for sequence in 0..BUFFER as u64 {
            assert!(mailbox.put(&batch(sequence, 1)), "{sequence}");
        }
        assert!(!mailbox.put(&batch(BUFFER as u64, 1)));
    }

    #[tokio::test]
    async fn an_ending_comes_after_what_waits() {
        let mailbox = Mailbox::new();
        assert!(mailbox.put(&batch(8, 1)));
        mailbox.end(Ending::Stopping);
        // The first reason counts, and nothing comes after it.
        mailbox.end(Ending::Removed);
        assert!(!mailbox.put(&batch(10, 1)));
        assert_eq!(mailbox.take().await.map(|batch| batch.first), Ok(8));
        assert_eq!(mailbox.take().await.map(|batch| batch.first), Err(Ending::Stopping));
    }
}
