//! Objects that describe the same topic in the same Kafka cluster.

use std::sync::Arc;

use innkeeper_crds::EventTopic;
use kube::ResourceExt as _;

use super::brokers::bootstrap_servers;
use crate::executor::ClusterDefaults;

/// An older object that describes the same topic, or one whose name collides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OlderRival {
    /// Namespace and name of the object.
    pub object: String,
    /// Name of the object's topic.
    pub topic_name: String,
}

/// The oldest other object that describes the same topic on the same brokers, if it is older than
/// `topic`. Objects are compared by their names, because the cache may still contain a deleted
/// object with the same name.
pub fn older_rival(
    topic: &EventTopic,
    all: &[Arc<EventTopic>],
    defaults: &ClusterDefaults,
) -> Option<OlderRival> {
    let age = |it: &EventTopic| {
        let created = it.creation_timestamp().map(|time| time.0);
        (created, identity(it))
    };
    let oldest = all
        .iter()
        .filter(|other| collide(&other.spec.topic_name, &topic.spec.topic_name))
        .filter(|other| bootstrap_servers(other, defaults) == bootstrap_servers(topic, defaults))
        .filter(|other| identity(other) != identity(topic))
        .min_by_key(|other| age(other))?;
    (age(oldest) < age(topic)).then(|| OlderRival {
        object: qualified(oldest),
        topic_name: oldest.spec.topic_name.clone(),
    })
}

/// Whether two different objects describe the same topic, or topics whose names collide.
pub fn are_rivals(one: &EventTopic, other: &EventTopic) -> bool {
    identity(one) != identity(other) && collide(&one.spec.topic_name, &other.spec.topic_name)
}

/// Whether Kafka regards two topic names as equal: its metrics replace a dot with an underscore.
/// <https://github.com/apache/kafka/blob/4.1/clients/src/main/java/org/apache/kafka/common/internals/Topic.java>
pub fn collide(one: &str, other: &str) -> bool {
    let unified = |name: &str| name.replace('.', "_");
    unified(one) == unified(other)
}

fn qualified(topic: &EventTopic) -> String {
    let (namespace, name) = identity(topic);
    format!("{}/{name}", namespace.unwrap_or_default())
}

/// The identity of an object is its name, because the cache may still contain a deleted object with
/// the same name.
fn identity(topic: &EventTopic) -> (Option<String>, String) {
    (topic.namespace(), topic.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::event_topic;

    fn described(name: &str, created: &str, topic: &str, brokers: &str) -> Arc<EventTopic> {
        Arc::new(event_topic(name, created, topic, brokers))
    }

    fn older(topic: &EventTopic, all: &[Arc<EventTopic>]) -> Option<(String, String)> {
        let older = older_rival(topic, all, &ClusterDefaults::default())?;
        Some((older.object, older.topic_name))
    }

    #[test]
    fn the_oldest_object_has_the_topic() {
        let all = [
            described("second", "2026-01-02T00:00:00Z", "rentcar", "kafka:9092"),
            described("first", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092"),
            described("elsewhere", "2025-01-01T00:00:00Z", "rentcar", "other:9092"),
        ];
        let first = ("default/first".to_owned(), "rentcar".to_owned());
        assert_eq!(older(&all[0], &all), Some(first));
        assert_eq!(older(&all[1], &all), None);
        assert_eq!(older(&all[2], &all), None);
    }

    #[test]
    fn the_oldest_object_has_the_names_that_kafka_takes_for_its_own() {
        let all = [
            described(
                "second",
                "2026-01-02T00:00:00Z",
                "team_orders",
                "kafka:9092",
            ),
            described("first", "2026-01-01T00:00:00Z", "team.orders", "kafka:9092"),
            described("third", "2026-01-03T00:00:00Z", "team-orders", "kafka:9092"),
        ];
        let first = ("default/first".to_owned(), "team.orders".to_owned());
        assert_eq!(older(&all[0], &all), Some(first));
        assert_eq!(older(&all[2], &all), None);
    }

    #[test]
    fn a_topic_is_not_taken_by_its_own_former_self() {
        let mut former = described("rentcar", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092");
        Arc::make_mut(&mut former).metadata.uid = Some("former".to_owned());
        let topic = described("rentcar", "2026-01-02T00:00:00Z", "rentcar", "kafka:9092");
        assert_eq!(older(&topic, &[former]), None);
    }
}
