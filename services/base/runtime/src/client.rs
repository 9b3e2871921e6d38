//! The HTTP client: pooled connections to other services, and a deadline for every call. It uses no
//! proxy.

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long an idle connection is kept: shorter than a service that shuts down [keeps
/// serving](crate::shutdown::LEAVE_FOR_IN_POD), and than any server keeps it, so that no request is
/// sent on a connection that is just being closed.
pub const IDLE_FOR: Duration = Duration::from_secs(4);

/// How many idle connections are kept per service.
const IDLE_CONNECTIONS: usize = 1024;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The largest answer that a [call](Client::call) reads, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came in time. The request may have had its effect.
    #[error("no answer came in time")]
    Timeout,
    /// No connection could be made. The request was not sent.
    #[error("cannot connect")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// The connection broke, or the answer was not HTTP. The request may have had its effect.
    #[error("the connection broke")]
    Reset(#[source] Box<dyn Error + Send + Sync>),
}

/// A pooled HTTP client. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpConnector, Body>);

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with an empty pool.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self(pool)
    }

    /// Sends a request. The timeout covers the head of the answer only; its body is still to be
    /// read.
    pub async fn send<B: Into<Body>>(
        &self,
        request: Request<B>,
        timeout: Duration,
    ) -> Result<Response<Incoming>, CallError> {
        tokio::time::timeout(timeout, self.send_without_deadline(request))
            .await
            .map_err(|_| CallError::Timeout)?
    }

    /// Sends a request and reads the whole answer, all within the timeout.
    pub async fn call<B: Into<Body>>(
        &self,
        request: Request<B>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, CallError> {
        let answered = async {
            let (parts, body) = self.send_without_deadline(request).await?.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(CallError::Reset)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(timeout, answered)
            .await
            .map_err(|_| CallError::Timeout)?
    }

    /// Sends a request without a deadline, for callers whose own deadline covers more than this.
    pub async fn send_without_deadline<B: Into<Body>>(
        &self,
        request: Request<B>,
    ) -> Result<Response<Incoming>, CallError> {
        let answered = self.0.request(request.map(Into::into)).await;
        answered.map_err(|error| {
            if error.is_connect() {
                CallError::Connect(error.into())
            } else {
                CallError::Reset(error.into())
            }
        })
    }
}
