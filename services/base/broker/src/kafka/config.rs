//! The configuration of librdkafka
//! (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>).

use innkeeper_contracts::settings;
use innkeeper_kafka::{ConfigError, client_config};
use innkeeper_kit::log::MAX_RECORD_BYTES;
use rdkafka::ClientConfig;

/// What all clients of a service have in common. Credentials and certificates are read now.
pub fn client(settings: &settings::Kafka) -> Result<ClientConfig, ConfigError> {
    let mut config = client_config(&settings.cluster(), &settings.group)?;
    config
        // Reconnect to a lost broker at least this often, and see new partitions this soon.
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "10000");
    Ok(config)
}

/// The most bytes of a batch of several records. It is less than the least `max.message.bytes` of a
/// topic on which every event fits, because a broker refuses a batch that is larger than that.
const BATCH_BYTES: usize = 256 * 1024;

/// A producer that stores each record once, in order, on every in-sync replica.
pub fn producer(client: &ClientConfig) -> ClientConfig {
    let mut config = client.clone();
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // As Java's producer does, so that others who write by key reach the same partition.
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "2")
        .set("compression.type", "lz4")
        .set("batch.size", BATCH_BYTES.to_string())
        .set("message.max.bytes", MAX_RECORD_BYTES.to_string())
        // The relay tries again itself, so a record of a partition without a leader need not fill
        // the queue for long.
        .set("delivery.timeout.ms", "10000")
        .set("topic.metadata.propagation.max.ms", "5000")
        .set("queue.buffering.max.messages", "10000")
        .set("queue.buffering.max.kbytes", "65536");
    config
}

/// A producer that sends each record in a batch of its own, so that no record is refused because of
/// another one.
pub fn single_record_producer(client: &ClientConfig) -> ClientConfig {
    let mut config = producer(client);
    config.set("batch.num.messages", "1");
    config
}

/// A consumer that moves as few partitions as possible in a rebalance. It commits the stored
/// offsets periodically, on revocation and on close.
pub fn consumer(client: &ClientConfig, group: &str) -> ClientConfig {
    let mut config = client.clone();
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "1000")
        .set("enable.auto.offset.store", "false")
        // After this time the partitions of a dead member go to the others.
        .set("session.timeout.ms", "10000")
        // How soon a member learns that another has joined or left.
        .set("heartbeat.interval.ms", "1000")
        .set("queued.max.messages.kbytes", "16384")
        // Fetch again soon after the queue was full: the default of one second halves the speed of
        // catching up.
        .set("fetch.queue.backoff.ms", "20")
        // The lag is computed from these statistics.
        .set("statistics.interval.ms", "2000");
    config
}
