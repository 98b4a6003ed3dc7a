//! Threads that park when there is nothing to do, and are woken when there is.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};
use std::time::Duration;

/// Wakes one thread, its owner. Ringing costs a load while the thread is busy.
#[derive(Debug, Default)]
pub struct Doorbell {
    owner: OnceLock<Thread>,
    asleep: AtomicBool,
}

impl Doorbell {
    /// Makes the calling thread the one that is woken. A bell has one owner for its whole life.
    pub fn own(&self) {
        let owner = self.owner.get_or_init(thread::current);
        debug_assert_eq!(owner.id(), thread::current().id(), "a bell has one owner");
    }

    /// Wakes the owner if it sleeps. What it is to find must have been stored before.
    pub fn ring(&self) {
        // Pairs with the fence in `wait`: either this thread sees the sleeper, or the sleeper sees what
        // was stored before the ring.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed)
            && self.asleep.swap(false, Ordering::Relaxed)
            && let Some(owner) = self.owner.get()
        {
            owner.unpark();
        }
    }

    /// Wakes the owner now or, if it does not sleep, the next time it would: for news that is not work.
    pub fn wake(&self) {
        if let Some(owner) = self.owner.get() {
            owner.unpark();
        }
    }

    /// Sleeps until the bell rings or the time is over, unless there is something to do already. May
    /// return early.
    pub fn wait(&self, something_to_do: impl Fn() -> bool, timeout: Option<Duration>) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !something_to_do() {
            match timeout {
                Some(timeout) => thread::park_timeout(timeout),
                None => thread::park(),
            }
        }
        self.asleep.store(false, Ordering::Relaxed);
    }
}
