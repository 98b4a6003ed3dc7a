//! The records of markets and runners.

use betex_core::command::{NewMarket, NewRunner};
use betex_core::event::{Event, OutcomeIndex};
use betex_core::ladder::{Ladder, PRICE_TICKS_MAX};
use betex_core::types::{BookMarketState, Hold, MarketPhase, Quantity, RunnerId, TransitionPolicy};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::codes::Code as _;
use super::encode::EncodeError;
use super::fields::{Decoded, OLDER_VERSION, Tail, code, ends, fixed_part, malformed, unused, whole};
use super::kind;
use super::layout::{
    HAS_REASON, HOLD_IS_ON, Head, HoldChangedV1, INDEPENDENT, MODEL_AT_ODDS, MarketCreatedV1,
    MarketCreatedV2, MarketRemovedV1, MarketStatusChangedV1, PhaseChangedV1, RunnerRemovedV1, RunnerV1,
    RunnersAddedV1, SYNTHETIC,
};
use super::out::{Encoded, Out, set, text_len};

impl Out<'_> {
    pub(super) fn market_created(&mut self, market: &NewMarket, flags: u8) -> Encoded {
        let NewMarket { key, name, ladder, runners, kind, state, phase, increment, min_quantity, .. } =
            market;
        let says_more = says_more(market);
        let (ladder, max_price_ticks) = ladder_codes(*ladder).map_err(EncodeError::Invalid)?;
        let (kind, state, phase) = (kind.code(), state.code(), phase.code());
        let (increment, min_quantity) = (increment.0.into(), min_quantity.0.into());
        let (key_len, name_len) = (text_len(key)?.into(), text_len(name)?.into());
        let texts = [key.as_str(), name];
        if !says_more {
            return self.with_runners(kind::MARKET_CREATED, 1, &texts, runners, |head, runners| {
                MarketCreatedV1 {
                    head,
                    flags,
                    model: MODEL_AT_ODDS,
                    ladder,
                    kind,
                    state,
                    phase,
                    reserved: 0.into(),
                    increment,
                    min_quantity,
                    runners,
                    key_len,
                    name_len,
                    reserved_too: 0.into(),
                }
            });
        }
        let flags = flags | set(INDEPENDENT, market.independent) | set(SYNTHETIC, market.synthetic);
        self.with_runners(kind::MARKET_CREATED, 2, &texts, runners, |head, runners| MarketCreatedV2 {
            head,
            flags,
            ladder,
            kind,
            state,
            phase,
            transition: market.transition.code(),
            max_price_ticks: max_price_ticks.into(),
            increment,
            min_quantity,
            runners,
            key_len,
            name_len,
            reserved: 0.into(),
        })
    }

    pub(super) fn market_status_changed(
        &mut self,
        to: BookMarketState,
        reason: Option<&str>,
        flags: u8,
    ) -> Encoded {
        self.with_reason(kind::MARKET_STATUS_CHANGED, reason, |head, flag, reason_len| {
            MarketStatusChangedV1 {
                head,
                flags: flags | flag,
                to: to.code(),
                reserved: 0.into(),
                reason_len: reason_len.into(),
            }
        })
    }

    pub(super) fn hold_changed(
        &mut self,
        hold: Hold,
        on: bool,
        to: BookMarketState,
        reason: Option<&str>,
        flags: u8,
    ) -> Encoded {
        self.with_reason(kind::HOLD_CHANGED, reason, |head, flag, reason_len| HoldChangedV1 {
            head,
            flags: flags | flag | set(HOLD_IS_ON, on),
            hold: hold.code(),
            to: to.code(),
            reserved: 0,
            reason_len: reason_len.into(),
        })
    }

    pub(super) fn phase_changed(&mut self, to: MarketPhase, reason: Option<&str>, flags: u8) -> Encoded {
        self.with_reason(kind::PHASE_CHANGED, reason, |head, flag, reason_len| PhaseChangedV1 {
            head,
            flags: flags | flag,
            to: to.code(),
            reserved: 0.into(),
            reason_len: reason_len.into(),
        })
    }

    pub(super) fn runners_added(&mut self, runners: &[NewRunner], flags: u8) -> Encoded {
        self.with_runners(kind::RUNNERS_ADDED, 1, &[], runners, |head, runners| RunnersAddedV1 {
            head,
            flags,
            reserved: [0; 3],
            runners,
        })
    }

    pub(super) fn runner_removed(
        &mut self,
        outcome: OutcomeIndex,
        reduction: u16,
        reason: Option<&str>,
        flags: u8,
    ) -> Encoded {
        self.with_reason(kind::RUNNER_REMOVED, reason, |head, flag, reason_len| RunnerRemovedV1 {
            head,
            flags: flags | flag,
            reserved: 0,
            outcome: outcome.0.into(),
            reason_len: reason_len.into(),
            reduction: reduction.into(),
            reserved_too: [0; 6],
        })
    }

    pub(super) fn market_removed(&mut self, flags: u8) -> Encoded {
        self.fixed(kind::MARKET_REMOVED, 1, |head| MarketRemovedV1 { head, flags, reserved: [0; 7] })
    }

    /// A record, and behind its fields the runners, the texts, the runners' names. The fields are told how
    /// many runners there are.
    fn with_runners<R: IntoBytes + Immutable>(
        &mut self,
        kind: u16,
        version: u16,
        texts: &[&str],
        runners: &[NewRunner],
        record: impl FnOnce(Head, U32) -> R,
    ) -> Encoded {
        let count = u32::try_from(runners.len()).map_err(|_| EncodeError::Full)?;
        let names = runners.iter().map(|runner| runner.name.as_str());
        let mut bytes = size_of::<R>() + runners.len() * size_of::<RunnerV1>();
        for text in texts.iter().copied().chain(names.clone()) {
            // What is longer has no length on disk.
            bytes += text_len(text)? as usize;
        }
        self.record(kind, version, bytes, |body, head| {
            body.extend_from_slice(record(head, count.into()).as_bytes());
            for NewRunner { id, name } in runners {
                // It was measured above.
                let name_len = U32::new(u32::try_from(name.len()).unwrap_or(u32::MAX));
                let runner = RunnerV1 { id: id.0.into(), name_len, reserved: 0.into() };
                body.extend_from_slice(runner.as_bytes());
            }
            for text in texts.iter().copied().chain(names) {
                body.extend_from_slice(text.as_bytes());
            }
        })
    }
}

