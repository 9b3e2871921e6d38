//! Fetches what brokers know about topics.

use innkeeper_crds::EventTopicSpec;
use innkeeper_plan::topic::rivals::collide;
use innkeeper_plan::topic::{TopicLookup, plan};

use crate::kafka::{KafkaError, Topics};

/// Whether a topic ever had a record. If the plan does not depend on that, the answer is `true`
/// without asking, because asking takes a call for each partition.
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

/// Fetches the name of a topic that collides with a new one, if there is any.
pub(super) async fn fetch_colliding(
    kafka: &Topics<'_>,
    name: &str,
) -> Result<Option<String>, KafkaError> {
    let mut names = kafka.fetch_topic_names().await?.into_iter();
    Ok(names.find(|other| other != name && collide(other, name)))
}
