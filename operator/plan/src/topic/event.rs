//! Kubernetes events about a topic, which are also logged. Every kind of change has its own words,
//! so that nobody mistakes the loss of all records for a repair.

use innkeeper_crds::EventTopic;

use super::history::Fate;
use super::plan::TopicPlan;

/// An event about something that was done to a topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TopicEvent {
    /// Whether somebody should act on it.
    pub severity: Severity,
    /// What was done, in one word.
    pub reason: &'static str,
    /// What was done, in a sentence.
    pub note: String,
}

/// Whether somebody should act on an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    /// Nobody has to act.
    Normal,
    /// Everyone who needs the records should act.
    Warning,
}

fn normal(reason: &'static str, note: String) -> TopicEvent {
    TopicEvent {
        severity: Severity::Normal,
        reason,
        note,
    }
}

fn warning(reason: &'static str, note: String) -> TopicEvent {
    TopicEvent {
        severity: Severity::Warning,
        ..normal(reason, note)
    }
}

/// What a plan has done; `None` if it did nothing.
pub fn of_plan(topic: &EventTopic, plan: &TopicPlan, fate: Fate) -> Option<TopicEvent> {
    let name = &topic.spec.topic_name;
    match plan {
        TopicPlan::Create => Some(match fate {
            Fate::Deleted | Fate::Replaced => warning(
                "TopicRecreated",
                format!(
                    "someone deleted topic {name} with all its records; it was made anew and is empty"
                ),
            ),
            Fate::Unrecorded if plan.repairs_drift(topic) => warning(
                "TopicRecreated",
                format!(
                    "topic {name} was gone although the status of its object says that it was ready; it was made anew and is empty"
                ),
            ),
            Fate::Unrecorded | Fate::There | Fate::Moved => {
                normal("TopicCreated", format!("topic {name} was created"))
            }
        }),
        TopicPlan::Change { .. } if plan.is_nothing() => None,
        TopicPlan::Change { .. } => Some(if plan.repairs_drift(topic) {
            let note = format!(
                "topic {name} had been changed by someone else and was put back: {}",
                changes(plan)
            );
            warning("DriftRepaired", note)
        } else {
            let note = format!("topic {name} was changed: {}", changes(plan));
            normal("TopicChanged", note)
        }),
    }
}

/// What to report if the topic differs from the recorded one although it is as described.
pub fn of_fate(topic: &EventTopic, fate: Fate) -> Option<TopicEvent> {
    let name = &topic.spec.topic_name;
    match fate {
        Fate::Moved => Some(warning(
            "KafkaMoved",
            format!(
                "the brokers belong to another Kafka cluster now: topic {name} there goes on from what that cluster has; what the former one has stays there"
            ),
        )),
        // The status reports a loss before anything else happens.
        Fate::Unrecorded | Fate::There | Fate::Deleted | Fate::Replaced => None,
    }
}

/// The topic was deleted because its object was.
pub fn deleted(name: &str) -> TopicEvent {
    let note = format!("topic {name} was deleted with all its records, as its deletionPolicy says");
    normal("TopicDeleted", note)
}

/// The topic was kept although its object asked for its deletion.
pub fn kept(name: &str, why: &str) -> TopicEvent {
    let note = format!("topic {name} is kept although its deletionPolicy is Delete: {why}");
    warning("TopicKept", note)
}

fn changes(plan: &TopicPlan) -> String {
    let TopicPlan::Change { partitions, config } = plan else {
        return String::new();
    };
    let partitions = partitions.map(|count| format!("partitions are {count} now"));
    let config = config.as_ref().map(|config| {
        let names: Vec<_> = config.keys().map(String::as_str).collect();
        match names.as_slice() {
            [] => "all settings of its own were removed".to_owned(),
            names => format!("its own settings are {} now", names.join(", ")),
        }
    });
    let changes: Vec<_> = partitions.into_iter().chain(config).collect();
    changes.join("; ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn topic(status: &serde_json::Value) -> EventTopic {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "generation": 1 },
            "spec": { "topicName": "rentcar" },
            "status": status,
        }))
        .unwrap()
    }

    fn settled() -> EventTopic {
        topic(&json!({
            "observedGeneration": 1,
            "conditions": [{
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        }))
    }

    fn reason(topic: &EventTopic, plan: &TopicPlan, fate: Fate) -> Option<&'static str> {
        of_plan(topic, plan, fate).map(|event| event.reason)
    }

    #[test]
    fn each_kind_of_change_has_a_word_of_its_own() {
        let grown = TopicPlan::Change {
            partitions: Some(12),
            config: None,
        };
        let nothing = TopicPlan::Change {
            partitions: None,
            config: None,
        };
        let new = topic(&json!({}));
        for (topic, plan, fate, expected) in [
            (
                &new,
                &TopicPlan::Create,
                Fate::Unrecorded,
                Some("TopicCreated"),
            ),
            (
                &settled(),
                &TopicPlan::Create,
                Fate::Deleted,
                Some("TopicRecreated"),
            ),
            (
                &settled(),
                &TopicPlan::Create,
                Fate::Unrecorded,
                Some("TopicRecreated"),
            ),
            (
                &settled(),
                &TopicPlan::Create,
                Fate::Moved,
                Some("TopicCreated"),
            ),
            (&settled(), &grown, Fate::There, Some("DriftRepaired")),
            (&new, &grown, Fate::Unrecorded, Some("TopicChanged")),
            (&settled(), &nothing, Fate::There, None),
        ] {
            assert_eq!(reason(topic, plan, fate), expected, "{plan:?} {fate:?}");
        }
    }

    #[test]
    fn a_topic_of_another_cluster_is_told_of_and_one_that_is_there_is_not() {
        let of = |fate| of_fate(&settled(), fate).map(|event| event.reason);
        assert_eq!(of(Fate::Moved), Some("KafkaMoved"));
        assert_eq!(of(Fate::There), None);
        assert_eq!(of(Fate::Deleted), None);
    }

    #[test]
    fn a_change_names_settings_but_no_values() {
        let plan = TopicPlan::Change {
            partitions: None,
            config: Some(BTreeMap::from([(
                "retention.ms".to_owned(),
                "60000".to_owned(),
            )])),
        };
        let note = of_plan(&settled(), &plan, Fate::There).unwrap().note;
        assert!(
            note.ends_with("its own settings are retention.ms now"),
            "{note}"
        );
    }
}
