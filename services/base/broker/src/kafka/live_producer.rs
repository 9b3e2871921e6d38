//! A producer that is replaced after a fatal error, and when its credentials have changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use innkeeper_contracts::settings;
use innkeeper_kafka::ConfigError;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{ClientConfig, ClientContext};

use super::rotation::Rotation;

/// A producer whose troubles are told by those who use it.
pub type QuietProducer = FutureProducer<Quiet>;

/// Logs no error of a client each second while brokers are away.
#[derive(Clone)]
pub struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(
            %error,
            reason,
            "the Kafka client reports a problem"
        );
    }
}

/// Keeps a producer that works. librdkafka's idempotent producer takes no records any more after a
/// fatal error, and the remedy is a new one
/// (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/INTRODUCTION.md#fatal-producer-errors>).
pub struct LiveProducer {
    configure: fn(&ClientConfig) -> ClientConfig,
    state: Mutex<State>,
}

struct State {
    rotation: Rotation,
    /// Made when it is first used.
    producer: Option<QuietProducer>,
}

impl LiveProducer {
    /// Keeps a producer for these settings, which is made when it is first used.
    pub fn new(
        settings: &settings::Kafka,
        configure: fn(&ClientConfig) -> ClientConfig,
    ) -> Result<Self, ConfigError> {
        let state = State {
            rotation: Rotation::begin(settings)?,
            producer: None,
        };
        Ok(Self {
            configure,
            state: Mutex::new(state),
        })
    }

    /// The present producer. Whoever has used it gives it back by [`Self::release`].
    pub fn current(&self) -> Result<QuietProducer, KafkaError> {
        let mut state = self.lock();
        if state.rotation.has_changed()
            && let Some(former) = state.producer.take()
        {
            tracing::info!("the credentials for Kafka have changed, and are used");
            // Those who wait for deliveries hold it until they have them.
            drop_aside(former);
        }
        if let Some(producer) = &state.producer {
            return Ok(producer.clone());
        }
        let config = (self.configure)(state.rotation.client());
        let producer: QuietProducer = config.create_with_context(Quiet)?;
        state.producer = Some(producer.clone());
        Ok(producer)
    }

    /// Takes a producer back. Whoever is the last to drop one waits for its thread, so one that was
    /// replaced meanwhile is dropped aside.
    pub fn release(&self, used: QuietProducer) {
        let is_present = self
            .lock()
            .producer
            .as_ref()
            .is_some_and(|it| is_same(it, &used));
        if !is_present {
            drop_aside(used);
        }
    }

    /// Drops the producer if it had a fatal error, so that the next use makes a new one. Records
    /// that it has not sent fail.
    pub fn replace_if_fatal(&self, used: &QuietProducer) {
        let Some((code, reason)) = used.client().fatal_error() else {
            return;
        };
        let Some(dropped) = self.lock().producer.take_if(|it| is_same(it, used)) else {
            return; // another record's failure has replaced it already
        };
        tracing::error!(?code, reason, "the producer has failed and is replaced");
        drop_aside(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(one: &QuietProducer, other: &QuietProducer) -> bool {
    one.client().native_ptr() == other.client().native_ptr()
}

fn drop_aside(producer: QuietProducer) {
    tokio::task::spawn_blocking(move || drop(producer));
}
