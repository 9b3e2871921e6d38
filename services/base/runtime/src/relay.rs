//! The relay: publishes events from the outbox to the log, in order per saga, at least once.
//!
//! One process relays at a time, under a lease. A process that loses its lease while it sends does
//! no harm: both senders begin with the oldest unpublished event, so each event first appears in
//! order, and consumers drop repetitions.
//!
//! An event that the log does not take now delays only the later ones of its saga. One that the log
//! refuses for good is parked, and so are the later ones of its saga, until somebody replays or
//! discards it: consumers never see a saga's events in another order or with a gap that nobody
//! decided on. Axon Framework's dead-letter queue has the same rule
//! (<https://docs.axoniq.io/axon-framework-reference/5.1/dead-letter-queue/>).

mod sagas;
mod sending;

use std::sync::Arc;
use std::time::{Duration, Instant};

use innkeeper_kit::log::{AppendError, Log, LogError};
use innkeeper_kit::store::{OutboxEvent, Refusal, Store, StoreError};
use innkeeper_kit::{CrashPlan, CrashPoint};
use prometheus::{IntCounter, IntGauge};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::Context;
use crate::metrics::{Metrics, names};
use crate::problem::causes;
use sagas::Sagas;
use sending::{Sending, Sent};

/// How many events are sent at once at most.
const BATCH: u32 = 512;
/// How long the outcomes of a batch are waited for before the next one is sent.
const BATCH_WITHIN: Duration = Duration::from_millis(100);
/// How long outcomes are waited for at the end. The host waits a little longer for the relay.
const LAST_WITHIN: Duration = Duration::from_secs(8);
/// How long the lease is valid, and so the longest time until another process takes over.
const LEASE: Duration = Duration::from_secs(5);
/// The first pause after events were sent. The holder of the lease must look again by itself,
/// because another process may have written events, and because sagas wait.
const FIRST_POLL: Duration = Duration::from_millis(50);
/// The longest pause; it doubles up to this while there are no events.
const LAST_POLL: Duration = Duration::from_millis(500);
/// The pause of a process that does not hold the lease.
const STAND_BY: Duration = Duration::from_secs(1);
/// The pause after an error, and the first one while the log takes nothing.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause while the log takes nothing.
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// For how long the log must have taken nothing until it counts as away.
const AWAY_AFTER: Duration = Duration::from_secs(5);
/// How often a warning about events that wait is repeated.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Relays the outbox of one service.
pub struct Relay {
    store: Arc<dyn Store>,
    log: Arc<dyn Log>,
    crash: CrashPlan,
    process: Uuid,
    lease_until: Option<Instant>,
    poll: Duration,
    sagas: Sagas,
    /// The pause while the log takes nothing; `None` while it takes events.
    away: Option<Duration>,
    delivered_at: Option<Instant>,
    warned_at: Option<Instant>,
    published: IntCounter,
    failures: IntCounter,
    refused: IntCounter,
    parked: IntGauge,
}

/// What became of some events.
#[derive(Clone, Copy, Default)]
struct Settled {
    delivered: usize,
    failed: usize,
    /// How many of these failed for the first time.
    failed_first: usize,
}

impl Relay {
    /// The relay of a service.
    pub fn new(context: &Context, log: Arc<dyn Log>, metrics: &Metrics) -> Self {
        let counter = |metric| metrics.counters(metric).with_label_values::<&str>(&[]);
        Self {
            store: Arc::clone(&context.store),
            log,
            crash: context.crash.clone(),
            process: context.process,
            lease_until: None,
            poll: FIRST_POLL,
            sagas: Sagas::default(),
            away: None,
            delivered_at: None,
            warned_at: None,
            published: counter(&names::EVENTS_PUBLISHED),
            failures: counter(&names::RELAY_FAILURES),
            refused: counter(&names::EVENTS_REFUSED),
            parked: metrics
                .gauges(&names::EVENTS_PARKED)
                .with_label_values::<&str>(&[]),
        }
    }

