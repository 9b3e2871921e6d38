//! Which state a topic is in, and why.

use innkeeper_crds::EventTopic;
use innkeeper_crds::event_topic::{DeletionPolicy, MOST_PARTITIONS};
use kube::ResourceExt as _;

use super::failure::KafkaFailure;
use super::history::Fate;
use super::outcome::TopicOutcome;
use super::plan::{Impossible, Why};
use crate::names;
use crate::verdict::{READY, Reason, Verdict};

/// The state of a topic, the reason and the remedy. A topic that was lost keeps that reason until
/// it is as described again.
pub fn verdict(topic: &EventTopic, outcome: &TopicOutcome, brokers: &str) -> Verdict {
    let verdict = of_outcome(topic, outcome, brokers);
    let is_news = matches!(outcome, TopicOutcome::Settled(..) | TopicOutcome::Lost(_));
    if is_news || !is_lost(topic) {
        return verdict;
    }
    Verdict {
        reason: Reason::TopicLost,
        ..verdict
            .clone()
            .saying(format!("its records are gone; {}", verdict.message))
    }
}

/// Whether the status says that the topic was lost.
pub fn is_lost(topic: &EventTopic) -> bool {
    let conditions = topic.status.iter().flat_map(|it| &it.conditions);
    let mut ready = conditions.filter(|condition| condition.kind == READY);
    ready.any(|ready| ready.reason == Reason::TopicLost.word())
}

fn of_outcome(topic: &EventTopic, outcome: &TopicOutcome, brokers: &str) -> Verdict {
    let name = &topic.spec.topic_name;
    match outcome {
        TopicOutcome::Settled(_, observed) => Verdict::ready(
            Reason::Ready,
            format!("topic {name} has {} partitions", observed.partitions),
        ),
        TopicOutcome::Lost(fate) => Verdict::reconciling(Reason::TopicLost, lost(name, *fate)),
        TopicOutcome::Unseen => Verdict::reconciling(
            Reason::Progressing,
            format!("waits until the brokers know topic {name} as it is described"),
        ),
        TopicOutcome::Impossible(it) => impossible(topic, it, brokers),
        TopicOutcome::TakenBy(older) => Verdict::stalled(
            Reason::NameTaken,
            format!(
                "EventTopic {} describes topic {} already{}: {}, or delete the other",
                older.object,
                older.topic_name,
                taken_for(name, &older.topic_name),
                another_name(topic)
            ),
        ),
        TopicOutcome::Collides(other) => Verdict::stalled(
            Reason::NameTaken,
            format!(
                "Kafka has topic {other}{}: {}",
                taken_for(name, other),
                another_name(topic)
            ),
        ),
        TopicOutcome::NoBrokers => Verdict::stalled(
            Reason::Invalid,
            format!(
                "no Kafka is configured: name its brokers in {}, or as kafka.bootstrapServers in the chart's values",
                match &topic.spec.platform {
                    Some(platform) =>
                        format!("spec.messaging.bootstrapServers of platform {platform}"),
                    None => "spec.bootstrapServers".to_owned(),
                }
            ),
        ),
        TopicOutcome::OwnNamespace => Verdict::stalled(
            Reason::Invalid,
            "deletionPolicy: Delete does nothing in the operator's own namespace, which could never be deleted while a topic is waited for: give the platform a namespace of its own, or ask for Retain",
        ),
        TopicOutcome::NotDeleted(why) => Verdict::reconciling(
            Reason::DeletionFailed,
            format!(
                "topic {name} cannot be deleted: {why}; trying again. To keep the topic and let this object go: {}",
                retain(topic)
            ),
        ),
        TopicOutcome::Failed(failure) => failed(name, failure),
    }
}

fn failed(name: &str, failure: &KafkaFailure) -> Verdict {
    match failure {
        KafkaFailure::Unreachable { brokers, cause } => Verdict::reconciling(
            Reason::KafkaUnreachable,
            format!("no broker at {brokers} answers ({cause}); trying again"),
        ),
        KafkaFailure::Unusable { brokers, cause } => Verdict::reconciling(
            Reason::KafkaUnreachable,
            format!("the operator's Secret for {brokers} cannot be used ({cause}); trying again"),
        ),
        KafkaFailure::Refused { call, code, remedy } => {
            let remedy = remedy.map(|it| format!(": {it}")).unwrap_or_default();
            Verdict::stalled(
                Reason::KafkaRefused,
                format!("Kafka refuses {call} of topic {name}: {code}{remedy}"),
            )
        }
    }
}

