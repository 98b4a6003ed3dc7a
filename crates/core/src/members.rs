//! How much of a market, and of the exchange, each account uses: what the bounds per account are held against.
//! All of it follows from the orders and the client order ids that there are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rustc_hash::FxBuildHasher;

use crate::types::AccountId;

/// What an account has in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) resting: u32,
    pub(crate) client_ids: u32,
}

/// The accounts that have something in a place. Account ids are counted, so nobody can choose them to collide,
/// and a cheap hash will do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(HashMap<AccountId, Member, FxBuildHasher>);

impl Members {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, account: AccountId) -> Member {
        self.0.get(&account).copied().unwrap_or_default()
    }

    /// One more order of this account rests.
    pub(crate) fn rest(&mut self, account: AccountId) {
        self.0.entry(account).or_default().resting += 1;
    }

    /// One more client order id of this account is remembered.
    pub(crate) fn remember(&mut self, account: AccountId) {
        self.0.entry(account).or_default().client_ids += 1;
    }

    /// An order of this account rests no more.
    pub(crate) fn leave(&mut self, account: AccountId) {
        let Entry::Occupied(mut entry) = self.0.entry(account) else { return };
        let member = entry.get_mut();
        member.resting -= 1;
        if *member == Member::default() {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_nothing_left_is_not_counted() {
        let (ann, ben) = (AccountId(1), AccountId(2));
        let mut members = Members::default();
        members.rest(ann);
        members.rest(ann);
        members.remember(ben);
        members.rest(ben);
        assert_eq!(members.get(ann), Member { resting: 2, client_ids: 0 });
        assert_eq!(members.len(), 2);
        members.leave(ann);
        members.leave(ben);
        assert_eq!(members.len(), 2);
        members.leave(ann);
        assert_eq!((members.len(), members.get(ann)), (1, Member::default()));
        assert_eq!(members.get(ben), Member { resting: 0, client_ids: 1 });
    }
}
