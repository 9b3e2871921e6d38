//! The status of a topic.

use innkeeper_crds::event_topic::TopicRecord;
use innkeeper_crds::{EventTopic, EventTopicStatus};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::conditions;
use super::outcome::TopicOutcome;
use crate::verdict::{self, Reason, Verdict};

/// The status of a topic. `owner_lives` says whether the owner of its object exists.
pub fn status(
    topic: &EventTopic,
    outcome: &TopicOutcome,
    verdict: &Verdict,
    owner_lives: bool,
    now: Timestamp,
) -> EventTopicStatus {
    let before = topic.status.clone().unwrap_or_default();
    // The loss counts from now, even if the topic was not ready before: the time for which the
    // platform is waited for starts now.
    let is_lost_now = verdict.reason == Reason::TopicLost && !conditions::is_lost(topic);
    let conditions_before = if is_lost_now {
        &[][..]
    } else {
        &before.conditions
    };
    let observed = match outcome {
        TopicOutcome::Settled(_, observed) => Some(observed),
        TopicOutcome::Impossible(impossible) => Some(&impossible.observed),
        _ => None,
    };
    EventTopicStatus {
        observed_generation: topic.metadata.generation.unwrap_or_default(),
        conditions: verdict::conditions(verdict, topic.metadata.generation, conditions_before, now),
        partitions: observed.map_or(before.partitions, |it| Some(it.partitions)),
        replication: observed.map_or(before.replication, |it| Some(it.replication)),
        topic: record(topic, outcome, owner_lives),
    }
}

/// The topic to record: the one that is as described while the object's owner exists, else the one
/// recorded before.
fn record(topic: &EventTopic, outcome: &TopicOutcome, owner_lives: bool) -> Option<TopicRecord> {
    match outcome {
        TopicOutcome::Settled(cluster_id, observed) if owner_lives => Some(TopicRecord {
            cluster_id: cluster_id.clone(),
            topic_id: observed.id.clone(),
            recorded_for: topic.uid().unwrap_or_default(),
        }),
        _ => topic.recorded_topic().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::topic::{ObservedTopic, TopicLookup, settled};

    fn described(status: &serde_json::Value) -> EventTopic {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "uid": "its-own" },
            "spec": { "topicName": "rentcar", "partitions": 12 },
            "status": status,
        }))
        .unwrap()
    }

    fn seen(partitions: u32) -> TopicLookup {
        TopicLookup {
            cluster_id: Some("cluster".to_owned()),
            topic: Some(ObservedTopic {
                id: Some("topic".to_owned()),
                partitions,
                replication: 1,
                ..ObservedTopic::default()
            }),
        }
    }

    #[test]
    fn a_topic_is_settled_only_once_it_was_seen_as_it_should_be() {
        let spec = described(&json!({})).spec;
        let is_settled = |found| matches!(settled(&spec, found), TopicOutcome::Settled(..));
        assert!(is_settled(seen(12)));
        assert!(!is_settled(seen(6)));
        assert!(!is_settled(TopicLookup::default()));
    }

    #[test]
    fn a_topic_is_recorded_while_the_owner_of_its_object_lives() {
        let new = described(&json!({}));
        let outcome = settled(&new.spec, seen(12));
        assert_eq!(record(&new, &outcome, false), None);
        let recorded = record(&new, &outcome, true).unwrap();
        assert_eq!(recorded.topic_id.as_deref(), Some("topic"));
        assert_eq!(recorded.cluster_id.as_deref(), Some("cluster"));
        assert_eq!(recorded.recorded_for, "its-own");
    }

    #[test]
    fn a_record_outlives_its_owner_but_not_its_object() {
        let record_for = |uid: &str| json!({ "topic": { "topicId": "topic", "recordedFor": uid } });
        let of = |uid| record(&described(&record_for(uid)), &TopicOutcome::Unseen, false);
        assert!(of("its-own").is_some());
        assert_eq!(of("its-former-self"), None);
    }
}
