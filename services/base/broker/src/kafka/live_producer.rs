//! A producer that is replaced after a fatal error.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};

/// Keeps a producer that works. librdkafka's idempotent producer takes no records any more after a
/// fatal error, and the remedy is a new one
/// (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/INTRODUCTION.md#fatal-producer-errors>).
pub struct LiveProducer {
    config: ClientConfig,
    current: Mutex<Option<FutureProducer>>,
}

impl LiveProducer {
    /// Keeps a producer with this configuration, which is made when it is first used.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            current: Mutex::new(None),
        }
    }

    /// Creates a producer with this configuration.
    pub fn create(config: ClientConfig) -> Result<Self, KafkaError> {
        let producer = config.create()?;
        Ok(Self {
            config,
            current: Mutex::new(Some(producer)),
        })
    }

    /// The present producer.
    pub fn current(&self) -> Result<FutureProducer, KafkaError> {
        let mut current = self.lock();
        if let Some(producer) = &*current {
            return Ok(producer.clone());
        }
        let producer: FutureProducer = self.config.create()?;
        *current = Some(producer.clone());
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
        let Some(dropped) = self.lock().take_if(is_used) else {
            return; // another record's failure has replaced it already
        };
        tracing::error!(?code, reason, "the producer has failed and is replaced");
        // Dropping waits for the producer's thread.
        tokio::task::spawn_blocking(move || drop(dropped));
    }

    fn lock(&self) -> MutexGuard<'_, Option<FutureProducer>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
