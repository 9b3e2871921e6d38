//! The innermost layer: the way to a service, which is its router if it runs in this process, and a
//! pooled connection otherwise.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use axum::http::{HeaderValue, Uri};
use axum::response::Response;

use crate::client::{CallError, Client};

/// The way to one service.
#[derive(Debug)]
pub struct Transport {
    client: Client,
    authority: Authority,
    host: HeaderValue,
    /// The address under which it may be found in this process. A name is none: it is looked up
    /// for a connection only.
    address: Option<SocketAddr>,
}

impl Transport {
    /// The way to the service at an authority; `None` if that cannot be a header.
    pub fn new(client: Client, authority: Authority) -> Option<Self> {
        Some(Self {
            client,
            host: HeaderValue::from_str(authority.as_str()).ok()?,
            address: authority.as_str().parse().ok(),
            authority,
        })
    }

    /// Sends a request. Whether the service runs in this process is asked for each call, so that
    /// one that has not started yet, has stopped or was left out is called as any other is, over a
    /// connection that waits, is refused, or leads to another process.
    pub async fn send(&self, mut request: Request) -> Result<Response, CallError> {
        let path = request.uri().path_and_query().cloned();
        let path = path.unwrap_or(PathAndQuery::from_static("/"));
        let host = || self.host.clone();
        request.headers_mut().entry(HOST).or_insert_with(host);
        let neighbours = &self.client.neighbours;
        if let Some(admitted) = self.address.and_then(|address| neighbours.admit(address)) {
            *request.uri_mut() = Uri::from(path);
            let answered = admitted.answer(request).await;
            return answered.map_err(|error| CallError::Reset(error.into()));
        }
        *request.uri_mut() = self.uri(path);
        let response = self.client.send(request).await?;
        Ok(response.map(Body::new))
    }

    fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).expect("scheme, authority and path are all there")
    }
}
