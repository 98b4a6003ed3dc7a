//! How the exchange is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use betex::engine::ClockReport;
use betex::engine::core::Health;
use serde::Serialize;

use super::Web;

#[derive(Serialize)]
pub(super) struct Report {
    /// SERVING, DEGRADED or STOPPING
    status: &'static str,
    /// What is wrong, if anything is. A clock that is wrong is told here and does not end SERVING.
    message: String,
    /// Of the last event.
    sequence: u64,
    markets: usize,
    resting_orders: usize,
    streams: usize,
    /// If there has been anything about it since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<Clock>,
}

#[derive(Serialize)]
struct Clock {
    /// By how much the engine's time is ahead of the machine's clock.
    ahead_s: f64,
    /// How often the clock was set by a second or more since the start.
    steps: u64,
    /// The last time that it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_step: Option<String>,
    /// By how much the journal was ahead at the start.
    journal_ahead_s: f64,
}

impl Clock {
    fn of(report: &ClockReport) -> Option<Self> {
        let ClockReport { ahead_ns, is_apart, steps, last_step, journal_ahead_ns, .. } = *report;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let (ahead_s, journal_ahead_s) = (ahead_ns as f64 / 1e9, journal_ahead_ns as f64 / 1e9);
        let last_step = last_step.map(|step| step.to_string());
        let is_worth_it = is_apart || steps > 0 || journal_ahead_ns > 0;
        is_worth_it.then_some(Self { ahead_s, steps, last_step, journal_ahead_s })
    }
}

pub(super) async fn health(State(web): State<Web>) -> (StatusCode, Json<Report>) {
    let clock = web.exchange.engine.clock();
    let warning = clock.warning();
    let (status, message) = match web.exchange.engine.health() {
        Health::Serving => ("SERVING", warning.unwrap_or_default()),
        Health::Degraded(what) => {
            ("DEGRADED", [Some(what), warning].into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        Health::Stopping => ("STOPPING", "the server is stopping".to_owned()),
    };
    let code = if status == "SERVING" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (sequence, markets, resting_orders) = {
        let state = web.exchange.engine.read();
        (state.sequence(), state.markets().count(), state.resting_orders())
    };
    let streams = web.exchange.streams();
    let clock = Clock::of(&clock);
    (code, Json(Report { status, message, sequence, markets, resting_orders, streams, clock }))
}
