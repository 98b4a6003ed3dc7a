//! Time that only passes when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use betex::engine::Clock;

/// A clock; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// In nanoseconds since the Unix epoch.
    pub(crate) fn at(now_ns: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now_ns)))
    }

    /// Now.
    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Time passes.
    pub(crate) fn advance(&self, ns: u64) {
        self.0.fetch_add(ns, Ordering::Relaxed);
    }

    /// Somebody sets the machine's clock back.
    pub(crate) fn set_back(&self, ns: u64) {
        self.0.store(self.now().saturating_sub(ns), Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn now_ns(&mut self) -> u64 {
        self.now()
    }
}
