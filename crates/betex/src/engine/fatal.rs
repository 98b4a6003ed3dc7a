//! The end of the process, where going on would be worse.

/// Aborts the process if the thread unwinds while this is alive: whoever made it holds something that
/// unwinding would let go, such as the gate.
pub(crate) struct AbortOnUnwind {
    what: &'static str,
}

impl AbortOnUnwind {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what }
    }

    pub(crate) fn defuse(self) {
        std::mem::forget(self);
    }
}

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        // Only reached by unwinding: every other way out defuses.
        tracing::error!(
            "{} failed in a way that it must not; the process ends to keep its promises",
            self.what
        );
        std::process::abort();
    }
}
