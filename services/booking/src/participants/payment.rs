//! Payment, of bookings that are paid on placement: it authorizes the amount.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use innkeeper_contracts::PublicIds;
use innkeeper_contracts::calls::{
    AUTHORIZATIONS, AuthorizeAnswer, AuthorizeOutcome, AuthorizeRequest,
};
use innkeeper_contracts::settings::{self, PaymentTime};
use innkeeper_kit::entity::Entity;
use innkeeper_runtime::callee::{CallContext, Callee, InvalidAddress};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::request::RequestContext;

use super::{CallFailure, Participant};
use crate::domain::State;
use crate::domain::placement::{Answer, Part};

/// The payment service of a booking service.
pub struct Payment {
    callee: Callee,
}

impl Payment {
    /// The payment service that settings name; `None` unless bookings are paid on placement.
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
        let callee = Callee::new(&context.client, &payment.service, &payment.address, timeout)?;
        Ok(Some(Self { callee }))
    }

    async fn call(&self, request: Request, context: CallContext) -> Result<Answer, CallFailure> {
        let answer = self.callee.call(request, context).await?;
        if !answer.status().is_success() {
            return Err(CallFailure::Status(answer.status().as_u16()));
        }
        Ok(serde_json::from_slice::<AuthorizeAnswer>(answer.body())?.into())
    }
}

#[async_trait]
impl Participant for Payment {
    fn service(&self) -> &str {
        &self.callee.name
    }

    fn timeout(&self) -> Duration {
        self.callee.timeout
    }

    async fn prepare(
        &self,
        booking: &Entity<State>,
        request: &RequestContext,
    ) -> Result<Answer, CallFailure> {
        let context = CallContext {
            traceparent: Some(request.traceparent.clone()),
            saga: Some(booking.correlation_id),
            principal: Some(request.principal.clone()),
            remaining: Some(request.remaining(self.callee.timeout)),
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

    async fn fetch_outcome(&self, booking: &Entity<State>) -> Result<Answer, CallFailure> {
        let saga = booking.correlation_id;
        let request = Request::get(format!("{AUTHORIZATIONS}/{saga}"))
            .body(Body::empty())
            .expect("a path that ends with a UUID is well formed");
        let context = CallContext {
            saga: Some(saga),
            ..CallContext::default()
        };
        self.call(request, context).await
    }
}

impl From<AuthorizeAnswer> for Answer {
    fn from(answer: AuthorizeAnswer) -> Self {
        let part = match answer.outcome {
            AuthorizeOutcome::Authorized { id } => Part::Prepared(PublicIds {
                payment: Some(id),
                ..PublicIds::default()
            }),
            AuthorizeOutcome::Declined { reason, .. } => Part::Refused(reason),
            AuthorizeOutcome::Ended | AuthorizeOutcome::Unknown => Part::Unsettled,
        };
        Self {
            clock: answer.clock,
            part,
        }
    }
}
