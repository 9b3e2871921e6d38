//! Authorizes payments by call. The correlation id is the idempotency key, so a call can be
//! repeated.

use innkeeper_contracts::calls::{AuthorizeAnswer, AuthorizeOutcome, AuthorizeRequest};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::Stored;
use innkeeper_kit::store::{StoreError, WriteError};
use uuid::Uuid;

use crate::Payments;
use crate::domain::provider::decision;
use crate::domain::{State, opened};

impl Payments {
    /// Authorizes the payment of a booking, or answers what became of it before.
    pub async fn authorize(
        &self,
        request: &AuthorizeRequest,
        cause: &Cause,
    ) -> Result<AuthorizeAnswer, StoreError> {
        loop {
            let stored = self.repository.load(request.correlation_id).await?;
            if !matches!(stored, Stored::Absent) {
                return Ok(answer(&stored));
            }
            let id = self.repository.store().reserve_id().await?;
            let decision = decision(self.settings.provider, &request.snapshot);
            let payment = opened(
                id,
                request.correlation_id,
                &request.snapshot,
                Some(decision),
                request.clock,
            );
            let write = self
                .repository
                .write(None, std::slice::from_ref(&payment), cause);
            match self.repository.store().write(write).await {
                Ok(()) => return Ok(answer(&Stored::Entity(payment))),
                Err(WriteError::Store(error)) => return Err(error),
                // The same call or the end of the saga was faster. Its row gives the answer.
                Err(WriteError::Conflict | WriteError::Duplicate | WriteError::KeyTaken) => {}
            }
        }
    }

    /// Loads what became of the payment of a saga.
    pub async fn load_outcome(&self, correlation_id: Uuid) -> Result<AuthorizeAnswer, StoreError> {
        Ok(answer(&self.repository.load(correlation_id).await?))
    }
}

fn answer(stored: &Stored<State>) -> AuthorizeAnswer {
    match stored {
        Stored::Absent => AuthorizeAnswer {
            clock: 0,
            outcome: AuthorizeOutcome::Unknown,
        },
        Stored::Ended => AuthorizeAnswer {
            clock: 0,
            outcome: AuthorizeOutcome::Ended,
        },
        Stored::Entity(payment) => AuthorizeAnswer {
            clock: payment.clock,
            outcome: outcome(payment),
        },
    }
}

fn outcome(payment: &Entity<State>) -> AuthorizeOutcome {
    let id = payment.id;
    match payment.state {
        State::Authorized | State::Captured => AuthorizeOutcome::Authorized { id },
        State::Declined => AuthorizeOutcome::Declined {
            id,
            reason: payment.reason.clone().unwrap_or_default(),
        },
        State::Voided | State::Refunded => AuthorizeOutcome::Ended,
        State::Requested => AuthorizeOutcome::Unknown,
    }
}
