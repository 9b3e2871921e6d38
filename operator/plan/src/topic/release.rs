//! Decides whether a topic is deleted with its object. It is only if it is certainly the topic that
//! the object recorded while its owner existed, and if no other object names it.

use innkeeper_crds::EventTopic;
use innkeeper_crds::event_topic::DeletionPolicy;

use super::history::{Fate, fate, is_the_very_topic};
use super::observed::TopicLookup;

/// Whether a topic is deleted with its object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Release {
    Delete,
    /// There is no topic to delete.
    Nothing,
    /// Keep the topic, for this reason.
    Keep(String),
}

/// What to do about the topic of an object that is being deleted; `named_by` is another object that
/// names the topic and stays.
pub fn decision(topic: &EventTopic, found: &TopicLookup, named_by: Option<String>) -> Release {
    if found.topic.is_none() {
        return Release::Nothing;
    }
    let record = topic.recorded_topic();
    let keep = |why: &str| Release::Keep(why.to_owned());
    match (record, fate(record, found)) {
        (_, Fate::Moved) => {
            keep("its brokers belong to another Kafka cluster than the one that had it")
        }
        (_, Fate::Replaced) => keep("someone has made it anew, and its records are another's"),
        (Some(record), _) if is_the_very_topic(record, found) => match named_by {
            Some(other) => Release::Keep(format!("{other} names it")),
            None => Release::Delete,
        },
        (None, _) => keep("it was never seen as described while the owner of this object lived"),
        (Some(_), _) => keep("its brokers give no ids, so that it may be another one"),
    }
}

/// Whether an object asks for the deletion of its topic.
pub fn deletes(topic: &EventTopic) -> bool {
    topic.spec.deletion_policy == DeletionPolicy::Delete
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::history::tests::{found, nothing};
    use super::*;

    fn topic(recorded_for: &str, cluster_id: &str, topic_id: &str) -> EventTopic {
        let id = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "uid": "its-own" },
            "spec": { "topicName": "rentcar", "deletionPolicy": "Delete" },
            "status": { "topic": {
                "clusterId": id(cluster_id),
                "topicId": id(topic_id),
                "recordedFor": recorded_for,
            } },
        }))
        .unwrap()
    }

    fn why(released: Release) -> String {
        match released {
            Release::Keep(why) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_topic_is_deleted_when_it_is_the_recorded_one_and_nobody_else_names_it() {
        let mine = topic("its-own", "cluster", "topic");
        let there = found("cluster", "topic");
        assert_eq!(decision(&mine, &there, None), Release::Delete);
        let platform = Some("BookingPlatform default/rentcar".to_owned());
        assert_eq!(
            why(decision(&mine, &there, platform)),
            "BookingPlatform default/rentcar names it"
        );
    }

    #[test]
    fn a_restored_status_counts_for_nothing() {
        let restored = topic("its-former-self", "cluster", "topic");
        let said = why(decision(&restored, &found("cluster", "topic"), None));
        assert!(said.starts_with("it was never seen"), "{said}");
    }

    #[test]
    fn another_topic_of_that_name_is_kept() {
        let mine = topic("its-own", "cluster", "topic");
        let anew = why(decision(&mine, &found("cluster", "another"), None));
        assert!(anew.contains("made it anew"), "{anew}");
        let moved = why(decision(&mine, &found("elsewhere", "another"), None));
        assert!(moved.contains("another Kafka cluster"), "{moved}");
    }

    #[test]
    fn a_topic_without_an_id_is_kept() {
        let mine = topic("its-own", "cluster", "");
        let said = why(decision(&mine, &found("cluster", ""), None));
        assert!(said.contains("no ids"), "{said}");
    }

    #[test]
    fn a_topic_that_is_gone_needs_no_deletion() {
        let mine = topic("its-own", "cluster", "topic");
        assert_eq!(decision(&mine, &nothing("cluster"), None), Release::Nothing);
    }
}
