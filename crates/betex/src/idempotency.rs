//! One answer to each key: for gateways whose clients send a request again when they heard nothing.
//!
//! The first submit of a key goes to the engine. Those that come while it is under way join it and wait for
//! its answer; those that come later get the same answer again. A submit that was not taken - the lane was
//! full, the disk is - frees the key, and whoever had joined tries for itself. A rejection is an answer.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use betex::idempotency::{Bounds, Idempotency};
//! use betex::prelude::*;
//!
//! let engine = EngineBuilder::new(Config::default(), directory.path())?.build()?;
//! let answers = Idempotency::new(Bounds::default());
//! let register = || {
//!     let command = Command::new(MarketId::NONE, CommandKind::RegisterAccount { name: "alice".into() });
//!     let now_ns = engine.now_ns();
//!     answers.call(&engine, "request 1", now_ns, command, |response| response.sequence)
//! };
//! let first = register()?;
//! assert_eq!(register()?, first);
//! assert_eq!(engine.durable_sequence(), *first, "it was done once");
//! # Ok(())
//! # }
//! ```
//!
//! [`Idempotency::begin`] is the same by hand. Whoever is first holds a [`Claim`], which belongs where the
//! answer arises - in the engine's callback - and not in the task that asked: [`Idempotency::call`] and
//! [`Idempotency::request`] do that, so a client that hangs up takes nothing back, and those who joined get
//! their answer. A claim that is dropped without an answer says that nothing was taken.
//!
//! All of it is memory: it forgets at a restart, by age, and the oldest first when it is full. What must not
//! happen twice, ever, needs a [`client_order_id`](crate::types::NewOrder::client_order_id), which is journaled.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::engine::Response;
use crate::engine::core::Engine;
use crate::error::{EngineError, Rejection};
use crate::types::Command;

/// How much is remembered at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Keys, those under way included. Beyond, the oldest answer is forgotten.
    pub keys: usize,
    /// Bytes of one key.
    pub key_bytes: usize,
    /// Who may wait at once for answers to keys that others submitted.
    pub joined: usize,
    /// How long an answer is remembered, from the first submit on.
    pub age: Duration,
}

impl Default for Bounds {
    /// 100 000 keys of up to 128 bytes, 10 000 who wait, a day.
    fn default() -> Self {
        Self { keys: 100_000, key_bytes: 128, joined: 10_000, age: Duration::from_secs(86_400) }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The key cannot be one.
    #[error("idempotency key: valid are 1 to {bytes_max} bytes")]
    Key {
        /// The bound.
        bytes_max: usize,
    },
    /// Too much is under way: come again shortly.
    #[error("too many requests with idempotency keys are under way; try again shortly")]
    Full,
    /// The engine did not take the command. The key is free.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The first submit was not taken; the key is free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the first request with this idempotency key was not taken; submit it again")]
pub struct Freed;

/// The first answer to each key. Clones are the same.
pub struct Idempotency<A> {
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    bounds: Bounds,
    table: Mutex<Table<A>>,
}

struct Table<A> {
    keys: HashMap<Arc<str>, Entry<A>>,
    /// The keys that are answered, and when each was first submitted, in the order of the answers.
    answered: VecDeque<(Arc<str>, u64)>,
    /// How many wait.
    joined: usize,
}

enum Entry<A> {
    UnderWay(Vec<oneshot::Sender<Arc<A>>>),
    Answered(Arc<A>),
}

/// What [`Idempotency::begin`] found.
pub enum Begun<A> {
    /// The key is new: do it, and answer the claim.
    First(Claim<A>),
    /// Somebody else is at it: wait for the answer.
    Joined(Joined<A>),
    /// It was done before.
    Known(Arc<A>),
}

impl<A> Clone for Idempotency<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<A> std::fmt::Debug for Idempotency<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idempotency").field("bounds", &self.shared.bounds).finish_non_exhaustive()
    }
}

impl<A> Idempotency<A> {
    /// Knows no key yet.
    pub fn new(bounds: Bounds) -> Self {
        let table = Table { keys: HashMap::new(), answered: VecDeque::new(), joined: 0 };
        Self { shared: Arc::new(Shared { bounds, table: Mutex::new(table) }) }
    }

    /// How many keys are known, those under way included.
    pub fn len(&self) -> usize {
        self.shared.table.lock().keys.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks a key up, and takes it if it is new. `now_ns` is the time in nanoseconds, of
    /// a clock that nobody sets: [`Engine::now_ns`] is one.
    ///
    /// # Errors
    /// [`IdempotencyError::Key`]; [`IdempotencyError::Full`] if as many keys are under way as there may be,
    /// or as many wait as may.
    pub fn begin(&self, key: &str, now_ns: u64) -> Result<Begun<A>, IdempotencyError> {
        let Bounds { keys, key_bytes, joined, age } = self.shared.bounds;
        if !(1..=key_bytes).contains(&key.len()) {
            return Err(IdempotencyError::Key { bytes_max: key_bytes });
        }
        let mut guard = self.shared.table.lock();
        let table = &mut *guard;
        while let Some((_, since_ns)) = table.answered.front()
            && u128::from(now_ns.saturating_sub(*since_ns)) >= age.as_nanos()
        {
            table.forget_oldest();
        }
        match table.keys.get_mut(key) {
            Some(Entry::Answered(answer)) => return Ok(Begun::Known(Arc::clone(answer))),
            Some(Entry::UnderWay(_)) if table.joined >= joined => return Err(IdempotencyError::Full),
            Some(Entry::UnderWay(waiting)) => {
                let (sender, receiver) = oneshot::channel();
                waiting.push(sender);
                table.joined += 1;
                return Ok(Begun::Joined(Joined(receiver)));
            }
            None => {}
        }
        if table.keys.len() >= keys && !table.forget_oldest() {
            return Err(IdempotencyError::Full);
        }
        let key: Arc<str> = key.into();
        table.keys.insert(Arc::clone(&key), Entry::UnderWay(Vec::new()));
        Ok(Begun::First(Claim { shared: Arc::clone(&self.shared), key, since_ns: now_ns }))
    }
}

impl<A> Table<A> {
    /// Forgets the oldest answer; whether there was one.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.answered.pop_front();
        oldest.is_some_and(|(key, _)| self.keys.remove(&key).is_some())
    }
}

