//! Looks into Kafka with a plain client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use innkeeper_cluster::deadline::until;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::site::site;

const DEADLINE: Duration = Duration::from_secs(20);

/// Names of the topics that claims have described.
static DESCRIBED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A record of a topic.
#[derive(Clone, Debug)]
pub struct Record {
    /// Partition of the record.
    pub partition: i32,
    /// Key of the record.
    pub key: String,
    /// Headers of the record.
    pub headers: BTreeMap<String, String>,
    /// Payload of the record.
    pub payload: Value,
}

/// Fetches every record that a topic has now.
pub fn fetch_records(topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = client().create().unwrap();
    let mut assigned = TopicPartitionList::new();
    let mut awaited: i64 = 0;
    for partition in 0..i32::try_from(count_partitions(topic)).unwrap() {
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

/// The number of a topic's partitions; 0 if it does not exist.
pub fn count_partitions(topic: &str) -> usize {
    let consumer: BaseConsumer = client().create().unwrap();
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let mut topics = metadata.topics().iter();
    let found = topics.find(|found| found.name() == topic);
    found.map_or(0, |found| found.partitions().len())
}

/// The number of records in a topic; `None` if it does not exist.
pub fn count_records(topic: &str) -> Option<i64> {
    let consumer: BaseConsumer = client().create().unwrap();
    let partitions = i32::try_from(count_partitions(topic)).unwrap();
    let count = |partition| {
        let range = consumer.fetch_watermarks(topic, partition, DEADLINE);
        range.map_or(0, |(low, high)| high - low)
    };
    (partitions > 0).then(|| (0..partitions).map(count).sum())
}

/// Creates a topic without the operator.
pub fn create(topic: &str, partitions: i32) {
    note_described(topic);
    let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let admin = admin();
    let created = admin.create_topics([&topic], &AdminOptions::new());
    site().wait(created).unwrap().remove(0).unwrap();
}

/// Adds partitions to a topic without the operator.
pub fn grow(topic: &str, partitions: usize) {
    let grown = NewPartitions::new(topic, partitions);
    let admin = admin();
    let answer = admin.create_partitions([&grown], &AdminOptions::new());
    site().wait(answer).unwrap().remove(0).unwrap();
}

/// Deletes a topic without the operator.
pub fn delete(topic: &str) {
    let options = AdminOptions::new().operation_timeout(Some(DEADLINE));
    let topics = [topic];
    let admin = admin();
    let deleted = admin.delete_topics(&topics, &options);
    site().wait(deleted).unwrap().remove(0).unwrap();
}

/// Asks about a topic as a client does that lets brokers create what it asks about.
pub fn auto_create(topic: &str) {
    let mut client = client();
    client.set("allow.auto.create.topics", "true");
    let consumer: BaseConsumer = client.create().unwrap();
    until("a topic by auto-creation", DEADLINE, || {
        let metadata = consumer.fetch_metadata(Some(topic), DEADLINE).unwrap();
        match metadata.topics()[0].partitions().len() {
            0 => Err("no partition yet".to_owned()),
            _ => Ok(()),
        }
    })
    .unwrap_or_else(|overdue| panic!("{overdue}"));
}

/// Produces a number of records.
pub fn produce(topic: &str, count: usize) {
    let producer: BaseProducer = client().create().unwrap();
    for number in 0..count {
        let key = number.to_string();
        let record = BaseRecord::to(topic).key(&key).payload("{}");
        producer.send(record).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
}

/// Notes that a topic with this name was described.
pub fn note_described(topic: &str) {
    let mut names = DESCRIBED.lock().unwrap();
    names.insert(topic.to_owned());
}

/// Names of the topics that were not described, except Kafka's own.
pub fn fetch_undescribed() -> Vec<String> {
    let described = DESCRIBED.lock().unwrap();
    let mut names = fetch_names();
    names.retain(|name| !described.contains(name));
    names
}

/// Names of all topics except Kafka's own.
fn fetch_names() -> Vec<String> {
    let consumer: BaseConsumer = client().create().unwrap();
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let names = metadata.topics().iter().map(MetadataTopic::name);
    names
        .filter(|name| !name.starts_with("__"))
        .map(ToOwned::to_owned)
        .collect()
}

/// The settings of a topic that are not defaults.
pub fn fetch_settings(topic: &str) -> BTreeMap<String, String> {
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

/// Sets one setting of a topic without the operator, which resets all others.
pub fn configure(topic: &str, key: &str, value: &str) {
    let settings = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(key, value);
    let options = AdminOptions::new();
    let answer = site().wait(admin().alter_configs([&settings], &options));
    answer.unwrap().remove(0).unwrap();
}

/// Deletes every topic except Kafka's own.
pub fn delete_topics() {
    let names = fetch_names();
    if names.is_empty() {
        return;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
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
        .set("allow.auto.create.topics", "false")
        .set("enable.auto.commit", "false");
    config
}

/// A client of the admin API. It must live until its answers have arrived, because nothing receives
/// them without it.
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
