//! The services of one process, which call each other without a connection.
//!
//! A call runs in the caller's task and passes the same router, with its edge, that serves the
//! connections. It is part of the callee's work all the same: its log lines carry the callee's
//! name, and the callee's shutdown waits for it and cuts it off like a connection. The bound on
//! connections does not hold for it; those of the callers do.

mod answer;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::Service as _;
use tracing::{Instrument as _, Span};

use crate::lifecycle::Lifecycle;
use crate::request::Peer;
use answer::Answer;

pub use answer::CutOff;

/// The services that run in this process, by the addresses of their listeners. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Neighbours(Arc<RwLock<HashMap<SocketAddr, Weak<Neighbour>>>>);

/// A service that can be called in this process, until its lifecycle stops.
#[derive(Debug)]
pub struct Neighbour {
    router: Router,
    lifecycle: Lifecycle,
    drain_within: Duration,
    span: Span,
}

impl Neighbour {
    /// A service with a router that has its edge, and how long its running requests may take once
    /// it stops. Its log lines belong to the current span.
    pub fn new(router: Router, lifecycle: Lifecycle, drain_within: Duration) -> Self {
        Self {
            router,
            lifecycle,
            drain_within,
            span: Span::current(),
        }
    }
}

impl Neighbours {
    /// Lets the others call the service that listens on an address, for as long as the returned
    /// value lives. The services themselves do not keep each other alive.
    #[must_use = "the service is called in process only while this is kept"]
    pub fn join(&self, address: SocketAddr, neighbour: Neighbour) -> Arc<Neighbour> {
        let neighbour = Arc::new(neighbour);
        let mut members = self.0.write().expect("no holder of this lock panics");
        members.insert(same(address), Arc::downgrade(&neighbour));
        neighbour
    }

    /// Admits one call to the service at an address; `None` if no such service runs here, or if it
    /// takes no more work.
    pub fn admit(&self, address: SocketAddr) -> Option<Admitted> {
        let members = self.0.read().expect("no holder of this lock panics");
        let neighbour = members.get(&same(address))?.upgrade()?;
        drop(members);
        let pass = neighbour.lifecycle.admit()?;
        Some(Admitted { neighbour, pass })
    }
}

/// One address for both loopback addresses: a service of this machine has its port on both.
fn same(address: SocketAddr) -> SocketAddr {
    if address.ip().is_loopback() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    }
}

/// A call that a neighbour has admitted, and that its shutdown waits for.
#[derive(Debug)]
pub struct Admitted {
    neighbour: Arc<Neighbour>,
    pass: TaskTrackerToken,
}

impl Admitted {
    /// Has the request answered. If the neighbour stops, the answer may still take as long as one
    /// over a connection may.
    pub async fn answer(self, request: Request) -> Result<Response, CutOff> {
        let Self { neighbour, pass } = self;
        let mut cut_off = Box::pin(cut_off(neighbour.lifecycle.clone(), neighbour.drain_within));
        let is_head = request.method() == Method::HEAD;
        let answered = neighbour.router.clone().call(as_received(request));
        let answered = answered.instrument(neighbour.span.clone());
        let Ok(response) = tokio::select! {
            biased;
            response = answered => response,
            () = &mut cut_off => return Err(CutOff),
        };
        let response = as_sent(response, is_head);
        Ok(response.map(|body| Answer::body(body, cut_off, pass)))
    }
}

/// Ends when a connection of the service would be cut off.
async fn cut_off(lifecycle: Lifecycle, drain_within: Duration) {
    lifecycle.stopped().await;
    tokio::time::sleep(drain_within).await;
}

/// The request as it would have come over a connection. What this process knows of it besides, such
/// as the caller's own context or parameters of its path, stays behind.
fn as_received(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    parts.extensions.clear();
    parts.extensions.insert(Peer::local());
    if let Some(length @ 1..) = body.size_hint().exact() {
        parts
            .headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    Request::from_parts(parts, body)
}

/// The answer as it would have been sent over a connection: with its length, and without a body
/// after HEAD and where its status has none.
fn as_sent(mut response: Response, is_head: bool) -> Response {
    response.extensions_mut().clear();
    let length = response.body().size_hint().exact();
    if let StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED = response.status() {
        response.headers_mut().remove(CONTENT_LENGTH);
        return response.map(|_| Body::empty());
    }
    if let Some(length) = length.filter(|length| *length > 0 || !is_head) {
        let header = response.headers_mut().entry(CONTENT_LENGTH);
        header.or_insert_with(|| length.into());
    }
    if is_head {
        return response.map(|_| Body::empty());
    }
    response
}
