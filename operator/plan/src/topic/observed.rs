//! What the brokers have under the name of a topic.

use std::collections::BTreeMap;

/// The answer of the brokers about the name of a topic.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicLookup {
    /// Id of the cluster that answered.
    pub cluster_id: Option<String>,
    /// The topic, if there is one.
    pub topic: Option<ObservedTopic>,
}

/// A topic as the brokers describe it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ObservedTopic {
    /// Id of the topic. A topic that is created again has another id.
    pub id: Option<String>,
    pub partitions: u32,
    /// Number of replicas of each partition.
    pub replication: u32,
    /// The settings of the topic that are not defaults of the brokers.
    pub config: BTreeMap<String, String>,
}
