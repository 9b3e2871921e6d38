//! The admin API of one service: probes, metrics, and the settings in force.

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use innkeeper_contracts::pod;
use serde_json::Value;

use crate::health::{Health, Verdict};
use crate::metrics::Metrics;

/// What stands in place of a secret.
const REDACTED: &str = "(redacted)";

/// Parts of names whose values are secret.
const SECRET_NAMES: [&str; 6] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
];

/// The admin API, to be served on a port of its own, or nested under a service's name where several share one.
pub fn router(health: Health, metrics: Metrics, settings: Value) -> Router {
    let settings = redacted(settings);
    let (live, startup, readiness) = (health.clone(), health.clone(), health);
    Router::new()
        .route(pod::LIVEZ, get(async move || answer(live.live())))
        .route(pod::STARTUPZ, get(async move || answer(startup.startup())))
        .route(
            pod::READYZ,
            get(async move || answer(readiness.readiness())),
        )
        .route(pod::METRICS, get(async move || exposition(&metrics)))
        .route(pod::SETTINGS, get(async move || Json(settings)))
}

fn answer(verdict: Verdict) -> Response {
    let status = if verdict.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(verdict)).into_response()
}

fn exposition(metrics: &Metrics) -> Response {
    let media_type = [(CONTENT_TYPE, prometheus::TEXT_FORMAT)];
    (media_type, metrics.render()).into_response()
}

/// Settings without what is secret by its name.
fn redacted(settings: Value) -> Value {
    match settings {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = if is_secret(&name) {
                    Value::from(REDACTED)
                } else {
                    redacted(value)
                };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}
