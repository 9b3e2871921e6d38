//! A topic of a real Kafka, and how far its consumers are.

use std::time::Duration;

use innkeeper_contracts::settings::Kafka;
use innkeeper_testkit::kafka::{Admin, bootstrap_servers, create_topic, delete_topic};
use innkeeper_testkit::patience::until;
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::stored::Progress;

const PARTITIONS: i32 = 12;

/// How long a broker may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A topic for a single test, which is deleted with this value.
pub struct Topic {
    name: String,
    /// One consumer per group, which only reads the offsets and never joins.
    onlookers: Vec<BaseConsumer>,
}

impl Topic {
    /// Creates the topic that the services of a platform share.
    pub async fn make(consumers: &[Kafka]) -> Self {
        let name = consumers[0].topic.clone();
        let topic = NewTopic::new(&name, PARTITIONS, TopicReplication::Fixed(1));
        create_topic(&admin(), &topic).await;
        let onlookers = consumers.iter().map(|kafka| onlooker(&kafka.group));
        let topic = Self {
            name,
            onlookers: onlookers.collect(),
        };
        until("the topic is there", async || {
            topic.try_end().ok_or("its end is not known".into())
        })
        .await;
        topic
    }

    pub fn progress(&self) -> Progress {
        Progress {
            end: self.try_end().unwrap(),
            groups: self
                .onlookers
                .iter()
                .map(|group| self.read_by(group))
                .collect(),
        }
    }

    /// How many records there are. None is ever deleted here.
    fn try_end(&self) -> Option<i64> {
        let onlooker = &self.onlookers[0];
        let ends = (0..PARTITIONS).map(|partition| {
            let watermarks = onlooker.fetch_watermarks(&self.name, partition, ANSWER_WITHIN);
            watermarks.ok().map(|(_, end)| end)
        });
        ends.sum()
    }

    fn read_by(&self, onlooker: &BaseConsumer) -> i64 {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&self.name, 0, PARTITIONS - 1);
        let committed = onlooker.committed_offsets(partitions, ANSWER_WITHIN);
        let committed = committed.unwrap();
        let elements = committed.elements();
        let read = elements.iter().map(|element| match element.offset() {
            Offset::Offset(next) => next,
            _ => 0,
        });
        read.sum()
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let (name, onlookers) = (self.name.clone(), std::mem::take(&mut self.onlookers));
        // A runtime cannot block within another one, so this one runs on a thread of its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let admin = admin();
            drop(onlookers);
            runtime.block_on(delete_topic(&admin, &name));
        });
        dropping.join().unwrap();
    }
}

fn onlooker(group: &str) -> BaseConsumer {
    let mut config = client();
    config.set("group.id", group).create().unwrap()
}

fn admin() -> Admin {
    client().create().unwrap()
}

fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap_servers());
    config
}
