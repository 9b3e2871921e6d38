//! The consumer: takes records from the log, lets each have its effect once, and only then marks it
//! as done.
//!
//! Records of one saga are handled one after another, different sagas concurrently. A record that
//! cannot be read, or that fails repeatedly, becomes a dead letter. If the database is unavailable,
//! the consumer waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use innkeeper_contracts::Event;
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::settings::Log as LogSettings;
use innkeeper_kit::log::{Delivery, Log, LogError, Record, Subscription};
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{Changes, DeadLetter, Scope, Seen, Step, StepInput, Store, StoreError};
use innkeeper_kit::{CrashPlan, CrashPoint, Failure};
use prometheus::{IntCounterVec, IntGauge};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::component::Reactor;
use crate::context::Context;
use crate::health::Health;
use crate::metrics::{Metrics, names};
use crate::problem::causes;

/// How often a record may fail before it becomes a dead letter.
const TRIES: u32 = 5;
/// The pause before the first retry; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The outcomes of a record, as values of the metric's label.
const OUTCOMES: [&str; 4] = ["effect", "none", "duplicate", "dead-letter"];

/// Consumes the log for one service.
pub struct Consumer {
    store: Arc<dyn Store>,
    log: Arc<dyn Log>,
    reactor: Arc<dyn Reactor>,
    crash: CrashPlan,
    health: Health,
    /// This service, as it is named in the source of events.
    name: EventSource,
    topic: String,
    consumed: IntCounterVec,
    overtaken: IntCounterVec,
    lag: IntGauge,
}

impl Consumer {
    /// The consumer of a service that reacts to events.
    pub fn new(
        context: &Context,
        log: Arc<dyn Log>,
        reactor: Arc<dyn Reactor>,
        health: Health,
        metrics: &Metrics,
    ) -> Self {
        let consumed = metrics.counters(&names::EVENTS_CONSUMED);
        for outcome in OUTCOMES {
            consumed.with_label_values(&[outcome]);
        }
        let overtaken = metrics.counters(&names::EVENTS_OVERTAKEN);
        overtaken.with_label_values::<&str>(&[]);
        Self {
            store: Arc::clone(&context.store),
            log,
            reactor,
            crash: context.crash.clone(),
            health,
            name: EventSource::of(&context.settings),
            topic: topic(context.settings.log.as_ref()),
            consumed,
            overtaken,
            lag: metrics
                .gauges(&names::CONSUMER_LAG)
                .with_label_values::<&str>(&[]),
        }
    }

    /// Consumes until `ending` is cancelled; then finishes the batch at hand and commits what is
    /// done.
    pub async fn run(self, ending: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !ending.is_cancelled() {
            match self.consume_subscription(&ending).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(error = causes(&error), "the log is away; trying again");
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
        while let Some(delivery) = ending.run_until_cancelled(subscription.next()).await {
            self.take(&mut *subscription, delivery?, ending).await?;
        }
        subscription.close().await
    }

    async fn take(
        &self,
        subscription: &mut dyn Subscription,
        delivery: Delivery,
        ending: &CancellationToken,
    ) -> Result<(), LogError> {
        match delivery {
            Delivery::Records(records) => {
                if self.handle_all(&records, ending).await {
                    self.crash.passed(CrashPoint::EffectCommitted);
                    subscription.mark_done(&records).await?;
                }
                if let Some(lag) = subscription.lag().await {
                    self.lag.set(lag);
                }
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
        }
        Ok(())
    }

    /// Handles a batch; `false` if the service had to stop before all of it was done.
    async fn handle_all(&self, records: &[Record], ending: &CancellationToken) -> bool {
        let sagas = by_saga(records).into_values().map(async |saga| {
            for record in saga {
                if !self.handle(record, ending).await {
                    return false;
                }
            }
            true
        });
        join_all(sagas).await.into_iter().all(|done| done)
    }

    /// Handles a record; `false` if the service had to stop first.
    async fn handle(&self, record: &Record, ending: &CancellationToken) -> bool {
        let (mut tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let error = match self.apply(record).await {
                Ok(outcome) => {
                    self.consumed.with_label_values(&[outcome]).inc();
                    return true;
                }
                Err(error) => error,
            };
            tries += u32::from(!matches!(error, Failure::Store(StoreError::Unavailable(_))));
            if tries >= TRIES && self.save_dead_letter(record, causes(&error)).await.is_ok() {
                self.consumed.with_label_values(&["dead-letter"]).inc();
                return true;
            }
            tracing::warn!(
                error = causes(&error),
                partition = record.partition,
                offset = record.offset,
                "trying a record again"
            );
            if ending
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return false;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn apply(&self, record: &Record) -> Result<&'static str, Failure> {
        let event = match Event::decode(&record.headers, &record.payload) {
            Ok(Some(event)) if self.concerns(&event) => event,
            Ok(_) => return Ok("none"),
            Err(error) => {
                self.save_dead_letter(record, causes(&error)).await?;
                return Ok("dead-letter");
            }
        };
        Ok(match self.reactor.react(&event).await? {
            Effect::Done => "effect",
            Effect::None => "none",
            Effect::Duplicate => "duplicate",
        })
    }

    fn concerns(&self, event: &Event) -> bool {
        event.source.shares_incarnation_with(&self.name) && self.reactor.wants(event.event_type)
    }

    /// Saves a dead letter, together with its inbox entry.
    async fn save_dead_letter(&self, record: &Record, error: String) -> Result<(), Failure> {
        tracing::error!(
            error,
            partition = record.partition,
            offset = record.offset,
            "a record becomes a dead letter"
        );
        let dead_letter = DeadLetter {
            topic: self.topic.clone(),
            partition: record.partition,
            offset: record.offset,
            key: record.key.as_deref().map(storable),
            headers: record.headers.clone(),
            payload: record.payload.clone(),
            error,
        };
        let input = StepInput {
            inbox: Some(offset_id(&self.topic, record)),
            ..StepInput::about(Scope::Nothing)
        };
        let changes = Changes {
            dead_letter: Some(dead_letter),
            ..Changes::default()
        };
        let decide = Box::new(move |_: &Seen| Ok(changes.clone()));
        self.store.run(Step { input, decide }).await.map(drop)
    }
}

/// Groups records by saga. Records without a key are one group per partition.
fn by_saga(records: &[Record]) -> BTreeMap<(i32, Option<&str>), Vec<&Record>> {
    let mut sagas: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in records {
        sagas
            .entry((record.partition, record.key.as_deref()))
            .or_default()
            .push(record);
    }
    sagas
}

fn topic(log: Option<&LogSettings>) -> String {
    match log {
        Some(LogSettings::Kafka(kafka)) => kafka.topic.clone(),
        Some(LogSettings::Sqlite(file)) => file.topic.clone(),
        None => String::new(),
    }
}

/// Replaces the one character that PostgreSQL cannot store:
/// <https://www.postgresql.org/docs/15/datatype-character.html>.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The inbox key of a record that has no readable id, made from its topic, partition and offset.
fn offset_id(topic: &str, record: &Record) -> Uuid {
    let position = format!("{topic}/{}/{}", record.partition, record.offset);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, position.as_bytes())
}
