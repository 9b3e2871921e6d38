//! A topic as a cluster describes it.

/// A topic as it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicDescription {
    /// Id of the topic, as Kafka's own tools write it. A topic that is created again has another
    /// id. `None` before Kafka 2.8.
    pub topic_id: Option<String>,
    /// Number of partitions.
    pub partitions: usize,
    /// Number of replicas of the first partition.
    pub replication: usize,
}
