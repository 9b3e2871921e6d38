//! Carries a topic's plan out on Kafka.

use innkeeper_crds::EventTopicSpec;

use super::plan::{Plan, config};
use crate::kafka::{KafkaError, Topics};

/// Carries a topic's plan out.
pub(super) async fn apply(
    kafka: &Topics<'_>,
    spec: &EventTopicSpec,
    plan: &Plan,
) -> Result<(), KafkaError> {
    let name = &spec.topic_name;
    match plan {
        Plan::Create => {
            kafka
                .create(name, spec.partitions, spec.replication, &config(spec))
                .await
        }
        Plan::Change { partitions, config } => {
            if let Some(partitions) = partitions {
                kafka.grow(name, *partitions).await?;
            }
            if let Some(config) = config {
                kafka.configure(name, config).await?;
            }
            Ok(())
        }
    }
}
