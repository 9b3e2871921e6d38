//! The log on a Kafka topic.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream, FuturesUnordered};
use innkeeper_contracts::settings;
use innkeeper_kafka::{TopicRights, fetch_topic_rights};
use innkeeper_kit::log::{
    AppendError, Appended, Log, LogError, NewRecord, Partition, Subscription,
};
use innkeeper_kit::transport::Transport;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{DeliveryFuture, FutureRecord, Producer};

mod assignment;
mod config;
mod connection;
mod live_producer;
mod member;
mod partitioner;
mod poll;
mod rotation;
mod subscription;

use connection::Connection;
use live_producer::{LiveProducer, QuietProducer};

/// How long a metadata request may take.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause before trying again when the producer's queue is full.
const QUEUE_FULL_DELAY: Duration = Duration::from_millis(5);

/// A log on an existing topic. Creating it does not touch the network.
pub struct KafkaLog {
    settings: settings::Kafka,
    producer: LiveProducer,
    /// Sends again what was refused together with others.
    single_record_producer: LiveProducer,
    /// How many partitions the topic had when it was looked at last, by a ping or a subscription; 0
    /// before. While a number that grew is not known yet, the shares of partitions overlap.
    partitions: AtomicI32,
    connection: Connection,
}

impl KafkaLog {
    /// Creates the client. Whether a broker answers shows at its first use.
    pub fn connect(settings: &settings::Kafka) -> Result<Self, LogError> {
        let producer = LiveProducer::new(settings, config::producer);
        let producer = producer.map_err(unavailable)?;
        producer.release(producer.current().map_err(unavailable)?);
        let single_record_producer = LiveProducer::new(settings, config::single_record_producer);
        Ok(Self {
            settings: settings.clone(),
            producer,
            single_record_producer: single_record_producer.map_err(unavailable)?,
            partitions: AtomicI32::new(0),
            connection: Connection::to(settings.cluster()),
        })
    }

    /// Sends the records of one key, each after the one before it is in the log: the producer would
    /// deliver a later record although an earlier one has failed.
    async fn send_in_turn(&self, records: Vec<(usize, NewRecord)>) -> Vec<Appended> {
        let mut appended: Vec<Appended> = Vec::with_capacity(records.len());
        for (index, record) in records {
            let result = match appended.last() {
                None | Some((_, Ok(()))) => self.send(&record).await,
                Some((_, Err(_))) => Err(AppendError::BehindAnother),
            };
            appended.push((index, result));
        }
        appended
    }

    async fn send(&self, record: &NewRecord) -> Result<(), AppendError> {
        let check = record.check_size();
        check.map_err(|too_large| AppendError::Refused(Box::new(too_large)))?;
        let mut sent = self.deliver(&self.producer, record).await;
        if sent.as_ref().is_err_and(is_refusal) {
            sent = self.deliver(&self.single_record_producer, record).await;
        }
        sent.map_err(|error| {
            if is_refusal(&error) {
                return AppendError::Refused(Box::new(error));
            }
            self.log_error(error).into()
        })
    }

    async fn deliver(&self, producer: &LiveProducer, record: &NewRecord) -> Result<(), KafkaError> {
        let current = producer.current()?;
        let delivered = self.enqueue_and_wait(&current, record).await;
        if delivered.is_err() {
            producer.replace_if_fatal(&current);
        }
        producer.release(current);
        delivered
    }

    async fn enqueue_and_wait(
        &self,
        producer: &QuietProducer,
        record: &NewRecord,
    ) -> Result<(), KafkaError> {
        let delivery = self.enqueue(producer, record).await?;
        let report = delivery.await.map_err(|_| KafkaError::Canceled)?;
        report.map(drop).map_err(|(error, _)| error)
    }

    /// Hands a record to the producer as soon as its queue has room.
    async fn enqueue(
        &self,
        producer: &QuietProducer,
        record: &NewRecord,
    ) -> Result<DeliveryFuture, KafkaError> {
        let headers = headers(record);
        let mut message = FutureRecord::to(&self.settings.topic)
            .key(&record.key)
            .payload(&record.payload)
            .headers(headers);
        loop {
            message = match producer.send_result(message) {
                Ok(delivery) => return Ok(delivery),
                Err((error, message)) if queue_is_full(&error) => message,
                Err((error, _)) => return Err(error),
            };
            tokio::time::sleep(QUEUE_FULL_DELAY).await;
        }
    }

