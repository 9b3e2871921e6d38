//! How a topic stands.

use innkeeper_crds::EventTopic;
use rdkafka::types::RDKafkaErrorCode;

use super::Outcome;
use super::plan::{Impossible, Why};
use crate::kafka::KafkaError;
use crate::verdict::{Reason, Verdict};

/// How a topic stands, why, and what to do.
pub(super) fn verdict(topic: &EventTopic, outcome: &Outcome) -> Verdict {
    let name = &topic.spec.topic_name;
    match outcome {
        Outcome::Settled(observed) => Verdict::ready(
            Reason::Ready,
            format!("topic {name} has {} partitions", observed.partitions),
        ),
        Outcome::Unseen => Verdict::reconciling(
            Reason::Progressing,
            format!("waits until the brokers know topic {name} as it is described"),
        ),
        Outcome::Impossible(it) => impossible(topic, it),
        Outcome::TakenBy(older) => Verdict::stalled(
            Reason::NameTaken,
            format!(
                "EventTopic {older} describes topic {name} already: choose another topicName, or delete one of the two"
            ),
        ),
        Outcome::NoBrokers => Verdict::stalled(
            Reason::Invalid,
            "no Kafka is configured: name its brokers in spec.bootstrapServers, or as kafka.bootstrapServers in the chart's values",
        ),
        Outcome::Failed(KafkaError::Unreachable { brokers, source }) => Verdict::reconciling(
            Reason::KafkaUnreachable,
            format!("no broker at {brokers} answers ({source}); trying again"),
        ),
        Outcome::Failed(KafkaError::Refused { call, code }) => Verdict::stalled(
            Reason::KafkaRefused,
            format!(
                "Kafka refuses {call} of topic {name}: {code}{}",
                remedy(*code)
            ),
        ),
    }
}

/// What to do about a common refusal.
const fn remedy(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => ": lower replication, or add brokers",
        RDKafkaErrorCode::InvalidConfig => ": correct config",
        RDKafkaErrorCode::PolicyViolation => {
            ": ask for what the brokers' policy allows, or change the policy"
        }
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            ": allow it to the operator in Kafka's ACLs"
        }
        _ => "",
    }
}

fn impossible(topic: &EventTopic, Impossible { why, observed }: &Impossible) -> Verdict {
    let spec = &topic.spec;
    let name = &spec.topic_name;
    let (has, wants) = (observed.partitions, spec.partitions);
    match why {
        Why::Shrink => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions and Kafka only adds them: ask for at least {has} instead of {wants}"
            ),
        ),
        Why::Grow => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions and is a platform's own, whose keys would move: ask for {has} instead of {wants}, or for a topic of another name"
            ),
        ),
        Why::Replicate => Verdict::stalled(
            Reason::ReplicationFixed,
            format!(
                "topic {name} has {} replicas of each partition: leave replication out, or change it with Kafka's own tools",
                observed.replication
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::KafkaError as ClientError;
    use serde_json::json;

    use super::*;

    fn message(error: KafkaError) -> String {
        let topic = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar" },
            "spec": { "topicName": "rentcar" },
        }));
        verdict(&topic.unwrap(), &Outcome::Failed(error)).message
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let said = message(KafkaError::Refused {
            call: "create_topics",
            code: RDKafkaErrorCode::InvalidReplicationFactor,
        });
        assert!(said.starts_with("Kafka refuses create_topics of topic rentcar"));
        assert!(
            said.ends_with(": lower replication, or add brokers"),
            "{said}"
        );
    }

    #[test]
    fn an_outage_says_its_cause() {
        let said = message(KafkaError::Unreachable {
            brokers: "kafka:9092".to_owned(),
            source: ClientError::AdminOp(RDKafkaErrorCode::OperationTimedOut),
        });
        assert!(
            said.starts_with("no broker at kafka:9092 answers (Admin operation error"),
            "{said}"
        );
    }
}
