//! How a topic came out of a reconciliation.

use innkeeper_crds::EventTopicSpec;

use super::history::Fate;
use super::plan::{self, Impossible};
use super::rivals::OlderRival;
use super::{KafkaFailure, ObservedTopic, TopicLookup};

/// How a topic came out of a reconciliation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TopicOutcome {
    /// It is as it should be, in the cluster with this id.
    Settled(Option<String>, ObservedTopic),
    /// It was created or changed, and not every broker knows yet.
    Unseen,
    /// Someone deleted it with its records; nothing was done yet.
    Lost(Fate),
    /// It cannot become so.
    Impossible(Impossible),
    /// An older object describes the same topic, or one that Kafka takes for the same.
    TakenBy(OlderRival),
    /// Kafka has a topic whose name it takes for the same.
    Collides(String),
    /// Nobody said where Kafka is.
    NoBrokers,
    /// It would have to go with an object in the operator's own namespace.
    OwnNamespace,
    /// It could not be deleted with its object, for this reason.
    NotDeleted(String),
    /// A call of Kafka failed.
    Failed(KafkaFailure),
}

/// What has come of a topic: the broker that was asked may know less than the one that was told.
pub fn settled(spec: &EventTopicSpec, seen: TopicLookup) -> TopicOutcome {
    let is_settled =
        |it: &ObservedTopic| plan::plan(spec, Some(it), true).is_ok_and(|it| it.is_nothing());
    let topic = seen.topic.filter(is_settled);
    topic.map_or(TopicOutcome::Unseen, |topic| {
        TopicOutcome::Settled(seen.cluster_id, topic)
    })
}
