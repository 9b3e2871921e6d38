//! Another service, as the services that call it see it: one handle for its name, its total
//! timeout, the headers of a call and the way there.
//!
//! The layers, from outside in: headers (trace, saga, deadline), total timeout, transport. A retry
//! budget, a circuit breaker and a bulkhead will sit between the timeout and the transport.
//!
//! A caller that gives up drops the call, and with it all that is below: over the wire that closes
//! the connection, whereupon the other side drops its handler; in process the handler is dropped at
//! once. Either way it may have had its effect, and a POST on a resource
//! is finished all the same.

mod answer;
mod call;
mod headers;
mod json;
mod timeout;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::Scheme;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use innkeeper_contracts::secret::masked;
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use crate::client::{CallError, Client};
use call::{Call, Extent, TooLate};
use timeout::TotalTimeout;
use transport::Transport;

pub use answer::IN_ONE_PIECE_BYTES;
pub use call::CallContext;
pub use json::AnswerError;

/// The address of a service is not an HTTP address.
#[derive(Debug, thiserror::Error)]
#[error(
    "the address {} of {service} is not of the form http://host:port",
    masked(address)
)]
pub struct InvalidAddress {
    /// Name of the service.
    pub service: String,
    pub address: String,
}

/// A service that can be called.
#[derive(Clone, Debug)]
pub struct Callee {
    /// Name of the service.
    pub name: String,
    /// How long a call may take at most.
    pub timeout: Duration,
    service: BoxCloneSyncService<Call, Response, CallError>,
}

impl Callee {
    /// The service at an address of the form `http://host:port`; fails if it is none. If the
    /// service is a [neighbour](crate::neighbours) of the client, calls stay in the process.
    pub fn new(
        client: &Client,
        name: &str,
        address: &str,
        timeout: Duration,
    ) -> Result<Self, InvalidAddress> {
        let transport = transport_to(client, address).ok_or_else(|| InvalidAddress {
            service: name.to_owned(),
            address: address.to_owned(),
        })?;
        let transport = service_fn(move |call: Call| {
            let transport = Arc::clone(&transport);
            async move { answer::read(transport.send(call.request).await?, call.extent).await }
        });
        let service = TotalTimeout(transport).map_request(headers::add);
        Ok(Self {
            name: name.to_owned(),
            timeout,
            service: BoxCloneSyncService::new(service),
        })
    }

    /// Sends a request, whose URI is only a path, and reads the whole answer, all within the
    /// timeout.
    pub async fn call(
        &self,
        request: Request,
        context: CallContext,
    ) -> Result<Response<Bytes>, CallError> {
        let answer = self.exchange(request, context, Extent::Whole).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await;
        let body = body.map_err(|error| CallError::Reset(error.into_inner()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    /// Sends a request, whose URI is only a path, and returns the answer as soon as its head is
    /// there, with its body if that is [small](IN_ONE_PIECE_BYTES). The timeout covers no more.
    pub async fn send(
        &self,
        request: Request,
        context: CallContext,
    ) -> Result<Response, CallError> {
        self.exchange(request, context, Extent::Small).await
    }

    async fn exchange(
        &self,
        request: Request,
        context: CallContext,
        extent: Extent,
    ) -> Result<Response, CallError> {
        let (within, too_late) = match context.remaining {
            Some(remaining) if remaining < self.timeout => (remaining, TooLate::Deadline),
            _ => (self.timeout, TooLate::Timeout),
        };
        let call = Call {
            request,
            context,
            within,
            too_late,
            extent,
        };
        self.service.clone().oneshot(call).await
    }
}

fn transport_to(client: &Client, address: &str) -> Option<Arc<Transport>> {
    let address: Uri = address.parse().ok()?;
    let authority = address
        .authority()
        .filter(|_| address.scheme() == Some(&Scheme::HTTP))?;
    Transport::new(client.clone(), authority.clone()).map(Arc::new)
}
