//! Markets as they are asked for.

use betex_core::command::{NewMarket, RUNNERS_MAX, RUNNERS_MIN};
use betex_core::ladder::Ladder;
use betex_core::types::{MarketKind, MarketModel, MarketPhase};
use betex_proto::v1;
use tonic::Status;

use super::fault::{invalid, not_supported, quoted};
use super::form;

/// A new market from its request.
pub(crate) fn parse(request: v1::CreateMarketRequest) -> Result<NewMarket, Status> {
    form::name("market_id", &request.market_id)?;
    form::optional_name("name", &request.name)?;
    model(request.model)?;
    let ladder = ladder(request.ladder)?;
    let kind = kind(request.market_kind)?;
    check_outcomes(&request.outcomes)?;
    let mut market = NewMarket::new(request.market_id, request.outcomes);
    market.name = request.name;
    market.ladder = ladder;
    market.kind = kind;
    if request.min_quantity > 0 {
        market.min_quantity = form::quantity("min_quantity", request.min_quantity)?;
    }
    Ok(market)
}

fn model(value: i32) -> Result<MarketModel, Status> {
    match v1::MarketModel::try_from(value) {
        Ok(v1::MarketModel::ExchangeOdds) => Ok(MarketModel::ExchangeOdds),
        Ok(v1::MarketModel::BinaryYes) => {
            Err(not_supported("model", "BINARY_YES is not supported yet; EXCHANGE_ODDS (0) is"))
        }
        Err(_) => Err(form::unknown_value("model", value, "EXCHANGE_ODDS (0)")),
    }
}

fn ladder(value: i32) -> Result<Ladder, Status> {
    match v1::Ladder::try_from(value) {
        Ok(v1::Ladder::Classic) => Ok(Ladder::Classic),
        Ok(v1::Ladder::Finest) => Ok(Ladder::Finest),
        Err(_) => Err(form::unknown_value("ladder", value, "CLASSIC (0) or FINEST (1)")),
    }
}

fn kind(value: i32) -> Result<MarketKind, Status> {
    match v1::MarketKind::try_from(value) {
        Ok(v1::MarketKind::PreEventOnly) => Ok(MarketKind::PreEventOnly),
        Ok(v1::MarketKind::InPlayCapable) => Ok(MarketKind::InPlayCapable),
        Err(_) => Err(form::unknown_value("market_kind", value, "PRE_EVENT_ONLY (0) or IN_PLAY_CAPABLE (1)")),
    }
}

fn check_outcomes(outcomes: &[String]) -> Result<(), Status> {
    if !(RUNNERS_MIN..=RUNNERS_MAX).contains(&outcomes.len()) {
        let problem = format!("{} of them; {RUNNERS_MIN} to {RUNNERS_MAX} are valid", outcomes.len());
        return Err(invalid("outcomes", problem));
    }
    let mut seen = std::collections::BTreeSet::new();
    for outcome in outcomes {
        form::name("outcomes", outcome)?;
        if is_handicap_line(outcome) {
            let what =
                format!("{} names a handicap or total line; these are not supported yet", quoted(outcome));
            return Err(not_supported("outcomes", what));
        }
        if !seen.insert(outcome.as_str()) {
            return Err(invalid("outcomes", format!("{} is there twice", quoted(outcome))));
        }
    }
    Ok(())
}

/// Whether a name ends in a line: `_` and a number that has a sign or a decimal point, as in
/// `Home_-0.5`, `Away_+1` or `Over_2.25`. `Runner_7` is just a name.
fn is_handicap_line(outcome: &str) -> bool {
    let Some((_, line)) = outcome.rsplit_once('_') else { return false };
    let number = line.strip_prefix(['+', '-']);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.unwrap_or(line).split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => number.is_some_and(digits),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_names() {
        for line in ["Home_-0.25", "Away_+0.5", "Home_0.0", "Over_2.5", "A_B_-1", "_+1"] {
            assert!(is_handicap_line(line), "{line}");
        }
        for name in [
            "Home", "Draw", "Runner_7", "Home_", "Home_-", "Home_.5", "Home_1.", "-0.5", "A_b", "No_1.2.3",
            "_",
        ] {
            assert!(!is_handicap_line(name), "{name}");
        }
    }
}
