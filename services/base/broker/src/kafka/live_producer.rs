//! A producer that is replaced after a fatal error, and when its credentials have changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use innkeeper_contracts::settings;
use innkeeper_kafka::ConfigError;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};

use super::rotation::{Configure, Rotation};

/// Keeps a producer that works. librdkafka's idempotent producer takes no records any more after a
/// fatal error, and the remedy is a new one
/// (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/INTRODUCTION.md#fatal-producer-errors>).
pub struct LiveProducer {
    state: Mutex<State>,
}

struct State {
    rotation: Rotation,
    /// Made when it is first used.
    producer: Option<FutureProducer>,
}

impl LiveProducer {
    /// Keeps a producer for these settings, which is made when it is first used.
    pub fn new(settings: &settings::Kafka, configure: Configure) -> Result<Self, ConfigError> {
        let state = State {
            rotation: Rotation::begin(settings, configure)?,
            producer: None,
        };
        Ok(Self {
            state: Mutex::new(state),
        })
    }

    /// The present producer.
    pub fn current(&self) -> Result<FutureProducer, KafkaError> {
        let mut state = self.lock();
        if state.rotation.has_changed() && state.producer.is_some() {
            match state.rotation.config().create::<FutureProducer>() {
                Ok(new) => {
                    tracing::info!("the credentials for Kafka have changed, and are used");
                    // What was handed to the former one is sent by it, and fails if it cannot be.
                    drop_aside(state.producer.replace(new));
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the changed credentials for Kafka cannot be used"
                    );
                }
            }
        }
        if let Some(producer) = &state.producer {
            return Ok(producer.clone());
        }
        let producer: FutureProducer = state.rotation.config().create()?;
        state.producer = Some(producer.clone());
        Ok(producer)
    }

    /// Drops the producer if it had a fatal error, so that the next use makes a new one. Records
    /// that it has not sent fail.
    pub fn replace_if_fatal(&self, used: &FutureProducer) {
        let Some((code, reason)) = used.client().fatal_error() else {
            return;
        };
        let is_used = |current: &mut FutureProducer| {
            current.client().native_ptr() == used.client().native_ptr()
        };
        let Some(dropped) = self.lock().producer.take_if(is_used) else {
            return; // another record's failure has replaced it already
        };
        tracing::error!(?code, reason, "the producer has failed and is replaced");
        drop_aside(Some(dropped));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops a producer, which waits for its thread.
fn drop_aside(producer: Option<FutureProducer>) {
    tokio::task::spawn_blocking(move || drop(producer));
}