fn lost(name: &str, fate: Fate) -> String {
    match fate {
        Fate::Replaced => format!(
            "someone deleted topic {name} with all its records and made another of that name"
        ),
        _ => format!("someone deleted topic {name} with all its records; it is made anew"),
    }
}

/// An explanation why a different name collides; empty if the names are equal.
fn taken_for(name: &str, other: &str) -> String {
    if name == other {
        return String::new();
    }
    format!(", whose name Kafka takes for the same as {name} (a dot counts as an underscore)")
}

/// How to choose another name. A topic keeps its name, so that takes another object.
fn another_name(topic: &EventTopic) -> String {
    match &topic.spec.platform {
        Some(platform) => format!(
            "delete platform {platform} and apply it again with another spec.messaging.topic.name"
        ),
        None => "delete this EventTopic and apply one with another topicName".to_owned(),
    }
}

/// What to do before deleting a platform that would delete its topic, too.
fn keep_records(topic: &EventTopic, platform: &str) -> String {
    match topic.spec.deletion_policy {
        DeletionPolicy::Retain => String::new(),
        DeletionPolicy::Delete => format!(
            "to keep its records, ask for spec.messaging.topic.deletionPolicy: Retain in platform {platform}, and wait until EventTopic {} has it; then ",
            topic.metadata.name.as_deref().unwrap_or_default()
        ),
    }
}

/// The command that keeps the topic when its object is deleted.
fn retain(topic: &EventTopic) -> String {
    let namespace = topic.metadata.namespace.as_deref().unwrap_or("default");
    format!(
        "kubectl patch eventtopic {} --namespace {namespace} --type merge --patch '{{\"spec\":{{\"deletionPolicy\":\"Retain\"}}}}'",
        topic.metadata.name.as_deref().unwrap_or_default()
    )
}

/// What to do about a topic that cannot become as described, in steps that the rules of the API
/// allow.
fn impossible(
    topic: &EventTopic,
    Impossible { why, observed }: &Impossible,
    brokers: &str,
) -> Verdict {
    let spec = &topic.spec;
    let name = &spec.topic_name;
    let (has, wants) = (observed.partitions, spec.partitions);
    let delete = format!(
        "if nobody needs its records, delete it with Kafka's tools (kafka-topics.sh --bootstrap-server {brokers} --delete --topic {name}), and it is made as described"
    );
    let ask_for = match &spec.platform {
        Some(platform) => format!(
            "{}delete platform {platform} and apply it again with spec.messaging.topic.partitions: {has}{}",
            keep_records(topic, platform),
            with_name(topic, platform)
        ),
        None => format!("ask for at least {has}"),
    };
    let remedy = if has > MOST_PARTITIONS {
        delete.clone()
    } else {
        format!("{ask_for}; or, {delete}")
    };
    match why {
        Why::Shrink => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions instead of {wants}, and Kafka only adds them: {remedy}"
            ),
        ),
        Why::Grow => Verdict::stalled(
            Reason::PartitionsFixed,
            format!(
                "topic {name} has {has} partitions instead of {wants}, and is a platform's own, whose keys would move: {remedy}"
            ),
        ),
        Why::Replicate => Verdict::stalled(
            Reason::ReplicationFixed,
            format!(
                "topic {name} has {} replicas of each partition: leave replication out, or change it with Kafka's own tools (kafka-reassign-partitions.sh); or, {delete}",
                observed.replication
            ),
        ),
    }
}

