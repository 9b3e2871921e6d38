//! Passes a request on to its service, and the answer back. Nothing is retried.

mod timed;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use innkeeper_contracts::settings::Route;
use innkeeper_runtime::callee::{CallContext, Callee, IN_ONE_PIECE_BYTES, InvalidAddress};
use innkeeper_runtime::client::{CallError, Client};
use innkeeper_runtime::edge::PassedOn;
use innkeeper_runtime::json::{self, READ_BODY_WITHIN};
use innkeeper_runtime::problem::{Problem, RETRY_AFTER_SECONDS, causes};
use innkeeper_runtime::request::RequestContext;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::headers;
use timed::Timed;

/// A service behind the gateway.
#[derive(Clone, Debug)]
pub struct Target {
    callee: Callee,
    /// Its first path, which is the `route` label of metrics.
    pub route: Arc<str>,
}

impl Target {
    /// The target of a route; fails if its address is not `http://host:port`.
    pub fn of(route: &Route, client: &Client) -> Result<Self, InvalidAddress> {
        let timeout = Duration::from_millis(route.timeout_ms);
        let label = route.paths.first().unwrap_or(&route.service);
        Ok(Self {
            callee: Callee::new(client, &route.service, &route.address, timeout)?,
            route: label.as_str().into(),
        })
    }
}

/// Sends a request to its service. Returns the service's answer, or a problem if there is none.
pub async fn pass_on(
    target: &Target,
    large_bodies: &Arc<Semaphore>,
    context: RequestContext,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match read_body(body, large_bodies).await {
        Ok((body, _permit)) => exchange(&target.callee, context, (parts, body)).await,
        Err(problem) => problem.into_response(),
    };
    let mut response = answered;
    let route = PassedOn(Arc::clone(&target.route));
    response.extensions_mut().insert(route);
    response
}

/// Reads a body whole and in time, so that a client that sends it too slowly is told apart from a
/// service that answers too slowly. A large one takes a permit, which it has while that lives, and
/// is refused if there is none left.
async fn read_body(
    body: Body,
    large: &Arc<Semaphore>,
) -> Result<(Body, Option<OwnedSemaphorePermit>), Problem> {
    if let Some(..=IN_ONE_PIECE_BYTES) = body.size_hint().exact() {
        return Ok((json::read(body).await?.into(), None));
    }
    let reading = tokio::time::timeout(READ_BODY_WITHIN, read_large(body, large)).await;
    reading.unwrap_or_else(|_| Err(json::too_slow()))
}

async fn read_large(
    mut body: Body,
    large: &Arc<Semaphore>,
) -> Result<(Body, Option<OwnedSemaphorePermit>), Problem> {
    let (mut read, mut permit) = (BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| json::unreadable(&error))?;
        read.extend_from_slice(frame.data_ref().map_or(&[], Bytes::as_ref));
        if permit.is_none() && read.len() as u64 > IN_ONE_PIECE_BYTES {
            let acquired = Arc::clone(large).try_acquire_owned();
            permit = Some(acquired.map_err(|_| {
                Problem::of(StatusCode::SERVICE_UNAVAILABLE)
                    .detail("too many large bodies are sent at once")
                    .retry_after(RETRY_AFTER_SECONDS)
            })?);
        }
    }
    Ok((read.freeze().into(), permit))
}

async fn exchange(
    callee: &Callee,
    context: RequestContext,
    (mut parts, body): (Parts, Body),
) -> Response {
    headers::prepare(&mut parts, &context.request_id);
    let call = CallContext {
        principal: None,
        // What a client says of a deadline is not believed.
        remaining: None,
        traceparent: Some(context.traceparent),
        saga: None,
    };
    match callee.send(Request::from_parts(parts, body), call).await {
        Ok(response) => receive(response, callee.timeout),
        Err(error) => unanswered(callee, &error).into_response(),
    }
}

/// Makes the answer that is passed on. A body that did not come with its head is streamed.
fn receive(response: Response, timeout: Duration) -> Response {
    let (mut parts, body) = response.into_parts();
    headers::remove_hop_by_hop(&mut parts.headers);
    let body = match body.size_hint().exact() {
        Some(0..=IN_ONE_PIECE_BYTES) => body,
        _ => Body::new(Timed::new(body, timeout)),
    };
    Response::from_parts(parts, body)
}

/// The problem that names the service which did not answer.
fn unanswered(callee: &Callee, error: &CallError) -> Problem {
    let service = &callee.name;
    tracing::debug!(service, error = causes(error), "a service did not answer");
    let problem = match error {
        CallError::Timeout | CallError::Deadline => Problem::of(StatusCode::GATEWAY_TIMEOUT)
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
