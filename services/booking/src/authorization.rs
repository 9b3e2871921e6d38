//! Calls to the payment service. The correlation id is the idempotency key, so a call can be
//! repeated.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use innkeeper_contracts::calls::{AUTHORIZATIONS, AuthorizeAnswer, AuthorizeRequest};
use innkeeper_contracts::settings::{self, PaymentTime};
use innkeeper_kit::entity::Entity;
use innkeeper_runtime::callee::{CallContext, Callee, InvalidAddress};
use innkeeper_runtime::client::CallError;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::request::RequestContext;
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
    callee: Callee,
    /// Name of the payment service.
    pub service: String,
    /// How long a call may take.
    pub timeout: Duration,
}

impl Authorizations {
    /// The calls of a service; `None` unless its bookings are paid on placement.
    pub fn of(
        settings: &settings::Booking,
        context: &Context,
    ) -> Result<Option<Self>, InvalidAddress> {
        let on_placement = settings
            .payment
            .as_ref()
            .filter(|payment| payment.when == PaymentTime::OnPlacement);
        let Some(payment) = on_placement else {
            return Ok(None);
        };
        let timeout = Duration::from_millis(payment.timeout_ms);
        Ok(Some(Self {
            callee: Callee::new(&context.client, &payment.service, &payment.address, timeout)?,
            service: payment.service.clone(),
            timeout,
        }))
    }

    /// Asks for the authorization of a booking's payment.
    pub async fn authorize(
        &self,
        booking: &Entity<State>,
        request: &RequestContext,
    ) -> Result<AuthorizeAnswer, Error> {
        let context = CallContext {
            traceparent: Some(request.traceparent.clone()),
            saga: Some(booking.correlation_id),
            principal: Some(request.principal.clone()),
            remaining: Some(request.remaining(self.timeout)),
        };
        let request = AuthorizeRequest {
            correlation_id: booking.correlation_id,
            clock: booking.clock,
            snapshot: booking.snapshot.clone(),
        };
        let body = Body::from(serde_json::to_vec(&request)?);
        let request = Request::post(AUTHORIZATIONS)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .expect("path and header are well formed");
        self.call(request, context).await
    }

    /// Asks what became of the payment of a saga.
    pub async fn fetch_outcome(&self, saga: Uuid) -> Result<AuthorizeAnswer, Error> {
        let request = Request::get(format!("{AUTHORIZATIONS}/{saga}"))
            .body(Body::empty())
            .expect("a path that ends with a UUID is well formed");
        let context = CallContext {
            saga: Some(saga),
            ..CallContext::default()
        };
        self.call(request, context).await
    }

    async fn call(&self, request: Request, context: CallContext) -> Result<AuthorizeAnswer, Error> {
        let answer = self.callee.call(request, context).await?;
        if !answer.status().is_success() {
            return Err(Error::Status(answer.status().as_u16()));
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}
