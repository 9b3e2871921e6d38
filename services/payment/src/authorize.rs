//! Authorizes payments by call. The correlation id is the idempotency key, so a call can be
//! repeated.

use innkeeper_contracts::calls::{AuthorizeAnswer, AuthorizeOutcome, AuthorizeRequest};
use innkeeper_contracts::settings::Provider;
use innkeeper_kit::Failure;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::{Decision, Stored};
use innkeeper_kit::store::{Scope, StepInput};
use innkeeper_runtime::request::RequestContext;
use uuid::Uuid;

use crate::Payments;
use crate::domain::provider::approval;
use crate::domain::{State, opened};

impl Payments {
    /// Authorizes the payment of a booking, or answers what became of it before.
    pub async fn authorize(
        &self,
        call: AuthorizeRequest,
        request: &RequestContext,
    ) -> Result<AuthorizeAnswer, Failure> {
        let input = StepInput {
            principal: request.principal.clone(),
            may_insert: true,
            ..StepInput::about(Scope::Saga(call.correlation_id))
        };
        let provider = self.settings.provider;
        let authorized = self.repository.run(input, request.cause(), move |_, seen| {
            // Without an id there is a row: of the same call, or of the end of the saga.
            let decision = seen.new_id.map_or(Decision::Keep, |id| {
                Decision::Become(vec![authorized(id, &call, provider)])
            });
            Ok((decision, ()))
        });
        let (stored, ()) = authorized.await?.done();
        Ok(answer(&stored))
    }

    /// Tells what became of the payment of a saga. If there is none the saga ends here, so that an
    /// authorization that comes later is refused.
    pub async fn settle_outcome(&self, correlation_id: Uuid) -> Result<AuthorizeAnswer, Failure> {
        let input = StepInput::about(Scope::Saga(correlation_id));
        let settled = self.repository.run(input, Cause::default(), |stored, _| {
            let decision = match stored {
                Stored::Absent => Decision::End(0),
                Stored::Ended | Stored::Entity(_) => Decision::Keep,
            };
            Ok((decision, ()))
        });
        let (stored, ()) = settled.await?.done();
        Ok(answer(&stored))
    }
}

fn authorized(id: i64, call: &AuthorizeRequest, provider: Provider) -> Entity<State> {
    let approval = approval(provider, &call.snapshot);
    opened(
        id,
        call.correlation_id,
        &call.snapshot,
        Some(approval),
        call.clock,
    )
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
