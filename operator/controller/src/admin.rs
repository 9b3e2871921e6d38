//! The operator's own HTTP API: `/livez`, `/readyz` and `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::server::{self, Limits, Listener, Unrouted};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controllers::Watched;
use crate::metrics::Metrics;
use crate::readiness::Missing;

/// Content type of Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4";

/// The state that the admin API shows.
pub(crate) struct Admin {
    /// The metrics to show.
    pub metrics: Metrics,
    /// What the operator lacks; it is unready while this is not empty.
    pub missing: watch::Receiver<Missing>,
    /// The objects to count.
    pub watched: Arc<Watched>,
}

/// Serves the admin API until the operator stops.
pub(crate) async fn serve(listener: Listener, admin: Admin, stop: CancellationToken) {
    let (lifecycle, limits) = (Lifecycle::new(), Limits::default());
    let unrouted = Unrouted::default();
    let serving = server::serve(listener, router(admin), lifecycle.clone(), limits, unrouted);
    let stopping = async {
        stop.cancelled().await;
        lifecycle.stop();
    };
    tokio::join!(serving, stopping);
    if !lifecycle.drain(limits.drain_within).await {
        tracing::warn!("a request to the admin API was cut off");
    }
}

fn router(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(admin))
}

async fn readyz(Shared(admin): Shared<Arc<Admin>>) -> Response {
    let missing = admin.missing.borrow().clone();
    if missing.is_empty() {
        return "ok\n".into_response();
    }
    let text = format!("missing:\n- {}\n", missing.join("\n- "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn metrics(Shared(admin): Shared<Arc<Admin>>) -> Response {
    admin.watched.count_into(&admin.metrics);
    match admin.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use kube::runtime::reflector::store;

    use super::*;

    fn admin(missing: &[&str]) -> Arc<Admin> {
        let missing = missing.iter().map(|it| (*it).to_owned()).collect();
        Arc::new(Admin {
            metrics: Metrics::registered().unwrap(),
            missing: watch::channel(missing).1,
            watched: Arc::new(Watched {
                platforms: store().0,
                services: store().0,
                topics: store().0,
            }),
        })
    }

    #[tokio::test]
    async fn an_operator_that_lacks_something_is_unready_and_names_it() {
        let answer = readyz(Shared(admin(&["the permission to watch services"]))).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        assert_eq!(body, "missing:\n- the permission to watch services\n");
    }

    #[tokio::test]
    async fn an_operator_that_lacks_nothing_is_ready() {
        let answer = readyz(Shared(admin(&[]))).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn objects_are_counted_when_somebody_asks() {
        let answer = metrics(Shared(admin(&[]))).await;
        let body = to_bytes(answer.into_body(), 100_000).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let series = r#"innkeeper_operator_objects{kind="EventTopic",state="ready"} 0"#;
        assert!(text.contains(series));
    }
}
