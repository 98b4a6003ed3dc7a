//! The records of the engine and its accounts.

use betex_core::event::Event;
use betex_core::limits::Limits;
use betex_core::types::AccountId;

use super::fields::{Decoded, OLDER_VERSION, ends, fixed_part, malformed, unused, whole};
use super::kind;
use super::layout::{AccountRegisteredV1, LimitsSetV1, LimitsSetV2, LimitsV2, TimeSetBackV1};
use super::out::{Encoded, Out, text_len};

impl Out<'_> {
    pub(super) fn limits_set(&mut self, limits: &Limits, flags: u8) -> Encoded {
        if !limits.are_of_the_first_version() {
            return self.fixed(kind::LIMITS_SET, 2, |head| LimitsSetV2 {
                head,
                flags,
                reserved: [0; 7],
                limits: limits_record(limits),
            });
        }
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
        ..Limits::UNBOUNDED
    });
    Ok((event, ends(limits.flags, 0)?))
}

pub(super) fn time_set_back(record: &[u8]) -> Decoded<(Event, bool)> {
    let set: &TimeSetBackV1 = whole(record)?;
    unused(set.reserved == [0; 7])?;
    Ok((Event::TimeSetBack { from_ns: set.from_ns.get() }, ends(set.flags, 0)?))
}

pub(super) fn limits_set_v2(record: &[u8]) -> Decoded<(Event, bool)> {
    let record: &LimitsSetV2 = whole(record)?;
    unused(record.reserved == [0; 7])?;
    Ok((Event::LimitsSet(limits(&record.limits)?), ends(record.flags, 0)?))
}

pub(super) fn limits_record(limits: &Limits) -> LimitsV2 {
    LimitsV2 {
        markets: limits.markets.into(),
        accounts: limits.accounts.into(),
        resting_orders: limits.resting_orders.into(),
        client_ids_per_market: limits.client_ids_per_market.into(),
        closed_market_ttl_ms: limits.closed_market_ttl_ms.into(),
        accounts_per_market: limits.accounts_per_market.into(),
        resting_orders_per_account: limits.resting_orders_per_account.into(),
        client_ids: limits.client_ids.into(),
        client_ids_per_account: limits.client_ids_per_account.into(),
        market_bytes: limits.market_bytes.into(),
    }
}

/// The bounds of a record of version 2: not what version 1 could say.
pub(super) fn limits(record: &LimitsV2) -> Decoded<Limits> {
    let limits = Limits {
        markets: record.markets.get(),
        market_bytes: record.market_bytes.get(),
        accounts: record.accounts.get(),
        accounts_per_market: record.accounts_per_market.get(),
        resting_orders: record.resting_orders.get(),
        resting_orders_per_account: record.resting_orders_per_account.get(),
        client_ids: record.client_ids.get(),
        client_ids_per_market: record.client_ids_per_market.get(),
        client_ids_per_account: record.client_ids_per_account.get(),
        closed_market_ttl_ms: record.closed_market_ttl_ms.get(),
    };
    if limits.are_of_the_first_version() { malformed(OLDER_VERSION) } else { Ok(limits) }
}

pub(super) fn account_registered(record: &[u8]) -> Decoded<(Event, bool)> {
    let (account, mut tail) = fixed_part::<AccountRegisteredV1>(record)?;
    unused(account.reserved == [0; 3])?;
    let name = tail.text(account.name_len.get())?;
    tail.end()?;
    let event = Event::AccountRegistered { account: AccountId(account.account.get()), name: name.into() };
    Ok((event, ends(account.flags, 0)?))
}
