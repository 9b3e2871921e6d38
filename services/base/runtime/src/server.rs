//! The HTTP server: accepts connections while the service takes work, and finishes running requests
//! when it stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::lifecycle::Lifecycle;
use crate::request::Peer;

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(20),
        }
    }
}

/// Serves a router until the service stops, and returns once no more connections are accepted. Open
/// connections are tasks of the lifecycle: they finish their current request, and are cut off if
/// that takes too long.
pub async fn serve(listener: TcpListener, router: Router, lifecycle: Lifecycle, limits: Limits) {
    let stopping = lifecycle.stopping();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let serve_one = async || {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let permit = permit.expect("nobody closes this semaphore");
        match listener.accept().await {
            Ok((stream, address)) => {
                let connection = Connection {
                    stream,
                    address,
                    permit,
                };
                let serving = connection.serve(router.clone(), lifecycle.clone(), limits);
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
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, router: Router, lifecycle: Lifecycle, limits: Limits) {
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let stopping = lifecycle.stopping();
        let peer = Peer::from(self.address.ip());
        let service = service_fn(move |request| {
            answer(router.clone(), request, peer.clone(), lifecycle.clone())
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_within)
            .serve_connection(TokioIo::new(self.stream), service);
        tokio::pin!(connection);

        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(limits.drain_within, connection).await {
                    Ok(served) => served,
                    Err(_) => return tracing::warn!("a connection was cut off: it did not finish in time"),
                }
            }
        };
        if let Err(error) = served {
            tracing::debug!(
                error = crate::problem::causes(&error),
                "a connection ended early"
            );
        }
        drop(self.permit);
    }
}

async fn answer(
    mut router: Router,
    mut request: Request<Incoming>,
    peer: Peer,
    lifecycle: Lifecycle,
) -> Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(peer);
    let mut response = router.call(request).await?;
    // A client that kept this connection would send its next request to a service that is shutting
    // down.
    if lifecycle.is_leaving() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
