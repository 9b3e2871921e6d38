//! The chore that voids payments which nobody paid in time. Their bookings hear of it, and expire.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::store::{Due, Row, Scope, StepInput, StoreError};
use innkeeper_kit::{Failure, State as _};
use innkeeper_runtime::component::Chore;
use innkeeper_runtime::problem::causes;
use uuid::Uuid;

use crate::Payments;
use crate::domain::{State, overdue};

/// How many payments are ended concurrently.
const AT_ONCE: u32 = 64;

/// How long other processes leave a claimed payment alone.
const CLAIM_TIME: Duration = Duration::from_secs(10);

/// Voids what nobody pays within a time.
pub struct Overdue {
    /// The payments of the service.
    pub payments: Arc<Payments>,
    /// The time that a client has, from when its payment was requested.
    pub pay_within: Duration,
    /// Id of the process, which claims the payments.
    pub process: Uuid,
}

#[async_trait]
impl Chore for Overdue {
    fn name(&self) -> &'static str {
        "end of payments that nobody pays in time"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn round(&self) -> Result<(), StoreError> {
        loop {
            let due = Due {
                state: State::Requested.name().to_owned(),
                age: self.pay_within,
                owner: self.process,
                hold_for: CLAIM_TIME,
                limit: AT_ONCE,
            };
            let rows = self.payments.repository.store().claim_due(due).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let ended = join_all(rows.iter().map(|row| self.end(row))).await;
            ended.into_iter().collect::<Result<(), _>>()?;
        }
    }
}

impl Overdue {
    async fn end(&self, row: &Row) -> Result<(), StoreError> {
        let input = StepInput::about(Scope::Saga(row.correlation_id));
        let ended = self
            .payments
            .repository
            .run(input, Cause::default(), |stored, _| {
                Ok((overdue(stored), ()))
            });
        match ended.await {
            Ok(_) | Err(Failure::Rejected(_)) => Ok(()),
            Err(Failure::Store(error)) if error.is_outage() => Err(error),
            Err(Failure::Store(error)) => {
                // One row must not keep the others from their end.
                tracing::error!(story = %row.correlation_id, error = causes(&error), "a payment that nobody paid cannot be voided");
                Ok(())
            }
        }
    }
}
