//! The records of the engine and its accounts.

use betex_core::event::Event;
use betex_core::limits::Limits;
use betex_core::types::AccountId;

use super::fields::{Decoded, ends, fixed_part, unused, whole};
use super::kind;
use super::layout::{AccountRegisteredV1, LimitsSetV1, TimeSetBackV1};
use super::out::{Encoded, Out, text_len};

impl Out<'_> {
    pub(super) fn limits_set(&mut self, limits: &Limits, flags: u8) -> Encoded {
        self.fixed(kind::LIMITS_SET, 1, |head| LimitsSetV1 {
            head,
            flags,
            reserved: [0; 7],
            markets: limits.markets.into(),
            accounts: limits.accounts.into(),
            resting_orders: limits.resting_orders.into(),
            client_ids_per_market: limits.client_ids_per_market.into(),
            closed_market_ttl_ms: limits.closed_market_ttl_ms.into(),
        })
    }

    pub(super) fn time_set_back(&mut self, from_ns: u64, flags: u8) -> Encoded {
        self.fixed(kind::TIME_SET_BACK, 1, |head| TimeSetBackV1 {
            head,
            flags,
            reserved: [0; 7],
            from_ns: from_ns.into(),
        })
    }

    pub(super) fn account_registered(&mut self, account: AccountId, name: &str, flags: u8) -> Encoded {
        let name_len = text_len(name)?.into();
        let record =
            |head| AccountRegisteredV1 { head, flags, reserved: [0; 3], name_len, account: account.0.into() };
        self.with_tail(kind::ACCOUNT_REGISTERED, 1, &[name.as_bytes()], record)
    }
}

pub(super) fn limits_set(record: &[u8]) -> Decoded<(Event, bool)> {
    let limits: &LimitsSetV1 = whole(record)?;
    unused(limits.reserved == [0; 7])?;
    let event = Event::LimitsSet(Limits {
        markets: limits.markets.get(),
        accounts: limits.accounts.get(),
        resting_orders: limits.resting_orders.get(),
        client_ids_per_market: limits.client_ids_per_market.get(),
        closed_market_ttl_ms: limits.closed_market_ttl_ms.get(),
    });
    Ok((event, ends(limits.flags, 0)?))
}

pub(super) fn time_set_back(record: &[u8]) -> Decoded<(Event, bool)> {
    let set: &TimeSetBackV1 = whole(record)?;
    unused(set.reserved == [0; 7])?;
    Ok((Event::TimeSetBack { from_ns: set.from_ns.get() }, ends(set.flags, 0)?))
}

pub(super) fn account_registered(record: &[u8]) -> Decoded<(Event, bool)> {
    let (account, mut tail) = fixed_part::<AccountRegisteredV1>(record)?;
    unused(account.reserved == [0; 3])?;
    let name = tail.text(account.name_len.get())?;
    tail.end()?;
    let event = Event::AccountRegistered { account: AccountId(account.account.get()), name: name.into() };
    Ok((event, ends(account.flags, 0)?))
}
