//! The relay: publishes events from the outbox to the log, in order per saga, at least once.
//!
//! One process relays at a time, under a lease. A process that loses its lease while it sends does
//! no harm: both senders begin with the oldest unpublished event, so each event first appears in
//! order, and consumers drop repetitions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use innkeeper_kit::log::{Log, LogError, NewRecord};
use innkeeper_kit::store::{OutboxEvent, Store, StoreError};
use innkeeper_kit::{CrashPlan, CrashPoint};
use prometheus::IntCounter;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::Context;
use crate::metrics::{Metrics, names};
use crate::problem::causes;

/// How many events are sent at once at most.
const BATCH: u32 = 512;
/// How long the lease is valid, and so the longest time until another process takes over.
const LEASE: Duration = Duration::from_secs(5);
/// The first pause after events were sent. The holder of the lease must look again by itself,
/// because another process may have written events.
const FIRST_POLL: Duration = Duration::from_millis(50);
/// The longest pause; it doubles up to this while there are no events.
const LAST_POLL: Duration = Duration::from_millis(500);
/// The pause of a process that does not hold the lease.
const STAND_BY: Duration = Duration::from_secs(1);
/// The pause after an error.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the outbox cannot be read or marked")]
    Store(#[from] StoreError),
    #[error("the log does not take events")]
    Log(#[from] LogError),
}

/// Relays the outbox of one service.
pub struct Relay {
    store: Arc<dyn Store>,
    log: Arc<dyn Log>,
    crash: CrashPlan,
    process: Uuid,
    lease_until: Option<Instant>,
    poll: Duration,
    published: IntCounter,
    failures: IntCounter,
}

impl Relay {
    /// The relay of a service.
    pub fn new(context: &Context, log: Arc<dyn Log>, metrics: &Metrics) -> Self {
        Self {
            store: Arc::clone(&context.store),
            log,
            crash: context.crash.clone(),
            process: context.process,
            lease_until: None,
            poll: FIRST_POLL,
            published: metrics
                .counters(&names::EVENTS_PUBLISHED)
                .with_label_values::<&str>(&[]),
            failures: metrics
                .counters(&names::RELAY_FAILURES)
                .with_label_values::<&str>(&[]),
        }
    }

    /// Relays until `ending` is cancelled; then sends what is left in the outbox and gives the
    /// lease back.
    pub async fn run(mut self, ending: CancellationToken) {
        while !ending.is_cancelled() {
            let flushed = self.flush().await;
            // Only the pause is cut short: a batch that was sent but not marked would be sent
            // again.
            ending.run_until_cancelled(self.pause_after(flushed)).await;
        }
        if let Err(error) = self.flush().await {
            tracing::warn!(
                error = causes(&error),
                "events stay in the outbox until the next start"
            );
        }
        if let Err(error) = self.store.release_relay_lease(self.process).await {
            tracing::debug!(
                error = causes(&error),
                "the relay's lease runs out by itself"
            );
        }
    }

    async fn pause_after(&mut self, flushed: Result<(), Error>) {
        if let Err(error) = flushed {
            self.failures.inc();
            tracing::warn!(error = causes(&error), "the relay tries again");
            self.lease_until = None;
            tokio::time::sleep(PAUSE).await;
            return;
        }
        if self.lease_until.is_none() {
            tokio::time::sleep(STAND_BY).await;
            return;
        }
        tokio::select! {
            () = self.store.wait_for_outbox_change() => {}
            () = tokio::time::sleep(self.poll) => self.poll = (self.poll * 2).min(LAST_POLL),
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        while self.take_or_renew_lease().await? {
            let events = self.store.load_unpublished(BATCH).await?;
            if events.is_empty() {
                break;
            }
            self.publish(events).await?;
            self.poll = FIRST_POLL;
        }
        Ok(())
    }

    async fn publish(&self, events: Vec<OutboxEvent>) -> Result<(), Error> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        let count = ids.len() as u64;
        self.crash.passed(CrashPoint::OutboxSending);
        self.log
            .append(events.into_iter().map(record).collect())
            .await?;
        self.crash.passed(CrashPoint::LogAppended);
        self.store.mark_published(ids).await?;
        self.published.inc_by(count);
        Ok(())
    }

    /// Takes the lease, or renews it once half of its time is over; `false` if another process has
    /// it.
    async fn take_or_renew_lease(&mut self) -> Result<bool, StoreError> {
        let now = Instant::now();
        if self
            .lease_until
            .is_some_and(|until| now + LEASE / 2 < until)
        {
            return Ok(true);
        }
        let held = self.store.take_relay_lease(self.process, LEASE).await?;
        self.lease_until = held.then_some(now + LEASE);
        Ok(held)
    }
}

fn record(event: OutboxEvent) -> NewRecord {
    NewRecord {
        id: event.id,
        key: event.aggregate_id.to_string(),
        headers: event.headers,
        payload: event.payload.into_bytes(),
    }
}
