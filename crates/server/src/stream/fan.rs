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
    by_market: HashMap<MarketId, MarketFollowers<M>>,
    everything: Vec<Arc<Mailbox<M>>>,
    stopping: bool,
}

struct MarketFollowers<M> {
    /// What clients call the market: needed when it is gone.
    key: Arc<str>,
    mailboxes: Vec<Arc<Mailbox<M>>>,
}

impl<F: Form> Default for Fan<F> {
    fn default() -> Self {
        let followers = Followers { by_market: HashMap::new(), everything: Vec::new(), stopping: false };
        Self { followers: Mutex::new(followers) }
    }
}

impl<F: Form> Fan<F> {
    /// A new follower, or `None` if the server is stopping. `key` is what clients call the market.
    pub(crate) fn join(self: &Arc<Self>, scope: Scope, key: &str) -> Option<Subscription<F>> {
        let mut followers = self.followers.lock();
        if followers.stopping {
            return None;
        }
        let mailbox = Arc::new(Mailbox::new());
        match scope {
            Scope::Everything => followers.everything.push(Arc::clone(&mailbox)),
            Scope::Market(market) => {
                let new = || MarketFollowers { key: key.into(), mailboxes: Vec::new() };
                let group = followers.by_market.entry(market).or_insert_with(new);
                group.mailboxes.push(Arc::clone(&mailbox));
            }
        }
        Some(Subscription { fan: Arc::clone(self), scope, mailbox })
    }

    /// Whether anybody follows this market.
    pub(crate) fn wants(&self, market: MarketId) -> bool {
        let followers = self.followers.lock();
        !followers.everything.is_empty() || followers.by_market.contains_key(&market)
    }

    /// What clients call a market that somebody follows by itself.
    pub(crate) fn key(&self, market: MarketId) -> Option<Arc<str>> {
        self.followers.lock().by_market.get(&market).map(|group| Arc::clone(&group.key))
    }

    /// Gives a transaction to whoever follows its market.
    pub(crate) fn put(&self, market: MarketId, batch: &Arc<Batch<F::Message>>) {
        let mut followers = self.followers.lock();
        let put = |mailbox: &Arc<Mailbox<F::Message>>| mailbox.put(batch);
        followers.everything.retain(put);
        if let Some(group) = followers.by_market.get_mut(&market) {
            group.mailboxes.retain(put);
            if group.mailboxes.is_empty() {
                followers.by_market.remove(&market);
            }
        }
    }

    /// Ends whoever follows this market by itself.
    pub(crate) fn end_market(&self, market: MarketId, ending: Ending) {
        let group = self.followers.lock().by_market.remove(&market);
        for mailbox in group.into_iter().flat_map(|group| group.mailboxes) {
            mailbox.end(ending);
        }
    }

    /// Ends whoever follows everything.
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
        for group in groups.into_values() {
            for mailbox in group.mailboxes {
                mailbox.end(Ending::Stopping);
            }
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
                group.mailboxes.retain(others);
                if group.mailboxes.is_empty() {
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
