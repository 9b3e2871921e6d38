//! How librdkafka is set up.
//! <https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>

use innkeeper_contracts::settings;
use innkeeper_kafka::client_config;
use rdkafka::ClientConfig;

fn client(settings: &settings::Kafka) -> ClientConfig {
    let mut config = client_config(&settings.bootstrap_servers, &settings.group);
    config
        // A lost broker is looked for again at least this often, and grown partitions are seen this soon.
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "10000");
    config
}

/// A producer that stores each record once, in order, on every in-sync replica.
pub fn producer(settings: &settings::Kafka) -> ClientConfig {
    let mut config = client(settings);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // What Java's producer does: others who write by key reach the same partition.
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "2")
        .set("compression.type", "lz4")
        .set("delivery.timeout.ms", "30000")
        .set("topic.metadata.propagation.max.ms", "5000")
        .set("queue.buffering.max.messages", "10000")
        .set("queue.buffering.max.kbytes", "65536");
    config
}

/// A consumer that moves only what it must, and commits what was stored as done: now and then, on revoke and on close.
pub fn consumer(settings: &settings::Kafka) -> ClientConfig {
    let mut config = client(settings);
    config
        .set("group.id", &settings.group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "1000")
        .set("enable.auto.offset.store", "false")
        // How soon the partitions of a member that died go to the others.
        .set("session.timeout.ms", "10000")
        // How soon the others learn that one joined or left.
        .set("heartbeat.interval.ms", "1000")
        .set("queued.max.messages.kbytes", "16384")
        // When the queue was full, look again soon: the default of a second halves the speed of catching up.
        .set("fetch.queue.backoff.ms", "20")
        // The source of the lag.
        .set("statistics.interval.ms", "2000");
    config
}
