//! The chore that settles pending bookings which nobody resumes.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::{Decision, stored};
use innkeeper_kit::store::{Due, Row, StoreError};
use innkeeper_kit::{CrashPoint, Failure, State as _, Stored};
use innkeeper_runtime::component::Chore;
use innkeeper_runtime::problem::causes;

use crate::Bookings;
use crate::domain::State;
use crate::domain::placement::recovered;
use crate::participants::Question;

/// How many bookings are settled concurrently. If a participant hangs, each of them waits for its
/// timeout.
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
            self.crash.passed(CrashPoint::Recovering);
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
        let key = self.repository.store().load_key_of(row.correlation_id);
        let has_key = key.await?.is_some();
        let asked = if has_key {
            let asked = self.participants.ask(&booking, Question::Outcome).await;
            asked
                .inspect_err(|error| {
                    tracing::warn!(story = %row.correlation_id, error = causes(error), "a pending booking expires unasked");
                })
                .ok()
        } else {
            None
        };
        let decision = Decision::Become(vec![recovered(&booking, has_key, asked)]);
        let recovered = self.decide_claimed(&booking, Cause::default(), has_key, decision);
        match recovered.await {
            Ok(_) | Err(Failure::Rejected(_)) => Ok(()),
            Err(Failure::Store(error)) => Err(error),
        }
    }
}
