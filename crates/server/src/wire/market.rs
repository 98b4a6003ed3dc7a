//! Markets as they are asked for.

use std::collections::BTreeSet;

use betex_core::command::{NAME_BYTES_MAX, NewMarket, RUNNERS_MAX};
use betex_core::ladder::{Ladder, PRICE_TICKS_MAX};
use betex_core::types::{MarketKind, MarketModel, MarketPhase, TransitionPolicy};
use betex_proto::v1;
use tonic::Status;

use super::fault::{invalid, quoted};
use super::form;
use super::terms::Terms;

/// A new market from its request. Whether its outcomes are lines, and well written ones, the core says. A
/// market at odds that names no smallest order gets `min_quantity`, in pennies. A binary market does not: that
/// many shares are another amount of money, and sets of shares leave no fractions.
pub(crate) fn parse(request: v1::CreateMarketRequest, min_quantity: u64) -> Result<NewMarket, Status> {
    form::name("market_id", &request.market_id)?;
    form::optional_name("name", &request.name)?;
    let ladder = ladder(model(request.model)?, request.ladder, request.max_price_ticks)?;
    let kind = kind(request.market_kind)?;
    let transition = transition(request.transition_policy)?;
    let independent = request.independent_outcomes;
    if independent && request.synthetic_matching == Some(true) {
        let problem =
            "true is not valid together with independent_outcomes, of which there are no complete sets";
        return Err(invalid("synthetic_matching", problem));
    }
    let mut market = match ladder {
        Ladder::Binary { max_price_ticks } => {
            check_outcomes(&request.outcomes, 1)?;
            NewMarket::binary(request.market_id, max_price_ticks, request.outcomes)
        }
        Ladder::Classic | Ladder::Finest => {
            check_outcomes(&request.outcomes, 2)?;
            NewMarket { ladder, ..NewMarket::new(request.market_id, request.outcomes) }
        }
    };
    market.name = request.name;
    market.kind = kind;
    market.transition = transition;
    market.independent = independent;
    market.synthetic = request.synthetic_matching.unwrap_or(!independent);
    let terms = Terms::of(ladder);
    let least = match (request.min_quantity, terms.max_ticks()) {
        (0, None) => min_quantity,
        (0, Some(_)) => 1,
        (named, _) => named,
    };
    market.min_quantity = terms.quantity("min_quantity", least)?;
    Ok(market)
}

fn model(value: i32) -> Result<v1::MarketModel, Status> {
    let valid = "EXCHANGE_ODDS (0) or BINARY_YES (1)";
    v1::MarketModel::try_from(value).map_err(|_| form::unknown_value("model", value, valid))
}

fn ladder(model: v1::MarketModel, ladder: i32, max_price_ticks: u32) -> Result<Ladder, Status> {
    let known = v1::Ladder::try_from(ladder)
        .map_err(|_| form::unknown_value("ladder", ladder, "CLASSIC (0) or FINEST (1)"))?;
    match (model, known) {
        (v1::MarketModel::ExchangeOdds, _) if max_price_ticks != 0 => {
            Err(invalid("max_price_ticks", format!("{max_price_ticks} is only for model BINARY_YES (1)")))
        }
        (v1::MarketModel::ExchangeOdds, v1::Ladder::Classic) => Ok(Ladder::Classic),
        (v1::MarketModel::ExchangeOdds, v1::Ladder::Finest) => Ok(Ladder::Finest),
        (v1::MarketModel::BinaryYes, v1::Ladder::Classic) => binary(max_price_ticks),
        (v1::MarketModel::BinaryYes, v1::Ladder::Finest) => Err(invalid(
            "ladder",
            "FINEST is only for model EXCHANGE_ODDS (0); a BINARY_YES market has max_price_ticks",
        )),
    }
}

fn binary(max_price_ticks: u32) -> Result<Ladder, Status> {
    let ticks = if max_price_ticks == 0 { PRICE_TICKS_MAX.into() } else { max_price_ticks };
    let valid = u16::try_from(ticks).ok().filter(|ticks| (2..=PRICE_TICKS_MAX).contains(ticks));
    let problem = || format!("{ticks} is not valid; 2 to {PRICE_TICKS_MAX}, or 0 for {PRICE_TICKS_MAX}");
    let max_price_ticks = valid.ok_or_else(|| invalid("max_price_ticks", problem()))?;
    Ok(Ladder::Binary { max_price_ticks })
}

fn kind(value: i32) -> Result<MarketKind, Status> {
    match v1::MarketKind::try_from(value) {
        Ok(v1::MarketKind::PreEventOnly) => Ok(MarketKind::PreEventOnly),
        Ok(v1::MarketKind::InPlayCapable) => Ok(MarketKind::InPlayCapable),
        Err(_) => Err(form::unknown_value("market_kind", value, "PRE_EVENT_ONLY (0) or IN_PLAY_CAPABLE (1)")),
    }
}

