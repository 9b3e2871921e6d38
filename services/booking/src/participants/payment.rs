//! Payment, of bookings that are paid on placement: it authorizes the amount.

use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::PublicIds;
use innkeeper_contracts::calls::{
    AUTHORIZATIONS, AuthorizeAnswer, AuthorizeOutcome, AuthorizeRequest,
};
use innkeeper_contracts::settings::{self, PaymentTime};
use innkeeper_kit::entity::Entity;
use innkeeper_runtime::callee::{AnswerError, CallContext, Callee, InvalidAddress};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::request::RequestContext;

use super::Participant;
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
    ) -> Result<Answer, AnswerError> {
        let context = CallContext {
            traceparent: Some(request.traceparent.clone()),
            saga: Some(booking.correlation_id),
            principal: Some(request.principal.clone()),
            remaining: Some(request.remaining(self.callee.timeout)),
        };
        let question = AuthorizeRequest {
            correlation_id: booking.correlation_id,
            clock: booking.clock,
            snapshot: booking.snapshot.clone(),
        };
        let answer = self.callee.post_json(AUTHORIZATIONS, &question, context);
        let answer: AuthorizeAnswer = answer.await?;
        Ok(answer.into())
    }

    async fn fetch_outcome(&self, booking: &Entity<State>) -> Result<Answer, AnswerError> {
        let saga = booking.correlation_id;
        let context = CallContext {
            saga: Some(saga),
            ..CallContext::default()
        };
        let path = format!("{AUTHORIZATIONS}/{saga}");
        let answer = self.callee.get_json(&path, context);
        let answer: AuthorizeAnswer = answer.await?;
        Ok(answer.into())
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
