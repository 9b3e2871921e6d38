//! What the brokers have.

use std::collections::BTreeMap;

/// What the brokers have under a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicLookup {
    /// The id of the cluster that answered.
    pub cluster_id: Option<String>,
    /// The topic, if there is one.
    pub topic: Option<ObservedTopic>,
}

/// A topic as the brokers have it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ObservedTopic {
    /// Its id; one that is made anew has another.
    pub id: Option<String>,
    /// Its partitions.
    pub partitions: u32,
    /// The replicas of each partition.
    pub replication: u32,
    /// The settings that are its own, and not the brokers' default.
    pub config: BTreeMap<String, String>,
}
