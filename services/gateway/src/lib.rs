//! The gateway of a platform: finds the service that a path belongs to, and passes request and
//! answer on. It never retries a request, never interprets a body, and never routes the internal
//! paths of services. Start reading at [`router`], then [`paths`] and [`forward`].

pub mod forward;
pub mod headers;
pub mod index;
pub mod paths;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use innkeeper_contracts::settings;
use innkeeper_runtime::callee::InvalidAddress;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::request::RequestContext;

use tokio::sync::Semaphore;

use forward::Target;
use index::Index;
use paths::PathTable;

/// The state of a gateway.
struct Gateway {
    paths: PathTable,
    targets: Vec<Target>,
    index: Index,
    /// How many large bodies may be in memory at once.
    large_bodies: Arc<Semaphore>,
}

/// Large bodies that are in memory at once; each has at most
/// [1 MiB](innkeeper_runtime::edge::MAX_BODY_BYTES).
const LARGE_BODIES: usize = 64;

/// Creates a gateway; fails if the address of a service is not valid.
pub fn component(
    settings: &settings::Gateway,
    client: &Client,
    metrics: &Metrics,
) -> Result<Component, InvalidAddress> {
    Ok(Component {
        router: router(settings, client, metrics)?,
        cors: settings.cors.clone(),
        ..Component::default()
    })
}

/// The routes of a gateway, which must be put inside the [edge](innkeeper_runtime::edge::around).
pub fn router(
    settings: &settings::Gateway,
    client: &Client,
    metrics: &Metrics,
) -> Result<Router, InvalidAddress> {
    let targets: Vec<Target> = settings
        .routes
        .iter()
        .map(|route| Target::of(route, client))
        .collect::<Result<_, _>>()?;
    for target in &targets {
        expect(metrics, target);
    }
    let gateway = Gateway {
        paths: PathTable::of(&settings.routes),
        targets,
        index: Index::of(&settings.routes),
        large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
    };
    Ok(Router::new().fallback(answer).with_state(Arc::new(gateway)))
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    context: RequestContext,
    request: Request,
) -> Response {
    if let Some(index) = gateway.paths.find(request.uri().path()) {
        let target = &gateway.targets[index];
        return forward::pass_on(target, &gateway.large_bodies, context, request).await;
    }
    if request.uri().path() == "/" {
        return gateway.index.answer(&request).into_response();
    }
    StatusCode::NOT_FOUND.into_response()
}

/// Creates the metric series of a service before its first request.
fn expect(metrics: &Metrics, target: &Target) {
    metrics.expect_route(&Method::GET, &target.route, &[StatusCode::OK]);
    metrics.expect_route(&Method::POST, &target.route, &[StatusCode::CREATED]);
    for failure in [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ] {
        metrics.expect_route(&Method::GET, &target.route, &[failure]);
        metrics.expect_route(&Method::POST, &target.route, &[failure]);
    }
}