fn transition(value: i32) -> Result<TransitionPolicy, Status> {
    match v1::TransitionPolicy::try_from(value) {
        Ok(v1::TransitionPolicy::RespectPersistence) => Ok(TransitionPolicy::RespectPersistence),
        Ok(v1::TransitionPolicy::KeepAll) => Ok(TransitionPolicy::KeepAll),
        Ok(v1::TransitionPolicy::CancelAll) => Ok(TransitionPolicy::CancelAll),
        Err(_) => {
            let valid = "RESPECT_PERSISTENCE (0), KEEP_ALL (1) or CANCEL_ALL (2)";
            Err(form::unknown_value("transition_policy", value, valid))
        }
    }
}

/// Names of outcomes: so many at least, each of them given, none twice.
pub(crate) fn check_outcomes(outcomes: &[String], fewest: usize) -> Result<(), Status> {
    if !(fewest..=RUNNERS_MAX).contains(&outcomes.len()) {
        let problem = format!("{} of them; {fewest} to {RUNNERS_MAX} are valid", outcomes.len());
        return Err(invalid("outcomes", problem));
    }
    let mut seen = BTreeSet::new();
    for (number, outcome) in (1..).zip(outcomes) {
        let bytes = outcome.len();
        if !(1..=NAME_BYTES_MAX).contains(&bytes) {
            let wrong = if bytes == 0 { "is empty".to_owned() } else { format!("has {bytes} bytes") };
            let problem =
                format!("number {number} of {} {wrong}; 1 to {NAME_BYTES_MAX} bytes", outcomes.len());
            return Err(invalid("outcomes", problem));
        }
        if !seen.insert(outcome.as_str()) {
            return Err(invalid("outcomes", format!("{} is there twice", quoted(outcome))));
        }
    }
    Ok(())
}

/// What a market was created with, for a snapshot that tells the rest.
pub(crate) fn tell(spec: &NewMarket) -> v1::Snapshot {
    let terms = Terms::of(spec.ladder);
    let ladder = if spec.ladder == Ladder::Finest { v1::Ladder::Finest } else { v1::Ladder::Classic };
    let model = match spec.model() {
        MarketModel::ExchangeOdds => v1::MarketModel::ExchangeOdds,
        MarketModel::BinaryYes => v1::MarketModel::BinaryYes,
    };
    let kind = match spec.kind {
        MarketKind::PreEventOnly => v1::MarketKind::PreEventOnly,
        MarketKind::InPlayCapable => v1::MarketKind::InPlayCapable,
    };
    let transition = match spec.transition {
        TransitionPolicy::RespectPersistence => v1::TransitionPolicy::RespectPersistence,
        TransitionPolicy::KeepAll => v1::TransitionPolicy::KeepAll,
        TransitionPolicy::CancelAll => v1::TransitionPolicy::CancelAll,
    };
    v1::Snapshot {
        market_id: spec.key.clone(),
        name: spec.name.clone(),
        model: model.into(),
        ladder: ladder.into(),
        max_price_ticks: terms.max_ticks().unwrap_or_default(),
        min_quantity: terms.count(spec.min_quantity),
        market_kind: kind.into(),
        synthetic_matching: spec.synthetic && !spec.independent,
        independent_outcomes: spec.independent,
        transition_policy: transition.into(),
        ..v1::Snapshot::default()
    }
}

/// A phase from its name.
pub(crate) fn phase(name: &str) -> Result<MarketPhase, Status> {
    let named = PHASES.into_iter().find(|phase| phase_name(*phase) == name);
    let problem = || format!("{} is not valid; PRE, PRE_AWAIT_LIVE or LIVE", quoted(name));
    named.ok_or_else(|| invalid("phase", problem()))
}

const PHASES: [MarketPhase; 3] = [MarketPhase::Pre, MarketPhase::PreAwaitLive, MarketPhase::Live];

/// A model for the wire.
pub(crate) const fn model_name(model: MarketModel) -> &'static str {
    match model {
        MarketModel::ExchangeOdds => "EXCHANGE_ODDS",
        MarketModel::BinaryYes => "BINARY_YES",
    }
}

/// A phase for the wire.
pub(crate) const fn phase_name(phase: MarketPhase) -> &'static str {
    match phase {
        MarketPhase::Pre => "PRE",
        MarketPhase::PreAwaitLive => "PRE_AWAIT_LIVE",
        MarketPhase::Live => "LIVE",
    }
}
