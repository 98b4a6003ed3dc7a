//! How the exchange is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use betex::engine::core::Health;
use metrics::gauge;
use serde::Serialize;

use super::Web;
use crate::exchange::Exchange;

#[derive(Serialize)]
pub(super) struct Report {
    /// SERVING, DEGRADED or STOPPING
    status: &'static str,
    /// What is wrong, if anything is.
    message: String,
    /// Of the last event.
    sequence: u64,
    markets: usize,
    resting_orders: usize,
    streams: usize,
}

pub(super) async fn health(State(web): State<Web>) -> (StatusCode, Json<Report>) {
    let (status, message) = match web.exchange.engine.health() {
        Health::Serving => ("SERVING", String::new()),
        Health::Degraded(what) => ("DEGRADED", what),
        Health::Stopping => ("STOPPING", "the server is stopping".to_owned()),
    };
    let code = if status == "SERVING" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (sequence, markets, resting_orders) = {
        let state = web.exchange.engine.read();
        (state.sequence(), state.markets().count(), state.resting_orders())
    };
    let streams = web.exchange.streams();
    (code, Json(Report { status, message, sequence, markets, resting_orders, streams }))
}

/// What is looked up when somebody asks, rather than counted all the time.
pub(super) fn set_gauges(exchange: &Exchange) {
    let (sequence, markets, resting_orders) = {
        let state = exchange.engine.read();
        (state.sequence(), state.markets().count(), state.resting_orders())
    };
    // Gauges are floats; these stay exact far beyond what fits in memory.
    #[expect(clippy::cast_precision_loss)]
    let float = |count: u64| count as f64;
    gauge!("betex_server_sequence").set(float(sequence));
    gauge!("betex_server_markets").set(float(markets as u64));
    gauge!("betex_server_resting_orders").set(float(resting_orders as u64));
    gauge!("betex_server_streams").set(float(exchange.streams() as u64));
    let serving = matches!(exchange.engine.health(), Health::Serving);
    gauge!("betex_server_serving").set(float(u64::from(serving)));
}
