//! Which events are wanted.

use std::collections::BTreeSet;

use betex_core::event::Event;
use betex_core::state::State;
use betex_core::types::{AccountId, MarketId};
use betex_journal::JournalEvent;
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::failure::Failure;
use crate::lines::Line;
use crate::terms::{KINDS, kind};
use crate::times;

/// Which events: those that fit everything that is given.
#[derive(Args)]
pub(crate) struct Wanted {
    /// Not those with a lower sequence number
    #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from: Option<u64>,
    /// Not those with a higher sequence number
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) to: Option<u64>,
    /// Only those of this market: its id, or its key (name:7 if the key is a number)
    #[arg(long, value_name = "ID|KEY", value_parser = name)]
    market: Option<Name>,
    /// Only those that concern this account: its id, or its name (name:7 if the name is a number)
    #[arg(long, value_name = "ID|NAME", value_parser = name)]
    account: Option<Name>,
    /// Only those of these kinds; several with commas
    #[arg(long, value_name = "KIND", value_delimiter = ',', ignore_case = true,
        value_parser = PossibleValuesParser::new(KINDS))]
    kind: Vec<String>,
    /// Not those before this time: 2026-10-03T12:30:00Z, or nanoseconds since the Unix epoch
    #[arg(long, value_name = "TIME", value_parser = times::parse)]
    since: Option<u64>,
    /// Only those before this time
    #[arg(long, value_name = "TIME", value_parser = times::parse)]
    pub(crate) until: Option<u64>,
}

/// How somebody names a market or an account.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Id(u64),
    Text(String),
}

fn name(text: &str) -> Result<Name, String> {
    if let Some(text) = text.strip_prefix("name:") {
        return Ok(Name::Text(text.to_owned()));
    }
    match text.parse() {
        Ok(id) => Ok(Name::Id(id)),
        Err(_) if text.is_empty() => Err("an id or a name".to_owned()),
        Err(_) => Ok(Name::Text(text.to_owned())),
    }
}

/// Looks at every event in turn.
pub(crate) struct Filter {
    wanted: Wanted,
    /// Those whose key or name was asked for. A key may be used again after its market was removed.
    markets: BTreeSet<MarketId>,
    accounts: BTreeSet<AccountId>,
    /// The account of the order that the transaction brought in.
    taker: AccountId,
}

impl Filter {
    pub(crate) fn new(wanted: Wanted) -> Result<Self, Failure> {
        if let (Some(from), Some(to)) = (wanted.from, wanted.to)
            && from > to
        {
            return Err(Failure::Misused(format!("--from {from} --to {to}: --from must not be above --to")));
        }
        if let (Some(since), Some(until)) = (wanted.since, wanted.until)
            && since >= until
        {
            return Err(Failure::Misused("--since must be before --until".to_owned()));
        }
        Ok(Self { wanted, markets: BTreeSet::new(), accounts: BTreeSet::new(), taker: AccountId::NONE })
    }

    /// Whether names have to be found out, from the beginning of the journal.
    pub(crate) fn has_names(&self) -> bool {
        [&self.wanted.market, &self.wanted.account]
            .into_iter()
            .any(|name| matches!(name, Some(Name::Text(_))))
    }

    /// The name that was asked for and that nothing has so far, in words.
    pub(crate) fn unknown(&self) -> Option<String> {
        match (&self.wanted.market, &self.wanted.account) {
            (Some(Name::Text(key)), _) if self.markets.is_empty() => {
                Some(format!("no market is called {key:?} in what was read"))
            }
            (_, Some(Name::Text(name))) if self.accounts.is_empty() => {
                Some(format!("no account is called {name:?} in what was read"))
            }
            _ => None,
        }
    }

    /// Whether nothing from this sequence number on is wanted.
    pub(crate) fn is_past(&self, sequence: u64) -> bool {
        self.wanted.to.is_some_and(|to| sequence > to)
    }

    /// Whether this time is past those that are wanted. Earlier ones may follow, after time was set back.
    pub(crate) fn is_late(&self, time_ns: u64) -> bool {
        self.wanted.until.is_some_and(|end| time_ns >= end)
    }

    /// The account of the order that the transaction brought in.
    pub(crate) const fn taker(&self) -> AccountId {
        self.taker
    }

    /// A transaction begins.
    pub(crate) fn begin(&mut self) {
        self.taker = AccountId::NONE;
    }

    /// Whether this event is wanted. Every event of every transaction is to be asked about, in order.
    pub(crate) fn takes(&mut self, event: &JournalEvent) -> bool {
        self.learn(event);
        let wanted = &self.wanted;
        wanted.from.is_none_or(|from| event.sequence >= from)
            && !self.is_past(event.sequence)
            && !self.is_late(event.time_ns)
            && wanted.since.is_none_or(|since| event.time_ns >= since)
            && (wanted.kind.is_empty()
                || wanted.kind.iter().any(|name| name.eq_ignore_ascii_case(kind(&event.event))))
            && match &wanted.market {
                None => true,
                Some(Name::Id(id)) => event.market_id.0 == *id,
                Some(Name::Text(_)) => self.markets.contains(&event.market_id),
            }
            && match &wanted.account {
                None => true,
                Some(Name::Id(id)) => self.concerns(event, &|account| account.0 == *id),
                Some(Name::Text(_)) => self.concerns(event, &|account| self.accounts.contains(&account)),
            }
    }

    /// Takes over what a state knows of the names that were asked for.
    pub(crate) fn learn_state(&mut self, state: &State) {
        if let Some(Name::Text(key)) = &self.wanted.market {
            self.markets.extend(state.market_named(key).map(|market| market.id()));
        }
        if let Some(Name::Text(name)) = &self.wanted.account {
            self.accounts.extend(state.account_named(name));
        }
    }

    fn learn(&mut self, event: &JournalEvent) {
        let is = |name: &Option<Name>, text: &str| matches!(name, Some(Name::Text(name)) if name == text);
        match &event.event {
            Event::MarketCreated(spec) if is(&self.wanted.market, &spec.key) => {
                self.markets.insert(event.market_id);
            }
            Event::AccountRegistered { account, name } if is(&self.wanted.account, name) => {
                self.accounts.insert(*account);
            }
            _ => {}
        }
        self.taker = Line::taker(&event.event).unwrap_or(self.taker);
    }

    fn concerns(&self, event: &JournalEvent, is_it: &dyn Fn(AccountId) -> bool) -> bool {
        match &event.event {
            Event::AccountRegistered { account, .. } => is_it(*account),
            Event::OrderAccepted(order) => is_it(order.account),
            Event::OrderSplit { order, .. } => is_it(order.account),
            Event::SetMatched(_) => is_it(self.taker),
            Event::TradeMatched(trade) => is_it(trade.maker_account) || is_it(self.taker),
            Event::OrderCancelled(order) => is_it(order.account),
            Event::OrdersCancelled(filter) => is_it(filter.account),
            Event::JobStarted(job) => is_it(job.filter.account),
            Event::LimitsSet(_)
            | Event::TimeSetBack { .. }
            | Event::MarketCreated(_)
            | Event::MarketStatusChanged { .. }
            | Event::MarketRemoved
            | Event::HoldChanged { .. }
            | Event::PhaseChanged { .. }
            | Event::RunnersAdded(_)
            | Event::RunnerRemoved { .. }
            | Event::TradesVoided { .. }
            | Event::JobAdvanced { .. } => false,
        }
    }
}
