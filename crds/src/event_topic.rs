//! A Kafka topic.

#![expect(clippy::duplicated_attributes, reason = "printer columns share a type")]

pub mod config;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

pub use config::TopicConfig;

use crate::status::{Condition, never_observed};

/// A Kafka topic as it should be.
#[skip_serializing_none]
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "innkeeper.dev",
    version = "v1alpha1",
    kind = "EventTopic",
    namespaced,
    shortname = "et",
    category = "innkeeper",
    status = "EventTopicStatus",
    derive = "PartialEq",
    doc = "A Kafka topic as it should be.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Topic",
        type_ = "string",
        json_path = ".spec.topicName",
        description = "Name of the topic in Kafka."
    ),
    printcolumn(
        name = "Partitions",
        type_ = "integer",
        json_path = ".status.partitions",
        description = "Partitions that the topic has."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::A_TOPIC_KEEPS_ITS_NAME)]
#[x_kube(validation = crate::rules::A_TOPIC_DOES_NOT_SHRINK)]
#[x_kube(validation = crate::rules::A_PLATFORMS_OWN_TOPIC_DOES_NOT_GROW)]
pub struct EventTopicSpec {
    /// Its name in Kafka. It cannot change.
    #[schemars(
        length(min = 1, max = 249),
        regex(pattern = r"^[._-]*[a-zA-Z0-9][a-zA-Z0-9._-]*$")
    )]
    pub topic_name: String,
    /// The platform whose own topic it is; such a topic cannot grow.
    #[schemars(length(min = 1, max = 63))]
    pub platform: Option<String>,
    /// Number of partitions; it can only grow.
    #[serde(default = "default_partitions")]
    #[schemars(range(min = 1, max = MOST_PARTITIONS))]
    pub partitions: u32,
    /// Number of replicas of each partition; the brokers' default when left out.
    #[schemars(range(min = 1, max = 16))]
    pub replication: Option<u32>,
    /// Settings of the topic by Kafka's own names; what is left out has the brokers' default.
    pub config: Option<TopicConfig>,
    /// What happens to the topic when this object is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// `host:port` of one or more brokers, with commas between them; the installation's when left
    /// out.
    #[schemars(length(min = 1, max = 1024))]
    pub bootstrap_servers: Option<String>,
}

/// The largest number of partitions that can be asked for.
pub const MOST_PARTITIONS: u32 = 1000;

/// The default number of partitions.
pub const DEFAULT_PARTITIONS: u32 = 12;

const fn default_partitions() -> u32 {
    DEFAULT_PARTITIONS
}

/// What happens to a topic when its object is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DeletionPolicy {
    /// The topic and its records stay.
    #[default]
    Retain,
    /// The topic is deleted with all its records.
    Delete,
}

/// What the operator found out about a topic.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventTopicStatus {
    /// The generation that this status speaks of; -1 before anyone looked.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling and Stalled, as kstatus reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Partitions that the topic has.
    pub partitions: Option<u32>,
    /// Replicas that each partition has.
    pub replication: Option<u32>,
    /// The topic that was seen as described while this object's owner lived. No other is ever
    /// deleted with the object.
    pub topic: Option<TopicRecord>,
}

/// Which topic an object has looked after.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicRecord {
    /// Id of the Kafka cluster that has the topic.
    #[schemars(length(max = 249))]
    pub cluster_id: Option<String>,
    /// Id of the topic; one that is made anew has another. Absent before Kafka 2.8.
    #[schemars(length(max = 63))]
    pub topic_id: Option<String>,
    /// UID of the `EventTopic` that this was written for: a status that was restored speaks of
    /// another one.
    #[schemars(length(max = 63))]
    pub recorded_for: String,
}

impl EventTopic {
    /// The topic that the status records, unless the record was written for another object.
    pub fn recorded_topic(&self) -> Option<&TopicRecord> {
        let record = self.status.as_ref()?.topic.as_ref()?;
        (Some(&record.recorded_for) == self.metadata.uid.as_ref()).then_some(record)
    }
}

impl Default for EventTopicStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            conditions: Vec::new(),
            partitions: None,
            replication: None,
            topic: None,
        }
    }
}
