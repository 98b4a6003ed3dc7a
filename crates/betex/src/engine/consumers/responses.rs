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
struct Waiting(Mutex<HashMap<CorrelationId, Callback>>);

impl ResponseCallbackHandler {
    /// Calls back, once, with the next answer to a command with this correlation id. To be asked before
    /// the command is submitted. An earlier call for the same id is replaced.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] if 65 536 answers are waited for already.
    pub fn on_response(
        &self,
        correlation_id: CorrelationId,
        callback: impl FnOnce(&Response<'_>) + Send + 'static,
    ) -> Result<(), EngineError> {
        let mut waiting = self.waiting.0.lock();
        if waiting.len() >= WAITING_MAX {
            return Err(EngineError::Invalid {
                field: "correlation_id",
                problem: "65536 answers waited for at once",
            });
        }
        waiting.insert(correlation_id, Box::new(callback));
        Ok(())
    }

    /// The next answer to a command with this correlation id, to be waited for.
    ///
    /// # Errors
    /// As [`ResponseCallbackHandler::on_response`].
    pub fn expect(&self, correlation_id: CorrelationId) -> Result<PendingResponse, EngineError> {
        let (sender, receiver) = oneshot::channel();
        self.on_response(correlation_id, move |response| {
            // Nobody waits any more: then nobody needs it.
            let _ = sender.send(response.to_owned());
        })?;
        Ok(PendingResponse(receiver))
    }
}

/// An answer that has yet to come.
#[derive(Debug)]
pub struct PendingResponse(oneshot::Receiver<OwnedResponse>);

impl PendingResponse {
    /// Waits for the answer.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] if it will not come: another expectation of the same id replaced this
    /// one, or the engine and the handler are gone.
    pub fn wait(self) -> Result<OwnedResponse, EngineError> {
        self.0.recv().map_err(|_| EngineError::Stopped)
    }
}

impl Responder for Waiting {
    fn respond(&self, _token: u64, response: &Response<'_>) {
        let callback = response.correlation_id.and_then(|id| self.0.lock().remove(id));
        if let Some(callback) = callback {
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
