//! Answers by correlation id.

use std::collections::HashMap;
use std::sync::Arc;

use betex_core::types::CorrelationId;
use parking_lot::Mutex;

use crate::engine::feed::EngineEvent;
use crate::engine::handlers::EventHandler;
use crate::engine::response::{OwnedResponse, Responder, Response};
use crate::error::EngineError;

type Callback = Box<dyn FnOnce(&Response<'_>) + Send>;

/// Answers that may be waited for at once.
const WAITING_MAX: usize = 65_536;

/// Calls back with the answer to a command, by its correlation id. Register it with the engine and keep
/// a clone: both are the same.
///
/// Callbacks run behind the gate, on the dispatcher's thread, and must not block.
#[derive(Clone, Default)]
pub struct ResponseCallbackHandler {
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting(Mutex<Expected>);

#[derive(Default)]
struct Expected {
    /// Every expectation has a number of its own.
    count: u64,
    callbacks: HashMap<CorrelationId, (u64, Callback)>,
}

impl ResponseCallbackHandler {
    /// Calls back, once, with the next answer to a command with this correlation id. To be asked before
    /// the command is submitted. An earlier call for the same id is replaced.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] if 65 536 answers are waited for already, or for an id that no command can
    /// have: it is too long.
    pub fn on_response(
        &self,
        correlation_id: CorrelationId,
        callback: impl FnOnce(&Response<'_>) + Send + 'static,
    ) -> Result<(), EngineError> {
        self.insert(correlation_id, Box::new(callback)).map(drop)
    }

    fn insert(&self, correlation_id: CorrelationId, callback: Callback) -> Result<u64, EngineError> {
        let wrong = |problem| Err(EngineError::Invalid { field: "correlation_id", problem });
        if correlation_id.0.len() > CorrelationId::BYTES_MAX {
            return wrong("at most 128 bytes");
        }
        let mut waiting = self.waiting.0.lock();
        if waiting.callbacks.len() >= WAITING_MAX {
            return wrong("65536 answers waited for at once");
        }
        waiting.count += 1;
        let number = waiting.count;
        waiting.callbacks.insert(correlation_id, (number, callback));
        Ok(number)
    }

    /// The next answer to a command with this correlation id, to be waited for.
    ///
    /// # Errors
    /// As [`ResponseCallbackHandler::on_response`].
    pub fn expect(&self, correlation_id: CorrelationId) -> Result<PendingResponse, EngineError> {
        let (sender, receiver) = oneshot::channel();
        let callback = Box::new(move |response: &Response<'_>| {
            // Nobody waits any more: then nobody needs it.
            let _ = sender.send(response.to_owned());
        });
        let number = self.insert(correlation_id.clone(), callback)?;
        Ok(PendingResponse { receiver, correlation_id, number, waiting: Arc::clone(&self.waiting) })
    }
}

/// An answer that has yet to come. Dropped, it is no longer waited for: so is one whose command was refused.
pub struct PendingResponse {
    receiver: oneshot::Receiver<OwnedResponse>,
    correlation_id: CorrelationId,
    number: u64,
    waiting: Arc<Waiting>,
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        let mut waiting = self.waiting.0.lock();
        // It may be another's by now.
        if waiting.callbacks.get(&self.correlation_id).is_some_and(|(number, _)| *number == self.number) {
            let callback = waiting.callbacks.remove(&self.correlation_id);
            drop(waiting);
            drop(callback);
        }
    }
}

impl PendingResponse {
    /// Waits for the answer.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] if it will not come: another expectation of the same id replaced this
    /// one, or the engine and the handler are gone.
    pub fn wait(self) -> Result<OwnedResponse, EngineError> {
        self.receiver.recv_ref().map_err(|_| EngineError::Stopped)
    }
}

impl Responder for Waiting {
    fn respond(&self, _token: u64, response: &Response<'_>) {
        let callback = response.correlation_id.and_then(|id| self.0.lock().callbacks.remove(id));
        if let Some((_, callback)) = callback {
            callback(response);
        }
    }
}

impl EventHandler for ResponseCallbackHandler {
    fn on_event(&mut self, _event: &EngineEvent) {}

    fn wants_events(&self) -> bool {
        false
    }

    fn responder(&self) -> Option<Arc<dyn Responder>> {
        Some(Arc::clone(&self.waiting) as Arc<dyn Responder>)
    }
}
