//! How a topic stands.

use innkeeper_crds::EventTopic;

use super::Outcome;
use super::plan::Impossible;
use crate::kafka::{KafkaError, ObservedTopic};
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
            format!("waits until the brokers know topic {name}"),
        ),
        Outcome::Impossible(why, observed) => impossible(topic, *why, observed),
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
        Outcome::Failed(KafkaError::Unreachable { brokers, .. }) => Verdict::reconciling(
            Reason::KafkaUnreachable,
            format!("no broker at {brokers} answers; trying again"),
        ),
        Outcome::Failed(KafkaError::Refused { call, code }) => Verdict::stalled(
            Reason::KafkaRefused,
            format!("Kafka refuses {call} of topic {name}: {code}"),
        ),
    }
}

fn impossible(topic: &EventTopic, why: Impossible, observed: &ObservedTopic) -> Verdict {
    let spec = &topic.spec;
    let name = &spec.topic_name;
    let (has, wants) = (observed.partitions, spec.partitions);
    match why {
        Impossible::Shrink => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions and Kafka only adds them: ask for at least {has} instead of {wants}"
            ),
        ),
        Impossible::Grow => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions and is a platform's own, whose keys would move: ask for {has} instead of {wants}, or for a topic of another name"
            ),
        ),
        Impossible::Replicate => Verdict::stalled(
            Reason::ReplicationFixed,
            format!(
                "topic {name} has {} replicas of each partition: leave replication out, or change it with Kafka's own tools",
                observed.replication
            ),
        ),
    }
}
