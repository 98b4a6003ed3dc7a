//! Handlers: what people attach to an engine to hear of everything that happens.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::EngineTime;
use super::feed::{EngineEvent, Followed, Follower};
use super::positions::HandlerPositions;
use super::positions_file;
use super::response::Responder;
use super::roster::{HandlerRecovery, HandlerState, Tracker};
use crate::error::EngineError;

/// Hears of every event, in order, exactly once, behind the gate. Runs on a thread of its own: a slow
/// one delays nobody, it is fed from the journal until it has caught up. One that panics is stopped, with
/// its position, and the engine's health says so: see [`Engine::handlers`](crate::Engine::handlers). One that
/// hangs is waited for as long as [`Config::handler_claim`](crate::config::Config::handler_claim) says.
pub trait EventHandler: Send + 'static {
    /// Something has happened.
    fn on_event(&mut self, event: &EngineEvent);

    /// The events that were there have been shown: a good time to write to disk or to flush. Coming back
    /// from here confirms them: they will not be shown again, and may be pruned from the journal.
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

/// How a handler is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerOptions {
    /// Its name, unique among the engine's handlers: 1 to 64 bytes in one line. Of a thread's name at most
    /// 15 bytes are shown.
    pub name: String,
    /// Events that may wait for it; beyond, it is fed from the journal. 1 to 1 048 576.
    pub queue_events: usize,
}

/// A handler that was registered.
pub(crate) struct Registered {
    pub(crate) handler: Box<dyn EventHandler>,
    pub(crate) recovery: HandlerRecovery,
    pub(crate) options: HandlerOptions,
    /// Its name was given by whoever registered it, so that it is the same the next time.
    pub(crate) is_named: bool,
}

/// Refuses names that cannot be, or that two have, and queues without a bound.
pub(crate) fn check(handlers: &[Registered]) -> Result<(), EngineError> {
    let wrong = |problem| Err(EngineError::Invalid { field: "HandlerOptions::name", problem });
    let queue = 1..=1 << 20;
    for (index, registered) in handlers.iter().enumerate() {
        let name = &registered.options.name;
        if !positions_file::is_name(name) {
            return wrong("1 to 64 bytes in one line, without spaces around it");
        }
        if handlers[..index].iter().any(|other| other.options.name == *name) {
            return wrong("a name that no other handler has");
        }
        if matches!(registered.recovery, HandlerRecovery::Kept { .. }) && !registered.is_named {
            return wrong("a name of its own, for a handler whose position the engine keeps");
        }
        if !queue.contains(&registered.options.queue_events) {
            let problem = "1 to 1048576";
            return Err(EngineError::Invalid { field: "HandlerOptions::queue_events", problem });
        }
    }
    Ok(())
}

/// Where a handler's thread says how far it is.
pub(crate) struct Place {
    pub(crate) tracker: Arc<Tracker>,
    /// For those that recover.
    pub(crate) positions: Option<Arc<HandlerPositions>>,
    pub(crate) time: Arc<EngineTime>,
}

/// Bytes of a panic's message that are shown.
const PANIC_BYTES_MAX: usize = 256;

impl Place {
    /// The handler has confirmed everything before `next`.
    fn confirm(&self, next: u64, catching_up: bool) {
        self.tracker.moved(next, catching_up);
        if let Some(positions) = &self.positions {
            positions.confirm(self.tracker.name(), next - 1, self.time.now_ns());
            positions.save_if_due();
        }
    }

    /// There is nothing to do; for how long at most it may sleep.
    fn rest(&self, next: u64) -> Option<Duration> {
        let positions = self.positions.as_ref()?;
        positions.confirm(self.tracker.name(), next - 1, self.time.now_ns());
        Some(positions.save_if_due().unwrap_or_else(|| positions.still_here_every()))
    }

    fn end(&self, state: HandlerState) {
        if let HandlerState::Stopped(why) = &state {
            ::metrics::counter!(crate::metrics::HANDLERS_STOPPED).increment(1);
            tracing::error!(
                handler = self.tracker.name(),
                next = self.tracker.next(),
                why,
                "a handler is stopped"
            );
        }
        self.tracker.ended(state);
        if let Some(positions) = &self.positions {
            positions.save();
        }
    }
}

/// Starts a handler's thread.
pub(crate) fn start(
    registered: Registered,
    follower: Follower,
    place: Place,
) -> Result<JoinHandle<()>, EngineError> {
    let Registered { mut handler, options, .. } = registered;
    if let Some(positions) = &place.positions {
        positions.follows(follower.hold());
    }
    let thread = std::thread::Builder::new().name(options.name);
    thread.spawn(move || place.end(run(&mut *handler, follower, &place))).map_err(EngineError::Thread)
}

fn run(handler: &mut dyn EventHandler, mut follower: Follower, place: &Place) -> HandlerState {
    loop {
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let followed = follower.step(|event| handler.on_event(event));
            if matches!(followed, Ok(Followed::Events)) {
                handler.on_batch_end();
            }
            followed
        }));
        match stepped {
            Ok(Ok(Followed::Events)) => place.confirm(follower.next(), follower.is_catching_up()),
            Ok(Ok(Followed::Nothing)) => follower.wait(place.rest(follower.next())),
            Ok(Ok(Followed::End)) => return HandlerState::Finished,
            Ok(Ok(Followed::Abandoned)) => {
                return HandlerState::Stopped("the engine stopped before it had seen everything".to_owned());
            }
            Ok(Err(error)) => return HandlerState::Stopped(error.to_string()),
            Err(panic) => return HandlerState::Stopped(format!("it panicked: {}", message(&*panic))),
        }
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason is given");
    &text[..text.floor_char_boundary(PANIC_BYTES_MAX)]
}
