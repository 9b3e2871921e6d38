//! Where a topic's brokers are, and what they have.

use innkeeper_crds::{EventTopic, EventTopicSpec};
use innkeeper_plan::ClusterDefaults;

use super::plan;
use crate::kafka::{Found, KafkaError, Topics};

/// The brokers of a topic: its own, else the installation's.
pub(super) fn bootstrap_servers<'a>(
    topic: &'a EventTopic,
    defaults: &'a ClusterDefaults,
) -> Option<&'a str> {
    let own = topic.spec.bootstrap_servers.as_deref();
    own.or(defaults.bootstrap_servers.as_deref())
}

/// Whether a topic ever had a record, where the plan depends on it: the question is one for each partition.
pub(super) async fn was_written(
    kafka: &Topics<'_>,
    spec: &EventTopicSpec,
    found: &Found,
) -> Result<bool, KafkaError> {
    match &found.topic {
        Some(topic) if plan::depends_on_records(spec, topic) => {
            kafka.was_written(&spec.topic_name, topic.partitions).await
        }
        _ => Ok(true),
    }
}

/// The topic that Kafka would take for the same as one that is to be made, if there is such a one.
pub(super) async fn colliding(
    kafka: &Topics<'_>,
    name: &str,
) -> Result<Option<String>, KafkaError> {
    let mut names = kafka.names().await?.into_iter();
    Ok(names.find(|other| other != name && super::claims::collide(other, name)))
}
