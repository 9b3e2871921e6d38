//! The outcome of a topic's reconciliation.

use innkeeper_crds::EventTopicSpec;

use super::failure::KafkaFailure;
use super::history::Fate;
use super::observed::{ObservedTopic, TopicLookup};
use super::plan::{self, Impossible};
use super::rivals::OlderRival;

/// The outcome of a topic's reconciliation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TopicOutcome {
    /// The topic is as described, in the cluster with this id.
    Settled(Option<String>, ObservedTopic),
    /// The topic was created or changed, but not every broker knows that yet.
    Unseen,
    /// Somebody deleted the topic with its records; nothing was done yet.
    Lost(Fate),
    /// The topic cannot become as described.
    Impossible(Impossible),
    /// An older object describes the same topic, or one whose name collides in Kafka.
    TakenBy(OlderRival),
    /// Kafka has a topic whose name collides; holds that name.
    Collides(String),
    /// No brokers are configured.
    NoBrokers,
    /// The object asks for the deletion of its topic, but is in the operator's own namespace.
    OwnNamespace,
    /// The topic could not be deleted with its object, for this reason.
    NotDeleted(String),
    /// A call of Kafka's admin API failed.
    Failed(KafkaFailure),
}

/// The outcome after a change. The broker that was asked may know less than the one that made the
/// change.
pub fn settled(spec: &EventTopicSpec, seen: TopicLookup) -> TopicOutcome {
    let is_settled =
        |it: &ObservedTopic| plan::plan(spec, Some(it), true).is_ok_and(|it| it.is_nothing());
    let topic = seen.topic.filter(is_settled);
    topic.map_or(TopicOutcome::Unseen, |topic| {
        TopicOutcome::Settled(seen.cluster_id, topic)
    })
}