impl<A: Send + Sync + 'static> Idempotency<A> {
    /// Submits a command, unless its key was submitted before, and waits for the answer to the first one:
    /// what `keep` made of the engine's response. Keep what the client is told, rather than all events. It must not
    /// panic: that would free the key of what is done.
    ///
    /// # Errors
    /// As [`Idempotency::begin`]; [`IdempotencyError::Engine`] as from [`Engine::submit`].
    pub fn call(
        &self,
        engine: &Engine,
        key: &str,
        now_ns: u64,
        command: Command,
        keep: impl FnOnce(&Response<'_>) -> A + Send + 'static,
    ) -> Result<Arc<A>, IdempotencyError> {
        loop {
            match self.begin(key, now_ns)? {
                Begun::First(claim) => {
                    let (sender, answer) = oneshot::channel();
                    engine.submit_with(command, deliver(claim, keep, sender))?;
                    return answer.recv().map_err(|_| EngineError::Stopped)?;
                }
                Begun::Known(answer) => return Ok(answer),
                Begun::Joined(joined) => {
                    // Or it was not taken: then this one is next, or joins whoever was quicker.
                    if let Ok(answer) = joined.wait() {
                        return Ok(answer);
                    }
                }
            }
        }
    }

    /// The same for async code. Nothing happens before the future is first polled; dropped after that, it
    /// takes nothing back.
    ///
    /// # Errors
    /// As [`Idempotency::call`].
    pub async fn request(
        &self,
        engine: &Engine,
        key: &str,
        now_ns: u64,
        command: Command,
        keep: impl FnOnce(&Response<'_>) -> A + Send + 'static,
    ) -> Result<Arc<A>, IdempotencyError> {
        loop {
            match self.begin(key, now_ns)? {
                Begun::First(claim) => {
                    let (sender, answer) = oneshot::async_channel();
                    engine.submit_with(command, deliver(claim, keep, sender))?;
                    return answer.await.map_err(|_| EngineError::Stopped)?;
                }
                Begun::Known(answer) => return Ok(answer),
                Begun::Joined(joined) => {
                    if let Ok(answer) = joined.await {
                        return Ok(answer);
                    }
                }
            }
        }
    }
}

/// The engine's callback: answers the claim, whether or not the first one still waits.
fn deliver<A: Send + Sync + 'static>(
    claim: Claim<A>,
    keep: impl FnOnce(&Response<'_>) -> A + Send + 'static,
    first: oneshot::Sender<Result<Arc<A>, IdempotencyError>>,
) -> impl FnOnce(&Response<'_>) + Send + 'static {
    move |response| {
        if *response.result == Err(Rejection::JournalFull) {
            // Nothing was taken: the key is free again.
            drop(claim);
            return drop(first.send(Err(EngineError::JournalFull.into())));
        }
        drop(first.send(Ok(claim.answer(keep(response)))));
    }
}

/// A key that nobody else may submit until this is answered, or dropped: then the key is free again.
pub struct Claim<A> {
    shared: Arc<Shared<A>>,
    key: Arc<str>,
    since_ns: u64,
}

impl<A> Claim<A> {
    /// The answer, for whoever has joined and for whoever comes later.
    pub fn answer(self, answer: A) -> Arc<A> {
        let answer = Arc::new(answer);
        let waiting = {
            let mut table = self.shared.table.lock();
            let entry = table.keys.insert(Arc::clone(&self.key), Entry::Answered(Arc::clone(&answer)));
            table.answered.push_back((Arc::clone(&self.key), self.since_ns));
            table.leave(entry)
        };
        for sender in waiting {
            // Who has gone away needs no answer.
            let _ = sender.send(Arc::clone(&answer));
        }
        answer
    }
}

impl<A> Table<A> {
    /// Who waited at an entry that is no more.
    fn leave(&mut self, entry: Option<Entry<A>>) -> Vec<oneshot::Sender<Arc<A>>> {
        let Some(Entry::UnderWay(waiting)) = entry else { return Vec::new() };
        self.joined -= waiting.len();
        waiting
    }
}

impl<A> Drop for Claim<A> {
    fn drop(&mut self) {
        let mut table = self.shared.table.lock();
        // After an answer there is nothing under way: an answered key is only ever forgotten.
        if matches!(table.keys.get(&self.key), Some(Entry::UnderWay(_))) {
            let entry = table.keys.remove(&self.key);
            let waiting = table.leave(entry);
            drop(table);
            // They are told by losing their senders, without the lock.
            drop(waiting);
        }
    }
}

/// Waits for the answer to somebody else's submit.
pub struct Joined<A>(oneshot::Receiver<Arc<A>>);

impl<A> Joined<A> {
    /// Waits. Not for async code, which awaits this.
    ///
    /// # Errors
    /// [`Freed`] if the first one was not taken.
    pub fn wait(self) -> Result<Arc<A>, Freed> {
        self.0.recv().map_err(|_| Freed)
    }
}

impl<A: Send + Sync + 'static> IntoFuture for Joined<A> {
    type Output = Result<Arc<A>, Freed>;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.0.into_future().await.map_err(|_| Freed) })
    }
}
