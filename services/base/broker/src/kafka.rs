//! The log on a Kafka topic.

use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{Log, LogError, NewRecord, Subscription};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};

mod assignment;
mod config;
mod member;
mod poll;
mod subscription;

/// How long a metadata request may take.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause before trying again when the producer's queue is full.
const QUEUE_FULL_DELAY: Duration = Duration::from_millis(5);

/// A log on an existing topic. Creating it does not touch the network.
pub struct KafkaLog {
    settings: settings::Kafka,
    producer: FutureProducer,
}

impl KafkaLog {
    /// Creates the client. Whether a broker answers shows at its first use.
    pub fn connect(settings: &settings::Kafka) -> Result<Self, LogError> {
        let producer = config::producer(settings).create();
        Ok(Self {
            settings: settings.clone(),
            producer: producer.map_err(unavailable)?,
        })
    }

    /// Hands a record to the producer as soon as its queue has room.
    async fn enqueue(&self, record: &NewRecord) -> Result<DeliveryFuture, LogError> {
        let headers = headers(record);
        let mut message = FutureRecord::to(&self.settings.topic)
            .key(&record.key)
            .payload(&record.payload)
            .headers(headers);
        loop {
            message = match self.producer.send_result(message) {
                Ok(delivery) => return Ok(delivery),
                Err((error, message)) if queue_is_full(&error) => message,
                Err((error, _)) => return Err(self.log_error(error)),
            };
            tokio::time::sleep(QUEUE_FULL_DELAY).await;
        }
    }

    async fn check_topic(&self) -> Result<(), LogError> {
        let producer = self.producer.clone();
        let topic = self.settings.topic.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = producer
                .client()
                .fetch_metadata(Some(&topic), METADATA_TIMEOUT)?;
            let error = metadata
                .topics()
                .first()
                .and_then(rdkafka::metadata::MetadataTopic::error);
            error.map_or(Ok(()), |error| Err(KafkaError::MetadataFetch(error.into())))
        });
        let answer = asked.await.map_err(unavailable)?;
        answer.map_err(|error| self.log_error(error))
    }

    fn log_error(&self, error: KafkaError) -> LogError {
        log_error(error, &self.settings.topic)
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), LogError> {
        let mut deliveries = Vec::with_capacity(records.len());
        for record in &records {
            deliveries.push(self.enqueue(record).await?);
        }
        for delivery in deliveries {
            let report = delivery.await.map_err(unavailable)?;
            report.map_err(|(error, _)| self.log_error(error))?;
        }
        Ok(())
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        self.check_topic().await?;
        let subscription = subscription::join(&self.settings);
        Ok(Box::new(
            subscription.map_err(|error| self.log_error(error))?,
        ))
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.check_topic().await
    }
}

fn headers(record: &NewRecord) -> OwnedHeaders {
    let room = OwnedHeaders::new_with_capacity(record.headers.len());
    record.headers.iter().fold(room, |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    })
}

fn queue_is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

fn log_error(error: KafkaError, topic: &str) -> LogError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            LogError::NoTopic {
                topic: topic.to_owned(),
            }
        }
        _ => unavailable(error),
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> LogError {
    LogError::Unavailable(Box::new(error))
}