/// Whether version 1 of MarketCreated cannot say it.
fn says_more(market: &NewMarket) -> bool {
    market.independent
        || market.synthetic
        || market.transition != TransitionPolicy::RespectPersistence
        || matches!(market.ladder, Ladder::Binary { .. })
}

const BINARY: u8 = 2;

/// A ladder's number, and how many ticks a binary one has.
pub(super) fn ladder_codes(ladder: Ladder) -> Result<(u8, u16), &'static str> {
    match ladder {
        Ladder::Classic => Ok((0, 0)),
        Ladder::Finest => Ok((1, 0)),
        Ladder::Binary { max_price_ticks: ticks @ 2..=PRICE_TICKS_MAX } => Ok((BINARY, ticks)),
        Ladder::Binary { .. } => Err("a binary ladder of too few or too many ticks"),
    }
}

pub(super) fn ladder(code: u8, max_price_ticks: u16) -> Decoded<Ladder> {
    let ladder = match code {
        0 => Ladder::Classic,
        1 => Ladder::Finest,
        BINARY => Ladder::Binary { max_price_ticks },
        _ => return malformed("its ladder stands for nothing"),
    };
    match ladder_codes(ladder) {
        Ok((_, ticks)) if ticks == max_price_ticks => Ok(ladder),
        _ => malformed("its ladder has ticks that cannot be"),
    }
}

pub(super) fn market_created_v1(record: &[u8]) -> Decoded<(Event, bool)> {
    let (market, mut tail) = fixed_part::<MarketCreatedV1>(record)?;
    unused(market.reserved.get() == 0 && market.reserved_too.get() == 0)?;
    if market.model != MODEL_AT_ODDS {
        return malformed("a market of a model that there was not yet");
    }
    let table = runner_table(&mut tail, market.runners.get())?;
    let event = Event::MarketCreated(Box::new(NewMarket {
        key: tail.text(market.key_len.get())?.to_owned(),
        name: tail.text(market.name_len.get())?.to_owned(),
        runners: named(table, tail)?,
        ladder: ladder(market.ladder, 0)?,
        independent: false,
        synthetic: false,
        transition: TransitionPolicy::RespectPersistence,
        kind: code(market.kind)?,
        state: code(market.state)?,
        phase: code(market.phase)?,
        increment: Quantity(market.increment.get()),
        min_quantity: Quantity(market.min_quantity.get()),
    }));
    Ok((event, ends(market.flags, 0)?))
}

