//! What happened to the topic that a status records.

use innkeeper_crds::EventTopic;
use innkeeper_crds::event_topic::TopicRecord;

use super::observed::TopicLookup;

/// What happened to the topic that a status records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// No topic is recorded.
    Unrecorded,
    /// The topic exists, as far as the ids from Kafka tell.
    There,
    /// There is no topic with its name any more.
    Deleted,
    /// Somebody deleted the topic and created another one with its name.
    Replaced,
    /// The brokers belong to another Kafka cluster now.
    Moved,
}

impl Fate {
    /// Whether the records of the topic are gone.
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Deleted | Self::Replaced)
    }
}

/// What happened to a recorded topic, given what the brokers have under its name now.
pub fn fate(record: Option<&TopicRecord>, found: &TopicLookup) -> Fate {
    let Some(record) = record else {
        return Fate::Unrecorded;
    };
    if differ(record.cluster_id.as_ref(), found.cluster_id.as_ref()) {
        return Fate::Moved;
    }
    match &found.topic {
        None => Fate::Deleted,
        Some(topic) if differ(record.topic_id.as_ref(), topic.id.as_ref()) => Fate::Replaced,
        Some(_) => Fate::There,
    }
}

/// Whether the topic that exists is certainly the recorded one, in the recorded cluster.
pub fn is_the_very_topic(record: &TopicRecord, found: &TopicLookup) -> bool {
    let topic_id = found.topic.as_ref().and_then(|topic| topic.id.as_ref());
    let same =
        |recorded: Option<&String>, now: Option<&String>| recorded.is_some() && recorded == now;
    same(record.topic_id.as_ref(), topic_id)
        && same(record.cluster_id.as_ref(), found.cluster_id.as_ref())
}

/// Whether a topic differs from the one in its object's status, or has another number of
/// partitions.
pub fn is_different(topic: &EventTopic, found: &TopicLookup) -> bool {
    let status = topic.status.as_ref();
    let partitions = found.topic.as_ref().map(|it| it.partitions);
    let fate = fate(topic.recorded_topic(), found);
    !matches!(fate, Fate::There | Fate::Unrecorded)
        || partitions != status.and_then(|status| status.partitions)
}

/// Whether two ids differ. A missing id tells nothing.
fn differ(recorded: Option<&String>, now: Option<&String>) -> bool {
    matches!((recorded, now), (Some(recorded), Some(now)) if recorded != now)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::topic::ObservedTopic;

    pub(in crate::topic) fn record(cluster_id: &str, topic_id: &str) -> TopicRecord {
        let id = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        TopicRecord {
            cluster_id: id(cluster_id),
            topic_id: id(topic_id),
            recorded_for: "uid".to_owned(),
        }
    }

    pub(in crate::topic) fn found(cluster_id: &str, topic_id: &str) -> TopicLookup {
        let record = record(cluster_id, topic_id);
        TopicLookup {
            cluster_id: record.cluster_id,
            topic: Some(ObservedTopic {
                id: record.topic_id,
                ..ObservedTopic::default()
            }),
        }
    }

    pub(in crate::topic) fn nothing(cluster_id: &str) -> TopicLookup {
        TopicLookup {
            topic: None,
            ..found(cluster_id, "")
        }
    }

    #[test]
    fn the_ids_tell_what_happened_to_a_topic() {
        let recorded = record("cluster", "topic");
        for (now, expected) in [
            (found("cluster", "topic"), Fate::There),
            (found("cluster", "another"), Fate::Replaced),
            (nothing("cluster"), Fate::Deleted),
            (found("elsewhere", "another"), Fate::Moved),
            (nothing("elsewhere"), Fate::Moved),
        ] {
            assert_eq!(fate(Some(&recorded), &now), expected, "{now:?}");
        }
        assert_eq!(fate(None, &nothing("cluster")), Fate::Unrecorded);
    }

    #[test]
    fn brokers_that_give_no_ids_still_tell_that_a_topic_is_gone() {
        let recorded = record("", "");
        assert_eq!(fate(Some(&recorded), &nothing("")), Fate::Deleted);
        assert_eq!(fate(Some(&recorded), &found("", "")), Fate::There);
    }

    #[test]
    fn only_two_ids_that_are_the_same_make_it_the_very_topic() {
        let now = found("cluster", "topic");
        assert!(is_the_very_topic(&record("cluster", "topic"), &now));
        for another in [
            record("cluster", "another"),
            record("elsewhere", "topic"),
            record("cluster", ""),
            record("", "topic"),
        ] {
            assert!(!is_the_very_topic(&another, &now), "{another:?}");
        }
        assert!(!is_the_very_topic(&record("", ""), &found("", "")));
        assert!(!is_the_very_topic(
            &record("cluster", "topic"),
            &nothing("cluster")
        ));
    }

    fn looked_after(partitions: u32) -> EventTopic {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "uid": "its-own" },
            "spec": { "topicName": "rentcar" },
            "status": {
                "partitions": partitions,
                "topic": {
                    "clusterId": "cluster",
                    "topicId": "topic",
                    "recordedFor": "its-own",
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn changes_of_a_topic_by_others_are_noticed() {
        let topic = looked_after(0);
        assert!(!is_different(&topic, &found("cluster", "topic")));
        assert!(is_different(&topic, &nothing("cluster")));
        assert!(is_different(&topic, &found("cluster", "another")));
        assert!(is_different(&topic, &found("elsewhere", "topic")));
        assert!(is_different(&looked_after(1), &found("cluster", "topic")));
    }

    #[test]
    fn a_topic_that_was_seen_but_not_recorded_is_missed_too() {
        let mut topic = looked_after(0);
        topic.status.as_mut().unwrap().topic = None;
        assert!(!is_different(&topic, &found("cluster", "another")));
        assert!(is_different(&topic, &nothing("cluster")));
    }
}
