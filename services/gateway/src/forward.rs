//! Passes a request on to its service, and the answer back. Nothing is retried.

mod timed;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::Route;
use innkeeper_runtime::client::{CallError, Client};
use innkeeper_runtime::edge::{self, PassedOn};
use innkeeper_runtime::json;
use innkeeper_runtime::problem::{Problem, RETRY_AFTER_SECONDS, causes};
use innkeeper_runtime::request::RequestContext;

use crate::headers;
use timed::Timed;

/// Bodies up to this length in bytes are read whole before they are passed on. Larger ones, and
/// those of unknown length, are streamed.
const IN_ONE_PIECE_BYTES: u64 = 64 * 1024;

/// The address of a service is not an HTTP address.
#[derive(Debug, thiserror::Error)]
#[error(
    "the address {} of {service} is not of the form http://host:port",
    masked(address)
)]
pub struct InvalidAddress {
    /// Name of the service.
    pub service: String,
    /// The invalid address.
    pub address: String,
}

/// A service behind the gateway.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name of the service.
    pub service: String,
    /// Its first path, which is the `route` label of metrics.
    pub route: Arc<str>,
    authority: Authority,
    host: HeaderValue,
    timeout: Duration,
}

impl Target {
    /// The target of a route; fails if its address is not `http://host:port`.
    pub fn of(route: &Route) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress {
            service: route.service.clone(),
            address: route.address.clone(),
        };
        let address: Uri = route.address.parse().map_err(|_| invalid())?;
        let authority = address
            .authority()
            .filter(|_| address.scheme() == Some(&Scheme::HTTP));
        let authority = authority.cloned().ok_or_else(invalid)?;
        let label = route.paths.first().unwrap_or(&route.service);
        Ok(Self {
            service: route.service.clone(),
            route: label.as_str().into(),
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| invalid())?,
            authority,
            timeout: Duration::from_millis(route.timeout_ms),
        })
    }

    fn uri(&self, asked: &Uri) -> Uri {
        let path = asked.path_and_query().cloned();
        let mut parts = axum::http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
        Uri::from_parts(parts).expect("scheme, authority and path are all there")
    }
}

/// Sends a request to its service. Returns the service's answer, or a problem if there is none.
pub async fn pass_on(
    client: &Client,
    target: &Target,
    context: RequestContext,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match read_small_body(body).await {
        Ok(body) => exchange(client, target, context, (parts, body)).await,
        Err(problem) => problem.into_response(),
    };
    let mut response = answered;
    let route = PassedOn(Arc::clone(&target.route));
    response.extensions_mut().insert(route);
    response
}

/// Reads a small body whole, so that it is sent together with the head. Other bodies are returned
/// as they are.
async fn read_small_body(body: Body) -> Result<Body, Problem> {
    match body.size_hint().exact() {
        Some(1..=IN_ONE_PIECE_BYTES) => json::read(body).await.map(Body::from),
        _ => Ok(body),
    }
}

async fn exchange(
    client: &Client,
    target: &Target,
    context: RequestContext,
    (mut parts, body): (Parts, Body),
) -> Response {
    let within = context.remaining(target.timeout);
    headers::prepare(&mut parts, context, target.host.clone(), within);
    parts.uri = target.uri(&parts.uri);
    let request = Request::from_parts(parts, body);
    let answered = async {
        let response = client.send_without_deadline(request).await?;
        receive(response, target.timeout).await
    };
    match tokio::time::timeout(within, answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => unanswered(target, &error).into_response(),
        Err(_) => unanswered(target, &CallError::Timeout).into_response(),
    }
}

/// Makes the answer that is passed on: a small body is read whole, other bodies are streamed.
async fn receive(
    response: axum::http::Response<Incoming>,
    timeout: Duration,
) -> Result<Response, CallError> {
    let (mut parts, body) = response.into_parts();
    headers::remove_hop_by_hop(&mut parts.headers);
    let body = match body.size_hint().exact() {
        Some(0) => Body::empty(),
        Some(1..=IN_ONE_PIECE_BYTES) => {
            let whole = body
                .collect()
                .await
                .map_err(|error| CallError::Reset(error.into()))?;
            Body::from(whole.to_bytes())
        }
        _ => Body::new(Timed::new(body, timeout)),
    };
    Ok(Response::from_parts(parts, body))
}

/// The problem that names the service which did not answer.
fn unanswered(target: &Target, error: &CallError) -> Problem {
    if json::is_limit(error) {
        return edge::too_large();
    }
    let service = &target.service;
    tracing::debug!(service, error = causes(error), "a service did not answer");
    let problem = match error {
        CallError::Timeout => Problem::of(StatusCode::GATEWAY_TIMEOUT)
            .detail(format!("{service} did not answer in time")),
        CallError::Connect(_) => Problem::of(StatusCode::SERVICE_UNAVAILABLE)
            .detail(format!("{service} cannot be reached"))
            .retry_after(RETRY_AFTER_SECONDS),
        CallError::Reset(_) => {
            Problem::of(StatusCode::BAD_GATEWAY).detail(format!("{service} broke off its answer"))
        }
    };
    problem.service(service.as_str())
}
