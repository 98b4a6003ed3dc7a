//! GetOrderBook, and the books of a snapshot.

use betex_core::event::OutcomeIndex;
use betex_core::types::{Hold, Side};
use betex_core::view::{LevelView, MarketView, Selection};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{
    GetOrderBookRequest, GetOrderBookResponse, Level, MarketUpdate, RemovedOutcome, Snapshot,
};
use tonic::{Code, Status};

use crate::exchange::Exchange;
use crate::wire::fault::{fault, invalid, market_not_found, quoted};
use crate::wire::form;
use crate::wire::market::phase_name;
use crate::wire::terms::{Shown, Terms};

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
    let outcome = market.outcome_named(name).ok_or_else(|| no_book(&market, name))?;
    let most = if depth == 0 { usize::MAX } else { depth };
    let mut shown = book(&market, outcome, most, overround(&market), state.sequence());
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

/// Why a name has no book.
fn no_book(market: &MarketView<'_>, name: &str) -> Status {
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
    let what = format!("outcome_id: market {} has no outcome {}", quoted(&market.spec().key), quoted(name));
    fault(Code::NotFound, "OUTCOME_NOT_FOUND", what)
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

/// The sum of what the best prices for a backer say of each outcome's probability.
fn overround(market: &MarketView<'_>) -> f64 {
    let terms = Terms::of(market.spec().ladder);
    let best = outcomes(market).filter_map(|outcome| market.levels(outcome, Side::No).next());
    best.map(|level| terms.probability(level.price)).sum()
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
    let overround = overround(market);
    let (mut messages, mut books, mut levels) = (Vec::new(), Vec::new(), 0);
    for outcome in outcomes(market) {
        let book = book(market, outcome, usize::MAX, overround, sequence);
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
            market_id: market.spec().key.clone(),
            status: market.state().name().to_owned(),
            phase: phase_name(market.phase()).to_owned(),
            reason: market.reason().unwrap_or_default().to_owned(),
            timestamp,
            books,
            holds: market.holds().map(Hold::name).map(str::to_owned).collect(),
            removed_outcomes: removed_outcomes(market),
        })),
        sequence,
        market_sequence: market.sequence(),
        ends_transaction: index + 1 == count,
    };
    messages.into_iter().enumerate().map(update).collect()
}
