//! The HTTP client: pooled connections to other services. It uses no proxy.

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::neighbours::Neighbours;

/// How long an idle connection is kept: shorter than a service that shuts down [keeps
/// serving](innkeeper_contracts::pod::LEAVE_FOR), and than any server keeps it, so that no request
/// is sent on a connection that is just being closed.
pub const IDLE_FOR: Duration = Duration::from_secs(4);

/// How many idle connections are kept per service.
const IDLE_CONNECTIONS: usize = 1024;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came in time. The request may have had its effect.
    #[error("no answer came in time")]
    Timeout,
    /// The caller's own deadline has passed first, which says nothing about the callee. The request
    /// may have had its effect.
    #[error("the deadline of the caller has passed")]
    Deadline,
    /// No connection could be made. The request was not sent.
    #[error("cannot connect")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// The connection broke, or the answer was not HTTP. The request may have had its effect.
    #[error("the connection broke")]
    Reset(#[source] Box<dyn Error + Send + Sync>),
}

/// A pooled HTTP client, and the services that it reaches without a connection. Clones share the
/// pool.
#[derive(Clone, Debug)]
pub struct Client {
    pool: legacy::Client<HttpConnector, Body>,
    /// The services in this process, which a [callee](crate::callee) calls directly.
    pub neighbours: Neighbours,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with an empty pool and no neighbours.
    pub fn new() -> Self {
        Self::among(Neighbours::default())
    }

    /// A client with an empty pool and these neighbours.
    pub fn among(neighbours: Neighbours) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self { pool, neighbours }
    }

    /// Sends a request over a connection, and returns the head of the answer. There is no deadline:
    /// a [callee](crate::callee) has one.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, CallError> {
        self.pool.request(request).await.map_err(|error| {
            if error.is_connect() {
                CallError::Connect(error.into())
            } else {
                CallError::Reset(error.into())
            }
        })
    }
}
