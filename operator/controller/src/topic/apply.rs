//! Carries out a topic's plan in Kafka.

use innkeeper_crds::EventTopicSpec;
use innkeeper_plan::topic::plan::{TopicPlan, config};

use crate::kafka::{KafkaError, Topics};

/// The result of carrying out a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Applied {
    /// The plan was carried out.
    Done,
    /// Somebody else has created the topic in the meantime. The next reconciliation compares it.
    TooLate,
}

/// Carries out a topic's plan.
pub(super) async fn apply(
    kafka: &Topics<'_>,
    spec: &EventTopicSpec,
    plan: &TopicPlan,
) -> Result<Applied, KafkaError> {
    let name = &spec.topic_name;
    match plan {
        TopicPlan::Create => {
            let config = config(spec);
            let created = kafka.create(name, spec.partitions, spec.replication, &config);
            Ok(if created.await? {
                Applied::Done
            } else {
                Applied::TooLate
            })
        }
        TopicPlan::Change { partitions, config } => {
            if let Some(partitions) = partitions {
                kafka.grow(name, *partitions).await?;
            }
            if let Some(config) = config {
                kafka.configure(name, config).await?;
            }
            Ok(Applied::Done)
        }
    }
}