    /// Fails if the topic cannot be used, and notes how many partitions it has.
    async fn check_topic(&self) -> Result<(), LogError> {
        let producer = self.producer.current().map_err(unavailable)?;
        let topic = self.settings.topic.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = producer
                .client()
                .fetch_metadata(Some(&topic), METADATA_TIMEOUT)?;
            let topic = metadata.topics().first();
            match topic.and_then(MetadataTopic::error) {
                Some(error) => Err(KafkaError::MetadataFetch(error.into())),
                None => Ok(topic.map_or(0, |topic| topic.partitions().len())),
            }
        });
        let answer = asked.await.map_err(unavailable)?;
        let partitions = answer.map_err(|error| self.log_error(error))?;
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        self.partitions.store(partitions, Ordering::Relaxed);
        Ok(())
    }

    /// Fails if Kafka's ACLs do not let this service read and write the topic, as far as the
    /// brokers tell: a client that may only read would find out with its first event.
    async fn check_rights(&self) -> Result<(), LogError> {
        let producer = self.producer.current().map_err(unavailable)?;
        let topic = self.settings.topic.clone();
        let asked = tokio::task::spawn_blocking(move || {
            fetch_topic_rights(producer.client(), &topic, METADATA_TIMEOUT)
        });
        match asked.await.map_err(unavailable)? {
            Ok(Some(rights)) if !(rights.read && rights.write) => {
                Err(unavailable(NotAllowed::missing(rights, &self.settings)))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the brokers do not tell the rights of this service");
                Ok(())
            }
        }
    }

    fn log_error(&self, error: KafkaError) -> LogError {
        log_error(error, &self.settings)
    }
}

#[async_trait]
impl Log for KafkaLog {
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        let by_key = by_key(records).into_values();
        let sending = by_key.map(|records| self.send_in_turn(records));
        let sending: FuturesUnordered<_> = sending.collect();
        sending.flat_map(stream::iter).boxed()
    }

    fn partition_of(&self, key: &str) -> Partition {
        let count = self.partitions.load(Ordering::Relaxed);
        partitioner::partition_of(key, count).unwrap_or(Partition::ONLY)
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        if let Err(error) = self.check_topic().await {
            return Err(self.connection.explain(error).await);
        }
        self.check_rights().await?;
        Ok(Box::new(subscription::join(&self.settings)?))
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.check_topic().await
    }

    fn transport(&self) -> Option<Transport> {
        Some(self.connection.transport())
    }

    async fn look_at_certificate(&self) {
        self.connection.look_at_certificate().await;
    }
}

/// The records of each key with their indices, in order.
fn by_key(records: Vec<NewRecord>) -> HashMap<String, Vec<(usize, NewRecord)>> {
    let mut by_key = HashMap::<String, Vec<_>>::new();
    for (index, record) in records.into_iter().enumerate() {
        let of_key = by_key.entry(record.key.clone()).or_default();
        of_key.push((index, record));
    }
    by_key
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

/// Whether the broker never takes the record, or another one in the same batch: a batch is refused
/// as a whole.
fn is_refusal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidRecord
                | RDKafkaErrorCode::InvalidDifferentRecord
        )
    )
}

fn log_error(error: KafkaError, settings: &settings::Kafka) -> LogError {
    let settings::Kafka { topic, group, .. } = settings;
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            LogError::NoTopic {
                topic: topic.clone(),
            }
        }
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => unavailable(NotAllowed::Topic {
            topic: topic.clone(),
            group: group.clone(),
            source: error,
        }),
        Some(RDKafkaErrorCode::ClusterAuthorizationFailed) => {
            unavailable(NotAllowed::Cluster(error))
        }
        _ => unavailable(error),
    }
}

/// Kafka's ACLs refuse a call.
#[derive(Debug, thiserror::Error)]
enum NotAllowed {
    #[error(
        "Kafka does not allow it: the user of this service needs Describe, Read and Write on the topic {topic}, and Read on the group {group}"
    )]
    Topic {
        topic: String,
        group: String,
        source: KafkaError,
    },
    #[error(
        "Kafka does not allow it: the user of this service needs {rights} on the topic {topic}"
    )]
    Rights { topic: String, rights: String },
    #[error(
        "Kafka does not allow it: with brokers before 2.8 the user of this service needs IdempotentWrite on the cluster"
    )]
    Cluster(#[source] KafkaError),
}

impl NotAllowed {
    /// Some of the rights that a service needs are missing.
    fn missing(rights: TopicRights, settings: &settings::Kafka) -> Self {
        let missing = [("Read", rights.read), ("Write", rights.write)];
        let missing = missing.into_iter().filter(|(_, is_given)| !is_given);
        let missing: Vec<_> = missing.map(|(right, _)| right).collect();
        Self::Rights {
            topic: settings.topic.clone(),
            rights: missing.join(" and "),
        }
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> LogError {
    LogError::Unavailable(Box::new(error))
}
