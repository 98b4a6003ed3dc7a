//! GetOrderBook, and the books of a snapshot.

use betex_core::event::OutcomeIndex;
use betex_core::line::Line;
use betex_core::types::{Hold, Side};
use betex_core::view::{LevelView, MarketView};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    GetOrderBookRequest, GetOrderBookResponse, Level, MarketUpdate, RemovedOutcome, Snapshot,
};
use tonic::Status;

use crate::exchange::Exchange;
use crate::wire::fault::market_not_found;
use crate::wire::market::{phase_name, tell};
use crate::wire::terms::{Shown, Terms};
use crate::wire::{form, outcome};

/// Virtual levels of a side where nobody says how many, and the most: each takes looking at whole sets.
const VIRTUAL_LEVELS: usize = 10;
const VIRTUAL_LEVELS_MAX: usize = 100;

pub(super) fn get(
    exchange: &Exchange,
    request: &GetOrderBookRequest,
) -> Result<GetOrderBookResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let name = form::name("outcome_id", &request.outcome_id)?;
    let depth = usize::try_from(request.depth).unwrap_or(usize::MAX);
    let state = exchange.engine.read();
    let market = state.market_named(key).ok_or_else(|| market_not_found(key))?;
    let outcome = market.outcome_named(name).ok_or_else(|| outcome::not_listed(&market, name))?;
    let most = if depth == 0 { usize::MAX } else { depth };
    let overround = overrounds(&market)[outcome.index()];
    let mut shown = book(&market, outcome, most, overround, state.sequence());
    if request.include_synthetic {
        let depth = if depth == 0 { VIRTUAL_LEVELS } else { depth.min(VIRTUAL_LEVELS_MAX) };
        let terms = Terms::of(market.spec().ladder);
        let levels = |side| {
            market.virtual_levels(outcome, side, depth).iter().map(|view| level(view, terms)).collect()
        };
        (shown.virtual_bids, shown.virtual_asks) = (levels(Side::Yes), levels(Side::No));
    }
    Ok(shown)
}

fn book(
    market: &MarketView<'_>,
    outcome: OutcomeIndex,
    depth: usize,
    overround: f64,
    sequence: u64,
) -> GetOrderBookResponse {
    let terms = Terms::of(market.spec().ladder);
    let levels = |side| market.levels(outcome, side).take(depth).map(|view| level(&view, terms)).collect();
    let last_price = market.last_price(outcome).map_or(Shown::NONE, |price| terms.price(price));
    GetOrderBookResponse {
        market_id: market.spec().key.clone(),
        outcome_id: market.spec().runners[outcome.index()].name.clone(),
        bids: levels(Side::Yes),
        asks: levels(Side::No),
        overround,
        status: market.state().name().to_owned(),
        sequence,
        last_traded_price: last_price.ppm,
        traded_quantity: terms.count_of_sum(market.traded(outcome)),
        last_traded_odds: last_price.odds,
        last_traded_ticks: last_price.ticks,
        ..GetOrderBookResponse::default()
    }
}

fn level(view: &LevelView, terms: Terms) -> Level {
    let Shown { ppm, odds, ticks } = terms.price(view.price);
    Level {
        price: ppm,
        quantity: terms.count(view.quantity),
        order_count: i32::try_from(view.orders).unwrap_or(i32::MAX),
        odds,
        ticks,
    }
}

/// By outcome, the sum of what the best prices for a backer say of the probability of each outcome of the
/// market; of lines, of the two sides of the line: those of different lines have nothing to do with each other.
fn overrounds(market: &MarketView<'_>) -> Vec<f64> {
    let terms = Terms::of(market.spec().ladder);
    let best = |outcome| market.levels(outcome, Side::No).next();
    let probability = |outcome| best(outcome).map_or(0.0, |level| terms.probability(level.price));
    let probabilities: Vec<f64> = outcomes(market).map(probability).collect();
    let Some(lines) = outcome::lines(market) else {
        return vec![probabilities.iter().sum(); probabilities.len()];
    };
    let sides = |line: &Line<'_>| {
        let sides = lines.iter().zip(&probabilities);
        let sides = sides.filter(|(other, _)| *other == line || line.is_opposite(**other));
        sides.map(|(_, probability)| probability).sum()
    };
    lines.iter().map(sides).collect()
}

fn outcomes(market: &MarketView<'_>) -> impl Iterator<Item = OutcomeIndex> + use<> {
    (0..).take(market.spec().runners.len()).map(OutcomeIndex)
}

fn removed_outcomes(market: &MarketView<'_>) -> Vec<RemovedOutcome> {
    let removed = outcomes(market).filter_map(|outcome| {
        let reduction_factor = market.removed(outcome)?.into();
        Some(RemovedOutcome {
            outcome_id: market.spec().runners[outcome.index()].name.clone(),
            reduction_factor,
        })
    });
    removed.collect()
}

/// Levels in one message of a snapshot, give or take an outcome: some hundreds of kilobytes.
const LEVELS_PER_MESSAGE: usize = 16_384;

/// The whole market as it is, in as many updates as it takes.
pub(super) fn snapshot(market: &MarketView<'_>, sequence: u64, timestamp: u64) -> Vec<MarketUpdate> {
    let overrounds = overrounds(market);
    let (mut messages, mut books, mut levels) = (Vec::new(), Vec::new(), 0);
    for outcome in outcomes(market) {
        let book = book(market, outcome, usize::MAX, overrounds[outcome.index()], sequence);
        levels += book.bids.len() + book.asks.len();
        books.push(book);
        if levels >= LEVELS_PER_MESSAGE {
            messages.push(std::mem::take(&mut books));
            levels = 0;
        }
    }
    if !books.is_empty() {
        messages.push(books);
    }
    let count = messages.len();
    let update = |(index, books)| MarketUpdate {
        update: Some(Update::Snapshot(Snapshot {
            status: market.state().name().to_owned(),
            phase: phase_name(market.phase()).to_owned(),
            reason: market.reason().unwrap_or_default().to_owned(),
            timestamp,
            books,
            holds: market.holds().map(Hold::name).map(str::to_owned).collect(),
            removed_outcomes: removed_outcomes(market),
            ..tell(market.spec())
        })),
        sequence,
        market_sequence: market.sequence(),
        ends_transaction: index + 1 == count,
    };
    messages.into_iter().enumerate().map(update).collect()
}
