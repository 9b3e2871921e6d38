//! What has to be done about a topic, from what is asked for and what there is.

use std::collections::BTreeMap;

use innkeeper_crds::event_topic::TopicConfig;
use innkeeper_crds::{EventTopic, EventTopicSpec};

use crate::kafka::ObservedTopic;

/// What has to be done about a topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Plan {
    /// It does not exist yet.
    Create,
    /// It is as it should be, but for these.
    Change {
        /// Partitions that it should have, if it has fewer.
        partitions: Option<u32>,
        /// All settings that it should have, if it has others.
        config: Option<BTreeMap<String, String>>,
    },
    /// It cannot become as it should be.
    Impossible(Impossible),
}

/// Why a topic cannot become as it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Impossible {
    /// It has more partitions, and Kafka only adds them.
    Shrink,
    /// It is a platform's own, whose keys would move.
    Grow,
    /// It has another number of replicas.
    Replicate,
}

/// What has to be done about a topic.
pub(super) fn plan(spec: &EventTopicSpec, observed: Option<&ObservedTopic>) -> Plan {
    let Some(observed) = observed else {
        return Plan::Create;
    };
    if observed.partitions > spec.partitions {
        return Plan::Impossible(Impossible::Shrink);
    }
    let grows = observed.partitions < spec.partitions;
    if grows && spec.platform.is_some() {
        return Plan::Impossible(Impossible::Grow);
    }
    if spec
        .replication
        .is_some_and(|it| it != observed.replication)
    {
        return Plan::Impossible(Impossible::Replicate);
    }
    let config = config(spec);
    Plan::Change {
        partitions: grows.then_some(spec.partitions),
        config: (config != observed.config).then_some(config),
    }
}

/// All settings that a topic should have.
pub(super) fn config(spec: &EventTopicSpec) -> BTreeMap<String, String> {
    spec.config
        .as_ref()
        .map(TopicConfig::entries)
        .unwrap_or_default()
}

impl Plan {
    /// Whether there is nothing to do.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(
            self,
            Self::Change {
                partitions: None,
                config: None,
            }
        )
    }

    /// Whether someone else must have changed the topic: this very generation had been settled before.
    pub(super) fn repairs_drift(&self, topic: &EventTopic) -> bool {
        let settled = topic.status.as_ref().is_some_and(|status| {
            Some(status.observed_generation) == topic.metadata.generation
                && crate::verdict::holds(&status.conditions, crate::verdict::State::Ready)
        });
        settled && !self.is_nothing()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(changes: &serde_json::Value) -> EventTopicSpec {
        let mut spec = json!({ "topicName": "rentcar", "partitions": 12 });
        for (key, value) in changes.as_object().unwrap() {
            spec[key] = value.clone();
        }
        serde_json::from_value(spec).unwrap()
    }

    fn observed(partitions: u32, config: &[(&str, &str)]) -> ObservedTopic {
        ObservedTopic {
            partitions,
            replication: 1,
            config: config
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    const NOTHING: Plan = Plan::Change {
        partitions: None,
        config: None,
    };

    #[test]
    fn a_topic_that_is_missing_is_created() {
        assert_eq!(plan(&spec(&json!({})), None), Plan::Create);
    }

    #[test]
    fn a_topic_that_is_as_described_is_left_alone() {
        let kept = json!({ "config": { "retention.ms": 60_000 } });
        let there = observed(12, &[("retention.ms", "60000")]);
        assert_eq!(plan(&spec(&kept), Some(&there)), NOTHING);
    }

    #[test]
    fn a_change_of_one_setting_sends_them_all() {
        let both = json!({ "config": { "retention.ms": 60_000, "cleanup.policy": "delete" } });
        let there = observed(12, &[("retention.ms", "1"), ("cleanup.policy", "delete")]);
        let Plan::Change {
            config: Some(config),
            ..
        } = plan(&spec(&both), Some(&there))
        else {
            panic!("the settings differ");
        };
        assert_eq!(config.len(), 2);
    }

    #[test]
    fn a_setting_that_someone_added_is_taken_away() {
        let there = observed(12, &[("retention.ms", "1")]);
        assert_eq!(
            plan(&spec(&json!({})), Some(&there)),
            Plan::Change {
                partitions: None,
                config: Some(BTreeMap::new()),
            }
        );
    }

    #[test]
    fn partitions_are_only_added_and_never_to_a_platforms_own_topic() {
        let own = json!({ "platform": "rentcar" });
        let other = json!({});
        let plan_of = |changes, partitions| plan(&spec(changes), Some(&observed(partitions, &[])));
        assert_eq!(plan_of(&other, 13), Plan::Impossible(Impossible::Shrink));
        assert_eq!(plan_of(&own, 13), Plan::Impossible(Impossible::Shrink));
        assert_eq!(plan_of(&own, 11), Plan::Impossible(Impossible::Grow));
        assert_eq!(
            plan_of(&other, 11),
            Plan::Change {
                partitions: Some(12),
                config: None,
            }
        );
    }

    #[test]
    fn replicas_cannot_change() {
        let three = json!({ "replication": 3 });
        assert_eq!(
            plan(&spec(&three), Some(&observed(12, &[]))),
            Plan::Impossible(Impossible::Replicate)
        );
    }
}
