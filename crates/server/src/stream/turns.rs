//! Turns at the journal: few at once, short, and shared fairly between connections.
//!
//! Connections take turns, one after the other; a connection that wants a hundred turns gets no more of them than
//! one that wants a single one. Who stops waiting loses the place in the queue.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The connection that work is done for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller(u64);

impl Caller {
    /// The connection of this peer. A peer that is not known shares its turns with all others that are not.
    pub(crate) fn peer(peer: Option<SocketAddr>) -> Self {
        let mut hasher = DefaultHasher::new();
        peer.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// A connection that carries one thing alone, as that of a WebSocket does.
    pub(crate) fn alone() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Hands out turns.
#[derive(Debug)]
pub(crate) struct Turns {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    /// Those who wait, in the order of their next turn; each is here once.
    order: VecDeque<Caller>,
    waiting: HashMap<Caller, VecDeque<oneshot::Sender<Turn>>>,
}

/// So many wait for one caller before those that gave up are looked for.
const GIVEN_UP_LOOK: usize = 64;

impl Turns {
    /// As many at once.
    pub(crate) fn new(free: usize) -> Arc<Self> {
        let inner = Inner { free, order: VecDeque::new(), waiting: HashMap::new() };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    /// Waits for a turn.
    pub(crate) async fn turn(self: &Arc<Self>, caller: Caller) -> Turn {
        let turn = {
            let mut inner = self.inner.lock();
            if inner.free > 0 {
                inner.free -= 1;
                return Turn { turns: Some(Arc::clone(self)) };
            }
            inner.wait(caller)
        };
        match turn.await {
            Ok(turn) => turn,
            // The queue is part of `self`, so the other end cannot have gone.
            Err(_) => std::future::pending().await,
        }
    }

    /// How many wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        let inner = self.inner.lock();
        inner.order.iter().filter_map(|caller| inner.waiting.get(caller)).map(VecDeque::len).sum()
    }

    /// Gives the turn that has ended to the next who still waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let Some(next) = self.inner.lock().next() else { return };
            let Err(mut turn) = next.send(Turn { turns: Some(Arc::clone(self)) }) else { return };
            // It came back: whoever waited has gone. It is not one that ends.
            turn.turns = None;
        }
    }
}

impl Inner {
    fn wait(&mut self, caller: Caller) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let queue = self.waiting.entry(caller).or_default();
        if queue.is_empty() {
            self.order.push_back(caller);
        }
        if queue.len() >= GIVEN_UP_LOOK {
            queue.retain(|waiting| !waiting.is_closed());
        }
        queue.push_back(sender);
        receiver
    }

    /// Who is next; the turn is free if there is none.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(caller) = self.order.pop_front() {
            let Some(queue) = self.waiting.get_mut(&caller) else { continue };
            let next = std::iter::from_fn(|| queue.pop_front()).find(|waiting| !waiting.is_closed());
            if queue.is_empty() {
                self.waiting.remove(&caller);
            } else {
                self.order.push_back(caller);
            }
            if next.is_some() {
                return next;
            }
        }
        self.free += 1;
        None
    }
}

/// A turn, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Option<Arc<Turns>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    type Waiting = BoxFuture<'static, Turn>;

    /// Begins to wait.
    fn wait(turns: &Arc<Turns>, caller: u64) -> Waiting {
        let turns = Arc::clone(turns);
        let mut waiting = async move { turns.turn(Caller(caller)).await }.boxed();
        assert!((&mut waiting).now_or_never().is_none());
        waiting
    }

    #[test]
    fn connections_take_turns_however_much_each_of_them_wants() {
        let turns = Turns::new(1);
        let mut running = turns.turn(Caller(0)).now_or_never().unwrap();
        let mut waiting: Vec<(u64, Waiting)> = Vec::new();
        for caller in [1, 1, 1, 1, 2, 3, 1, 2] {
            waiting.push((caller, wait(&turns, caller)));
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(running);
            let next = waiting
                .iter_mut()
                .enumerate()
                .find_map(|(place, (_, waiting))| waiting.now_or_never().map(|turn| (place, turn)));
            let (place, turn) = next.unwrap();
            order.push(waiting.remove(place).0);
            running = turn;
        }
        assert_eq!(order, [1, 2, 3, 1, 2, 1, 1, 1]);
        drop(running);
        assert!(turns.turn(Caller(4)).now_or_never().is_some());
    }

    #[test]
    fn who_stops_waiting_holds_nobody_up_and_is_forgotten() {
        let turns = Turns::new(1);
        let running = turns.turn(Caller(0)).now_or_never().unwrap();
        let gone: Vec<Waiting> = (0..10_000).map(|_| wait(&turns, 1)).collect();
        let mut honest = wait(&turns, 2);
        drop(gone);
        drop(wait(&turns, 1));
        assert!(turns.waiting() <= 2, "{}", turns.waiting());
        drop(running);
        let turn = (&mut honest).now_or_never().unwrap();
        // One that is given and never taken is given on.
        let late = wait(&turns, 3);
        drop(turn);
        drop(late);
        assert!(turns.turn(Caller(4)).now_or_never().is_some());
        assert_eq!((turns.waiting(), turns.inner.lock().free), (0, 1));
    }
}
