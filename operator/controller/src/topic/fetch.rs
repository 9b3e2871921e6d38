//! What a topic's brokers have.

use innkeeper_crds::EventTopicSpec;
use innkeeper_plan::topic::rivals::collide;
use innkeeper_plan::topic::{TopicLookup, plan};

use crate::kafka::{KafkaError, Topics};

/// Whether a topic ever had a record, where the plan depends on it: the question is one for each partition.
pub(super) async fn fetch_was_written(
    kafka: &Topics<'_>,
    spec: &EventTopicSpec,
    found: &TopicLookup,
) -> Result<bool, KafkaError> {
    match &found.topic {
        Some(topic) if plan::depends_on_records(spec, topic) => {
            kafka
                .fetch_was_written(&spec.topic_name, topic.partitions)
                .await
        }
        _ => Ok(true),
    }
}

/// The topic that Kafka would take for the same as one that is to be made, if there is such a one.
pub(super) async fn fetch_colliding(
    kafka: &Topics<'_>,
    name: &str,
) -> Result<Option<String>, KafkaError> {
    let mut names = kafka.fetch_topic_names().await?.into_iter();
    Ok(names.find(|other| other != name && collide(other, name)))
}
