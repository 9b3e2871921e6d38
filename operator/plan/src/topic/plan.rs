//! Decides what to do about a topic, given what is described and what exists.

use std::collections::BTreeMap;

use innkeeper_crds::event_topic::TopicConfig;
use innkeeper_crds::{EventTopic, EventTopicSpec};

use super::observed::ObservedTopic;

/// What to do about a topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TopicPlan {
    /// Create the topic, which does not exist yet.
    Create,
    /// Change the topic. If both fields are `None`, it is as described.
    Change {
        /// The number of partitions to grow to, if there are too few.
        partitions: Option<u32>,
        /// All settings that the topic should have, if they differ.
        config: Option<BTreeMap<String, String>>,
    },
}

/// A topic that cannot become as described.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Impossible {
    pub why: Why,
    /// The topic as it is.
    pub observed: ObservedTopic,
}

/// Why a topic cannot become as described.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It has more partitions than described, and Kafka can only add some.
    Shrink,
    /// It belongs to a platform and has records, whose keys would move to other partitions.
    Grow,
    /// It has another number of replicas.
    Replicate,
}

/// Whether the plan depends on whether the topic ever had a record. The keys of a platform's topic
/// must not move to other partitions. But a topic that exists only because somebody asked about it
/// (`auto.create.topics.enable`) has no records.
pub fn depends_on_records(spec: &EventTopicSpec, observed: &ObservedTopic) -> bool {
    spec.platform.is_some() && observed.partitions < spec.partitions
}

/// What to do about a topic. `was_written` says whether it may ever have had a record.
pub fn plan(
    spec: &EventTopicSpec,
    observed: Option<&ObservedTopic>,
    was_written: bool,
) -> Result<TopicPlan, Impossible> {
    let Some(observed) = observed else {
        return Ok(TopicPlan::Create);
    };
    let impossible = |why| {
        let observed = observed.clone();
        Err(Impossible { why, observed })
    };
    if observed.partitions > spec.partitions {
        return impossible(Why::Shrink);
    }
    let grows = observed.partitions < spec.partitions;
    if was_written && depends_on_records(spec, observed) {
        return impossible(Why::Grow);
    }
    if spec
        .replication
        .is_some_and(|it| it != observed.replication)
    {
        return impossible(Why::Replicate);
    }
    let config = config(spec);
    Ok(TopicPlan::Change {
        partitions: grows.then_some(spec.partitions),
        config: (!are_same(&config, &observed.config)).then_some(config),
    })
}

/// Whether settings are equal, however Kafka formats them.
fn are_same(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> bool {
    ours.len() == theirs.len()
        && ours.iter().all(|(key, value)| {
            let other = theirs.get(key);
            other.is_some_and(|other| value == other || is_same(key, value, other))
        })
}

/// Kafka formats fractions as Java does (`5.0E-4`), and lists without spaces.
fn is_same(key: &str, ours: &str, theirs: &str) -> bool {
    let fraction = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let items =
        |text: &str| -> Vec<String> { text.split(',').map(|it| it.trim().to_owned()).collect() };
    if key == "min.cleanable.dirty.ratio" {
        return fraction(ours).total_cmp(&fraction(theirs)).is_eq();
    }
    items(ours) == items(theirs)
}

/// All settings that a topic should have.
pub fn config(spec: &EventTopicSpec) -> BTreeMap<String, String> {
    spec.config
        .as_ref()
        .map(TopicConfig::entries)
        .unwrap_or_default()
}

impl TopicPlan {
    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        matches!(
            self,
            Self::Change {
                partitions: None,
                config: None,
            }
        )
    }

    /// Whether somebody else must have changed the topic, because this generation was settled
    /// before.
    pub fn repairs_drift(&self, topic: &EventTopic) -> bool {
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

    fn plan(
        spec: &EventTopicSpec,
        observed: Option<&ObservedTopic>,
    ) -> Result<TopicPlan, Impossible> {
        super::plan(spec, observed, true)
    }

    fn observed(partitions: u32, config: &[(&str, &str)]) -> ObservedTopic {
        ObservedTopic {
            id: None,
            partitions,
            replication: 1,
            config: config
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    const NOTHING: TopicPlan = TopicPlan::Change {
        partitions: None,
        config: None,
    };

    #[test]
    fn a_topic_that_is_missing_is_created() {
        assert_eq!(plan(&spec(&json!({})), None), Ok(TopicPlan::Create));
    }

    #[test]
    fn a_topic_that_is_as_described_is_left_alone() {
        let kept = json!({ "config": { "retention.ms": 60_000 } });
        let there = observed(12, &[("retention.ms", "60000")]);
        assert_eq!(plan(&spec(&kept), Some(&there)), Ok(NOTHING));
    }

    #[test]
    fn a_setting_is_the_same_however_kafka_writes_it() {
        let throttled = "leader.replication.throttled.replicas";
        let ours =
            json!({ "config": { "min.cleanable.dirty.ratio": 0.0005, throttled: "0:1, 1:2" } });
        let plan_of = |ratio| {
            let there = observed(
                12,
                &[("min.cleanable.dirty.ratio", ratio), (throttled, "0:1,1:2")],
            );
            plan(&spec(&ours), Some(&there))
        };
        assert_eq!(plan_of("5.0E-4"), Ok(NOTHING));
        assert_ne!(plan_of("5.0E-3"), Ok(NOTHING));
    }

    #[test]
    fn a_change_of_one_setting_sends_them_all() {
        let both = json!({ "config": { "retention.ms": 60_000, "cleanup.policy": "delete" } });
        let there = observed(12, &[("retention.ms", "1"), ("cleanup.policy", "delete")]);
        let Ok(TopicPlan::Change {
            config: Some(config),
            ..
        }) = plan(&spec(&both), Some(&there))
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
            Ok(TopicPlan::Change {
                partitions: None,
                config: Some(BTreeMap::new()),
            })
        );
    }

    #[test]
    fn partitions_are_only_added_and_never_to_a_platforms_own_topic() {
        let own = json!({ "platform": "rentcar" });
        let other = json!({});
        let plan_of = |changes, partitions| plan(&spec(changes), Some(&observed(partitions, &[])));
        let why = |changes, partitions| plan_of(changes, partitions).map_err(|it| it.why);
        assert_eq!(why(&other, 13), Err(Why::Shrink));
        assert_eq!(why(&own, 13), Err(Why::Shrink));
        assert_eq!(why(&own, 11), Err(Why::Grow));
        assert_eq!(
            plan_of(&other, 11),
            Ok(TopicPlan::Change {
                partitions: Some(12),
                config: None,
            })
        );
    }

    #[test]
    fn a_platforms_own_topic_grows_as_long_as_it_never_had_a_record() {
        let own = spec(&json!({ "platform": "rentcar" }));
        let there = observed(1, &[]);
        assert!(depends_on_records(&own, &there));
        assert_eq!(
            super::plan(&own, Some(&there), false),
            Ok(TopicPlan::Change {
                partitions: Some(12),
                config: None,
            })
        );
        assert!(!depends_on_records(&own, &observed(12, &[])));
        assert!(!depends_on_records(&spec(&json!({})), &there));
        let more = super::plan(&own, Some(&observed(13, &[])), false);
        assert_eq!(more.map_err(|it| it.why), Err(Why::Shrink));
    }

    #[test]
    fn replicas_cannot_change() {
        let three = json!({ "replication": 3 });
        let there = observed(12, &[]);
        assert_eq!(
            plan(&spec(&three), Some(&there)),
            Err(Impossible {
                why: Why::Replicate,
                observed: there,
            })
        );
    }
}
