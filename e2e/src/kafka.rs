//! What is really in Kafka, seen with a plain client.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::site::site;

const DEADLINE: Duration = Duration::from_secs(20);

/// A record of a topic.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its key.
    pub key: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Its payload.
    pub payload: Value,
}

/// Every record that a topic has now.
pub fn records(topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = client().create().unwrap();
    let mut assigned = TopicPartitionList::new();
    let mut awaited: i64 = 0;
    for partition in 0..i32::try_from(partitions(topic)).unwrap() {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition, DEADLINE)
            .unwrap();
        assigned
            .add_partition_offset(topic, partition, Offset::Offset(low))
            .unwrap();
        awaited += high - low;
    }
    consumer.assign(&assigned).unwrap();
    (0..awaited)
        .map(|_| record(&consumer.poll(DEADLINE).expect("a record in time").unwrap()))
        .collect()
}

/// How many partitions a topic has; none if it does not exist.
pub fn partitions(topic: &str) -> usize {
    let consumer: BaseConsumer = client().create().unwrap();
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let mut topics = metadata.topics().iter();
    let found = topics.find(|found| found.name() == topic);
    found.map_or(0, |found| found.partitions().len())
}

/// The settings that a topic has of its own.
pub fn settings(topic: &str) -> BTreeMap<String, String> {
    let specifier = [ResourceSpecifier::Topic(topic)];
    let options = AdminOptions::new();
    let answer = site().wait(admin().describe_configs(&specifier, &options));
    let resource = answer.unwrap().remove(0).unwrap();
    let own = resource
        .entries
        .into_iter()
        .filter(|entry| entry.source == ConfigSource::DynamicTopic);
    own.map(|entry| (entry.name, entry.value.unwrap_or_default()))
        .collect()
}

/// Gives a topic this one setting of its own, and no other, as someone who knows nothing of the operator might.
pub fn configure(topic: &str, key: &str, value: &str) {
    let settings = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(key, value);
    let options = AdminOptions::new();
    let answer = site().wait(admin().alter_configs([&settings], &options));
    answer.unwrap().remove(0).unwrap();
}

/// Deletes every topic but Kafka's own.
pub fn delete_topics() {
    let consumer: BaseConsumer = client().create().unwrap();
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let names: Vec<&str> = metadata
        .topics()
        .iter()
        .map(rdkafka::metadata::MetadataTopic::name)
        .filter(|name| !name.starts_with("__"))
        .collect();
    if names.is_empty() {
        return;
    }
    let options = AdminOptions::new().operation_timeout(Some(DEADLINE));
    site()
        .wait(admin().delete_topics(&names, &options))
        .unwrap();
}

fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", site().cluster.kafka())
        .set("group.id", "innkeeper-e2e")
        .set("enable.auto.commit", "false");
    config
}

fn admin() -> AdminClient<DefaultClientContext> {
    client().create().unwrap()
}

fn record(message: &BorrowedMessage) -> Record {
    let as_text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().unwrap();
    Record {
        partition: message.partition(),
        key: as_text(message.key().unwrap_or_default()),
        headers: headers
            .iter()
            .map(|header| {
                (
                    header.key.to_owned(),
                    as_text(header.value.unwrap_or_default()),
                )
            })
            .collect(),
        payload: serde_json::from_slice(message.payload().unwrap_or_default()).unwrap(),
    }
}