/// The name to give when a platform is applied again: without one it would get the default topic of
/// its namespace.
fn with_name(topic: &EventTopic, platform: &str) -> String {
    let name = &topic.spec.topic_name;
    let namespace = topic.namespace().unwrap_or_default();
    if *name == names::default_topic(&namespace, platform) {
        String::new()
    } else {
        format!(" and spec.messaging.topic.name: {name}")
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::EventTopicStatus;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::topic::ObservedTopic;
    use crate::verdict::{State, conditions};

    fn topic(platform: Option<&str>) -> EventTopic {
        let topic = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "namespace": "shop" },
            "spec": { "topicName": "rentcar", "platform": platform },
        }));
        topic.unwrap()
    }

    fn said(topic: &EventTopic, outcome: &TopicOutcome) -> String {
        verdict(topic, outcome, "kafka:9092").message
    }

    fn message(failure: KafkaFailure) -> String {
        said(&topic(None), &TopicOutcome::Failed(failure))
    }

    fn unreachable() -> KafkaFailure {
        KafkaFailure::Unreachable {
            brokers: "kafka:9092".to_owned(),
            cause: "Local: Timed out".to_owned(),
        }
    }

    fn with(why: Why, partitions: u32) -> TopicOutcome {
        let observed = ObservedTopic {
            partitions,
            ..ObservedTopic::default()
        };
        TopicOutcome::Impossible(Impossible { why, observed })
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let said = message(KafkaFailure::Refused {
            call: "create_topics",
            code: "Broker: Invalid replication factor".to_owned(),
            remedy: Some("lower replication, or add brokers"),
        });
        assert!(said.starts_with("Kafka refuses create_topics of topic rentcar"));
        assert!(
            said.ends_with(": lower replication, or add brokers"),
            "{said}"
        );
    }

    #[test]
    fn an_outage_says_its_cause() {
        let said = message(unreachable());
        assert!(
            said.starts_with("no broker at kafka:9092 answers (Local: Timed out)"),
            "{said}"
        );
    }

    #[test]
    fn a_remedy_asks_for_what_the_rules_of_the_api_accept() {
        let own = said(&topic(Some("rentcar")), &with(Why::Grow, 1));
        assert!(
            own.contains(
                "delete platform rentcar and apply it again with spec.messaging.topic.partitions: 1 and spec.messaging.topic.name: rentcar; or"
            ),
            "{own}"
        );
        let mut by_default = topic(Some("rentcar"));
        by_default.spec.topic_name = "shop.rentcar".to_owned();
        let own = said(&by_default, &with(Why::Grow, 1));
        assert!(own.contains("topic.partitions: 1; or"), "{own}");
        let own = said(&topic(Some("rentcar")), &with(Why::Grow, 1));
        assert!(
            own.contains("kafka-topics.sh --bootstrap-server kafka:9092 --delete --topic rentcar"),
            "{own}"
        );
        let mut taken_along = topic(Some("rentcar"));
        taken_along.spec.deletion_policy = DeletionPolicy::Delete;
        let kept = said(&taken_along, &with(Why::Grow, 1));
        assert!(
            kept.contains(
                "to keep its records, ask for spec.messaging.topic.deletionPolicy: Retain in platform rentcar, and wait until EventTopic rentcar has it; then delete platform rentcar"
            ),
            "{kept}"
        );
        let more = said(&topic(None), &with(Why::Shrink, 13));
        assert!(more.contains("ask for at least 13; or,"), "{more}");
        let most = said(&topic(None), &with(Why::Shrink, MOST_PARTITIONS + 1));
        assert!(!most.contains("ask for"), "{most}");
    }

    #[test]
    fn a_name_that_kafka_takes_for_another_is_refused_with_that_other() {
        let mut orders = topic(None);
        orders.spec.topic_name = "team_orders".to_owned();
        let said = said(&orders, &TopicOutcome::Collides("team.orders".to_owned()));
        assert_eq!(
            said,
            "Kafka has topic team.orders, whose name Kafka takes for the same as team_orders (a dot counts as an underscore): delete this EventTopic and apply one with another topicName"
        );
    }

    #[test]
    fn a_topic_that_was_lost_stays_so_until_it_is_seen_again() {
        let mut lost = topic(None);
        let gone = verdict(&lost, &TopicOutcome::Lost(Fate::Deleted), "kafka:9092");
        assert_eq!(gone.reason, Reason::TopicLost);
        lost.status = Some(EventTopicStatus {
            conditions: conditions(&gone, Some(1), &[], Timestamp::UNIX_EPOCH),
            ..EventTopicStatus::default()
        });
        let reason = |outcome| verdict(&lost, &outcome, "kafka:9092").reason;
        assert_eq!(reason(TopicOutcome::Unseen), Reason::TopicLost);
        assert_eq!(
            reason(TopicOutcome::Failed(unreachable())),
            Reason::TopicLost
        );
        let settled = TopicOutcome::Settled(None, ObservedTopic::default());
        assert_eq!(reason(settled), Reason::Ready);
        let stuck = verdict(&lost, &with(Why::Shrink, 13), "kafka:9092");
        assert_eq!(stuck.reason, Reason::TopicLost);
        assert_eq!(stuck.state, State::Stalled);
        assert!(stuck.message.contains("ask for at least 13"));
    }

    #[test]
    fn an_object_that_waits_for_its_topic_says_how_to_let_it_go() {
        let said = said(
            &topic(None),
            &TopicOutcome::NotDeleted("no broker answers".to_owned()),
        );
        assert!(
            said.ends_with("kubectl patch eventtopic rentcar --namespace shop --type merge --patch '{\"spec\":{\"deletionPolicy\":\"Retain\"}}'"),
            "{said}"
        );
    }
}
