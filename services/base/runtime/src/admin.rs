//! The admin API of one service: probes, metrics, the settings in force, dead letters
//! and parked events.

pub mod dead_letters;
pub mod parked_events;
mod settings;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use innkeeper_contracts::{ServiceSettings, pod};

use crate::health::{Health, ProbeResult};
use crate::metrics::Metrics;
use crate::transport::Transports;

/// The admin API. A pod serves it on a port of its own; in one process it is nested under the
/// service's name.
pub fn router(
    health: Health,
    metrics: Metrics,
    settings: &ServiceSettings,
    transports: Transports,
) -> Router {
    let settings = settings::shown(settings);
    let (live, startup, readiness) = (health.clone(), health.clone(), health);
    Router::new()
        .route(pod::LIVEZ, get(async move || answer(live.live())))
        .route(pod::STARTUPZ, get(async move || answer(startup.startup())))
        .route(
            pod::READYZ,
            get(async move || answer(readiness.readiness())),
        )
        .route(pod::METRICS, get(async move || exposition(&metrics)))
        .route(
            pod::SETTINGS,
            get(async move || Json(settings::with_transports(settings, &transports))),
        )
}

fn answer(result: ProbeResult) -> Response {
    let status = if result.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(result)).into_response()
}

fn exposition(metrics: &Metrics) -> Response {
    let media_type = [(CONTENT_TYPE, prometheus::TEXT_FORMAT)];
    (media_type, metrics.render()).into_response()
}
