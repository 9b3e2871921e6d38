//! The middleware around every handler: it adds the request context, turns errors into problems,
//! counts requests, and catches panics.

mod answer;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body_util::Limited;
use innkeeper_contracts::pod::REQUEST_ID_HEADER;

use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::request::RequestContext;

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Header with the id of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static(REQUEST_ID_HEADER);

/// The metric label of requests that matched no route.
pub const NO_ROUTE: &str = "none";

/// A response extension: the answer came from another service, on this route, and is passed on as
/// it is.
#[derive(Clone, Debug)]
pub struct PassedOn(pub Arc<str>);

/// A response extension: how many rows this release cannot read and has left out of a list.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut(pub u64);

/// Puts the edge around a service's routes: request ids and traces, the body limit, problems for
/// requests that no handler answered, `OPTIONS`, metrics, and one log line per request. Routes that
/// are added later are outside.
pub fn around(router: Router, metrics: Metrics) -> Router {
    router.layer(from_fn_with_state(metrics, answer_at_edge))
}

async fn answer_at_edge(
    State(metrics): State<Metrics>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let context = RequestContext::of(request.headers());
    let request_id = HeaderValue::from_str(&context.request_id);
    let method = request.method().clone();
    let uri = request.uri().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(context);

    let answered = AssertUnwindSafe(run_within_limit(request, next)).catch_unwind();
    let response = answered.await.unwrap_or_else(|_| panicked(uri.path()));
    let passed_on = response.extensions().get::<PassedOn>().cloned();
    let mut response = match passed_on {
        Some(_) => response,
        None => answer::complete(&method, uri.path(), response).await,
    };
    if let Ok(id) = request_id {
        response.headers_mut().entry(REQUEST_ID).or_insert(id);
    }

    let route = passed_on.as_ref().map(|route| &*route.0);
    let route = route
        .or(matched.as_ref().map(MatchedPath::as_str))
        .unwrap_or(NO_ROUTE);
    let (status, took) = (response.status(), began.elapsed());
    metrics.count_answer(&method, route, status, took);
    if let Some(LeftOut(rows)) = response.extensions().get() {
        metrics.count_left_out(*rows);
    }
    tracing::debug!(%method, path = uri.path(), status = status.as_u16(), ?took, id = ?response.headers().get(REQUEST_ID), "request");
    response
}

/// Runs the handler with a body that cannot exceed the limit.
async fn run_within_limit(request: Request, next: Next) -> Response {
    match request.body().size_hint().exact() {
        Some(bytes) if bytes > MAX_BODY_BYTES as u64 => too_large().into_response(),
        Some(_) => next.run(request).await,
        None => {
            let limited = request.map(|body| Body::new(Limited::new(body, MAX_BODY_BYTES)));
            next.run(limited).await
        }
    }
}

/// The problem of a body that exceeds the limit (413).
pub fn too_large() -> Problem {
    Problem::of(StatusCode::PAYLOAD_TOO_LARGE)
        .detail(format!("a body may have up to {MAX_BODY_BYTES} bytes"))
}

fn panicked(path: &str) -> Response {
    tracing::error!(path, "a handler panicked");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The service failed; its log says why",
    )
    .into_response()
}
