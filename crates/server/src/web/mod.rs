//! What the HTTP port serves: a page that says what is where, health, metrics, the WebSocket.

pub(crate) mod allowed;
mod asked;
mod farewell;
mod headers;
mod health;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use self::allowed::Allowed;
use crate::exchange::Exchange;
use crate::metrics;

/// What the pages are made from.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) allowed: Arc<Allowed>,
}

/// All there is.
pub(crate) fn router(web: Web) -> Router {
    Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .route("/health", get(health::health))
        .route("/metrics", get(metrics_page))
        .route("/ws", get(socket::connect))
        .fallback(|| async { (axum::http::StatusCode::NOT_FOUND, "nothing is here; / says what is where\n") })
        .with_state(web)
        .layer(map_response(headers::add))
}

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

async fn metrics_page(State(web): State<Web>) -> impl IntoResponse {
    let handle = web.metrics.clone();
    // It looks at files. If it fails, the numbers are those of the last time.
    let _ = tokio::task::spawn_blocking(move || metrics::look(&web.exchange)).await;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, handle.render())
}
