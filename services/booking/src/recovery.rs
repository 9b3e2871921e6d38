//! The chore that settles pending bookings which nobody resumes.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::stored;
use innkeeper_kit::store::{Due, Row, StoreError, WriteError};
use innkeeper_kit::{State as _, Stored};
use innkeeper_runtime::component::Chore;
use innkeeper_runtime::problem::causes;

use crate::Bookings;
use crate::domain::{State, recovered};

/// How many bookings are settled concurrently. If the payment service hangs, each of them waits for
/// its timeout.
const AT_ONCE: u32 = 16;

#[async_trait]
impl Chore for Bookings {
    fn name(&self) -> &'static str {
        "recovery of pending bookings"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn round(&self) -> Result<(), StoreError> {
        loop {
            let rows = self.claim_due_rows().await?;
            if rows.is_empty() {
                return Ok(());
            }
            let settled = join_all(rows.iter().map(|row| self.recover(row))).await;
            settled.into_iter().collect::<Result<(), _>>()?;
        }
    }
}

impl Bookings {
    /// Claims pending rows that are due. They are few, so that a process that crashes delays few
    /// bookings, and not for long.
    async fn claim_due_rows(&self) -> Result<Vec<Row>, StoreError> {
        let due = Due {
            state: State::Pending.name().to_owned(),
            age: Duration::from_secs(self.settings.pending_timeout_seconds.into()),
            owner: self.process,
            hold_for: self.claim_time(),
            limit: AT_ONCE,
        };
        self.repository.store().claim_due(due).await
    }

    async fn recover(&self, row: &Row) -> Result<(), StoreError> {
        let Stored::Entity(booking) = stored(Some(row))? else {
            return Ok(());
        };
        let has_key = self
            .repository
            .store()
            .load_key_of(row.correlation_id)
            .await?
            .is_some();
        let answer = match &self.authorizations {
            Some(payment) if has_key => payment.fetch_outcome(row.correlation_id).await,
            _ => {
                return self
                    .save_recovered(&booking, recovered(&booking, has_key, None))
                    .await;
            }
        };
        if let Err(error) = &answer {
            tracing::warn!(story = %row.correlation_id, error = causes(error), "a pending booking expires unasked");
        }
        self.save_recovered(&booking, recovered(&booking, has_key, answer.as_ref().ok()))
            .await
    }

    async fn save_recovered(
        &self,
        booking: &Entity<State>,
        settled: Entity<State>,
    ) -> Result<(), StoreError> {
        let write = self.repository.write(
            Some(booking),
            std::slice::from_ref(&settled),
            &Cause::default(),
        );
        match self.repository.store().write(write).await {
            Err(WriteError::Store(error)) => Err(error),
            // Another writer has settled it after all.
            Ok(()) | Err(WriteError::Conflict | WriteError::Duplicate | WriteError::KeyTaken) => {
                Ok(())
            }
        }
    }
}