    /// Relays until `ending` is cancelled; then sends what is left in the outbox and gives the
    /// lease back.
    pub async fn run(mut self, ending: CancellationToken) {
        let log = Arc::clone(&self.log);
        // What is sent first should know its partition. If the log is away, that is told later.
        let _ = ending.run_until_cancelled(log.ping()).await;
        let mut sending = Sending::new(&*log);
        while !ending.is_cancelled() {
            let flushed = self.flush(&mut sending).await;
            // Only the pause is cut short: an event that was sent but not deleted would be sent
            // again.
            let pause = self.pause_after(flushed, &mut sending);
            ending.run_until_cancelled(pause).await;
        }
        if let Err(error) = self.finish(&mut sending).await {
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

    async fn pause_after(&mut self, flushed: Result<(), StoreError>, sending: &mut Sending<'_>) {
        if let Err(error) = flushed {
            self.failures.inc();
            tracing::warn!(error = causes(&error), "the relay tries again");
            self.lease_until = None;
            tokio::time::sleep(PAUSE).await;
            return;
        }
        let holds_lease = self.lease_until.is_some();
        let pause = match self.away {
            _ if !holds_lease => STAND_BY,
            Some(pause) => pause,
            None => self.poll,
        };
        tokio::select! {
            () = sending.wait_for_outcome() => {}
            () = self.store.wait_for_outbox_change(), if holds_lease => {}
            () = tokio::time::sleep(pause) => self.poll = (self.poll * 2).min(LAST_POLL),
        }
    }

    /// Sends what can be sent, page by page, past the sagas that wait.
    async fn flush(&mut self, sending: &mut Sending<'_>) -> Result<(), StoreError> {
        self.settle(sending.take_outcomes()).await?;
        self.sagas.begin_pass();
        let mut after = None;
        let mut delivered = 0;
        while self.take_or_renew_lease().await? && self.sagas.has_room() {
            let page = self.store.load_unpublished(after, BATCH).await?;
            let is_full = page.len() == BATCH as usize;
            let last = page.last().map(|event| event.aggregate_id);
            let settled = self.publish(page, sending).await?;
            if settled.failed_first > 0 && settled.delivered == 0 {
                break; // the whole log may be away
            }
            delivered += settled.delivered;
            if is_full {
                after = last;
            } else if after.is_some() && delivered > 0 {
                // A page may have ended within a saga.
                (after, delivered) = (None, 0);
            } else {
                break;
            }
        }
        Ok(())
    }

    async fn publish(
        &mut self,
        page: Vec<OutboxEvent>,
        sending: &mut Sending<'_>,
    ) -> Result<Settled, StoreError> {
        let partition_of = |saga: Uuid| self.log.partition_of(&saga.to_string());
        let events = self.sagas.admit(page, Instant::now(), partition_of);
        if events.is_empty() {
            return Ok(Settled::default());
        }
        self.poll = FIRST_POLL;
        self.crash.passed(CrashPoint::OutboxSending);
        sending.begin(events);
        let outcomes = sending.outcomes_of_latest(BATCH_WITHIN).await;
        self.settle(outcomes).await
    }

    /// Sends what is left, and waits for its outcome.
    async fn finish(&mut self, sending: &mut Sending<'_>) -> Result<(), StoreError> {
        let until = Instant::now() + LAST_WITHIN;
        self.sagas.end_pauses(Instant::now());
        loop {
            self.flush(sending).await?;
            let left = until.saturating_duration_since(Instant::now());
            let outcomes = sending.all_outcomes(left).await;
            let settled = self.settle(outcomes).await?;
            // Later events of a saga had to wait for those that were in flight.
            if settled.delivered == 0 {
                return Ok(());
            }
        }
    }

    /// Deletes the events that the log has, parks those that it refuses, and lets the sagas of the
    /// rest wait.
    async fn settle(&mut self, outcomes: Vec<Sent>) -> Result<Settled, StoreError> {
        let now = Instant::now();
        let (mut delivered, mut refused) = (Vec::new(), Vec::new());
        let mut settled = Settled::default();
        let mut failure = None;
        for sent in outcomes {
            let is_retry = self.sagas.settle(sent.saga, &sent.result, now);
            match sent.result {
                Ok(()) => delivered.push(sent.event_id),
                Err(error @ AppendError::Refused(_)) => refused.push(Refusal {
                    event_id: sent.event_id,
                    reason: causes(&error),
                }),
                Err(AppendError::BehindAnother) => {}
                Err(AppendError::NotNow(error)) => {
                    settled.failed += 1;
                    settled.failed_first += usize::from(!is_retry);
                    failure = Some(error);
                }
            }
        }
        settled.delivered = delivered.len();
        self.note_whether_away(settled, now);
        if let Some(error) = failure {
            self.warn(&error, now);
        }
        self.delete(delivered).await?;
        self.park(refused).await?;
        Ok(settled)
    }

    async fn delete(&self, delivered: Vec<Uuid>) -> Result<(), StoreError> {
        if delivered.is_empty() {
            return Ok(());
        }
        let count = delivered.len() as u64;
        self.crash.passed(CrashPoint::LogAppended);
        self.store.delete_published(delivered).await?;
        self.published.inc_by(count);
        Ok(())
    }

    async fn park(&self, refused: Vec<Refusal>) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        self.store.park(refused.clone()).await?;
        for Refusal { event_id, reason } in refused {
            tracing::error!(
                %event_id,
                reason,
                "the log refuses an event: it is parked, and its saga waits"
            );
            self.refused.inc();
            self.parked.inc();
        }
        Ok(())
    }

    /// While the log takes nothing, the relay pauses longer and longer. Once it takes an event
    /// again, nothing waits any longer.
    fn note_whether_away(&mut self, settled: Settled, now: Instant) {
        let took_one_lately = |at: Instant| now < at + AWAY_AFTER;
        if settled.delivered > 0 {
            self.delivered_at = Some(now);
            if self.away.take().is_some() {
                self.sagas.end_pauses(now);
            }
        } else if settled.failed > 0 && !self.delivered_at.is_some_and(took_one_lately) {
            let longer = |pause: Duration| (pause * 2).min(LAST_PAUSE);
            self.away = Some(self.away.map_or(PAUSE, longer));
        }
    }

    fn warn(&mut self, error: &LogError, now: Instant) {
        self.failures.inc();
        if self
            .warned_at
            .is_some_and(|warned_at| now < warned_at + WARN_EVERY)
        {
            return;
        }
        self.warned_at = Some(now);
        let waiting = self.sagas.waiting();
        tracing::warn!(
            error = causes(error),
            waiting,
            "the log does not take events of some sagas; they are tried again"
        );
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
        // Whoever relays says how many are parked.
        let parked = if held {
            self.store.count_parked().await?
        } else {
            0
        };
        self.parked.set(parked.cast_signed());
        Ok(held)
    }
}
