//! The HTTP server: accepts connections while the service takes work, refuses requests that nobody
//! may act on, and finishes running requests when it stops.

mod head;
mod listener;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;
use tower_http::cors::CorsLayer;

pub use listener::Listener;

use crate::cors;
use crate::edge::{NO_ROUTE, REQUEST_ID};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::request::{Peer, RequestContext};

/// The pause after the system refused a connection, for instance because too many files are open.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// The limits of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How many connections may be open at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take, and how long a connection may be idle. It is longer
    /// than the [client](crate::client) keeps idle connections.
    pub head_within: Duration,
    /// How long running requests may take once the service stops.
    pub drain_within: Duration,
    /// How old a connection may grow: the first answer after that closes it, so that its client
    /// connects anew and new processes get their share. Up to a tenth less is chosen at random.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(20),
            age: Duration::from_mins(1),
        }
    }
}

/// What is done with requests that never reach the router.
#[derive(Clone, Debug, Default)]
pub struct Unrouted {
    /// Counts their answers.
    pub metrics: Option<Metrics>,
    /// Lets scripts of other sites read why this server refuses one; what the HTTP library cannot
    /// read, it answers itself.
    pub cors: Option<CorsLayer>,
}

/// Serves a router until the service stops, and returns once no more connections are accepted. Open
/// connections are tasks of the lifecycle: they finish their current request, and are cut off if
/// that takes too long.
pub async fn serve(
    listener: Listener,
    router: Router,
    lifecycle: Lifecycle,
    limits: Limits,
    unrouted: Unrouted,
) {
    let stopping = lifecycle.stopping();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let serve_one = async || {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let permit = permit.expect("nobody closes this semaphore");
        match listener.accept().await {
            Ok((stream, address)) => {
                let connection = Connection { stream, permit };
                let answering = Answering {
                    router: router.clone(),
                    peer: Peer::from(address.ip()),
                    lifecycle: lifecycle.clone(),
                    closes_at: Instant::now() + limits.age.mul_f32(1.0 - fastrand::f32() / 10.0),
                    unrouted: unrouted.clone(),
                };
                let serving = connection.serve(answering, limits);
                lifecycle.spawn("http connection", serving);
            }
            Err(error) => pause_after(&error).await,
        }
    };
    while stopping.run_until_cancelled(serve_one()).await.is_some() {}
}

async fn pause_after(error: &io::Error) {
    // These only concern a connection that its client has given up.
    let harmless = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
    ];
    if !harmless.contains(&error.kind()) {
        tracing::warn!(%error, "a connection cannot be accepted");
        tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
    }
}

struct Connection {
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, answering: Answering, limits: Limits) {
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let service = service_fn(|request| answering.answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_within)
            .max_headers(head::MAX_LINES)
            .serve_connection(TokioIo::new(self.stream), service);
        tokio::pin!(connection);

        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = answering.lifecycle.stopped() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(limits.drain_within, connection).await {
                    Ok(served) => served,
                    Err(_) => return tracing::warn!("a connection was cut off: it did not finish in time"),
                }
            }
        };
        if let Err(error) = served {
            answering.count_refusal(&error);
            tracing::debug!(
                error = crate::problem::causes(&error),
                "a connection ended early"
            );
        }
        drop(self.permit);
    }
}

/// How the requests of one connection are answered.
struct Answering {
    router: Router,
    peer: Peer,
    lifecycle: Lifecycle,
    /// When the connection is old enough to be closed.
    closes_at: Instant,
    unrouted: Unrouted,
}

impl Answering {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let mut response = match head::check(&request) {
            Ok(()) => self.route(request).await?,
            Err(problem) => self.refuse(&request, problem).await,
        };
        if matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            response.headers_mut().remove(CONTENT_LENGTH); // RFC 9110, 8.6
        }
        // A client that kept this connection would send its next request to a service that is
        // shutting down, or leave new ones without work.
        if self.lifecycle.is_leaving() || Instant::now() >= self.closes_at {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    async fn route(&self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        head::normalize(request.uri_mut());
        request.extensions_mut().insert(self.peer.clone());
        self.router.clone().call(request).await
    }

    async fn refuse(&self, request: &Request<Incoming>, problem: Problem) -> Response<Body> {
        let context = RequestContext::of(request.headers());
        let mut response = problem.into_response();
        if let Some(cors) = &self.unrouted.cors {
            response = cors::tell(cors, request.headers(), response).await;
        }
        if let Ok(id) = HeaderValue::from_str(&context.request_id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if let Some(metrics) = &self.unrouted.metrics {
            metrics.count_answer(
                request.method(),
                NO_ROUTE,
                response.status(),
                Duration::ZERO,
            );
        }
        response
    }

    /// Counts the answer that the HTTP library has given to what it could not read, under the label
    /// of other methods: it tells none.
    fn count_refusal(&self, error: &hyper::Error) {
        if let (true, Some(metrics)) = (error.is_parse(), &self.unrouted.metrics) {
            let status = match error.to_string().as_str() {
                "URI too long" => StatusCode::URI_TOO_LONG,
                _ if error.is_parse_too_large() => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            metrics.count_answer(&Method::TRACE, NO_ROUTE, status, Duration::ZERO);
        }
    }
}
