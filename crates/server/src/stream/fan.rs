//! Who follows in one form, and what they follow.

use std::collections::HashMap;
use std::sync::Arc;

use betex_core::types::MarketId;
use parking_lot::Mutex;

use super::form::{Form, Scope};
use super::mailbox::{Batch, Ending, Mailbox};

/// Who follows in one form.
pub(crate) struct Fan<F: Form> {
    followers: Mutex<Followers<F::Message>>,
}

struct Followers<M> {
    by_market: HashMap<MarketId, Vec<Arc<Mailbox<M>>>>,
    everything: Vec<Arc<Mailbox<M>>>,
    stopping: bool,
}

impl<F: Form> Default for Fan<F> {
    fn default() -> Self {
        let followers = Followers { by_market: HashMap::new(), everything: Vec::new(), stopping: false };
        Self { followers: Mutex::new(followers) }
    }
}

impl<F: Form> Fan<F> {
    /// A new follower, or `None` if the server is stopping.
    pub(crate) fn join(self: &Arc<Self>, scope: Scope) -> Option<Subscription<F>> {
        let mut followers = self.followers.lock();
        if followers.stopping {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new());
        match scope {
            Scope::Everything => followers.everything.push(Arc::clone(&mailbox)),
            Scope::Market(market) => {
                followers.by_market.entry(market).or_default().push(Arc::clone(&mailbox));
            }
        }
        Some(Subscription { fan: Arc::clone(self), scope, mailbox })
    }

    /// Whether this market has followers.
    pub(crate) fn wants(&self, market: MarketId) -> bool {
        let followers = self.followers.lock();
        !followers.everything.is_empty() || followers.by_market.contains_key(&market)
    }

    /// Gives a transaction to those who follow its market.
    pub(crate) fn put(&self, market: MarketId, batch: &Arc<Batch<F::Message>>) {
        let mut followers = self.followers.lock();
        let put = |mailbox: &Arc<Mailbox<F::Message>>| mailbox.put(batch);
        followers.everything.retain(put);
        if let Some(group) = followers.by_market.get_mut(&market) {
            group.retain(put);
            if group.is_empty() {
                followers.by_market.remove(&market);
            }
        }
    }

    /// Ends those who follow this market alone.
    pub(crate) fn end_market(&self, market: MarketId, ending: Ending) {
        let group = self.followers.lock().by_market.remove(&market);
        for mailbox in group.into_iter().flatten() {
            mailbox.end(ending);
        }
    }

    /// Ends those who follow everything.
    pub(crate) fn end_everything(&self, ending: Ending) {
        let mailboxes = std::mem::take(&mut self.followers.lock().everything);
        for mailbox in mailboxes {
            mailbox.end(ending);
        }
    }

    /// Ends everybody, and lets nobody join any more.
    pub(crate) fn stop(&self) {
        let groups = {
            let mut followers = self.followers.lock();
            followers.stopping = true;
            std::mem::take(&mut followers.by_market)
        };
        for mailbox in groups.into_values().flatten() {
            mailbox.end(Ending::Stopping);
        }
        self.end_everything(Ending::Stopping);
    }

    fn leave(&self, scope: Scope, mailbox: &Arc<Mailbox<F::Message>>) {
        let mut followers = self.followers.lock();
        let others = |other: &Arc<Mailbox<F::Message>>| !Arc::ptr_eq(other, mailbox);
        match scope {
            Scope::Everything => followers.everything.retain(others),
            Scope::Market(market) => {
                let Some(group) = followers.by_market.get_mut(&market) else { return };
                group.retain(others);
                if group.is_empty() {
                    followers.by_market.remove(&market);
                }
            }
        }
    }
}

/// A place among the followers, given up when it is dropped.
pub(crate) struct Subscription<F: Form> {
    fan: Arc<Fan<F>>,
    scope: Scope,
    mailbox: Arc<Mailbox<F::Message>>,
}

impl<F: Form> Subscription<F> {
    /// What has come.
    pub(crate) fn mailbox(&self) -> &Mailbox<F::Message> {
        &self.mailbox
    }
}

impl<F: Form> Drop for Subscription<F> {
    fn drop(&mut self) {
        self.fan.leave(self.scope, &self.mailbox);
    }
}