pub(super) fn market_created_v2(record: &[u8]) -> Decoded<(Event, bool)> {
    let (market, mut tail) = fixed_part::<MarketCreatedV2>(record)?;
    unused(market.reserved.get() == 0)?;
    let table = runner_table(&mut tail, market.runners.get())?;
    let created = NewMarket {
        key: tail.text(market.key_len.get())?.to_owned(),
        name: tail.text(market.name_len.get())?.to_owned(),
        runners: named(table, tail)?,
        ladder: ladder(market.ladder, market.max_price_ticks.get())?,
        independent: market.flags & INDEPENDENT != 0,
        synthetic: market.flags & SYNTHETIC != 0,
        transition: code(market.transition)?,
        kind: code(market.kind)?,
        state: code(market.state)?,
        phase: code(market.phase)?,
        increment: Quantity(market.increment.get()),
        min_quantity: Quantity(market.min_quantity.get()),
    };
    if !says_more(&created) {
        return malformed(OLDER_VERSION);
    }
    Ok((Event::MarketCreated(Box::new(created)), ends(market.flags, INDEPENDENT | SYNTHETIC)?))
}

fn runner_table<'a>(tail: &mut Tail<'a>, count: u32) -> Decoded<&'a [RunnerV1]> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    // The multiplication saturates and the bytes must be there, so this bounds what is allocated for them.
    let table = tail.take(count.saturating_mul(size_of::<RunnerV1>()))?;
    <[RunnerV1]>::ref_from_bytes(table).or(malformed("its runners cannot be"))
}

/// The runners, with their names, which are the end of the record.
fn named(table: &[RunnerV1], mut tail: Tail<'_>) -> Decoded<Vec<NewRunner>> {
    let mut runners = Vec::with_capacity(table.len());
    for runner in table {
        unused(runner.reserved.get() == 0)?;
        let name = tail.text(runner.name_len.get())?.to_owned();
        runners.push(NewRunner { id: RunnerId(runner.id.get()), name });
    }
    tail.end()?;
    Ok(runners)
}

pub(super) fn market_status_changed(record: &[u8]) -> Decoded<(Event, bool)> {
    let (change, tail) = fixed_part::<MarketStatusChangedV1>(record)?;
    unused(change.reserved.get() == 0)?;
    let reason = tail.reason(change.flags, change.reason_len.get())?;
    Ok((Event::MarketStatusChanged { to: code(change.to)?, reason }, ends(change.flags, HAS_REASON)?))
}

pub(super) fn hold_changed(record: &[u8]) -> Decoded<(Event, bool)> {
    let (change, tail) = fixed_part::<HoldChangedV1>(record)?;
    unused(change.reserved == 0)?;
    let event = Event::HoldChanged {
        hold: code(change.hold)?,
        on: change.flags & HOLD_IS_ON != 0,
        to: code(change.to)?,
        reason: tail.reason(change.flags, change.reason_len.get())?,
    };
    Ok((event, ends(change.flags, HAS_REASON | HOLD_IS_ON)?))
}

pub(super) fn phase_changed(record: &[u8]) -> Decoded<(Event, bool)> {
    let (change, tail) = fixed_part::<PhaseChangedV1>(record)?;
    unused(change.reserved.get() == 0)?;
    let reason = tail.reason(change.flags, change.reason_len.get())?;
    Ok((Event::PhaseChanged { to: code(change.to)?, reason }, ends(change.flags, HAS_REASON)?))
}

pub(super) fn runners_added(record: &[u8]) -> Decoded<(Event, bool)> {
    let (added, mut tail) = fixed_part::<RunnersAddedV1>(record)?;
    unused(added.reserved == [0; 3])?;
    let table = runner_table(&mut tail, added.runners.get())?;
    Ok((Event::RunnersAdded(named(table, tail)?.into_boxed_slice()), ends(added.flags, 0)?))
}

pub(super) fn runner_removed(record: &[u8]) -> Decoded<(Event, bool)> {
    let (removed, tail) = fixed_part::<RunnerRemovedV1>(record)?;
    unused(removed.reserved == 0 && removed.reserved_too == [0; 6])?;
    let event = Event::RunnerRemoved {
        outcome: OutcomeIndex(removed.outcome.get()),
        reduction: removed.reduction.get(),
        reason: tail.reason(removed.flags, removed.reason_len.get())?,
    };
    Ok((event, ends(removed.flags, HAS_REASON)?))
}

pub(super) fn market_removed(record: &[u8]) -> Decoded<(Event, bool)> {
    let removed: &MarketRemovedV1 = whole(record)?;
    unused(removed.reserved == [0; 7])?;
    Ok((Event::MarketRemoved, ends(removed.flags, 0)?))
}
