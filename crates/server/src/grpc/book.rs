//! GetOrderBook, and the books of a snapshot.

use betex_core::event::OutcomeIndex;
use betex_core::types::Side;
use betex_core::view::{LevelView, MarketView};
use betex_proto::v1::market_update::Update;
use betex_proto::v1::{GetOrderBookRequest, GetOrderBookResponse, Level, MarketUpdate, Snapshot};
use tonic::{Code, Status};

use crate::exchange::Exchange;
use crate::wire::amount::{pennies, pennies_of_sum};
use crate::wire::fault::{fault, market_not_found, quoted};
use crate::wire::form;
use crate::wire::market::phase_name;
use crate::wire::price::{odds, ppm};

pub(super) fn get(
    exchange: &Exchange,
    request: &GetOrderBookRequest,
) -> Result<GetOrderBookResponse, Status> {
    let key = form::name("market_id", &request.market_id)?;
    let name = form::name("outcome_id", &request.outcome_id)?;
    let depth = match usize::try_from(request.depth) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(depth) => depth,
    };
    let state = exchange.engine.read();
    let market = state.market_named(key).ok_or_else(|| market_not_found(key))?;
    let outcome = market.outcome_named(name).ok_or_else(|| {
        let what = format!("outcome_id: market {} has no outcome {}", quoted(key), quoted(name));
        fault(Code::NotFound, "OUTCOME_NOT_FOUND", what)
    })?;
    Ok(book(&market, outcome, depth, overround(&market), state.sequence()))
}

fn book(
    market: &MarketView<'_>,
    outcome: OutcomeIndex,
    depth: usize,
    overround: f64,
    sequence: u64,
) -> GetOrderBookResponse {
    let levels = |side| market.levels(outcome, side).take(depth).map(|view| level(&view)).collect();
    let last_price = market.last_price(outcome);
    GetOrderBookResponse {
        market_id: market.spec().key.clone(),
        outcome_id: market.spec().runners[outcome.index()].name.clone(),
        bids: levels(Side::Yes),
        asks: levels(Side::No),
        overround,
        status: market.state().name().to_owned(),
        sequence,
        last_traded_price: last_price.map_or(0, ppm),
        traded_quantity: pennies_of_sum(market.traded(outcome)),
        last_traded_odds: last_price.map_or(0.0, odds),
    }
}

fn level(view: &LevelView) -> Level {
    Level {
        price: ppm(view.price),
        quantity: pennies(view.quantity),
        order_count: i32::try_from(view.orders).unwrap_or(i32::MAX),
        odds: odds(view.price),
    }
}

/// The sum of what the best prices for a backer say of each outcome's probability.
fn overround(market: &MarketView<'_>) -> f64 {
    let best = outcomes(market).filter_map(|outcome| market.levels(outcome, Side::No).next());
    best.map(|level| 1.0 / odds(level.price)).sum()
}

fn outcomes(market: &MarketView<'_>) -> impl Iterator<Item = OutcomeIndex> + use<> {
    (0..).take(market.spec().runners.len()).map(OutcomeIndex)
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
        })),
        sequence,
        market_sequence: market.sequence(),
        ends_transaction: index + 1 == count,
    };
    messages.into_iter().enumerate().map(update).collect()
}
