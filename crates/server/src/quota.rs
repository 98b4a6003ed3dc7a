//! How fast something may come, over all and from one address: a token bucket for each, kept as the time at which
//! it is full again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use parking_lot::Mutex;
use tonic::{Code, Request, Status};

use crate::wire::fault::fault;

/// Addresses whose buckets are not full. Beyond, an address that is not among them is held to the bound over all
/// alone.
const ADDRESSES_MAX: usize = 65_536;
const SWEEP_NS: u64 = 1_000_000_000;

/// A bound on a rate. One address may have half of it, so that it cannot take all of it from the others.
#[derive(Debug)]
pub(crate) struct Quota {
    /// What is counted, for messages.
    what: &'static str,
    /// The code word of a refusal.
    word: &'static str,
    /// 0: no bound.
    per_s: u32,
    /// How many seconds' worth may come at once.
    burst_s: u64,
    began: Instant,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    all: u64,
    /// Only those that are not full.
    of: HashMap<IpAddr, u64>,
    /// When full buckets may be looked for again. The table is large, and each look goes through it.
    next_sweep_ns: u64,
}

/// One that was let through. Unless it is kept, it was not one after all, and makes room again.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    quota: &'a Quota,
    address: IpAddr,
    is_kept: bool,
}

impl Quota {
    pub(crate) fn new(what: &'static str, word: &'static str, per_s: u32, burst_s: u64) -> Self {
        Self { what, word, per_s, burst_s, began: Instant::now(), buckets: Mutex::default() }
    }

    /// Lets one more through, or says why not.
    pub(crate) fn take(&self, address: IpAddr) -> Result<Taken<'_>, Status> {
        let now_ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if self.per_s == 0 || self.take_at(now_ns, address) {
            return Ok(Taken { quota: self, address, is_kept: false });
        }
        let (what, per_s) = (self.what, self.per_s);
        let problem =
            format!("more than {per_s} {what} a second, or half as many from one address; try again shortly");
        Err(fault(Code::ResourceExhausted, self.word, problem))
    }

    /// Nanoseconds for one, over all and from one address.
    const fn each_ns(&self) -> (u64, u64) {
        let all = 1_000_000_000 / self.per_s as u64;
        // A bound above one a nanosecond is none, but the table of addresses is bounded all the same.
        let all = if all == 0 { 1 } else { all };
        (all, 2 * all)
    }

    fn take_at(&self, now_ns: u64, address: IpAddr) -> bool {
        let (each_all, each_of) = self.each_ns();
        let full_ns = now_ns + self.burst_s * 1_000_000_000;
        let mut buckets = self.buckets.lock();
        let all = buckets.all.max(now_ns) + each_all;
        let of = buckets.of.get(&address).copied().unwrap_or(0).max(now_ns) + each_of;
        if all > full_ns || of > full_ns {
            return false;
        }
        let is_new = !buckets.of.contains_key(&address);
        if is_new && buckets.of.len() >= ADDRESSES_MAX && now_ns >= buckets.next_sweep_ns {
            buckets.of.retain(|_, full_at| *full_at > now_ns);
            buckets.next_sweep_ns = now_ns + SWEEP_NS;
        }
        buckets.all = all;
        if buckets.of.len() < ADDRESSES_MAX || !is_new {
            buckets.of.insert(address, of);
        }
        true
    }

    fn give_back(&self, address: IpAddr) {
        if self.per_s == 0 {
            return;
        }
        let (each_all, each_of) = self.each_ns();
        let mut buckets = self.buckets.lock();
        buckets.all = buckets.all.saturating_sub(each_all);
        if let Some(of) = buckets.of.get_mut(&address) {
            *of = of.saturating_sub(each_of);
        }
    }
}

impl Taken<'_> {
    /// It was one.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.quota.give_back(self.address);
        }
    }
}

/// Whom a request counts for: its address; of IPv6 the network of 64 bits, which one client has whole.
pub(crate) fn address<T>(request: &Request<T>) -> IpAddr {
    let address = request.remote_addr().map(|address| address.ip().to_canonical());
    match address {
        Some(IpAddr::V6(address)) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        Some(address) => address,
        None => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn of(last: u8) -> IpAddr {
        [127, 0, 0, last].into()
    }

    #[test]
    fn one_address_has_half_and_all_have_no_more_than_all() {
        let quota = Quota::new("new users", "TOO_MANY", 10, 2);
        let let_through = |now_ns, address| (0..100).filter(|_| quota.take_at(now_ns, address)).count();
        assert_eq!(let_through(0, of(1)), 10, "half of two seconds' worth at once");
        assert_eq!(let_through(0, of(2)), 10);
        assert_eq!(let_through(0, of(3)), 0, "there is no more for anybody");
        assert_eq!(let_through(S, of(1)), 5, "a second later there is a second's worth, half of it for one");
        assert_eq!(let_through(S, of(3)), 5);
        assert_eq!(let_through(100 * S, of(1)), 10, "no more than fits is saved up");
    }

    #[test]
    fn what_was_none_after_all_makes_room() {
        let quota = Quota::new("new users", "TOO_MANY", 1, 10);
        for _ in 0..1_000 {
            drop(quota.take(of(1)).unwrap());
        }
        for _ in 0..5 {
            quota.take(of(1)).unwrap().keep();
        }
        let status = quota.take(of(1)).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().starts_with("TOO_MANY: more than 1 new users a second"), "{status:?}");
        quota.take(of(2)).unwrap().keep();
        let unbounded = Quota::new("new users", "TOO_MANY", 0, 10);
        for _ in 0..1_000 {
            unbounded.take(of(1)).unwrap().keep();
        }
    }

    #[test]
    fn the_table_of_addresses_is_bounded() {
        let quota = Quota::new("new users", "TOO_MANY", u32::MAX, 10);
        for n in 0..100_000_u32 {
            assert!(quota.take_at(0, IpAddr::V4((n + 1).into())));
        }
        assert_eq!(quota.buckets.lock().of.len(), ADDRESSES_MAX);
        assert!(quota.take_at(S, of(9)));
        assert_eq!(quota.buckets.lock().of.len(), 1, "those that are full again are forgotten");
    }
}
