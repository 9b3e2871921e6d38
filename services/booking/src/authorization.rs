//! Calls to the payment service. The correlation id is the idempotency key, so a call can be
//! repeated.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use bytes::Bytes;
use innkeeper_contracts::calls::{AUTHORIZATIONS, AuthorizeAnswer, AuthorizeRequest};
use innkeeper_contracts::pod::{CORRELATION_HEADER, TIMEOUT_HEADER, TRACEPARENT_HEADER};
use innkeeper_contracts::settings::{self, PaymentTime};
use innkeeper_kit::entity::Entity;
use innkeeper_runtime::client::{CallError, Client};
use innkeeper_runtime::context::Context;
use uuid::Uuid;

use crate::domain::State;

/// Why the payment service gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call failed.
    #[error("the payment service does not answer")]
    Call(#[from] CallError),
    /// It answered with an error status.
    #[error("the payment service answered with status {0}")]
    Status(u16),
    /// Its answer cannot be parsed.
    #[error("the answer of the payment service cannot be read")]
    Body(#[from] serde_json::Error),
}

/// Calls the payment service, for bookings that are paid on placement.
pub struct Authorizations {
    client: Client,
    url: String,
    /// Name of the payment service.
    pub service: String,
    /// How long a call may take.
    pub timeout: Duration,
}

impl Authorizations {
    /// The calls of a service; `None` unless its bookings are paid on placement.
    pub fn of(settings: &settings::Booking, context: &Context) -> Option<Self> {
        let payment = settings
            .payment
            .as_ref()
            .filter(|payment| payment.when == PaymentTime::OnPlacement)?;
        Some(Self {
            client: context.client.clone(),
            url: format!("{}{AUTHORIZATIONS}", payment.address),
            service: payment.service.clone(),
            timeout: Duration::from_millis(payment.timeout_ms),
        })
    }

    /// Asks for the authorization of a booking's payment.
    pub async fn authorize(
        &self,
        booking: &Entity<State>,
        traceparent: &str,
        timeout: Duration,
    ) -> Result<AuthorizeAnswer, Error> {
        let request = AuthorizeRequest {
            correlation_id: booking.correlation_id,
            clock: booking.clock,
            snapshot: booking.snapshot.clone(),
        };
        let body = Bytes::from(serde_json::to_vec(&request)?);
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(TRACEPARENT_HEADER, traceparent);
        self.call(request, booking.correlation_id, body, timeout)
            .await
    }

    /// Asks what became of the payment of a saga.
    pub async fn fetch_outcome(&self, saga: Uuid) -> Result<AuthorizeAnswer, Error> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}/{saga}", self.url));
        self.call(request, saga, Bytes::new(), self.timeout).await
    }

    async fn call(
        &self,
        request: axum::http::request::Builder,
        saga: Uuid,
        body: Bytes,
        timeout: Duration,
    ) -> Result<AuthorizeAnswer, Error> {
        let request = request
            .header(CORRELATION_HEADER, saga.to_string())
            .header(TIMEOUT_HEADER, timeout.as_millis().to_string())
            .body(axum::body::Body::from(body))
            .expect("addresses are checked when settings are made, and every header is ASCII");
        let answer = self.client.call(request, timeout).await?;
        if !answer.status().is_success() {
            return Err(Error::Status(answer.status().as_u16()));
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}
