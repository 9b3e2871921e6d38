//! What is known of a request besides its content: trace, id, deadline and peer.

pub mod trace;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use innkeeper_contracts::pod::{
    PRINCIPAL_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER, TRACEPARENT_HEADER,
};
use innkeeper_kit::Principal;
use innkeeper_kit::outbox::Cause;

/// The longest request id that is accepted from a client, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What is known of a request besides its content. It is an extension of every request, and an
/// extractor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestContext {
    /// The W3C trace context of this service's span, to be sent with calls and events.
    pub traceparent: Arc<str>,
    /// The id of the request, the same in all services that it passes.
    pub request_id: Arc<str>,
    /// When the caller gives up; `None` if it did not say.
    pub deadline: Option<Instant>,
    /// For whom the request is made.
    pub principal: Principal,
}

impl RequestContext {
    /// Reads the context from the headers, and generates the ids that are missing.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            traceparent: text(headers, TRACEPARENT_HEADER)
                .and_then(trace::continued)
                .unwrap_or_else(trace::begun)
                .into(),
            request_id: text(headers, REQUEST_ID_HEADER)
                .filter(|id| is_request_id(id))
                .map_or_else(|| trace::request_id().into(), Arc::from),
            deadline: text(headers, TIMEOUT_HEADER)
                .and_then(|millis| millis.parse::<u32>().ok())
                .map(|millis| Instant::now() + Duration::from_millis(millis.into())),
            principal: text(headers, PRINCIPAL_HEADER)
                .map_or_else(Principal::anyone, Principal::parse),
        }
    }

    /// The cause of what the request changes.
    pub fn cause(&self) -> Cause {
        Cause {
            event_id: None,
            traceparent: Some(Arc::clone(&self.traceparent)),
        }
    }

    /// How long the caller will still wait, but at most `otherwise`.
    pub fn remaining(&self, otherwise: Duration) -> Duration {
        match self.deadline {
            Some(deadline) => deadline
                .saturating_duration_since(Instant::now())
                .min(otherwise),
            None => otherwise,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

/// The other end of the connection. It is an extension of every request that came over a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    pub address: IpAddr,
    /// The address as a header value.
    pub text: HeaderValue,
}

impl Peer {
    /// This host, for requests of a service in the same process.
    pub const fn local() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            text: HeaderValue::from_static("127.0.0.1"),
        }
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let text = HeaderValue::try_from(address.to_string());
        Self {
            address,
            text: text.expect("an address is ASCII"),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_request_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
