//! A topic as a cluster describes it.

/// A topic as it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicDescription {
    /// Id of the topic, as Kafka's own tools write it. A topic that is created again has another
    /// id. `None` before Kafka 2.8.
    pub topic_id: Option<String>,
    pub partitions: usize,
    /// Number of replicas of the first partition.
    pub replication: usize,
    /// What Kafka's ACLs let the client do with the topic; `None` if that was not asked, or
    /// the brokers do not tell.
    pub rights: Option<TopicRights>,
}

/// What Kafka's ACLs let a client do with a topic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TopicRights {
    pub read: bool,
    pub write: bool,
}
