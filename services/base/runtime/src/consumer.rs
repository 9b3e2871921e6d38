//! The consumer: takes records from the log, lets each have its effect once, and only then marks it
//! as done.
//!
//! Records of one saga are handled one after another, different sagas concurrently. A record whose
//! effect fails is tried for minutes, in which only its saga waits: the log is read on, and what is
//! marked as done are the records before the first one that is not. A record that cannot be handled
//! becomes a dead letter. If the database is unavailable, the consumer waits for it.

mod attempts;
mod in_flight;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use innkeeper_kit::log::{Delivery, Log, LogError, Subscription};
use innkeeper_kit::{CrashPlan, CrashPoint};
use prometheus::{IntCounterVec, IntGauge};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::dead_letters::DeadLetters;
use crate::health::Health;
use crate::metrics::{Metrics, names};
use crate::problem::causes;
use attempts::{Attempts, MAX_FAILING};
use in_flight::InFlight;

/// The pause before the first retry of the log; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between retries of the log.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a record whose effect fails is tried before it becomes a dead letter.
pub const TRY_FOR: Duration = Duration::from_mins(5);
/// How many sagas may have records in hand, besides those that fail, before no more are read.
const IN_HAND: usize = 1_000;
/// How many records may be in hand, with those that wait behind the ones that fail, before no more
/// are read and those that fail become dead letters.
const MOST_IN_HAND: usize = 2 * MAX_FAILING;

/// Consumes the log for one service.
pub struct Consumer {
    log: Arc<dyn Log>,
    attempts: Attempts,
    crash: CrashPlan,
    health: Health,
    overtaken: IntCounterVec,
    lag: IntGauge,
}

impl Consumer {
    /// The consumer of a service that reacts to events.
    pub fn new(
        context: &Context,
        log: Arc<dyn Log>,
        dead_letters: Arc<DeadLetters>,
        health: Health,
        metrics: &Metrics,
    ) -> Self {
        let overtaken = metrics.counters(&names::EVENTS_OVERTAKEN);
        overtaken.with_label_values::<&str>(&[]);
        Self {
            log,
            attempts: Attempts::new(dead_letters, metrics),
            crash: context.crash.clone(),
            health,
            overtaken,
            lag: metrics
                .gauges(&names::CONSUMER_LAG)
                .with_label_values::<&str>(&[]),
        }
    }

    /// Consumes until `ending` is cancelled; then finishes the records in hand and commits what is
    /// done. A record whose effect fails is tried for `try_for`.
    pub async fn run(mut self, try_for: Duration, ending: CancellationToken) {
        self.attempts.try_for = try_for;
        let mut pause = FIRST_PAUSE;
        while !ending.is_cancelled() {
            match self.consume_subscription(&ending).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(error = causes(&error), "the log is away; trying again");
                    self.health.starting(causes(&error));
                    let _ = ending.run_until_cancelled(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn consume_subscription(&self, ending: &CancellationToken) -> Result<(), LogError> {
        let Some(subscription) = ending.run_until_cancelled(self.log.subscribe()).await else {
            return Ok(());
        };
        let mut subscription = subscription?;
        let leaving = ending.child_token();
        let mut in_flight = InFlight::of(|record| self.attempts.handle(record, &leaving).boxed());
        while !ending.is_cancelled() {
            self.attempts
                .failing
                .set_crowded(in_flight.count() >= MOST_IN_HAND);
            tokio::select! {
                biased;
                () = in_flight.handled(), if !in_flight.is_empty() => {
                    self.crash.passed(CrashPoint::EffectCommitted);
                    self.mark_done(&mut *subscription, &mut in_flight).await?;
                }
                () = ending.cancelled() => {}
                () = self.attempts.failing.grew.notified() => {} // there may be room now
                delivery = subscription.next(), if self.has_room(&in_flight) => {
                    let delivery = delivery?;
                    if matches!(delivery, Delivery::Expired) {
                        leaving.cancel();
                        break;
                    }
                    self.take(delivery, &mut in_flight);
                    self.mark_done(&mut *subscription, &mut in_flight).await?;
                }
            }
        }
        while !in_flight.is_empty() {
            in_flight.handled().await;
            self.crash.passed(CrashPoint::EffectCommitted);
            self.mark_done(&mut *subscription, &mut in_flight).await?;
        }
        subscription.close().await
    }

    fn has_room(&self, in_flight: &InFlight<'_>) -> bool {
        in_flight.sagas() < IN_HAND + self.attempts.failing.count()
            && in_flight.count() < MOST_IN_HAND
    }

    fn take(&self, delivery: Delivery, in_flight: &mut InFlight<'_>) {
        match delivery {
            Delivery::Records(records) => {
                in_flight.add(records, |record| self.attempts.pass_over(record));
            }
            Delivery::Assigned { partitions } => {
                tracing::debug!(partitions, "partitions were assigned");
                self.health.started();
            }
            Delivery::Overtaken { partition, records } => {
                tracing::error!(
                    partition,
                    records,
                    "records were deleted before they were read"
                );
                self.overtaken
                    .with_label_values::<&str>(&[])
                    .inc_by(u64::try_from(records).unwrap_or_default());
            }
            Delivery::Expired => {}
        }
    }

    async fn mark_done(
        &self,
        subscription: &mut dyn Subscription,
        in_flight: &mut InFlight<'_>,
    ) -> Result<(), LogError> {
        let done = in_flight.take_done();
        if !done.is_empty() {
            subscription.mark_done(&done).await?;
        }
        self.show_lag(subscription).await;
        Ok(())
    }

    async fn show_lag(&self, subscription: &mut dyn Subscription) {
        if let Some(lag) = subscription.lag().await {
            self.lag.set(lag);
        }
    }
}
