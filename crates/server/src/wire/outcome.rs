//! Names of outcomes: what a name that has no book stands for, and what new names may be.

use betex_core::command::{NewRunner, RUNNERS_MAX};
use betex_core::line::Line;
use betex_core::view::{MarketView, Selection};
use tonic::{Code, Status};

use super::fault::{fault, invalid, quoted};
use super::terms::Terms;

/// The lines that a market's outcomes are; `None` if they are none.
pub(crate) fn lines<'a>(market: &MarketView<'a>) -> Option<Vec<Line<'a>>> {
    if Terms::of(market.spec().ladder).max_ticks().is_some() {
        // In a binary market names are just names.
        return None;
    }
    let line = |runner: &'a NewRunner| Line::parse(&runner.name).ok().flatten();
    market.spec().runners.iter().map(line).collect()
}

/// Why an order cannot be for this name, and what it could be for.
pub(crate) fn unknown(market: &MarketView<'_>, name: &str) -> String {
    const NAMES_MAX: usize = 10;
    let (outcome, key) = (quoted(name), quoted(&market.spec().key));
    if market.outcome_named(name).is_some() {
        return format!("outcome_id: {outcome} was removed from market {key}");
    }
    let still = |runner: &&NewRunner| market.selection(&runner.name).is_some();
    let runners: Vec<_> = market.spec().runners.iter().filter(still).collect();
    let mut names: Vec<_> = runners.iter().take(NAMES_MAX).map(|runner| quoted(&runner.name)).collect();
    if runners.len() > NAMES_MAX {
        names.push(format!("{} more", runners.len() - NAMES_MAX));
    }
    let why = why_no_line(market, name).map(|why| format!(". {why}")).unwrap_or_default();
    format!("outcome_id: {outcome} is not an outcome of market {key}; it has {}{why}", names.join(", "))
}

/// Why a name is not of an outcome with a book.
pub(crate) fn not_listed(market: &MarketView<'_>, name: &str) -> Status {
    if let Some(Selection::Quarter { near, far }) = market.selection(name) {
        let called = |id| {
            market.spec().runners.iter().find(|runner| runner.id == id).map_or("", |runner| &runner.name)
        };
        let (near, far) = (quoted(called(near)), quoted(called(far)));
        let problem = format!(
            "{} is a quarter line and has no book of its own; orders for it are half on {near} and half on {far}, ask for these",
            quoted(name)
        );
        return invalid("outcome_id", problem);
    }
    let why = why_no_line(market, name).map(|why| format!(". {why}")).unwrap_or_default();
    let (key, name) = (quoted(&market.spec().key), quoted(name));
    fault(Code::NotFound, "OUTCOME_NOT_FOUND", format!("outcome_id: market {key} has no outcome {name}{why}"))
}

/// What is the matter with a name in a market of lines: how it is written, or which half is not there.
fn why_no_line(market: &MarketView<'_>, name: &str) -> Option<String> {
    lines(market)?;
    let line = match Line::parse(name) {
        Ok(line) => line.filter(|line| line.is_quarter())?,
        Err(error) => return Some(error.to_string()),
    };
    let (near, far) = line.halves();
    let missing = [near.to_string(), far.to_string()].into_iter().filter_map(|half| {
        let gone = if market.outcome_named(&half).is_some() { "was removed" } else { "is not an outcome" };
        market.selection(&half).is_none().then(|| format!("{} {gone}", quoted(&half)))
    });
    let missing: Vec<_> = missing.collect();
    let (name, near, far) = (quoted(name), quoted(&near.to_string()), quoted(&far.to_string()));
    let missing = missing.join(" and ");
    Some(format!("{name} is a quarter line, half on {near} and half on {far}, of which {missing}"))
}

/// Checks names that are to be added to a market.
pub(crate) fn check_added(market: &MarketView<'_>, names: &[String]) -> Result<(), Status> {
    let (key, before) = (quoted(&market.spec().key), market.spec().runners.len());
    let room = RUNNERS_MAX.saturating_sub(before);
    if names.len() > room {
        let problem = format!(
            "{} of them are too many: market {key} has {before}, removed ones included, and may have {RUNNERS_MAX}, so \
             that {room} more fit",
            names.len()
        );
        return Err(invalid("outcomes", problem));
    }
    if let Some(known) = names.iter().find(|name| market.outcome_named(name).is_some()) {
        return Err(invalid("outcomes", format!("market {key} has or had an outcome {}", quoted(known))));
    }
    let plain_odds = Terms::of(market.spec().ladder).max_ticks().is_none() && lines(market).is_none();
    let line = names.iter().find(|name| matches!(Line::parse(name), Ok(Some(_))));
    if let Some(line) = line.filter(|_| plain_odds) {
        let what = format!(
            "outcomes: {} is a line, and the outcomes of market {key} are not; lines have a market of their own",
            quoted(line)
        );
        return Err(fault(Code::InvalidArgument, "INVALID_LINE", what));
    }
    Ok(())
}
