//! Handlers: what people attach to an engine to hear of everything that happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::feed::{EngineEvent, Followed, Follower};
use super::response::Responder;
use crate::error::EngineError;

/// Hears of every event, in order, exactly once, behind the gate. Runs on a thread of its own: a slow
/// one delays nobody, it is fed from the journal until it has caught up.
pub trait EventHandler: Send + 'static {
    /// Something has happened.
    fn on_event(&mut self, event: &EngineEvent);

    /// The events that were there have been shown: a good time to write to disk or to flush.
    fn on_batch_end(&mut self) {}

    /// Whether it wants to hear of events at all. Asked once, at the start.
    fn wants_events(&self) -> bool {
        true
    }

    /// Who is to see the answers to commands that carry a correlation id. Asked once, at the start.
    fn responder(&self) -> Option<Arc<dyn Responder>> {
        None
    }
}

/// Where a handler begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerRecovery {
    /// With what happens after the engine has started.
    LiveOnly,
    /// Behind the event with this sequence number: 0 is the beginning of the journal. What was before
    /// the start is read from the journal, without a gap and without a repeat.
    AfterSeq(u64),
}

/// How a handler is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerOptions {
    /// Its name, for threads and logs; at most 15 bytes are shown.
    pub name: String,
    /// Events that may wait for it; beyond, it is fed from the journal.
    pub queue_events: usize,
}

/// A handler that was registered.
pub(crate) struct Registered {
    pub(crate) handler: Box<dyn EventHandler>,
    pub(crate) recovery: HandlerRecovery,
    pub(crate) options: HandlerOptions,
}

/// Starts a handler's thread.
pub(crate) fn start(registered: Registered, follower: Follower) -> Result<JoinHandle<()>, EngineError> {
    let Registered { mut handler, options, .. } = registered;
    let thread = std::thread::Builder::new().name(options.name.clone());
    thread.spawn(move || run(&mut *handler, follower, &options.name)).map_err(EngineError::Thread)
}

fn run(handler: &mut dyn EventHandler, mut follower: Follower, name: &str) {
    loop {
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let followed = follower.step(|event| handler.on_event(event));
            if matches!(followed, Ok(Followed::Events)) {
                handler.on_batch_end();
            }
            followed
        }));
        match stepped {
            Ok(Ok(Followed::Events)) => (),
            Ok(Ok(Followed::Nothing)) => follower.wait(),
            Ok(Ok(Followed::End)) => return,
            Ok(Err(error)) => {
                ::metrics::counter!(crate::metrics::HANDLERS_STOPPED).increment(1);
                return tracing::error!(handler = name, next = follower.next(), %error, "a handler is stopped");
            }
            Err(_) => {
                ::metrics::counter!(crate::metrics::HANDLERS_STOPPED).increment(1);
                return tracing::error!(
                    handler = name,
                    next = follower.next(),
                    "a handler panicked and is stopped"
                );
            }
        }
    }
}
