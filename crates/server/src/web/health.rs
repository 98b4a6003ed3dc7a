//! How the exchange is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use betex::engine::core::Health;
use serde::Serialize;

use super::Web;

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
